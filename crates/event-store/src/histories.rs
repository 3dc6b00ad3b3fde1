//! The histories that were read, kept to be continued instead of read again.

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::StreamName;
use lru::LruCache;

use crate::unit::Loaded;

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

    /// Keeps a history, even one that is longer than all may be together: then it alone.
    pub fn put(&mut self, stream: StreamName, loaded: Loaded) {
        self.events += loaded.version;
        if let Some(replaced) = self.by_stream.put(stream, loaded) {
            self.events -= replaced.version;
        }
        while (self.events > KEPT_EVENTS || self.by_stream.len() > KEPT_HISTORIES) && self.by_stream.len() > 1 {
            let Some((_, forgotten)) = self.by_stream.pop_lru() else { break };
            self.events -= forgotten.version;
        }
    }
}

impl Loaded {
    /// Whether records that begin with the last one known are of the same history.
    pub fn is_continued_by(&self, tail: &[EventRecord]) -> bool {
        self.version == 0 || tail.first().is_some_and(|last| last.event_id == self.event_id)
    }
}
