//! A whole stack: PostgreSQL, nats-server, the four services, the signer of their logs and three witnesses, each a process
//! of its own, kept running.

use std::{
    collections::BTreeMap,
    env,
    fs::File,
    path::Path,
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::{
    STOP_LIMIT,
    home::{Address, Home, StackFile},
    identity::{AUDIENCE, Identity},
    nats::Nats,
    postgres::{self, Disk, Postgres},
    server::{READY_LIMIT, Server},
    witnesses::Witnesses,
};

/// The services, in the order in which they are started: each follows the logs of those before it, and no other.
pub const SERVICES: [&str; 4] = ["partnerships", "commitments", "disbursements", "oversight"];

/// A running stack. Dropping it stops everything, without waiting.
#[derive(Debug)]
pub struct Stack {
    home: Home,
    services: Vec<Server>,
    witnesses: Witnesses,
    nats: Option<Nats>,
    postgres: Option<Postgres>,
    /// Held while we run: one stack a home.
    _lock: File,
}

impl Stack {
    /// Starts all of it. `progress` hears what is being waited for.
    pub async fn start(home: Home, identity: &Identity, progress: impl Fn(&str)) -> Result<Self> {
        for (name, schemes) in [("DATABASE_URL", ["postgres", "postgresql"]), ("NATS_URL", ["nats", "tls"])] {
            let scheme = env::var(name).ok().map(|url| url.split("://").next().unwrap_or_default().to_owned());
            let known = scheme.is_none_or(|scheme| schemes.contains(&scheme.as_str()));
            anyhow::ensure!(known, "{name}: an address that begins with {}:// or {}://", schemes[0], schemes[1]);
        }
        let lock = home.lock()?;
        let before = home.read_stack().unwrap_or_default();
        let (mut postgres, mut nats) = (None, None);
        if env::var_os("DATABASE_URL").is_none() {
            progress("PostgreSQL");
            postgres = Some(Postgres::start(home.folder(), Disk::Durable).await?);
        }
        if env::var_os("NATS_URL").is_none() {
            progress("nats-server");
            nats = Some(Nats::start(home.folder(), Disk::Durable).await?);
        }
        let witnesses = Witnesses::start(&home, &before).await?;
        let mut stack = Self { home, services: Vec::new(), witnesses, nats, postgres, _lock: lock };
        for name in SERVICES {
            let database_url = stack.database_url(name).await?;
            let nats_url = match &stack.nats {
                Some(server) => server.service_url(name),
                None => env::var("NATS_URL")?,
            };
            let service = Server::new(name, name, &stack.home, before.services.get(name))?;
            let service = service.environment(environment(identity, &database_url, &nats_url));
            // Oversight has no log of its own.
            let published = if name == "oversight" { Vec::new() } else { stack.witnesses.environment(name)? };
            stack.services.push(service.environment(published));
        }
        stack.services.iter_mut().try_for_each(Server::start)?;
        for service in &mut stack.services {
            progress(service.name());
            until_ready(service).await?;
        }
        stack.settle().await?;
        stack.write()?;
        Ok(stack)
    }

    /// Where each service answers.
    pub fn addresses(&self) -> BTreeMap<String, Address> {
        self.services.iter().map(|service| (service.name().to_owned(), service.address())).collect()
    }

    /// Tells the signer and the witnesses of a log, whose epoch its service has said.
    pub fn witness(&self, log: &str, epoch: &[u8]) -> Result<()> {
        self.witnesses.tell_of(log, epoch)
    }

    /// Looks after everything once: what stopped by itself is started again, and `tell` hears of it.
    pub async fn keep(&mut self, tell: impl Fn(&str)) -> Result<()> {
        if let Some(server) = &mut self.postgres
            && let Some(status) = server.ended()?
        {
            tell(&format!("PostgreSQL stopped ({status})"));
            server.resume().await?;
        }
        if let Some(server) = &mut self.nats
            && let Some(status) = server.ended()?
        {
            tell(&format!("nats-server stopped ({status})"));
            server.resume().await?;
        }
        let mut changed = self.witnesses.keep(&tell)?;
        for service in &mut self.services {
            changed |= service.keep(&tell)?;
        }
        if changed { self.write() } else { Ok(()) }
    }

    /// Stops all in order: the services, then what they need.
    pub async fn stop(mut self, progress: impl Fn(&str)) -> Result<()> {
        self.services.iter_mut().for_each(Server::tell_to_stop);
        for service in &mut self.services {
            progress(service.name());
            service.stopped(STOP_LIMIT).await?;
        }
        self.witnesses.stop().await?;
        if let Some(mut server) = self.nats.take() {
            progress("nats-server");
            server.stop().await?;
        }
        if let Some(mut server) = self.postgres.take() {
            progress("PostgreSQL");
            server.stop().await?;
        }
        Ok(())
    }

    /// All roles are made: no service can make one from now on.
    async fn settle(&self) -> Result<()> {
        if let Some(server) = &self.postgres {
            for service in SERVICES {
                server.settle(&database(service)).await?;
            }
        }
        Ok(())
    }

    async fn database_url(&self, service: &str) -> Result<String> {
        let name = database(service);
        if let Some(server) = &self.postgres {
            return server.database(&name).await;
        }
        let url = env::var("DATABASE_URL")?;
        let programs = postgres::programs()?;
        let present = format!("SELECT 1 FROM pg_database WHERE datname = '{name}'");
        if postgres::psql(&programs, &url, &present).await.context("DATABASE_URL")?.is_empty() {
            postgres::psql(&programs, &url, &format!("CREATE DATABASE {name}")).await.context("DATABASE_URL")?;
        }
        postgres::in_database(&url, &name)
    }

    fn write(&self) -> Result<()> {
        self.home.write_stack(&StackFile {
            pid: std::process::id(),
            services: self.addresses(),
            witnesses: self.witnesses.addresses(),
            postgres_pid: self.postgres.as_ref().and_then(Postgres::pid),
            nats_pid: self.nats.as_ref().and_then(Nats::pid),
            nats_reader: self.nats.as_ref().map(Nats::reader_url),
            nats_auditor: self.nats.as_ref().map(Nats::auditor_url),
        })
    }
}

/// What a service is told.
fn environment(identity: &Identity, database_url: &str, nats_url: &str) -> Vec<(&'static str, String)> {
    let text = |path: &Path| path.to_string_lossy().into_owned();
    vec![
        ("DATABASE_URL", database_url.to_owned()),
        ("NATS_URL", nats_url.to_owned()),
        ("TOGUNA_ISSUERS", text(&identity.issuers())),
        ("TOGUNA_PSEUDONYM_KEY", text(&identity.pseudonym_key())),
        ("TOGUNA_AUDIENCE", AUDIENCE.to_owned()),
    ]
}

/// Waits until a service that was started serves.
async fn until_ready(service: &mut Server) -> Result<()> {
    service.until_listening().await?;
    let deadline = Instant::now() + READY_LIMIT;
    while !serves(&service.address().address).await {
        service.runs()?;
        anyhow::ensure!(Instant::now() < deadline, "{} is not ready; see {}", service.name(), service.log().display());
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    Ok(())
}

/// Name of a service's database, and of its owner.
fn database(service: &str) -> String {
    format!("toguna_{service}")
}

/// Whether a service says by the standard health protocol that it serves.
async fn serves(address: &str) -> bool {
    let check = async {
        let channel = Channel::from_shared(format!("http://{address}")).ok()?.connect().await.ok()?;
        let mut client = HealthClient::new(channel);
        let answer = client.check(HealthCheckRequest { service: String::new() }).await.ok()?;
        Some(answer.into_inner().status() == ServingStatus::Serving)
    };
    tokio::time::timeout(Duration::from_secs(2), check).await.ok().flatten().unwrap_or(false)
}
