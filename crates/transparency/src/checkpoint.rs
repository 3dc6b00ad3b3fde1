//! Checkpoints (C2SP tlog-checkpoint): how far a log has come, as the text of a note.

use std::{fmt, str::FromStr};

use crate::{Hash, note::is_key_name};

/// The size and the root of a log's tree. Its text is three lines: origin, size, root.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checkpoint {
    origin: String,
    size: u64,
    root: Hash,
}

/// A text that is no checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a checkpoint is three lines: an origin, a size, a root in base64")]
pub struct CheckpointError;

impl Checkpoint {
    /// The checkpoint of a tree of `size` leaves.
    pub fn new(origin: &str, size: u64, root: Hash) -> Result<Self, CheckpointError> {
        // An origin is also the name of a key.
        if !is_key_name(origin) {
            return Err(CheckpointError);
        }
        Ok(Self { origin: origin.to_owned(), size, root })
    }

    /// Which log: in C2SP an address without a scheme, here also the name of its key.
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// Leaves of the tree.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// Root of the tree.
    pub fn root(&self) -> Hash {
        self.root
    }
}

/// The text of the note, with the newline at its end.
impl fmt::Display for Checkpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "{}\n{}\n{}", self.origin, self.size, self.root)
    }
}

/// Reads the text of a note. Lines of extensions are refused: not every cosignature covers them.
impl FromStr for Checkpoint {
    type Err = CheckpointError;

    fn from_str(text: &str) -> Result<Self, CheckpointError> {
        let lines: Vec<&str> = text.strip_suffix('\n').ok_or(CheckpointError)?.splitn(4, '\n').collect();
        let [origin, size, root] = lines[..] else { return Err(CheckpointError) };
        let size = decimal(size).ok_or(CheckpointError)?;
        Self::new(origin, size, root.parse().map_err(|_| CheckpointError)?)
    }
}

/// A number as C2SP writes it: without a sign, without zeros before it.
pub(crate) fn decimal(text: &str) -> Option<u64> {
    let clean = text.bytes().all(|it| it.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
    text.parse().ok().filter(|_| clean)
}

#[cfg(test)]
mod tests;
