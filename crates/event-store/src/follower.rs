//! Followers: the projections and reactions of a service, each at its own pace through the log that it follows.
//!
//! Guarantees: a follower's effects come in order of position and exactly once (a projection's because its checkpoint
//! moves in the transaction of its rows, a reaction's because the request id is derived from the event). Before it goes
//! on it finds the last record that it knows again, byte for byte; another one in its place, a gap, or a log that is
//! shorter stops it with an error that it retries, since a copy in NATS repairs itself. In another epoch it begins again
//! from position 1. An event that cannot be applied stops its follower for good, and no other.

pub(crate) mod keeper;
mod run;
mod status;

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::{mpsc, watch};
use tokio_util::sync::CancellationToken;

use self::keeper::Keeper;
pub use self::status::{Board, FollowerState, FollowerStatus};
use crate::{
    Comparing, Comparison, Freshness, GenerationError, Generations, GenerationsRecord, Log, Nats, Projection, Reaction,
    feed::{Feed, Source},
    subscription::Subscription,
};

/// What follows logs in a service, before it starts.
pub struct Followers {
    generations: Generations,
    own: Option<Log>,
    nats: Option<Nats>,
    projections: Vec<Arc<dyn Projection>>,
    reactions: Vec<Arc<dyn Reaction>>,
}

/// How long a service that starts waits for logs that cannot be seen.
const PATIENCE: Duration = Duration::from_secs(10);

/// What a follower does with events.
pub(crate) enum Work {
    Projection(Arc<dyn Projection>),
    Reaction(Arc<dyn Reaction>, Log),
}

impl Work {
    fn name(&self) -> &'static str {
        match self {
            Self::Projection(projection) => projection.name(),
            Self::Reaction(reaction, _) => reaction.name(),
        }
    }

    fn source(&self) -> &str {
        match self {
            Self::Projection(projection) => projection.source(),
            Self::Reaction(reaction, _) => reaction.source(),
        }
    }
}

/// How far projections may go for now, by log.
#[derive(Debug, Clone, Default)]
pub(crate) struct Limits(pub BTreeMap<String, u64>);

impl Limits {
    fn of(&self, log: &str) -> u64 {
        self.0.get(log).copied().unwrap_or(u64::MAX)
    }
}

/// The logs that followers of a service read, each once for all of them.
pub(crate) type Feeds = BTreeMap<String, Arc<Feed>>;

impl Followers {
    /// None yet; their checkpoints are kept beside the read models.
    pub fn new(read_models: impl Into<Generations>) -> Self {
        Self { generations: read_models.into(), own: None, nats: None, projections: Vec::new(), reactions: Vec::new() }
    }

    /// The service's own log, read from Postgres: its followers work while NATS does not.
    #[must_use]
    pub fn own_log(mut self, log: &Log) -> Self {
        self.own = Some(log.clone());
        self
    }

    /// Where the logs of other services are read.
    #[must_use]
    pub fn other_logs(mut self, nats: &Nats) -> Self {
        self.nats = Some(nats.clone());
        self
    }

    /// Adds a projection.
    #[must_use]
    pub fn projection(mut self, projection: impl Projection) -> Self {
        self.projections.push(Arc::new(projection));
        self
    }

    /// Adds a reaction, whose commands go to the service's own log.
    #[must_use]
    pub fn reaction(mut self, reaction: impl Reaction) -> Self {
        self.reactions.push(Arc::new(reaction));
        self
    }

    /// Starts them all; they end with `shutdown`. Those who follow the same log share what is read of it.
    ///
    /// # Panics
    /// Where two have the same name, one follows another service's log and no NATS was named, or one is a reaction and
    /// no log of its own service was: mistakes of the service's own wiring.
    pub fn start(self, shutdown: &CancellationToken) -> Following {
        let feeds = self.feeds(shutdown);
        let reactions = self.reactions.into_iter().map(|reaction| {
            Work::Reaction(reaction, self.own.clone().expect("a reaction has a log of its own service"))
        });
        let keeper = Keeper::start(self.generations, feeds.clone(), self.projections, reactions, shutdown.clone());
        let board = keeper.board();
        Following { freshness: Freshness::new(self.own, feeds, board.clone()), board, keeper }
    }

