//! The one writer of a log. It takes what waits, checks each append against what it knows, writes all that hold in one
//! statement and one commit, and answers each caller alone.
//!
//! The statement moves the head row from the position and epoch that this appender knows. Where another appender has
//! moved it, nothing is written and this one reads the head again: a stale writer cannot write, whatever it believes.

use std::{
    collections::{HashMap, HashSet},
    num::NonZeroUsize,
    sync::Arc,
    time::Duration,
};

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::{StreamName, Timestamp};
use lru::LruCache;
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::sync::{mpsc, oneshot};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};
use uuid::Uuid;

use crate::{Epoch, StoreError, log, log::Place, record::seal};

/// Appends that may wait; more are refused, so that waiting is bounded.
pub(crate) const QUEUE_LENGTH: usize = 4_096;
/// Events of one commit at most: beyond a few thousand a larger batch brings no more speed, only latency.
const BATCH_EVENTS: usize = 2_000;
/// How many streams' versions are kept, so that most appends need no look-up.
const KEPT_VERSIONS: usize = 100_000;
/// Bytes of events of one commit, unless one append alone has more: all of them are in memory several times.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long a connection to Postgres may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long Postgres may take to answer. A connection that is silent for longer is given up; whether it still commits
/// is told by the head row.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Events to be written together, and what must hold for them.
pub(crate) struct Append {
    /// Everything but position, epoch and time.
    pub records: Vec<EventRecord>,
    /// The most that they can have once they are encoded.
    pub bytes: usize,
    /// The epoch in which the streams were read.
    pub epoch: Epoch,
    /// Every stream that the command read or writes, at the version it found.
    pub versions: Vec<(StreamName, u64)>,
    pub organisation: String,
    pub request_id: Uuid,
    pub content_hash: [u8; 32],
    pub reply: oneshot::Sender<Appended>,
}

/// What became of an append.
#[derive(Debug)]
pub(crate) enum Appended {
    /// Committed in this epoch, from this position on.
    Written { epoch: Epoch, first_position: u64 },
    /// A stream is at another version, or the log in another epoch (`None`): decide again.
    Conflict(Option<StreamName>),
    /// The request id is taken: its effect is in the log.
    Duplicate,
    /// The database failed: the log tells whether it was written.
    Unknown(sqlx::Error),
}

/// Serves the queue until `shutdown`, then what still waits in it.
pub(crate) async fn run(
    log: String,
    options: PgConnectOptions,
    mut queue: mpsc::Receiver<Append>,
    place: Arc<Place>,
    shutdown: CancellationToken,
) {
    let kept = NonZeroUsize::new(KEPT_VERSIONS).expect("more than none are kept");
    let mut appender = Appender { log, options, place, session: None, versions: LruCache::new(kept) };
    loop {
        let first = tokio::select! {
            biased;
            append = queue.recv() => append,
            () = shutdown.cancelled(), if !queue.is_closed() => {
                queue.close();
                continue;
            }
        };
        let Some(first) = first else { return };
        let (mut events, mut bytes) = (first.records.len(), first.bytes);
        let mut batch = vec![first];
        while events < BATCH_EVENTS
            && bytes < BATCH_BYTES
            && let Ok(next) = queue.try_recv()
        {
            events += next.records.len();
            bytes += next.bytes;
            batch.push(next);
        }
        appender.serve(batch).await;
    }
}

struct Appender {
    log: String,
    options: PgConnectOptions,
    place: Arc<Place>,
    session: Option<Session>,
    /// Versions of streams, as of the head; thrown away with the session.
    versions: LruCache<StreamName, u64>,
}

/// A connection, and the head as last read or written over it.
struct Session {
    connection: PgConnection,
    epoch: Epoch,
    position: u64,
    recorded_at: Timestamp,
}

/// The rows of one commit, column by column, as `unnest` takes them.
struct Rows {
    recorded_at: Timestamp,
    positions: Vec<i64>,
    streams: Vec<String>,
    versions: Vec<i64>,
    records: Vec<Vec<u8>>,
    organisations: Vec<String>,
    request_ids: Vec<Uuid>,
    content_hashes: Vec<Vec<u8>>,
    first_positions: Vec<i64>,
    events: Vec<i32>,
}

impl Rows {
    fn at(recorded_at: Timestamp) -> Self {
        Self {
            recorded_at,
            positions: Vec::new(),
            streams: Vec::new(),
            versions: Vec::new(),
            records: Vec::new(),
            organisations: Vec::new(),
            request_ids: Vec::new(),
            content_hashes: Vec::new(),
            first_positions: Vec::new(),
            events: Vec::new(),
        }
    }
}

/// The clock, in whole microseconds, never before the last event.
fn time_after(last: Timestamp) -> Timestamp {
    Timestamp::from_microsecond(Timestamp::now().as_microsecond()).map_or(last, |now| now.max(last))
}

