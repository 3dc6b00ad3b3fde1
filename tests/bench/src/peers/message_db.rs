//! Message DB, an event store of SQL functions, called over connections of this process.

use std::{sync::Arc, time::Duration};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use futures::future::try_join_all;
use sqlx_0_8::{ConnectOptions as _, Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{process::Command, sync::Mutex};
use uuid::Uuid;

use super::{Peer, content, installed, libpq::Place, spread::spread, tally::Tally};
use crate::{
    ground::Ground,
    measure::{Outcome, Sample},
    process::Watched,
};

/// Its name and version.
pub const NAME: &str = "Message DB 1.3.0";

/// Writes one message to a stream that must be empty.
const WRITE: &str = "SELECT write_message($1, $2, 'Recorded', $3, NULL, $4)";

/// Ready to be written to.
pub struct MessageDb {
    options: PgConnectOptions,
    postgres: Watched,
}

impl MessageDb {
    /// Makes its database by its own script.
    pub async fn prepare(ground: &Ground) -> Result<Self> {
        let scripts = installed("message_db")?.join("node_modules/@eventide/message-db/database");
        // Its script makes a role and an extension.
        let url = ground.over_socket(&ground.as_superuser(&ground.database("message_db").await?));
        let place = Place::of(&url)?;
        let mut install = Command::new("bash");
        install.arg("install.sh").current_dir(&scripts).envs(place.environment());
        install.env("CREATE_DATABASE", "off").env("DATABASE_NAME", place.name);
        let path = std::env::var("PATH").unwrap_or_default();
        install.env("PATH", format!("{}:{path}", ground.programs().display()));
        let output = install.output().await.context("cannot run bash")?;
        ensure!(output.status.success(), "its install.sh: {}", String::from_utf8_lossy(&output.stderr).trim());
        let options = place.options()?.options([("search_path", "message_store,public")]);
        Ok(Self { options, postgres: ground.watch([]) })
    }
}

#[async_trait]
impl Peer for MessageDb {
    fn name(&self) -> &'static str {
        NAME
    }

    fn note(&self) -> &'static str {
        "SQL functions, called by prepared statements, without a network service; a connection over a Unix socket and a \
         category for each caller, because a category is written under a lock; one message a call, more of them in one \
         transaction; payload as JSON; positions are in order of commit within a category only, and not without gaps"
    }

    async fn append(&self, callers: usize, events: usize, payload: usize, time: Duration) -> Result<Sample> {
        let mut inspector = self.options.connect().await?;
        sqlx_0_8::query("TRUNCATE message_store.messages").execute(&mut inspector).await?;
        let connections = try_join_all((0..callers).map(|_| self.options.connect())).await?;
        let connections: Arc<[_]> = connections.into_iter().map(Mutex::new).collect();
        let content = Arc::new(content::document(payload));
        let tally = Arc::new(Tally::default());
        let counted = tally.clone();
        let sample = spread(&self.postgres, callers, time, move |caller, _| {
            let (connections, content, counted) = (connections.clone(), content.clone(), counted.clone());
            async move {
                let mut connection = connections[caller].lock().await;
                let outcome = match append(&mut connection, caller, events, &content).await {
                    Ok(()) => Outcome::Done,
                    // `raise exception` without a code: the expected version was not the stream's.
                    Err(sqlx_0_8::Error::Database(error)) if error.code().as_deref() == Some("P0001") => {
                        Outcome::Conflict
                    }
                    Err(_) => Outcome::Failed,
                };
                counted.count(outcome, events)
            }
        })
        .await?;
        let count = "SELECT count(*) FROM message_store.messages";
        let stored: i64 = sqlx_0_8::query_scalar(count).fetch_one(&mut inspector).await?;
        tally.check(u64::try_from(stored)?)?;
        Ok(sample)
    }
}

async fn append(
    connection: &mut PgConnection,
    caller: usize,
    events: usize,
    content: &serde_json::Value,
) -> sqlx_0_8::Result<()> {
    let stream = format!("caller{caller}-{}", Uuid::now_v7());
    let write = |version: i64| {
        sqlx_0_8::query(WRITE).bind(Uuid::now_v7().to_string()).bind(&stream).bind(content).bind(version)
    };
    if events == 1 {
        write(-1).execute(connection).await?;
        return Ok(());
    }
    let mut transaction = connection.begin().await?;
    for version in (-1..).take(events) {
        write(version).execute(&mut *transaction).await?;
    }
    transaction.commit().await
}
