//! Followers: the projections and reactions of a service, each at its own pace through the log that it follows.
//!
//! Guarantees: a follower's effects come in order of position and exactly once (a projection's because its checkpoint
//! moves in the transaction of its rows, a reaction's because the request id is derived from the event). Before it goes
//! on it finds the last record that it knows again, byte for byte; another one in its place, a gap, or a log that is
//! shorter stops it with an error that it retries, since a copy in NATS repairs itself. In another epoch it begins again
//! from position 1. An event that cannot be applied stops its follower for good, and no other.

mod run;
mod status;

use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};

use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

pub use self::status::{FollowerState, FollowerStatus};
use self::{run::Follower, status::Reporter};
use crate::{
    Freshness, Log, Nats, Projection, Reaction,
    feed::{Feed, Source},
    subscription::Subscription,
};

/// What follows logs in a service, before it starts.
pub struct Followers {
    read_models: PgPool,
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

impl Followers {
    /// None yet; their checkpoints are kept beside the read models.
    pub fn new(read_models: PgPool) -> Self {
        Self { read_models, own: None, nats: None, projections: Vec::new(), reactions: Vec::new() }
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
        let mut feeds: HashMap<String, Arc<Feed>> = HashMap::new();
        let (board, followers) = watch::channel(BTreeMap::new());
        let board = Arc::new(board);
        let reactions = self.reactions.into_iter().map(|reaction| {
            Work::Reaction(reaction, self.own.clone().expect("a reaction has a log of its own service"))
        });
        for work in self.projections.into_iter().map(Work::Projection).chain(reactions) {
            let (name, log) = (work.name(), work.source().to_owned());
            let feed = feeds.entry(log.clone()).or_insert_with_key(|log| {
                let source = match &self.own {
                    Some(own) if own.name() == log => Source::Own(own.clone()),
                    _ => {
                        let nats = self.nats.as_ref().expect("another service's log is followed through NATS");
                        Source::Other(Arc::new(Subscription::start(nats, log, shutdown.clone())))
                    }
                };
                Arc::new(Feed::new(source))
            });
            let reporter = Reporter::new(name, &log, board.clone());
            let follower = Follower::new(work, log, feed.clone(), self.read_models.clone(), reporter);
            let shutdown = shutdown.clone();
            tokio::spawn(async move { shutdown.run_until_cancelled(follower.run()).await });
        }
        Following { freshness: Freshness::new(self.own, followers.clone()), followers }
    }
}

/// The followers of a service at work.
#[derive(Clone)]
pub struct Following {
    freshness: Freshness,
    followers: watch::Receiver<BTreeMap<&'static str, FollowerStatus>>,
}

impl Following {
    /// What the service's answers have seen.
    pub fn freshness(&self) -> Freshness {
        self.freshness.clone()
    }

    /// How each follower is, by its name.
    pub fn status(&self) -> watch::Receiver<BTreeMap<&'static str, FollowerStatus>> {
        self.followers.clone()
    }

    /// Waits until every follower has seen, once, all that its log held: until then answers may miss what is long
    /// recorded. One that is stopped is not waited for, nor, after a while, one whose log cannot be seen: a service
    /// does its own work without NATS and without the others, and tokens keep its answers honest.
    pub async fn caught_up(&self) {
        let mut followers = self.followers.clone();
        let seen = |follower: &FollowerStatus| {
            follower.has_caught_up || matches!(follower.state, FollowerState::Stopped { .. })
        };
        let all_seen = followers.wait_for(|followers| followers.values().all(seen));
        if tokio::time::timeout(PATIENCE, all_seen).await.is_ok_and(|ended| ended.is_ok()) {
            return;
        }
        let blind = |follower: &FollowerStatus| {
            follower.epoch.is_none() || matches!(follower.state, FollowerState::Retrying { .. })
        };
        let rest = followers.wait_for(|followers| followers.values().all(|follower| seen(follower) || blind(follower)));
        if rest.await.is_err() {
            // They ended before: nobody will ever catch up.
            std::future::pending::<()>().await;
        }
    }
}
