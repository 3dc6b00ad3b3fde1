//! Copies a log to its JetStream stream, in order, and keeps the copy right.
//!
//! Guarantees: in the stream sequence = position and the payload is the stored record, of the epoch that the log is
//! in. Nothing is published that is not committed. The stream may lag, or be lost whole or in part: the relay notices
//! (at the next publish, the next connection or the next audit) and repairs it. A stream that cannot be continued is
//! deleted, made again and filled from the log; the log is never changed to fit the stream. Where the stream holds
//! events of the log's own epoch that the log does not have, the log was restored to an earlier state, and it begins a
//! new epoch before anything else is published.

mod compare;
mod status;
mod trouble;
mod walk;

use std::{convert::Infallible, time::Duration};

use event_sourcing::Timestamp;
use tokio::{
    sync::watch,
    time::{Instant, timeout},
};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info, warn};

pub use self::{
    compare::RebuildReason,
    status::{Audit, RelayState, RelayStatus},
    trouble::Trouble,
};
use self::{compare::Verdict, status::Meters, trouble::Standstill, walk::Walk};
use crate::{
    Epoch, Log, Nats, NatsError, PageLimit, Published, StoreError,
    chain::chain,
    log::head_row,
    nats::{BATCH_LENGTH, Batch, LogStream, PublishedMessage, Publisher},
    trace,
};

/// How a relay works.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Replicas of the stream in a NATS cluster: 1, 3 or 5.
    pub replicas: usize,
    /// How often the stream's counts and its last record are compared with the log.
    pub audit_every: Duration,
    /// How many records are compared byte for byte from one audit to the next under load. The comparison goes on where
    /// it stopped, to the end of the stream, and begins again; while nothing is appended, what was not compared yet is
    /// compared at once. At 10,000 records in ten seconds, a million take a quarter of an hour.
    pub audit_records: usize,
    /// How long the stream may take nothing before it is made again, provided that the broker stores other messages.
    pub patience: Duration,
}

impl Default for RelayConfig {
    fn default() -> Self {
        let (audit_every, patience) = (Duration::from_secs(10), Duration::from_secs(30));
        Self { replicas: 1, audit_every, audit_records: 10_000, patience }
    }
}

