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

use std::{convert::Infallible, time::Duration};

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::Timestamp;
use tokio::{sync::watch, time::Instant};
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, info, warn};

pub use self::{
    compare::RebuildReason,
    status::{Audit, RelayState, RelayStatus},
};
use self::{compare::Verdict, status::Meters};
use crate::{
    Epoch, Log, Nats, NatsError, PageLimit, Published, StoreError, StoredEvent, chain::chain, log::head_row,
    nats::BATCH_LENGTH, nats::LogStream, trace,
};

/// How a relay works.
#[derive(Debug, Clone)]
pub struct RelayConfig {
    /// Replicas of the stream in a NATS cluster: 1, 3 or 5.
    pub replicas: usize,
    /// How often the stream is compared with the log while all is calm.
    pub audit_every: Duration,
    /// How many records an audit compares byte for byte: a window that moves on with each audit, until it has seen the
    /// whole stream, and begins again.
    pub audit_window: usize,
}

impl Default for RelayConfig {
    fn default() -> Self {
        Self { replicas: 1, audit_every: Duration::from_secs(10), audit_window: 1_000 }
    }
}

/// Why the copy cannot go on for now.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RelayError {
    #[error(transparent)]
    Nats(#[from] NatsError),
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the log is not where it was")]
    LogMoved,
}

/// How long an idle relay sleeps at most before it looks at the connection again.
const TICK: Duration = Duration::from_secs(1);
/// Longest pause between two tries.
const MAX_PAUSE: Duration = Duration::from_secs(1);

/// Starts the relay of a log; it ends with `shutdown`. No failure of NATS or Postgres ends it or anything else.
pub fn start(log: Log, nats: &Nats, config: RelayConfig, shutdown: CancellationToken) -> watch::Receiver<RelayStatus> {
    let stream = nats.stream_of(log.name());
    let (status, receiver) = watch::channel(RelayStatus::new(log.epoch(), log.head()));
    let meters = Meters::new(log.name());
    let relay = Relay { log, stream, config, status, meters, audited: 0, rebuilds_in_a_row: 0 };
    tokio::spawn(async move {
        shutdown.run_until_cancelled(relay.run()).await;
    });
    receiver
}

