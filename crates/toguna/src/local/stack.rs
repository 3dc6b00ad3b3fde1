//! A whole stack: PostgreSQL, nats-server and the four services, each a process of its own, kept running.

use std::{
    collections::BTreeMap,
    env, fs,
    fs::File,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use tonic::transport::Channel;
use tonic_health::pb::{HealthCheckRequest, health_check_response::ServingStatus, health_client::HealthClient};

use super::{
    STOP_LIMIT,
    child::{Child, Program, Signal},
    home::{Address, Home, StackFile},
    identity::{AUDIENCE, Identity},
    nats::Nats,
    postgres::{self, Disk, Postgres},
};

/// The services, in the order in which they are started: each follows the logs of those before it, and no other.
pub const SERVICES: [&str; 4] = ["partnerships", "commitments", "disbursements", "oversight"];

/// How long the services may take to be ready: the first start makes their tables, a later one may replay a log.
const READY_LIMIT: Duration = Duration::from_mins(5);

/// A service that stopped is started again after this wait, and after twice the last one where it stops again before it
/// was up for [`STEADY`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const STEADY: Duration = Duration::from_secs(30);

/// A running stack. Dropping it stops everything, without waiting.
#[derive(Debug)]
pub struct Stack {
    home: Home,
    services: Vec<Service>,
    nats: Option<Nats>,
    postgres: Option<Postgres>,
    /// Held while we run: one stack a home.
    _lock: File,
}

#[derive(Debug)]
struct Service {
    name: &'static str,
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
    ready_file: PathBuf,
    log: PathBuf,
    address: Option<String>,
    child: Option<Child>,
    started: Instant,
    /// When to start it again.
    due: Option<Instant>,
    /// How long to wait before the next start.
    wait: Duration,
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
        let mut stack = Self { home, services: Vec::new(), nats, postgres, _lock: lock };
        for name in SERVICES {
            let database_url = stack.database_url(name).await?;
            let nats_url = match &stack.nats {
                Some(server) => server.service_url(name),
                None => env::var("NATS_URL")?,
            };
            let service = Service::new(name, &stack.home, identity, &database_url, &nats_url, &before)?;
            stack.services.push(service);
        }
        stack.services.iter_mut().try_for_each(Service::start)?;
        for index in 0..stack.services.len() {
            progress(stack.services[index].name);
            stack.services[index].until_ready().await?;
        }
        stack.settle().await?;
        stack.write()?;
        Ok(stack)
    }

    /// Where each service answers.
    pub fn addresses(&self) -> BTreeMap<String, Address> {
        let address = |service: &Service| Address {
            address: service.address.clone().unwrap_or_default(),
            pid: service.child.as_ref().map_or(0, Child::pid),
        };
        self.services.iter().map(|service| (service.name.to_owned(), address(service))).collect()
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
        let mut changed = false;
        for service in &mut self.services {
            changed |= service.keep(&tell)?;
        }
        if changed { self.write() } else { Ok(()) }
    }

    /// Stops all in order: the services, then what they need.
    pub async fn stop(mut self, progress: impl Fn(&str)) -> Result<()> {
        for service in &mut self.services {
            if let Some(child) = &mut service.child {
                child.signal(Signal::Terminate);
            }
        }
        for service in &mut self.services {
            progress(service.name);
            if let Some(mut child) = service.child.take() {
                child.wait(STOP_LIMIT).await?;
            }
        }
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
            postgres_pid: self.postgres.as_ref().and_then(Postgres::pid),
            nats_pid: self.nats.as_ref().and_then(Nats::pid),
            nats_reader: self.nats.as_ref().map(Nats::reader_url),
            nats_auditor: self.nats.as_ref().map(Nats::auditor_url),
        })
    }
}

impl Service {
    fn new(
        name: &'static str,
        home: &Home,
        identity: &Identity,
        database_url: &str,
        nats_url: &str,
        before: &StackFile,
    ) -> Result<Self> {
        let ready_file = home.folder().join(format!("{name}.ready"));
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let environment = vec![
            ("DATABASE_URL", database_url.to_owned()),
            ("NATS_URL", nats_url.to_owned()),
            ("TOGUNA_ISSUERS", text(&identity.issuers())),
            ("TOGUNA_PSEUDONYM_KEY", text(&identity.pseudonym_key())),
            ("TOGUNA_AUDIENCE", AUDIENCE.to_owned()),
            ("TOGUNA_READY_FILE", text(&ready_file)),
        ];
        // The same address as last time, where it is still free: bookmarks go on working.
        let last = before.services.get(name).map(|address| address.address.clone());
        Ok(Self {
            name,
            program: program(name)?,
            environment,
            ready_file,
            log: home.folder().join(format!("{name}.log")),
            address: last.filter(|address| TcpListener::bind(address).is_ok()),
            child: None,
            started: Instant::now(),
            due: None,
            wait: FIRST_WAIT,
        })
    }

    fn start(&mut self) -> Result<()> {
        // The last start's, which would be taken for this one's.
        let _ = fs::remove_file(&self.ready_file);
        let mut program = Program::new(&self.program, self.log.clone(), Signal::Terminate)
            .env("TOGUNA_LISTEN", self.address.as_deref().unwrap_or("127.0.0.1:0"));
        for (name, value) in &self.environment {
            program = program.env(name, value);
        }
        self.child = Some(program.start()?);
        self.started = Instant::now();
        Ok(())
    }

    async fn until_ready(&mut self) -> Result<()> {
        let child = self.child.as_mut().context("a started service runs")?;
        let ready_file = &self.ready_file;
        let problem = || format!("{} did not start", self.name);
        child.until(READY_LIMIT, || ready_file.exists()).await.with_context(problem)?;
        let address = fs::read_to_string(ready_file)?.trim().to_owned();
        let deadline = Instant::now() + READY_LIMIT;
        while !serves(&address).await {
            if let Some(status) = child.ended()? {
                anyhow::bail!("{} stopped ({status}); see {}", self.name, self.log.display());
            }
            anyhow::ensure!(Instant::now() < deadline, "{} is not ready; see {}", self.name, self.log.display());
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.address = Some(address);
        Ok(())
    }

    /// Whether it was started again.
    fn keep(&mut self, tell: impl Fn(&str)) -> Result<bool> {
        if let Some(due) = self.due {
            if Instant::now() < due {
                return Ok(false);
            }
            self.due = None;
            self.start()?;
            return Ok(true);
        }
        let Some(status) = self.child.as_mut().map_or(Ok(None), Child::ended)? else { return Ok(false) };
        self.child = None;
        if self.started.elapsed() > STEADY {
            self.wait = FIRST_WAIT;
        }
        tell(&format!("{} stopped ({status}); it is started again. Its log: {}", self.name, self.log.display()));
        self.due = Some(Instant::now() + self.wait);
        self.wait = (self.wait * 2).min(LONGEST_WAIT);
        Ok(false)
    }
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

/// A service's program, which stands beside ours.
fn program(name: &str) -> Result<PathBuf> {
    let ours = env::current_exe()?;
    let folder = ours.parent().context("a program stands in a folder")?;
    let found = [folder, folder.parent().unwrap_or(folder)].map(|folder| folder.join(name));
    let found = found.into_iter().find(|program| program.is_file());
    found.with_context(|| format!("no program {name} beside {}: build all with `make run`", ours.display()))
}
