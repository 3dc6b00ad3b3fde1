//! A server of ours that is kept running: it says where it answers in a file, and is started again where it stops.

use std::{
    env, fs,
    net::TcpListener,
    path::{Path, PathBuf},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};

use super::{
    child::{Child, Program, Signal},
    home::{Address, Home},
};

/// How long a server may take to be ready: the first start makes tables, a later one may replay a log.
pub(super) const READY_LIMIT: Duration = Duration::from_mins(5);

/// A server that stopped is started again after this wait, and after twice the last one where it stops again before it
/// was up for [`STEADY`].
const FIRST_WAIT: Duration = Duration::from_millis(200);
const LONGEST_WAIT: Duration = Duration::from_secs(10);
const STEADY: Duration = Duration::from_secs(30);

/// A server, running or about to.
#[derive(Debug)]
pub(super) struct Server {
    name: &'static str,
    program: PathBuf,
    arguments: &'static [&'static str],
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

impl Server {
    /// One of our programs, which reads from its environment where to listen and in which file to say so. `before` is
    /// where it answered last time: bookmarks go on working where that is still free.
    pub(super) fn new(name: &'static str, program_name: &str, home: &Home, before: Option<&Address>) -> Result<Self> {
        let last = before.map(|address| address.address.clone());
        Ok(Self {
            name,
            program: program(program_name)?,
            arguments: &[],
            environment: Vec::new(),
            ready_file: home.folder().join(format!("{name}.ready")),
            log: home.folder().join(format!("{name}.log")),
            address: last.filter(|address| TcpListener::bind(address).is_ok()),
            child: None,
            started: Instant::now(),
            due: None,
            wait: FIRST_WAIT,
        })
    }

    /// With arguments.
    pub(super) fn arguments(mut self, arguments: &'static [&'static str]) -> Self {
        self.arguments = arguments;
        self
    }

    /// With variables of its environment.
    pub(super) fn environment(mut self, variables: impl IntoIterator<Item = (&'static str, String)>) -> Self {
        self.environment.extend(variables);
        self
    }

    pub(super) fn name(&self) -> &'static str {
        self.name
    }

    /// Where it answers, and its process.
    pub(super) fn address(&self) -> Address {
        Address { address: self.address.clone().unwrap_or_default(), pid: self.child.as_ref().map_or(0, Child::pid) }
    }

    pub(super) fn start(&mut self) -> Result<()> {
        // The last start's, which would be taken for this one's.
        let _ = fs::remove_file(&self.ready_file);
        let mut program = Program::new(&self.program, self.log.clone(), Signal::Terminate)
            .args(self.arguments)
            .env("TOGUNA_READY_FILE", &self.ready_file)
            .env("TOGUNA_LISTEN", self.address.as_deref().unwrap_or("127.0.0.1:0"));
        for (name, value) in &self.environment {
            program = program.env(name, value);
        }
        self.child = Some(program.start()?);
        self.started = Instant::now();
        Ok(())
    }

    /// Waits until it says where it answers.
    pub(super) async fn until_listening(&mut self) -> Result<()> {
        let child = self.child.as_mut().context("a started server runs")?;
        let ready_file = &self.ready_file;
        let problem = || format!("{} did not start", self.name);
        child.until(READY_LIMIT, || ready_file.exists()).await.with_context(problem)?;
        self.address = Some(fs::read_to_string(ready_file)?.trim().to_owned());
        Ok(())
    }

    /// Fails where it has stopped.
    pub(super) fn runs(&mut self) -> Result<()> {
        match self.child.as_mut().map_or(Ok(None), Child::ended)? {
            Some(status) => anyhow::bail!("{} stopped ({status}); see {}", self.name, self.log.display()),
            None => Ok(()),
        }
    }

    /// Where it writes what it has to say.
    pub(super) fn log(&self) -> &Path {
        &self.log
    }

    /// Starts it again where it stopped by itself, after a while; `tell` hears of it. Whether it was started.
    pub(super) fn keep(&mut self, tell: impl Fn(&str)) -> Result<bool> {
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

    /// Tells it to stop in order.
    pub(super) fn tell_to_stop(&mut self) {
        if let Some(child) = &mut self.child {
            child.signal(Signal::Terminate);
        }
    }

    /// Waits until it has stopped; kills it after `limit`.
    pub(super) async fn stopped(&mut self, limit: Duration) -> Result<()> {
        match self.child.take() {
            Some(mut child) => child.wait(limit).await,
            None => Ok(()),
        }
    }
}

/// One of our programs, which stands beside the one that runs.
fn program(name: &str) -> Result<PathBuf> {
    let ours = env::current_exe()?;
    let folder = ours.parent().context("a program stands in a folder")?;
    let found = [folder, folder.parent().unwrap_or(folder)].map(|folder| folder.join(name));
    let found = found.into_iter().find(|program| program.is_file());
    found.with_context(|| format!("no program {name} beside {}: build all with `make run`", ours.display()))
}