/// Why the copy cannot go on for now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error(transparent)]
    Nats(#[from] NatsError),
    #[error("the stream did not take what comes next")]
    NotTaken(#[source] NatsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the log was not read in time")]
    LogTooSlow,
    #[error("the log is not where it was")]
    LogMoved,
    #[error("the stream is no copy of the log: {0:?}")]
    NoCopy(RebuildReason),
    #[error("the stream is gone")]
    Gone,
    #[error("the stream ends at {0}, earlier than it did")]
    LostTail(u64),
}

/// How long an idle relay sleeps at most before it looks at the connection again.
const TICK: Duration = Duration::from_secs(1);
/// While events come faster than this, they are published together, once in this time; the first after a calm at once.
const PACE: Duration = Duration::from_millis(50);
/// Longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// A page of the log that has not come by then is asked for again.
const READ_TIMEOUT: Duration = Duration::from_secs(30);
/// Most bytes of records in a batch.
const BATCH_BYTES: usize = 4 * 1024 * 1024;
/// While the stream stores a batch, the next one is read and sent.
const BATCHES_UNDER_WAY: usize = 2;

/// What reads the log may take its time, not for ever: a connection can be lost without a word.
async fn in_time<T>(read: impl Future<Output = Result<T, StoreError>>) -> Result<T, RelayError> {
    timeout(READ_TIMEOUT, read).await.map_or(Err(RelayError::LogTooSlow), |read| Ok(read?))
}

/// Starts the relay of a log; it ends with `shutdown`. No failure of NATS or Postgres ends it or anything else.
pub fn start(log: Log, nats: &Nats, config: RelayConfig, shutdown: CancellationToken) -> watch::Receiver<RelayStatus> {
    let stream = nats.stream_of(log.name());
    let (status, receiver) = watch::channel(RelayStatus::new(log.epoch(), log.head()));
    let meters = Meters::new(log.name());
    let (walk, standstill) = (Walk::new(), None);
    let relay = Relay { log, stream, config, status, meters, walk, standstill, rebuilds_in_a_row: 0 };
    tokio::spawn(async move {
        shutdown.run_until_cancelled(Box::pin(relay.run())).await;
    });
    receiver
}

/// What the stream of a log holds at its end, to be compared with the log before it takes commands; `None`: there is
/// no stream, it is empty, or what it ends with was not published by a relay.
pub async fn published_head(nats: &Nats, log: &str) -> Result<Option<Published>, NatsError> {
    let stream = nats.stream_of(log);
    let Some(state) = stream.state().await?.filter(|state| state.last > 0) else { return Ok(None) };
    let record = stream.message(state.last).await.and_then(|message| message.map(PublishedMessage::record).transpose());
    match record {
        Ok(record) => {
            Ok(record.map(|last| Published { epoch: last.epoch, position: last.position, record: last.bytes }))
        }
        Err(NatsError::NotARecord { .. }) => Ok(None),
        Err(error) => Err(error),
    }
}

struct Relay {
    log: Log,
    stream: LogStream,
    config: RelayConfig,
    status: watch::Sender<RelayStatus>,
    meters: Meters,
    walk: Walk,
    standstill: Option<Standstill>,
    rebuilds_in_a_row: u32,
}

impl Relay {
    async fn run(mut self) {
        let mut pause = Duration::ZERO;
        loop {
            let before = self.status.borrow().published;
            let Err(error) = self.keep_up().await;
            let published = self.status.borrow().published;
            if matches!(error, RelayError::NotTaken(_)) {
                self.standstill = Some(Standstill::again(self.standstill.take(), published, self.connection()));
            }
            pause = if published == before {
                (pause * 2).clamp(Duration::from_millis(50), MAX_PAUSE)
            } else {
                Duration::from_millis(50)
            };
            self.retrying(&error);
            tokio::time::sleep(pause).await;
        }
    }

    /// Brings the stream to the log's head and keeps it there, until something fails.
    async fn keep_up(&mut self) -> Result<Infallible, RelayError> {
        let mut head = self.log.watch_head();
        let mut connection = self.connection();
        let (epoch, mut published) = self.reconcile().await?;
        self.status.send_modify(|status| (status.epoch, status.published) = (epoch, published));
        let mut outlet = self.stream.publisher(epoch).await?;
        let (mut audit_at, mut rested) = (Instant::now(), Instant::now());
        loop {
            if self.log.epoch() != epoch {
                return Err(RelayError::LogMoved);
            }
            if *head.borrow() > published {
                tokio::time::sleep_until(rested).await;
                rested = Instant::now() + PACE;
            }
            let committed = *head.borrow_and_update();
            if published < committed {
                self.walk.disturb();
                published = self.publish_up_to(committed, published, epoch, &mut outlet, audit_at).await?;
            }
            self.report(epoch, published, RelayState::following(published, committed));
            if self.connection() != connection {
                // A broker that was started again may have other files.
                connection = self.connection();
                (self.walk, audit_at) = (Walk::new(), Instant::now());
            }
            if Instant::now() >= audit_at {
                self.compare_end(epoch, published).await?;
                audit_at = Instant::now() + self.config.audit_every;
                self.walk.allow(self.config.audit_records);
            }
            let rest = self.compare_step(epoch, published).await?.unwrap_or(TICK.min(self.config.audit_every));
            if published >= committed {
                // For the connection and the audit, too; the channel is open as long as the log is held.
                let _ = timeout(rest, head.changed()).await;
            }
        }
    }

    /// Publishes what the log has beyond `published`, and says how far the stream is then: not beyond the head that the
    /// appender has announced, and one batch at least, before an audit that is due has its turn.
    async fn publish_up_to(
        &self,
        head: u64,
        mut published: u64,
        epoch: Epoch,
        outlet: &mut Publisher,
        audit_at: Instant,
    ) -> Result<u64, RelayError> {
        let (began, mut sent) = (published, published);
        while sent < head && (sent == began || Instant::now() < audit_at) {
            let batch = self.batch_after(sent, head, epoch, outlet).await?;
            let (last, events) = (batch.last, batch.len());
            let span = tracing::info_span!("relay", otel.kind = "producer", log = self.log.name(), last, events);
            trace::continue_from(&span, batch.traces.iter().map(String::as_str));
            outlet.send(batch).instrument(span).await.map_err(RelayError::NotTaken)?;
            sent = last;
            if outlet.under_way() == BATCHES_UNDER_WAY {
                published = self.acknowledged(outlet, head, epoch).await?;
            }
        }
        while outlet.under_way() > 0 {
            published = self.acknowledged(outlet, head, epoch).await?;
        }
        Ok(published)
    }

    async fn acknowledged(&self, outlet: &mut Publisher, head: u64, epoch: Epoch) -> Result<u64, RelayError> {
        let published = outlet.acknowledged().await.map_err(RelayError::NotTaken)?;
        self.stream.ring(published).await?;
        self.report(epoch, published, RelayState::following(published, head));
        Ok(published)
    }

    /// The events after a position, as many as may be published together.
    async fn batch_after(
        &self,
        position: u64,
        head: u64,
        epoch: Epoch,
        outlet: &Publisher,
    ) -> Result<Batch, RelayError> {
        // A stream that has stopped to take anything is tried with little.
        let events = if self.standstill.is_some() { 1 } else { BATCH_LENGTH };
        let mut page = in_time(self.log.page(position + 1, PageLimit { events, bytes: BATCH_BYTES })).await?;
        page.retain(|event| event.position <= head);
        // What was read after an epoch began is not of this one, and what does not follow is of a restored log.
        let follows = (position + 1..).zip(&page).all(|(expected, event)| event.position == expected);
        let batch = outlet.batch(page)?;
        batch.filter(|_| follows && self.log.epoch() == epoch).ok_or(RelayError::LogMoved)
    }

    /// Finds out how far the stream is a copy of the log, making or rebuilding it where it is none.
    async fn reconcile(&mut self) -> Result<(Epoch, u64), RelayError> {
        // Postgres, not memory, says what may be deleted.
        let (epoch, head) = in_time(head_row(self.log.reader())).await?;
        if epoch != self.log.epoch() {
            return Err(RelayError::LogMoved);
        }
        self.walk = Walk::new();
        match compare::end(&self.log, &self.stream, epoch, head).await? {
            Verdict::CopyUpTo(position) => self.go_on(epoch, position).await,
            Verdict::Missing => {
                self.standstill = None;
                self.stream.create(epoch, self.config.replicas).await?;
                info!(log = self.log.name(), %epoch, "made the stream");
                Ok((epoch, 0))
            }
            Verdict::NoCopy(reason, evidence) => self.rebuild(reason, evidence).await,
        }
    }

    /// Goes on after a position, unless the stream has refused to for too long.
    async fn go_on(&mut self, epoch: Epoch, position: u64) -> Result<(Epoch, u64), RelayError> {
        let connection = self.connection();
        self.standstill = self.standstill.take().filter(|standstill| standstill.is_at(position, connection));
        let lasts = self.standstill.as_ref().is_some_and(|standstill| standstill.lasts(self.config.patience));
        if lasts && self.stream.others_are_stored(self.config.replicas).await? && self.connection() == connection {
            return self.rebuild(RebuildReason::StandsStill, None).await;
        }
        Ok((epoch, position))
    }

    /// Compares the stream's counts and its last record with the log.
    async fn compare_end(&mut self, epoch: Epoch, published: u64) -> Result<(), RelayError> {
        let (now_epoch, head) = in_time(head_row(self.log.reader())).await?;
        if now_epoch != epoch {
            return Err(RelayError::LogMoved);
        }
        match compare::end(&self.log, &self.stream, epoch, head).await? {
            // It lost its tail: go on from there.
            Verdict::CopyUpTo(last) if last < published => Err(RelayError::LostTail(last)),
            Verdict::CopyUpTo(_) => {
                self.rebuilds_in_a_row = 0;
                self.audited(Some(published));
                Ok(())
            }
            Verdict::Missing => Err(RelayError::Gone),
            Verdict::NoCopy(reason, evidence) => Err(self.refuse(reason, evidence).await),
        }
    }

    /// Compares the next records, if any are due now, and says how long to rest then.
    async fn compare_step(&mut self, epoch: Epoch, published: u64) -> Result<Option<Duration>, RelayError> {
        let Some(from) = self.walk.next(published) else { return Ok(None) };
        let began = Instant::now();
        match compare::step(&self.log, &self.stream, epoch, from, published).await? {
            Verdict::CopyUpTo(to) => {
                self.walk.step(from, to, published);
                self.audited(None);
                Ok(Some(Walk::rest(began.elapsed())))
            }
            Verdict::Missing => Err(RelayError::Gone),
            Verdict::NoCopy(reason, evidence) => Err(self.refuse(reason, evidence).await),
        }
    }

    /// Nothing wrong was found: at the end of a stream of that length, or in a step.
    fn audited(&self, end_of: Option<u64>) {
        self.status.send_modify(|status| {
            let before = status.last_audit.filter(|_| end_of.is_none()).map(|audit| (audit.at, audit.published));
            let (at, published) = before.unwrap_or((Timestamp::now(), end_of.unwrap_or(status.published)));
            let (compared_to, whole_since) = (self.walk.compared(), self.walk.whole());
            let audit = Audit { at, published, compared_to, whole_since };
            self.meters.audited(&audit, end_of.is_some());
            status.last_audit = Some(audit);
        });
    }

    /// Makes the stream anew, and says why it is not continued.
    async fn refuse(&mut self, reason: RebuildReason, evidence: Option<Published>) -> RelayError {
        self.rebuild(reason, evidence).await.err().unwrap_or(RelayError::NoCopy(reason))
    }

    /// Deletes the stream and makes it again, empty. Where it holds another event than the log, in the log's own
    /// epoch, the log begins a new epoch first.
    async fn rebuild(
        &mut self,
        reason: RebuildReason,
        evidence: Option<Published>,
    ) -> Result<(Epoch, u64), RelayError> {
        if let Some(evidence) = evidence {
            self.log.compare_with_published(&evidence).await?;
        }
        let epoch = self.log.epoch();
        warn!(log = self.log.name(), %epoch, ?reason, "the stream is no copy of the log: making it again");
        // Whoever keeps writing to the stream makes us rebuild it more and more seldom.
        let pause = Duration::from_millis(100) * self.rebuilds_in_a_row.min(100).pow(2);
        tokio::time::sleep(pause.min(Duration::from_mins(1))).await;
        self.rebuilds_in_a_row += 1;
        self.stream.delete().await?;
        self.stream.create(epoch, self.config.replicas).await?;
        (self.walk, self.standstill) = (Walk::new(), None);
        self.meters.rebuilt(reason);
        // At once: what was compared is gone.
        self.status.send_modify(|status| {
            (status.epoch, status.published, status.state) = (epoch, 0, RelayState::Filling);
            (status.last_rebuild, status.last_audit) = (Some(reason), None);
            status.rebuilds += 1;
        });
        Ok((epoch, 0))
    }

    fn report(&self, epoch: Epoch, published: u64, state: RelayState) {
        let head = self.log.head();
        self.meters.report(head, published, true);
        self.status.send_modify(|status| {
            (status.epoch, status.head, status.published, status.state) = (epoch, head, published, state);
        });
    }

    fn connection(&self) -> u64 {
        self.stream.nats().connections()
    }

    fn retrying(&self, error: &RelayError) {
        let (text, trouble) = (chain(error), Trouble::of(error, self.standstill.as_ref()));
        let head = self.log.head();
        self.meters.report(head, self.status.borrow().published, false);
        self.status.send_modify(|status| {
            let before = match &status.state {
                RelayState::Retrying { since, trouble, .. } => Some((*since, *trouble)),
                RelayState::Filling | RelayState::Following => None,
            };
            if before.is_none_or(|(_, before)| before != trouble) {
                let (log, advice) = (self.log.name(), trouble.advice());
                warn!(log, error = text, advice, "the relay is behind and tries again");
            }
            let since = before.map_or_else(Timestamp::now, |(since, _)| since);
            (status.head, status.state) = (head, RelayState::Retrying { since, trouble, error: text.clone() });
        });
    }
}
