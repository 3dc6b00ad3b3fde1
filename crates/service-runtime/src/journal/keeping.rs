//! One task writes what was refused, all that waits in one commit; refusals of a flood it counts.

use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use contracts::toguna::errors::v1::RefusalKind;
use event_store::{Actor, Journal, JournalWriter, Refused, Timestamp, refused_at};
use opentelemetry::{KeyValue, global, metrics::Counter};
use tokio::{
    sync::{mpsc, oneshot, watch},
    time::{Instant, MissedTickBehavior, interval, sleep, timeout_at},
};
use tokio_util::sync::CancellationToken;
use uuid::Uuid;

use crate::{Limits, limits::seconds, status};

/// Refusals of one commit at most.
const BATCH: usize = 256;
/// Refusals that wait to be written; what comes when they are so many is counted.
const WAITING: usize = 1024;
/// How long a refused caller waits until its refusal is written. It is told its refusal then all the same, and that is
/// written when the database is back.
const PATIENCE: Duration = Duration::from_secs(2);
/// Between two tries to write.
const PAUSE: Duration = Duration::from_secs(1);
/// For how long refusals are counted.
const MINUTE: Duration = Duration::from_mins(1);
/// How often old entries are forgotten.
const DAY: Duration = Duration::from_hours(24);

/// Takes refusals. Cheap to clone.
#[derive(Debug, Clone)]
pub(crate) struct Keeper {
    queue: mpsc::Sender<Waiting>,
    minute: Arc<Mutex<Minute>>,
    kept: Counter<u64>,
}

/// Writes what the keeper takes.
pub(crate) struct Keeping {
    journal: Journal,
    queue: mpsc::Receiver<Waiting>,
    minute: Arc<Mutex<Minute>>,
    days: u32,
    works: watch::Sender<bool>,
}

/// A refusal that is not written yet, and whoever waits until it is.
#[derive(Debug)]
struct Waiting {
    refused: Refused,
    written: Option<oneshot::Sender<()>>,
}

/// What was refused in this minute.
#[derive(Debug)]
struct Minute {
    /// Refusals of one organisation that are kept one by one.
    most: u32,
    single: HashMap<String, u32>,
    /// The others, by organisation and reason.
    counted: HashMap<(String, String), Counted>,
}

#[derive(Debug)]
struct Counted {
    kind: RefusalKind,
    first_at: Timestamp,
    last: Uuid,
    count: u64,
}

/// Both ends of a journal.
pub(crate) fn keeper(journal: Journal, limits: &Limits) -> (Keeper, Keeping) {
    let (taken, queue) = mpsc::channel(WAITING);
    let minute = Minute { most: limits.refusals_per_minute, single: HashMap::new(), counted: HashMap::new() };
    let minute = Arc::new(Mutex::new(minute));
    let meter = global::meter("toguna");
    let kept = meter.u64_counter("toguna.refusals").with_description("Refusals that are kept for auditors").build();
    let (works, _) = watch::channel(true);
    let keeping = Keeping { journal, queue, minute: minute.clone(), days: limits.refusal_days, works };
    (Keeper { queue: taken, minute, kept }, keeping)
}

impl Keeper {
    /// Keeps a refusal; returns once it is written or counted, or cannot be written for now or before `until`.
    pub async fn keep(&self, refused: Refused, until: Instant) {
        let labels =
            [KeyValue::new("kind", refused.kind.as_str_name()), KeyValue::new("reason", refused.reason.clone())];
        self.kept.add(1, &labels);
        let Some(refused) = locked(&self.minute).single(refused) else { return };
        let (written, answer) = oneshot::channel();
        if let Err(error) = self.queue.try_send(Waiting { refused, written: Some(written) }) {
            locked(&self.minute).count(error.into_inner().refused);
            return;
        }
        if timeout_at(until.min(Instant::now() + PATIENCE), answer).await.is_err() {
            tracing::warn!("a refusal is told before it is written");
        }
    }
}

impl Minute {
    /// Gives a refusal back that is to be kept by itself, and counts any other.
    fn single(&mut self, refused: Refused) -> Option<Refused> {
        let organisation = &refused.actor.organisation;
        match self.single.get_mut(organisation) {
            Some(kept) if *kept >= self.most => {
                self.count(refused);
                return None;
            }
            Some(kept) => *kept += 1,
            None => {
                self.single.insert(organisation.clone(), 1);
            }
        }
        Some(refused)
    }

