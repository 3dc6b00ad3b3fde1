//! A log to be witnessed: the tree of RFC 6962 as its text defines it, with no cleverness that could hide a mistake, and
//! notes signed by a key of the test's own.

use base64::{Engine as _, prelude::BASE64_STANDARD};
use sha2::{Digest as _, Sha256};
use transparency::{KeyKind, SigningKey};

/// MTH of RFC 6962, 2.1.
pub fn root(leaves: &[String]) -> [u8; 32] {
    match leaves {
        [] => Sha256::digest("").into(),
        [leaf] => Sha256::new().chain_update([0]).chain_update(leaf).finalize().into(),
        _ => {
            let (left, right) = leaves.split_at(half(leaves.len()));
            Sha256::new().chain_update([1]).chain_update(root(left)).chain_update(root(right)).finalize().into()
        }
    }
}

/// PROOF of RFC 6962, 2.1.2.
fn consistency(old: usize, leaves: &[String], whole: bool) -> Vec<[u8; 32]> {
    if old == leaves.len() {
        return if whole { Vec::new() } else { vec![root(leaves)] };
    }
    let half = half(leaves.len());
    let (left, right) = leaves.split_at(half);
    let (mut proof, other) = if old <= half {
        (consistency(old, left, whole), root(right))
    } else {
        (consistency(old - half, right, false), root(left))
    };
    proof.push(other);
    proof
}

/// The largest power of two below a size.
fn half(size: usize) -> usize {
    size.next_power_of_two() / 2
}

/// A log.
pub struct Log {
    pub origin: String,
    pub leaves: Vec<String>,
    pub key: SigningKey,
}

impl Log {
    /// One of so many entries, with a key of its own, the same for the same origin.
    pub fn new(origin: &str, size: usize) -> Self {
        let key =
            SigningKey::new(origin, KeyKind::Note, &Sha256::digest(origin).into()).expect("it is a name of a key");
        Self { origin: origin.to_owned(), leaves: (0..size).map(|index| format!("entry {index}")).collect(), key }
    }

    /// The same log with another history: the entry is another one.
    pub fn forked(&self, at: usize) -> Self {
        let mut leaves = self.leaves.clone();
        leaves[at].push_str(", otherwise");
        Self { origin: self.origin.clone(), leaves, key: self.key.clone() }
    }

    pub fn verifier_key(&self) -> String {
        self.key.verifier().to_string()
    }

    /// What it says of its first so many entries.
    pub fn text(&self, size: usize) -> String {
        format!("{}\n{size}\n{}\n", self.origin, BASE64_STANDARD.encode(root(&self.leaves[..size])))
    }

    pub fn note(&self, size: usize) -> String {
        let text = self.text(size);
        format!("{text}\n{}\n", self.key.sign(&text, 0))
    }

    /// Asks for a signature over its first `size` entries, with the proof that they go on from the first `old`.
    pub fn request(&self, old: usize, size: usize) -> String {
        let proof = if old == 0 { Vec::new() } else { consistency(old, &self.leaves[..size], true) };
        let mut lines = vec![format!("old {old}")];
        lines.extend(proof.iter().map(|hash| BASE64_STANDARD.encode(hash)));
        format!("{}\n\n{}", lines.join("\n"), self.note(size))
    }
}
