//! A private PostgreSQL: made by initdb with checksums, listening on loopback alone, every role with a password.

use std::{
    env, fs,
    os::unix::{fs::PermissionsExt as _, process::CommandExt as _},
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Duration,
};

use anyhow::{Context as _, Result};
use nix::unistd::{User, chown, geteuid};
use sha2::{Digest as _, Sha256};
use tokio::io::AsyncWriteExt as _;

use super::{
    START_LIMIT, STOP_LIMIT,
    child::{Child, Program, Signal},
    free_port, hex, kept, random_hex, write_private,
};

/// The superuser that initdb makes; only we use it.
const SUPERUSER: &str = "toguna";

/// Where the distribution keeps PostgreSQL, by version.
const DISTRIBUTION: &str = "/usr/lib/postgresql";

/// Where PostgreSQL's files go when its user cannot reach the home directory.
const ELSEWHERE: &str = "/var/lib/toguna";

/// How often a start is tried.
const RESUME_TRIES: u32 = 5;

/// What a crash of the machine may cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Disk {
    /// Nothing that was committed.
    Durable,
    /// Everything: for tests, removed when we are gone.
    Throwaway,
}

/// A private PostgreSQL server.
#[derive(Debug)]
pub struct Postgres {
    programs: PathBuf,
    home: PathBuf,
    folder: PathBuf,
    port: u16,
    password: String,
    user: Option<User>,
    disk: Disk,
    settings: Vec<String>,
    child: Option<Child>,
}

impl Postgres {
    /// Starts the server kept below `home`, which is made where it is not there yet. As root it runs as the user
    /// `postgres`; where that user cannot reach `home`, its files go below `/var/lib/toguna`, and stderr says so.
    pub async fn start(home: &Path, disk: Disk) -> Result<Self> {
        Self::start_with(home, disk, Vec::new()).await
    }

    /// The same, with settings of the caller's own (`name=value`), which stand above ours.
    pub async fn start_with(home: &Path, disk: Disk, settings: Vec<String>) -> Result<Self> {
        let user = other_user()?;
        let home = fs::canonicalize(home).with_context(|| format!("no directory {}", home.display()))?;
        let password = home.join("postgres.password");
        let folder = folder(&home, user.as_ref(), password.exists())?;
        let password = kept(&password, || random_hex(24))?;
        if let (Disk::Throwaway, Some(user)) = (disk, &user) {
            // Its watch, which runs as the same user, removes it.
            chown(&home, Some(user.uid), Some(user.gid))?;
        }
        let programs = programs_for(&folder)?;
        let mut server =
            Self { programs, home, folder, port: free_port()?, password, user, disk, settings, child: None };
        if !server.data().join("PG_VERSION").exists() {
            server.initialise()?;
        }
        server.stop_stale()?;
        server.resume().await?;
        Ok(server)
    }

    /// Address of a database, as its superuser.
    pub fn url(&self, database: &str) -> String {
        address(SUPERUSER, &self.password, self.port, database)
    }

    /// Makes the database and a role that owns it, where they are not there, and gives the owner's address. The owner
    /// can make roles until [`Postgres::settle`], and cannot connect to other databases.
    pub async fn database(&self, name: &str) -> Result<String> {
        // Derived, so that it need not be kept: whoever knows the superuser's password knows this one anyway.
        let password = hex(&Sha256::digest(format!("{}/{name}", self.password)));
        let present = self.sql(&format!("SELECT 1 FROM pg_database WHERE datname = '{name}'")).await?;
        if present.is_empty() {
            self.sql(&format!("CREATE ROLE {name} LOGIN CREATEROLE PASSWORD '{password}'")).await?;
            self.sql(&format!("CREATE DATABASE {name} OWNER {name}")).await?;
            self.sql(&format!("REVOKE ALL ON DATABASE {name} FROM PUBLIC")).await?;
        } else {
            self.sql(&format!("ALTER ROLE {name} CREATEROLE")).await?;
        }
        Ok(address(name, &password, self.port, name))
    }

    /// The owner of a database has made its roles: it can make no more. Before PostgreSQL 16, whoever can make roles can
    /// give any other, such as another service's owner, a password.
    pub async fn settle(&self, name: &str) -> Result<()> {
        self.sql(&format!("ALTER ROLE {name} NOCREATEROLE")).await.map(drop)
    }

    /// Process id of the postmaster while it runs.
    pub fn pid(&self) -> Option<u32> {
        self.child.as_ref().map(Child::pid)
    }

    /// Where its files are.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// How it ended, if it did by itself.
    pub fn ended(&mut self) -> Result<Option<std::process::ExitStatus>> {
        self.child.as_mut().map_or(Ok(None), Child::ended)
    }

    /// Stops it in order: fast, with a checkpoint.
    pub async fn stop(&mut self) -> Result<()> {
        match self.child.take() {
            Some(mut child) => child.stop(STOP_LIMIT).await,
            None => Ok(()),
        }
    }

