//! From what partnerships record of an agreement to its standing in our log.
//!
//! What sources alone say of a suspension or an end holds no payment: it is entered when the party, or whoever else the
//! record speaks of, confirms it, and stands as it was confirmed.

use contracts::toguna::{
    log::v1::{Basis, EventRecord},
    partnerships::events::v1 as pb,
};
use event_store::{DecodeError, Payload, Reaction, ReactionCommand, StreamName, any_payload, date_from_proto};

use super::{Said, SaidOn, enter, payload_of, said};
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
        let said = match payload_of(record).to::<pb::AgreementRecordConfirmed>() {
            Some(confirmed) => confirmed_of(record, confirmed?)?,
            None if record.version > 1 && is_hearsay(record)? => return Ok(None),
            None => said(record)?,
        };
        Ok(fact(said.version, &said.payload)?.map(|fact| enter(agreement, &said, fact)))
    }
}

/// What an organisation confirmed, on the date that it confirmed, under the version of the confirmation: whatever is
/// said of the record afterwards, this is what the organisation said.
fn confirmed_of(record: &EventRecord, confirmed: pb::AgreementRecordConfirmed) -> Result<Said, DecodeError> {
    let date = confirmed.confirmed_effective_on.as_ref().map(date_from_proto).transpose()?;
    Ok(Said {
        version: record.version,
        payload: any_payload(confirmed.confirmed.ok_or(DecodeError::Missing("confirmed"))?),
        date: SaidOn::Date(date),
        mends: false,
    })
}

/// Whether sources alone say it. What the register of partnerships decides under a rule follows from the parties' own
/// acts, whoever's record came last.
fn is_hearsay(record: &EventRecord) -> Result<bool, DecodeError> {
    let terminated = payload_of(record).to::<pb::AgreementTerminated>().transpose()?;
    let decided = terminated.is_some_and(|terminated| terminated.ground() == pb::OutcomeGround::Rule);
    Ok(record.basis() == Basis::RecordedFromSource && !decided)
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
