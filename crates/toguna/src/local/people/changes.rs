//! The record of changes to the directory: which administrator did what, when. Lines are only ever added to it. It
//! outlives whoever is erased, so persons stand in it by what the logs call them, and nobody's name does.

use std::{fs, io::Write as _, path::Path};

use anyhow::{Context as _, Result};
use serde::{Deserialize, Serialize};

use super::Day;

/// One change.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// When, in UTC: `2026-11-24T10:00:00Z`.
    pub at: String,
    /// Whose people: a partner's resource name.
    pub organisation: String,
    /// Whom it is about: a subject while it is made, a pseudonym of the logs in the record.
    pub person: String,
    /// The administrator who wanted it, likewise; nobody where an organisation begins.
    pub by: Option<String>,
    /// What.
    #[serde(flatten)]
    pub what: What,
}

/// What was changed.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "change", rename_all = "snake_case")]
pub enum What {
    /// The person has these roles and no others.
    Invited {
        /// All of them.
        roles: Vec<String>,
    },
    /// A role of the person is another's too.
    Delegated {
        /// The role.
        role: String,
        /// Whose it is, as the person stands in the record.
        to: String,
        /// The last day, in UTC.
        until: Day,
    },
    /// The person gets no token any more.
    Revoked,
    /// The person is gone from the directory.
    Erased,
}

impl Change {
    /// The same with other names of the persons.
    pub(super) fn called(mut self, name: impl Fn(&str) -> String) -> Self {
        self.person = name(&self.person);
        self.by = self.by.map(|by| name(&by));
        if let What::Delegated { to, .. } = &mut self.what {
            *to = name(to);
        }
        self
    }
}

/// Adds a line, which is on the disk before the change is made.
pub(super) fn add(file: &Path, change: &Change) -> Result<()> {
    use std::os::unix::fs::OpenOptionsExt as _;
    let line = serde_json::to_string(change)? + "\n";
    let open = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(file);
    open.and_then(|mut record| record.write_all(line.as_bytes()).and_then(|()| record.sync_all()))
        .with_context(|| format!("cannot write {}", file.display()))
}

/// All of it, in order.
pub(super) fn read(file: &Path) -> Result<Vec<Change>> {
    if !file.exists() {
        return Ok(Vec::new());
    }
    let text = fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let line = |(number, line): (usize, &str)| {
        serde_json::from_str(line).with_context(|| format!("{}, line {}", file.display(), number + 1))
    };
    text.lines().enumerate().map(line).collect()
}
