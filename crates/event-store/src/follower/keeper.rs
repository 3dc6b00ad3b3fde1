//! Keeps every generation of a service's read models up to date, and changes which of them serves.
//!
//! What there is and what serves is written in schema `read_models`; this follows it, also when another process of the
//! same service has changed it.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use sqlx::PgPool;
use tokio::sync::{MutexGuard, mpsc, watch};
use tokio_util::{sync::CancellationToken, task::TaskTracker};
use tracing::{info, warn};

use super::{
    Board, Feeds, FollowerState, Limits, Work,
    run::Follower,
    status::{REACTIONS, Reporter},
};
use crate::{
    Comparing, Comparison, GenerationError, Generations, GenerationsRecord, Projection,
    generations::{
        Generation,
        compare::{self, Pair},
        registry::{self, Registry},
    },
    read_models,
};

/// How often it looks at what is written.
const LOOK: Duration = Duration::from_secs(2);
/// Events that a generation may lack when another is to wait for it: more take too long.
const NEAR: u64 = 5_000;
/// How long one waits for the other.
const WAIT: Duration = Duration::from_secs(5);
/// How often two generations are brought to one place before that is given up.
const TRIES: usize = 5;
/// Who makes a generation of a new shape live.
const PROGRAM: &str = "toguna";

pub(crate) struct Keeper {
    registry: Option<Registry>,
    serving: watch::Sender<Generation>,
    board: Arc<watch::Sender<Board>>,
    limits: watch::Sender<Limits>,
    feeds: Feeds,
    projections: Vec<Arc<dyn Projection>>,
    /// Held while anything is done to the generations.
    work: tokio::sync::Mutex<()>,
    running: Mutex<BTreeMap<u32, Running>>,
    shutdown: CancellationToken,
}

/// The projections of one generation at work.
#[derive(Clone)]
struct Running {
    pool: PgPool,
    stop: CancellationToken,
    tasks: TaskTracker,
}

/// While it is there, projections stay where they are.
struct Held<'a>(&'a watch::Sender<Limits>);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.send_replace(Limits::default());
    }
}

impl Keeper {
    pub fn start(
        generations: Generations,
        feeds: Feeds,
        projections: Vec<Arc<dyn Projection>>,
        reactions: impl Iterator<Item = Work>,
        shutdown: CancellationToken,
    ) -> Arc<Self> {
        let Generations { registry, serving } = generations;
        let live = serving.borrow().clone();
        let keeper = Arc::new(Self {
            registry,
            serving,
            board: Arc::new(watch::Sender::new(Board::new(live.version))),
            limits: watch::Sender::default(),
            feeds,
            projections,
            work: tokio::sync::Mutex::default(),
            running: Mutex::default(),
            shutdown,
        });
        keeper.run(live.version, live.pool.clone());
        let of_reactions = keeper.registry.as_ref().map_or(&live.pool, |registry| &registry.pool);
        for work in reactions {
            let follower = keeper.follower(REACTIONS, work, of_reactions.clone());
            let shutdown = keeper.shutdown.clone();
            tokio::spawn(async move { shutdown.run_until_cancelled(follower.run()).await });
        }
        if keeper.registry.is_some() {
            let (keeping, shutdown) = (keeper.clone(), keeper.shutdown.clone());
            tokio::spawn(async move { shutdown.run_until_cancelled(keeping.keep()).await });
        }
        keeper
    }

    pub fn board(&self) -> watch::Receiver<Board> {
        self.board.subscribe()
    }

    /// Starts the projections of a generation.
    fn run(&self, version: u32, pool: PgPool) {
        let running = Running { pool, stop: self.shutdown.child_token(), tasks: TaskTracker::new() };
        for projection in &self.projections {
            let follower = self.follower(version, Work::Projection(projection.clone()), running.pool.clone());
            let stop = running.stop.clone();
            running.tasks.spawn(async move { stop.run_until_cancelled(follower.run()).await });
        }
        running.tasks.close();
        self.running().insert(version, running);
    }

    fn follower(&self, generation: u32, work: Work, pool: PgPool) -> Follower {
        let feed = self.feeds[work.source()].clone();
        let reporter = Reporter::new(generation, work.name(), work.source(), self.board.clone());
        Follower::new(work, feed, pool, self.limits.subscribe(), reporter)
    }

    fn running(&self) -> std::sync::MutexGuard<'_, BTreeMap<u32, Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Ends the projections of a generation, in no transaction of theirs.
    async fn stop(&self, version: u32) {
        let Some(running) = self.running().remove(&version) else { return };
        running.stop.cancel();
        running.tasks.wait().await;
        running.pool.close().await;
        self.board.send_modify(|board| board.forget(version));
        info!(version, "a generation of the read models is followed no more");
    }

