//! The life of a service's process: what it is made of, and the order in which it starts and stops.

use std::{convert::Infallible, fs, net::SocketAddr, path::Path, process::ExitCode, sync::Arc, time::Duration};

use anyhow::Context as _;
use contracts::toguna::{
    log::v1::{journal_service_server::JournalServiceServer, log_service_server::LogServiceServer},
    operations::v1::operations_service_server::OperationsServiceServer,
};
use event_store::{
    FollowerState, Followers, Following, Log, Nats,
    publication::{self, PublicationState, Witnessing},
    relay::{self, RelayConfig, RelayState, RelayStatus},
};
use futures::future::{BoxFuture, join_all};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    sync::watch,
    task::JoinSet,
};
use tokio_stream::{StreamExt as _, wrappers::WatchStream};
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, server::NamedService};

use crate::{
    Calls, Config, Telemetry,
    journal::{self, Refusals},
    log_service::{LogPages, LogReaders, Replays, WithPages},
    operations::Operations,
    reloaded::Reloaded,
    server::Endpoints,
    status,
};

/// How long a starting service waits for NATS, to compare its log with the copy before the first command.
const WAIT_FOR_NATS: Duration = Duration::from_secs(3);
/// How long a stopping service waits for what runs in the background.
const LONGEST_END: Duration = Duration::from_secs(5);

/// What a service is built from. A service is a function that takes its parts, adds to them what it serves and what
/// follows logs, and gives them back.
pub struct Parts {
    /// What the environment says.
    pub config: Config,
    /// Verifies calls.
    pub calls: Calls,
    /// The logs of the other services; connected as soon as NATS is there.
    pub nats: Nats,
    /// Cancelled when the service takes no more calls: answers without an end are to end.
    pub stopping: CancellationToken,
    /// Cancelled after the last call: what runs in the background is to end.
    pub shutdown: CancellationToken,
    endpoints: Endpoints,
    log: Option<(Log, watch::Receiver<RelayStatus>)>,
    witnessing: Option<watch::Receiver<Witnessing>>,
    following: Option<Following>,
    ready: Vec<BoxFuture<'static, ()>>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Parts {
    async fn new(config: Config, stopping: CancellationToken) -> anyhow::Result<Self> {
        let nats = Nats::connect(config.nats_url.expose(), config.service)
            .await
            .context("NATS_URL must be the address of a nats-server, with the login where it wants one")?;
        let mut endpoints = Endpoints::within(config.limits.clone());
        endpoints.origins.clone_from(&config.web_origins);
        endpoints.tls.clone_from(&config.tls);
        endpoints.verifier = Some(config.verifier.clone());
        Ok(Self {
            calls: Calls::new(&config),
            endpoints,
            config,
            nats,
            stopping,
            shutdown: CancellationToken::new(),
            log: None,
            witnessing: None,
            following: None,
            ready: Vec::new(),
            tasks: JoinSet::new(),
        })
    }

    /// Opens the service's own log, begins to copy it to NATS, and serves it to whoever may read it. Where the copy
    /// shows that the log was restored to an earlier state, the log is in a new epoch before the first command comes.
    /// Health says of `log` whether its head row is sound, so that it may be written, and of `relay` whether the copy can
    /// be kept.
    pub async fn open_log(&mut self, readers: LogReaders) -> anyhow::Result<Log> {
        let log =
            Log::open(self.config.service, self.config.database_url.expose(), self.shutdown.clone()).await.context(
                "the log cannot be opened; DATABASE_URL must name a running PostgreSQL and the owner of a database",
            )?;
        compare_with_copy(&log, &self.nats).await?;
        let is_sound = WatchStream::new(log.watch_head_fault()).map(|fault| fault.is_none());
        self.endpoints.health.watch("log", is_sound);
        let relay = relay::start(log.clone(), &self.nats, RelayConfig::default(), self.shutdown.clone());
        self.publish(&log);
        let works = |relay: RelayStatus| !matches!(relay.state, RelayState::Retrying { .. });
        self.endpoints.health.watch("relay", WatchStream::new(relay.clone()).map(works));
        self.log = Some((log.clone(), relay));
        let (calls, stopping) = (self.calls.clone(), self.stopping.clone());
        let replays = Arc::new(Replays::new(log.clone(), calls, readers, stopping, self.config.heartbeat));
        let pages = self
            .config
            .publication
            .as_ref()
            .map(|told| LogPages::new(log.clone(), told.folder().join(log.name()), self.config.log_is_public));
        self.endpoints.pages.clone_from(&pages);
        let grpc = crate::limited!(LogServiceServer::from_arc(replays.clone()));
        self.serve(WithPages { replays, grpc, pages });
        self.keep_refusals(&log);
        Ok(log)
    }

