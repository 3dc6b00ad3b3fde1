//! Other event stores, each called in its own way and in its fastest fair configuration.

use std::time::Duration;

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
    /// is on the disk. An operation of the sample is one append.
    async fn append(
        &self,
        callers: usize,
        events_per_append: usize,
        payload: usize,
        time: Duration,
    ) -> anyhow::Result<Sample>;
}

/// The peers that can be had on this machine, and the others.
#[derive(Default)]
pub struct Available {
    /// Ready.
    pub peers: Vec<Box<dyn Peer>>,
    /// Name of each that cannot be had, and why.
    pub skipped: Vec<(&'static str, String)>,
}

/// Sets up every peer that can be had here.
pub async fn available(_ground: &Ground) -> Available {
    Available::default()
}
