//! Asking for signatures: the log's signer and every witness are asked in the same way (C2SP tlog-witness), with a proof
//! that the tree goes on from what they signed before.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http::{StatusCode, Uri, uri::InvalidUri};
use transparency::{AddCheckpoint, Note, SignatureLine, VerifierKey, consistency_proof};

use super::{
    folder::Folder,
    growth::{in_background, subtree},
    http::{Http, HttpError},
    trouble::Trouble,
};

/// How long one answer may take. Nobody waits for it but the next round of the same witness: whoever answers after
/// four seconds over a satellite takes part.
const PATIENCE: Duration = Duration::from_secs(5);
/// How often one is asked again from another size, before the next turn.
const TRIES: usize = 3;

/// Somebody who signs checkpoints.
#[derive(Debug, Clone)]
pub(super) struct Cosigner {
    to: Uri,
    keys: Vec<VerifierKey>,
}

/// Why somebody did not sign.
#[derive(Debug, thiserror::Error)]
pub(super) enum AskError {
    #[error(transparent)]
    Http(#[from] HttpError),
    #[error("it does not know this log yet")]
    UnknownLog,
    #[error(
        "it has signed {theirs} records of this log, and the log has {ours}: the log was restored to an earlier state"
    )]
    Ahead { theirs: u64, ours: u64 },
    #[error("it refuses: this is not the log that it signed before ({says})")]
    Fork { says: String },
    #[error("it answers {status}: {says}")]
    Refused { status: StatusCode, says: String },
    #[error("its signature is not by the key that it is known by")]
    OtherKey,
    #[error("it names another size each time")]
    Unsteady,
    #[error("no proof can be made")]
    NoProof(#[source] Box<Trouble>),
}

impl AskError {
    /// What was signed contradicts the log.
    pub fn is_contradiction(&self) -> bool {
        match self {
            Self::Ahead { .. } | Self::Fork { .. } => true,
            Self::NoProof(trouble) => trouble.is_contradiction(),
            _ => false,
        }
    }
}

impl Cosigner {
    /// Answers at an address, and signs with one of the keys.
    pub fn new(url: &str, keys: Vec<VerifierKey>) -> Result<Self, InvalidUri> {
        Ok(Self { to: format!("{}/add-checkpoint", url.trim_end_matches('/')).parse()?, keys })
    }

    /// Asks for signatures under a checkpoint of a tree of `size` records, which the note bears those of, and gives the
    /// lines that hold. `known`: what it probably signed before; it says so if it did not.
    pub async fn ask(
        &self,
        http: &Http,
        folder: &Arc<Folder>,
        note: &Note,
        size: u64,
        known: u64,
    ) -> Result<Vec<SignatureLine>, AskError> {
        let mut old = known.min(size);
        for _ in 0..TRIES {
            let nodes = move |folder: &Folder| {
                consistency_proof(&|height, index| subtree(folder, size, height, index), old, size)
            };
            let proof = in_background(folder, nodes).await.map_err(|trouble| AskError::NoProof(trouble.into()))?;
            let request = proof.and_then(|proof| AddCheckpoint::new(old, proof, note.clone()));
            let request = request.expect("the proof is from a smaller tree, and the note is a checkpoint");
            let (status, body) = http.post(&self.to, Bytes::from(request.to_string()), PATIENCE).await?;
            let says = || -> String { String::from_utf8_lossy(&body).trim().chars().take(200).collect() };
            match status {
                StatusCode::OK => return self.lines(note, &body),
                StatusCode::CONFLICT => {
                    let theirs = says().parse().map_err(|_| AskError::Refused { status, says: says() })?;
                    if theirs > size {
                        return Err(AskError::Ahead { theirs, ours: size });
                    }
                    old = theirs;
                }
                StatusCode::NOT_FOUND => return Err(AskError::UnknownLog),
                StatusCode::UNPROCESSABLE_ENTITY => return Err(AskError::Fork { says: says() }),
                status => return Err(AskError::Refused { status, says: says() }),
            }
        }
        Err(AskError::Unsteady)
    }

    fn lines(&self, note: &Note, body: &[u8]) -> Result<Vec<SignatureLine>, AskError> {
        let body = String::from_utf8_lossy(body);
        let ours = |line: &SignatureLine| {
            let key = self.keys.iter().find(|key| (key.name(), key.id()) == (line.name(), line.key_id()));
            key.is_some_and(|key| key.verifies(note.text(), line.signature()))
        };
        let lines: Vec<_> = body.lines().filter_map(SignatureLine::parse).filter(ours).collect();
        if lines.is_empty() { Err(AskError::OtherKey) } else { Ok(lines) }
    }
}
