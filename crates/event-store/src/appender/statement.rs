//! The one statement of an append, and what it needs: where the log was, where it will be, and the rows between.

use sqlx::PgConnection;
use transparency::{CompactRange, Hash};
use uuid::Uuid;

use super::Append;
use crate::{Epoch, record::seal, tail::RequestKey, tree::HeadRow};

/// A head that a later one of the same epoch cannot contradict.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    pub epoch: Epoch,
    pub position: u64,
    pub root: Hash,
}

/// The head as last read or written, and what was admitted since.
#[derive(Debug, Clone)]
pub(super) struct Session {
    pub generation: u64,
    pub epoch: Epoch,
    pub position: u64,
    pub root: Hash,
    pub range: CompactRange,
}

impl Session {
    /// What a head that is read later must agree with.
    pub fn known(&self) -> Known {
        Known { epoch: self.epoch, position: self.position, root: self.root }
    }
}

/// The rows of one commit, column by column, as `unnest` takes them.
#[derive(Default)]
pub(super) struct Rows {
    pub positions: Vec<i64>,
    pub streams: Vec<String>,
    pub versions: Vec<i64>,
    pub times: Vec<i64>,
    pub records: Vec<Vec<u8>>,
    pub organisations: Vec<String>,
    pub request_ids: Vec<Uuid>,
    pub content_hashes: Vec<Vec<u8>>,
    pub first_positions: Vec<i64>,
    pub events: Vec<i32>,
}

impl Rows {
    /// Seals the events of an append, each as the next leaf of the tree.
    pub fn add(&mut self, append: &mut Append, epoch: Epoch, range: &mut CompactRange) {
        for (position, mut record) in (append.first_position..).zip(std::mem::take(&mut append.records)) {
            self.positions.push(position.cast_signed());
            self.streams.push(record.stream.clone());
            self.versions.push(record.version.cast_signed());
            self.times.push(append.recorded_at.as_microsecond());
            let record = seal(&mut record, position, epoch);
            range.push_entry(&record);
            self.records.push(record);
        }
        let (organisation, request_id): &RequestKey = append.claim.key();
        let after = self.positions.last().map_or(append.first_position, |last| last.cast_unsigned() + 1);
        self.organisations.push(organisation.clone());
        self.request_ids.push(*request_id);
        self.content_hashes.push(append.content_hash.to_vec());
        self.first_positions.push(append.first_position.cast_signed());
        self.events.push(i32::try_from(after - append.first_position).unwrap_or(i32::MAX));
    }
}

/// Whether the head is where it was.
pub(super) async fn is_current(connection: &mut PgConnection, session: &Session) -> Result<bool, sqlx::Error> {
    Ok(HeadRow::read(connection).await?.is(session.epoch, session.position, &session.root))
}

/// Writes all rows and moves the head, in one round trip and one commit; `false`: the head is elsewhere, and nothing
/// was written.
pub(super) async fn commit(
    connection: &mut PgConnection,
    session: &Session,
    next: &Session,
    rows: &Rows,
) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query_scalar!(
        r#"WITH moved AS (
               UPDATE head SET position = $1, recorded_at_us = $2, root = $15, compact_range = $16
               WHERE epoch = $3 AND position = $4 AND root = $17 AND compact_range = $18
               RETURNING position
           ), written AS (
               INSERT INTO events (position, stream, version, recorded_at_us, record)
               SELECT position, stream, version, recorded_at_us, record
               FROM unnest($5::bigint[], $6::text[], $7::bigint[], $8::bigint[], $9::bytea[])
                    AS row (position, stream, version, recorded_at_us, record)
               WHERE EXISTS (SELECT FROM moved)
           ), asked AS (
               INSERT INTO requests (organisation, request_id, content_hash, first_position, events)
               SELECT * FROM unnest($10::text[], $11::uuid[], $12::bytea[], $13::bigint[], $14::integer[])
               WHERE EXISTS (SELECT FROM moved)
           )
           SELECT count(*) AS "count!" FROM moved"#,
        next.position.cast_signed(),
        rows.times.last(),
        session.epoch.uuid(),
        session.position.cast_signed(),
        &rows.positions,
        &rows.streams,
        &rows.versions,
        &rows.times,
        &rows.records,
        &rows.organisations,
        &rows.request_ids,
        &rows.content_hashes,
        &rows.first_positions,
        &rows.events,
        next.root.as_bytes(),
        next.range.to_bytes(),
        session.root.as_bytes(),
        session.range.to_bytes(),
    )
    .fetch_one(connection)
    .await?;
    Ok(moved == 1)
}
