//! A server under test with what stands behind it, and the callers in front of it.

use std::time::{Duration, Instant};

use anyhow::{Result, bail, ensure};
use toguna::local::{nats::Nats, postgres::Disk};
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use crate::{
    fill::fill,
    ground::Ground,
    load::Callers,
    measure::{Outcome, closed_loop},
    process::Watched,
    run::{Measured, Meter, Run, SERVER},
    servers::{Kind, Server},
};

/// A second in which less than this is used is a quiet one.
const QUIET: f64 = 0.08;
/// How long it may take to come to rest: read models and relay end what callers began.
const LONGEST_UNREST: Duration = Duration::from_mins(20);

/// Where a server keeps its log, and the copy of it.
#[derive(Debug)]
pub struct Site {
    /// The log's database, as its owner, over the server's Unix socket: over TCP sqlx 0.9.0 leaves Nagle's algorithm
    /// on, and what does not fit into one segment waits up to 40 ms.
    pub database_url: String,
    /// A broker of its own: two logs of one name cannot have their copies in one.
    pub nats: Nats,
}

impl Site {
    /// An empty database and an empty broker.
    pub async fn new(ground: &Ground) -> Result<Self> {
        let nats = Nats::start(&ground.folder("nats")?, Disk::Throwaway).await?;
        Ok(Self { database_url: ground.over_socket(&ground.database("log").await?), nats })
    }

    /// The same, with a log of the service that has so many events.
    pub async fn filled(ground: &Ground, events: u64, payload: usize) -> Result<Self> {
        let site = Self::new(ground).await?;
        fill(ground, partnerships::SERVICE, &site.database_url, events, payload).await?;
        Ok(site)
    }

    /// Removes both.
    pub async fn clear(self, ground: &Ground) -> Result<()> {
        ground.drop_database(&self.database_url).await
    }
}

/// A server and its callers.
pub struct Stage<'a> {
    run: &'a Run,
    /// The server.
    pub server: Server,
    /// Who calls it.
    pub callers: Callers,
    /// Where its log is; `None`: it has none.
    pub site: Option<Site>,
}

impl<'a> Stage<'a> {
    /// Starts a server, with an empty log where it has one.
    pub async fn set(run: &'a Run, kind: Kind, payload: usize) -> Result<Self> {
        let site = if kind == Kind::Echo { None } else { Some(Site::new(&run.ground).await?) };
        Self::on(run, kind, site, payload).await
    }

    /// Starts a server on a log that is there.
    pub async fn on(run: &'a Run, kind: Kind, site: Option<Site>, payload: usize) -> Result<Self> {
        let server = Server::start(&run.ground, kind, site.as_ref()).await?;
        let callers = Callers::of(&server, &run.ground, payload).await?;
        Ok(Self { run, server, callers, site })
    }

    /// Everything that works for this server.
    pub fn parts(&self) -> Vec<(&'static str, Watched)> {
        let mut parts = vec![(SERVER, self.server.watch())];
        if let Some(site) = &self.site {
            parts.push(("PostgreSQL", Watched::new(self.run.ground.postgres_pid())));
            parts.push(("NATS", Watched::new(site.nats.pid())));
        }
        parts
    }

    /// Lets callers call for a while, from rest. A measurement in which nothing was answered is an error.
    pub async fn measure(
        &mut self,
        callers: usize,
        operation: impl AsyncFn(&Callers, usize, u64) -> Outcome,
    ) -> Result<Measured> {
        self.rest().await?;
        self.callers.begin();
        let (meter, began) = (Meter::begin(self.parts()), Instant::now());
        let call = |caller, turn| operation(&self.callers, caller, turn);
        let mut sample = closed_loop(callers, self.run.time(), call).await;
        let costs = meter.end(&mut sample, began.elapsed());
        ensure!(sample.operations > 0, "no call was answered, {} failed", sample.failed);
        Ok(Measured::rate(sample, costs))
    }

    /// Waits until nothing works any more, so that nobody pays for what was done before; then PostgreSQL writes what is
    /// dirty.
    pub async fn rest(&self) -> Result<Duration> {
        let began = Instant::now();
        let parts = self.parts();
        let used = || parts.iter().map(|(_, watched)| watched.cpu()).sum::<Duration>();
        while began.elapsed() < LONGEST_UNREST {
            let (before, looked) = (used(), Instant::now());
            tokio::time::sleep(Duration::from_millis(250)).await;
            if used().saturating_sub(before).as_secs_f64() < QUIET * looked.elapsed().as_secs_f64() {
                break;
            }
        }
        let rested = began.elapsed();
        self.run.ground.settle().await?;
        Ok(rested)
    }

    /// Waits until the server says that it serves, which is when its read models have caught up.
    pub async fn serves(&self) -> Result<Duration> {
        let began = Instant::now();
        let mut health = HealthClient::new(self.callers.channel(0));
        let mut states = health.watch(HealthCheckRequest::default()).await?.into_inner();
        while let Some(state) = states.message().await? {
            if state.status() == ServingStatus::Serving {
                return Ok(began.elapsed());
            }
        }
        bail!("the server ended before it served")
    }

    /// Stops the server; its log stays.
    pub async fn stop(self) -> Result<Option<Site>> {
        self.server.stop().await?;
        Ok(self.site)
    }

    /// Stops the server and removes its log and the copy.
    pub async fn strike(self) -> Result<()> {
        let ground = &self.run.ground;
        match self.stop().await? {
            Some(site) => site.clear(ground).await,
            None => Ok(()),
        }
    }
}
