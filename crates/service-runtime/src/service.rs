//! The life of a service's process: what it is made of, and the order in which it starts and stops.

use std::{convert::Infallible, fs, net::SocketAddr, path::Path, time::Duration};

use anyhow::Context as _;
use contracts::toguna::log::v1::log_service_server::LogServiceServer;
use event_store::{
    Followers, Following, Log, Nats,
    relay::{self, RelayConfig},
};
use futures::future::{BoxFuture, join_all};
use tokio::{
    net::TcpListener,
    signal::unix::{SignalKind, signal},
    task::JoinSet,
};
use tokio_util::sync::CancellationToken;
use tonic::{body::Body, server::NamedService};

use crate::{
    Calls, Config, Telemetry,
    log_service::{LogReaders, Replays},
    server::Endpoints,
    status,
};

/// How long a starting service waits for NATS, to compare its log with the copy before the first command.
const WAIT_FOR_NATS: Duration = Duration::from_secs(3);

/// What a service is built from, and what it is told to do.
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
    ready: Vec<BoxFuture<'static, ()>>,
    tasks: JoinSet<anyhow::Result<()>>,
}

impl Parts {
    async fn new(config: Config, stopping: CancellationToken) -> anyhow::Result<Self> {
        let nats = Nats::connect(config.nats_url.expose(), config.service)
            .await
            .context("NATS_URL must be the address of a nats-server, with the login where it wants one")?;
        Ok(Self {
            calls: Calls::new(config.verifier.clone()),
            config,
            nats,
            stopping,
            shutdown: CancellationToken::new(),
            endpoints: Endpoints::new(),
            ready: Vec::new(),
            tasks: JoinSet::new(),
        })
    }

    /// Opens the service's own log, begins to copy it to NATS, and serves it to whoever may read it. Where the copy
    /// shows that the log was restored to an earlier state, the log is in a new epoch before the first command comes.
    pub async fn open_log(&mut self, readers: LogReaders) -> anyhow::Result<Log> {
        let log =
            Log::open(self.config.service, self.config.database_url.expose(), self.shutdown.clone()).await.context(
                "the log cannot be opened; DATABASE_URL must name a running PostgreSQL and the owner of a database",
            )?;
        self.compare_with_copy(&log).await?;
        relay::start(log.clone(), &self.nats, RelayConfig::default(), self.shutdown.clone());
        let replays = Replays::new(log.clone(), self.calls.clone(), readers, self.stopping.clone());
        self.serve(crate::limited!(LogServiceServer::new(replays)));
        Ok(log)
    }

    /// Without NATS the service starts all the same: the relay compares later.
    async fn compare_with_copy(&self, log: &Log) -> anyhow::Result<()> {
        let connected = async {
            while !self.nats.is_connected() {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        let _ = tokio::time::timeout(WAIT_FOR_NATS, connected).await;
        match relay::published_head(&self.nats, log.name()).await {
            Ok(None) => {}
            Ok(Some(published)) => {
                log.compare_with_published(&published).await?;
            }
            Err(error) => tracing::warn!(error = status::chain(&error), "the log's copy cannot be looked at for now"),
        }
        Ok(())
    }

    /// Starts what follows logs: read models and reactions. Queries and commands wait for it as their tokens say, and
    /// health says SERVING once it has caught up.
    pub fn follow(&mut self, followers: Followers) -> Following {
        let following = followers.start(&self.shutdown);
        self.calls.follow(following.freshness());
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

    /// Health says SERVING only after this and everything else that was given here is done.
    pub fn ready_after(&mut self, condition: impl Future<Output = ()> + Send + 'static) {
        self.ready.push(Box::pin(condition));
    }

    /// Runs something in the background until [`Parts::shutdown`]. Where it fails, the service stops and says so.
    pub fn spawn(&mut self, task: impl Future<Output = anyhow::Result<()>> + Send + 'static) {
        self.tasks.spawn(task);
    }
}

/// Runs a service until SIGTERM or SIGINT: the whole of a `main`.
pub async fn run(
    service: &'static str,
    build: impl AsyncFnOnce(&mut Parts) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let config = Config::from_env(service)?;
    let telemetry = Telemetry::start(service, &config.log_filter, config.log_format, config.otlp_endpoint.as_deref())?;
    let served = async {
        let listener = TcpListener::bind(config.listen)
            .await
            .with_context(|| format!("TOGUNA_LISTEN: cannot listen on {}", config.listen))?;
        serve(config, listener, stop_signal()?, build).await
    }
    .await;
    if let Err(error) = &served {
        tracing::error!(error = format!("{error:#}"), "the service failed");
    }
    telemetry.stop().await;
    served
}

/// Serves on a listener until `stopping`: builds the service, says where it listens, and when it is told to stop takes
/// no more calls, answers those it has, and ends what runs in the background.
pub async fn serve(
    config: Config,
    listener: TcpListener,
    stopping: CancellationToken,
    build: impl AsyncFnOnce(&mut Parts) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let address = listener.local_addr()?;
    let ready_file = config.ready_file.clone();
    let mut parts = Parts::new(config, stopping.clone()).await?;
    let shutdown = parts.shutdown.clone();
    let _ended_however = shutdown.clone().drop_guard();
    build(&mut parts).await?;
    let Parts { endpoints, ready, mut tasks, .. } = parts;
    if let Some(path) = ready_file {
        announce(&path, address).with_context(|| format!("TOGUNA_READY_FILE: cannot write {}", path.display()))?;
    }
    tracing::info!(%address, "listening");
    let all_ready = async move {
        join_all(ready).await;
    };
    let mut server = std::pin::pin!(endpoints.serve(listener, all_ready, stopping.clone()));
    let served = tokio::select! {
        served = &mut server => served,
        failure = first_failure(&mut tasks) => {
            stopping.cancel();
            server.await.and(Err(failure))
        }
    };
    shutdown.cancel();
    tasks.join_all().await;
    tracing::info!("stopped");
    served
}

/// The first failure in the background; never, if all goes well.
async fn first_failure(tasks: &mut JoinSet<anyhow::Result<()>>) -> anyhow::Error {
    while let Some(ended) = tasks.join_next().await {
        match ended {
            Ok(Ok(())) => {}
            Ok(Err(error)) => return error,
            Err(panic) => return panic.into(),
        }
    }
    std::future::pending().await
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
