//! The stored events of initiatives.

use contracts::toguna::commitments::events::v1 as pb;
use event_store::{
    DecodeError, Decoding, Payload, Stored, period_from_proto, period_to_proto, text_from_proto, text_to_proto,
};

use super::value;
use crate::domain::{
    BudgetLine, Description, Initiative, InitiativeEvent, InitiativeStatus, InitiativeType, LegalBasis,
};

impl Stored for Initiative {
    fn encode(event: &InitiativeEvent) -> Payload {
        match event {
            InitiativeEvent::Registered { kind, responsible, description } => Payload::of(&pb::InitiativeRegistered {
                r#type: type_to_proto(*kind).into(),
                responsible: responsible.clone(),
                description: Some(description_to_proto(description)),
            }),
            InitiativeEvent::Confirmed => Payload::of(&pb::InitiativeConfirmed {}),
            InitiativeEvent::Revised { description } => {
                Payload::of(&pb::InitiativeRevised { description: Some(description_to_proto(description)) })
            }
            InitiativeEvent::BudgetLineRecorded(line) => Payload::of(&pb::BudgetLineRecorded {
                budget_line: line.line.clone(),
                amount: Some(value::money_to_proto(&line.amount)),
                period: period_to_proto(line.period),
                funder: line.funder.clone().unwrap_or_default(),
            }),
            InitiativeEvent::StatusRecorded { status } => {
                Payload::of(&pb::InitiativeStatusRecorded { status: status_to_proto(*status).into() })
            }
            InitiativeEvent::MilestoneRecorded { text } => {
                Payload::of(&pb::MilestoneRecorded { text: Some(text_to_proto(text)) })
            }
            InitiativeEvent::Verified => Payload::of(&pb::InitiativeVerified {}),
            InitiativeEvent::Returned => Payload::of(&pb::InitiativeReturned {}),
        }
    }

    fn decode(payload: &Payload) -> Result<InitiativeEvent, DecodeError> {
        Decoding::of(payload)
            .or(registered)
            .or(|pb::InitiativeConfirmed {}| Ok(InitiativeEvent::Confirmed))
            .or(|event: pb::InitiativeRevised| {
                Ok(InitiativeEvent::Revised { description: description(event.description)? })
            })
            .or(budget_line_recorded)
            .or(|event: pb::InitiativeStatusRecorded| {
                let status = status(event.status()).ok_or(DecodeError::Missing("status"))?;
                Ok(InitiativeEvent::StatusRecorded { status })
            })
            .or(|event: pb::MilestoneRecorded| {
                Ok(InitiativeEvent::MilestoneRecorded { text: text_from_proto(event.text.as_ref())? })
            })
            .or(|pb::InitiativeVerified {}| Ok(InitiativeEvent::Verified))
            .or(|pb::InitiativeReturned {}| Ok(InitiativeEvent::Returned))
            .finish()
    }
}

fn registered(event: pb::InitiativeRegistered) -> Result<InitiativeEvent, DecodeError> {
    let kind = kind(event.r#type()).ok_or(DecodeError::Missing("type"))?;
    let description = description(event.description)?;
    Ok(InitiativeEvent::Registered { kind, responsible: event.responsible, description })
}

fn budget_line_recorded(event: pb::BudgetLineRecorded) -> Result<InitiativeEvent, DecodeError> {
    Ok(InitiativeEvent::BudgetLineRecorded(BudgetLine {
        line: event.budget_line,
        amount: value::money(event.amount)?,
        period: period_from_proto(event.period.as_ref())?,
        funder: value::optional(event.funder),
    }))
}

/// What an initiative is.
pub fn description_to_proto(description: &Description) -> pb::InitiativeDescription {
    let legal_basis = |basis: &LegalBasis| pb::LegalBasis {
        title: (!basis.title.is_empty()).then(|| text_to_proto(&basis.title)),
        reference: basis.reference.clone(),
        article: basis.article.clone().unwrap_or_default(),
    };
    pb::InitiativeDescription {
        title: Some(text_to_proto(&description.title)),
        summary: (!description.summary.is_empty()).then(|| text_to_proto(&description.summary)),
        legal_basis: description.legal_basis.iter().map(legal_basis).collect(),
        places: description.places.clone(),
        target_groups: description.target_groups.iter().map(text_to_proto).collect(),
        serves: description.serves.iter().map(value::reference_to_proto).collect(),
        commitments: description.commitments.iter().map(ToString::to_string).collect(),
    }
}

fn description(description: Option<pb::InitiativeDescription>) -> Result<Description, DecodeError> {
    let description = value::required("description", description)?;
    let legal_basis = |basis: pb::LegalBasis| {
        let title = text_from_proto(basis.title.as_ref())?;
        Ok(LegalBasis { title, reference: basis.reference, article: value::optional(basis.article) })
    };
    Ok(Description {
        title: text_from_proto(description.title.as_ref())?,
        summary: text_from_proto(description.summary.as_ref())?,
        legal_basis: description.legal_basis.into_iter().map(legal_basis).collect::<Result<_, DecodeError>>()?,
        places: description.places,
        target_groups: description
            .target_groups
            .iter()
            .map(|group| text_from_proto(Some(group)))
            .collect::<Result<_, _>>()?,
        serves: description
            .serves
            .into_iter()
            .map(|reference| value::reference(Some(reference)))
            .collect::<Result<_, _>>()?,
        commitments: description
            .commitments
            .iter()
            .map(|name| value::name("commitment", name))
            .collect::<Result<_, _>>()?,
    })
}

/// Project or policy.
pub fn type_to_proto(kind: InitiativeType) -> pb::InitiativeType {
    match kind {
        InitiativeType::Project => pb::InitiativeType::Project,
        InitiativeType::Policy => pb::InitiativeType::Policy,
    }
}

/// Project or policy; `None`: unspecified.
pub fn kind(kind: pb::InitiativeType) -> Option<InitiativeType> {
    match kind {
        pb::InitiativeType::Unspecified => None,
        pb::InitiativeType::Project => Some(InitiativeType::Project),
        pb::InitiativeType::Policy => Some(InitiativeType::Policy),
    }
}

/// Where an initiative stands.
pub fn status_to_proto(status: InitiativeStatus) -> pb::InitiativeStatus {
    match status {
        InitiativeStatus::Planned => pb::InitiativeStatus::Planned,
        InitiativeStatus::Ongoing => pb::InitiativeStatus::Ongoing,
        InitiativeStatus::Suspended => pb::InitiativeStatus::Suspended,
        InitiativeStatus::Completed => pb::InitiativeStatus::Completed,
        InitiativeStatus::Cancelled => pb::InitiativeStatus::Cancelled,
    }
}

/// Where an initiative stands; `None`: unspecified.
pub fn status(status: pb::InitiativeStatus) -> Option<InitiativeStatus> {
    match status {
        pb::InitiativeStatus::Unspecified => None,
        pb::InitiativeStatus::Planned => Some(InitiativeStatus::Planned),
        pb::InitiativeStatus::Ongoing => Some(InitiativeStatus::Ongoing),
        pb::InitiativeStatus::Suspended => Some(InitiativeStatus::Suspended),
        pb::InitiativeStatus::Completed => Some(InitiativeStatus::Completed),
        pb::InitiativeStatus::Cancelled => Some(InitiativeStatus::Cancelled),
    }
}
