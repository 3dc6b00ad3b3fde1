//! What a witness has signed last of each log: what it holds the next note against.

use std::{fs, time::SystemTime};

use transparency::{Checkpoint, CheckpointError, Note};

use super::{LogId, Store, damaged, read};
use crate::witness::{durable, trouble::Trouble};

/// What was signed last of a log.
#[derive(Debug, Clone)]
pub struct Signed {
    /// The note, with the lines of the log that were believed and those that were signed here.
    pub note: String,
    /// What it says.
    pub checkpoint: Checkpoint,
    /// When it was signed last.
    pub at: SystemTime,
}

impl Store {
    /// What was signed last of a log; `None`: nothing ever.
    pub fn known(&self, id: &LogId) -> Result<Option<Signed>, Trouble> {
        let path = self.folder.join("state").join(id.as_str());
        let Some(note) = read(&path)? else {
            // The mark was made after the first note of the log had been written.
            let lost = self.folder.join(mark(id)).exists();
            return if lost { Err(Trouble::MemoryLost { missing: path, name: self.name() }) } else { Ok(None) };
        };
        let signed = Note::parse(note.as_bytes()).map_err(|error| damaged(&path, error))?;
        let checkpoint: Checkpoint = signed.text().parse().map_err(|error: CheckpointError| damaged(&path, error))?;
        if LogId::of(checkpoint.origin()) != *id {
            return Err(damaged(&path, "it is the note of another log"));
        }
        let at = fs::metadata(&path).and_then(|file| file.modified());
        let at = at.map_err(|error| Trouble::Disk(path, error))?;
        Ok(Some(Signed { note, checkpoint, at }))
    }

    /// Keeps a note as what was signed last. Callers hold the log's turn, and answer after this.
    pub fn remember(&self, id: &LogId, note: &str) -> Result<(), Trouble> {
        let path = self.folder.join("state").join(id.as_str());
        durable::write(&path, note.as_bytes()).map_err(|error| Trouble::Disk(path, error))?;
        let mark = mark(id);
        if self.folder.join(&mark).exists() { Ok(()) } else { self.write(&mark, "") }
    }

    /// Whether what was signed before is all known.
    pub fn remembers_all(&self) -> Result<(), Trouble> {
        let state = self.folder.join("state");
        if !state.is_dir() {
            return Err(Trouble::MemoryLost { missing: state, name: self.name() });
        }
        self.logs()?.iter().try_for_each(|log| self.known(&LogId::of(&log.origin)).map(drop))
    }
}

/// The file that says that something was signed for a log.
fn mark(id: &LogId) -> String {
    format!("logs/{}.signed", id.as_str())
}