    async fn keep(&self) {
        let mut troubled = false;
        loop {
            if let Ok(_work) = self.work.try_lock() {
                match self.reconcile().await {
                    Ok(()) => troubled = false,
                    Err(error) if !std::mem::replace(&mut troubled, true) => {
                        warn!(error = &error as &dyn std::error::Error, "the generations cannot be kept for now");
                    }
                    Err(_) => {}
                }
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    /// Does what is written: follows each generation that can be read, and no other, and serves the live one.
    async fn reconcile(&self) -> Result<(), GenerationError> {
        let registry = self.registry()?;
        let written = registry.read().await?;
        let serving = self.serving.borrow().version;
        let readable: Vec<u32> =
            written.generations.iter().filter(|known| known.is_readable).map(|known| known.version).collect();
        let followed: Vec<u32> = self.running().keys().copied().collect();
        for version in readable.iter().filter(|version| !followed.contains(version)) {
            let pool = registry.open_generation(*version).await?;
            info!(version, "follows a generation of the read models");
            self.run(*version, pool);
        }
        for version in followed.iter().filter(|version| !readable.contains(version) && **version != serving) {
            self.stop(*version).await;
        }
        registry.remove_dropped().await?;
        if written.live == serving {
            return Ok(());
        }
        if readable.contains(&written.live) {
            // Another process has switched.
            return self.adopt(written.live, None).await;
        }
        // The live one is of another shape: an older program served it, and this one takes over.
        let caught_up = self.board.borrow().of_generation(serving).all(|(_, status)| status.has_caught_up);
        if caught_up {
            let mut transaction = registry.pool.begin().await?;
            registry::go_live(&mut transaction, written.live, serving, PROGRAM).await?;
            transaction.commit().await?;
            info!(version = serving, "a generation of a new shape is live");
        }
        Ok(())
    }

    pub async fn generations(&self) -> Result<GenerationsRecord, GenerationError> {
        Ok(self.registry()?.read().await?)
    }

    pub async fn rebuild(&self, version: u32, by: &str) -> Result<(), GenerationError> {
        let registry = self.registry()?;
        let _work = self.begin().await?;
        let written = registry.read().await?;
        let serving = self.serving.borrow().version;
        if version == written.live {
            return Err(GenerationError::Serves { version });
        }
        if serving != written.live {
            // It is taking over itself.
            return Err(GenerationError::Busy);
        }
        if written.generations.iter().any(|known| known.version == version && known.is_readable) {
            return self.reconcile().await;
        }
        if version != written.next {
            return Err(GenerationError::Unknown { version, next: written.next });
        }
        for beside in written.generations.iter().filter(|known| known.version != written.live && known.is_readable) {
            self.forget(registry, beside.version).await?;
        }
        read_models::remove(&registry.roles, &registry.schema(version)).await?;
        registry.add(version, by).await?;
        info!(version, by, "makes a generation of the read models beside the live one");
        self.reconcile().await
    }

    pub async fn compare(&self, version: u32, said: mpsc::Sender<Comparing>) -> Result<Comparison, GenerationError> {
        let registry = self.registry()?;
        let _work = self.begin().await?;
        self.beside(&registry.read().await?, version)?;
        let pair = Pair { keeper: self, registry, live: self.serving.borrow().version, beside: version };
        let comparison = compare::run(&pair, &self.projections, &self.feeds, &said).await?;
        registry.compared(version, &comparison).await?;
        info!(version, rows = comparison.rows, differing = comparison.differing, "compared with the live generation");
        Ok(comparison)
    }

    pub async fn switch(&self, version: u32, unchecked: bool, by: &str) -> Result<(), GenerationError> {
        let _work = self.begin().await?;
        let written = self.registry()?.read().await?;
        if version == written.live {
            return self.reconcile().await;
        }
        self.beside(&written, version)?;
        let known = written.generations.iter().find(|known| known.version == version);
        match known.and_then(|known| known.comparison.as_ref()) {
            _ if unchecked => {}
            None => return Err(GenerationError::NotCompared { version }),
            Some(comparison) if comparison.differing > 0 => {
                return Err(GenerationError::Differs { version, rows: comparison.differing });
            }
            Some(_) => {}
        }
        self.adopt(version, Some(by)).await
    }

    pub async fn back(&self, version: u32, by: &str) -> Result<(), GenerationError> {
        let _work = self.begin().await?;
        let written = self.registry()?.read().await?;
        if version == written.live {
            return self.reconcile().await;
        }
        self.beside(&written, version)?;
        if written.previous != Some(version) {
            return Err(GenerationError::DidNotServe { version });
        }
        self.adopt(version, Some(by)).await
    }

    pub async fn drop_generation(&self, version: u32) -> Result<(), GenerationError> {
        let registry = self.registry()?;
        let _work = self.begin().await?;
        let written = registry.read().await?;
        if version == written.live || version == self.serving.borrow().version {
            return Err(GenerationError::Serves { version });
        }
        if version >= written.next || version == 0 {
            return Err(GenerationError::Unknown { version, next: written.next });
        }
        self.forget(registry, version).await
    }

    async fn forget(&self, registry: &Registry, version: u32) -> Result<(), GenerationError> {
        registry.mark_dropped(version).await?;
        self.stop(version).await;
        Ok(registry.remove_dropped().await?)
    }

    fn registry(&self) -> Result<&Registry, GenerationError> {
        self.registry.as_ref().ok_or(GenerationError::Fixed)
    }

    /// One thing at a time: short ones are waited for, a comparison is not.
    async fn begin(&self) -> Result<MutexGuard<'_, ()>, GenerationError> {
        tokio::time::timeout(WAIT, self.work.lock()).await.map_err(|_| GenerationError::Busy)
    }

    /// Whether a generation is beside the one that serves, and followed here.
    fn beside(&self, written: &GenerationsRecord, version: u32) -> Result<(), GenerationError> {
        if version == self.serving.borrow().version {
            return Err(GenerationError::Serves { version });
        }
        match written.generations.iter().find(|known| known.version == version) {
            None => Err(GenerationError::Unknown { version, next: written.next }),
            Some(known) if !known.is_readable => Err(GenerationError::OtherShape { version, shape: known.shape }),
            // It was made a moment ago, by another process.
            Some(_) if !self.running().contains_key(&version) => Err(GenerationError::Busy),
            Some(_) => Ok(()),
        }
    }

    /// Serves another generation, once it has seen all that answers have seen; where somebody orders it (`by`), that is
    /// written down at the same moment.
    ///
    /// No answer goes back behind a token: while the projections of the one that serves are held, in memory and by
    /// locks on their checkpoints, the other one must have come as far; only then the pool is exchanged and after it
    /// what queries wait for. Whoever waited before reads either; whoever waits after reads the new one.
    async fn adopt(&self, version: u32, by: Option<&str>) -> Result<(), GenerationError> {
        let registry = self.registry()?;
        let from = self.serving.borrow().version;
        let pool = self.running().get(&version).map(|running| running.pool.clone()).ok_or(GenerationError::Busy)?;
        for _ in 0..TRIES {
            let _held = self.hold(&[from, version], &[version]).await?;
            let mut transaction = registry.pool.begin().await?;
            let seen = self.held_checkpoints(&mut transaction, registry, from).await?;
            let reached = self.held_checkpoints(&mut transaction, registry, version).await?;
            let covers = seen.iter().all(|(name, log, epoch, position)| {
                *position == 0
                    || reached
                        .iter()
                        .any(|(other, of, in_epoch, at)| (other, of, in_epoch) == (name, log, epoch) && at >= position)
            });
            if !covers {
                continue;
            }
            if let Some(by) = by {
                registry::go_live(&mut transaction, from, version, by).await?;
            }
            self.serving.send_replace(Generation { version, pool });
            self.board.send_modify(|board| board.go_live(version));
            transaction.commit().await?;
            info!(version, from, by, "another generation of the read models serves");
            return Ok(());
        }
        Err(GenerationError::Busy)
    }

    /// The checkpoints of a generation's projections, which stay there until the transaction ends.
    pub async fn held_checkpoints(
        &self,
        transaction: &mut sqlx::PgConnection,
        registry: &Registry,
        version: u32,
    ) -> Result<Vec<(String, String, uuid::Uuid, i64)>, GenerationError> {
        let names: Vec<String> = self.projections.iter().map(|projection| projection.name().to_owned()).collect();
        Ok(registry::held_checkpoints(transaction, &registry.schema(version), &names).await?)
    }

    /// Lets all projections go no further than those of these generations, or the log, have come by now, and waits until
    /// those that `must` have come there.
    pub async fn hold(&self, versions: &[u32], must: &[u32]) -> Result<impl Drop + use<'_>, GenerationError> {
        let mut limits: BTreeMap<String, u64> =
            self.feeds.iter().map(|(log, feed)| (log.clone(), feed.place().position)).collect();
        {
            let board = self.board.borrow();
            for (_, status) in versions.iter().flat_map(|version| board.of_generation(*version)) {
                let limit = limits.entry(status.log.clone()).or_default();
                *limit = status.position.max(*limit);
            }
        }
        let reached = |board: &Board, lacking| must.iter().try_for_each(|it| near(board, *it, &limits, lacking));
        reached(&self.board.borrow(), NEAR)?;
        self.limits.send_replace(Limits(limits.clone()));
        let held = Held(&self.limits);
        let mut board = self.board.subscribe();
        let _ = tokio::time::timeout(WAIT, board.wait_for(|board| reached(board, 0).is_ok())).await;
        reached(&self.board.borrow(), 0)?;
        Ok(held)
    }
}

/// Refuses where a projection of a generation lacks more than so many events up to these positions.
fn near(board: &Board, version: u32, limits: &BTreeMap<String, u64>, lacking: u64) -> Result<(), GenerationError> {
    for (name, status) in board.of_generation(version) {
        let projection = name.to_owned();
        if let FollowerState::Stopped { position, error, .. } = &status.state {
            return Err(GenerationError::Stopped { version, projection, position: *position, error: error.clone() });
        }
        let events = limits.get(&status.log).map_or(0, |limit| limit.saturating_sub(status.position));
        if events > lacking {
            return Err(GenerationError::Behind { version, projection, events, seconds: status.lag_seconds() });
        }
    }
    Ok(())
}
