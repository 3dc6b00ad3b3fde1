//! Other event stores, each called in its own way and in its fastest fair configuration.
//!
//! All begin each measurement empty, on the same PostgreSQL or on a server of their own that forces every append to the
//! disk, and all are counted afterwards: a store that holds another number of events than it acknowledged has no figure.

mod content;
mod disintegrate;
mod emmett;
mod libpq;
mod message_db;
pub mod pgbench;
mod postgres_es;
mod spread;
mod tally;
mod umadb;

use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, anyhow};
use async_trait::async_trait;

use crate::{ground::Ground, measure::Sample};

/// Another event store, ready to be written to.
#[async_trait]
pub trait Peer: Send + Sync {
    /// Its name and version: `UmaDB 0.7.8`.
    fn name(&self) -> &'static str;

    /// How it was set up and called, and what it does not promise in this mode: printed beside its figures.
    fn note(&self) -> &'static str;

    /// Lets `callers` append for a while, each waiting for its answer before the next: every append is of
    /// `events_per_append` events of `payload` bytes to a new stream that must not be there yet, and is answered when it
    /// is on the disk. An operation of the sample is one append. An error says that there is no figure, and why: it
    /// could not be called, or does not hold what it acknowledged.
    async fn append(&self, callers: usize, events_per_append: usize, payload: usize, time: Duration) -> Result<Sample>;
}

/// The peers that can be had on this machine, and the others.
#[derive(Default)]
pub struct Available {
    /// Ready.
    pub peers: Vec<Box<dyn Peer>>,
    /// Name of each that cannot be had, and why.
    pub skipped: Vec<(&'static str, String)>,
}

impl Available {
    fn add<P: Peer + 'static>(&mut self, name: &'static str, prepared: Result<P>) {
        match prepared {
            Ok(peer) => self.peers.push(Box::new(peer)),
            Err(error) => self.skipped.push((name, format!("{error:#}"))),
        }
    }
}

/// Sets up every peer that can be had here.
pub async fn available(ground: &Ground) -> Available {
    let mut all = Available::default();
    all.add(postgres_es::NAME, postgres_es::PostgresEs::prepare(ground).await);
    all.add(message_db::NAME, message_db::MessageDb::prepare(ground).await);
    all.add(emmett::NAME, emmett::Emmett::prepare(ground).await);
    all.add(disintegrate::NAME, disintegrate::Disintegrate::prepare(ground));
    all.add(umadb::NAME, umadb::UmaDb::prepare(ground));
    all
}

/// The folder into which `peers/install.sh` put a peer's own files, or why it could not.
fn installed(peer: &str) -> Result<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../.tools/bench").join(peer);
    if folder.is_dir() {
        return Ok(folder.canonicalize()?);
    }
    let reason = fs::read_to_string(folder.with_extension("missing"));
    Err(anyhow!(reason.map_or_else(|_| "not installed".to_owned(), |reason| reason.trim().to_owned())))
}
