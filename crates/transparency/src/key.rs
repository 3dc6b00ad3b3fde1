//! The keys that sign notes (C2SP signed-note): Ed25519, as the key of a log or as that of a cosigner (C2SP
//! tlog-cosignature). A key is its name and its id together; the id is of the name, the kind and the public key.

use std::{fmt, str::FromStr};

use base64::{Engine as _, prelude::BASE64_STANDARD};
use ed25519_dalek::{Signature, Signer as _, VerifyingKey};
use sha2::{Digest as _, Sha256};

use crate::note::{SignatureLine, is_key_name};

/// Bytes of the time before a cosigner's signature.
const TIME_LEN: usize = 8;

/// What a key signs, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// Signs the text of a note as it is: type 0x01, the key of a log.
    Note,
    /// Signs the text of a checkpoint with the time at which it was the largest that the cosigner had seen: type 0x04,
    /// `cosignature/v1`.
    Cosigner,
}

/// The public half of a key. Its text is `name+id+base64 of kind and key`, a verifier key of signed-note.
#[derive(Clone, PartialEq, Eq)]
pub struct VerifierKey {
    name: String,
    kind: KeyKind,
    id: [u8; 4],
    key: VerifyingKey,
}

/// The private half. Its text is `PRIVATE+KEY+name+id+base64 of kind and seed`.
#[derive(Clone)]
pub struct SigningKey {
    verifier: VerifierKey,
    key: ed25519_dalek::SigningKey,
}

/// Why a text or bytes are no key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum KeyError {
    /// Not of the form of a key.
    #[error("a key is NAME+ID+BASE64, a private one PRIVATE+KEY+NAME+ID+BASE64")]
    Form,
    /// A name that no key can have.
    #[error("the name of a key has no space and no +, and at most 255 bytes")]
    Name,
    /// Of a kind that is not known here.
    #[error("keys of kind {0:#04x} are not known here")]
    Kind(u8),
    /// The id is not that of name, kind and key.
    #[error("the id of the key does not belong to it")]
    Id,
    /// No point of the curve, or one under which anybody could sign.
    #[error("the public key is weak or none at all")]
    Weak,
}

impl KeyKind {
    const fn byte(self) -> u8 {
        match self {
            Self::Note => 0x01,
            Self::Cosigner => 0x04,
        }
    }

    fn of(byte: u8) -> Result<Self, KeyError> {
        match byte {
            0x01 => Ok(Self::Note),
            0x04 => Ok(Self::Cosigner),
            other => Err(KeyError::Kind(other)),
        }
    }
}

impl VerifierKey {
    /// A key from its 32 bytes.
    pub fn new(name: &str, kind: KeyKind, key: &[u8; 32]) -> Result<Self, KeyError> {
        if !is_key_name(name) {
            return Err(KeyError::Name);
        }
        let key = VerifyingKey::from_bytes(key).ok().filter(|key| !key.is_weak()).ok_or(KeyError::Weak)?;
        Ok(Self { name: name.to_owned(), kind, id: key_id(name, kind, &key), key })
    }

    /// The same key under another name.
    pub fn renamed(&self, name: &str) -> Result<Self, KeyError> {
        Self::new(name, self.kind, self.key.as_bytes())
    }

    /// Its name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs.
    pub fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The id by which signature lines name it beside its name.
    pub fn id(&self) -> [u8; 4] {
        self.id
    }

    /// The public key, 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        self.key.as_bytes()
    }

    /// Whether this is the key's signature over a note's text; of a cosigner, with the time before it.
    pub fn verifies(&self, text: &str, signature: &[u8]) -> bool {
        let (message, signature) = match self.kind {
            KeyKind::Note => (text.as_bytes().to_vec(), signature),
            KeyKind::Cosigner => match signature.split_first_chunk::<TIME_LEN>() {
                Some((time, signature)) => (cosigned(text, u64::from_be_bytes(*time)), signature),
                None => return false,
            },
        };
        Signature::from_slice(signature).is_ok_and(|signature| self.key.verify_strict(&message, &signature).is_ok())
    }

    /// When a cosigner made a line of its own, in seconds since 1970; `None`: the key is no cosigner's.
    pub fn time_of(&self, line: &SignatureLine) -> Option<u64> {
        let (time, _) = line.signature().split_first_chunk::<TIME_LEN>()?;
        (self.kind == KeyKind::Cosigner).then(|| u64::from_be_bytes(*time))
    }
}

