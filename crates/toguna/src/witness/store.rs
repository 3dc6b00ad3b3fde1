//! The folder of a witness: who it is, its keys, for which logs it signs.

mod evidence;
mod memory;

use std::{
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use transparency::{Checkpoint, Hash, KeyError, KeyKind, SigningKey, VerifierKey};

use super::{
    durable,
    trouble::{Given, Trouble},
};
use crate::local::{hex, random_seed};

pub use evidence::Refusal;
pub use memory::Signed;

/// The file that makes a folder a store.
const SETTINGS: &str = "witness.toml";

/// The key of a witness, and the one that a signer takes where none is named.
const WITNESS_KEY: &str = "witness";
const LOG_KEY: &str = "log";

/// A log by the SHA-256 of its origin in hexadecimal: what its files are called, and its page.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct LogId(String);

impl LogId {
    /// That of an origin.
    pub fn of(origin: &str) -> Self {
        Self(hex(&Sha256::digest(origin)))
    }

    /// As an address has it.
    pub fn read(text: &str) -> Option<Self> {
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (text.len() == 64 && text.bytes().all(digit)).then(|| Self(text.to_owned()))
    }

    /// Its 64 digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Whose key signs.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Kind {
    /// Its own: cosignatures.
    Witness {
        /// The name of the key.
        name: String,
    },
    /// The logs': the signature without which their notes are none. The key's name is the origin.
    Signer,
}

/// What `witness.toml` says.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Settings {
    /// Whose key signs.
    #[serde(flatten)]
    pub kind: Kind,
    /// Where it answers.
    pub listen: SocketAddr,
}

/// A log for which it signs.
#[derive(Debug)]
pub struct Log {
    /// First line of its checkpoints.
    pub origin: String,
    /// Whose notes are believed.
    pub trusted: Vec<VerifierKey>,
    /// With what it signs them.
    pub keys: Vec<SigningKey>,
}

/// What the file of a log says.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct LogFile {
    origin: String,
    trusted: Vec<String>,
    keys: Vec<String>,
}

/// A witness's folder.
#[derive(Debug, Clone)]
pub struct Store {
    folder: PathBuf,
    settings: Settings,
}

impl Store {
    /// Makes one. The settings come last: what is interrupted is begun again.
    pub fn init(folder: &Path, kind: Kind, listen: SocketAddr) -> Result<Self, Trouble> {
        let folder = std::path::absolute(folder).map_err(|error| Trouble::Disk(folder.to_owned(), error))?;
        if folder.join(SETTINGS).exists() {
            return Err(Trouble::AlreadyThere(folder));
        }
        let store = Self { folder, settings: Settings { kind, listen } };
        for inner in ["keys", "logs", "state", "evidence"] {
            let inner = store.folder.join(inner);
            durable::folder(&inner).map_err(|error| Trouble::Disk(inner, error))?;
        }
        let who = match &store.settings.kind {
            Kind::Witness { name } => {
                store.make_key(WITNESS_KEY, name, KeyKind::Cosigner)?;
                format!("kind = \"witness\"\nname = {}\n", quoted(name))
            }
            Kind::Signer => "kind = \"signer\"\n".to_owned(),
        };
        store.write(SETTINGS, &format!("{who}# Where it answers: host and port.\nlisten = \"{listen}\"\n"))?;
        Ok(store)
    }

    /// The one in a folder.
    pub fn open(folder: &Path) -> Result<Self, Trouble> {
        let folder = std::path::absolute(folder).map_err(|error| Trouble::Disk(folder.to_owned(), error))?;
        let file = folder.join(SETTINGS);
        let text = read(&file)?.ok_or_else(|| Trouble::NoStore(folder.clone()))?;
        let settings = toml::from_str(&text).map_err(|error| damaged(&file, error))?;
        Ok(Self { folder, settings })
    }

    /// What `witness.toml` says.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The verifier key of a witness; a signer's depend on the log.
    pub fn verifier_key(&self) -> Result<Option<VerifierKey>, Trouble> {
        let Kind::Witness { .. } = self.settings.kind else { return Ok(None) };
        Ok(Some(self.read_key(WITNESS_KEY)?.verifier().clone()))
    }

    /// What people call it: its name, or whose signer it is.
    pub fn name(&self) -> String {
        match &self.settings.kind {
            Kind::Witness { name } => name.clone(),
            Kind::Signer => self.folder.display().to_string(),
        }
    }

