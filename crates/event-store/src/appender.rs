//! The one writer of a log. It takes what was admitted, in order, writes all of it in one statement and one commit, and
//! answers each caller alone.
//!
//! The statement moves the head row from the position and epoch that this appender knows. Where another appender has
//! moved it, nothing is written, this one reads the head again, and everybody decides again: a stale writer cannot
//! write, whatever it believes, nor can a stale state refuse a command.
//!
//! With the position the statement moves the tree of the records (L8), from the root and the range that were committed
//! last. A row that somebody else changed is not moved: the head is read again, and where it cannot be right, nothing is
//! written until somebody has looked into it.

mod statement;

use std::{sync::Arc, time::Duration};

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::Timestamp;
use opentelemetry::{
    KeyValue,
    metrics::{Gauge, Histogram},
};
use sqlx::{Connection as _, PgConnection, postgres::PgConnectOptions};
use tokio::{
    sync::{mpsc, oneshot},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::{error, info, warn};

use self::statement::{Known, Rows, Session, commit, is_current};
use crate::{
    Epoch, HeadFault, StoreError, log,
    log::Place,
    tail::{Claim, Tail},
    tree,
};

/// Appends that may be on their way: as many as commands at work, and some whose callers went away.
pub(crate) const QUEUE_LENGTH: usize = 2 * crate::gate::AT_WORK;
/// Events of one commit at most: beyond a few thousand a larger batch brings no more speed, only latency.
const BATCH_EVENTS: usize = 2_000;
/// Bytes of events of one commit, unless one append alone has more: all of them are in memory several times.
const BATCH_BYTES: usize = 8 * 1024 * 1024;
/// How long a connection to Postgres may take.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// How long Postgres may take to answer. A connection that is silent for longer is given up; whether it still commits
/// is told by the head row.
const ANSWER_TIMEOUT: Duration = Duration::from_secs(30);

/// Events to be written together after those that were admitted before them; none: a refusal or a dry run that holds if
/// the log is where it was when it was decided.
pub(crate) struct Append {
    /// Everything but position and epoch.
    pub records: Vec<EventRecord>,
    /// The most that they can have once they are encoded.
    pub bytes: usize,
    /// What this was decided in.
    pub generation: u64,
    /// When they are recorded.
    pub recorded_at: Timestamp,
    /// Where the first will be. Set when it is admitted.
    pub first_position: u64,
    /// The request, held until what became of it is known.
    pub claim: Arc<Claim>,
    pub content_hash: [u8; 32],
    pub reply: oneshot::Sender<Appended>,
}

/// What became of an append.
#[derive(Debug)]
pub(crate) enum Appended {
    /// Committed in this epoch, from this position on. Without events: what was decided on was committed.
    Written { epoch: Epoch, first_position: u64 },
    /// The log is not where it was: decide again. Nothing was written.
    Superseded,
    /// The head row is damaged: nothing was written.
    Damaged(HeadFault),
    /// The database failed: the log tells whether it was written.
    Unknown(sqlx::Error),
}

/// Serves the queue until `shutdown`, then what still waits in it.
pub(crate) async fn run(
    log: String,
    options: PgConnectOptions,
    mut queue: mpsc::Receiver<Append>,
    (place, tail): (Arc<Place>, Arc<Tail>),
    shutdown: CancellationToken,
) {
    let meters = Meters::new(&log);
    let mut appender = Appender { log, options, place, tail, meters, connection: None, session: None, known: None };
    // The first command should not be the one that waits for the connection.
    if let Err(error) = appender.session().await {
        warn!(log = appender.log, error = &error as &dyn std::error::Error, "the log cannot be written yet");
    }
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
    tail: Arc<Tail>,
    meters: Meters,
    connection: Option<PgConnection>,
    session: Option<Session>,
    /// The head as this process last committed or took it.
    known: Option<Known>,
}

impl Appender {
    async fn serve(&mut self, batch: Vec<Append>) {
        let session = match self.session().await {
            Ok(session) => session,
            Err(error) => return self.fail(batch, &error),
        };
        let (mut current, past): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|append| append.generation == session.generation);
        answer(past, || Appended::Superseded);
        if current.is_empty() {
            return;
        }
        let (mut rows, mut range) = (Rows::default(), session.range.clone());
        for append in current.iter_mut().filter(|append| !append.records.is_empty()) {
            rows.add(append, session.epoch, &mut range);
        }
        let Some(connection) = &mut self.connection else { return };
        let started = Instant::now();
        let position = rows.positions.last().map_or(session.position, |last| last.cast_unsigned());
        let next = Session { position, root: range.root(), range, ..session };
        let held = if rows.positions.is_empty() {
            in_time(is_current(connection, &session)).await
        } else {
            in_time(commit(connection, &session, &next, &rows)).await
        };
        match held {
            Ok(true) => {
                let epoch = next.epoch;
                self.place.advance(epoch, next.position);
                self.known = Some(next.known());
                self.session = Some(next);
                self.meters.committed(rows.positions.len(), started.elapsed());
                for append in current {
                    let first_position = append.first_position;
                    append.reply.send(Appended::Written { epoch, first_position }).ok();
                }
            }
            Ok(false) => {
                warn!(log = self.log, "the head is not as it was left, by another appender most likely; stepping down");
                self.forget();
                answer(current, || Appended::Superseded);
            }
            Err(error) => self.fail(current, &error.into()),
        }
    }

    fn fail(&mut self, batch: Vec<Append>, error: &StoreError) {
        error!(log = self.log, error = error as &dyn std::error::Error, "the log cannot be written");
        self.connection = None;
        self.forget();
        match error {
            StoreError::Head(fault) => answer(batch, || Appended::Damaged(fault.clone())),
            _ => answer(batch, || Appended::Unknown(sqlx::Error::Protocol(error.to_string()))),
        }
    }

    /// What is in memory may be wrong after an error or after another writer: it is read again, and nothing more is
    /// decided on it.
    fn forget(&mut self) {
        self.session = None;
        self.tail.restart(None);
    }

    async fn session(&mut self) -> Result<Session, StoreError> {
        // Where another epoch was begun beside this appender, what it knows of the head is past.
        if let Some(session) = self.session.as_ref().filter(|session| session.epoch == self.place.epoch()) {
            return Ok(session.clone());
        }
        let opened = self.open().await;
        match &opened {
            Ok(_) => self.show(None),
            Err(StoreError::Head(fault)) => self.show(Some(fault)),
            Err(_) => {}
        }
        opened
    }

    /// Reads the head, and begins a generation there.
    async fn open(&mut self) -> Result<Session, StoreError> {
        let connection = if let Some(connection) = self.connection.take() {
            self.connection.insert(connection)
        } else {
            let connecting = PgConnection::connect_with(&self.options);
            let connected = tokio::time::timeout(CONNECT_TIMEOUT, connecting).await;
            self.connection.insert(connected.map_err(|_| sqlx::Error::PoolTimedOut)??)
        };
        let (head, recorded_at) = tree::head(&mut *connection, &self.log).await?;
        let (mut epoch, position) = (head.epoch, head.size);
        if let Some(Known { root: known, .. }) =
            self.known.filter(|known| (known.epoch, known.position) == (epoch, position) && known.root != head.root)
        {
            return Err(HeadFault::Changed { position, root: head.root, known }.into());
        }
        let (known_epoch, known_head) = (self.place.epoch(), self.place.head());
        // Positions never fall within an epoch, and no epoch is forgotten, unless the database was restored.
        let restored = if epoch == known_epoch {
            position < known_head
        } else {
            !log::had_epoch(&mut *connection, known_epoch).await?
        };
        if restored {
            warn!(log = self.log, known = known_head, position, "the log was restored to an earlier state");
            epoch = log::begin_epoch(&mut *connection, epoch).await?.map_or(epoch, |(epoch, _)| epoch);
        }
        if (epoch, position) != (self.place.epoch(), self.place.head()) {
            info!(log = self.log, %epoch, position, "read the head again");
            self.place.set(epoch, position);
        }
        let generation = self.tail.restart(Some((position, recorded_at)));
        let session = Session { generation, epoch, position, root: head.root, range: head.range };
        self.known = Some(session.known());
        Ok(self.session.insert(session).clone())
    }

    /// Tells whoever watches why nothing is written, and when it is again.
    fn show(&self, fault: Option<&HeadFault>) {
        let changed = self.place.fault.send_if_modified(|shown| {
            let changes = shown.as_ref() != fault;
            *shown = fault.cloned();
            changes
        });
        match fault {
            Some(fault) if changed => error!(log = self.log, %fault, "the head row is damaged: nothing is written"),
            None if changed => info!(log = self.log, "the head row is sound again"),
            _ => {}
        }
        self.meters.sound(fault.is_none());
    }
}

