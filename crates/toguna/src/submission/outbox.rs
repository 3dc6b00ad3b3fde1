//! What is to be sent, and what came of it, on disk: written before anything is sent, so that no break of the line, no
//! kill and no loss of power makes a second command out of one.
//!
//! Rows that enter together are one file of `rows/`, written whole or not at all; answers are appended to `answers.jsonl`,
//! each safe before the next. A row is recognised by its content: the same row of the same organisation is the same
//! command with the same request id, in a corrected copy of its file too.

use std::{
    collections::BTreeMap,
    fs::{self, File, TryLockError},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result, bail, ensure};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::outcome::Outcome;
use crate::language::Language;

/// A row that was entered.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its id: a UUID.
    pub request_id: String,
    /// What it is recognised by.
    pub fingerprint: String,
    /// For whom it is sent: request ids belong to an organisation.
    pub organisation: String,
    /// Where it was read.
    pub file: String,
    /// Its line there.
    pub line: u64,
    /// Full name of the RPC.
    pub rpc: String,
    /// The request as proto3 JSON, without id, tokens and dry run.
    pub request: Value,
}

/// First line of a file of rows.
#[derive(Debug, Serialize, Deserialize)]
struct Head {
    version: u32,
    entered_at: String,
}

/// One line of the answers.
#[derive(Debug, Serialize, Deserialize)]
struct Answer {
    /// The row's fingerprint.
    row: String,
    at: String,
    #[serde(flatten)]
    outcome: Outcome,
}

/// An outbox, ours alone until dropped.
#[derive(Debug)]
pub struct Outbox {
    folder: PathBuf,
    /// In the order in which they were entered.
    entries: Vec<Entry>,
    by_fingerprint: BTreeMap<String, usize>,
    by_id: BTreeMap<(String, String), usize>,
    outcomes: BTreeMap<String, Outcome>,
    answers: File,
    _lock: File,
}

const VERSION: u32 = 1;

impl Outbox {
    /// Opens the outbox in `folder`, made where it is not there yet. Fails where another process has it, and where it
    /// was filled for other services than `services`, unless they `moved`.
    pub fn open(folder: &Path, services: &str, moved: bool, language: Language) -> Result<Self> {
        let rows = folder.join("rows");
        fs::DirBuilder::new().recursive(true).mode(0o700).create(&rows).with_context(|| place(&rows))?;
        let lock = locked(&folder.join("lock"), language)?;
        let target = folder.join("services");
        match fs::read_to_string(&target) {
            Ok(known) if known == services => {}
            Ok(known) if !moved => bail!(elsewhere(language, folder, &known, services)),
            Ok(_) => write_whole(&target, services.as_bytes())?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => write_whole(&target, services.as_bytes())?,
            Err(error) => return Err(error).with_context(|| place(&target)),
        }
        let answers = folder.join("answers.jsonl");
        let outcomes = outcomes(&answers).with_context(|| place(&answers))?;
        let answers = fs::OpenOptions::new().append(true).create(true).mode(0o600).open(&answers)?;
        sync_folder(folder)?;
        let (by_fingerprint, by_id) = (BTreeMap::new(), BTreeMap::new());
        let folder = folder.to_owned();
        let mut outbox = Self { folder, entries: Vec::new(), by_fingerprint, by_id, outcomes, answers, _lock: lock };
        let mut files: Vec<PathBuf> =
            fs::read_dir(&rows)?.map(|entry| entry.map(|it| it.path())).collect::<Result<_, _>>()?;
        files.retain(|path| path.extension().is_some_and(|extension| extension == "jsonl"));
        // Their names begin with the time.
        files.sort();
        for file in files {
            outbox.take_file(&file).with_context(|| place(&file))?;
        }
        Ok(outbox)
    }

    fn take_file(&mut self, file: &Path) -> Result<()> {
        let text = fs::read_to_string(file)?;
        let mut lines = text.lines();
        let head: Head = serde_json::from_str(lines.next().unwrap_or_default())?;
        ensure!(head.version == VERSION, "it was written by another version of this program");
        for line in lines {
            self.know(serde_json::from_str(line)?);
        }
        Ok(())
    }

    fn know(&mut self, entry: Entry) {
        let index = self.entries.len();
        self.by_fingerprint.insert(entry.fingerprint.clone(), index);
        self.by_id.insert((entry.organisation.clone(), entry.request_id.clone()), index);
        self.entries.push(entry);
    }

    /// The row of this content.
    pub fn same(&self, fingerprint: &str) -> Option<&Entry> {
        self.by_fingerprint.get(fingerprint).map(|index| &self.entries[*index])
    }