impl fmt::Display for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let encoded = BASE64_STANDARD.encode([&[self.kind.byte()], &self.key.as_bytes()[..]].concat());
        write!(formatter, "{}+{:08x}+{encoded}", self.name, u32::from_be_bytes(self.id))
    }
}

impl fmt::Debug for VerifierKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, formatter)
    }
}

impl FromStr for VerifierKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let parts = Parts::parse(text)?;
        let key = Self::new(parts.name, parts.kind, &parts.key)?;
        if key.id == parts.id { Ok(key) } else { Err(KeyError::Id) }
    }
}

impl SigningKey {
    /// The key of a seed of 32 random bytes.
    pub fn new(name: &str, kind: KeyKind, seed: &[u8; 32]) -> Result<Self, KeyError> {
        let key = ed25519_dalek::SigningKey::from_bytes(seed);
        let verifier = VerifierKey::new(name, kind, key.verifying_key().as_bytes())?;
        Ok(Self { verifier, key })
    }

    /// The same key under another name.
    pub fn renamed(&self, name: &str) -> Result<Self, KeyError> {
        Self::new(name, self.verifier.kind, self.key.as_bytes())
    }

    /// Its public half.
    pub fn verifier(&self) -> &VerifierKey {
        &self.verifier
    }

    /// Signs a note's text. `time`, in seconds since 1970, is signed by a cosigner, and by nobody else.
    pub fn sign(&self, text: &str, time: u64) -> SignatureLine {
        let signature = match self.verifier.kind {
            KeyKind::Note => self.key.sign(text.as_bytes()).to_vec(),
            KeyKind::Cosigner => {
                let signature = self.key.sign(&cosigned(text, time)).to_bytes();
                [&time.to_be_bytes()[..], &signature].concat()
            }
        };
        SignatureLine::new(&self.verifier, signature)
    }

    /// The text under which the key is kept. Whoever has it can sign.
    pub fn to_secret_text(&self) -> String {
        let encoded = BASE64_STANDARD.encode([&[self.verifier.kind.byte()], &self.key.as_bytes()[..]].concat());
        format!("PRIVATE+KEY+{}+{:08x}+{encoded}", self.verifier.name, u32::from_be_bytes(self.verifier.id))
    }
}

/// The public half alone.
impl fmt::Debug for SigningKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "SigningKey({})", self.verifier)
    }
}

impl FromStr for SigningKey {
    type Err = KeyError;

    fn from_str(text: &str) -> Result<Self, KeyError> {
        let parts = Parts::parse(text.strip_prefix("PRIVATE+KEY+").ok_or(KeyError::Form)?)?;
        let key = Self::new(parts.name, parts.kind, &parts.key)?;
        if key.verifier.id == parts.id { Ok(key) } else { Err(KeyError::Id) }
    }
}

/// What `name+id+base64` says. Base64 may hold a `+`, a name cannot.
struct Parts<'a> {
    name: &'a str,
    id: [u8; 4],
    kind: KeyKind,
    /// Public key or seed.
    key: [u8; 32],
}

impl<'a> Parts<'a> {
    fn parse(text: &'a str) -> Result<Self, KeyError> {
        let mut parts = text.splitn(3, '+');
        let (Some(name), Some(id), Some(encoded)) = (parts.next(), parts.next(), parts.next()) else {
            return Err(KeyError::Form);
        };
        let lower_hexadecimal = id.len() == 8 && id.bytes().all(|it| matches!(it, b'0'..=b'9' | b'a'..=b'f'));
        let id = u32::from_str_radix(id, 16).ok().filter(|_| lower_hexadecimal).ok_or(KeyError::Form)?.to_be_bytes();
        let bytes = BASE64_STANDARD.decode(encoded).map_err(|_| KeyError::Form)?;
        let (kind, key) = bytes.split_first().ok_or(KeyError::Form)?;
        Ok(Self { name, id, kind: KeyKind::of(*kind)?, key: key.try_into().map_err(|_| KeyError::Form)? })
    }
}

fn key_id(name: &str, kind: KeyKind, key: &VerifyingKey) -> [u8; 4] {
    let hash =
        Sha256::new().chain_update(name).chain_update([b'\n', kind.byte()]).chain_update(key.as_bytes()).finalize();
    let [first, second, third, fourth, ..]: [u8; 32] = hash.into();
    [first, second, third, fourth]
}

/// What a cosigner signs (C2SP tlog-cosignature, `cosignature/v1`).
fn cosigned(text: &str, time: u64) -> Vec<u8> {
    format!("cosignature/v1\ntime {time}\n{text}").into_bytes()
}

#[cfg(test)]
mod tests;
