//! One service's log: opening it, and what every part of the service holds of it.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    num::NonZeroUsize,
    sync::{Arc, Mutex, PoisonError, RwLock},
};

use event_sourcing::StreamName;
use lru::LruCache;
use sqlx::{Connection as _, PgConnection, PgPool, postgres::PgPoolOptions};
use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;
use tracing::{info, warn};
use uuid::Uuid;

use crate::{
    Epoch, StoreError, StoredEvent,
    appender::{self, Append, QUEUE_LENGTH},
    roles::{self, Roles},
    unit::Loaded,
};

/// How many streams' histories are kept to be continued instead of read again.
const KEPT_HISTORIES: usize = 4_096;

/// A service's log. Cheap to clone; all clones share one appender.
#[derive(Clone)]
pub struct Log {
    pub(crate) shared: Arc<Shared>,
}

pub(crate) struct Shared {
    pub name: String,
    pub reader: PgPool,
    pub roles: Roles,
    pub appends: mpsc::Sender<Append>,
    pub place: Arc<Place>,
    pub histories: Mutex<Histories>,
    pub turns: Turns,
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
}

/// Histories that were folded before, within one epoch: after a restore the same version may hold another event.
pub(crate) struct Histories {
    pub epoch: Epoch,
    pub by_stream: LruCache<StreamName, Loaded>,
}

impl Log {
    /// Opens the log of a service, making its tables and roles where they are missing, and starts its appender, which
    /// ends with `shutdown` after the appends that wait.
    pub async fn open(name: &str, database_url: &str, shutdown: CancellationToken) -> Result<Self, StoreError> {
        let roles = roles::prepare(database_url).await?;
        migrate(&roles).await?;
        let reader = PgPoolOptions::new()
            .max_connections(16)
            .connect_with(roles.reader.clone().options([("search_path", "log")]))
            .await?;
        let (epoch, head) = head_row(&reader).await?;
        info!(log = name, %epoch, head, "opened the log");
        let place = Arc::new(Place { epoch: RwLock::new(epoch), head: watch::Sender::new(head) });
        let (appends, queue) = mpsc::channel(QUEUE_LENGTH);
        let writer = roles.writer.clone().options([("search_path", "log"), ("synchronous_commit", "on")]);
        tokio::spawn(appender::run(name.to_owned(), writer, queue, place.clone(), shutdown));
        let kept = NonZeroUsize::new(KEPT_HISTORIES).expect("more than none are kept");
        let histories = Mutex::new(Histories { epoch, by_stream: LruCache::new(kept) });
        Ok(Self {
            shared: Arc::new(Shared {
                name: name.to_owned(),
                reader,
                roles,
                appends,
                place,
                histories,
                turns: Turns::new(),
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

    /// Reads the log (and keeps read models); may not write it.
    pub fn reader(&self) -> &PgPool {
        &self.shared.reader
    }

    /// Compares the log with the last thing that was published of it. A copy of the same epoch that is longer, or that
    /// holds another event at our head, was made before the log was restored to an earlier state: then a new epoch
    /// begins, so that nobody takes the events to come for those that were lost. Answers whether one began.
    pub async fn compare_with_published(&self, published: &Published) -> Result<bool, StoreError> {
        if published.epoch != self.epoch() {
            return Ok(false);
        }
        let ours = match published.position {
            0 => return Ok(false),
            position if position > self.head() => None,
            position => self.record(position).await?,
        };
        if ours.is_some_and(|ours| ours.record == published.record) {
            return Ok(false);
        }
        warn!(
            log = self.name(),
            published = published.position,
            head = self.head(),
            "the log was restored to an earlier state"
        );
        let mut writer =
            PgConnection::connect_with(&self.shared.roles.writer.clone().options([("search_path", "log")])).await?;
        let epoch = begin_epoch(&mut writer, self.epoch()).await?;
        writer.close().await?;
        if let Some((epoch, head)) = epoch {
            self.shared.place.set(epoch, head);
        }
        Ok(epoch.is_some())
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
    pub(crate) fn epoch(&self) -> Epoch {
        *self.epoch.read().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn head(&self) -> u64 {
        *self.head.borrow()
    }

    pub(crate) fn set(&self, epoch: Epoch, head: u64) {
        *self.epoch.write().unwrap_or_else(PoisonError::into_inner) = epoch;
        self.head.send_replace(head);
    }
}

async fn migrate(roles: &Roles) -> Result<(), StoreError> {
    let mut owner = PgConnection::connect_with(&roles.owner.clone().options([("search_path", "log")])).await?;
    sqlx::query("SELECT pg_advisory_lock(hashtext('toguna log'))").execute(&mut owner).await?;
    sqlx::query("CREATE SCHEMA IF NOT EXISTS log").execute(&mut owner).await?;
    // `run` would make this future one that cannot move between threads.
    sqlx::migrate!("migrations/log").run_direct(None, &mut owner, false).await?;
    for grant in roles::grants(roles) {
        sqlx::query(grant).execute(&mut owner).await?;
    }
    appender::rebuild_requests(&mut owner).await?;
    owner.close().await?;
    Ok(())
}

pub(crate) async fn head_row(executor: impl sqlx::PgExecutor<'_>) -> Result<(Epoch, u64), StoreError> {
    let row = sqlx::query!("SELECT epoch, position FROM head").fetch_one(executor).await?;
    Ok((row.epoch.into(), row.position.cast_unsigned()))
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
