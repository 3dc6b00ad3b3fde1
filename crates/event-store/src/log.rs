//! One service's log: opening it, and what every part of the service holds of it.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use event_sourcing::StreamName;
use opentelemetry::{
    KeyValue,
    metrics::{AsyncInstrument, Histogram},
};
use sqlx::{
    Connection as _, PgConnection, PgPool,
    postgres::{PgConnectOptions, PgPoolOptions},
};
use tokio::{
    sync::{mpsc, watch},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::{
    Epoch, StoreError, StoredEvent,
    appender::{self, Append, QUEUE_LENGTH},
    gate::Gate,
    histories::Histories,
    journal::Journal,
    lookups::Lookups,
    requests,
    roles::{self, Roles},
    tail::Tail,
    tree::{self, HeadFault},
};

/// How long a reader may wait for a connection. While Postgres is away, connecting is tried again after pauses of up to
/// a fifth of this: so long may the service be blind to its return.
pub(crate) const ACQUIRE_TIMEOUT: Duration = Duration::from_secs(10);

/// A service's log. Cheap to clone; all clones share one appender.
#[derive(Clone)]
pub struct Log {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub name: String,
    pub reader: PgPool,
    writer: PgConnectOptions,
    pub appends: mpsc::Sender<Append>,
    pub place: Arc<Place>,
    pub tail: Arc<Tail>,
    pub lookups: Lookups,
    pub gate: Arc<Gate>,
    /// How long commands waited at the gate.
    pub waits: Waits,
    pub turns: Turns,
    pub journal: Journal,
    /// Histories as queries read them.
    pub histories: Mutex<Histories>,
}

/// Turns on disputed streams: commands that keep changing the same stream would otherwise decide again and again, and
/// the slowest might never win. Streams share a fixed number of locks; a shared one only costs a wait.
pub(crate) struct Turns {
    locks: Vec<tokio::sync::Mutex<()>>,
}

impl Turns {
    fn new() -> Self {
        Self { locks: (0..256).map(|_| tokio::sync::Mutex::default()).collect() }
    }

    pub(crate) async fn wait(&self, stream: &StreamName) -> tokio::sync::MutexGuard<'_, ()> {
        let mut hasher = DefaultHasher::new();
        stream.hash(&mut hasher);
        let index = usize::try_from(hasher.finish() % 256).unwrap_or_default();
        self.locks[index].lock().await
    }
}

/// Where the log stands, as the appender last committed it.
pub(crate) struct Place {
    epoch: RwLock<Epoch>,
    head: watch::Sender<u64>,
    /// Why it cannot be written, as long as its head row is damaged.
    pub fault: watch::Sender<Option<HeadFault>>,
}

