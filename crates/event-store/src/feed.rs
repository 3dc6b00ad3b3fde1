//! The records of one log in order, for everybody in a service who follows it: our own log from Postgres, another
//! service's from NATS. Both give the same pages to the same code.

mod pages;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use bytes::Bytes;
use contracts::toguna::log::v1::EventRecord;
use sha2::{Digest as _, Sha256};
use tokio::{sync::watch, time::Instant};

use self::pages::Pages;
use crate::{Epoch, Log, NatsError, PageLimit, StoreError, subscription::Subscription};

/// A page while a follower is at the end of its log: what came last is applied soon.
const LIVE: PageLimit = PageLimit { events: 1_000, bytes: 1024 * 1024 };
/// A page while it is far behind: fewer transactions, and statements of more rows.
const BULK: PageLimit = PageLimit { events: 5_000, bytes: 4 * 1024 * 1024 };

/// How far a log is, as far as known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Place {
    /// The epoch; `None`: nothing is known yet.
    pub epoch: Option<Epoch>,
    /// Position of the last event; 0: none.
    pub position: u64,
}

/// Why records cannot be read for now. A copy in NATS is repaired by its relay, so each of these may pass.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FeedError {
    #[error(transparent)]
    Nats(#[from] NatsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the event after position {after} is missing: {found} comes next")]
    Gap { after: u64, found: u64 },
    #[error("the record at position {position} was written in an epoch that ended before")]
    PastEpoch { position: u64 },
    #[error("messages of several epochs are in the stream")]
    MixedEpochs,
}

/// Records that follow one another without a gap.
#[derive(Debug)]
pub(crate) struct Page {
    /// The log's epoch when they were read; `None`: there is no log to be seen.
    pub epoch: Option<Epoch>,
    /// Their positions rise by one.
    pub records: Vec<EventRecord>,
    /// The stored bytes of each.
    pub bytes: Vec<Bytes>,
}

impl Page {
    /// Checks that the first record is the one asked for, that each follows the one before, and that no epoch comes
    /// back once another has begun.
    pub fn checked(
        epoch: Option<Epoch>,
        from: u64,
        events: impl Iterator<Item = (u64, Bytes, EventRecord)>,
    ) -> Result<Self, FeedError> {
        let mut page = Self { epoch, records: Vec::new(), bytes: Vec::new() };
        let mut current_epoch_began = false;
        for (expected, (position, bytes, record)) in (from..).zip(events) {
            if position != expected || record.position != expected {
                return Err(FeedError::Gap { after: expected - 1, found: position });
            }
            let is_current = epoch.is_some_and(|epoch| record.epoch == epoch.as_bytes());
            if current_epoch_began && !is_current {
                return Err(FeedError::PastEpoch { position });
            }
            current_epoch_began = is_current;
            page.records.push(record);
            page.bytes.push(bytes);
        }
        Ok(page)
    }

    /// SHA-256 of a record's bytes.
    pub fn sha256(&self, index: usize) -> [u8; 32] {
        Sha256::digest(&self.bytes[index]).into()
    }

    fn first_and_last(&self) -> Option<(u64, u64)> {
        Some((self.records.first()?.position, self.records.last()?.position))
    }
}

/// Where a log is read from.
pub(crate) enum Source {
    Own(Log),
    Other(Arc<Subscription>),
}

impl Source {
    /// How far the log is, as far as known.
    fn place(&self) -> Place {
        match self {
            Self::Own(log) => Place { epoch: Some(log.epoch()), position: log.head() },
            Self::Other(subscription) => *subscription.watch_place().borrow(),
        }
    }

    async fn read(&self, from: u64) -> Result<Page, FeedError> {
        match self {
            Self::Own(log) => {
                let epoch = log.epoch();
                let behind = log.head().saturating_sub(from);
                let limit = if behind > LIVE.events as u64 { BULK } else { LIVE };
                let events = log.page(from, limit).await?;
                let decoded =
                    events.into_iter().map(|event| event.decode().map(|record| (event.position, event.record, record)));
                let decoded: Vec<_> = decoded.collect::<Result<_, _>>()?;
                Page::checked(Some(epoch), from, decoded.into_iter())
            }
            Self::Other(subscription) => subscription.page(from).await,
        }
    }
}

/// A log, and the pages of it that somebody still needs. Whoever follows it asks a [`Reader`].
pub(crate) struct Feed {
    source: Arc<Source>,
    pages: Pages,
    readers: AtomicU64,
    /// How many callers wait until the followers of this log are further.
    awaited: watch::Sender<usize>,
}

/// Somebody waits; followers of the log do not rest meanwhile.
pub(crate) struct Awaited<'a>(&'a Feed);

