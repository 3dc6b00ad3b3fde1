//! Reading the log. Each call is one short transaction: nothing here waits for a caller.

use std::sync::{Arc, PoisonError};

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::{History, StreamName, Timestamp};
use prost::Message as _;

use crate::{
    DecodeError, Log, StoreError, Stored, StoredEvent,
    log::Histories,
    unit::{Loaded, Missing},
};

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

impl Log {
    /// The events from a position on, in order of position; empty at the end of the log.
    pub async fn page(&self, from: u64, limit: PageLimit) -> Result<Vec<StoredEvent>, StoreError> {
        let rows = sqlx::query!(
            r#"SELECT position AS "position!", record AS "record!" FROM (
                   SELECT position, record, sum(octet_length(record)) OVER (ORDER BY position) - octet_length(record) AS before
                   FROM (SELECT position, record FROM events WHERE position >= $1 ORDER BY position LIMIT $2) AS rows
               ) AS page
               WHERE before < $3 ORDER BY position"#,
            from.cast_signed(),
            i64::try_from(limit.events).unwrap_or(i64::MAX),
            i64::try_from(limit.bytes).unwrap_or(i64::MAX),
        )
        .fetch_all(self.reader())
        .await?;
        let stored =
            |position: i64, record: Vec<u8>| StoredEvent { position: position.cast_unsigned(), record: record.into() };
        Ok(rows.into_iter().map(|row| stored(row.position, row.record)).collect())
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

    /// The first position recorded at that time or later; one after the head where there is none.
    pub async fn position_since(&self, time: Timestamp) -> Result<u64, StoreError> {
        let position = sqlx::query_scalar!(
            "SELECT position FROM events WHERE recorded_at_us >= $1 ORDER BY position LIMIT 1",
            time.as_microsecond(),
        )
        .fetch_optional(self.reader())
        .await?;
        Ok(position.map_or_else(|| self.head() + 1, i64::cast_unsigned))
    }

    /// When the event of a position was recorded.
    pub async fn recorded_at(&self, position: u64) -> Result<Option<Timestamp>, StoreError> {
        let time = sqlx::query_scalar!("SELECT recorded_at_us FROM events WHERE position = $1", position.cast_signed())
            .fetch_optional(self.reader())
            .await?;
        Ok(time.and_then(|time| Timestamp::from_microsecond(time).ok()))
    }

    /// A stream's whole history; empty where nothing was recorded.
    pub async fn history<A: Stored>(&self, name: &StreamName) -> Result<Arc<History<A>>, StoreError> {
        let loaded = self.load(&Missing::of::<A>(name.clone())).await?;
        Ok(loaded.history.downcast().expect("the history was loaded as this aggregate's"))
    }

    /// Continues the history that was kept, or reads it from its start.
    pub(crate) async fn load(&self, missing: &Missing) -> Result<Loaded, StoreError> {
        let epoch = self.epoch();
        let kept = self.kept(|histories| {
            if histories.epoch != epoch {
                histories.by_stream.clear();
                histories.epoch = epoch;
            }
            histories.by_stream.get(&missing.stream).cloned()
        });
        let after = kept.as_ref().map_or(0, |kept| kept.version);
        let tail = self.stream(&missing.stream, after).await?;
        if let (Some(kept), []) = (&kept, tail.as_slice()) {
            return Ok(kept.clone());
        }
        let records = tail.iter().map(StoredEvent::decode).collect::<Result<Vec<_>, _>>()?;
        let loaded = (missing.load)(kept.as_ref().map(|kept| &*kept.history as _), &records).map_err(|source| {
            let position = records.first().map_or(0, |record| record.position);
            StoreError::Record { position, source }
        })?;
        self.kept(|histories| {
            if histories.epoch == epoch {
                histories.by_stream.put(missing.stream.clone(), loaded.clone());
            }
        });
        Ok(loaded)
    }

    fn kept<T>(&self, read: impl FnOnce(&mut Histories) -> T) -> T {
        read(&mut self.shared.histories.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Reads stored bytes as a record.
pub fn decode(record: &[u8]) -> Result<EventRecord, DecodeError> {
    Ok(EventRecord::decode(record)?)
}
