//! Many histories at once: one read of the log for all of them.

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::StreamName;

use crate::{
    Log, StoreError, Stored, StoredEvent,
    unit::{Loaded, Missing},
};

/// Streams of one read: their histories are in memory together.
const AT_ONCE: usize = 500;

impl Log {
    /// The histories of these streams, in their order, each continued where it was kept.
    pub(crate) async fn load_all<A: Stored>(&self, streams: &[&StreamName]) -> Result<Vec<Loaded>, StoreError> {
        let mut all = Vec::with_capacity(streams.len());
        for streams in streams.chunks(AT_ONCE) {
            all.extend(self.load_at_once::<A>(streams).await?);
        }
        Ok(all)
    }

    async fn load_at_once<A: Stored>(&self, streams: &[&StreamName]) -> Result<Vec<Loaded>, StoreError> {
        let kept: Vec<Option<Loaded>> =
            self.kept(|histories| streams.iter().map(|stream| histories.get(stream)).collect());
        // As for one stream, the last event that is known is read again.
        let after: Vec<i64> = (kept.iter())
            .map(|kept| kept.as_ref().map_or(0, |kept| kept.version.saturating_sub(1)).cast_signed())
            .collect();
        let names: Vec<&str> = streams.iter().map(|stream| stream.as_str()).collect();
        let rows: Vec<(i64, i64, Vec<u8>)> = sqlx::query_as(
            "SELECT place, tail.position, record
             FROM unnest($1::text[], $2::bigint[]) WITH ORDINALITY AS wanted (name, after, place)
             CROSS JOIN LATERAL (
                 SELECT position, record FROM events WHERE stream = name AND version > after ORDER BY version
             ) AS tail ORDER BY place, tail.position",
        )
        .bind(&names)
        .bind(&after)
        .fetch_all(self.reader())
        .await?;
        let mut tails: Vec<Vec<EventRecord>> = streams.iter().map(|_| Vec::new()).collect();
        for (place, position, record) in rows {
            let event = StoredEvent { position: position.cast_unsigned(), record: record.into() };
            let place = usize::try_from(place - 1).unwrap_or(usize::MAX);
            tails.get_mut(place).expect("a stream that was asked for").push(event.decode()?);
        }
        let mut all = Vec::with_capacity(streams.len());
        for ((stream, kept), tail) in streams.iter().zip(kept).zip(tails) {
            let missing = Missing::of::<A>((*stream).clone());
            let known = kept.as_ref().map_or(0, |kept| kept.version);
            let loaded = match kept {
                // It was of a history that the log lost.
                Some(kept) if !kept.is_continued_by(&tail) => self.load(&missing).await?,
                Some(kept) if tail.len() <= usize::from(known > 0) => kept,
                kept => missing.load(kept.as_ref(), &tail[usize::from(known > 0)..])?,
            };
            self.kept(|histories| histories.put((*stream).clone(), loaded.clone(), u64::MAX));
            all.push(loaded);
        }
        Ok(all)
    }
}
