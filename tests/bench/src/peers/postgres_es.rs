//! postgres-es, the PostgreSQL store of the cqrs-es framework, as a library of this process.

use std::{convert::Infallible, sync::Arc, time::Duration};

use anyhow::Result;
use async_trait::async_trait;
use cqrs_es::{
    Aggregate, DomainEvent,
    event_sink::EventSink,
    persist::{PersistedEventRepository as _, PersistenceError, SerializedEvent},
};
use postgres_es::PostgresEventRepository;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use sqlx_0_8::postgres::{PgConnectOptions, PgPoolOptions};
use uuid::Uuid;

use super::{Peer, content, libpq::Place, spread::spread, tally::Tally};
use crate::{
    ground::Ground,
    measure::{Outcome, Sample},
    process::Watched,
};

/// Its name and version.
pub const NAME: &str = "postgres-es 0.5.0";

/// Connections of the pool; more or fewer were not faster.
const CONNECTIONS: u32 = 32;

/// The table that its documentation asks for.
const TABLE: &str = "CREATE TABLE events (
    aggregate_type text NOT NULL,
    aggregate_id text NOT NULL,
    sequence bigint NOT NULL CHECK (sequence >= 0),
    event_type text NOT NULL,
    event_version text NOT NULL,
    payload json NOT NULL,
    metadata json NOT NULL,
    PRIMARY KEY (aggregate_type, aggregate_id, sequence)
)";

/// Ready to be written to.
pub struct PostgresEs {
    options: PgConnectOptions,
    postgres: Watched,
}

impl PostgresEs {
    /// Makes its database and table.
    pub async fn prepare(ground: &Ground) -> Result<Self> {
        let url = ground.database("postgres_es").await?;
        ground.sql(&url, TABLE).await?;
        let options = Place::of(&ground.over_socket(&url))?.options()?;
        Ok(Self { options, postgres: ground.watch([]) })
    }
}

#[async_trait]
impl Peer for PostgresEs {
    fn name(&self) -> &'static str {
        NAME
    }

    fn note(&self) -> &'static str {
        "called in process, without a network service; `persist` alone, without the load before it; 32 connections over \
         a Unix socket, not tested at each use; one INSERT an event, payload as JSON; it has no order across aggregates, \
         so no position, no global replay and no subscription"
    }

    async fn append(&self, callers: usize, events: usize, payload: usize, time: Duration) -> Result<Sample> {
        let pool = PgPoolOptions::new().max_connections(CONNECTIONS).min_connections(CONNECTIONS);
        let pool = pool.test_before_acquire(false).connect_with(self.options.clone()).await?;
        sqlx_0_8::query("TRUNCATE events").execute(&pool).await?;
        let tally = Arc::new(Tally::default());
        let (repository, counted) = (Arc::new(PostgresEventRepository::new(pool.clone())), tally.clone());
        let content = content::document(payload);
        let sample = spread(&self.postgres, callers, time, move |_, _| {
            let (repository, counted, batch) = (repository.clone(), counted.clone(), batch(events, &content));
            async move {
                let outcome = match repository.persist::<Benchmark>(&batch, None).await {
                    Ok(()) => Outcome::Done,
                    Err(PersistenceError::OptimisticLockError) => Outcome::Conflict,
                    Err(_) => Outcome::Failed,
                };
                counted.count(outcome, events)
            }
        })
        .await?;
        let stored: i64 = sqlx_0_8::query_scalar("SELECT count(*) FROM events").fetch_one(&pool).await?;
        pool.close().await;
        tally.check(u64::try_from(stored)?)?;
        Ok(sample)
    }
}

/// The first events of a new aggregate.
fn batch(events: usize, content: &Value) -> Vec<SerializedEvent> {
    let aggregate = Uuid::now_v7().to_string();
    let event = |sequence| {
        SerializedEvent::new(
            aggregate.clone(),
            sequence,
            Benchmark::TYPE.to_owned(),
            Recorded.event_type(),
            Recorded.event_version(),
            content.clone(),
            json!({}),
        )
    };
    (1..=events).map(event).collect()
}

/// The aggregate whose name the rows carry; its events are given to the store as they are written.
#[derive(Debug, Default, Serialize, Deserialize)]
struct Benchmark;

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
struct Recorded;

impl DomainEvent for Recorded {
    fn event_type(&self) -> String {
        "Recorded".to_owned()
    }

    fn event_version(&self) -> String {
        "1.0".to_owned()
    }
}

impl Aggregate for Benchmark {
    const TYPE: &'static str = "benchmark";
    type Command = ();
    type Event = Recorded;
    type Error = Infallible;
    type Services = ();

    async fn handle(&mut self, (): (), (): &(), sink: &EventSink<Self>) -> Result<(), Infallible> {
        sink.write(Recorded, self).await;
        Ok(())
    }

    fn apply(&mut self, _: Recorded) {}
}
