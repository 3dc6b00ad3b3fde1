//! Looks at logs, copies and checkpoints while a run goes on, and writes down what it sees. What cannot be looked at, it
//! looks at the next time: it says nothing of whether the servers work.

use std::{collections::BTreeMap, time::Duration};

use anyhow::{Context as _, Result};
use sqlx::{Connection as _, PgConnection};
use tokio::task::JoinSet;

use crate::{
    Places, copy,
    history::{CheckpointSeen, CopySeen, Line, Place, Seen, Writer},
    raw,
    text::{digest, hex},
};

/// How long it rests between two looks.
const PAUSE: Duration = Duration::from_millis(150);
/// How long a look may take.
const PATIENCE: Duration = Duration::from_secs(3);

/// Looks at everything until dropped.
#[derive(Debug)]
pub struct Watch {
    _looking: JoinSet<()>,
}

impl Watch {
    /// Begins.
    pub fn start(places: &Places, writer: &Writer) -> Self {
        let mut looking = JoinSet::new();
        for (log, url) in &places.databases {
            looking.spawn(log_of(log.clone(), url.clone(), writer.clone()));
            looking.spawn(copy_of(log.clone(), url.clone(), places.nats.clone(), writer.clone()));
            looking.spawn(followers_of(log.clone(), places.databases.clone(), writer.clone()));
        }
        Self { _looking: looking }
    }
}

async fn log_of(log: String, url: String, writer: Writer) {
    let mut known = Place { epoch: String::new(), position: 0 };
    loop {
        // A connection that was lost is made again; until then there is nothing to be seen.
        drop(look_at_log(&log, &url, &writer, &mut known).await);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look_at_log(log: &str, url: &str, writer: &Writer, known: &mut Place) -> Result<()> {
    let mut connection = in_time(async { Ok(PgConnection::connect(url).await?) }).await?;
    loop {
        let from = writer.now();
        let (head, tree, mut events) = in_time(raw::news(&mut connection, known.position)).await?;
        if head.epoch != known.epoch || head.position < known.position {
            (_, _, events) = in_time(raw::news(&mut connection, 0)).await?;
            let ahead = events.iter().position(|(position, _)| *position > head.position);
            events.truncate(ahead.unwrap_or(events.len()));
        }
        let at = writer.now();
        for run in events.chunk_by(|(one, _), (next, _)| next - one == 1) {
            let digests = run.iter().map(|(_, record)| digest(record)).collect();
            let root = Some(hex(&tree.root));
            let seen = Seen { from, at, log: log.to_owned(), head: head.clone(), root, first: run[0].0, digests };
            writer.write(&Line::Seen(seen));
        }
        *known = head;
        tokio::time::sleep(PAUSE).await;
    }
}

async fn copy_of(log: String, url: String, nats: String, writer: Writer) {
    loop {
        drop(look_at_copy(&log, &url, &nats, &writer).await);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look_at_copy(log: &str, url: &str, nats: &str, writer: &Writer) -> Result<()> {
    let jetstream = in_time(copy::connect(nats)).await?;
    let mut connection = in_time(async { Ok(PgConnection::connect(url).await?) }).await?;
    loop {
        let from = writer.now();
        if let Some(stream) = in_time(copy::stream(&jetstream, log)).await? {
            let copy = copy::end(&stream);
            let head = in_time(raw::head(&mut connection)).await?;
            let log = log.to_owned();
            writer.write(&Line::Copy(CopySeen { from, at: writer.now(), log, copy, head }));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

async fn followers_of(service: String, databases: BTreeMap<String, String>, writer: Writer) {
    loop {
        drop(look_at_followers(&service, &databases, &writer).await);
        tokio::time::sleep(PAUSE).await;
    }
}

async fn look_at_followers(service: &str, databases: &BTreeMap<String, String>, writer: &Writer) -> Result<()> {
    let mut connections = BTreeMap::new();
    for (log, url) in databases {
        let connection = in_time(async { Ok(PgConnection::connect(url).await?) }).await?;
        connections.insert(log.as_str(), connection);
    }
    loop {
        let from = writer.now();
        let own = connections.get_mut(service).context("a service has a database")?;
        for checkpoint in in_time(raw::checkpoints(own, service)).await? {
            let Some(followed) = connections.get_mut(checkpoint.log.as_str()) else { continue };
            let head = in_time(raw::head(followed)).await?;
            writer.write(&Line::Checkpoint(CheckpointSeen {
                from,
                at: writer.now(),
                follower: checkpoint.follower,
                log: checkpoint.log,
                checkpoint: checkpoint.place,
                head,
            }));
        }
        tokio::time::sleep(PAUSE).await;
    }
}

/// A server that is paused says nothing; it is asked anew.
async fn in_time<T>(answer: impl Future<Output = Result<T>>) -> Result<T> {
    tokio::time::timeout(PATIENCE, answer).await?
}
