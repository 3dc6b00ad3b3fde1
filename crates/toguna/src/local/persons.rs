//! The directory of persons of a local stack: which pseudonym in the logs is whose. It lies outside the logs, so that a
//! name can be erased without touching a byte of them.

use std::{collections::BTreeMap, fs, io::Write as _, path::PathBuf, sync::Mutex};

use anyhow::{Context as _, Result};
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

use super::hex;

/// Pseudonyms and subjects, one pair a line.
#[derive(Debug)]
pub(super) struct Persons {
    file: PathBuf,
    key: Vec<u8>,
    known: Mutex<BTreeMap<String, String>>,
}

impl Persons {
    /// The directory kept in `file`, under the deployment's key in hexadecimal.
    pub(super) fn open(file: PathBuf, key: &str) -> Result<Self> {
        let byte = |index: usize| u8::from_str_radix(key.get(index..index + 2).unwrap_or_default(), 16);
        let key = (0..key.len()).step_by(2).map(byte).collect::<Result<_, _>>().context("the key is hexadecimal")?;
        let text = fs::read_to_string(&file).unwrap_or_default();
        let pair = |line: &str| line.split_once(' ').map(|(pseudonym, name)| (pseudonym.to_owned(), name.to_owned()));
        let known = text.lines().filter_map(pair).collect();
        Ok(Self { file, key, known: Mutex::new(known) })
    }

    /// What the logs call a person.
    pub(super) fn pseudonym(&self, issuer: &str, subject: &str) -> String {
        pseudonym(&self.key, issuer, subject)
    }

    /// Enters a person, once.
    pub(super) fn enter(&self, issuer: &str, subject: &str) -> Result<()> {
        let pseudonym = self.pseudonym(issuer, subject);
        let mut known = self.known.lock().expect("nobody panics while holding it");
        if known.insert(pseudonym.clone(), subject.to_owned()).is_none() {
            use std::os::unix::fs::OpenOptionsExt as _;
            let file = fs::OpenOptions::new().create(true).append(true).mode(0o600).open(&self.file);
            file.and_then(|mut file| writeln!(file, "{pseudonym} {subject}"))
                .with_context(|| format!("cannot write {}", self.file.display()))?;
        }
        Ok(())
    }

    /// Whose pseudonym it is, where the directory knows.
    pub(super) fn name(&self, pseudonym: &str) -> Option<String> {
        self.known.lock().expect("nobody panics while holding it").get(pseudonym).cloned()
    }
}

/// As the services make it: HMAC-SHA-256 of issuer, a zero byte and subject.
fn pseudonym(key: &[u8], issuer: &str, subject: &str) -> String {
    let mut mac = Hmac::<Sha256>::new_from_slice(key).expect("HMAC takes keys of any length");
    mac.update(issuer.as_bytes());
    mac.update(&[0]);
    mac.update(subject.as_bytes());
    hex(&mac.finalize().into_bytes())
}
