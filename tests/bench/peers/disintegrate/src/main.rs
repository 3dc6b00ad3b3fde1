//! Lets callers append to Disintegrate's event store in the database of `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD` and
//! `PGDATABASE`, which is new. Arguments: callers, events an append, bytes of payload, milliseconds. Prints one line of
//! JSON for the benchmarks that started it.

#[path = "../../../src/peers/content.rs"]
mod content;
#[expect(dead_code, reason = "the benchmarks use all of it")]
#[path = "../../../src/measure.rs"]
mod measure;
#[expect(dead_code, reason = "the benchmarks use all of it")]
#[path = "../../../src/process.rs"]
mod process;
#[path = "../../../src/peers/spread.rs"]
mod spread;
#[path = "../../../src/peers/tally.rs"]
mod tally;

use std::{env, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use disintegrate::{Event, EventStore as _, query, serde::json::Json};
use disintegrate_postgres::{Error, PgEventStore};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use crate::{measure::Outcome, process::Watched, spread::spread, tally::Tally};

/// Connections of the pool; with more of them, more appends fail each other.
const CONNECTIONS: u32 = 16;
/// Events that are there before: in an empty table PostgreSQL would look for a stream by reading all of it, and every
/// append would fail every other.
const BEFORE: usize = 20_000;
/// Of them at once.
const BATCH: usize = 1_000;

#[derive(Debug, Clone, PartialEq, Event, Serialize, Deserialize)]
enum Benchmark {
    Recorded {
        #[id]
        benchmark: String,
        content: Value,
    },
}

type Store = PgEventStore<Benchmark, Json<Benchmark>>;

#[tokio::main]
async fn main() -> Result<()> {
    let number = |place| -> Result<u64> { Ok(env::args().nth(place).context("an argument is missing")?.parse()?) };
    let (callers, events, payload) = (number(1)?.try_into()?, number(2)?.try_into()?, number(3)?.try_into()?);
    let pool = PgPoolOptions::new().max_connections(CONNECTIONS).min_connections(CONNECTIONS);
    let pool = pool.test_before_acquire(false).connect_with(PgConnectOptions::new()).await?;
    let store = Arc::new(Store::try_new(pool.clone(), Json::default()).await?);
    let content = Arc::new(content::document(payload));
    fill(&store, &content).await?;
    sqlx::query("VACUUM ANALYZE event").execute(&pool).await?;
    let tally = Arc::new(Tally::default());
    let counted = tally.clone();
    let time = Duration::from_millis(number(4)?);
    let sample = spread(&Watched::default(), callers, time, move |_, _| {
        let (store, content, counted) = (store.clone(), content.clone(), counted.clone());
        async move { counted.count(append(&store, events, &content).await, events) }
    })
    .await?;
    let stored: i64 = sqlx::query_scalar("SELECT count(*) FROM event").fetch_one(&pool).await?;
    tally.check(u64::try_from(stored)? - BEFORE as u64)?;
    let latencies: Vec<(u64, u64)> =
        sample.latency.iter_recorded().map(|value| (value.value_iterated_to(), value.count_at_value())).collect();
    let line = json!({
        "seconds": sample.elapsed.as_secs_f64(),
        "failed": sample.failed,
        "conflicts": sample.conflicts,
        "latencies": latencies,
    });
    println!("{line}");
    Ok(())
}

/// Appends events of as many streams, without conditions.
async fn fill(store: &Store, content: &Value) -> Result<()> {
    let recorded = |_| Benchmark::Recorded { benchmark: Uuid::new_v4().to_string(), content: content.clone() };
    for _ in 0..BEFORE / BATCH {
        store.append_without_validation((0..BATCH).map(recorded).collect()).await?;
    }
    Ok(())
}

/// Appends to a new stream on the condition that it has no event.
async fn append(store: &Store, events: usize, content: &Value) -> Outcome {
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
