//! Where a local stack keeps its state: `TOGUNA_HOME`, else the `.toguna` of this folder or the nearest one above.

use std::{
    collections::BTreeMap,
    env, fs,
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::{identity::Identity, write_private};

/// A directory of state.
#[derive(Debug, Clone)]
pub struct Home(PathBuf);

/// What `stack.json` says of a running stack.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct StackFile {
    /// Process id of `toguna up`.
    pub pid: u32,
    /// The services, by name.
    pub services: BTreeMap<String, Address>,
    /// The signer of the logs and the witnesses, by name.
    #[serde(default)]
    pub witnesses: BTreeMap<String, Address>,
    /// Process id of our own PostgreSQL.
    pub postgres_pid: Option<u32>,
    /// Process id of our own nats-server.
    pub nats_pid: Option<u32>,
    /// Its address, with the login that may read the copies of the logs that are open to all partners.
    #[serde(default)]
    pub nats_reader: Option<String>,
    /// The same, with the login that may read the copies of all logs.
    #[serde(default)]
    pub nats_auditor: Option<String>,
}

/// Where a service answers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Address {
    /// Host and port.
    pub address: String,
    /// Process id.
    pub pid: u32,
}

impl Home {
    /// The home of this environment; it need not be there yet.
    pub fn find() -> Result<Self> {
        if let Some(home) = env::var_os("TOGUNA_HOME").filter(|home| !home.is_empty()) {
            return Ok(Self(std::path::absolute(home)?));
        }
        let here = env::current_dir()?;
        let near = here.ancestors().map(|folder| folder.join(".toguna")).find(|folder| folder.is_dir());
        Ok(Self(near.unwrap_or_else(|| here.join(".toguna"))))
    }

    /// The directory, made where it is not there yet.
    pub fn make(&self) -> Result<()> {
        fs::create_dir_all(&self.0).with_context(|| format!("cannot make {}", self.0.display()))
    }

    /// The directory.
    pub fn folder(&self) -> &Path {
        &self.0
    }

    /// The keys of the stack.
    pub fn identity(&self) -> Result<Identity> {
        Identity::open(&self.0.join("keys"))
    }

    /// Whether a stack runs here, by what it wrote of itself and the lock that it holds.
    pub fn running(&self) -> Option<StackFile> {
        let lock = File::open(self.0.join("lock")).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => self.read_stack().ok(),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }

    /// Takes the home for ourselves until the file is dropped.
    pub(super) fn lock(&self) -> Result<File> {
        let path = self.0.join("lock");
        let file = File::create(&path).with_context(|| format!("cannot write {}", path.display()))?;
        match file.try_lock() {
            Ok(()) => Ok(file),
            Err(TryLockError::WouldBlock) => anyhow::bail!(
                "a stack runs already in {} (process {}); another one needs another TOGUNA_HOME",
                self.0.display(),
                self.read_stack().map_or(0, |stack| stack.pid)
            ),
            Err(TryLockError::Error(error)) => Err(error).with_context(|| format!("cannot lock {}", path.display())),
        }
    }

    pub(super) fn read_stack(&self) -> Result<StackFile> {
        Ok(serde_json::from_slice(&fs::read(self.stack_file())?)?)
    }

    /// Written whole or not at all: others read it at any time.
    pub(super) fn write_stack(&self, stack: &StackFile) -> Result<()> {
        let unfinished = self.stack_file().with_extension("unfinished");
        write_private(&unfinished, &serde_json::to_vec_pretty(stack)?)?;
        fs::rename(&unfinished, self.stack_file()).context("cannot write stack.json")
    }

    /// What the logs were begun with; `None`: nothing yet.
    pub fn loaded(&self) -> Result<Option<String>> {
        match fs::read_to_string(self.0.join("loaded")) {
            Ok(text) => Ok(Some(text.trim().to_owned())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(error).context("cannot read what was loaded"),
        }
    }

    /// Remembers what the logs were begun with.
    pub fn set_loaded(&self, what: &str) -> Result<()> {
        write_private(&self.0.join("loaded"), what.as_bytes())
    }

    fn stack_file(&self) -> PathBuf {
        self.0.join("stack.json")
    }
}