    fn count(&mut self, refused: Refused) {
        let Refused { id, first_at, kind, reason, actor, .. } = refused;
        let counted = self.counted.entry((actor.organisation, reason));
        let counted = counted.or_insert(Counted { kind, first_at, last: id, count: 0 });
        counted.last = counted.last.max(id);
        counted.count += 1;
    }

    /// Begins another minute; gives what was counted in this one.
    fn end(&mut self) -> Vec<Refused> {
        self.single.clear();
        let counted = std::mem::take(&mut self.counted);
        counted.into_iter().map(|((organisation, reason), counted)| counted.entry(organisation, reason)).collect()
    }
}

impl Counted {
    fn entry(self, organisation: String, reason: String) -> Refused {
        Refused {
            id: self.last,
            first_at: self.first_at.min(refused_at(self.last)),
            count: self.count,
            kind: self.kind,
            reason,
            values: BTreeMap::new(),
            actor: Actor { issuer: String::new(), subject: String::new(), organisation, roles: Vec::new() },
            on_behalf_of: String::new(),
            method: String::new(),
            resource: String::new(),
            request_id: None,
            trace_id: String::new(),
            validate_only: false,
        }
    }
}

impl Keeping {
    /// Whether what was refused can be written.
    pub fn works(&self) -> watch::Receiver<bool> {
        self.works.subscribe()
    }

    /// Writes until `shutdown`, then what still waits, and what was counted.
    pub async fn run(mut self, shutdown: CancellationToken) -> anyhow::Result<()> {
        let mut writer = self.journal.writer();
        let (mut minutes, mut days) = (interval(MINUTE), interval(DAY));
        minutes.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut batch = Vec::with_capacity(BATCH);
        while !shutdown.is_cancelled() {
            tokio::select! {
                _ = self.queue.recv_many(&mut batch, BATCH) => {}
                _ = minutes.tick() => self.end_minute(&mut batch),
                _ = days.tick() => self.forget().await,
                () = shutdown.cancelled() => {}
            }
            self.write(&mut writer, &mut batch, &shutdown).await;
        }
        while let Ok(waiting) = self.queue.try_recv() {
            batch.push(waiting);
        }
        self.end_minute(&mut batch);
        self.write(&mut writer, &mut batch, &shutdown).await;
        Ok(())
    }

    fn end_minute(&self, batch: &mut Vec<Waiting>) {
        let counted = locked(&self.minute).end();
        batch.extend(counted.into_iter().map(|refused| Waiting { refused, written: None }));
    }

    /// Writes a batch, again and again until it is written; when the service stops, once.
    async fn write(&self, writer: &mut JournalWriter, batch: &mut Vec<Waiting>, shutdown: &CancellationToken) {
        let (entries, waiting): (Vec<_>, Vec<_>) = batch.drain(..).map(|it| (it.refused, it.written)).unzip();
        if entries.is_empty() {
            return;
        }
        while let Err(error) = writer.add(&entries).await {
            self.works.send_replace(false);
            tracing::warn!(
                error = status::chain(&error),
                entries = entries.len(),
                "refusals cannot be written for now"
            );
            if shutdown.is_cancelled() {
                tracing::error!(entries = entries.len(), "refusals are lost: the database cannot be reached");
                return;
            }
            shutdown.run_until_cancelled(sleep(PAUSE)).await;
        }
        self.works.send_replace(true);
        for written in waiting.into_iter().flatten() {
            // Nobody waits any more where the caller has gone.
            let _ = written.send(());
        }
    }

    async fn forget(&self) {
        let age = seconds(self.days) * 24 * 60 * 60;
        let Ok(before) = Timestamp::now().checked_sub(age) else { return };
        match self.journal.forget(before).await {
            Ok(0) => {}
            Ok(entries) => tracing::info!(entries, days = self.days, "refusals of long ago are forgotten"),
            Err(error) => tracing::warn!(error = status::chain(&error), "refusals of long ago are still kept"),
        }
    }
}

fn locked(minute: &Mutex<Minute>) -> std::sync::MutexGuard<'_, Minute> {
    minute.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests;