    /// Publishes the log for others to check, where the environment says how. Health says of `publication` whether what
    /// is committed is published and signed; that witnesses are behind makes it no less well.
    fn publish(&mut self, log: &Log) {
        let Some(told) = self.config.publication.clone() else { return };
        let witnessing = publication::start(log.clone(), told, self.shutdown.clone());
        let works = |witnessing: Witnessing| witnessing.state == PublicationState::Publishing;
        self.endpoints.health.watch("publication", WatchStream::new(witnessing.clone()).map(works));
        self.witnessing = Some(witnessing);
    }

    /// How far the log is signed and witnessed; `None`: it is not published.
    pub fn witnessing(&self) -> Option<watch::Receiver<Witnessing>> {
        self.witnessing.clone()
    }

    /// Keeps what is refused beside the log, and shows it to auditors. Health says of `journal` whether it can be written.
    fn keep_refusals(&mut self, log: &Log) {
        let (keeper, keeping) = journal::keeper(log.journal().clone(), &self.config.limits);
        self.endpoints.health.watch("journal", WatchStream::new(keeping.works()));
        self.calls.keep_refusals(keeper);
        self.spawn(keeping.run(self.shutdown.clone()));
        let refusals = Refusals::new(log.journal().clone(), self.calls.clone());
        self.serve(crate::limited!(JournalServiceServer::new(refusals)));
    }

    /// Starts what follows logs: read models and reactions. Queries and commands wait for it as their tokens say.
    /// Health says SERVING once it has caught up, and of each follower as `followers/<name>` whether it works.
    pub fn follow(&mut self, followers: Followers) -> Following {
        let following = followers.start(&self.shutdown);
        self.calls.follow(following.freshness());
        let names: Vec<&'static str> = following.status().borrow().iter().map(|(name, _)| name).collect();
        for name in names {
            let states = WatchStream::new(following.status()).map(move |followers| {
                let state = followers.get(name).map(|follower| &follower.state);
                matches!(state, Some(FollowerState::CatchingUp | FollowerState::Following))
            });
            self.endpoints.health.watch(format!("followers/{name}"), states);
        }
        self.following = Some(following.clone());
        let caught_up = following.clone();
        self.ready_after(async move { caught_up.caught_up().await });
        following
    }

    /// Serves a generated gRPC server, `limited!`.
    pub fn serve<S>(&mut self, service: S)
    where
        S: tower::Service<http::Request<Body>, Response = http::Response<Body>, Error = Infallible>
            + NamedService
            + Clone
            + Send
            + Sync
            + 'static,
        S::Future: Send + 'static,
    {
        self.endpoints.add(service);
    }

    /// Serves what those who run the service see of it and do to it.
    fn serve_operations(&mut self) {
        let operations = Operations::new(self.calls.clone(), self.log.clone(), self.following.clone());
        self.serve(crate::limited!(OperationsServiceServer::new(operations)));
    }

    /// Follows the files that may change while the service runs. Health says of `issuers` and `certificates` whether
    /// theirs are sound.
    fn follow_files(&mut self) {
        self.keep("issuers", self.config.verifier.issuers().clone());
        if let Some(tls) = &self.config.tls {
            self.keep("certificates", tls.files().clone());
        }
    }

    fn keep<T: Send + Sync + 'static>(&mut self, part: &'static str, made: Arc<Reloaded<T>>) {
        self.endpoints.health.watch(part, WatchStream::new(made.is_sound()));
        self.spawn(made.keep(self.shutdown.clone()));
    }

    /// Health says SERVING only after this and everything else that was given here is done.
    pub fn ready_after(&mut self, condition: impl Future<Output = ()> + Send + 'static) {
        self.ready.push(Box::pin(condition));
    }

    /// Runs something in the background until [`Parts::shutdown`]. Where it fails, the service stops and says so.
    pub fn spawn(&mut self, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.tasks.spawn(task);
    }
}