fn answer(appends: Vec<Append>, with: impl Fn() -> Appended) {
    for append in appends {
        append.reply.send(with()).ok();
    }
}

/// What Postgres answers, unless it takes too long.
pub(crate) async fn in_time<T>(answer: impl Future<Output = Result<T, sqlx::Error>>) -> Result<T, sqlx::Error> {
    tokio::time::timeout(ANSWER_TIMEOUT, answer).await.unwrap_or_else(|elapsed| Err(sqlx::Error::Io(elapsed.into())))
}

/// The appender's metrics.
struct Meters {
    log: [KeyValue; 1],
    sound: Gauge<u64>,
    events: Histogram<u64>,
    seconds: Histogram<f64>,
}

impl Meters {
    fn new(log: &str) -> Self {
        let meter = opentelemetry::global::meter("event-store");
        Self {
            log: [KeyValue::new("log", log.to_owned())],
            sound: meter
                .u64_gauge("toguna.log.sound")
                .with_description("1: the head row is that of its records; 0: it is damaged, and nothing is written")
                .build(),
            events: meter.u64_histogram("toguna.append.events").with_description("Events of one commit").build(),
            seconds: meter
                .f64_histogram("toguna.append.duration")
                .with_unit("s")
                .with_description("Time from the statement to its commit")
                .with_boundaries(log::SECONDS.to_vec())
                .build(),
        }
    }

    fn sound(&self, is_sound: bool) {
        self.sound.record(is_sound.into(), &self.log);
    }

    fn committed(&self, events: usize, time: Duration) {
        self.events.record(events as u64, &self.log);
        self.seconds.record(time.as_secs_f64(), &self.log);
    }
}
