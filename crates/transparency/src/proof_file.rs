//! Proofs that travel alone (C2SP tlog-proof): that an entry is in a log, with the checkpoint that it is proved to.

use std::{fmt, str};

use base64::{Engine as _, prelude::BASE64_STANDARD};

use crate::{Hash, MAX_PROOF, Note, checkpoint::decimal};

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// The content of a `.tlog-proof` file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ProofFile {
    /// What the maker adds. Nothing vouches for it.
    pub extra: Option<Vec<u8>>,
    /// Which leaf, from 0.
    pub index: u64,
    /// That it is in the tree, the leaf's sibling first.
    pub proof: Vec<Hash>,
    /// The checkpoint, with signatures.
    pub note: Note,
}

/// A file that is none.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("this is no tlog-proof file")]
pub struct ProofFileError;

impl ProofFile {
    /// Reads a file.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFileError> {
        let text = str::from_utf8(bytes).map_err(|_| ProofFileError)?;
        let (head, note) = text.split_once("\n\n").ok_or(ProofFileError)?;
        let mut lines = head.split('\n').peekable();
        if lines.next() != Some(HEADER) {
            return Err(ProofFileError);
        }
        let extra = lines.next_if(|line| line.starts_with("extra ")).map(|line| &line["extra ".len()..]);
        let extra = extra.map(|extra| BASE64_STANDARD.decode(extra)).transpose().map_err(|_| ProofFileError)?;
        let index = lines.next().and_then(|line| decimal(line.strip_prefix("index ")?)).ok_or(ProofFileError)?;
        let proof = lines.map(str::parse).take(MAX_PROOF + 1).collect::<Result<Vec<_>, _>>();
        let proof = proof.ok().filter(|proof| proof.len() <= MAX_PROOF).ok_or(ProofFileError)?;
        let note = Note::parse(note.as_bytes()).map_err(|_| ProofFileError)?;
        Ok(Self { extra, index, proof, note })
    }
}

/// The file's text.
impl fmt::Display for ProofFile {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{HEADER}")?;
        if let Some(extra) = &self.extra {
            writeln!(formatter, "extra {}", BASE64_STANDARD.encode(extra))?;
        }
        writeln!(formatter, "index {}", self.index)?;
        self.proof.iter().try_for_each(|hash| writeln!(formatter, "{hash}"))?;
        write!(formatter, "\n{}", self.note)
    }
}

#[cfg(test)]
mod tests;
