//! Histories that were read, kept to be continued instead of read again.

mod many;

use std::sync::{Arc, PoisonError};

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::{History, StreamName};
use lru::LruCache;

use crate::{
    Log, StoreError, Stored, StoredEvent,
    unit::{Loaded, Missing},
};

/// How many events all kept histories hold together; beyond, those that were not asked for longest are let go.
const KEPT_EVENTS: u64 = 200_000;
/// How many histories are kept, so that streams without events count too.
const KEPT_HISTORIES: usize = 20_000;

pub(crate) struct Histories {
    by_stream: LruCache<StreamName, Loaded>,
    events: u64,
}

impl Histories {
    pub fn new() -> Self {
        Self { by_stream: LruCache::unbounded(), events: 0 }
    }

    pub fn get(&mut self, stream: &StreamName) -> Option<Loaded> {
        self.by_stream.get(stream).cloned()
    }

    /// The version of a history, if it is kept.
    pub fn version(&self, stream: &StreamName) -> Option<u64> {
        self.by_stream.peek(stream).map(|loaded| loaded.version)
    }

    /// Keeps a history, even one that is longer than all may be together: then it alone. Those with an event after
    /// `settled` are not let go. Answers the highest last position among those that were.
    pub fn put(&mut self, stream: StreamName, loaded: Loaded, settled: u64) -> u64 {
        self.events += loaded.version;
        if let Some(replaced) = self.by_stream.put(stream, loaded) {
            self.events -= replaced.version;
        }
        let mut let_go = 0;
        while (self.events > KEPT_EVENTS || self.by_stream.len() > KEPT_HISTORIES) && self.by_stream.len() > 1 {
            let oldest = self.by_stream.peek_lru().map(|(_, loaded)| loaded.position);
            if oldest.is_none_or(|position| position > settled) {
                break;
            }
            let Some((_, forgotten)) = self.by_stream.pop_lru() else { break };
            self.events -= forgotten.version;
            let_go = let_go.max(forgotten.position);
        }
        let_go
    }

    pub fn clear(&mut self) {
        self.by_stream.clear();
        self.events = 0;
    }
}

impl Loaded {
    /// Whether records that begin with the last one known are of the same history.
    fn is_continued_by(&self, tail: &[EventRecord]) -> bool {
        self.version == 0 || tail.first().is_some_and(|last| last.event_id == self.event_id)
    }
}

impl Log {
    /// A stream's whole history; empty where nothing was recorded.
    pub async fn history<A: Stored>(&self, name: &StreamName) -> Result<Arc<History<A>>, StoreError> {
        let loaded = self.load(&Missing::of::<A>(name.clone())).await?;
        Ok(loaded.history.downcast().expect("the history was loaded as this aggregate's"))
    }

    /// The histories of these streams, in their order.
    pub async fn histories<A: Stored>(&self, names: &[&StreamName]) -> Result<Vec<Arc<History<A>>>, StoreError> {
        let loaded = self.load_all::<A>(names).await?;
        let histories = loaded.into_iter().map(|loaded| loaded.history.downcast());
        Ok(histories.map(|history| history.expect("it was loaded as this aggregate's")).collect())
    }

    /// Continues the history that was kept, or reads it from its start.
    async fn load(&self, missing: &Missing) -> Result<Loaded, StoreError> {
        let kept = self.kept(|histories| histories.get(&missing.stream));
        // The last event that is known is read again: where the log has another one or none, it was restored to an
        // earlier state, and what was kept is of a history that it lost.
        let known = kept.as_ref().map_or(0, |kept| kept.version);
        let mut tail = self.records(&missing.stream, known.saturating_sub(1)).await?;
        let kept = match kept {
            Some(kept) if kept.is_continued_by(&tail) => Some(kept),
            Some(_) => {
                tail = self.records(&missing.stream, 0).await?;
                None
            }
            None => None,
        };
        let new = &tail[usize::from(kept.as_ref().is_some_and(|kept| kept.version > 0))..];
        if let (Some(kept), []) = (&kept, new) {
            return Ok(kept.clone());
        }
        let loaded = missing.load(kept.as_ref(), new)?;
        self.kept(|histories| histories.put(missing.stream.clone(), loaded.clone(), u64::MAX));
        Ok(loaded)
    }

    async fn records(&self, name: &StreamName, after_version: u64) -> Result<Vec<EventRecord>, StoreError> {
        self.stream(name, after_version).await?.iter().map(StoredEvent::decode).collect()
    }

    fn kept<T>(&self, read: impl FnOnce(&mut Histories) -> T) -> T {
        read(&mut self.shared.histories.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
