//! The pages of a log that are being read or were read, until nobody needs them any more.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use futures::{
    FutureExt as _, TryFutureExt as _,
    future::{BoxFuture, Shared},
};

use super::{FeedError, Page, Source};
use crate::Epoch;

/// Bytes of records that are kept for readers who are apart; whoever is further behind reads for itself.
const KEPT_BYTES: usize = 32 * 1024 * 1024;
/// Pages that are kept: those of a log at its end are small.
const KEPT_PAGES: usize = 16;

type Reading = Shared<BoxFuture<'static, Result<Arc<Page>, Arc<FeedError>>>>;

#[derive(Default)]
pub(super) struct Pages {
    kept: Mutex<Kept>,
}

#[derive(Default)]
struct Kept {
    slots: VecDeque<Slot>,
    /// Where each reader is.
    readers: BTreeMap<u64, u64>,
}

/// A page, or the reading of it.
struct Slot {
    from: u64,
    reading: Reading,
}

impl Slot {
    fn page(&self) -> Option<&Arc<Page>> {
        self.reading.peek().and_then(|read| read.as_ref().ok())
    }

    /// Whether it holds the record at `from` and news for whoever wants `next`; a page that is still being read may.
    fn serves(&self, from: u64, next: u64) -> bool {
        match self.reading.peek() {
            None => self.from == from,
            Some(Ok(page)) => {
                page.first_and_last().is_some_and(|(first, last)| first <= from && from.max(next) <= last)
            }
            Some(Err(_)) => false,
        }
    }
}

impl Pages {
    /// The page that holds the record at `from` and what follows it, with `next` where there is one.
    pub async fn get(
        &self,
        reader: u64,
        from: u64,
        next: u64,
        epoch: Option<Epoch>,
        source: &Arc<Source>,
    ) -> Result<Arc<Page>, Arc<FeedError>> {
        let reading = {
            let mut kept = self.lock();
            kept.readers.insert(reader, from);
            kept.let_go(epoch);
            match kept.slots.iter().find(|slot| slot.serves(from, next)) {
                Some(slot) => slot.reading.clone(),
                None => kept.read(from, source),
            }
        };
        reading.await
    }

    /// Begins to read the page from a position on, unless somebody did.
    pub fn prefetch(&self, from: u64, source: &Arc<Source>) {
        let mut kept = self.lock();
        if !kept.slots.iter().any(|slot| slot.serves(from, from + 1)) {
            drop(kept.read(from, source));
        }
    }

    /// A reader needs nothing any more.
    pub fn leave(&self, reader: u64) {
        self.lock().readers.remove(&reader);
    }

    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Kept {
    fn read(&mut self, from: u64, source: &Arc<Source>) -> Reading {
        let source = source.clone();
        let reading = async move { source.read(from).await.map(Arc::new) }.map_err(Arc::new).boxed().shared();
        // It goes on whether somebody waits for it or not.
        tokio::spawn(reading.clone());
        self.slots.push_back(Slot { from, reading: reading.clone() });
        reading
    }

    /// Lets go what failed, is of another epoch, holds no news, or lies behind every reader; then the oldest, while
    /// more is kept than may be.
    fn let_go(&mut self, epoch: Option<Epoch>) {
        let slowest = self.readers.values().min().copied().unwrap_or(u64::MAX);
        self.slots.retain(|slot| match slot.reading.peek() {
            None => true,
            Some(Err(_)) => false,
            Some(Ok(page)) => {
                page.epoch == epoch
                    && page.records.len() > 1
                    && page.first_and_last().is_some_and(|(_, last)| last > slowest)
            }
        });
        let size = |slot: &Slot| slot.page().map_or(0, |page| page.bytes.iter().map(bytes::Bytes::len).sum());
        let mut bytes: usize = self.slots.iter().map(size).sum();
        while self.slots.len() > KEPT_PAGES || bytes > KEPT_BYTES {
            let Some(oldest) = self.slots.pop_front() else { break };
            bytes -= size(&oldest);
        }
    }
}