    /// Stops it at once, without a checkpoint, as a crash would.
    pub async fn stop_immediately(&mut self) -> Result<()> {
        match self.child.take() {
            Some(mut child) => {
                child.signal(Signal::Quit);
                child.wait(STOP_LIMIT).await
            }
            None => Ok(()),
        }
    }

    /// Starts it again after a stop, at the same address.
    pub async fn resume(&mut self) -> Result<()> {
        // The children of a postmaster that was killed hold its memory for a moment.
        for _ in 1..RESUME_TRIES {
            if self.try_resume().await.is_ok() {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(500)).await;
        }
        self.try_resume().await
    }

    async fn try_resume(&mut self) -> Result<()> {
        let durable = if self.disk == Disk::Durable { "on" } else { "off" };
        let settings = [
            "listen_addresses=127.0.0.1".to_owned(),
            format!("port={}", self.port),
            // No socket: its path may be longer than a socket's may be.
            "unix_socket_directories=".to_owned(),
            "max_connections=300".to_owned(),
            format!("fsync={durable}"),
            format!("full_page_writes={durable}"),
        ];
        let stop = if self.disk == Disk::Durable { Signal::Interrupt } else { Signal::Quit };
        let program = Program::new(&self.programs.join("postgres"), self.home.join("postgres.log"), stop)
            .args(["-D".as_ref(), self.data().as_os_str()])
            .args(settings.iter().chain(&self.settings).flat_map(|setting| ["-c", setting]))
            .user(self.user.as_ref())
            .remove_after((self.disk == Disk::Throwaway).then_some(&self.home));
        let mut child = program.start()?;
        let status = self.data().join("postmaster.pid");
        let pid = child.pid().to_string();
        let ready = || {
            let file = fs::read_to_string(&status).unwrap_or_default();
            file.lines().next() == Some(&pid) && file.lines().nth(7).is_some_and(|line| line.trim() == "ready")
        };
        child.until(START_LIMIT, ready).await.context("PostgreSQL did not start")?;
        self.child = Some(child);
        Ok(())
    }

    fn data(&self) -> PathBuf {
        self.folder.join("data")
    }

    fn initialise(&self) -> Result<()> {
        let password = self.folder.join("password");
        write_private(&password, self.password.as_bytes())?;
        if let Some(user) = &self.user {
            chown(&password, Some(user.uid), Some(user.gid))?;
        }
        let mut initdb = self.program("initdb");
        initdb.args(["--data-checksums", "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C.UTF-8"]);
        initdb.args(["--no-instructions", "--username", SUPERUSER]);
        initdb.arg("--pwfile").arg(&password).arg("--pgdata").arg(self.data());
        if self.disk == Disk::Throwaway {
            initdb.arg("--no-sync");
        }
        let output = initdb.output().context("cannot run initdb")?;
        fs::remove_file(&password)?;
        anyhow::ensure!(output.status.success(), "initdb: {}", String::from_utf8_lossy(&output.stderr).trim());
        Ok(())
    }

    /// A server that outlived its watch (both were killed, or this home was copied) still holds the files.
    fn stop_stale(&self) -> Result<()> {
        if !self.data().join("postmaster.pid").exists() {
            return Ok(());
        }
        let mut control = self.program("pg_ctl");
        control.arg("--pgdata").arg(self.data());
        // A refusal says that there is no such process: the file is a crash's leaving, and the next start clears it.
        control.args(["--wait", "--mode", "fast", "--silent", "stop"]).output().context("cannot run pg_ctl")?;
        Ok(())
    }

    fn program(&self, name: &str) -> Command {
        let mut command = Command::new(self.programs.join(name));
        command.current_dir("/");
        if let Some(user) = &self.user {
            command.uid(user.uid.as_raw()).gid(user.gid.as_raw());
        }
        command
    }

    async fn sql(&self, statement: &str) -> Result<String> {
        psql(&self.programs, &self.url("postgres"), statement).await
    }
}

/// Runs one statement by psql and gives the rows it answers, unaligned.
pub async fn psql(programs: &Path, url: &str, statement: &str) -> Result<String> {
    let mut command = tokio::process::Command::new(programs.join("psql"));
    command.args(["--no-psqlrc", "--quiet", "--tuples-only", "--no-align", "--set=ON_ERROR_STOP=1"]);
    let (url, password) = without_password(url);
    // Every user of the machine can read a program's arguments, only ours its environment and its input.
    command.arg("--dbname").arg(url).envs(password.map(|password| ("PGPASSWORD", password)));
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().context("cannot run psql")?;
    child.stdin.take().expect("stdin is piped").write_all(statement.as_bytes()).await?;
    let output = child.wait_with_output().await?;
    let said = String::from_utf8_lossy(&output.stderr);
    anyhow::ensure!(output.status.success(), "psql: {}", said.trim().trim_start_matches("psql: "));
    Ok(String::from_utf8(output.stdout)?.trim_end().to_owned())
}