/// Without NATS the service starts all the same: the relay compares later.
async fn compare_with_copy(log: &Log, nats: &Nats) -> anyhow::Result<()> {
    let connected = async {
        while !nats.is_connected() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let _ = tokio::time::timeout(WAIT_FOR_NATS, connected).await;
    match relay::published_head(nats, log.name()).await {
        Ok(None) => {}
        Ok(Some(published)) => {
            log.compare_with_published(&published).await?;
        }
        Err(error) => tracing::warn!(error = status::chain(&error), "the log's copy cannot be looked at for now"),
    }
    Ok(())
}

/// Runs a service until SIGTERM or SIGINT: the whole of a `main`.
pub async fn run<F>(service: &'static str, build: impl FnOnce(Parts) -> F) -> ExitCode
where
    F: Future<Output = anyhow::Result<Parts>>,
{
    let started = Config::from_env(service).map_err(anyhow::Error::from).and_then(|config| {
        let otlp = config.otlp_endpoint.as_deref();
        let telemetry = Telemetry::start(service, &config.log_filter, config.log_format, otlp)?;
        Ok((config, telemetry))
    });
    let (config, telemetry) = match started {
        Ok(started) => started,
        Err(error) => {
            eprintln!("{service}: {error:#}");
            return ExitCode::FAILURE;
        }
    };
    std::panic::set_hook(Box::new(|panic| tracing::error!(%panic, "panicked")));
    let ended = Box::pin(listen_and_serve(config, build)).await;
    if let Err(error) = &ended {
        tracing::error!(error = format!("{error:#}"), "the service failed");
    }
    telemetry.stop().await;
    if ended.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

async fn listen_and_serve<F>(config: Config, build: impl FnOnce(Parts) -> F) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<Parts>>,
{
    let listener = TcpListener::bind(config.listen)
        .await
        .with_context(|| format!("TOGUNA_LISTEN: cannot listen on {}", config.listen))?;
    serve(config, listener, stop_signal()?, build).await
}

/// Serves on a listener until `stopping`: builds the service, says where it listens, and when it is told to stop takes
/// no more calls, answers those it has, and ends what runs in the background.
pub async fn serve<F>(
    config: Config,
    listener: TcpListener,
    stopping: CancellationToken,
    build: impl FnOnce(Parts) -> F,
) -> anyhow::Result<()>
where
    F: Future<Output = anyhow::Result<Parts>>,
{
    let address = listener.local_addr()?;
    let ready_file = config.ready_file.clone();
    let parts = Box::pin(Parts::new(config, stopping.clone())).await?;
    let shutdown = parts.shutdown.clone();
    let _ended_however = shutdown.clone().drop_guard();
    let Some(parts) = stopping.run_until_cancelled(Box::pin(build(parts))).await else { return Ok(()) };
    let mut parts = parts?;
    parts.serve_operations();
    parts.follow_files();
    let Parts { endpoints, ready, mut tasks, .. } = parts;
    if let Some(path) = ready_file {
        announce(&path, address).with_context(|| format!("TOGUNA_READY_FILE: cannot write {}", path.display()))?;
    }
    tracing::info!(%address, "listening");
    let all_ready = async move {
        join_all(ready).await;
    };
    let mut server = Box::pin(endpoints.serve(listener, all_ready, stopping.clone()));
    let ended = tokio::select! {
        ended = &mut server => ended,
        Err(failure) = ended_well(&mut tasks) => {
            stopping.cancel();
            server.await.and(Err(failure))
        }
    };
    shutdown.cancel();
    let late = tokio::time::timeout(LONGEST_END, ended_well(&mut tasks)).await;
    tracing::info!("stopped");
    ended.and(late.unwrap_or(Ok(())))
}

/// Waits until everything in the background has ended, or something failed.
async fn ended_well(tasks: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Result<()> {
    while let Some(ended) = tasks.join_next().await {
        ended??;
    }
    Ok(())
}

/// Writes the address so that whoever looks sees all of it or nothing.
fn announce(path: &Path, address: SocketAddr) -> std::io::Result<()> {
    let unfinished = path.with_extension("unfinished");
    fs::write(&unfinished, format!("{address}\n"))?;
    fs::rename(unfinished, path)
}

fn stop_signal() -> anyhow::Result<CancellationToken> {
    let (mut terminate, mut interrupt) = (signal(SignalKind::terminate())?, signal(SignalKind::interrupt())?);
    let stopping = CancellationToken::new();
    let told = stopping.clone();
    tokio::spawn(async move {
        tokio::select! {
            _ = terminate.recv() => {}
            _ = interrupt.recv() => {}
        }
        tracing::info!("stopping");
        told.cancel();
    });
    Ok(stopping)
}

#[cfg(test)]
mod tests;
