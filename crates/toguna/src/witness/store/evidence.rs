//! What a witness refused although the log had signed it: proof, for anybody, of what was tried.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::{LogId, Store, damaged, read};
use crate::{
    local::hex,
    witness::{durable, trouble::Trouble},
};

/// So many refusals are kept of each log, the first ones: whoever can sign as the log can make any number.
const KEPT: usize = 100;

/// A refusal, with all that whoever judges it needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refusal {
    /// When: RFC 3339, in UTC.
    pub at: String,
    /// Which log.
    pub origin: String,
    /// The status of the answer.
    pub status: u16,
    /// The reason.
    pub reason: String,
    /// The note that had been signed before, whole; `None`: none had been.
    pub known: Option<String>,
    /// The request, byte by byte.
    pub request: String,
}

impl Store {
    /// Keeps a refusal, one for each text of a note. Answers where; `None`: that one, or enough of them, are kept
    /// already.
    pub fn keep(&self, refusal: &Refusal, text: &str) -> Result<Option<PathBuf>, Trouble> {
        let folder = self.evidence_of(&LogId::of(&refusal.origin));
        let path = folder.join(format!("{}.json", &hex(&Sha256::digest(text))[..16]));
        if path.exists() || files(&folder)?.len() >= KEPT {
            return Ok(None);
        }
        let content = serde_json::to_vec_pretty(refusal).expect("texts and numbers are JSON");
        let written = durable::folder(&folder).and_then(|()| durable::write(&path, &content));
        written.map_err(|error| Trouble::Disk(path.clone(), error))?;
        Ok(Some(path))
    }

    /// What was refused of a log, each with its file, oldest first.
    pub fn refused(&self, id: &LogId) -> Result<Vec<(PathBuf, Refusal)>, Trouble> {
        let mut all = Vec::new();
        for path in files(&self.evidence_of(id))? {
            let Some(text) = read(&path)? else { continue };
            let refusal: Refusal = serde_json::from_str(&text).map_err(|error| damaged(&path, error))?;
            all.push((path, refusal));
        }
        all.sort_by(|one, other| one.1.at.cmp(&other.1.at));
        Ok(all)
    }

    fn evidence_of(&self, id: &LogId) -> PathBuf {
        self.folder.join("evidence").join(id.as_str())
    }
}

fn files(folder: &Path) -> Result<Vec<PathBuf>, Trouble> {
    let disk = |error| Trouble::Disk(folder.to_owned(), error);
    if !folder.exists() {
        return Ok(Vec::new());
    }
    let entries = fs::read_dir(folder).map_err(disk)?;
    let paths = entries.map(|entry| entry.map(|entry| entry.path())).collect::<Result<Vec<_>, _>>().map_err(disk)?;
    Ok(paths.into_iter().filter(|path| path.extension().is_some_and(|extension| extension == "json")).collect())
}