impl Drop for Awaited<'_> {
    fn drop(&mut self) {
        self.0.awaited.send_modify(|waiting| *waiting -= 1);
    }
}

impl Feed {
    pub fn new(source: Source) -> Arc<Self> {
        Arc::new(Self {
            source: Arc::new(source),
            pages: Pages::default(),
            readers: AtomicU64::new(0),
            awaited: watch::Sender::new(0),
        })
    }

    /// Says that somebody waits, until the answer is dropped.
    pub fn awaited(&self) -> Awaited<'_> {
        self.awaited.send_modify(|waiting| *waiting += 1);
        Awaited(self)
    }

    /// Whether a follower at this position has more before it than one page of what came last.
    pub fn is_far_ahead_of(&self, position: u64) -> bool {
        self.place().position.saturating_sub(position) > LIVE.events as u64
    }

    /// Rests until then, or until somebody waits.
    pub async fn rest(&self, until: Instant) {
        let mut awaited = self.awaited.subscribe();
        let _ = tokio::time::timeout_at(until, awaited.wait_for(|waiting| *waiting > 0)).await;
    }

    /// How far the log is, as far as known.
    pub fn place(&self) -> Place {
        self.source.place()
    }

    /// Somebody who reads the log from now on.
    pub fn reader(self: &Arc<Self>) -> Reader {
        Reader { feed: self.clone(), id: self.readers.fetch_add(1, Ordering::Relaxed) }
    }

    /// Waits until the log is longer than a position or in another epoch, for a while at most: whoever waits looks
    /// again even where nothing was heard.
    pub async fn wait(&self, epoch: Option<Epoch>, position: u64) {
        let heard = async {
            match &*self.source {
                Source::Own(log) => {
                    wait_for(log.watch_head(), |head| *head > position || Some(log.epoch()) != epoch).await;
                }
                Source::Other(subscription) => {
                    let news =
                        |place: &Place| place.position > position || place.epoch.is_some() && place.epoch != epoch;
                    wait_for(subscription.watch_place(), news).await;
                }
            }
        };
        let _ = tokio::time::timeout(Duration::from_secs(2), heard).await;
    }
}

/// One who reads a log. What it has passed is not kept for it.
pub(crate) struct Reader {
    feed: Arc<Feed>,
    id: u64,
}

impl Reader {
    /// The record at a position, so that the caller can see that it is still the one it knows, and what follows it.
    /// Position 0 is before the first. A page of at most one record holds no news. While the caller works on a page,
    /// the next one is read.
    pub async fn from(&self, position: u64) -> Result<Arc<Page>, Arc<FeedError>> {
        let place = self.feed.place();
        let from = position.max(1);
        let page = self.feed.pages.get(self.id, from, position + 1, place.epoch, &self.feed.source).await?;
        if let Some((_, last)) = page.first_and_last().filter(|(_, last)| *last < place.position) {
            self.feed.pages.prefetch(last, &self.feed.source);
        }
        Ok(page)
    }

    /// It reads no more for now.
    pub fn leave(&self) {
        self.feed.pages.leave(self.id);
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.leave();
    }
}

async fn wait_for<T>(mut watched: watch::Receiver<T>, news: impl FnMut(&T) -> bool) {
    if watched.wait_for(news).await.is_err() {
        // Nobody will say anything any more: the caller's time limit ends the wait.
        std::future::pending::<()>().await;
    }
}

#[cfg(test)]
mod tests {
    use uuid::Uuid;

    use super::*;

    fn page(from: u64, events: &[(u64, u128)]) -> Result<Page, FeedError> {
        let event = |(position, epoch): &(u64, u128)| {
            let epoch = Uuid::from_u128(*epoch).as_bytes().to_vec();
            (*position, Bytes::new(), EventRecord { position: *position, epoch, ..EventRecord::default() })
        };
        Page::checked(Some(Uuid::from_u128(2).into()), from, events.iter().map(event))
    }

    #[test]
    fn a_page_begins_where_it_was_asked_for_and_has_no_gap() {
        assert_eq!(page(3, &[(3, 2), (4, 2)]).expect("a page").records.len(), 2);
        assert!(matches!(page(3, &[(4, 2)]), Err(FeedError::Gap { after: 2, found: 4 })));
        assert!(matches!(page(3, &[(3, 2), (5, 2)]), Err(FeedError::Gap { after: 3, found: 5 })));
    }

    #[test]
    fn records_of_earlier_epochs_come_before_those_of_the_log_and_never_after() {
        assert!(page(1, &[(1, 1), (2, 1), (3, 2)]).is_ok());
        assert!(matches!(page(1, &[(1, 1), (2, 2), (3, 1)]), Err(FeedError::PastEpoch { position: 3 })));
    }
}
