//! Disintegrate, an event store library on PostgreSQL, as a program of its own (`peers/disintegrate`) on a PostgreSQL of
//! its own: it needs a newer one than some distributions have.

use std::{
    env, fs,
    os::unix::{fs::chown, process::CommandExt as _},
    path::{Path, PathBuf},
    process,
    time::Duration,
};

use anyhow::{Context as _, Result, ensure};
use async_trait::async_trait;
use nix::unistd::{User, geteuid};
use serde::Deserialize;
use toguna::local::{
    child::{Child, Program, Signal},
    random_hex,
};
use tokio::process::Command;

use super::{Peer, installed};
use crate::{ground::Ground, measure::Sample};

/// Its name and version.
pub const NAME: &str = "Disintegrate 4.0.1";

/// How long its PostgreSQL may take to start or to stop.
const PATIENCE: Duration = Duration::from_secs(20);

/// Ready to be written to.
pub struct Disintegrate {
    program: PathBuf,
    postgres: PathBuf,
    settings: Vec<String>,
    user: Option<User>,
    folder: PathBuf,
}

impl Disintegrate {
    /// Finds the programs; each measurement makes a PostgreSQL.
    pub fn prepare(ground: &Ground) -> Result<Self> {
        // PostgreSQL refuses to run as root.
        let user = if geteuid().is_root() { User::from_name("postgres")? } else { None };
        Ok(Self {
            program: installed("disintegrate")?.join("bin/bench-disintegrate"),
            postgres: installed("postgres")?.join("server/bin"),
            settings: ground.machine.postgres_settings.clone(),
            user,
            folder: ground.folder("disintegrate")?,
        })
    }

    /// A new PostgreSQL below `home`, with the settings of the other one, that listens on a socket in `socket` alone.
    async fn start(&self, home: &Path, socket: &Path) -> Result<Child> {
        for folder in [home, socket] {
            fs::create_dir(folder)?;
            if let Some(user) = &self.user {
                chown(folder, Some(user.uid.as_raw()), Some(user.gid.as_raw()))?;
            }
        }
        let files = home.join("files");
        let mut initdb = process::Command::new(self.postgres.join("initdb"));
        initdb.args(["--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--username=bench", "--data-checksums"]);
        initdb.arg("--pgdata").arg(&files).current_dir("/");
        if let Some(user) = &self.user {
            initdb.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        let output = initdb.output().context("cannot run initdb")?;
        ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr).trim());
        let own = ["listen_addresses=".to_owned(), format!("unix_socket_directories={}", socket.display())];
        let program = Program::new(&self.postgres.join("postgres"), home.join("postgres.log"), Signal::Interrupt);
        let program = program.args(["-D".as_ref(), files.as_os_str()]);
        let program = program.args(own.iter().chain(&self.settings).flat_map(|setting| ["-c", setting]));
        let mut server = program.user(self.user.as_ref()).remove_after(Some(home)).start()?;
        let status = files.join("postmaster.pid");
        let ready = || {
            let status = fs::read_to_string(&status).unwrap_or_default();
            status.lines().nth(7).is_some_and(|line| line.trim() == "ready")
        };
        server.until(PATIENCE, ready).await.context("its PostgreSQL did not start")?;
        Ok(server)
    }
}

#[async_trait]
impl Peer for Disintegrate {
    fn name(&self) -> &'static str {
        NAME
    }

    fn note(&self) -> &'static str {
        "called in process, without a network service, on PostgreSQL 18.6 with the same settings; 16 connections over a \
         Unix socket; every append on the condition that its new stream has no event, by serializable transactions, \
         which fail each other now and then and are tried again; in a table of 20,000 events, for in an empty one nearly \
         all fail; payload as JSON; positions are from a sequence, with gaps and not in order of commit"
    }

    async fn append(&self, callers: usize, events: usize, payload: usize, time: Duration) -> Result<Sample> {
        let home = self.folder.join(random_hex(4));
        // The path of a socket may have a hundred characters at most.
        let socket = env::temp_dir().join(format!("toguna-bench-{}", random_hex(4)));
        let mut server = self.start(&home, &socket).await?;
        let mut program = Command::new(&self.program);
        program.args([callers, events, payload].map(|number| number.to_string())).arg(time.as_millis().to_string());
        program.env("PGHOST", &socket).envs([("PGPORT", "5432"), ("PGUSER", "bench"), ("PGDATABASE", "postgres")]);
        let output = program.kill_on_drop(true).output().await;
        server.stop(PATIENCE).await?;
        for folder in [home, socket] {
            fs::remove_dir_all(folder)?;
        }
        let output = output.with_context(|| format!("cannot run {}", self.program.display()))?;
        ensure!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(serde_json::from_slice::<Line>(&output.stdout)?.into())
    }
}

/// What the program prints.
#[derive(Debug, Deserialize)]
struct Line {
    seconds: f64,
    failed: u64,
    conflicts: u64,
    /// Microseconds, and how many operations took as long.
    latencies: Vec<(u64, u64)>,
}

impl From<Line> for Sample {
    fn from(line: Line) -> Self {
        let elapsed = Duration::from_secs_f64(line.seconds);
        let mut sample = Self { failed: line.failed, conflicts: line.conflicts, elapsed, ..Self::empty() };
        for (latency, count) in line.latencies {
            sample.operations += count;
            sample.latency.saturating_record_n(latency, count);
        }
        sample
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_program_prints_is_understood() {
        let line = r#"{"seconds": 2.0, "failed": 1, "conflicts": 3, "latencies": [[1000, 3], [5000, 1]]}"#;
        let sample: Sample = serde_json::from_str::<Line>(line).expect("a line").into();
        assert_eq!((sample.operations, sample.failed, sample.conflicts), (4, 1, 3));
        assert!((sample.rate() - 2.0).abs() < 1e-9 && sample.quantile(0.5) < 1.1, "{sample:?}");
    }
}
