//! The directory as files beside the key: what it says now, and the record of its changes.

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use anyhow::{Context as _, Result};

use super::{
    super::{persons::Pseudonyms, write_private},
    Change, Directory, Refused, SUBJECT, changes,
};

/// The files of the directory.
#[derive(Debug, Clone)]
pub struct People {
    folder: PathBuf,
    pseudonyms: Pseudonyms,
}

impl People {
    pub(in crate::local) fn at(folder: &Path, pseudonyms: &Pseudonyms) -> Self {
        Self { folder: folder.to_owned(), pseudonyms: pseudonyms.clone() }
    }

    fn file(&self) -> PathBuf {
        self.folder.join("people.json")
    }

    fn record(&self) -> PathBuf {
        self.folder.join("people.changes")
    }

    /// What the directory says now.
    pub fn read(&self) -> Result<Directory> {
        let file = self.file();
        match fs::read(&file) {
            Ok(text) => serde_json::from_slice(&text).with_context(|| format!("{} is broken", file.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(Directory::default()),
            Err(error) => Err(error).with_context(|| format!("cannot read {}", file.display())),
        }
    }

    /// Every change so far, in order.
    pub fn changes(&self) -> Result<Vec<Change>> {
        changes::read(&self.record())
    }

    /// Changes it, one after another; all of a change or nothing. The record has it first.
    pub fn change(&self, f: impl FnOnce(&mut Directory) -> Result<Change, Refused>) -> Result<Result<(), Refused>> {
        let lock = fs::File::create(self.folder.join("people.lock"))?;
        lock.lock()?;
        let mut directory = self.read()?;
        let change = match f(&mut directory) {
            Ok(change) => change,
            Err(refused) => return Ok(Err(refused)),
        };
        let unfinished = self.folder.join("people.unfinished");
        write_private(&unfinished, &serde_json::to_vec_pretty(&directory)?)?;
        fs::File::open(&unfinished)?.sync_all()?;
        changes::add(&self.record(), &change.called(|subject| self.pseudonyms.of(subject)))?;
        fs::rename(&unfinished, self.file()).with_context(|| format!("cannot write {}", self.file().display()))?;
        Ok(Ok(()))
    }

    /// Whether a subject is of a person that an organisation named, here or before it was erased.
    pub(in crate::local) fn is_ours(subject: &str) -> bool {
        subject.starts_with(SUBJECT)
    }

    /// The name behind a pseudonym of the logs.
    pub fn name(&self, pseudonym: &str) -> Option<String> {
        let directory = self.read().ok()?;
        let mut people =
            directory.organisations.into_values().flat_map(|organisation| organisation.people.into_values());
        people.find(|person| self.pseudonyms.of(&person.subject) == pseudonym).map(|person| person.name)
    }

    /// What the logs call each person: the short name and the organisation's resource name, by pseudonym.
    pub fn pseudonyms(&self) -> Result<BTreeMap<String, (String, String)>> {
        let directory = self.read()?;
        let people = directory.organisations.into_iter().flat_map(|(organisation, known)| {
            known.people.into_iter().map(move |(short, person)| (person, (short, organisation.clone())))
        });
        Ok(people.map(|(person, who)| (self.pseudonyms.of(&person.subject), who)).collect())
    }
}
