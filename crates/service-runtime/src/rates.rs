//! What one organisation may take of a service: commands and queries in a second, calls, reads and replays at a time.
//!
//! It is the verified organisation that counts, not the address or the person: a ministry that works through ten
//! machines has one budget, and one that shares its line with others does not share theirs.

use std::{
    num::NonZeroUsize,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use contracts::toguna::errors::v1::ErrorReason;
use lru::LruCache;
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore},
    time::Instant,
};
use tonic::Status;

use crate::{Limits, language::Wording, status};

/// How many organisations are remembered; one that was forgotten begins with full budgets.
const REMEMBERED: NonZeroUsize = NonZeroUsize::new(10_000).expect("some are remembered");
/// After how long to come again where it is not known when another call will end.
const WHILE: Duration = Duration::from_secs(1);

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Something is to be written.
    Command,
    /// Something is to be read.
    Query,
}

/// The budgets of all organisations.
#[derive(Debug)]
pub(crate) struct Rates {
    began: Instant,
    commands: Budget,
    queries: Budget,
    calls_at_once: u32,
    reads_at_once: u32,
    replays_at_once: u32,
    accounts: Mutex<LruCache<String, Account>>,
}

/// So many a second in the long run, so many at once after a silence.
#[derive(Debug, Clone, Copy)]
struct Budget {
    per_second: u32,
    /// Between one call and the next at that rate.
    step: Duration,
    /// How far a caller may be ahead of that rate.
    ahead: Duration,
}

impl Budget {
    fn new(per_second: u32, burst: u32) -> Self {
        let step = Duration::from_secs(1) / per_second;
        Self { per_second, step, ahead: step * burst }
    }
}

/// What one organisation has taken.
#[derive(Debug)]
struct Account {
    commands: Pace,
    queries: Pace,
    calls: Arc<AtomicU32>,
    reads: Arc<Semaphore>,
    replays: Arc<AtomicU32>,
}

/// When the next call would come if all had come at the rate of the budget: a leaky bucket in one number.
#[derive(Debug, Default)]
struct Pace(Duration);

impl Pace {
    /// Takes one call; or says how long to wait.
    fn take(&mut self, budget: Budget, now: Duration) -> Result<(), Duration> {
        let next = self.0.max(now) + budget.step;
        match next.checked_sub(now + budget.ahead) {
            Some(wait) if !wait.is_zero() => Err(wait),
            _ => {
                self.0 = next;
                Ok(())
            }
        }
    }
}

/// One of so many; it is given back when dropped.
#[derive(Debug)]
pub(crate) struct Turn(Arc<AtomicU32>);

impl Turn {
    fn take(taken: &Arc<AtomicU32>, most: u32) -> Option<Self> {
        if taken.fetch_add(1, Ordering::Relaxed) < most {
            return Some(Self(taken.clone()));
        }
        taken.fetch_sub(1, Ordering::Relaxed);
        None
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Rates {
    pub fn new(limits: &Limits) -> Self {
        Self {
            began: Instant::now(),
            commands: Budget::new(limits.commands_per_second, limits.commands_burst),
            queries: Budget::new(limits.queries_per_second, limits.queries_burst),
            calls_at_once: limits.calls_at_once,
            reads_at_once: limits.reads_at_once,
            replays_at_once: limits.replays_at_once,
            accounts: Mutex::new(LruCache::new(REMEMBERED)),
        }
    }

    /// Lets an organisation's call in, at a time: the call holds its turn until its answer has gone.
    pub fn call(&self, organisation: &str, kind: Kind, at: Instant) -> Result<Turn, Status> {
        let now = at.saturating_duration_since(self.began);
        let (budget, paced, turn) = self.account(organisation, |account| match kind {
            Kind::Command => (self.commands, account.commands.take(self.commands, now), self.turn(account)),
            Kind::Query => (self.queries, account.queries.take(self.queries, now), self.turn(account)),
        });
        paced.map_err(|wait| too_fast(organisation, kind, budget, wait))?;
        turn.ok_or_else(|| too_many(organisation, ("calls", "appels").into(), self.calls_at_once))
    }

    /// A turn to read the database. An organisation's queries wait for each other here, so that however many they are
    /// those of others find a connection.
    pub async fn read(&self, organisation: &str) -> OwnedSemaphorePermit {
        let reads = self.account(organisation, |account| account.reads.clone());
        reads.acquire_owned().await.expect("it is never closed")
    }

    /// Lets an organisation's replay in.
    pub fn replay(&self, organisation: &str) -> Result<Turn, Status> {
        let turn = self.account(organisation, |account| Turn::take(&account.replays, self.replays_at_once));
        turn.ok_or_else(|| too_many(organisation, ("replays", "relectures").into(), self.replays_at_once))
    }

    fn opened(&self) -> Account {
        Account {
            commands: Pace::default(),
            queries: Pace::default(),
            calls: Arc::default(),
            reads: Arc::new(Semaphore::new(usize::try_from(self.reads_at_once).unwrap_or(usize::MAX))),
            replays: Arc::default(),
        }
    }

    fn turn(&self, account: &Account) -> Option<Turn> {
        Turn::take(&account.calls, self.calls_at_once)
    }

    fn account<T>(&self, organisation: &str, f: impl FnOnce(&mut Account) -> T) -> T {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        match accounts.get_mut(organisation) {
            Some(account) => f(account),
            None => f(accounts.get_or_insert_mut(organisation.to_owned(), || self.opened())),
        }
    }
}

fn too_fast(organisation: &str, kind: Kind, budget: Budget, wait: Duration) -> Status {
    let what = match kind {
        Kind::Command => ("commands", "commandes"),
        Kind::Query => ("queries", "requêtes"),
    };
    let limit = budget.per_second.to_string();
    let exceeded = Wording::from((format!("{limit} {} a second", what.0), format!("{limit} {} par seconde", what.1)));
    status::refused(ErrorReason::RateLimited)
        .with("organisation", organisation.to_owned())
        .with("kind", what)
        .with("limit", limit)
        .exceeding(organisation.to_owned(), exceeded)
        .retry_in(wait)
        .into()
}

fn too_many(organisation: &str, what: Wording, most: u32) -> Status {
    let limit = most.to_string();
    let exceeded = Wording::from((format!("{limit} {} at a time", what.en), format!("{limit} {} à la fois", what.fr)));
    status::refused(ErrorReason::TooManyAtOnce)
        .with("organisation", organisation.to_owned())
        .with("kind", what)
        .with("limit", limit)
        .exceeding(organisation.to_owned(), exceeded)
        .retry_in(WHILE)
        .into()
}

#[cfg(test)]
mod tests;
