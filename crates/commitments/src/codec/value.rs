//! Between the values in events and their stored form.

use contracts::toguna::{commitments::events::v1 as pb, r#type::v1 as types};
use event_store::{DecodeError, StreamName, period_from_proto, period_to_proto, text_from_proto, text_to_proto};
use rust_decimal::Decimal;

use crate::domain::{
    Contestation, Figure, MeasurePoint, Money, PlanItemKind, PlanItemReference, Quantity, SourceStatus, Standing,
    Subject, Words,
};

pub(super) fn name(field: &'static str, text: &str) -> Result<StreamName, DecodeError> {
    text.parse().map_err(|_| DecodeError::Invalid(field))
}

pub(super) fn optional(text: String) -> Option<String> {
    (!text.is_empty()).then_some(text)
}

pub(super) fn required<T>(field: &'static str, value: Option<T>) -> Result<T, DecodeError> {
    value.ok_or(DecodeError::Missing(field))
}

/// An amount.
pub fn money_to_proto(money: &Money) -> types::Money {
    types::Money { currency_code: money.currency.clone(), minor_units: money.minor_units }
}

pub(super) fn money(money: Option<types::Money>) -> Result<Money, DecodeError> {
    let money = required("money", money)?;
    Ok(Money { currency: money.currency_code, minor_units: money.minor_units })
}

/// A place in a plan.
pub fn reference_to_proto(reference: &PlanItemReference) -> pb::PlanItemReference {
    pb::PlanItemReference {
        framework: reference.framework.to_string(),
        plan: reference.plan.clone(),
        item: reference.item.clone().unwrap_or_default(),
    }
}

pub(super) fn reference(reference: Option<pb::PlanItemReference>) -> Result<PlanItemReference, DecodeError> {
    let reference = required("plan item", reference)?;
    Ok(PlanItemReference {
        framework: name("framework", &reference.framework)?,
        plan: reference.plan,
        item: optional(reference.item),
    })
}

/// A kind of node.
pub fn item_kind_to_proto(kind: PlanItemKind) -> pb::PlanItemKind {
    match kind {
        PlanItemKind::Domain => pb::PlanItemKind::Domain,
        PlanItemKind::Axis => pb::PlanItemKind::Axis,
        PlanItemKind::Objective => pb::PlanItemKind::Objective,
        PlanItemKind::Priority => pb::PlanItemKind::Priority,
        PlanItemKind::Initiative => pb::PlanItemKind::Initiative,
        PlanItemKind::Action => pb::PlanItemKind::Action,
    }
}

/// A kind of node; `None`: unspecified.
pub fn item_kind(kind: pb::PlanItemKind) -> Option<PlanItemKind> {
    match kind {
        pb::PlanItemKind::Unspecified => None,
        pb::PlanItemKind::Domain => Some(PlanItemKind::Domain),
        pb::PlanItemKind::Axis => Some(PlanItemKind::Axis),
        pb::PlanItemKind::Objective => Some(PlanItemKind::Objective),
        pb::PlanItemKind::Priority => Some(PlanItemKind::Priority),
        pb::PlanItemKind::Initiative => Some(PlanItemKind::Initiative),
        pb::PlanItemKind::Action => Some(PlanItemKind::Action),
    }
}

/// What a figure is about.
pub fn point_to_proto(point: &MeasurePoint) -> pb::MeasurePoint {
    pb::MeasurePoint {
        definition: point.definition,
        subject: point.subject.name().to_string(),
        period: period_to_proto(point.period),
    }
}

pub(super) fn point(point: Option<pb::MeasurePoint>) -> Result<MeasurePoint, DecodeError> {
    let point = required("point", point)?;
    Ok(MeasurePoint {
        definition: point.definition,
        subject: Subject::new(name("subject", &point.subject)?).map_err(|_| DecodeError::Invalid("subject"))?,
        period: period_from_proto(point.period.as_ref())?,
    })
}

/// A figure.
pub fn quantity_to_proto(quantity: &Quantity) -> pb::Quantity {
    let (qualifier, value, words) = match quantity {
        Quantity::Exact(figure) => (pb::Qualifier::Exact, Some(figure), None),
        Quantity::About(figure) => (pb::Qualifier::About, Some(figure), None),
        Quantity::AtLeast(figure) => (pb::Qualifier::AtLeast, Some(figure), None),
        Quantity::InWords(words) => (pb::Qualifier::InWords, None, Some(words)),
    };
    pb::Quantity {
        qualifier: qualifier.into(),
        value: value.map(|figure| types::Decimal { value: figure.number().to_string() }),
        words: words.map(|words| text_to_proto(words.text())),
    }
}

pub(super) fn quantity(quantity: Option<pb::Quantity>) -> Result<Quantity, DecodeError> {
    let quantity = required("quantity", quantity)?;
    let figure = |value: Option<types::Decimal>| {
        let number = required("value", value)?.value.parse::<Decimal>().map_err(|_| DecodeError::Invalid("value"))?;
        Figure::new(number).map_err(|_| DecodeError::Invalid("value"))
    };
    Ok(match quantity.qualifier() {
        pb::Qualifier::Exact => Quantity::Exact(figure(quantity.value)?),
        pb::Qualifier::About => Quantity::About(figure(quantity.value)?),
        pb::Qualifier::AtLeast => Quantity::AtLeast(figure(quantity.value)?),
        pb::Qualifier::InWords => {
            let words = text_from_proto(quantity.words.as_ref())?;
            Quantity::InWords(Words::new(words).map_err(|_| DecodeError::Invalid("words"))?)
        }
        pb::Qualifier::Unspecified => return Err(DecodeError::Missing("qualifier")),
    })
}

/// What stands behind a figure.
pub fn source_status_to_proto(status: SourceStatus) -> pb::SourceStatus {
    match status {
        SourceStatus::Official => pb::SourceStatus::Official,
        SourceStatus::Press => pb::SourceStatus::Press,
        SourceStatus::Estimate => pb::SourceStatus::Estimate,
    }
}

/// What stands behind a figure; `None`: unspecified.
pub fn source_status(status: pb::SourceStatus) -> Option<SourceStatus> {
    match status {
        pb::SourceStatus::Unspecified => None,
        pb::SourceStatus::Official => Some(SourceStatus::Official),
        pb::SourceStatus::Press => Some(SourceStatus::Press),
        pb::SourceStatus::Estimate => Some(SourceStatus::Estimate),
    }
}

/// Whether an agreement can be relied on.
pub fn standing_to_proto(standing: Standing) -> pb::AgreementStanding {
    match standing {
        Standing::Active => pb::AgreementStanding::Active,
        Standing::Suspended => pb::AgreementStanding::Suspended,
        Standing::Terminated => pb::AgreementStanding::Terminated,
    }
}

pub(super) fn standing(standing: pb::AgreementStanding) -> Result<Standing, DecodeError> {
    match standing {
        pb::AgreementStanding::Unspecified => Err(DecodeError::Missing("standing")),
        pb::AgreementStanding::Active => Ok(Standing::Active),
        pb::AgreementStanding::Suspended => Ok(Standing::Suspended),
        pb::AgreementStanding::Terminated => Ok(Standing::Terminated),
    }
}

/// Whether its parties see an agreement in the same way.
pub fn contestation_to_proto(contestation: Contestation) -> pb::Contestation {
    match contestation {
        Contestation::Uncontested => pb::Contestation::Uncontested,
        Contestation::Contested => pb::Contestation::Contested,
    }
}

/// Whether its parties see an agreement in the same way; `None`: unspecified.
pub fn contestation(contestation: pb::Contestation) -> Option<Contestation> {
    match contestation {
        pb::Contestation::Unspecified => None,
        pb::Contestation::Uncontested => Some(Contestation::Uncontested),
        pb::Contestation::Contested => Some(Contestation::Contested),
    }
}
