//! What a relay says of itself.

use event_sourcing::Timestamp;
use opentelemetry::{
    KeyValue,
    metrics::{Counter, Gauge},
};

use super::{RebuildReason, Trouble};
use crate::Epoch;

/// Where a relay is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RelayStatus {
    /// What it does.
    pub state: RelayState,
    /// The epoch that it publishes.
    pub epoch: Epoch,
    /// Position of the log's last event.
    pub head: u64,
    /// Position up to which the stream is known to be a copy.
    pub published: u64,
    /// How often the stream was made again.
    pub rebuilds: u64,
    /// Why, the last time.
    pub last_rebuild: Option<RebuildReason>,
    /// The last comparison that found nothing wrong.
    pub last_audit: Option<Audit>,
}

/// What a relay does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RelayState {
    /// It publishes what is there.
    Filling,
    /// It has published all, and waits for more.
    Following,
    /// It cannot publish now, and tries again.
    Retrying {
        /// When the trouble began.
        since: Timestamp,
        /// What is wrong, as far as somebody can do something about it.
        trouble: Trouble,
        /// What is wrong, in full.
        error: String,
    },
}

impl RelayState {
    pub(super) fn following(published: u64, head: u64) -> Self {
        if published < head { Self::Filling } else { Self::Following }
    }
}

/// A comparison of stream and log that found the one to be a copy of the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Audit {
    /// When the stream's counts and its last record were compared.
    pub at: Timestamp,
    /// Length of the stream then.
    pub published: u64,
    /// The bytes of each record up to here were compared since the relay found the stream.
    pub compared_to: u64,
    /// The bytes of each record up to `compared_to` were compared since then; `None`: not yet of all.
    pub whole_since: Option<Timestamp>,
}

impl RelayStatus {
    pub(super) fn new(epoch: Epoch, head: u64) -> Self {
        let state = RelayState::Filling;
        Self { state, epoch, head, published: 0, rebuilds: 0, last_rebuild: None, last_audit: None }
    }

    /// All that is committed is published.
    pub fn is_caught_up(&self) -> bool {
        self.state == RelayState::Following && self.published >= self.head
    }
}

/// The relay's metrics.
pub(super) struct Meters {
    log: KeyValue,
    head: Gauge<u64>,
    published: Gauge<u64>,
    lag: Gauge<u64>,
    working: Gauge<u64>,
    rebuilds: Counter<u64>,
    audits: Counter<u64>,
    audited_at: Gauge<u64>,
    compared: Gauge<u64>,
    whole_since: Gauge<u64>,
}

impl Meters {
    pub fn new(log: &str) -> Self {
        let meter = opentelemetry::global::meter("event-store");
        let gauge = |name: &'static str, says: &'static str| meter.u64_gauge(name).with_description(says).build();
        let counter = |name: &'static str, says: &'static str| meter.u64_counter(name).with_description(says).build();
        Self {
            log: KeyValue::new("log", log.to_owned()),
            head: gauge("toguna.log.head", "Position of the log's last event"),
            published: gauge("toguna.relay.published", "Position up to which the stream is a copy of the log"),
            lag: gauge("toguna.relay.lag", "Committed events that are not published"),
            working: gauge("toguna.relay.working", "1: the last try to publish or to compare went well"),
            rebuilds: counter("toguna.relay.rebuilds", "How often the stream was made again"),
            audits: counter("toguna.relay.audits", "Comparisons of stream and log that found nothing wrong"),
            audited_at: gauge("toguna.relay.audited_at", "When the last of them was, in seconds since 1970"),
            compared: gauge("toguna.relay.compared", "Position up to which each record's bytes were compared"),
            whole_since: gauge("toguna.relay.whole_since", "Since when, in seconds since 1970; 0: not yet of all"),
        }
    }

    pub fn report(&self, head: u64, published: u64, working: bool) {
        let log = std::slice::from_ref(&self.log);
        self.head.record(head, log);
        self.published.record(published, log);
        self.lag.record(head.saturating_sub(published), log);
        self.working.record(working.into(), log);
    }

    pub fn rebuilt(&self, reason: RebuildReason) {
        self.rebuilds.add(1, &[self.log.clone(), KeyValue::new("reason", format!("{reason:?}"))]);
    }

    pub fn audited(&self, audit: &Audit, is_new: bool) {
        let (log, seconds) = (std::slice::from_ref(&self.log), |at: Timestamp| at.as_second().try_into().unwrap_or(0));
        self.audits.add(is_new.into(), log);
        self.audited_at.record(seconds(audit.at), log);
        self.compared.record(audit.compared_to, log);
        self.whole_since.record(audit.whole_since.map_or(0, seconds), log);
    }
}