/// The address of another database of the same server.
pub fn in_database(url: &str, name: &str) -> Result<String> {
    let (place, options) =
        url.split_once('?').map_or((url, String::new()), |(place, rest)| (place, format!("?{rest}")));
    let (scheme, rest) = place.split_once("://").with_context(|| format!("{place:?} is no address of a database"))?;
    let authority = rest.split('/').next().unwrap_or_default();
    Ok(format!("{scheme}://{authority}/{name}{options}"))
}

fn without_password(url: &str) -> (String, Option<String>) {
    let parts = url.split_once("://").and_then(|(scheme, rest)| Some((scheme, rest.split_once('@')?)));
    match parts.and_then(|(scheme, (login, place))| Some((scheme, login.split_once(':')?, place))) {
        Some((scheme, (user, password), place)) => {
            (format!("{scheme}://{user}@{place}"), Some(percent_decoded(password)))
        }
        None => (url.to_owned(), None),
    }
}

/// As an address writes it, to what it means: `%40` is `@`.
fn percent_decoded(text: &str) -> String {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'%').and_then(|digits| str::from_utf8(digits).ok());
        let decoded = digits.and_then(|digits| u8::from_str_radix(digits, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

fn address(role: &str, password: &str, port: u16, database: &str) -> String {
    format!("postgres://{role}:{password}@127.0.0.1:{port}/{database}")
}

/// The programs of the version that made the files in `folder`; the newest where there are none yet.
fn programs_for(folder: &Path) -> Result<PathBuf> {
    let newest = programs();
    let Ok(version) = fs::read_to_string(folder.join("data/PG_VERSION")) else { return newest };
    let same = Path::new(DISTRIBUTION).join(version.trim()).join("bin");
    if same.exists() {
        return Ok(same);
    }
    let newest = newest?;
    // One on PATH may be of that version; it says so itself where it is not.
    anyhow::ensure!(
        !newest.starts_with(DISTRIBUTION),
        "{} was made by PostgreSQL {}, which is not installed: install it, or use another TOGUNA_HOME",
        folder.display(),
        version.trim()
    );
    Ok(newest)
}

/// The folder of PostgreSQL's programs: the newest of the distribution's, else the one on PATH.
pub fn programs() -> Result<PathBuf> {
    let newest = fs::read_dir(DISTRIBUTION).into_iter().flatten().flatten();
    let newest = newest.filter_map(|entry| {
        let version: u32 = entry.file_name().to_str()?.parse().ok()?;
        let folder = entry.path().join("bin");
        folder.join("postgres").exists().then_some((version, folder))
    });
    let on_path = || {
        let path = env::var_os("PATH")?;
        env::split_paths(&path).find(|folder| folder.join("postgres").exists() && folder.join("initdb").exists())
    };
    newest
        .max()
        .map(|(_, folder)| folder)
        .or_else(on_path)
        .context("PostgreSQL is not installed; `make deps` installs it, or set DATABASE_URL to a server that you have")
}

/// PostgreSQL refuses to run as root; the distribution's package brings the user `postgres`.
fn other_user() -> Result<Option<User>> {
    if !geteuid().is_root() {
        return Ok(None);
    }
    let user = User::from_name("postgres")?;
    user.map(Some).context("as root, PostgreSQL needs a user named `postgres` to run as; its package makes one")
}

/// The folder of the server's files, owned by its user and reachable by it. Files elsewhere go when their home went.
fn folder(home: &Path, user: Option<&User>, home_is_known: bool) -> Result<PathBuf> {
    let own = |folder: PathBuf| -> Result<PathBuf> {
        fs::create_dir_all(&folder).with_context(|| format!("cannot make {}", folder.display()))?;
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o700))?;
        if let Some(user) = user {
            chown(&folder, Some(user.uid), Some(user.gid))?;
        }
        Ok(folder)
    };
    let elsewhere = Path::new(ELSEWHERE).join(&hex(&Sha256::digest(home.as_os_str().as_encoded_bytes()))[..16]);
    if user.is_none() || (reaches(user, home)? && !elsewhere.exists()) {
        return own(home.join("postgres"));
    }
    if elsewhere.exists() && !home_is_known {
        fs::remove_dir_all(&elsewhere).with_context(|| format!("cannot remove {}", elsewhere.display()))?;
    }
    if !elsewhere.exists() {
        fs::create_dir_all(ELSEWHERE).with_context(|| format!("cannot make {ELSEWHERE}"))?;
        fs::set_permissions(ELSEWHERE, fs::Permissions::from_mode(0o755))?;
    }
    eprintln!("{} is closed to the user postgres: its files are in {}", home.display(), elsewhere.display());
    own(elsewhere)
}

fn reaches(user: Option<&User>, folder: &Path) -> Result<bool> {
    let mut test = Command::new("test");
    test.arg("-x").arg(folder).current_dir("/");
    if let Some(user) = user {
        test.uid(user.uid.as_raw()).gid(user.gid.as_raw());
    }
    Ok(test.status().context("cannot run `test`")?.success())
}

#[cfg(test)]
mod tests;
