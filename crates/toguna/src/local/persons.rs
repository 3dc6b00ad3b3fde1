//! The persons of a local stack whom no organisation named, such as those of the scenario: which pseudonym in the logs is
//! whose. Pseudonyms of others are made again from the directory of people when somebody asks.

use std::{collections::BTreeMap, fs, io::Write as _, path::PathBuf, sync::Mutex};

use anyhow::{Context as _, Result};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::{hex, identity::ISSUER, people::People};

/// What the logs call those for whom we sign.
#[derive(Clone)]
pub struct Pseudonyms(Vec<u8>);

/// Pseudonyms and subjects, one pair a line.
#[derive(Debug)]
pub(super) struct Persons {
    file: PathBuf,
    pub(super) pseudonyms: Pseudonyms,
    known: Mutex<BTreeMap<String, String>>,
}

impl Persons {
    /// Those kept in `file`.
    pub(super) fn open(file: PathBuf, pseudonyms: Pseudonyms) -> Result<Self> {
        let text = fs::read_to_string(&file).unwrap_or_default();
        let pair = |line: &str| line.split_once(' ').map(|(pseudonym, name)| (pseudonym.to_owned(), name.to_owned()));
        let known: BTreeMap<_, _> = text.lines().filter_map(pair).collect();
        let persons = Self { file, pseudonyms, known: Mutex::default() };
        // Once these stood here too; none may stay when it is erased where it belongs.
        if known.values().any(|subject| People::is_ours(subject)) {
            fs::remove_file(&persons.file)?;
            known.values().filter(|subject| !People::is_ours(subject)).try_for_each(|it| persons.enter(it))?;
        } else {
            *persons.known.lock().expect("nobody panics while holding it") = known;
        }
        Ok(persons)
    }

    /// Enters a person, once.
    pub(super) fn enter(&self, subject: &str) -> Result<()> {
        let pseudonym = self.pseudonyms.of(subject);
        let mut known = self.known.lock().expect("nobody panics while holding it");
        if known.insert(pseudonym.clone(), subject.to_owned()).is_none() {
            use std::os::unix::fs::OpenOptionsExt as _;
            let file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&self.file);
            file.and_then(|mut file| writeln!(file, "{pseudonym} {subject}"))
                .with_context(|| format!("cannot write {}", self.file.display()))?;
        }
        Ok(())
    }

    /// Whose pseudonym it is, where it is known.
    pub(super) fn name(&self, pseudonym: &str) -> Option<String> {
        self.known.lock().expect("nobody panics while holding it").get(pseudonym).cloned()
    }
}

impl std::fmt::Debug for Pseudonyms {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Pseudonyms")
    }
}

impl Pseudonyms {
    /// Under the deployment's key in hexadecimal.
    pub(super) fn under(key: &str) -> Result<Self> {
        let byte = |index: usize| u8::from_str_radix(key.get(index..index + 2).unwrap_or_default(), 16);
        let key = (0..key.len()).step_by(2).map(byte).collect::<Result<_, _>>().context("the key is hexadecimal")?;
        Ok(Self(key))
    }

    /// As the services make it: HMAC-SHA-256 of issuer, a zero byte and subject.
    pub(super) fn of(&self, subject: &str) -> String {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.0).expect("HMAC takes keys of any length");
        mac.update(ISSUER.as_bytes());
        mac.update(&[0]);
        mac.update(subject.as_bytes());
        hex(&mac.finalize().into_bytes())
    }
}