    /// Lets it sign for a log, and believe these keys beside those that it believes; a signer signs with `key`, beside
    /// those with which it signs, under the origin.
    pub fn trust(&self, origin: &str, trusted: &[String], key: Option<&str>) -> Result<Log, Trouble> {
        // As checkpoints have it.
        if Checkpoint::new(origin, 0, Hash::EMPTY_TREE).is_err() {
            return Err(Trouble::Given(Given::Origin(origin.to_owned())));
        }
        for each in trusted {
            verifier_key(each).map_err(|why| Trouble::Given(Given::Key { key: each.clone(), why }))?;
        }
        let key = self.key_for(key)?;
        // Two that add keys at once would lose one.
        let _turn = self.lock_file("logs/lock", File::lock)?;
        let mut file = self.log_file(&LogId::of(origin))?.unwrap_or_else(|| LogFile {
            origin: origin.to_owned(),
            trusted: Vec::new(),
            keys: Vec::new(),
        });
        let new = |known: &[String], each: &&String| !known.contains(*each);
        let added: Vec<String> = trusted.iter().filter(|each| new(&file.trusted, each)).cloned().collect();
        let key = Some(key).filter(|key| new(&file.keys, &key));
        if added.is_empty() && key.is_none() {
            return self.log_of(file);
        }
        file.trusted.extend(added);
        file.keys.extend(key);
        let list = |texts: &[String]| texts.iter().map(|text| quoted(text)).collect::<Vec<_>>().join(",\n    ");
        let text = format!(
            "origin = {}\n# Whose notes are believed.\ntrusted = [\n    {},\n]\n# Which keys of the folder `keys` sign.\nkeys = [\n    {},\n]\n",
            quoted(origin),
            list(&file.trusted),
            list(&file.keys),
        );
        self.write(&log_path(&LogId::of(origin)), &text)?;
        self.log_of(file)
    }

    /// The short name of the key that signs for a log that is added.
    fn key_for(&self, named: Option<&str>) -> Result<String, Trouble> {
        match (&self.settings.kind, named) {
            (Kind::Witness { .. }, None) => Ok(WITNESS_KEY.to_owned()),
            (_, named) => self.log_key(named.unwrap_or(LOG_KEY)).map(|_| named.unwrap_or(LOG_KEY).to_owned()),
        }
    }

    /// A signer's key of that short name, made where there is none: how others verify it, under any name.
    pub fn log_key(&self, name: &str) -> Result<VerifierKey, Trouble> {
        if let Kind::Witness { .. } = self.settings.kind {
            return Err(Trouble::Given(Given::OneKey));
        }
        let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        if name.is_empty() || name.len() > 64 || !name.bytes().all(plain) {
            return Err(Trouble::Given(Given::ShortName(name.to_owned())));
        }
        self.make_key(name, name, KeyKind::Note)?;
        Ok(self.read_key(name)?.verifier().clone())
    }

    /// The log of that id; `None`: it signs for no such log. Read anew each time, so that what is added counts at once.
    pub fn log(&self, id: &LogId) -> Result<Option<Log>, Trouble> {
        self.log_file(id)?.map(|file| self.log_of(file)).transpose()
    }

    /// All logs, by origin.
    pub fn logs(&self) -> Result<Vec<Log>, Trouble> {
        let folder = self.folder.join("logs");
        let disk = |error| Trouble::Disk(folder.clone(), error);
        let mut logs = Vec::new();
        for entry in fs::read_dir(&folder).map_err(disk)? {
            let name = entry.map_err(disk)?.file_name();
            let id = name.to_str().and_then(|name| name.strip_suffix(".toml")).and_then(LogId::read);
            logs.extend(id.map(|id| self.log(&id)).transpose()?.flatten());
        }
        logs.sort_by(|one, other| one.origin.cmp(&other.origin));
        Ok(logs)
    }

    fn log_file(&self, id: &LogId) -> Result<Option<LogFile>, Trouble> {
        let path = self.folder.join(log_path(id));
        let Some(text) = read(&path)? else { return Ok(None) };
        let file: LogFile = toml::from_str(&text).map_err(|error| damaged(&path, error))?;
        if LogId::of(&file.origin) != *id {
            return Err(damaged(&path, "it is called after another origin"));
        }
        Ok(Some(file))
    }

