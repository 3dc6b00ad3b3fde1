//! From what partnerships record of an agreement to its standing in our log.

use contracts::toguna::{log::v1::EventRecord, partnerships::events::v1 as pb};
use event_store::{DecodeError, Payload, Reaction, ReactionCommand, StreamName};

use super::{Said, enter, said};
use crate::domain::standing::AgreementFact;

/// Category of the streams of agreements.
const AGREEMENTS: &str = "agreements";

/// Enters the standings of agreements.
pub struct RecordAgreementStandings;

impl Reaction for RecordAgreementStandings {
    fn name(&self) -> &'static str {
        "record_agreement_standings"
    }

    fn source(&self) -> &'static str {
        "partnerships"
    }

    fn react(&self, record: &EventRecord) -> Result<Option<ReactionCommand>, DecodeError> {
        let agreement: StreamName = record.stream.parse().map_err(|_| DecodeError::Invalid("stream"))?;
        if agreement.category() != AGREEMENTS {
            return Ok(None);
        }
        let Said { version, payload, date } = said(record)?;
        Ok(fact(version, &payload)?.map(|fact| enter(agreement, version, date, fact)))
    }
}

/// What a record of an agreement means for whoever relies on it; `None`: nothing.
fn fact(version: u64, payload: &Payload) -> Result<Option<AgreementFact>, DecodeError> {
    if payload.to::<pb::AgreementSuspended>().transpose()?.is_some() {
        return Ok(Some(AgreementFact::Suspended));
    }
    if let Some(resumed) = payload.to::<pb::AgreementResumed>().transpose()? {
        let by_all = resumed.still_suspended_by.is_empty();
        return Ok(Some(if by_all { AgreementFact::Resumed } else { AgreementFact::Registered }));
    }
    let ends = payload.to::<pb::AgreementTerminated>().transpose()?.is_some()
        || payload.to::<pb::AgreementExpired>().transpose()?.is_some()
        || payload.to::<pb::AgreementSuperseded>().transpose()?.is_some();
    if ends {
        return Ok(Some(AgreementFact::Terminated));
    }
    // An agreement is in the register from the first record of its stream on.
    Ok((version == 1).then_some(AgreementFact::Registered))
}

#[cfg(test)]
mod tests;
