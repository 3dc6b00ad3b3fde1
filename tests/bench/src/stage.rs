//! A server under test with what stands behind it, and the callers in front of it.

use std::time::{Duration, Instant};

use anyhow::{Result, ensure};

use crate::{
    load::Callers,
    measure::{Outcome, closed_loop},
    process::Watched,
    run::{Measured, Meter, Run},
    servers::{Kind, Server},
};

/// A second in which less than this is used is a quiet one.
const QUIET: f64 = 0.08;
/// How long it may take to come to rest: read models and relay end what callers began.
const LONGEST_UNREST: Duration = Duration::from_mins(2);

/// A server and its callers.
pub struct Stage<'a> {
    run: &'a Run,
    /// The server.
    pub server: Server,
    /// Who calls it.
    pub callers: Callers,
    /// Its log's database; `None`: it has no log.
    pub database_url: Option<String>,
}

impl<'a> Stage<'a> {
    /// Starts a server, with an empty log where it has one.
    pub async fn set(run: &'a Run, kind: Kind, payload: usize) -> Result<Self> {
        let database_url = match kind {
            Kind::ServeEcho => None,
            Kind::ServeBare => Some(run.ground.database("bare").await?),
            Kind::ServePartnerships => Some(run.ground.database("partnerships").await?),
        };
        Self::on(run, kind, database_url, payload).await
    }

    /// Starts a server on a log that is there.
    pub async fn on(run: &'a Run, kind: Kind, database_url: Option<String>, payload: usize) -> Result<Self> {
        let server = Server::start(&run.ground, kind, database_url.as_deref()).await?;
        let callers = Callers::of(&server, &run.ground, payload).await?;
        Ok(Self { run, server, callers, database_url })
    }

    /// Everything that works for this server.
    fn parts(&self) -> Vec<(&'static str, Watched)> {
        let mut parts = vec![("server", self.server.watch())];
        if self.database_url.is_some() {
            parts.push(("PostgreSQL", Watched::new(self.run.ground.postgres_pid())));
            parts.push(("NATS", Watched::new(self.run.ground.nats_pid())));
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
            if (used() - before).as_secs_f64() < QUIET * looked.elapsed().as_secs_f64() {
                break;
            }
        }
        let rested = began.elapsed();
        self.run.ground.settle().await?;
        Ok(rested)
    }

    /// Stops the server and removes its log and its log's copy.
    pub async fn strike(self) -> Result<()> {
        self.server.stop().await?;
        if let Some(url) = &self.database_url {
            self.run.ground.remove_copies().await?;
            self.run.ground.drop_database(url).await?;
        }
        Ok(())
    }
}
