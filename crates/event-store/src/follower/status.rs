//! What followers say of themselves.

use std::{collections::BTreeMap, ops::Index, sync::Arc};

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
    /// When the oldest event that waits for it was recorded; `None`: none is known to wait.
    pub waits_since: Option<Timestamp>,
}

impl FollowerStatus {
    /// Events of the log that have not had their effect, as far as known here.
    pub fn lag(&self) -> u64 {
        self.log_position.saturating_sub(self.position)
    }

    /// How many whole seconds the oldest of them has waited; 0 where none is known.
    pub fn lag_seconds(&self) -> u64 {
        self.waits_since.map_or(0, |since| Timestamp::now().duration_since(since).as_secs().max(0).cast_unsigned())
    }
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

/// How all followers of a service are: those that keep the live read models and the reactions, and beside them those of
/// another generation.
#[derive(Debug, Clone, Default)]
pub struct Board {
    live: u32,
    followers: BTreeMap<(u32, &'static str), FollowerStatus>,
}

/// Reactions are of no generation: they run once, whatever read models there are.
pub(crate) const REACTIONS: u32 = 0;

impl Board {
    /// Of a service that answers from this generation.
    pub(crate) fn new(live: u32) -> Self {
        Self { live, followers: BTreeMap::new() }
    }

    /// The generation of read models that queries are answered from.
    pub fn live(&self) -> u32 {
        self.live
    }

    /// From now on this one is.
    pub(crate) fn go_live(&mut self, generation: u32) {
        self.live = generation;
    }

    /// Its followers are no more.
    pub(crate) fn forget(&mut self, generation: u32) {
        self.followers.retain(|(of, _), _| *of != generation);
    }

    /// The followers that answers rest on, by name: those of the live generation, and the reactions.
    pub fn iter(&self) -> impl Iterator<Item = (&'static str, &FollowerStatus)> {
        let serves = |generation: u32| generation == self.live || generation == REACTIONS;
        self.followers.iter().filter(move |((of, _), _)| serves(*of)).map(|((_, name), status)| (*name, status))
    }

    /// As [`Board::iter`], without the names.
    pub fn values(&self) -> impl Iterator<Item = &FollowerStatus> {
        self.iter().map(|(_, status)| status)
    }

    /// One of those that answers rest on.
    pub fn get(&self, name: &str) -> Option<&FollowerStatus> {
        self.iter().find(|(known, _)| *known == name).map(|(_, status)| status)
    }

    /// The projections of one generation, by name.
    pub fn of_generation(&self, generation: u32) -> impl Iterator<Item = (&'static str, &FollowerStatus)> {
        let own = self.followers.iter().filter(move |((of, _), _)| *of == generation);
        own.map(|((_, name), status)| (*name, status))
    }

    /// The reactions, by name.
    pub fn reactions(&self) -> impl Iterator<Item = (&'static str, &FollowerStatus)> {
        self.of_generation(REACTIONS)
    }
}

impl Index<&str> for Board {
    type Output = FollowerStatus;

    fn index(&self, name: &str) -> &FollowerStatus {
        self.get(name).expect("there is a follower of that name")
    }
}

/// Tells the service and its metrics how one follower is.
pub(crate) struct Reporter {
    generation: u32,
    name: &'static str,
    board: Arc<watch::Sender<Board>>,
    attributes: [KeyValue; 3],
    position: Gauge<u64>,
    lag: Gauge<u64>,
    lag_seconds: Gauge<u64>,
    stopped: Gauge<u64>,
}

impl Reporter {
    /// # Panics
    /// Where there is a follower of that name already.
    pub fn new(generation: u32, name: &'static str, log: &str, board: Arc<watch::Sender<Board>>) -> Self {
        let status = FollowerStatus {
            log: log.to_owned(),
            state: FollowerState::CatchingUp,
            epoch: None,
            position: 0,
            log_position: 0,
            has_caught_up: false,
            waits_since: None,
        };
        board.send_modify(|board| {
            let earlier = board.followers.insert((generation, name), status);
            assert!(earlier.is_none(), "two followers are named {name}");
        });
        let meter = opentelemetry::global::meter("event-store");
        let gauge = |name: &'static str, says: &'static str| meter.u64_gauge(name).with_description(says).build();
        Self {
            generation,
            name,
            board,
            attributes: [
                KeyValue::new("follower", name),
                KeyValue::new("log", log.to_owned()),
                KeyValue::new("generation", i64::from(generation)),
            ],
            position: gauge("toguna.follower.position", "Position of the last event that had its effect"),
            lag: gauge("toguna.follower.lag", "Events of the log that have not had their effect"),
            lag_seconds: gauge("toguna.follower.lag_seconds", "Age of the oldest event that waits"),
            stopped: gauge("toguna.follower.stopped", "1: an event cannot be applied"),
        }
    }

    /// It has come so far, and works on `next` now; `None`: nothing is known to wait.
    pub fn reached(
        &self,
        epoch: Option<Epoch>,
        position: u64,
        next: Option<&EventRecord>,
        log: Place,
        caught_up: bool,
    ) {
        self.update(|status| {
            if matches!(status.state, FollowerState::Retrying { .. }) {
                info!(follower = self.name, log = status.log, position, "goes on");
            }
            status.state = if caught_up { FollowerState::Following } else { FollowerState::CatchingUp };
            status.has_caught_up |= caught_up;
            (status.epoch, status.position) = (epoch, position);
            status.log_position = log.position.max(position);
            status.waits_since = next.and_then(|record| timestamp_from_proto(record.recorded_at.as_ref()).ok());
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
            let Some(status) = board.followers.get_mut(&(self.generation, self.name)) else { return false };
            let before = status.clone();
            change(status);
            self.position.record(status.position, &self.attributes);
            self.lag.record(status.lag(), &self.attributes);
            self.lag_seconds.record(status.lag_seconds(), &self.attributes);
            self.stopped.record(matches!(status.state, FollowerState::Stopped { .. }).into(), &self.attributes);
            *status != before
        });
    }
}
