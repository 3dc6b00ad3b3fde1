//! The stored events of frameworks.

use contracts::toguna::commitments::events::v1 as pb;
use event_store::{
    DecodeError, Decoding, Payload, Stored, date_from_proto, date_to_proto, period_from_proto, period_to_proto,
    text_from_proto, text_to_proto,
};

use super::value;
use crate::domain::{Framework, FrameworkEvent, FrameworkKind, NewItem, PlanItemKind, ReferenceCountry, Registration};

impl Stored for Framework {
    fn encode(event: &FrameworkEvent) -> Payload {
        match event {
            FrameworkEvent::Registered(registration) => Payload::of(&pb::FrameworkRegistered {
                title: Some(text_to_proto(&registration.title)),
                kind: kind_to_proto(registration.kind).into(),
                secretariat: registration.secretariat.clone(),
            }),
            FrameworkEvent::PlanAdopted { plan, title, validity } => Payload::of(&pb::ActionPlanAdopted {
                plan: plan.clone(),
                title: Some(text_to_proto(title)),
                validity: period_to_proto(*validity),
            }),
            FrameworkEvent::PlanProlonged { plan, valid_until } => Payload::of(&pb::ActionPlanProlonged {
                plan: plan.clone(),
                valid_until: Some(date_to_proto((*valid_until).into())),
            }),
            FrameworkEvent::ItemAdded { plan, item } => Payload::of(&pb::PlanItemAdded {
                plan: plan.clone(),
                item: item.code.clone(),
                kind: value::item_kind_to_proto(item.kind).into(),
                parent: item.parent.clone().unwrap_or_default(),
                title: (!item.title.is_empty()).then(|| text_to_proto(&item.title)),
            }),
            FrameworkEvent::ItemLinked { plan, item, counterpart } => Payload::of(&pb::PlanItemLinked {
                plan: plan.clone(),
                item: item.clone().unwrap_or_default(),
                counterpart: Some(value::reference_to_proto(counterpart)),
            }),
            FrameworkEvent::CountRecorded { plan, kind, count } => Payload::of(&pb::PlanCountRecorded {
                plan: plan.clone(),
                kind: value::item_kind_to_proto(*kind).into(),
                count: *count,
            }),
            FrameworkEvent::CostRecorded { plan, cost } => {
                Payload::of(&pb::PlanCostRecorded { plan: plan.clone(), cost: Some(value::money_to_proto(cost)) })
            }
            FrameworkEvent::ReferenceCountryDesignated { plan, designation } => {
                Payload::of(&pb::ReferenceCountryDesignated {
                    plan: plan.clone(),
                    item: designation.item.clone(),
                    partner: designation.partner.clone(),
                    term: period_to_proto(designation.term),
                })
            }
        }
    }

    fn decode(payload: &Payload) -> Result<FrameworkEvent, DecodeError> {
        Decoding::of(payload)
            .or(registered)
            .or(adopted)
            .or(prolonged)
            .or(item_added)
            .or(|event: pb::PlanItemLinked| {
                let (item, counterpart) = (value::optional(event.item), value::reference(event.counterpart)?);
                Ok(FrameworkEvent::ItemLinked { plan: event.plan, item, counterpart })
            })
            .or(|event: pb::PlanCountRecorded| {
                let kind = item_kind(event.kind())?;
                Ok(FrameworkEvent::CountRecorded { plan: event.plan, kind, count: event.count })
            })
            .or(|event: pb::PlanCostRecorded| {
                Ok(FrameworkEvent::CostRecorded { plan: event.plan, cost: value::money(event.cost)? })
            })
            .or(|event: pb::ReferenceCountryDesignated| {
                let term = period_from_proto(event.term.as_ref())?;
                let designation = ReferenceCountry { item: event.item, partner: event.partner, term };
                Ok(FrameworkEvent::ReferenceCountryDesignated { plan: event.plan, designation })
            })
            .finish()
    }
}

fn registered(event: pb::FrameworkRegistered) -> Result<FrameworkEvent, DecodeError> {
    let kind = kind(event.kind()).ok_or(DecodeError::Missing("kind"))?;
    let title = text_from_proto(event.title.as_ref())?;
    Ok(FrameworkEvent::Registered(Registration { title, kind, secretariat: event.secretariat }))
}

fn adopted(event: pb::ActionPlanAdopted) -> Result<FrameworkEvent, DecodeError> {
    let title = text_from_proto(event.title.as_ref())?;
    let validity = period_from_proto(event.validity.as_ref())?;
    Ok(FrameworkEvent::PlanAdopted { plan: event.plan, title, validity })
}

fn prolonged(event: pb::ActionPlanProlonged) -> Result<FrameworkEvent, DecodeError> {
    let date = date_from_proto(&value::required("valid_until", event.valid_until)?)?;
    let valid_until = date.exact().ok_or(DecodeError::Invalid("valid_until"))?;
    Ok(FrameworkEvent::PlanProlonged { plan: event.plan, valid_until })
}

fn item_added(event: pb::PlanItemAdded) -> Result<FrameworkEvent, DecodeError> {
    let item = NewItem {
        kind: item_kind(event.kind())?,
        title: text_from_proto(event.title.as_ref())?,
        code: event.item,
        parent: value::optional(event.parent),
    };
    Ok(FrameworkEvent::ItemAdded { plan: event.plan, item })
}

fn item_kind(kind: pb::PlanItemKind) -> Result<PlanItemKind, DecodeError> {
    value::item_kind(kind).ok_or(DecodeError::Missing("kind"))
}

/// A kind of framework.
pub fn kind_to_proto(kind: FrameworkKind) -> pb::FrameworkKind {
    match kind {
        FrameworkKind::Dialogue => pb::FrameworkKind::Dialogue,
        FrameworkKind::JointActionPlan => pb::FrameworkKind::JointActionPlan,
        FrameworkKind::NationalPolicy => pb::FrameworkKind::NationalPolicy,
        FrameworkKind::ResultsFramework => pb::FrameworkKind::ResultsFramework,
    }
}

/// A kind of framework; `None`: unspecified.
pub fn kind(kind: pb::FrameworkKind) -> Option<FrameworkKind> {
    match kind {
        pb::FrameworkKind::Unspecified => None,
        pb::FrameworkKind::Dialogue => Some(FrameworkKind::Dialogue),
        pb::FrameworkKind::JointActionPlan => Some(FrameworkKind::JointActionPlan),
        pb::FrameworkKind::NationalPolicy => Some(FrameworkKind::NationalPolicy),
        pb::FrameworkKind::ResultsFramework => Some(FrameworkKind::ResultsFramework),
    }
}
