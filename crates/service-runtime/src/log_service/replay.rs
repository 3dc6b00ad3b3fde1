//! One caller's replay: what is said when.

use std::{collections::VecDeque, time::Duration};

use contracts::toguna::log::v1::{self as pb, GoodbyeReason, replay_log_response::Message};
use event_store::{Epoch, Log, Page, Pages, StoredEvent};
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tonic::Status;

use super::{
    request::{Matching, Start},
    resume::ResumeToken,
};
use crate::{rates::Turn, status};

/// Bytes of events that one message carries at most, what protobuf adds to each included: on a line of 256 kbit/s some
/// four seconds, which is what a cut loses at most.
const BATCH_BYTES: usize = 128 * 1024;
/// What protobuf adds to a record: its tag and length, two positions, the event's own tag and length.
const EVENT_OVERHEAD: usize = 32;
/// While nothing matches, the caller hears this often how far the log was looked at.
const CHECKPOINT_EVERY: Duration = Duration::from_secs(2);
/// A follower that has heard of an event looks for the next ones after a moment: on a busy log it would otherwise ask
/// Postgres once for each.
const GATHERING: Duration = Duration::from_millis(5);

/// When a replay ends, or stays silent.
pub(super) struct Ending {
    /// Stay at the end of the log.
    pub follow: bool,
    pub max_events: Option<u64>,
    /// When the slice is over.
    pub slice_until: Option<Instant>,
    /// When the caller must have been told of the end.
    pub call_until: Option<Instant>,
    /// The service takes no more calls.
    pub stopping: CancellationToken,
    /// The connection takes no more calls: it is old, or the service stops.
    pub connection_leaving: CancellationToken,
    /// After how long a silence to say something.
    pub heartbeat: Duration,
    /// One of the replays that its organisation may have at a time.
    pub _turn: Turn,
}

