//! Reading the log. Each call is one short transaction: nothing here waits for a caller.

mod copy;
mod filter;
mod pages;

use event_sourcing::{StreamName, Timestamp};

use self::copy::Rows;
pub use self::{
    filter::EventFilter,
    pages::{Page, Pages},
};
use crate::{Log, StoreError, StoredEvent};

/// How much one page holds at most; one event at least, whatever its size.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageLimit {
    /// Events.
    pub events: usize,
    /// Bytes of records.
    pub bytes: usize,
}

impl Default for PageLimit {
    fn default() -> Self {
        Self { events: 1_000, bytes: 256 * 1024 }
    }
}

/// A size that most records do not exceed.
const COMMON_RECORD_BYTES: usize = 1024;

impl Log {
    /// The events from a position on, in order of position; empty at the end of the log.
    pub async fn page(&self, from: u64, limit: PageLimit) -> Result<Vec<StoredEvent>, StoreError> {
        // So many at once that records of a common size fit; then, where there is room, as many as still fit of theirs.
        let first = limit.events.min(limit.bytes / COMMON_RECORD_BYTES).max(1);
        let Rows { mut events, cut } = copy::rows(self.reader(), from, first, limit.bytes).await?;
        let held: usize = events.iter().map(|event| event.record.len()).sum();
        let room = limit.bytes.saturating_sub(held);
        let more = (room / (held / events.len().max(1)).max(1)).min(limit.events.saturating_sub(first));
        if let Some(last) = events.last().filter(|_| !cut && events.len() == first && more > 0) {
            let rest = copy::rows(self.reader(), last.position + 1, more, room).await?;
            // The first one comes whatever its size.
            let fits = |event: &StoredEvent| event.record.len() <= room;
            events.extend(rest.events.into_iter().take_while(fits));
        }
        Ok(events)
    }

    /// The events of one stream after a version, in order.
    pub async fn stream(&self, name: &StreamName, after_version: u64) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = sqlx::query!(
            "SELECT position, record FROM events WHERE stream = $1 AND version > $2 ORDER BY version",
            name.as_str(),
            after_version.cast_signed(),
        )
        .fetch_all(self.reader())
        .await?;
        let stored =
            |position: i64, record: Vec<u8>| StoredEvent { position: position.cast_unsigned(), record: record.into() };
        Ok(rows.into_iter().map(|row| stored(row.position, row.record)).collect())
    }

    /// At which version a stream stood when the event of this version of another stream was written: what was known then.
    /// By position, which tells events of one commit, of the same time, apart. 0 too where there is no such event.
    pub async fn version_when(&self, stream: &StreamName, other: &StreamName, version: u64) -> Result<u64, StoreError> {
        let known = sqlx::query_scalar!(
            r#"SELECT coalesce(max(version), 0) AS "version!" FROM events
               WHERE stream = $1 AND position <= (SELECT position FROM events WHERE stream = $2 AND version = $3)"#,
            stream.as_str(),
            other.as_str(),
            version.cast_signed(),
        )
        .fetch_one(self.reader())
        .await?;
        Ok(known.cast_unsigned())
    }

    /// The first position recorded at that time or later; one after the head where there is none. Times never fall as
    /// positions rise, so it is found by halving, without an index.
    pub async fn position_since(&self, time: Timestamp) -> Result<u64, StoreError> {
        let (mut first, mut end) = (1, self.head() + 1);
        while first < end {
            let middle = first + (end - first) / 2;
            if self.recorded_at(middle).await?.is_some_and(|recorded_at| recorded_at < time) {
                first = middle + 1;
            } else {
                end = middle;
            }
        }
        Ok(first)
    }

    /// When the event of a position was recorded.
    pub async fn recorded_at(&self, position: u64) -> Result<Option<Timestamp>, StoreError> {
        let time = sqlx::query_scalar!("SELECT recorded_at_us FROM events WHERE position = $1", position.cast_signed())
            .fetch_optional(self.reader())
            .await?;
        Ok(time.and_then(|time| Timestamp::from_microsecond(time).ok()))
    }
}