impl Log {
    /// Opens the log of a service, making its tables and roles where they are missing, and starts its appender, which
    /// ends with `shutdown` after the appends that wait.
    pub async fn open(name: &str, database_url: &str, shutdown: CancellationToken) -> Result<Self, StoreError> {
        let roles = roles::prepare(database_url).await?;
        migrate(name, &roles).await?;
        let reader = PgPoolOptions::new().max_connections(16).acquire_timeout(ACQUIRE_TIMEOUT);
        let reader = reader.connect_with(in_log(&roles.reader)).await?;
        let (epoch, head) = head_row(&reader).await?;
        info!(log = name, %epoch, head, "opened the log");
        let place = Arc::new(Place::new(epoch, head));
        let (appends, queue) = mpsc::channel(QUEUE_LENGTH);
        let writer = in_log(&roles.writer).options([("synchronous_commit", "on")]);
        let tail = Arc::new(Tail::new(place.clone()));
        let end = (place.clone(), tail.clone());
        tokio::spawn(appender::run(name.to_owned(), writer.clone(), queue, end, shutdown));
        let gate = Arc::<Gate>::default();
        let waits = measure(name, &gate);
        let journal = Journal::new(reader.clone(), writer.clone());
        Ok(Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                reader,
                writer,
                appends,
                place,
                tail,
                lookups: Lookups::start(&in_log(&roles.reader)),
                gate,
                waits,
                turns: Turns::new(),
                journal,
                histories: Mutex::new(Histories::new()),
            }),
        })
    }

    /// Name of the log: that of its service.
    pub fn name(&self) -> &str {
        &self.shared.name
    }

    /// The history that the log is in.
    pub fn epoch(&self) -> Epoch {
        self.shared.place.epoch()
    }

    /// Position of the last committed event; 0: none.
    pub fn head(&self) -> u64 {
        *self.shared.place.head.borrow()
    }

    /// Follows [`Log::head`].
    pub fn watch_head(&self) -> watch::Receiver<u64> {
        self.shared.place.head.subscribe()
    }

    /// How many commands are at work, and how many wait to be: more than 512 at work there are never.
    pub fn commands(&self) -> (usize, usize) {
        self.shared.gate.load()
    }

    /// What was refused, kept beside the log.
    pub fn journal(&self) -> &Journal {
        &self.shared.journal
    }

    /// Reads the log (and keeps read models); may not write it.
    pub fn reader(&self) -> &PgPool {
        &self.shared.reader
    }

    /// Compares the log with the last thing that was published of it. A copy of the same epoch that is longer, or that
    /// holds another event at our head, was made before the log was restored to an earlier state; so was a copy of an
    /// epoch that the log has never been in. Then a new epoch begins, so that nobody takes the events to come for those
    /// that were lost. Answers whether one began.
    pub async fn compare_with_published(&self, published: &Published) -> Result<bool, StoreError> {
        let epoch = self.epoch();
        if published.epoch == epoch {
            let ours = match published.position {
                0 => return Ok(false),
                position if position > self.head() => None,
                position => self.record(position).await?,
            };
            if ours.is_some_and(|ours| ours.record == published.record) {
                return Ok(false);
            }
        } else if had_epoch(self.reader(), published.epoch).await? {
            return Ok(false);
        }
        warn!(
            log = self.name(),
            published = published.position,
            head = self.head(),
            "the log was restored to an earlier state"
        );
        let mut writer = PgConnection::connect_with(&self.shared.writer).await?;
        let begun = begin_epoch(&mut writer, epoch).await?;
        writer.close().await?;
        if let Some((epoch, head)) = begun {
            self.shared.place.set(epoch, head);
        }
        Ok(begun.is_some())
    }

    async fn record(&self, position: u64) -> Result<Option<StoredEvent>, StoreError> {
        let limit = crate::PageLimit { events: 1, ..crate::PageLimit::default() };
        Ok(self.page(position, limit).await?.into_iter().next().filter(|event| event.position == position))
    }
}

/// What a copy of a log holds at its end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The epoch that the copy says it is of.
    pub epoch: Epoch,
    /// Position of its last event.
    pub position: u64,
    /// That event's record.
    pub record: bytes::Bytes,
}

impl Place {
    pub(crate) fn new(epoch: Epoch, head: u64) -> Self {
        Self { epoch: RwLock::new(epoch), head: watch::Sender::new(head), fault: watch::Sender::new(None) }
    }

