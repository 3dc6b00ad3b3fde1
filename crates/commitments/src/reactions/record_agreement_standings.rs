//! What partnerships says of an agreement's standing is taken into this log, record by record, so that every decision
//! which cites the agreement can be repeated from this log alone.
//!
//! What sources alone say of a suspension or an end is not taken: it is when the party, or whoever else the record
//! speaks of, confirms it, and stands as it was confirmed.

use contracts::toguna::{
    log::v1::{Basis, EventRecord, RecordCorrected},
    partnerships::events::v1 as partnerships,
};
use event_store::{DecodeError, Payload, Reaction, ReactionCommand, StreamName, any_payload, date_from_proto};

use crate::domain::{
    AgreementStanding, AgreementStandingCommand, AgreementStandingEvent, Contestation, Says, Standing,
};

/// The reaction.
pub struct RecordAgreementStandings;

impl Reaction for RecordAgreementStandings {
    fn name(&self) -> &'static str {
        "record_agreement_standings"
    }

    fn source(&self) -> &'static str {
        "partnerships"
    }

    fn react(&self, record: &EventRecord) -> Result<Option<ReactionCommand>, DecodeError> {
        let stream: StreamName = record.stream.parse().map_err(|_| DecodeError::Invalid("stream"))?;
        if stream.category() != AgreementStanding::AGREEMENTS {
            return Ok(None);
        }
        let Some(command) = command(&stream, record)? else { return Ok(None) };
        let standing = AgreementStanding::stream_of(&stream);
        Ok(Some(Box::new(move |unit| unit.handle::<AgreementStanding>(&standing, &command))))
    }
}

fn command(agreement: &StreamName, record: &EventRecord) -> Result<Option<AgreementStandingCommand>, DecodeError> {
    let said =
        |agreement_version, says| AgreementStandingEvent { agreement: agreement.clone(), agreement_version, says };
    let payload = Payload { type_name: record.r#type.clone(), bytes: record.payload.clone() };
    if let Some(confirmed) = payload.to::<partnerships::AgreementRecordConfirmed>() {
        let confirmed = confirmed?;
        let effective_on = confirmed.confirmed_effective_on.as_ref().map(date_from_proto).transpose()?;
        let says = says(&any_payload(confirmed.confirmed.ok_or(DecodeError::Missing("confirmed"))?))?;
        let confirmed = says.map(|says| said(record.version, says));
        return Ok(confirmed.map(|event| AgreementStandingCommand::Confirm { event, effective_on }));
    }
    let Some(corrected) = payload.to::<RecordCorrected>() else {
        if is_hearsay(record, &payload)? {
            return Ok(None);
        }
        return Ok(says(&payload)?.map(|says| AgreementStandingCommand::Record(said(record.version, says))));
    };
    let corrected = corrected?;
    let right = any_payload(corrected.right.ok_or(DecodeError::Missing("right"))?);
    let effective_on = corrected.effective_on.as_ref().map(date_from_proto).transpose()?;
    let right = says(&right)?.map(|says| said(corrected.mistaken_version, says));
    Ok(right.map(|right| AgreementStandingCommand::Correct { right, effective_on }))
}

/// Whether sources alone say it. That an agreement is in the register is so whoever entered it, and what the register of
/// partnerships decides under a rule follows from the parties' own acts and views.
fn is_hearsay(record: &EventRecord, payload: &Payload) -> Result<bool, DecodeError> {
    let terminated = payload.to::<partnerships::AgreementTerminated>().transpose()?;
    let decided = terminated.is_some_and(|terminated| terminated.ground() == partnerships::OutcomeGround::Rule);
    let holds = matches!(says(payload)?, Some(Says::Standing(_)))
        && payload.type_name != name::<partnerships::AgreementRegistered>();
    Ok(record.basis() == Basis::RecordedFromSource && holds && !decided)
}

/// What an event says of the standing; `None`: nothing.
fn says(payload: &Payload) -> Result<Option<Says>, DecodeError> {
    use partnerships::{
        AgreementExpired, AgreementNatureContested, AgreementNatureSettled, AgreementRegistered, AgreementResumed,
        AgreementSuperseded, AgreementSuspended, AgreementTerminated,
    };
    if let Some(resumed) = payload.to::<AgreementResumed>() {
        let operates = resumed?.still_suspended_by.is_empty();
        return Ok(Some(Says::Standing(if operates { Standing::Active } else { Standing::Suspended })));
    }
    let is = |type_name: String| payload.type_name == type_name;
    Ok(if is(name::<AgreementRegistered>()) {
        Some(Says::Standing(Standing::Active))
    } else if is(name::<AgreementSuspended>()) {
        Some(Says::Standing(Standing::Suspended))
    } else if is(name::<AgreementTerminated>()) || is(name::<AgreementExpired>()) || is(name::<AgreementSuperseded>()) {
        Some(Says::Standing(Standing::Terminated))
    } else if is(name::<AgreementNatureContested>()) {
        Some(Says::Contestation(Contestation::Contested))
    } else if is(name::<AgreementNatureSettled>()) {
        Some(Says::Contestation(Contestation::Uncontested))
    } else {
        None
    })
}

fn name<M: prost::Name>() -> String {
    M::full_name()
}

#[cfg(test)]
mod tests;
