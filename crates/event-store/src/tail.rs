//! The end of the log as this process will write it: what is committed, and what is admitted and on its way.
//!
//! A command decides on the streams as they are after the last event that was admitted, not after the last that was
//! committed, and is admitted here if they are still so. So a disputed stream takes many events in one commit, and the
//! order of admission is the order of the log. All of this holds as long as the appender writes what was admitted;
//! where it cannot, or somebody else has written, a new generation begins and everybody decides again.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use event_sourcing::{StreamName, Timestamp};
use tokio::sync::{mpsc, watch};
use uuid::Uuid;

use crate::{
    appender::Append,
    histories::Histories,
    log::Place,
    unit::{After, Loaded, Unit},
};

/// A request: the acting organisation and its id.
pub(crate) type RequestKey = (String, Uuid);

pub(crate) struct Tail {
    place: Arc<Place>,
    state: Mutex<State>,
}

struct State {
    generation: u64,
    /// Position and time of the last event that was admitted.
    position: u64,
    recorded_at: Timestamp,
    streams: Histories,
    /// The highest position in streams that were let go.
    let_go: u64,
    claims: HashMap<RequestKey, watch::Receiver<()>>,
}

/// A request at work. The next one with the same id waits until this is dropped.
pub(crate) struct Claim {
    tail: Arc<Tail>,
    key: RequestKey,
    _ended: watch::Sender<()>,
}

/// Why a command was not admitted.
#[derive(Debug)]
pub(crate) enum NotAdmitted {
    /// It decided on what is no longer so: decide again, where a stream is named after others had their turn on it.
    Moved(Option<StreamName>),
    /// The appender has too much to write.
    Full,
    /// The log is closed.
    Closed,
}

impl Tail {
    pub fn new(place: Arc<Place>) -> Self {
        let state = State {
            generation: 0,
            position: place.head(),
            recorded_at: Timestamp::UNIX_EPOCH,
            streams: Histories::new(),
            let_go: 0,
            claims: HashMap::new(),
        };
        Self { place, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Begins a generation at the head that the appender has read, or with what was known where it has read none.
    /// Nothing that was admitted before is written.
    pub fn restart(&self, head: Option<(u64, Timestamp)>) -> u64 {
        let mut state = self.state();
        state.generation += 1;
        state.streams.clear();
        state.let_go = 0;
        if let Some(head) = head {
            (state.position, state.recorded_at) = head;
        }
        state.generation
    }

    pub fn generation(&self) -> u64 {
        self.state().generation
    }

    /// The time at which a command decides: the clock, in whole microseconds, never before the last event.
    pub fn now(&self) -> Timestamp {
        let last = self.state().recorded_at;
        Timestamp::from_microsecond(Timestamp::now().as_microsecond()).map_or(last, |now| now.max(last))
    }

    /// Takes a request to work on; where it is at work, the end of the channel is the end of that work.
    pub fn claim(self: &Arc<Self>, key: &RequestKey) -> Result<Arc<Claim>, watch::Receiver<()>> {
        let mut state = self.state();
        if let Some(at_work) = state.claims.get(key) {
            return Err(at_work.clone());
        }
        let (ended, waiting) = watch::channel(());
        state.claims.insert(key.clone(), waiting);
        Ok(Arc::new(Claim { tail: self.clone(), key: key.clone(), _ended: ended }))
    }

    /// A stream, if it is known in this generation.
    pub fn stream(&self, generation: u64, name: &StreamName) -> Option<Loaded> {
        let mut state = self.state();
        if state.generation == generation { state.streams.get(name) } else { None }
    }

    /// Takes note of a stream that was read when the log was at least at `head`, and answers it as it is now; `None`:
    /// that is not known, and it must be read again.
    pub fn learn(&self, generation: u64, head: u64, name: StreamName, loaded: Loaded) -> Option<Loaded> {
        let mut state = self.state();
        if state.generation != generation {
            return None;
        }
        if let Some(known) = state.streams.get(&name) {
            return Some(known);
        }
        // It may have been known, moved on and been let go after it was read.
        if state.let_go > head {
            return None;
        }
        state.keep(name, loaded.clone(), &self.place);
        Some(loaded)
    }

    /// Admits what a command has decided, if the streams that it looked at are still as it found them, and hands it to
    /// the appender. The records are those of the unit's events; none: the appender only confirms that what was looked
    /// at is so.
    pub fn admit(
        &self,
        unit: &Unit,
        after: Vec<After>,
        mut append: Append,
        queue: &mpsc::Sender<Append>,
    ) -> Result<(), NotAdmitted> {
        let mut state = self.state();
        if state.generation != append.generation {
            return Err(NotAdmitted::Moved(None));
        }
        let moved = unit.read.iter().find(|(stream, loaded)| state.streams.version(stream) != Some(loaded.version));
        if let Some((stream, _)) = moved {
            return Err(NotAdmitted::Moved(Some(stream.clone())));
        }
        // The state that it decided on was made at a time before that of the last event: times never fall.
        if !append.records.is_empty() && unit.now() < state.recorded_at {
            return Err(NotAdmitted::Moved(None));
        }
        let place = queue.try_reserve().map_err(|error| match error {
            mpsc::error::TrySendError::Full(()) => NotAdmitted::Full,
            mpsc::error::TrySendError::Closed(()) => NotAdmitted::Closed,
        })?;
        append.first_position = state.position + 1;
        if !append.records.is_empty() {
            state.recorded_at = unit.now();
            state.position += append.records.len() as u64;
        }
        for After { stream, mut loaded, last } in after {
            loaded.position = append.first_position + last as u64;
            state.keep(stream, loaded, &self.place);
        }
        place.send(append);
        Ok(())
    }
}

impl State {
    fn keep(&mut self, name: StreamName, loaded: Loaded, place: &Place) {
        let let_go = self.streams.put(name, loaded, place.head());
        self.let_go = self.let_go.max(let_go);
    }
}

impl Claim {
    pub fn key(&self) -> &RequestKey {
        &self.key
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        self.tail.state().claims.remove(&self.key);
    }
}
