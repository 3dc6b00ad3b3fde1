//! The stored events of commitments.

use contracts::toguna::commitments::events::v1 as pb;
use event_store::{
    DecodeError, Decoding, LocalizedText, Payload, Stored, StreamName, date_from_proto, date_to_proto, text_from_proto,
    text_to_proto,
};

use super::value;
use crate::domain::{Commitment, CommitmentEvent, Terms};

impl Stored for Commitment {
    fn encode(event: &CommitmentEvent) -> Payload {
        match event {
            CommitmentEvent::Declared(terms) => Payload::of(&terms_to_proto(terms)),
            CommitmentEvent::Confirmed => Payload::of(&pb::CommitmentConfirmed {}),
            CommitmentEvent::Registered { reference } => {
                Payload::of(&pb::CommitmentRegistered { reference: reference.clone().unwrap_or_default() })
            }
            CommitmentEvent::AgreementLinked { agreement } => {
                Payload::of(&pb::AgreementLinked { agreement: agreement.to_string() })
            }
            CommitmentEvent::ProgressNoted { text } => Payload::of(&pb::ProgressNoted { text: written(text) }),
            CommitmentEvent::ProgressSubmitted { cycle, text } => {
                Payload::of(&pb::ProgressSubmitted { cycle: cycle.to_string(), text: written(text) })
            }
            CommitmentEvent::EvidenceAttached { cycle } => {
                Payload::of(&pb::EvidenceAttached { cycle: cycle.to_string() })
            }
            CommitmentEvent::ProgressReturned { cycle } => {
                Payload::of(&pb::ProgressReturned { cycle: cycle.to_string() })
            }
            CommitmentEvent::ProgressVerified { cycle } => {
                Payload::of(&pb::ProgressVerified { cycle: cycle.to_string() })
            }
            CommitmentEvent::DueDateExtended { due_on } => {
                Payload::of(&pb::DueDateExtended { due_on: Some(date_to_proto(*due_on)) })
            }
            CommitmentEvent::Migrated { from, to } => Payload::of(&pb::CommitmentMigrated {
                from: Some(value::reference_to_proto(from)),
                to: Some(value::reference_to_proto(to)),
            }),
            CommitmentEvent::IncidentNoted { text } => Payload::of(&pb::IncidentNoted { text: written(text) }),
            CommitmentEvent::Fulfilled => Payload::of(&pb::CommitmentFulfilled {}),
            CommitmentEvent::PartlyFulfilled { outstanding } => {
                Payload::of(&pb::CommitmentPartlyFulfilled { outstanding: written(outstanding) })
            }
            CommitmentEvent::Withdrawn => Payload::of(&pb::CommitmentWithdrawn {}),
            CommitmentEvent::Lapsed => Payload::of(&pb::CommitmentLapsed {}),
        }
    }

    fn decode(payload: &Payload) -> Result<CommitmentEvent, DecodeError> {
        Decoding::of(payload)
            .or(|event| Ok(CommitmentEvent::Declared(terms(event)?)))
            .or(|pb::CommitmentConfirmed {}| Ok(CommitmentEvent::Confirmed))
            .or(|event: pb::CommitmentRegistered| {
                Ok(CommitmentEvent::Registered { reference: value::optional(event.reference) })
            })
            .or(|event: pb::AgreementLinked| {
                Ok(CommitmentEvent::AgreementLinked { agreement: value::name("agreement", &event.agreement)? })
            })
            .or(|event: pb::ProgressNoted| {
                Ok(CommitmentEvent::ProgressNoted { text: text_from_proto(event.text.as_ref())? })
            })
            .or(|event: pb::ProgressSubmitted| {
                let (cycle, text) = (cycle(&event.cycle)?, text_from_proto(event.text.as_ref())?);
                Ok(CommitmentEvent::ProgressSubmitted { cycle, text })
            })
            .or(|event: pb::EvidenceAttached| Ok(CommitmentEvent::EvidenceAttached { cycle: cycle(&event.cycle)? }))
            .or(|event: pb::ProgressReturned| Ok(CommitmentEvent::ProgressReturned { cycle: cycle(&event.cycle)? }))
            .or(|event: pb::ProgressVerified| Ok(CommitmentEvent::ProgressVerified { cycle: cycle(&event.cycle)? }))
            .or(|event: pb::DueDateExtended| {
                let due_on = date_from_proto(&value::required("due_on", event.due_on)?)?;
                Ok(CommitmentEvent::DueDateExtended { due_on })
            })
            .or(|event: pb::CommitmentMigrated| {
                Ok(CommitmentEvent::Migrated { from: value::reference(event.from)?, to: value::reference(event.to)? })
            })
            .or(|event: pb::IncidentNoted| {
                Ok(CommitmentEvent::IncidentNoted { text: text_from_proto(event.text.as_ref())? })
            })
            .or(|pb::CommitmentFulfilled {}| Ok(CommitmentEvent::Fulfilled))
            .or(|event: pb::CommitmentPartlyFulfilled| {
                let outstanding = text_from_proto(event.outstanding.as_ref())?;
                Ok(CommitmentEvent::PartlyFulfilled { outstanding })
            })
            .or(|pb::CommitmentWithdrawn {}| Ok(CommitmentEvent::Withdrawn))
            .or(|pb::CommitmentLapsed {}| Ok(CommitmentEvent::Lapsed))
            .finish()
    }
}

fn cycle(name: &str) -> Result<StreamName, DecodeError> {
    value::name("cycle", name)
}

fn written(text: &LocalizedText) -> Option<contracts::toguna::r#type::v1::LocalizedText> {
    (!text.is_empty()).then(|| text_to_proto(text))
}

fn terms_to_proto(terms: &Terms) -> pb::CommitmentDeclared {
    pb::CommitmentDeclared {
        owner: terms.owner.clone(),
        answers: Some(value::reference_to_proto(&terms.answers)),
        text: written(&terms.text),
        due_on: terms.due_on.map(date_to_proto),
        evidence_required: written(&terms.evidence_required),
        agreements: terms.agreements.iter().map(ToString::to_string).collect(),
    }
}

fn terms(event: pb::CommitmentDeclared) -> Result<Terms, DecodeError> {
    Ok(Terms {
        owner: event.owner,
        answers: value::reference(event.answers)?,
        text: text_from_proto(event.text.as_ref())?,
        due_on: event.due_on.as_ref().map(date_from_proto).transpose()?,
        evidence_required: text_from_proto(event.evidence_required.as_ref())?,
        agreements: event.agreements.iter().map(|name| value::name("agreement", name)).collect::<Result<_, _>>()?,
    })
}
