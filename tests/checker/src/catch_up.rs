//! Waits until copies and followers are where their logs are.

use std::{
    collections::BTreeMap,
    time::{Duration, Instant},
};

use anyhow::Result;
use sqlx::{Connection as _, PgConnection};

use crate::{
    Invariant, Places, copy,
    history::Place,
    raw::{self, Checkpoint},
};

/// What has not caught up in time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Behind {
    /// What it breaks.
    pub invariant: Invariant,
    /// What it is, and how far it is.
    pub what: String,
}

/// Waits until every copy and every follower is where its log is, and the logs are at rest; answers what is not after
/// `limit`.
pub async fn wait(places: &Places, limit: Duration) -> Vec<Behind> {
    let end = Instant::now() + limit;
    loop {
        let behind = match tokio::time::timeout(limit, look(places)).await {
            Ok(Ok(behind)) => behind,
            Ok(Err(error)) => vec![Behind { invariant: Invariant::Run, what: format!("{error:#}") }],
            Err(_) => vec![Behind { invariant: Invariant::Run, what: "the servers do not answer".to_owned() }],
        };
        if behind.is_empty() || Instant::now() > end {
            return behind;
        }
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

async fn look(places: &Places) -> Result<Vec<Behind>> {
    let jetstream = copy::connect(&places.nats).await?;
    let before = heads(places).await?;
    let mut behind = Vec::new();
    for (log, head) in &before {
        let copy = copy::stream(&jetstream, log).await?.map(|stream| copy::end(&stream));
        if copy.as_ref() != Some(head) {
            behind
                .push(Behind { invariant: Invariant::I8, what: format!("{log} is at {head:?}, its copy at {copy:?}") });
        }
    }
    for (service, url) in &places.databases {
        let mut connection = PgConnection::connect(url).await?;
        for Checkpoint { follower, log, place } in raw::checkpoints(&mut connection, service).await? {
            if let Some(head) = before.get(&log).filter(|head| **head != place) {
                let what = format!("{log} is at {head:?}, {follower} at {place:?}");
                behind.push(Behind { invariant: Invariant::I7, what });
            }
        }
    }
    if behind.is_empty() && heads(places).await? != before {
        behind.push(Behind { invariant: Invariant::Run, what: "the logs are not at rest".to_owned() });
    }
    Ok(behind)
}

async fn heads(places: &Places) -> Result<BTreeMap<String, Place>> {
    let mut heads = BTreeMap::new();
    for (log, url) in &places.databases {
        heads.insert(log.clone(), raw::head(&mut PgConnection::connect(url).await?).await?);
    }
    Ok(heads)
}
