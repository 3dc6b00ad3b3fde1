//! The log read on and on by one reader, the next page while the present one is used.

use std::sync::Arc;

use event_sourcing::StreamName;
use tokio::{sync::Semaphore, task::JoinHandle};

use super::{
    copy::{self, Rows},
    filter::EventFilter,
};
use crate::{DecodeError, Log, StoreError, StoredEvent};

/// Records of one page, in bytes: large enough that asking for it is a small part of reading it.
const PAGE_BYTES: usize = 512 * 1024;
/// Positions of the first page, before the size of records is known, and of any page.
const FIRST_POSITIONS: usize = 64;
const MAX_POSITIONS: usize = 4096;
/// Rows of a page of one stream.
const STREAM_ROWS: usize = 64;

/// What matches of a part of the log.
#[derive(Debug)]
pub struct Page {
    /// The events that match, in order.
    pub events: Vec<StoredEvent>,
    /// Everything up to this position was looked at.
    pub examined: u64,
    /// There was nothing beyond it.
    pub at_end: bool,
}

/// One reader's way through the log. It holds two pages at most: one that it was given and the next one, which is read
/// meanwhile, each in a transaction of its own.
pub struct Pages {
    log: Log,
    filter: Arc<EventFilter>,
    reads: Arc<Semaphore>,
    place: Place,
    last: u64,
    ahead: Option<JoinHandle<Result<(Page, Place), StoreError>>>,
}

/// From where the next page is read, and how much.
#[derive(Clone, Copy)]
struct Place {
    /// First position that was not looked at.
    next: u64,
    /// How many positions hold about a page.
    positions: usize,
    /// Where one stream is read: its last version before `next`.
    version: u64,
}

impl Log {
    /// Reads the log from a position on. `reads` bounds how many readers ask Postgres at a time, so that they never
    /// keep commands from a connection.
    pub async fn pages(&self, from: u64, filter: EventFilter, reads: Arc<Semaphore>) -> Result<Pages, StoreError> {
        let mut place = Place { next: from.max(1), positions: FIRST_POSITIONS, version: 0 };
        let mut last = if filter.takes_all() { place.next - 1 } else { 0 };
        if let Some(stream) = &filter.stream
            && let Some((position, version)) = self.last_of_stream(stream, place.next).await?
        {
            place.version = version;
            if filter.takes_whole_stream() {
                last = position;
            }
        }
        Ok(Pages { log: self.clone(), filter: Arc::new(filter), reads, place, last, ahead: None })
    }

    /// Position and version of a stream's last event before a position.
    async fn last_of_stream(&self, name: &StreamName, before: u64) -> Result<Option<(u64, u64)>, StoreError> {
        let row = sqlx::query!(
            "SELECT position, version FROM events WHERE stream = $1 AND position < $2 ORDER BY version DESC LIMIT 1",
            name.as_str(),
            i64::try_from(before).unwrap_or(i64::MAX),
        )
        .fetch_optional(self.reader())
        .await?;
        Ok(row.map(|row| (row.position.cast_unsigned(), row.version.cast_unsigned())))
    }
}

impl Pages {
    /// Position of the last matching event before the first page; 0: there is none, or none is known, because finding it
    /// would take reading the log backwards.
    pub fn last_before(&self) -> u64 {
        self.last
    }

    /// First position that was not looked at.
    pub fn position(&self) -> u64 {
        self.place.next
    }

    /// The next page; one without events and `at_end` where there is nothing new. A caller who waits no longer loses
    /// nothing: the page is there at the next call.
    pub async fn next(&mut self) -> Result<Page, StoreError> {
        if self.ahead.is_none() {
            self.ahead = Some(self.read());
        }
        let reading = self.ahead.as_mut().expect("it was just begun");
        let read = reading.await;
        self.ahead = None;
        let (page, place) = read.map_err(|_| StoreError::Closed)??;
        self.place = place;
        if !page.at_end {
            self.ahead = Some(self.read());
        }
        Ok(page)
    }

    /// Begins to read the next page, in a task of its own: it is read while the caller does something else.
    fn read(&self) -> JoinHandle<Result<(Page, Place), StoreError>> {
        let (log, filter, reads, place) = (self.log.clone(), self.filter.clone(), self.reads.clone(), self.place);
        tokio::spawn(async move {
            let _turn = reads.acquire_owned().await.map_err(|_| StoreError::Closed)?;
            match &filter.stream {
                Some(stream) => of_stream(&log, stream, &filter, place).await,
                None => of_log(&log, &filter, place).await,
            }
        })
    }
}

async fn of_log(log: &Log, filter: &EventFilter, place: Place) -> Result<(Page, Place), StoreError> {
    let Rows { events, cut } = copy::rows(log.reader(), place.next, place.positions, PAGE_BYTES).await?;
    let (mut bytes, mut next) = (0, place.next);
    for event in &events {
        if event.position != next {
            return Err(StoreError::Record { position: next, source: DecodeError::Missing("the event") });
        }
        bytes += event.record.len();
        next += 1;
    }
    let at_end = events.len() < place.positions && !cut;
    let average = (bytes / events.len().max(1)).max(1);
    let positions = (PAGE_BYTES / average).clamp(FIRST_POSITIONS, MAX_POSITIONS);
    let events = matching(events, filter)?;
    Ok((Page { events, examined: next - 1, at_end }, Place { next, positions, ..place }))
}

/// By the index of streams: what a stream holds is found without reading the log.
async fn of_stream(
    log: &Log,
    stream: &StreamName,
    filter: &EventFilter,
    place: Place,
) -> Result<(Page, Place), StoreError> {
    // Asked for first: whatever of the stream is up to there is among the rows.
    let head = log.head();
    let rows = sqlx::query!(
        "SELECT position, version, record FROM events WHERE stream = $1 AND version > $2 ORDER BY version LIMIT $3",
        stream.as_str(),
        place.version.cast_signed(),
        i64::try_from(STREAM_ROWS).unwrap_or(i64::MAX),
    )
    .fetch_all(log.reader())
    .await?;
    let at_end = rows.len() < STREAM_ROWS;
    let (mut next, mut version) = (place.next, place.version);
    let mut events = Vec::with_capacity(rows.len());
    for row in rows {
        (next, version) = (row.position.cast_unsigned() + 1, row.version.cast_unsigned());
        events.push(StoredEvent { position: row.position.cast_unsigned(), record: row.record.into() });
    }
    if at_end {
        next = next.max(head + 1);
    }
    let events = matching(events, filter)?;
    Ok((Page { events, examined: next - 1, at_end }, Place { next, version, ..place }))
}

fn matching(mut events: Vec<StoredEvent>, filter: &EventFilter) -> Result<Vec<StoredEvent>, StoreError> {
    if filter.takes_all() {
        return Ok(events);
    }
    let mut problem = None;
    events.retain(|event| {
        filter.matches(&event.record).unwrap_or_else(|source| {
            problem.get_or_insert(StoreError::Record { position: event.position, source });
            false
        })
    });
    problem.map_or(Ok(events), Err)
}
