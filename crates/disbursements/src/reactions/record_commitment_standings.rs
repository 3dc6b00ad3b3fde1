//! From what commitments record of a promise to its standing in our log.

use contracts::toguna::{commitments::events::v1 as pb, log::v1::EventRecord};
use event_store::{DecodeError, Payload, Reaction, ReactionCommand, StreamName};

use super::{enter, said};
use crate::domain::standing::CommitmentFact;

/// Category of the streams of commitments.
const COMMITMENTS: &str = "commitments";

/// Enters the standings of commitments.
pub struct RecordCommitmentStandings;

impl Reaction for RecordCommitmentStandings {
    fn name(&self) -> &'static str {
        "record_commitment_standings"
    }

    fn source(&self) -> &'static str {
        "commitments"
    }

    fn react(&self, record: &EventRecord) -> Result<Option<ReactionCommand>, DecodeError> {
        let commitment: StreamName = record.stream.parse().map_err(|_| DecodeError::Invalid("stream"))?;
        if commitment.category() != COMMITMENTS {
            return Ok(None);
        }
        let said = said(record)?;
        Ok(fact(said.version, &said.payload)?.map(|fact| enter(commitment, &said, fact)))
    }
}

/// What a record of a commitment means for whoever relies on it; `None`: nothing.
fn fact(version: u64, payload: &Payload) -> Result<Option<CommitmentFact>, DecodeError> {
    let kept = payload.to::<pb::CommitmentFulfilled>().transpose()?.is_some()
        || payload.to::<pb::CommitmentPartlyFulfilled>().transpose()?.is_some();
    if kept {
        return Ok(Some(CommitmentFact::Fulfilled));
    }
    if payload.to::<pb::CommitmentWithdrawn>().transpose()?.is_some() {
        return Ok(Some(CommitmentFact::Withdrawn));
    }
    // A commitment is in the register from the first record of its stream on.
    Ok((version == 1).then_some(CommitmentFact::Registered))
}

#[cfg(test)]
mod tests;