impl Appender {
    async fn serve(&mut self, batch: Vec<Append>) {
        let mut session = match self.session().await {
            Ok(session) => session,
            Err(error) => return self.fail(batch, &error),
        };
        match in_time(self.look_up(&mut session, &batch)).await {
            Ok(taken) => {
                let overtaken = self.is_overtaken(&batch);
                let (rows, admitted) = self.admit(&session, batch, taken);
                if !admitted.is_empty() {
                    self.write(session, rows, admitted).await;
                } else if overtaken {
                    self.forget();
                } else {
                    self.session = Some(session);
                }
            }
            Err(error) => self.fail(batch, &error.into()),
        }
    }

    fn fail(&mut self, batch: Vec<Append>, error: &StoreError) {
        error!(log = self.log, error = error as &dyn std::error::Error, "the log cannot be written");
        self.forget();
        for append in batch {
            let lost = sqlx::Error::Protocol(error.to_string());
            append.reply.send(Appended::Unknown(lost)).ok();
        }
    }

    /// What is in memory may be wrong after an error or after another writer: it is read again.
    fn forget(&mut self) {
        self.session = None;
        self.versions.clear();
    }

    /// Whether somebody has read events of a stream that this appender does not know of: another one wrote them.
    fn is_overtaken(&self, batch: &[Append]) -> bool {
        let mut read = batch.iter().flat_map(|append| &append.versions);
        read.any(|(stream, version)| self.versions.peek(stream).is_some_and(|known| known < version))
    }

    async fn session(&mut self) -> Result<Session, StoreError> {
        // Where another epoch was begun beside this appender, what it knows of the head is past.
        if let Some(session) = self.session.take().filter(|session| session.epoch == self.place.epoch()) {
            return Ok(session);
        }
        self.versions.clear();
        let connecting = PgConnection::connect_with(&self.options);
        let mut connection =
            tokio::time::timeout(CONNECT_TIMEOUT, connecting).await.map_err(|_| sqlx::Error::PoolTimedOut)??;
        let head = sqlx::query!("SELECT epoch, position, recorded_at_us FROM head").fetch_one(&mut connection).await?;
        let (mut epoch, position) = (Epoch::from(head.epoch), head.position.cast_unsigned());
        let (known_epoch, known_head) = (self.place.epoch(), self.place.head());
        // Positions never fall within an epoch, and no epoch is forgotten, unless the database was restored.
        let restored = if epoch == known_epoch {
            position < known_head
        } else {
            !log::had_epoch(&mut connection, known_epoch).await?
        };
        if restored {
            warn!(log = self.log, known = known_head, position, "the log was restored to an earlier state");
            epoch = log::begin_epoch(&mut connection, epoch).await?.map_or(epoch, |(epoch, _)| epoch);
        }
        if (epoch, position) != (self.place.epoch(), self.place.head()) {
            info!(log = self.log, %epoch, position, "read the head again");
            self.place.set(epoch, position);
        }
        let recorded_at = Timestamp::from_microsecond(head.recorded_at_us).unwrap_or(Timestamp::UNIX_EPOCH);
        Ok(Session { connection, epoch, position, recorded_at })
    }