/// What the stream of a log holds at its end, to be compared with the log before it takes commands; `None`: there is
/// no stream, it is empty, or what it ends with was not published by a relay.
pub async fn published_head(nats: &Nats, log: &str) -> Result<Option<Published>, NatsError> {
    let stream = nats.stream_of(log);
    let Some(state) = stream.state().await?.filter(|state| state.last > 0) else { return Ok(None) };
    match stream.record(state.last).await {
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
    /// Up to where the moving window of the audits has come.
    audited: u64,
    rebuilds_in_a_row: u32,
}

impl Relay {
    async fn run(mut self) {
        let mut pause = Duration::ZERO;
        loop {
            let before = self.status.borrow().published;
            let Err(error) = self.keep_up().await;
            let progressed = self.status.borrow().published != before;
            pause = if progressed {
                Duration::from_millis(50)
            } else {
                (pause * 2).clamp(Duration::from_millis(50), MAX_PAUSE)
            };
            self.retrying(&error);
            tokio::time::sleep(pause).await;
        }
    }

    /// Brings the stream to the log's head and keeps it there, until something fails.
    async fn keep_up(&mut self) -> Result<Infallible, RelayError> {
        let mut head = self.log.watch_head();
        let (epoch, mut published) = self.reconcile().await?;
        let mut connections = self.stream.nats().connections();
        let mut audit_at = Instant::now();
        loop {
            if self.log.epoch() != epoch {
                return Err(RelayError::LogMoved);
            }
            let committed = *head.borrow_and_update();
            published = self.publish_up_to(committed, published, epoch).await?;
            let reconnected = self.stream.nats().connections() != connections;
            if reconnected || Instant::now() >= audit_at {
                connections = self.stream.nats().connections();
                self.audit(epoch, published).await?;
                audit_at = Instant::now() + self.config.audit_every;
            }
            // The tick is for the connection and the audit; the channel is open as long as the log is held.
            let _ = tokio::time::timeout(TICK.min(self.config.audit_every), head.changed()).await;
        }
    }

    /// Publishes what the log has beyond `published`, and says how far the stream is then. Never beyond the head that
    /// the appender has announced.
    async fn publish_up_to(&self, head: u64, mut published: u64, epoch: Epoch) -> Result<u64, RelayError> {
        while published < head {
            let limit = PageLimit { events: BATCH_LENGTH, bytes: 4 * 1024 * 1024 };
            let page = self.log.page(published + 1, limit).await?;
            let events = page.into_iter().take_while(|event| event.position <= head);
            let events: Vec<(StoredEvent, EventRecord)> =
                events.map(|event| event.decode().map(|record| (event, record))).collect::<Result<_, _>>()?;
            let last = events.last().map(|(last, _)| last.position);
            // What was read after an epoch began is not of this one.
            let Some(last) = last.filter(|_| self.log.epoch() == epoch) else { return Err(RelayError::LogMoved) };
            let span = tracing::info_span!(
                "relay",
                otel.kind = "producer",
                log = self.log.name(),
                last,
                events = events.len()
            );
            trace::continue_from(&span, events.iter().map(|(_, record)| record.traceparent.as_str()));
            self.stream.publish(epoch, &events).instrument(span).await?;
            published = last;
            self.report(epoch, published, if published < head { RelayState::Filling } else { RelayState::Following });
        }
        self.report(epoch, published, RelayState::Following);
        Ok(published)
    }

    /// Finds out how far the stream is a copy of the log, making or rebuilding it where it is none.
    async fn reconcile(&mut self) -> Result<(Epoch, u64), RelayError> {
        // Postgres, not memory, says what may be deleted.
        let (epoch, head) = head_row(self.log.reader()).await?;
        if epoch != self.log.epoch() {
            return Err(RelayError::LogMoved);
        }
        match compare::end(&self.log, &self.stream, epoch, head).await? {
            Verdict::CopyUpTo(position) => Ok((epoch, position)),
            Verdict::Missing => {
                self.stream.create(epoch, self.config.replicas).await?;
                info!(log = self.log.name(), %epoch, "made the stream");
                Ok((epoch, 0))
            }
            Verdict::NoCopy(reason, evidence) => self.rebuild(reason, evidence).await,
        }
    }

    /// Compares the stream with the log: its end, its counts, and the next window of records.
    async fn audit(&mut self, epoch: Epoch, published: u64) -> Result<(), RelayError> {
        let (now_epoch, head) = head_row(self.log.reader()).await?;
        if now_epoch != epoch {
            return Err(RelayError::LogMoved);
        }
        let mut verdict = compare::end(&self.log, &self.stream, epoch, head).await?;
        let from = if self.audited >= published { 1 } else { self.audited + 1 };
        if let Verdict::CopyUpTo(last) = verdict {
            if last < published {
                // It lost its tail: go on from there.
                return Err(NatsError::NotPublished(format!("it ends at sequence {last}")).into());
            }
            verdict =
                compare::window(&self.log, &self.stream, epoch, from, self.config.audit_window, published).await?;
        }
        match verdict {
            Verdict::CopyUpTo(to) => {
                self.audited = to;
                self.rebuilds_in_a_row = 0;
                let audit = Audit { at: Timestamp::now(), published, compared_from: from, compared_to: to };
                self.meters.audited();
                self.status.send_modify(|status| status.last_audit = Some(audit));
                Ok(())
            }
            Verdict::Missing => Err(NatsError::NotPublished("the stream is gone".to_owned()).into()),
            Verdict::NoCopy(reason, evidence) => {
                self.rebuild(reason, evidence).await?;
                // From the start again, and this time the stream is found as it was just made.
                Err(NatsError::NotPublished(format!("{reason:?}")).into())
            }
        }
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
        self.audited = 0;
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

    fn retrying(&self, error: &RelayError) {
        let text = chain(error);
        let head = self.log.head();
        self.meters.report(head, self.status.borrow().published, false);
        self.status.send_modify(|status| {
            let since = match &status.state {
                RelayState::Retrying { since, .. } => *since,
                RelayState::Filling | RelayState::Following => {
                    warn!(log = self.log.name(), error = text, "the relay is behind and tries again");
                    Timestamp::now()
                }
            };
            (status.head, status.state) = (head, RelayState::Retrying { since, error: text.clone() });
        });
    }
}
