//! The facts in memory: brought up to what was read of the logs whenever a question needs more than is there.

use std::{sync::Arc, time::Duration};

use event_store::{Board, ConsistencyToken, Epoch, FollowerState, Following, Timestamp};
use figures::{Facts, Log};
use tokio::sync::{OwnedRwLockReadGuard, RwLock, watch};

use crate::projections::{Tables, TablesError};

/// How long to wait before memory is tried to be filled again.
const PAUSE: Duration = Duration::from_millis(500);

/// The facts that all answers are made from. Cheap to clone.
#[derive(Clone)]
pub struct Memory {
    tables: Tables,
    following: Following,
    followers: watch::Receiver<Board>,
    facts: Arc<RwLock<Held>>,
}

/// Facts, and the generation of the tables that they were read from.
#[derive(Default)]
pub struct Held {
    generation: u32,
    facts: Facts,
}

/// The facts while they are being answered from.
pub type Reading = OwnedRwLockReadGuard<Held, Facts>;

/// Why no answer is made now.
#[derive(Debug, thiserror::Error)]
pub enum NoAnswer {
    /// Nothing, or not all that there was when the service started, has been read of a log.
    #[error("{log} has not been read yet")]
    NotReadYet {
        /// Name of the log.
        log: String,
    },
    /// An event is not understood: every later figure would have a hole.
    #[error("record {position} of {log} is not understood")]
    NotUnderstood {
        /// Name of the log.
        log: String,
        /// Position of the event.
        position: u64,
    },
    /// What was kept cannot be read.
    #[error("what was kept cannot be read")]
    Tables(#[from] TablesError),
}

impl Memory {
    /// Empty; filled from the tables that these followers fill.
    pub fn new(tables: Tables, following: Following) -> Self {
        let followers = following.status();
        Self { tables, following, followers, facts: Arc::default() }
    }

    /// Reads all that there is, once the logs have been read.
    pub async fn fill(&self) {
        self.following.caught_up().await;
        while let Err(error) = self.up_to_date().await {
            tracing::warn!(%error, "memory cannot be filled for now");
            tokio::time::sleep(PAUSE).await;
        }
    }

    /// The facts, as far as the logs have been read. Refused where what was known at that time may not be all there.
    pub async fn facts(&self, known_at: Option<Timestamp>) -> Result<Reading, NoAnswer> {
        let facts = self.up_to_date().await?;
        for follower in self.followers.borrow().values() {
            let settled = |log: Log| known_at.is_some_and(|time| facts.is_settled(log, time));
            if follower.log.parse().is_ok_and(settled) {
                continue;
            }
            let log = follower.log.clone();
            match follower.state {
                FollowerState::Stopped { position, .. } => return Err(NoAnswer::NotUnderstood { log, position }),
                FollowerState::CatchingUp | FollowerState::Following | FollowerState::Retrying { .. } => {
                    if !follower.has_caught_up {
                        return Err(NoAnswer::NotReadYet { log });
                    }
                }
            }
        }
        Ok(facts)
    }

    async fn up_to_date(&self) -> Result<Reading, TablesError> {
        let held = self.facts.clone().read_owned().await;
        if self.lacks_nothing(&held) {
            return Ok(OwnedRwLockReadGuard::map(held, |held| &held.facts));
        }
        drop(held);
        let mut held = self.facts.clone().write_owned().await;
        if !self.lacks_nothing(&held) {
            let generation = self.tables.generation();
            if held.generation != generation {
                *held = Held { generation, facts: Facts::default() };
            }
            self.tables.bring_up(&mut held.facts).await?;
        }
        Ok(OwnedRwLockReadGuard::map(held.downgrade(), |held| &held.facts))
    }

    /// Whether the facts hold all that the followers say they have read.
    fn lacks_nothing(&self, held: &Held) -> bool {
        let Held { generation, facts } = held;
        *generation == self.tables.generation()
            && self.followers.borrow().values().all(|follower| {
                let epoch = follower.epoch.as_ref().map_or(&[][..], |epoch| epoch.as_bytes());
                let of_facts = |log| facts.epoch(log) == epoch && facts.position(log) >= follower.position;
                follower.log.parse().is_ok_and(of_facts)
            })
    }
}

/// How far each log was read for an answer from these facts, in order of the log's name; nothing for a log of which
/// nothing was read.
pub fn tokens(facts: &Facts) -> Vec<String> {
    let token = |log: Log| {
        let epoch = Epoch::try_from(facts.epoch(log)).ok()?;
        Some(ConsistencyToken { log: log.name().into(), epoch, position: facts.position(log) }.to_string())
    };
    Log::ALL.into_iter().filter_map(token).collect()
}
