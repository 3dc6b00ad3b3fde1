//! What a witness is asked, and what it decides (C2SP tlog-witness): `add-checkpoint`. Pure: who holds the memory of a
//! witness keeps [`Known`] safe before the answer leaves.

use std::{fmt, str};

use crate::{
    Checkpoint, Hash, MAX_NOTE_BYTES, Note, NoteError, ProofError, VerifierKey, checkpoint::decimal, verify_consistency,
};

/// Hashes of a proof at most: a tree has fewer than 2^63 leaves.
pub const MAX_PROOF: usize = 63;

/// The body of `add-checkpoint`: a checkpoint that its log has signed, and the proof that it goes on from the size that
/// the log believes the witness to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddCheckpoint {
    /// The size that the proof goes on from; 0: the witness knows nothing of this log.
    pub old: u64,
    /// The proof.
    pub proof: Vec<Hash>,
    /// What is to be cosigned.
    pub note: Note,
    checkpoint: Checkpoint,
}

/// A body that is none.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// The first line is not `old` and a size.
    #[error("the first line is `old` and a size")]
    Old,
    /// A line of the proof that is no hash, or more lines than [`MAX_PROOF`].
    #[error("the proof is at most 63 lines of one hash in base64, and an empty line")]
    Proof,
    /// No note.
    #[error("behind the proof comes a signed note: {0}")]
    Note(#[from] NoteError),
    /// The note's text is no checkpoint.
    #[error("the note is no checkpoint")]
    Checkpoint,
}

/// What a witness has signed of a log last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Known {
    /// Leaves.
    pub size: u64,
    /// Root of the tree.
    pub root: Hash,
}

/// Why a witness does not cosign.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// The proof goes on from more leaves than the checkpoint has.
    #[error("old is larger than the checkpoint")]
    OldBeyond,
    /// No signature of a key that the log is known by.
    #[error("the checkpoint is not signed by the log: {0}")]
    Unsigned(NoteError),
    /// The log should go on from what is known.
    #[error("the last checkpoint cosigned here has {} leaves", .0.size)]
    Conflict(Known),
    /// The signature holds, and the tree does not go on from what is known: two histories.
    #[error("the checkpoint does not go on from what was cosigned: {0}")]
    Inconsistent(ProofError),
}

impl Refused {
    /// The status of HTTP that says so.
    pub fn status(&self) -> u16 {
        match self {
            Self::OldBeyond => 400,
            Self::Unsigned(_) => 403,
            Self::Conflict(_) => 409,
            Self::Inconsistent(_) => 422,
        }
    }
}

impl AddCheckpoint {
    /// A request; `None`: the note's text is no checkpoint, or the proof is too long.
    pub fn new(old: u64, proof: Vec<Hash>, note: Note) -> Option<Self> {
        let checkpoint = note.text().parse().ok()?;
        (proof.len() <= MAX_PROOF).then_some(Self { old, proof, note, checkpoint })
    }

    /// Reads a body. Whoever is wrong is told 400.
    pub fn parse(body: &[u8]) -> Result<Self, RequestError> {
        if body.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLong.into());
        }
        let line = |rest: &'_ [u8]| -> Option<(usize, usize)> {
            let end = rest.iter().position(|byte| *byte == b'\n')?;
            Some((end, end + 1))
        };
        let (end, mut begin) = line(body).ok_or(RequestError::Old)?;
        let old = str::from_utf8(&body[..end]).ok().and_then(|line| decimal(line.strip_prefix("old ")?));
        let old = old.ok_or(RequestError::Old)?;
        let mut proof = Vec::new();
        loop {
            let (end, next) = line(&body[begin..]).ok_or(RequestError::Proof)?;
            let text = &body[begin..begin + end];
            begin += next;
            if text.is_empty() {
                break;
            }
            let hash = str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(RequestError::Proof)?;
            if proof.len() == MAX_PROOF {
                return Err(RequestError::Proof);
            }
            proof.push(hash);
        }
        let note = Note::parse(&body[begin..])?;
        let checkpoint = note.text().parse().map_err(|_| RequestError::Checkpoint)?;
        Ok(Self { old, proof, note, checkpoint })
    }

    /// What is to be cosigned.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// Decides. `trusted` are the keys that the log is known by, `known` is what was signed of it last, by the time
    /// that nobody else can sign for it. What is to be remembered before anything is signed is given back.
    pub fn judge(&self, trusted: &[VerifierKey], known: Option<Known>) -> Result<Known, Refused> {
        let (size, root) = (self.checkpoint.size(), self.checkpoint.root());
        if self.old > size {
            return Err(Refused::OldBeyond);
        }
        self.note.verify(trusted).map_err(Refused::Unsigned)?;
        let before = known.unwrap_or(Known { size: 0, root: Hash::EMPTY_TREE });
        if self.old != before.size {
            return Err(Refused::Conflict(before));
        }
        verify_consistency((before.size, &before.root), (size, &root), &self.proof).map_err(Refused::Inconsistent)?;
        Ok(Known { size, root })
    }

    /// Whether this checkpoint, which the log has signed, can be of no tree that what is known is of too: as much as can
    /// be told without a proof.
    pub fn contradicts(&self, known: Known) -> bool {
        (self.checkpoint.size() == known.size) && self.checkpoint.root() != known.root
    }
}

/// The body as it is sent.
impl fmt::Display for AddCheckpoint {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(formatter, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(formatter, "{hash}"))?;
        write!(formatter, "\n{}", self.note)
    }
}

#[cfg(test)]
mod tests;
