//! The stored events of commitments.

use contracts::toguna::commitments::events::v1 as pb;
use event_store::{
    DecodeError, LocalizedText, Payload, Stored, date_from_proto, date_to_proto, text_from_proto, text_to_proto,
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
        let found = promise(payload).or_else(|| progress(payload)).or_else(|| ending(payload));
        found.unwrap_or_else(|| Err(DecodeError::UnknownType(payload.type_name.clone())))
    }
}

type Decoded = Option<Result<CommitmentEvent, DecodeError>>;

/// Events of the promise itself and its place in the register.
fn promise(payload: &Payload) -> Decoded {
    if let Some(event) = payload.to::<pb::CommitmentDeclared>() {
        return Some(event.and_then(terms).map(CommitmentEvent::Declared));
    }
    if let Some(event) = payload.to::<pb::CommitmentConfirmed>() {
        return Some(event.map(|pb::CommitmentConfirmed {}| CommitmentEvent::Confirmed));
    }
    if let Some(event) = payload.to::<pb::CommitmentRegistered>() {
        return Some(event.map(|event| CommitmentEvent::Registered { reference: value::optional(event.reference) }));
    }
    if let Some(event) = payload.to::<pb::AgreementLinked>() {
        let agreement = event.and_then(|event| value::name("agreement", &event.agreement));
        return Some(agreement.map(|agreement| CommitmentEvent::AgreementLinked { agreement }));
    }
    if let Some(event) = payload.to::<pb::DueDateExtended>() {
        let date = event.and_then(|event| date_from_proto(&value::required("due_on", event.due_on)?));
        return Some(date.map(|due_on| CommitmentEvent::DueDateExtended { due_on }));
    }
    let event = payload.to::<pb::CommitmentMigrated>()?;
    Some(event.and_then(|event| {
        Ok(CommitmentEvent::Migrated { from: value::reference(event.from)?, to: value::reference(event.to)? })
    }))
}

/// Events of progress.
fn progress(payload: &Payload) -> Decoded {
    if let Some(event) = payload.to::<pb::ProgressNoted>() {
        let text = event.and_then(|event| text_from_proto(event.text.as_ref()));
        return Some(text.map(|text| CommitmentEvent::ProgressNoted { text }));
    }
    if let Some(event) = payload.to::<pb::IncidentNoted>() {
        let text = event.and_then(|event| text_from_proto(event.text.as_ref()));
        return Some(text.map(|text| CommitmentEvent::IncidentNoted { text }));
    }
    if let Some(event) = payload.to::<pb::ProgressSubmitted>() {
        return Some(event.and_then(|event| {
            let (cycle, text) = (value::name("cycle", &event.cycle)?, text_from_proto(event.text.as_ref())?);
            Ok(CommitmentEvent::ProgressSubmitted { cycle, text })
        }));
    }
    if let Some(event) = payload.to::<pb::EvidenceAttached>() {
        let cycle = event.and_then(|event| value::name("cycle", &event.cycle));
        return Some(cycle.map(|cycle| CommitmentEvent::EvidenceAttached { cycle }));
    }
    if let Some(event) = payload.to::<pb::ProgressReturned>() {
        let cycle = event.and_then(|event| value::name("cycle", &event.cycle));
        return Some(cycle.map(|cycle| CommitmentEvent::ProgressReturned { cycle }));
    }
    let event = payload.to::<pb::ProgressVerified>()?;
    let cycle = event.and_then(|event| value::name("cycle", &event.cycle));
    Some(cycle.map(|cycle| CommitmentEvent::ProgressVerified { cycle }))
}

/// Events that close it.
fn ending(payload: &Payload) -> Decoded {
    if let Some(event) = payload.to::<pb::CommitmentFulfilled>() {
        return Some(event.map(|pb::CommitmentFulfilled {}| CommitmentEvent::Fulfilled));
    }
    if let Some(event) = payload.to::<pb::CommitmentPartlyFulfilled>() {
        let outstanding = event.and_then(|event| text_from_proto(event.outstanding.as_ref()));
        return Some(outstanding.map(|outstanding| CommitmentEvent::PartlyFulfilled { outstanding }));
    }
    if let Some(event) = payload.to::<pb::CommitmentWithdrawn>() {
        return Some(event.map(|pb::CommitmentWithdrawn {}| CommitmentEvent::Withdrawn));
    }
    let event = payload.to::<pb::CommitmentLapsed>()?;
    Some(event.map(|pb::CommitmentLapsed {}| CommitmentEvent::Lapsed))
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
