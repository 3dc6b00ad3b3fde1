//! A private stack of real programs, each of which can be killed, paused or cut off.

use std::{
    collections::BTreeMap,
    env,
    fs::{self, File},
    net::TcpListener,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

use checker::{
    Places,
    history::{Line, Place, Restore, Writer},
    raw,
};
use harness::{Private, Servers};
use nix::{
    sys::signal::{Signal, kill},
    unistd::Pid,
};
use sqlx::{Connection as _, PgConnection};

use crate::proxy::{Proxy, Weather};

/// The services that have a log.
pub const LOGS: [&str; 3] = ["partnerships", "commitments", "disbursements"];

/// How long a service may take to be ready.
const START: Duration = Duration::from_secs(90);

/// Servers and services.
pub struct Stack {
    pub postgres: Private<toguna::local::postgres::Postgres>,
    pub nats: Private<toguna::local::nats::Nats>,
    pub sites: BTreeMap<&'static str, Site>,
    backups: Vec<Backup>,
    /// Since when PostgreSQL is down.
    crashed: Option<u64>,
    history: Writer,
}

/// A service, with the wires that lead to it and from it.
pub struct Site {
    /// Address of its database, past the wire.
    pub database_url: String,
    pub to_database: Proxy,
    pub to_nats: Proxy,
    pub clients: Proxy,
    pub service: Service,
    /// Another process of the same service, on the same log.
    pub second: Option<Service>,
}

/// One process of a service.
pub struct Service {
    program: PathBuf,
    environment: Vec<(&'static str, String)>,
    pub port: u16,
    log: PathBuf,
    ready_file: PathBuf,
    child: Option<Child>,
}

/// A copy of the files of PostgreSQL.
struct Backup {
    files: PathBuf,
    /// Where each log stood in it.
    logs: BTreeMap<String, Place>,
}

impl Stack {
    /// Starts some of the services; their logs go to `folder`.
    pub async fn start(names: &[&'static str], folder: &Path, history: &Writer) -> Self {
        let servers = Servers::shared().await;
        let postgres = servers.private_postgres().await;
        let nats = servers.private_nats().await;
        let mut sites = BTreeMap::new();
        for name in names {
            let database_url = postgres.database(name).await.expect("a database");
            sites.insert(*name, Site::new(name, database_url, &nats.service_url(name), folder).await);
        }
        let mut stack = Self { postgres, nats, sites, backups: Vec::new(), crashed: None, history: history.clone() };
        stack.start_missing();
        stack.until_ready().await.expect("the services start");
        stack
    }

    /// Where to look at everything, past the wires.
    pub fn places(&self) -> Places {
        let databases = self.sites.iter().map(|(name, site)| ((*name).to_owned(), site.database_url.clone()));
        Places { databases: databases.collect(), nats: self.nats.auditor_url() }
    }

    /// Starts every service that does not run.
    pub fn start_missing(&mut self) {
        for site in self.sites.values_mut() {
            site.service.start_if_missing();
            if let Some(second) = &mut site.second {
                second.start_if_missing();
            }
        }
    }

    /// Waits until all services are ready; one that gave up meanwhile is started again. Fails where that takes too long.
    pub async fn until_ready(&mut self) -> Result<(), String> {
        let limit = Instant::now() + START;
        while let Some((name, _)) = self.sites.iter().find(|(_, site)| !site.service.is_ready()) {
            if Instant::now() > limit {
                return Err(format!("{name} was not ready within {START:?}"));
            }
            self.start_missing();
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Ok(())
    }

    /// All wires work, everybody is awake, one process for each service.
    pub fn mend(&mut self) {
        if let Some(pid) = self.nats.pid() {
            signal(pid, Signal::SIGCONT);
        }
        for site in self.sites.values_mut() {
            for wire in [&site.to_database, &site.to_nats, &site.clients] {
                wire.set(Weather::Fair);
            }
            site.service.signal(Signal::SIGCONT);
            site.only_first();
        }
    }

    /// Process id of the session that writes a log.
    pub async fn writing_backend(&self, name: &str) -> Option<u32> {
        let mut connection = PgConnection::connect(&self.postgres.url("postgres")).await.ok()?;
        let pid: Option<i32> = sqlx::query_scalar(
            "SELECT pid FROM pg_stat_activity WHERE datname = $1 AND usename LIKE '%\\_writer'
             ORDER BY backend_start DESC LIMIT 1",
        )
        .bind(name)
        .fetch_optional(&mut connection)
        .await
        .ok()?;
        pid.and_then(|pid| pid.try_into().ok())
    }

    /// Stops PostgreSQL at once, as a crash would.
    pub async fn crash_postgres(&mut self) {
        self.crashed = Some(self.history.now());
        self.postgres.stop_immediately().await.expect("stopped");
    }

    /// Starts PostgreSQL again.
    pub async fn resume_postgres(&mut self) {
        self.postgres.resume().await.expect("PostgreSQL starts again");
        if let Some(from) = self.crashed.take() {
            self.history.write(&Line::Crash { from, until: self.history.now() });
        }
    }

    /// Stops PostgreSQL at once, copies its files, and starts it again.
    pub async fn back_up(&mut self) {
        self.cut_databases(true);
        self.crash_postgres().await;
        let files = self.postgres.folder().join(format!("backup-{}", self.backups.len()));
        copy(&self.data(), &files);
        self.resume_postgres().await;
        let (at, logs) = (self.history.now(), self.heads().await);
        self.history.write(&Line::Backup { at, backup: self.backups.len() as u64, logs: logs.clone() });
        self.backups.push(Backup { files, logs });
        self.cut_databases(false);
    }

    /// Puts back the files of a backup, `back` backups before the last, and announces it. `dead`: the services are
    /// killed meanwhile, so that they find out by the copies in NATS alone; only where these show it.
    pub async fn restore(&mut self, back: usize, dead: bool) {
        let Some(index) = self.backups.len().checked_sub(1 + back) else { return };
        let (files, backed_up) = (self.backups[index].files.clone(), self.backups[index].logs.clone());
        let dead = dead && self.copies_are_beyond(&backed_up).await;
        let from = self.history.now();
        self.cut_databases(true);
        let left = self.heads().await;
        self.crash_postgres().await;
        if dead {
            self.sites.values_mut().for_each(|site| site.service.kill());
        }
        fs::remove_dir_all(self.data()).expect("removed");
        copy(&files, &self.data());
        self.resume_postgres().await;
        let found = self.heads().await;
        self.history.write(&Line::Restore(Restore { from, until: self.history.now(), left, found }));
        self.cut_databases(false);
        self.start_missing();
    }

    /// Whether every copy that NATS holds goes on after a backup: what is not known there, nobody can know.
    async fn copies_are_beyond(&self, backed_up: &BTreeMap<String, Place>) -> bool {
        let Ok(jetstream) = checker::copy::connect(&self.nats.auditor_url()).await else { return false };
        for (log, place) in backed_up {
            let stream = checker::copy::stream(&jetstream, log).await.ok().flatten();
            let end = stream.map(|stream| checker::copy::end(&stream));
            if !end.is_some_and(|end| end.epoch == place.epoch && end.position > place.position) {
                return false;
            }
        }
        true
    }

    fn data(&self) -> PathBuf {
        self.postgres.folder().join("data")
    }

    fn cut_databases(&self, cut: bool) {
        for site in self.sites.values() {
            site.to_database.set(if cut { Weather::Cut } else { Weather::Fair });
        }
    }

    async fn heads(&self) -> BTreeMap<String, Place> {
        let mut heads = BTreeMap::new();
        for (name, site) in &self.sites {
            let mut connection = PgConnection::connect(&site.database_url).await.expect("the owner connects");
            heads.insert((*name).to_owned(), raw::head(&mut connection).await.expect("the head"));
        }
        heads
    }
}

fn copy(from: &Path, to: &Path) {
    let status = Command::new("cp").arg("-a").arg(from).arg(to).status().expect("cp runs");
    assert!(status.success(), "cp -a {} {}", from.display(), to.display());
}

/// One that is gone already is left alone.
pub fn signal(pid: u32, signal: Signal) {
    let _ = kill(Pid::from_raw(pid.cast_signed()), signal);
}

impl Site {
    async fn new(name: &'static str, database_url: String, nats_url: &str, folder: &Path) -> Self {
        let to_database = Proxy::to(port_of(&database_url)).await;
        let to_nats = Proxy::to(port_of(nats_url)).await;
        let port = free_port();
        let clients = Proxy::to(port).await;
        let addresses = (through(&database_url, &to_database), through(nats_url, &to_nats));
        let service = Service::new(name, port, addresses, folder.join(format!("{name}.log")));
        Self { database_url, to_database, to_nats, clients, service, second: None }
    }

    /// Starts another process of the service, on the same log. Callers to come go to both in turn.
    pub async fn start_second(&mut self) {
        let mut second = self.service.another();
        second.start_if_missing();
        let limit = Instant::now() + Duration::from_secs(10);
        // What the first one holds while it is paused may keep the second from catching up.
        while !second.is_ready() && Instant::now() < limit {
            second.start_if_missing();
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.clients.aim(vec![self.service.port, second.port]);
        self.second = Some(second);
    }

    /// Cuts the connections of all callers once, so that they make new ones.
    pub async fn reconnect_clients(&self) {
        self.clients.set(Weather::Cut);
        tokio::time::sleep(Duration::from_millis(20)).await;
        self.clients.set(Weather::Fair);
    }

    /// Kills the first process, where there are two; the second takes its place.
    pub fn only_second(&mut self) {
        if let Some(mut second) = self.second.take() {
            std::mem::swap(&mut self.service, &mut second);
            second.kill();
            self.clients.aim(vec![self.service.port]);
        }
    }

    /// Kills the second process, where there are two.
    pub fn only_first(&mut self) {
        if let Some(mut second) = self.second.take() {
            second.kill();
            self.clients.aim(vec![self.service.port]);
        }
    }
}

impl Service {
    fn new(name: &'static str, port: u16, (database_url, nats_url): (String, String), log: PathBuf) -> Self {
        let ready_file = ready_file(port);
        let mut environment = Vec::from(harness::environment());
        environment.extend([
            ("TOGUNA_LISTEN", format!("127.0.0.1:{port}")),
            ("TOGUNA_READY_FILE", ready_file.to_string_lossy().into_owned()),
            ("DATABASE_URL", database_url),
            ("NATS_URL", nats_url),
            ("TOGUNA_LOG_FORMAT", "text".to_owned()),
        ]);
        Self { program: program(name), environment, port, log, ready_file, child: None }
    }

    /// Another one of the same service, at another port.
    fn another(&self) -> Self {
        let port = free_port();
        let ready_file = ready_file(port);
        let mut environment = self.environment.clone();
        environment.extend([
            ("TOGUNA_LISTEN", format!("127.0.0.1:{port}")),
            ("TOGUNA_READY_FILE", ready_file.to_string_lossy().into_owned()),
        ]);
        Self { program: self.program.clone(), environment, port, log: self.log.clone(), ready_file, child: None }
    }

    pub fn start_if_missing(&mut self) {
        let runs = self.child.as_mut().is_some_and(|child| child.try_wait().is_ok_and(|ended| ended.is_none()));
        if runs {
            return;
        }
        let _ = fs::remove_file(&self.ready_file);
        let log = File::options().create(true).append(true).open(&self.log).expect("the service's log can be written");
        let mut command = Command::new(&self.program);
        command.envs(self.environment.iter().cloned()).stdin(Stdio::null()).stderr(log);
        self.child = Some(command.spawn().expect("the service's program starts"));
    }

    pub fn is_ready(&self) -> bool {
        self.ready_file.exists()
    }

    pub fn signal(&self, which: Signal) {
        if let Some(child) = &self.child {
            signal(child.id(), which);
        }
    }

    /// `kill -9`.
    pub fn kill(&mut self) {
        if let Some(mut child) = self.child.take() {
            child.kill().expect("killed");
            child.wait().expect("gone");
        }
        let _ = fs::remove_file(&self.ready_file);
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        self.kill();
    }
}

/// A port that nobody has now; the service gets the same one at each start, so that callers find it again.
fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr()).expect("a free port").port()
}

fn ready_file(port: u16) -> PathBuf {
    env::temp_dir().join(format!("toguna-chaos-{}-{port}", std::process::id()))
}

const HERE: &str = "127.0.0.1:";

fn port_of(url: &str) -> u16 {
    let (_, rest) = url.rsplit_once(HERE).expect("the server is on this machine");
    let port = rest.split('/').next().expect("a port");
    port.parse().expect("a port")
}

/// An address, by way of a wire.
fn through(url: &str, wire: &Proxy) -> String {
    url.replace(&format!("{HERE}{}", port_of(url)), &format!("{HERE}{}", wire.port))
}

/// The program of a service: in `CHAOS_PROGRAMS`, or built beside the tests.
fn program(name: &str) -> PathBuf {
    let beside = || {
        let test = env::current_exe().expect("the test's own program");
        test.ancestors().nth(2).expect("the folder of the build").to_owned()
    };
    let program = env::var_os("CHAOS_PROGRAMS").map_or_else(beside, PathBuf::from).join(name);
    assert!(program.exists(), "{} is not built: cargo build --workspace --bins", program.display());
    program
}
