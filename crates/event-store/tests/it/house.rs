//! A service that follows the tallies: a projection that adds up, a reaction that carries them into its own log.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use contracts::toguna::{log::v1::EventRecord, r#type::v1::Money};
use event_store::{
    BoxFuture, DecodeError, Draft, FollowerState, FollowerStatus, Followers, Following, Log, Nats, Payload, Projection,
    ProjectionError, Reaction, ReactionCommand, open_read_models,
};
use harness::Servers;
use sqlx::{PgConnection, PgPool, migrate::Migrator};
use tokio::sync::Notify;
use tokio_util::sync::{CancellationToken, DropGuard};

use crate::{
    stage::until,
    tally::{Counted, Tally, tally},
};

/// The migrations of [`Totals`].
pub static MIGRATOR: Migrator = sqlx::migrate!("tests/it/migrations");

/// Adds up each tally. Not idempotent on purpose: an event that comes twice shows.
pub struct Totals {
    pub name: &'static str,
    pub source: String,
    /// Amount that it cannot bear.
    pub poison: Option<i64>,
    /// Time that it takes for an event.
    pub pace: Duration,
    /// Where it hangs, to be killed.
    pub stall: Option<Stall>,
}

/// After so many events of a batch a projection hangs, in the middle of its transaction, and says so.
#[derive(Clone)]
pub struct Stall {
    pub after: usize,
    pub reached: Arc<Notify>,
}

impl Totals {
    pub fn of(source: &str) -> Self {
        Self { name: "totals", source: source.to_owned(), poison: None, pace: Duration::ZERO, stall: None }
    }
}

pub fn amount(record: &EventRecord) -> Result<Option<i64>, DecodeError> {
    let payload = Payload { type_name: record.r#type.clone(), bytes: record.payload.clone() };
    payload.to::<Money>().map(|money| money.map(|money| money.minor_units)).transpose()
}

impl Projection for Totals {
    fn name(&self) -> &'static str {
        self.name
    }

    fn source(&self) -> &str {
        &self.source
    }

    fn apply<'a>(
        &'a self,
        tx: &'a mut PgConnection,
        batch: &'a [EventRecord],
    ) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            for (index, record) in batch.iter().enumerate() {
                let Some(amount) = amount(record)? else { continue };
                if !self.pace.is_zero() {
                    tokio::time::sleep(self.pace).await;
                }
                if self.poison == Some(amount) {
                    return Err(ProjectionError::Impossible(format!("{amount} is too much")));
                }
                sqlx::query(
                    "INSERT INTO totals (tally, total, events) VALUES ($1 || ' ' || $2, $3, 1)
                     ON CONFLICT (tally) DO UPDATE SET total = totals.total + $3, events = totals.events + 1",
                )
                .bind(self.name)
                .bind(&record.stream)
                .bind(amount)
                .execute(&mut *tx)
                .await?;
                if let Some(stall) = self.stall.as_ref().filter(|stall| stall.after == index + 1) {
                    stall.reached.notify_one();
                    std::future::pending::<()>().await;
                }
            }
            Ok(())
        })
    }

    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>> {
        Box::pin(async move {
            sqlx::query("DELETE FROM totals WHERE tally LIKE $1 || ' %'").bind(self.name).execute(tx).await?;
            Ok(())
        })
    }
}

/// Records each count in a tally of our own.
pub struct Mirror;

impl Reaction for Mirror {
    fn name(&self) -> &'static str {
        "mirror"
    }

    fn source(&self) -> &'static str {
        "tallies"
    }

    fn react(&self, record: &EventRecord) -> Result<Option<ReactionCommand>, DecodeError> {
        let Some(amount) = amount(record)? else { return Ok(None) };
        Ok(Some(Box::new(move |unit| {
            let draft = Draft { event: Counted(amount), effective_on: unit.act().effective_on };
            unit.record::<Tally>(&tally("mirror"), vec![draft])
        })))
    }
}

/// What follows, until this is dropped.
pub struct Running {
    pub following: Following,
    _guard: DropGuard,
}

impl Running {
    pub fn start(followers: Followers) -> Self {
        let shutdown = CancellationToken::new();
        Self { following: followers.start(&shutdown), _guard: shutdown.drop_guard() }
    }

    pub fn status(&self, follower: &str) -> FollowerStatus {
        self.following.status().borrow()[follower].clone()
    }

    pub async fn reaches(&self, follower: &str, position: u64) {
        until(&format!("{follower} reaches {position}"), async || self.status(follower).position >= position).await;
    }

    pub async fn stops(&self, follower: &str) -> (u64, String) {
        let stopped = || match self.status(follower).state {
            FollowerState::Stopped { position, error, .. } => Some((position, error)),
            _ => None,
        };
        until(&format!("{follower} stops"), async || stopped().is_some()).await;
        stopped().expect("it stopped")
    }

    /// Waits until it cannot go on for now, and says why.
    pub async fn is_troubled(&self, follower: &str) -> String {
        let trouble = || match self.status(follower).state {
            FollowerState::Retrying { error, .. } => Some(error),
            _ => None,
        };
        until(&format!("{follower} is in trouble"), async || trouble().is_some()).await;
        trouble().unwrap_or_default()
    }
}

/// Empty read models of version 1, in a database of their own.
pub async fn read_models() -> PgPool {
    let url = Servers::shared().await.database("house").await;
    open_read_models(&url, "house", 1, &MIGRATOR).await.expect("the read models open")
}

/// The followers of another service than the tallies', without a log of its own.
pub fn elsewhere(pool: &PgPool, nats: &Nats) -> Followers {
    Followers::new(pool.clone()).other_logs(nats)
}

/// An own log for the reaction, and its followers.
pub async fn mirroring(nats: &Nats) -> (Log, PgPool) {
    let url = Servers::shared().await.database("house").await;
    let log = Log::open("house", &url, CancellationToken::new()).await.expect("the log opens");
    let pool = open_read_models(&url, "house", 1, &MIGRATOR).await.expect("the read models open");
    until("NATS is connected", async || nats.is_connected()).await;
    (log, pool)
}

/// The rows of a projection: tally → (total, events).
pub async fn totals(pool: &PgPool, projection: &str) -> BTreeMap<String, (i64, i64)> {
    let rows: Vec<(String, i64, i64)> =
        sqlx::query_as("SELECT tally, total, events FROM totals").fetch_all(pool).await.expect("the rows");
    let own = |(tally, total, events): (String, i64, i64)| {
        Some((tally.strip_prefix(projection)?.trim_start().to_owned(), (total, events)))
    };
    rows.into_iter().filter_map(own).collect()
}

/// What the rows must be, folded from the log by other code.
pub async fn expected(log: &Log) -> BTreeMap<String, (i64, i64)> {
    let limit = event_store::PageLimit { events: 1_000_000, bytes: usize::MAX };
    let mut totals = BTreeMap::new();
    for event in log.page(1, limit).await.expect("the log") {
        let record = event.decode().expect("a record");
        let total: &mut (i64, i64) = totals.entry(record.stream.clone()).or_default();
        total.0 += amount(&record).expect("an amount").expect("a count");
        total.1 += 1;
    }
    totals
}
