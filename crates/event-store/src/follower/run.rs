//! One follower's way through its log.

use std::{any::Any, convert::Infallible, ops::Range, panic::AssertUnwindSafe, sync::Arc, time::Duration};

use contracts::toguna::log::v1::EventRecord;
use futures::FutureExt as _;
use sqlx::PgPool;
use tokio::{sync::watch, time::Instant};
use tracing::{Instrument as _, info};

use super::{Limits, Work, status::Reporter};
use crate::{
    Epoch, ExecuteError, Log, Projection, ProjectionError, Reaction, StoreError,
    chain::chain,
    checkpoint::Checkpoint,
    feed::{Feed, FeedError, Page, Reader},
    projection::database_error_passes,
    reaction, trace,
};

/// While events come faster than this, they are applied together, once in this time: a batch costs much the same with
/// one event and with hundreds. The first after a calm comes at once, and nobody rests while somebody waits.
const PACE: Duration = Duration::from_millis(100);
/// Longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Why a follower does not go on.
enum Halt {
    /// It may later.
    ForNow(Trouble),
    /// Not with this version of the service: the fault is in this event, or in what is made of it.
    At { position: u64, type_name: String, error: String },
}

/// What may pass.
#[derive(Debug, thiserror::Error)]
enum Trouble {
    #[error(transparent)]
    Feed(#[from] Arc<FeedError>),
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    #[error("events could not be applied")]
    Projection(#[source] ProjectionError),
    #[error("the command could not be run")]
    Execute(#[source] ExecuteError),
    #[error("the log ends before position {position}, which had its effect here")]
    LogTooShort { position: u64 },
    #[error("the record at position {position} is not the one that had its effect here")]
    OtherRecord { position: u64 },
    #[error("somebody else runs this follower")]
    SecondRunner,
}

impl<E: Into<Trouble>> From<E> for Halt {
    fn from(trouble: E) -> Self {
        Self::ForNow(trouble.into())
    }
}

pub(super) struct Follower {
    work: Work,
    log: String,
    feed: Arc<Feed>,
    reader: Reader,
    pool: PgPool,
    limits: watch::Receiver<Limits>,
    reporter: Reporter,
}

impl Follower {
    pub fn new(work: Work, feed: Arc<Feed>, pool: PgPool, limits: watch::Receiver<Limits>, reporter: Reporter) -> Self {
        let (log, reader) = (work.source().to_owned(), feed.reader());
        Self { work, log, feed, reader, pool, limits, reporter }
    }

    /// Follows until an event stops it, and then only says so.
    pub async fn run(mut self) {
        let mut pause = Duration::ZERO;
        let mut reached = None;
        loop {
            let mut at = None;
            let Err(halt) = self.follow(&mut at).await;
            match halt {
                Halt::ForNow(trouble) => self.reporter.retrying(chain(&trouble)),
                Halt::At { position, type_name, error } => {
                    self.reporter.stopped(position, type_name, error);
                    self.reader.leave();
                    loop {
                        tokio::time::sleep(MAX_PAUSE).await;
                        self.reporter.still(self.feed.place());
                    }
                }
            }
            let progressed = std::mem::replace(&mut reached, at) != at;
            pause = if progressed { Duration::ZERO } else { pause * 2 }.clamp(Duration::from_millis(50), MAX_PAUSE);
            tokio::time::sleep(pause).await;
        }
    }

    async fn follow(&mut self, reached: &mut Option<Checkpoint>) -> Result<Infallible, Halt> {
        let mut at = Checkpoint::load(&mut *self.pool.acquire().await?, self.work.name(), &self.log).await?;
        let mut rested = Instant::now();
        loop {
            *reached = Some(at);
            if !self.feed.is_far_ahead_of(at.position) {
                self.feed.rest(rested).await;
            }
            let page = self.reader.from(at.position).await?;
            if let Some(epoch) = page.epoch.filter(|epoch| *epoch != at.epoch) {
                at = self.begin(at, epoch).await?;
                continue;
            }
            let news = news(at, &page)?;
            let caught_up = news.is_empty() && page.epoch.is_some();
            let next = page.records.get(news.start);
            self.reporter.reached(page.epoch, at.position, next, self.feed.place(), caught_up);
            if news.is_empty() {
                self.feed.wait(page.epoch, at.position).await;
                continue;
            }
            let news = self.allowed(&page, news);
            if news.is_empty() {
                if self.limits.changed().await.is_err() {
                    // Nobody is left who could lift the limit.
                    std::future::pending::<()>().await;
                }
                continue;
            }
            let span = tracing::info_span!(
                "follow",
                otel.kind = "consumer",
                follower = self.work.name(),
                log = self.log,
                from = at.position + 1,
                events = news.len()
            );
            trace::continue_from(&span, page.records[news.clone()].iter().map(|record| record.traceparent.as_str()));
            rested = Instant::now() + PACE;
            let (to, done) = match &self.work {
                Work::Projection(projection) => self.project(&**projection, at, &page, news).instrument(span).await,
                Work::Reaction(reaction, own) => self.react(&**reaction, own, at, &page, news).instrument(span).await,
            };
            if to != at {
                *reached = Some(to);
                let next = page_index(&page, to.position + 1).map(|index| &page.records[index]);
                self.reporter.reached(page.epoch, to.position, next, self.feed.place(), false);
            }
            done?;
            at = to;
        }
    }

    /// The news up to the position that this follower may reach for now.
    fn allowed(&mut self, page: &Page, news: Range<usize>) -> Range<usize> {
        let limit = self.limits.borrow_and_update().of(&self.log);
        let within = page.records[news.clone()].partition_point(|record| record.position <= limit);
        news.start..news.start + within
    }

    /// Begins an epoch from its start, without what was made of another one.
    async fn begin(&self, at: Checkpoint, epoch: Epoch) -> Result<Checkpoint, Halt> {
        let start = Checkpoint::start(epoch);
        let mut transaction = self.pool.begin().await?;
        if !at.advance(start, self.work.name(), &mut *transaction).await? {
            return Err(Trouble::SecondRunner.into());
        }
        if let Work::Projection(projection) = &self.work {
            projection.clear(&mut transaction).await.map_err(Trouble::Projection)?;
        }
        transaction.commit().await?;
        info!(follower = self.work.name(), log = self.log, %epoch, left = %at.epoch, "begins an epoch of the log");
        Ok(start)
    }

    /// Applies a page; where an event in it cannot be applied, everything up to that event. Says how far it came.
    async fn project(
        &self,
        projection: &dyn Projection,
        mut at: Checkpoint,
        page: &Page,
        news: Range<usize>,
    ) -> (Checkpoint, Result<(), Halt>) {
        match self.apply(projection, at, page, news.clone()).await {
            Ok(to) => return (to, Ok(())),
            Err(Trouble::Projection(error)) if !error.passes() => {}
            Err(trouble) => return (at, Err(trouble.into())),
        }
        for index in news {
            at = match self.apply(projection, at, page, index..index + 1).await {
                Ok(to) => to,
                Err(Trouble::Projection(error)) if !error.passes() => {
                    return (at, Err(stop(&page.records[index], &error)));
                }
                Err(trouble) => return (at, Err(trouble.into())),
            };
        }
        (at, Ok(()))
    }

    /// Applies some events of a page and moves the checkpoint, in one transaction.
    async fn apply(
        &self,
        projection: &dyn Projection,
        at: Checkpoint,
        page: &Page,
        events: Range<usize>,
    ) -> Result<Checkpoint, Trouble> {
        let to = checkpoint_at(at, page, events.end - 1);
        let mut transaction = self.pool.begin().await?;
        // First, so that a second runner waits here and then finds that it has nothing to do.
        if !at.advance(to, projection.name(), &mut *transaction).await? {
            return Err(Trouble::SecondRunner);
        }
        let applied = AssertUnwindSafe(projection.apply(&mut transaction, &page.records[events])).catch_unwind().await;
        applied
            .unwrap_or_else(|panic| Err(ProjectionError::Impossible(panicked(&*panic))))
            .map_err(Trouble::Projection)?;
        transaction.commit().await?;
        Ok(to)
    }

    /// Runs the commands that a page calls for, one after the other, and moves the checkpoint behind the last one that
    /// went well. Says how far it came.
    async fn react(
        &self,
        reaction: &dyn Reaction,
        own: &Log,
        at: Checkpoint,
        page: &Page,
        news: Range<usize>,
    ) -> (Checkpoint, Result<(), Halt>) {
        let mut to = at;
        let mut done = Ok(());
        for index in news {
            done = self.react_to(reaction, own, page, index).await;
            if done.is_err() {
                break;
            }
            to = checkpoint_at(at, page, index);
        }
        match at.advance(to, reaction.name(), &self.pool).await {
            Ok(true) => (to, done),
            Ok(false) => (at, Err(Trouble::SecondRunner.into())),
            Err(error) => (at, Err(Trouble::Database(error).into())),
        }
    }

    async fn react_to(&self, reaction: &dyn Reaction, own: &Log, page: &Page, index: usize) -> Result<(), Halt> {
        let record = &page.records[index];
        let reacted = std::panic::catch_unwind(AssertUnwindSafe(|| reaction.react(record)));
        let command = match reacted {
            Ok(Ok(None)) => return Ok(()),
            Ok(Ok(Some(command))) => command,
            Ok(Err(error)) => return Err(stop(record, &error)),
            Err(panic) => return Err(stop_saying(record, panicked(&*panic))),
        };
        let act = reaction::act_of(own.name(), reaction.name(), record).map_err(|error| stop(record, &error))?;
        let span = tracing::info_span!("react", reaction = reaction.name(), position = record.position);
        trace::continue_from(&span, std::iter::once(record.traceparent.as_str()));
        let meta = reaction::meta_of(&self.log, reaction.name(), record, &page.bytes[index], &span);
        let executed = AssertUnwindSafe(own.execute(meta, act, command).instrument(span)).catch_unwind().await;
        match executed {
            Ok(Ok(_)) => Ok(()),
            Ok(Err(error)) if passes(&error) => Err(Trouble::Execute(error).into()),
            Ok(Err(error)) => Err(stop(record, &error)),
            Err(panic) => Err(stop_saying(record, panicked(&*panic))),
        }
    }
}

/// Which records of a page are new, given that it begins with the one that is known already.
fn news(at: Checkpoint, page: &Page) -> Result<Range<usize>, Trouble> {
    let position = at.position;
    match at.sha256 {
        None => Ok(0..page.records.len()),
        Some(_) if page.records.is_empty() => Err(Trouble::LogTooShort { position }),
        Some(known) if page_index(page, position).is_none_or(|index| page.sha256(index) != known) => {
            Err(Trouble::OtherRecord { position })
        }
        Some(_) => Ok(page_index(page, position).map_or(0, |index| index + 1)..page.records.len()),
    }
}

fn page_index(page: &Page, position: u64) -> Option<usize> {
    let first = page.records.first()?.position;
    usize::try_from(position.checked_sub(first)?).ok().filter(|index| *index < page.records.len())
}

fn checkpoint_at(at: Checkpoint, page: &Page, index: usize) -> Checkpoint {
    Checkpoint { position: page.records[index].position, sha256: Some(page.sha256(index)), ..at }
}

fn stop(record: &EventRecord, error: &dyn std::error::Error) -> Halt {
    stop_saying(record, chain(error))
}

fn stop_saying(record: &EventRecord, error: String) -> Halt {
    Halt::At { position: record.position, type_name: record.r#type.clone(), error }
}

fn panicked(panic: &(dyn Any + Send)) -> String {
    let said = panic.downcast_ref::<String>().map(String::as_str).or_else(|| panic.downcast_ref::<&str>().copied());
    format!("it panicked: {}", said.unwrap_or("without a word"))
}

/// Whether the same command may succeed later. A refusal may not: a fact is recorded, not asked for.
fn passes(error: &ExecuteError) -> bool {
    match error {
        ExecuteError::Overloaded | ExecuteError::Unavailable(StoreError::Closed | StoreError::Head(_)) => true,
        ExecuteError::Unavailable(StoreError::Database(error)) => database_error_passes(error),
        ExecuteError::Unavailable(StoreError::Migrate(_) | StoreError::Record { .. })
        | ExecuteError::Refused(_)
        | ExecuteError::StaleVersion(_)
        | ExecuteError::RequestIdReused
        | ExecuteError::EventTooLarge { .. } => false,
    }
}
