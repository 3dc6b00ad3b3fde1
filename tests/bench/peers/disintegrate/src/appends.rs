//! Appends to Disintegrate's store, as its users write them.

use std::sync::Arc;

use disintegrate::{Event, EventStore as _, query, serde::json::Json};
use disintegrate_postgres::{Error, PgEventStore};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use sqlx::{
    PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use uuid::Uuid;

use crate::measure::Outcome;

/// Connections of the pool; with more of them, more appends fail each other.
const CONNECTIONS: u32 = 16;
/// Events that are there before: in an empty table PostgreSQL would look for a stream by reading all of it, and every
/// append would fail every other.
pub const BEFORE: usize = 20_000;
/// Of them at once.
const BATCH: usize = 1_000;

/// What is appended.
#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
pub enum Benchmark {
    Recorded {
        #[id]
        benchmark: String,
        content: Value,
    },
}

/// The store.
pub type Store = PgEventStore<Benchmark, Json<Benchmark>>;

/// The store in the database that the environment names.
pub async fn open() -> anyhow::Result<(PgPool, Arc<Store>)> {
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).min_connections(CONNECTIONS);
    let pool = pool.test_before_acquire(false).connect_with(PgConnectOptions::new()).await?;
    let store = Arc::new(Store::try_new(pool.clone(), Json::default()).await?);
    Ok((pool, store))
}

/// Appends events of as many streams, without conditions.
pub async fn fill(store: &Store, content: &Value) -> anyhow::Result<()> {
    let recorded = |_| Benchmark::Recorded { benchmark: Uuid::new_v4().to_string(), content: content.clone() };
    for _ in 0..BEFORE / BATCH {
        store.append_without_validation((0..BATCH).map(recorded).collect()).await?;
    }
    Ok(())
}

/// Appends to a new stream on the condition that it has no event.
pub async fn append(store: &Store, events: usize, content: &Value) -> Outcome {
    let benchmark = Uuid::new_v4().to_string();
    let recorded = |_| Benchmark::Recorded { benchmark: benchmark.clone(), content: content.clone() };
    let batch: Vec<Benchmark> = (0..events).map(recorded).collect();
    match store.append(batch, query!(Benchmark; benchmark == benchmark.clone()), 0).await {
        Ok(_) => Outcome::Done,
        Err(Error::Concurrency) => Outcome::Conflict,
        // PostgreSQL may see that the transactions fail each other before the last one of them commits.
        Err(Error::Database(sqlx::Error::Database(error))) if error.code().as_deref() == Some("40001") => {
            Outcome::Conflict
        }
        Err(_) => Outcome::Failed,
    }
}