impl Ending {
    /// Until something makes the replay leave.
    async fn leaving(&self) {
        let until = self.slice_until.into_iter().chain(self.call_until).min();
        let over = async {
            match until {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        self.connection_leaving.run_until_cancelled(over).await;
    }
}

/// What is left of a replay.
pub(super) struct Replay {
    log: Log,
    /// The history that is replayed.
    epoch: Epoch,
    pages: Pages,
    ending: Ending,
    matching: Matching,
    /// Events of the present page that were not sent yet.
    waiting: VecDeque<StoredEvent>,
    /// How far the present page goes, and whether there was nothing beyond.
    examined: u64,
    at_end: bool,
    /// Everything up to here was looked at, and sent if it matched.
    position: u64,
    /// Position of the last event that matched; 0: none is known.
    last_event: u64,
    sent: u64,
    /// What the caller was told last, and when.
    told: (u64, Instant),
    /// A batch was sent, and no place since.
    owes_checkpoint: bool,
    /// How many events were sent when the caller was last told that it has all there is.
    caught_up: Option<u64>,
    ended: bool,
}

impl Replay {
    pub fn new(log: Log, epoch: Epoch, pages: Pages, start: Start, ending: Ending) -> Self {
        // One that starts beyond the head has seen nothing beyond it.
        let position = (start.from - 1).min(log.head());
        Self {
            last_event: start.last_event.unwrap_or_else(|| pages.last_before()).min(position),
            log,
            epoch,
            ending,
            matching: start.matching,
            waiting: VecDeque::new(),
            examined: start.from - 1,
            at_end: false,
            position,
            sent: 0,
            told: (position, Instant::now()),
            owes_checkpoint: false,
            caught_up: None,
            ended: false,
            pages,
        }
    }

    /// The next message; `None`: the last one was said.
    pub async fn next(&mut self) -> Result<Option<Message>, Status> {
        let said = loop {
            if self.ended {
                return Ok(None);
            }
            if let Some(reason) = self.reason_to_leave() {
                self.ended = true;
                break Message::Goodbye(pb::Goodbye { place: Some(self.place()), reason: reason.into() });
            }
            if !self.waiting.is_empty() && !self.owes_checkpoint {
                self.owes_checkpoint = true;
                break Message::Events(self.batch());
            }
            if self.waiting.is_empty() && self.at_end {
                if self.caught_up != Some(self.sent) {
                    (self.caught_up, self.owes_checkpoint) = (Some(self.sent), false);
                    self.ended = !self.ending.follow;
                    break Message::CaughtUp(pb::CaughtUp { place: Some(self.place()) });
                }
                if let Some(message) = self.wait().await {
                    break message;
                }
                continue;
            }
            if self.owes_checkpoint || self.is_overdue() {
                self.owes_checkpoint = false;
                break Message::Checkpoint(pb::Checkpoint { place: Some(self.place()) });
            }
            self.turn_page().await?;
        };
        self.told = (self.position, Instant::now());
        Ok(Some(said))
    }

    fn reason_to_leave(&self) -> Option<GoodbyeReason> {
        let over = |until: Option<Instant>| until.is_some_and(|until| Instant::now() >= until);
        if self.log.epoch() != self.epoch {
            Some(GoodbyeReason::EpochChanged)
        } else if self.ending.stopping.is_cancelled() {
            Some(GoodbyeReason::ServerStopping)
        } else if self.ending.connection_leaving.is_cancelled() {
            Some(GoodbyeReason::ConnectionOld)
        } else if self.left() == 0 || over(self.ending.slice_until) {
            Some(GoodbyeReason::SliceFull)
        } else if over(self.ending.call_until) {
            Some(GoodbyeReason::DeadlineNear)
        } else {
            None
        }
    }

    /// How many events may still be sent.
    fn left(&self) -> u64 {
        self.ending.max_events.map_or(u64::MAX, |most| most - self.sent)
    }

    /// Reads on, for as long as there is no reason to leave. What is read while the log goes into another epoch is
    /// never sent: the epoch is looked at again before anything is said.
    async fn turn_page(&mut self) -> Result<(), Status> {
        // A page that is being read while it is time to leave is left behind.
        let page = tokio::select! {
            page = self.pages.next() => page.map_err(|error| status::store(&error))?,
            () = self.ending.leaving() => return Ok(()),
        };
        let Page { events, examined, at_end } = page;
        self.waiting = events.into();
        self.at_end = at_end;
        if examined > self.examined {
            self.examined = examined;
            if self.waiting.is_empty() {
                self.position = examined;
            }
        }
        Ok(())
    }

    /// As many of the waiting events as one message takes; one at least.
    fn batch(&mut self) -> pb::EventBatch {
        let (mut bytes, mut left) = (0, self.left());
        let mut events = Vec::new();
        while let Some(event) = self.waiting.front() {
            bytes += event.record.len() + EVENT_OVERHEAD;
            if left == 0 || bytes > BATCH_BYTES && !events.is_empty() {
                break;
            }
            let StoredEvent { position, record } = self.waiting.pop_front().expect("it is there");
            let previous_position = if self.matching.all { position - 1 } else { self.last_event };
            events.push(pb::ReplayedEvent { position, previous_position, record });
            self.last_event = position;
            left -= 1;
        }
        self.sent += u64::try_from(events.len()).expect("a page is small");
        self.position = if self.waiting.is_empty() { self.examined } else { self.last_event };
        pb::EventBatch { events }
    }

    /// Whether the caller has heard nothing for a while, and the replay has come further.
    fn is_overdue(&self) -> bool {
        let (position, at) = self.told;
        self.position > position && at.elapsed() >= CHECKPOINT_EVERY
    }

    /// At the end of the log: waits for more, or until it is time to say that there is nothing.
    async fn wait(&mut self) -> Option<Message> {
        let (position, at) = self.told;
        let due = at + if self.position > position { CHECKPOINT_EVERY } else { self.ending.heartbeat };
        let next = self.pages.position();
        let mut head = self.log.watch_head();
        let more = async {
            let _ = head.wait_for(|head| *head >= next || self.log.epoch() != self.epoch).await;
            tokio::time::sleep(GATHERING).await;
        };
        tokio::select! {
            () = more => {}
            () = self.ending.leaving() => return None,
            () = tokio::time::sleep_until(due) => {}
        }
        // Also where nothing was heard: another process may write this log.
        self.at_end = false;
        if Instant::now() < due {
            return None;
        }
        let place = Some(self.place());
        Some(if self.position > position {
            Message::Checkpoint(pb::Checkpoint { place })
        } else {
            Message::Heartbeat(pb::Heartbeat { place })
        })
    }

    fn place(&self) -> pb::Place {
        let last_event = if self.matching.all { self.position } else { self.last_event };
        let token = ResumeToken {
            log: self.log.name().to_owned(),
            epoch: self.epoch,
            position: self.position,
            last_event,
            filter: self.matching.filter,
        };
        pb::Place {
            epoch: self.epoch.as_bytes().to_vec(),
            position: self.position,
            last_event_position: last_event,
            resume_token: token.to_string(),
        }
    }
}