    pub(crate) fn epoch(&self) -> Epoch {
        *self.epoch.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn head(&self) -> u64 {
        *self.head.borrow()
    }

    /// The log is in this epoch, and there.
    ///
    /// Whoever waits on the head looks at the epoch while it holds the head's lock, so the epoch's lock is only ever
    /// taken inside the head's: the other way round the two would wait for each other for ever.
    pub(crate) fn set(&self, epoch: Epoch, head: u64) {
        self.head.send_modify(|now| {
            *self.epoch.write().unwrap_or_else(PoisonError::into_inner) = epoch;
            *now = head;
        });
    }

    /// The log is longer, unless it has left that epoch meanwhile.
    pub(crate) fn advance(&self, epoch: Epoch, head: u64) {
        self.head.send_if_modified(|now| {
            let goes_on = self.epoch() == epoch;
            if goes_on {
                *now = head;
            }
            goes_on
        });
    }
}

/// How sessions find the log's tables. They only look things up by keys: what is small now is not scanned, because
/// Postgres keeps a plan that it made for a small table while the table grows. Where a scan is the only way (the one
/// row of the head), its feigned cost must not have it compiled.
fn in_log(options: &PgConnectOptions) -> PgConnectOptions {
    options.clone().options([("search_path", "log"), ("enable_seqscan", "off"), ("jit", "off")])
}

/// Seconds in which a log does something; most of it takes a few milliseconds.
pub(crate) const SECONDS: [f64; 14] =
    [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];

/// How long commands wait until they are worked on.
pub(crate) struct Waits {
    log: [KeyValue; 1],
    seconds: Histogram<f64>,
}

impl Waits {
    /// A command waited since then, and no longer does.
    pub fn ended(&self, since: Instant) {
        self.seconds.record(since.elapsed().as_secs_f64(), &self.log);
    }
}

/// Commands at work and waiting, whenever somebody asks, for as long as the log is open; and how long they wait.
fn measure(log: &str, gate: &Arc<Gate>) -> Waits {
    let meter = opentelemetry::global::meter("event-store");
    let attributes = [KeyValue::new("log", log.to_owned())];
    for (name, says, read) in [
        ("toguna.commands.at_work", "Commands that are being decided and written", AT_WORK),
        ("toguna.commands.waiting", "Commands that wait until others are written", WAITING),
    ] {
        let (gate, attributes) = (Arc::downgrade(gate), attributes.clone());
        let observe = move |observer: &dyn AsyncInstrument<u64>| {
            if let Some(gate) = gate.upgrade() {
                observer.observe(read(gate.load()) as u64, &attributes);
            }
        };
        // It is read as long as its callback is known to the meter.
        let _ = meter.u64_observable_gauge(name).with_description(says).with_callback(observe).build();
    }
    let seconds = meter
        .f64_histogram("toguna.commands.wait")
        .with_unit("s")
        .with_description("Time until a command is worked on, since it was allowed")
        .with_boundaries(SECONDS.to_vec())
        .build();
    Waits { log: attributes, seconds }
}

const AT_WORK: fn((usize, usize)) -> usize = |(at_work, _)| at_work;
const WAITING: fn((usize, usize)) -> usize = |(_, waiting)| waiting;

async fn migrate(log: &str, roles: &Roles) -> Result<(), StoreError> {
    let mut owner = PgConnection::connect_with(&roles.owner.clone().options([("search_path", "log")])).await?;
    sqlx::query("SELECT pg_advisory_lock(hashtext('toguna log'))").execute(&mut owner).await?;
    sqlx::query("CREATE SCHEMA IF NOT EXISTS log").execute(&mut owner).await?;
    // `run` would make this future one that cannot move between threads.
    sqlx::migrate!("migrations/log").run_direct(None, &mut owner, false).await?;
    for grant in roles::grants(roles) {
        sqlx::query(grant).execute(&mut owner).await?;
    }
    requests::rebuild(&mut owner).await?;
    tree::compute(&mut owner, log).await?;
    owner.close().await?;
    Ok(())
}

pub(crate) async fn head_row(executor: impl sqlx::PgExecutor<'_>) -> Result<(Epoch, u64), StoreError> {
    let row = sqlx::query!("SELECT epoch, position FROM head").fetch_one(executor).await?;
    Ok((row.epoch.into(), row.position.cast_unsigned()))
}

/// Whether the log is or was in an epoch.
pub(crate) async fn had_epoch(executor: impl sqlx::PgExecutor<'_>, epoch: Epoch) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar!(r#"SELECT EXISTS (SELECT FROM epochs WHERE epoch = $1) AS "had!""#, epoch.uuid())
        .fetch_one(executor)
        .await
}

/// Gives the log a new epoch, unless it has left the old one already.
pub(crate) async fn begin_epoch(writer: &mut PgConnection, old: Epoch) -> Result<Option<(Epoch, u64)>, StoreError> {
    let epoch = Uuid::new_v4();
    let row = sqlx::query!(
        "WITH moved AS (UPDATE head SET epoch = $1 WHERE epoch = $2 RETURNING position)
         INSERT INTO epochs (epoch, began_after) SELECT $1, position FROM moved RETURNING began_after",
        epoch,
        old.uuid(),
    )
    .fetch_optional(writer)
    .await?;
    Ok(row.map(|row| (Epoch::from(epoch), row.began_after.cast_unsigned())))
}

#[cfg(test)]
mod tests {
    use std::{sync::mpsc, thread};

    use super::*;

    #[test]
    fn whoever_waits_on_the_head_may_look_at_the_epoch_while_it_moves() {
        let epoch = Epoch::from(Uuid::from_u128(1));
        let place = Arc::new(Place::new(epoch, 0));
        let (done, both) = mpsc::channel();
        for mover in [true, false] {
            let (place, done) = (place.clone(), done.clone());
            thread::spawn(move || {
                let waiting = place.head.subscribe();
                for head in 0..20_000 {
                    if mover {
                        place.set(epoch, head);
                        place.advance(epoch, head);
                    } else {
                        let _held = waiting.borrow();
                        assert_eq!(place.epoch(), epoch);
                    }
                }
                done.send(()).expect("the test waits");
            });
        }
        for _ in 0..2 {
            both.recv_timeout(Duration::from_secs(30)).expect("neither waits for the other for ever");
        }
    }
}
