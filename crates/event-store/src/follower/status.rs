//! What followers say of themselves.

use std::{collections::BTreeMap, sync::Arc};

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::Timestamp;
use opentelemetry::{KeyValue, metrics::Gauge};
use tokio::sync::watch;
use tracing::{error, info, warn};

use crate::{Epoch, act::timestamp_from_proto, feed::Place};

/// Where a follower is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FollowerStatus {
    /// Name of the log that it follows.
    pub log: String,
    /// What it does.
    pub state: FollowerState,
    /// The epoch that it is in; `None`: it has seen nothing yet.
    pub epoch: Option<Epoch>,
    /// Position of the last event that had its effect.
    pub position: u64,
    /// Position of the log's last event, as far as known here.
    pub log_position: u64,
    /// It has seen, once since it started, all that the log held.
    pub has_caught_up: bool,
}

/// What a follower does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FollowerState {
    /// It works on what is there.
    CatchingUp,
    /// It has seen all, and waits for more.
    Following,
    /// It cannot go on now, and tries again.
    Retrying {
        /// When the trouble began.
        since: Timestamp,
        /// What is wrong.
        error: String,
    },
    /// An event cannot be applied. It goes on when a version of the service starts that can.
    Stopped {
        /// Position of the event.
        position: u64,
        /// Its type.
        type_name: String,
        /// Why.
        error: String,
    },
}

/// Tells the service and its metrics how one follower is.
pub(crate) struct Reporter {
    name: &'static str,
    board: Arc<watch::Sender<BTreeMap<&'static str, FollowerStatus>>>,
    attributes: [KeyValue; 2],
    position: Gauge<u64>,
    lag: Gauge<u64>,
    lag_seconds: Gauge<f64>,
    stopped: Gauge<u64>,
    /// When the oldest event that waits here was recorded.
    waits_since: Option<Timestamp>,
}

impl Reporter {
    /// # Panics
    /// Where there is a follower of that name already.
    pub fn new(
        name: &'static str,
        log: &str,
        board: Arc<watch::Sender<BTreeMap<&'static str, FollowerStatus>>>,
    ) -> Self {
        let status = FollowerStatus {
            log: log.to_owned(),
            state: FollowerState::CatchingUp,
            epoch: None,
            position: 0,
            log_position: 0,
            has_caught_up: false,
        };
        board.send_modify(|board| assert!(board.insert(name, status).is_none(), "two followers are named {name}"));
        let meter = opentelemetry::global::meter("event-store");
        let gauge = |name: &'static str, says: &'static str| meter.u64_gauge(name).with_description(says).build();
        Self {
            name,
            board,
            attributes: [KeyValue::new("follower", name), KeyValue::new("log", log.to_owned())],
            position: gauge("toguna.follower.position", "Position of the last event that had its effect"),
            lag: gauge("toguna.follower.lag", "Events of the log that have not had their effect"),
            lag_seconds: meter
                .f64_gauge("toguna.follower.lag_seconds")
                .with_description("Age of the oldest event that waits")
                .with_unit("s")
                .build(),
            stopped: gauge("toguna.follower.stopped", "1: an event cannot be applied"),
            waits_since: None,
        }
    }

    /// The event that it works on next; `None`: none is known.
    pub fn waiting(&mut self, next: Option<&EventRecord>) {
        self.waits_since = next.and_then(|record| timestamp_from_proto(record.recorded_at.as_ref()).ok());
    }

    /// It has come so far.
    pub fn reached(&mut self, epoch: Option<Epoch>, position: u64, log: Place, caught_up: bool) {
        self.update(|status| {
            if matches!(status.state, FollowerState::Retrying { .. }) {
                info!(follower = self.name, log = status.log, position, "goes on");
            }
            status.state = if caught_up { FollowerState::Following } else { FollowerState::CatchingUp };
            status.has_caught_up |= caught_up;
            (status.epoch, status.position) = (epoch, position);
            status.log_position = log.position.max(position);
        });
    }

    /// It cannot go on now.
    pub fn retrying(&self, error: String) {
        self.update(|status| {
            let since = match &status.state {
                FollowerState::Retrying { since, .. } => *since,
                FollowerState::CatchingUp | FollowerState::Following | FollowerState::Stopped { .. } => {
                    warn!(follower = self.name, log = status.log, error, "cannot go on now and tries again");
                    Timestamp::now()
                }
            };
            status.state = FollowerState::Retrying { since, error };
        });
    }

    /// An event cannot be applied.
    pub fn stopped(&self, position: u64, type_name: String, error: String) {
        self.update(|status| {
            error!(follower = self.name, log = status.log, position, type_name, error, "stopped at an event");
            status.state = FollowerState::Stopped { position, type_name, error };
        });
    }

    /// Only time has passed.
    pub fn still(&self, log: Place) {
        self.update(|status| status.log_position = log.position.max(status.position));
    }

    fn update(&self, change: impl FnOnce(&mut FollowerStatus)) {
        self.board.send_if_modified(|board| {
            let Some(status) = board.get_mut(self.name) else { return false };
            let before = status.clone();
            change(status);
            let lag = status.log_position.saturating_sub(status.position);
            let waits = self.waits_since.map_or(0.0, |since| Timestamp::now().duration_since(since).as_secs_f64());
            self.position.record(status.position, &self.attributes);
            self.lag.record(lag, &self.attributes);
            self.lag_seconds.record(waits.max(0.0), &self.attributes);
            self.stopped.record(matches!(status.state, FollowerState::Stopped { .. }).into(), &self.attributes);
            *status != before
        });
    }
}