    /// An organisation's row of this id.
    pub fn with_id(&self, organisation: &str, request_id: &str) -> Option<&Entry> {
        self.by_id.get(&(organisation.to_owned(), request_id.to_owned())).map(|index| &self.entries[*index])
    }

    /// What came of a row: done or refused; nothing: not known.
    pub fn outcome(&self, fingerprint: &str) -> Option<&Outcome> {
        self.outcomes.get(fingerprint)
    }

    /// An organisation's rows without an answer, in order.
    pub fn unanswered(&self, organisation: &str) -> Vec<&Entry> {
        let open =
            |entry: &&Entry| entry.organisation == organisation && !self.outcomes.contains_key(&entry.fingerprint);
        self.entries.iter().filter(open).collect()
    }

    /// Enters rows; when this returns they are safe.
    pub fn enter(&mut self, entries: Vec<Entry>) -> Result<()> {
        if entries.is_empty() {
            return Ok(());
        }
        let head = Head { version: VERSION, entered_at: Timestamp::now().to_string() };
        let mut bytes = serde_json::to_vec(&head)?;
        for entry in &entries {
            bytes.push(b'\n');
            serde_json::to_writer(&mut bytes, entry)?;
        }
        bytes.push(b'\n');
        let name = uuid::Uuid::now_v7();
        write_whole(&self.folder.join("rows").join(format!("{name}.jsonl")), &bytes)?;
        for entry in entries {
            self.know(entry);
        }
        Ok(())
    }

    /// Notes what came of a row; when this returns it is safe. A row without an answer stays without one.
    pub fn note(&mut self, fingerprint: &str, outcome: &Outcome) -> Result<()> {
        if matches!(outcome, Outcome::Waiting { .. } | Outcome::Undecided(_)) {
            return Ok(());
        }
        let answer = Answer { row: fingerprint.to_owned(), at: Timestamp::now().to_string(), outcome: outcome.clone() };
        let mut line = serde_json::to_vec(&answer)?;
        line.push(b'\n');
        let written = self.answers.write_all(&line).and_then(|()| self.answers.sync_data());
        written.with_context(|| place(&self.folder))?;
        self.outcomes.insert(fingerprint.to_owned(), outcome.clone());
        Ok(())
    }
}

fn elsewhere(language: Language, folder: &Path, known: &str, now: &str) -> String {
    let folder = folder.display();
    language.say(
        format!(
            "{folder} holds rows for {known}, not for {now}. Sent elsewhere they would be other commands: choose another \
             --outbox; or, where the same services have moved, say --moved"
        ),
        format!(
            "{folder} contient des lignes pour {known}, non pour {now}. Envoyées ailleurs, ce seraient d’autres commandes : \
             choisissez un autre --outbox ; ou, si ce sont les mêmes services à une autre adresse, dites --moved"
        ),
    )
}

fn place(path: &Path) -> String {
    path.display().to_string()
}

fn locked(path: &Path, language: Language) -> Result<File> {
    let file = fs::OpenOptions::new().write(true).create(true).truncate(false).mode(0o600).open(path);
    let file = file.with_context(|| place(path))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => bail!(language.say(
            format!("another `toguna submit` works with {}", path.display()),
            format!("un autre « toguna submit » travaille avec {}", path.display()),
        )),
        Err(TryLockError::Error(error)) => Err(error).with_context(|| place(path)),
    }
}

/// The answers; a last line that was cut short was never relied on, and goes.
fn outcomes(path: &Path) -> Result<BTreeMap<String, Outcome>> {
    let bytes = match fs::read(path) {
        Ok(bytes) => bytes,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let whole = bytes.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    if whole < bytes.len() {
        let file = fs::OpenOptions::new().write(true).open(path)?;
        file.set_len(whole as u64)?;
        file.sync_all()?;
    }
    let mut outcomes = BTreeMap::new();
    for line in bytes[..whole].split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
        let answer: Answer = serde_json::from_slice(line)?;
        outcomes.insert(answer.row, answer.outcome);
    }
    Ok(outcomes)
}

/// Writes a file that is there whole or not at all, whatever happens meanwhile.
pub fn write_whole(path: &Path, bytes: &[u8]) -> Result<()> {
    let unfinished = path.with_extension("unfinished");
    let write = || {
        let mut file = fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
        file.write_all(bytes)?;
        file.sync_all()?;
        fs::rename(&unfinished, path)?;
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
        sync_folder(folder.unwrap_or(Path::new(".")))
    };
    write().with_context(|| place(path))
}

/// A new name in a folder is safe once the folder is.
fn sync_folder(folder: &Path) -> io::Result<()> {
    File::open(folder)?.sync_all()
}

#[cfg(test)]
mod tests;
