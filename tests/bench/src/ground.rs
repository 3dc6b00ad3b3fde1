//! What all rows of a run stand on: one PostgreSQL of our own with its files on a real disk, the
//! keys of callers and services, and a folder for everything else. All of it goes when this process does.

use std::{
    env, fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use anyhow::{Context as _, Result};
use jiff::SignedDuration;
use toguna::local::{
    identity::{AUDIENCE, Identity},
    postgres::{self, Disk, Postgres, psql},
    random_hex,
};

use crate::{machine::Machine, process::Watched};

/// What differs from PostgreSQL's own settings, beside the connections that are allowed: nothing is safer or less safe,
/// and a checkpoint comes only where a row asks for one, the same for everybody.
const SETTINGS: [&str; 6] = [
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "max_wal_size=4GB",
    "checkpoint_timeout=1h",
    "shared_buffers=512MB",
];

/// Servers and folders of one run.
#[derive(Debug)]
pub struct Ground {
    scratch: PathBuf,
    postgres: Postgres,
    identity: Identity,
    programs: PathBuf,
    socket: PathBuf,
    databases: AtomicU32,
    /// What the machine is.
    pub machine: Machine,
}

impl Ground {
    /// Starts the servers, with their files below `BENCH_SCRATCH` or, where that is not set, below `target/bench`.
    pub async fn prepare() -> Result<Self> {
        let place = env::var_os("BENCH_SCRATCH").map_or_else(|| results().join("scratch"), PathBuf::from);
        let scratch = place.join(random_hex(4));
        for folder in ["postgres", "keys"] {
            let folder = scratch.join(folder);
            fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        }
        let programs = postgres::programs()?;
        let version = version(&programs)?;
        let machine = Machine::look(&scratch, version, SETTINGS.map(str::to_owned).to_vec())?;
        // The path of a socket may have a hundred characters at most.
        let socket = env::temp_dir().join(format!("toguna-bench-{}", random_hex(4)));
        fs::create_dir(&socket)?;
        fs::set_permissions(&socket, fs::Permissions::from_mode(0o777))?;
        let mut settings = SETTINGS.map(str::to_owned).to_vec();
        settings.push(format!("unix_socket_directories={}", socket.display()));
        Ok(Self {
            // Thrown away at the end; until then as durable as the settings say.
            postgres: Postgres::start_with(&scratch.join("postgres"), Disk::Throwaway, settings).await?,
            identity: Identity::open(&scratch.join("keys"))?,
            databases: AtomicU32::new(0),
            scratch,
            programs,
            socket,
            machine,
        })
    }

    /// Stops the server and removes everything.
    pub async fn clear(&mut self) -> Result<()> {
        self.postgres.stop_immediately().await?;
        fs::remove_dir_all(&self.scratch).with_context(|| format!("cannot remove {}", self.scratch.display()))
    }

    /// A new, empty database: its owner's address over TCP. The owner can make roles.
    pub async fn database(&self, name: &str) -> Result<String> {
        let name = format!("{name}_{}", self.databases.fetch_add(1, Ordering::Relaxed));
        self.postgres.database(&name).await
    }

    /// The same address for the server's superuser: for what its owner may not do, such as making extensions.
    pub fn as_superuser(&self, url: &str) -> String {
        self.postgres.url(name_of_database(url))
    }

    /// The same address over the server's Unix socket.
    pub fn over_socket(&self, url: &str) -> String {
        let (place, name) = url.rsplit_once('/').unwrap_or((url, ""));
        let (login, host) = place.rsplit_once('@').unwrap_or((place, ""));
        let port = host.rsplit_once(':').map_or("5432", |(_, port)| port);
        format!("{login}@localhost:{port}/{name}?host={}&port={port}", self.socket.display())
    }

    /// Removes a database, so that the next row has the disk and the memory for itself.
    pub async fn drop_database(&self, url: &str) -> Result<()> {
        let name = name_of_database(url);
        self.sql(&self.postgres.url("postgres"), &format!("DROP DATABASE \"{name}\" WITH (FORCE)")).await?;
        Ok(())
    }

    /// Runs statements by psql and gives the rows they answer, unaligned.
    pub async fn sql(&self, url: &str, statements: &str) -> Result<String> {
        psql(&self.programs, url, statements).await
    }

    /// Writes everything that is dirty, so that whoever is measured next begins like whoever was measured before.
    pub async fn settle(&self) -> Result<()> {
        self.sql(&self.postgres.url("postgres"), "CHECKPOINT").await?;
        tokio::time::sleep(Duration::from_millis(200)).await;
        Ok(())
    }

    /// Folder of PostgreSQL's programs: psql, pgbench.
    pub fn programs(&self) -> &Path {
        &self.programs
    }

    /// Process id of the PostgreSQL server, whose children are its sessions.
    pub fn postgres_pid(&self) -> Option<u32> {
        self.postgres.pid()
    }

    /// PostgreSQL and these processes, to see what they use.
    pub fn watch(&self, processes: impl IntoIterator<Item = u32>) -> Watched {
        Watched::new(processes.into_iter().chain(self.postgres_pid()))
    }

    /// A new folder below the scratch folder.
    pub fn folder(&self, name: &str) -> Result<PathBuf> {
        let folder = self.scratch.join(format!("{name}-{}", random_hex(3)));
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        Ok(folder)
    }

    /// A token that services accept for a day.
    pub fn token(&self, roles: &[&str], organisation: &str) -> Result<String> {
        self.identity.token(roles, organisation, "caller", SignedDuration::from_hours(24))
    }

    /// What a service is told of its callers by its environment.
    pub fn environment(&self) -> Vec<(&'static str, String)> {
        let text = |path: PathBuf| path.to_string_lossy().into_owned();
        vec![
            ("TOGUNA_ISSUERS", text(self.identity.issuers())),
            ("TOGUNA_PSEUDONYM_KEY", text(self.identity.pseudonym_key())),
            ("TOGUNA_AUDIENCE", AUDIENCE.to_owned()),
        ]
    }
}

impl Drop for Ground {
    fn drop(&mut self) {
        // Where we end early the servers remove their own folders once they have stopped; these are ours.
        let _ = fs::remove_dir_all(&self.socket);
        let _ = fs::remove_dir_all(self.scratch.join("keys"));
    }
}

/// Where results go, and what a run needs meanwhile.
pub fn results() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../target/bench")
}

fn name_of_database(url: &str) -> &str {
    let address = url.split('?').next().unwrap_or_default();
    address.rsplit_once('/').map_or(address, |(_, name)| name)
}

fn version(programs: &Path) -> Result<String> {
    let output = std::process::Command::new(programs.join("postgres")).arg("--version").output()?;
    Ok(String::from_utf8_lossy(&output.stdout).trim().to_owned())
}
