//! Emmett, an event store for Node.js on PostgreSQL, whose append is a function of SQL: called over connections of this
//! process, so that Node.js is not what is measured.

use std::{fs, sync::Arc, time::Duration};

use anyhow::{Context as _, Result};
use async_trait::async_trait;
use futures::future::try_join_all;
use serde_json::{Value, json};
use sqlx_0_8::{ConnectOptions as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::Mutex;
use uuid::Uuid;

use super::{Peer, content, installed, libpq::Place, spread::spread, tally::Tally};
use crate::{
    ground::Ground,
    measure::{Outcome, Sample},
    process::Watched,
};

/// Its name and version.
pub const NAME: &str = "Emmett 0.42.0";

/// Appends to a stream that must not be there.
const APPEND: &str =
    "SELECT success FROM emt_append_to_stream($1, $2, $3, $4, $5, $6, $7, 'benchmark', 0, 'emt:default')";

/// Ready to be written to.
pub struct Emmett {
    options: PgConnectOptions,
    postgres: Watched,
}

impl Emmett {
    /// Makes its database, by the statements that its library gave.
    pub async fn prepare(ground: &Ground) -> Result<Self> {
        let schema = installed("emmett")?.join("schema.sql");
        let schema = fs::read_to_string(&schema).with_context(|| format!("cannot read {}", schema.display()))?;
        let url = ground.database("emmett").await?;
        ground.sql(&url, &schema).await.context("its schema")?;
        Ok(Self { options: Place::of(&ground.over_socket(&url))?.options()?, postgres: ground.watch([]) })
    }
}

#[async_trait]
impl Peer for Emmett {
    fn name(&self) -> &'static str {
        NAME
    }

    fn note(&self) -> &'static str {
        "its SQL function, called by prepared statements without Node.js, without a network service; a connection over a \
         Unix socket for each caller, payload as JSON; positions are from a sequence, with gaps and not in order of \
         commit: its readers order by transaction number"
    }

    async fn append(&self, callers: usize, events: usize, payload: usize, time: Duration) -> Result<Sample> {
        let mut inspector = self.options.connect().await?;
        sqlx_0_8::query("TRUNCATE emt_messages, emt_streams").execute(&mut inspector).await?;
        let connections = try_join_all((0..callers).map(|_| self.options.connect())).await?;
        let connections: Arc<[_]> = connections.into_iter().map(Mutex::new).collect();
        let contents = Arc::new(vec![content::document(payload); events]);
        let tally = Arc::new(Tally::default());
        let counted = tally.clone();
        let sample = spread(&self.postgres, callers, time, move |caller, _| {
            let (connections, contents, counted) = (connections.clone(), contents.clone(), counted.clone());
            async move {
                let mut connection = connections[caller].lock().await;
                let outcome = match append(&mut connection, &contents).await {
                    Ok(true) => Outcome::Done,
                    Ok(false) => Outcome::Conflict,
                    Err(sqlx_0_8::Error::Database(error)) if error.is_unique_violation() => Outcome::Conflict,
                    Err(_) => Outcome::Failed,
                };
                counted.count(outcome, contents.len())
            }
        })
        .await?;
        let count = "SELECT count(*) FROM emt_messages";
        let stored: i64 = sqlx_0_8::query_scalar(count).fetch_one(&mut inspector).await?;
        tally.check(u64::try_from(stored)?)?;
        Ok(sample)
    }
}

/// Appends to a new stream; whether it was new.
async fn append(connection: &mut PgConnection, contents: &[Value]) -> sqlx_0_8::Result<bool> {
    let stream = format!("benchmark-{}", Uuid::now_v7());
    let ids: Vec<String> = contents.iter().map(|_| Uuid::now_v7().to_string()).collect();
    let metadata: Vec<Value> = ids.iter().map(|id| json!({ "messageId": id })).collect();
    let same = |text: &'static str| vec![text; contents.len()];
    let append = sqlx_0_8::query_scalar(APPEND).bind(&ids).bind(contents).bind(&metadata);
    append.bind(same("1")).bind(same("Recorded")).bind(same("E")).bind(stream).fetch_one(connection).await
}