    /// Learns the versions that are not known yet, and which of the request ids are taken.
    async fn look_up(
        &mut self,
        session: &mut Session,
        batch: &[Append],
    ) -> Result<HashSet<(String, Uuid)>, sqlx::Error> {
        let streams = batch.iter().flat_map(|append| append.versions.iter().map(|(stream, _)| stream));
        // `get` also keeps those that are known from being let go for those that are not.
        let unknown: HashSet<&StreamName> = streams.filter(|stream| self.versions.get(*stream).is_none()).collect();
        if !unknown.is_empty() {
            let names: Vec<String> = unknown.iter().map(ToString::to_string).collect();
            let rows = sqlx::query!(
                r#"SELECT name AS "name!", (
                       SELECT version FROM events WHERE stream = name ORDER BY version DESC LIMIT 1
                   ) AS version
                   FROM unnest($1::text[]) AS name"#,
                &names,
            )
            .fetch_all(&mut session.connection)
            .await?;
            let known: HashMap<String, u64> =
                rows.into_iter().map(|row| (row.name, row.version.unwrap_or(0).cast_unsigned())).collect();
            for stream in unknown {
                self.versions.put(stream.clone(), known.get(stream.as_str()).copied().unwrap_or(0));
            }
        }
        let organisations: Vec<String> = batch.iter().map(|append| append.organisation.clone()).collect();
        let ids: Vec<Uuid> = batch.iter().map(|append| append.request_id).collect();
        let taken = sqlx::query!(
            r#"SELECT organisation AS "organisation!", request_id AS "request_id!"
               FROM unnest($1::text[], $2::uuid[]) AS asked (organisation, request_id)
               WHERE (SELECT true FROM requests r
                      WHERE r.organisation = asked.organisation AND r.request_id = asked.request_id)"#,
            &organisations,
            &ids,
        )
        .fetch_all(&mut session.connection)
        .await?;
        Ok(taken.into_iter().map(|row| (row.organisation, row.request_id)).collect())
    }

    /// Checks each append in order, also against those admitted before it, and gives places to those that hold. The
    /// others are answered at once and cost no position.
    fn admit(
        &mut self,
        session: &Session,
        batch: Vec<Append>,
        mut taken: HashSet<(String, Uuid)>,
    ) -> (Rows, Vec<(Append, u64)>) {
        let mut rows = Rows::at(time_after(session.recorded_at));
        let mut admitted = Vec::new();
        let mut position = session.position;
        for mut append in batch {
            if append.reply.is_closed() {
                continue;
            }
            if !taken.insert((append.organisation.clone(), append.request_id)) {
                append.reply.send(Appended::Duplicate).ok();
                continue;
            }
            let moved = append.versions.iter().find(|(stream, version)| self.versions.peek(stream) != Some(version));
            if moved.is_some() || append.epoch != session.epoch {
                taken.remove(&(append.organisation.clone(), append.request_id));
                append.reply.send(Appended::Conflict(moved.map(|(stream, _)| stream.clone()))).ok();
                continue;
            }
            let first_position = position + 1;
            for record in std::mem::take(&mut append.records) {
                position += 1;
                if let Ok(stream) = record.stream.parse() {
                    self.versions.put(stream, record.version);
                }
                rows.streams.push(record.stream.clone());
                rows.versions.push(record.version.cast_signed());
                rows.positions.push(position.cast_signed());
                rows.records.push(seal(record, position, session.epoch, rows.recorded_at));
            }
            rows.organisations.push(append.organisation.clone());
            rows.request_ids.push(append.request_id);
            rows.content_hashes.push(append.content_hash.to_vec());
            rows.first_positions.push(first_position.cast_signed());
            rows.events.push(i32::try_from(position + 1 - first_position).unwrap_or(i32::MAX));
            admitted.push((append, first_position));
        }
        (rows, admitted)
    }

    async fn write(&mut self, mut session: Session, rows: Rows, admitted: Vec<(Append, u64)>) {
        let last = rows.positions.last().copied().unwrap_or_default();
        match in_time(commit(&mut session, &rows, last)).await {
            Ok(true) => {
                session.position = last.cast_unsigned();
                session.recorded_at = rows.recorded_at;
                let epoch = session.epoch;
                self.place.advance(epoch, session.position);
                self.session = Some(session);
                for (append, first_position) in admitted {
                    append.reply.send(Appended::Written { epoch, first_position }).ok();
                }
            }
            Ok(false) => {
                warn!(log = self.log, "another appender has moved the head; stepping down");
                self.forget();
                for (append, _) in admitted {
                    append.reply.send(Appended::Conflict(None)).ok();
                }
            }
            Err(error) => self.fail(admitted.into_iter().map(|(append, _)| append).collect(), &error.into()),
        }
    }
}

async fn in_time<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(ANSWER_TIMEOUT, answer).await.unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
}

/// Writes all rows and moves the head, in one round trip and one commit; `false`: the head is elsewhere, and nothing
/// was written.
async fn commit(session: &mut Session, rows: &Rows, last: i64) -> Result<bool, sqlx::Error> {
    let moved = sqlx::query_scalar!(
        r#"WITH moved AS (
               UPDATE head SET position = $1, recorded_at_us = $2 WHERE epoch = $3 AND position = $4 RETURNING position
           ), written AS (
               INSERT INTO events (position, stream, version, recorded_at_us, record)
               SELECT position, stream, version, $2, record
               FROM unnest($5::bigint[], $6::text[], $7::bigint[], $8::bytea[]) AS row (position, stream, version, record)
               WHERE EXISTS (SELECT FROM moved)
           ), asked AS (
               INSERT INTO requests (organisation, request_id, content_hash, first_position, events)
               SELECT * FROM unnest($9::text[], $10::uuid[], $11::bytea[], $12::bigint[], $13::integer[])
               WHERE EXISTS (SELECT FROM moved)
           )
           SELECT count(*) AS "count!" FROM moved"#,
        last,
        rows.recorded_at.as_microsecond(),
        session.epoch.uuid(),
        session.position.cast_signed(),
        &rows.positions,
        &rows.streams,
        &rows.versions,
        &rows.records,
        &rows.organisations,
        &rows.request_ids,
        &rows.content_hashes,
        &rows.first_positions,
        &rows.events,
    )
    .fetch_one(&mut session.connection)
    .await?;
    Ok(moved == 1)
}