    fn feeds(&self, shutdown: &CancellationToken) -> Feeds {
        let of_projections = self.projections.iter().map(|projection| projection.source());
        let logs = of_projections.chain(self.reactions.iter().map(|reaction| reaction.source()));
        let mut feeds = Feeds::new();
        for log in logs {
            feeds.entry(log.to_owned()).or_insert_with_key(|log| {
                Feed::new(match &self.own {
                    Some(own) if own.name() == log => Source::Own(own.clone()),
                    _ => {
                        let nats = self.nats.as_ref().expect("another service's log is followed through NATS");
                        Source::Other(Arc::new(Subscription::start(nats, log, shutdown.clone())))
                    }
                })
            });
        }
        feeds
    }
}

/// The followers of a service at work.
#[derive(Clone)]
pub struct Following {
    freshness: Freshness,
    board: watch::Receiver<Board>,
    keeper: Arc<Keeper>,
}

impl Following {
    /// What the service's answers have seen.
    pub fn freshness(&self) -> Freshness {
        self.freshness.clone()
    }

    /// How each follower is.
    pub fn status(&self) -> watch::Receiver<Board> {
        self.board.clone()
    }

    /// Waits until every follower has seen, once, all that its log held: until then answers may miss what is long
    /// recorded. One that is stopped is not waited for, nor, after a while, one whose log cannot be seen: a service
    /// does its own work without NATS and without the others, and tokens keep its answers honest.
    pub async fn caught_up(&self) {
        let mut board = self.board.clone();
        let seen = |follower: &FollowerStatus| {
            follower.has_caught_up || matches!(follower.state, FollowerState::Stopped { .. })
        };
        let all_seen = board.wait_for(|board| board.values().all(seen));
        if tokio::time::timeout(PATIENCE, all_seen).await.is_ok_and(|ended| ended.is_ok()) {
            return;
        }
        let blind = |follower: &FollowerStatus| {
            follower.epoch.is_none() || matches!(follower.state, FollowerState::Retrying { .. })
        };
        let rest = board.wait_for(|board| board.values().all(|follower| seen(follower) || blind(follower)));
        if rest.await.is_err() {
            // They ended before: nobody will ever catch up.
            std::future::pending::<()>().await;
        }
    }

    /// Which generations of the read models there are.
    pub async fn generations(&self) -> Result<GenerationsRecord, GenerationError> {
        self.keeper.generations().await
    }

    /// Begins to make a generation beside the one that serves; whatever else was beside it is dropped. `version` is the
    /// number that [`GenerationsRecord::next`] says; asked for again, nothing more happens.
    pub async fn rebuild(&self, version: u32, by: &str) -> Result<(), GenerationError> {
        self.keeper.rebuild(version, by).await
    }

    /// Compares a generation with the one that serves, row by row, and says what it does and finds. Where the receiver
    /// is gone it ends and writes nothing down.
    pub async fn compare(&self, version: u32, said: mpsc::Sender<Comparing>) -> Result<Comparison, GenerationError> {
        self.keeper.compare(version, said).await
    }

    /// Lets queries be answered from a generation that has caught up and was compared without differences, or
    /// `unchecked` whatever comparisons say. The one that served is kept up to date.
    pub async fn switch(&self, version: u32, unchecked: bool, by: &str) -> Result<(), GenerationError> {
        self.keeper.switch(version, unchecked, by).await
    }

    /// Lets queries be answered again from the generation that served before.
    pub async fn back(&self, version: u32, by: &str) -> Result<(), GenerationError> {
        self.keeper.back(version, by).await
    }

    /// Drops a generation that does not serve.
    pub async fn drop_generation(&self, version: u32) -> Result<(), GenerationError> {
        self.keeper.drop_generation(version).await
    }
}