    fn log_of(&self, file: LogFile) -> Result<Log, Trouble> {
        let path = || self.folder.join(log_path(&LogId::of(&file.origin)));
        let trusted = file.trusted.iter().map(|key| verifier_key(key).map_err(|why| damaged(&path(), why)));
        let keys = file.keys.iter().map(|name| {
            let key = self.read_key(name)?;
            match self.settings.kind {
                Kind::Witness { .. } => Ok(key),
                Kind::Signer => key.renamed(&file.origin).map_err(|error| damaged(&path(), error)),
            }
        });
        let (trusted, keys) = (trusted.collect::<Result<_, _>>()?, keys.collect::<Result<_, _>>()?);
        Ok(Log { trusted, keys, origin: file.origin })
    }

    /// Takes the store for this process until the file is dropped, and says in it who serves.
    pub fn serve_alone(&self) -> Result<File, Trouble> {
        self.lock_file("lock", |file| match file.try_lock() {
            Ok(()) => Ok(()),
            Err(TryLockError::WouldBlock) => Err(io::ErrorKind::WouldBlock.into()),
            Err(TryLockError::Error(error)) => Err(error),
        })
    }

    /// Says in the lock file who serves the store, and where.
    pub fn served_at(&self, lock: &mut File, address: SocketAddr) -> Result<(), Trouble> {
        let text = format!("{address}, process {}\n", std::process::id());
        let written = lock.set_len(0).and_then(|()| lock.write_all(text.as_bytes()));
        written.map_err(|error| Trouble::Disk(self.folder.join("lock"), error))
    }

    /// Who serves the store, as that process says; `None`: nobody does.
    pub fn served_by(&self) -> Option<String> {
        let path = self.folder.join("lock");
        let lock = File::open(&path).ok()?;
        match lock.try_lock_shared() {
            Err(TryLockError::WouldBlock) => Some(fs::read_to_string(path).unwrap_or_default().trim().to_owned()),
            Ok(()) | Err(TryLockError::Error(_)) => None,
        }
    }

    fn lock_file(&self, name: &str, lock: impl Fn(&File) -> io::Result<()>) -> Result<File, Trouble> {
        let path = self.folder.join(name);
        let file = File::options().write(true).create(true).truncate(false).open(&path);
        let locked = file.and_then(|file| lock(&file).map(|()| file));
        locked.map_err(|error| match error.kind() {
            io::ErrorKind::WouldBlock => {
                Trouble::Served { folder: self.folder.clone(), by: self.served_by().unwrap_or_default() }
            }
            _ => Trouble::Disk(path, error),
        })
    }

    /// Makes the key of that short name where there is none.
    fn make_key(&self, short_name: &str, name: &str, kind: KeyKind) -> Result<(), Trouble> {
        if self.folder.join("keys").join(short_name).exists() {
            return Ok(());
        }
        let key =
            SigningKey::new(name, kind, &random_seed()).map_err(|_| Trouble::Given(Given::Name(name.to_owned())))?;
        self.write(&format!("keys/{short_name}"), &format!("{}\n", key.to_secret_text()))
    }

    fn read_key(&self, name: &str) -> Result<SigningKey, Trouble> {
        let path = self.folder.join("keys").join(name);
        let text = read(&path)?.ok_or_else(|| Trouble::Disk(path.clone(), io::ErrorKind::NotFound.into()))?;
        text.trim_end().parse().map_err(|error: KeyError| damaged(&path, error))
    }

    fn write(&self, name: &str, content: &str) -> Result<(), Trouble> {
        let path = self.folder.join(name);
        durable::write(&path, content.as_bytes()).map_err(|error| Trouble::Disk(path, error))
    }
}

fn log_path(id: &LogId) -> String {
    format!("logs/{}.toml", id.as_str())
}

/// A key under which a log's notes are believed.
fn verifier_key(text: &str) -> Result<VerifierKey, String> {
    let key: VerifierKey = text.parse().map_err(|error: KeyError| error.to_string())?;
    if key.kind() == KeyKind::Note { Ok(key) } else { Err("it is the key of a witness".to_owned()) }
}

fn read(path: &Path) -> Result<Option<String>, Trouble> {
    let content = durable::read(path).map_err(|error| Trouble::Disk(path.to_owned(), error))?;
    content.map(|content| String::from_utf8(content).map_err(|error| damaged(path, error))).transpose()
}

fn damaged(file: &Path, why: impl std::fmt::Display) -> Trouble {
    Trouble::Damaged { file: file.to_owned(), why: why.to_string() }
}

/// A text as TOML has it: what JSON escapes, it escapes alike.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}
