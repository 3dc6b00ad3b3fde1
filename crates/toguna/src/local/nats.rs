//! A private nats-server with JetStream, on loopback.

use std::{
    env, fs,
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

use anyhow::{Context as _, Result};
use sha2::{Digest as _, Sha256};

use super::{
    START_LIMIT, STOP_LIMIT,
    child::{Child, Program, Signal},
    free_port, hex, kept,
    postgres::Disk,
    random_hex,
    stack::SERVICES,
};

/// The configuration that deployments use too.
const CONFIGURATION: &str = include_str!("../../../../deploy/nats.conf");

/// Where the accounts of [`CONFIGURATION`] begin.
const ACCOUNTS: &str = "accounts {";

/// One more account for tests: in it everything is allowed, with logs of any name, and nothing of the others is there.
const WORKSHOP: &str = "
    workshop {
        jetstream: enabled
        users: [{ user: workshop, password: $TOGUNA_NATS_WORKSHOP_PASSWORD }]
    }
";

/// The login of a partner, who may read the copies of the logs that are open to all partners, and nothing else.
const READER: &str = "reader";

/// The login of an auditor, who may read the copies of all logs, and nothing else.
const AUDITOR: &str = "auditor";

/// Atomic batches came with this version.
const OLDEST: (u32, u32) = (2, 12);

/// A private nats-server.
#[derive(Debug)]
pub struct Nats {
    program: PathBuf,
    home: PathBuf,
    port: u16,
    secret: String,
    disk: Disk,
    child: Option<Child>,
}

impl Nats {
    /// Starts the server kept below `home`, which is made where it is not there yet.
    pub async fn start(home: &Path, disk: Disk) -> Result<Self> {
        let home = fs::canonicalize(home).with_context(|| format!("no directory {}", home.display()))?;
        let secret = kept(&home.join("nats.password"), || random_hex(24))?;
        let (program, port) = (program()?, free_port()?);
        let mut server = Self { program, home, port, secret, disk, child: None };
        server.resume().await?;
        Ok(server)
    }

    /// Its address, with the login of a service, which writes the copy of its own log alone.
    pub fn service_url(&self, service: &str) -> String {
        self.url_of(service)
    }

    /// Its address, with the login of a partner, who may read the copies of the logs that are open to all partners, and
    /// nothing else.
    pub fn reader_url(&self) -> String {
        self.url_of(READER)
    }

    /// Its address, with the login of an auditor, who may read the copies of all logs, and nothing else.
    pub fn auditor_url(&self) -> String {
        self.url_of(AUDITOR)
    }

    /// Its address, with a login that only a throwaway server has: for logs of any name, in an account of their own, in
    /// which everything is allowed.
    pub fn url(&self) -> String {
        self.url_of("workshop")
    }

    fn url_of(&self, user: &str) -> String {
        format!("nats://{user}:{}@127.0.0.1:{}", self.password(user), self.port)
    }

    /// Derived, so that one secret is kept for all.
    fn password(&self, user: &str) -> String {
        hex(&Sha256::digest(format!("{}/{user}", self.secret)))
    }

    /// Process id while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::pid)
    }

    /// How it ended, if it did by itself.
    pub fn ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        self.child.as_mut().map_or(Ok(None), Child::ended)
    }

    /// Stops it in order.
    pub async fn stop(&mut self) -> Result<()> {
        match self.child.take() {
            Some(mut child) => child.stop(STOP_LIMIT).await,
            None => Ok(()),
        }
    }

    /// Kills it, as a crash would.
    pub async fn kill(&mut self) -> Result<()> {
        match self.child.take() {
            Some(mut child) => {
                child.signal(Signal::Kill);
                child.wait(STOP_LIMIT).await
            }
            None => Ok(()),
        }
    }

    /// Where JetStream keeps its streams: to be wiped, copied or put back while the server is stopped.
    pub fn store(&self) -> PathBuf {
        self.home.join("nats")
    }

    /// Starts it again after a stop, at the same address.
    pub async fn resume(&mut self) -> Result<()> {
        let configuration = self.home.join("nats.conf");
        let (mut content, mut users) = (CONFIGURATION.to_owned(), Vec::from(SERVICES));
        users.extend([READER, AUDITOR]);
        if self.disk == Disk::Throwaway {
            content = CONFIGURATION.replacen(ACCOUNTS, &format!("{ACCOUNTS}{WORKSHOP}"), 1);
            users.push("workshop");
        }
        fs::write(&configuration, content)?;
        let address = SocketAddr::from(([127, 0, 0, 1], self.port));
        // The configuration's language reads a variable's value as one of its own terms: quoted, it is a text.
        let text = |value: &str| format!("{value:?}");
        let mut program = Program::new(&self.program, self.home.join("nats.log"), Signal::Terminate)
            .args(["--config".as_ref(), configuration.as_os_str()])
            .env("TOGUNA_NATS_LISTEN", text(&address.to_string()))
            .env("TOGUNA_NATS_STORE", text(&self.store().to_string_lossy()));
        for user in users {
            let name = format!("TOGUNA_NATS_{}_PASSWORD", user.to_uppercase());
            program = program.env(&name, text(&self.password(user)));
        }
        let program = program.remove_after((self.disk == Disk::Throwaway).then_some(&self.home));
        let mut child = program.start()?;
        let answers = || TcpStream::connect_timeout(&address, Duration::from_millis(200)).is_ok();
        child.until(START_LIMIT, answers).await.context("nats-server did not start")?;
        self.child = Some(child);
        Ok(())
    }
}

/// The program: `.tools/bin/nats-server` of this folder or one above, or above the running program; else on PATH.
fn program() -> Result<PathBuf> {
    let places = [env::current_dir().ok(), env::current_exe().ok()];
    let tools = places.iter().flatten().flat_map(|place| place.ancestors().map(|above| above.join(".tools/bin")));
    let path = env::var_os("PATH").unwrap_or_default();
    let folders: Vec<PathBuf> = tools.chain(env::split_paths(&path)).collect();
    let found = folders.iter().map(|folder| folder.join("nats-server")).filter(|program| program.exists());
    let mut too_old = None;
    for program in found {
        match version(&program)? {
            version if version >= OLDEST => return Ok(program),
            version => too_old = too_old.or(Some((program, version))),
        }
    }
    match too_old {
        Some((program, (major, minor))) => {
            anyhow::bail!("{} is {major}.{minor}; 2.12 or newer is needed; `make deps` installs it", program.display())
        }
        None => anyhow::bail!("nats-server is not installed; `make deps` installs it, or set NATS_URL to one you have"),
    }
}

fn version(program: &Path) -> Result<(u32, u32)> {
    let output = Command::new(program).arg("--version").output();
    let output = output.with_context(|| format!("cannot run {}", program.display()))?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.trim().trim_start_matches("nats-server: v").split('.').map(str::parse);
    match (numbers.next(), numbers.next()) {
        (Some(Ok(major)), Some(Ok(minor))) => Ok((major, minor)),
        _ => anyhow::bail!("{} does not say its version: {text:?}", program.display()),
    }
}
