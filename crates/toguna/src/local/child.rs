//! A server under watch. Its orders come through a pipe; when the pipe closes, because the process that started it
//! stopped or was killed in any way, the server is stopped too.

use std::{
    fs,
    io::{BufRead as _, BufReader, Write as _},
    os::unix::process::CommandExt as _,
    path::{Path, PathBuf},
    process::{self, ChildStdin, Command, Stdio},
    time::{Duration, Instant},
};

use anyhow::{Context as _, Result};
use nix::unistd::User;

const WATCH: &str = include_str!("watch.sh");

/// A signal, by the name that `kill -s` takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: PostgreSQL's fast shutdown.
    Interrupt,
    /// SIGTERM: an orderly stop of everything else.
    Terminate,
    /// SIGQUIT: PostgreSQL's immediate shutdown, which loses what is not on disk.
    Quit,
    /// SIGKILL.
    Kill,
}

impl Signal {
    fn name(self) -> &'static str {
        match self {
            Self::Interrupt => "INT",
            Self::Terminate => "TERM",
            Self::Quit => "QUIT",
            Self::Kill => "KILL",
        }
    }
}

/// What to run, and how.
#[derive(Debug)]
pub struct Program {
    command: Command,
    log: PathBuf,
    stop: Signal,
}

impl Program {
    /// `program`, writing to the end of the file `log`, stopped in order by `stop`.
    pub fn new(program: &Path, log: PathBuf, stop: Signal) -> Self {
        let mut command = Command::new("sh");
        // A group of its own: the terminal's Ctrl-C reaches only us, and we stop the servers in order.
        command.args(["-c", WATCH, "watch", stop.name()]).process_group(0).env_remove("TOGUNA_REMOVE_AFTER");
        command.arg(program).current_dir("/");
        Self { command, log, stop }
    }

    /// Adds arguments.
    #[must_use]
    pub fn args<A: AsRef<std::ffi::OsStr>>(mut self, args: impl IntoIterator<Item = A>) -> Self {
        self.command.args(args);
        self
    }

    /// Sets a variable of its environment.
    #[must_use]
    pub fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    /// Runs it as this user, where that is another one than ours.
    #[must_use]
    pub fn user(mut self, user: Option<&User>) -> Self {
        if let Some(user) = user {
            self.command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        self
    }

    /// Removes a directory once the server stopped because we are gone.
    #[must_use]
    pub fn remove_after(mut self, directory: Option<&Path>) -> Self {
        if let Some(directory) = directory {
            self.command.env("TOGUNA_REMOVE_AFTER", directory);
        }
        self
    }

    /// Starts it.
    pub fn start(mut self) -> Result<Child> {
        let log = fs::OpenOptions::new().create(true).append(true).open(&self.log);
        let log = log.with_context(|| format!("cannot write {}", self.log.display()))?;
        self.command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(log);
        let mut watch = self.command.spawn().context("cannot run sh")?;
        let mut first = String::new();
        BufReader::new(watch.stdout.take().expect("stdout is piped")).read_line(&mut first)?;
        let pid = first.trim().parse().with_context(|| format!("nothing started; see {}", self.log.display()))?;
        Ok(Child { pid, stop: self.stop, log: self.log, orders: watch.stdin.take(), watch })
    }
}

/// A running server. Dropping it stops it in order, without waiting.
#[derive(Debug)]
pub struct Child {
    pid: u32,
    stop: Signal,
    log: PathBuf,
    orders: Option<ChildStdin>,
    watch: process::Child,
}

impl Child {
    /// Process id of the server itself.
    pub fn pid(&self) -> u32 {
        self.pid
    }

    /// Where its output goes.
    pub fn log(&self) -> &Path {
        &self.log
    }

    /// Sends a signal; one that has stopped already is left alone.
    pub fn signal(&mut self, signal: Signal) {
        if let Some(orders) = &mut self.orders {
            // A broken pipe means that the server and its watch are gone, which is what a signal is for.
            let _ = writeln!(orders, "{}", signal.name()).and_then(|()| orders.flush());
        }
    }

    /// How it ended, if it did: `exit status: 0`, or 128 and the signal's number.
    pub fn ended(&mut self) -> Result<Option<process::ExitStatus>> {
        Ok(self.watch.try_wait()?)
    }

    /// Stops it by the signal of its program; kills it where that takes longer than `limit`.
    pub async fn stop(&mut self, limit: Duration) -> Result<()> {
        self.signal(self.stop);
        self.wait(limit).await
    }

    /// Waits for its end; kills it after `limit`.
    pub async fn wait(&mut self, limit: Duration) -> Result<()> {
        let deadline = Instant::now() + limit;
        while self.ended()?.is_none() {
            if Instant::now() > deadline {
                self.signal(Signal::Kill);
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        Ok(())
    }

    /// Waits until `ready`; fails with the end of its log where it stops first or takes longer than `limit`.
    pub async fn until(&mut self, limit: Duration, mut ready: impl FnMut() -> bool) -> Result<()> {
        let deadline = Instant::now() + limit;
        while !ready() {
            if let Some(status) = self.ended()? {
                anyhow::bail!(
                    "it stopped at once ({status}); the end of {}:\n{}",
                    self.log.display(),
                    self.last_words()
                );
            }
            anyhow::ensure!(Instant::now() < deadline, "no answer after {limit:?}; see {}", self.log.display());
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        Ok(())
    }

    fn last_words(&self) -> String {
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let lines: Vec<&str> = log.lines().collect();
        lines[lines.len().saturating_sub(8)..].join("\n")
    }
}
