//! Why a command is refused, as callers are told: each refusal of the domain has its stable reason and its values.

use contracts::{
    reasons::{Reason, ReasonName as _},
    toguna::{commitments::v1::ErrorReason, errors::v1::ErrorReason as AnyService},
};
use event_store::{Refusal, Value};
use service_runtime::role_names;

use crate::domain::{
    AgreementStandingError, CommitmentError, CommitmentStatus, CycleError, FrameworkError, IndicatorError,
    InitiativeError, MandateError,
};

type Values = Vec<(&'static str, Value)>;

impl Refusal for MandateError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::RoleRequired { .. } => AnyService::RoleRequired.reason(),
            Self::OwnActRequired { .. } => AnyService::OwnActRequired.reason(),
            Self::NotTheOwner { .. } => ErrorReason::NotTheOwner.reason(),
            Self::NotTheSecretariat { .. } => ErrorReason::NotTheSecretariat.reason(),
            Self::VerifierIsReporter { .. } => ErrorReason::VerifierIsReporter.reason(),
            Self::ReasonRequired => ErrorReason::ReasonRequired.reason(),
        }
    }

    fn values(&self) -> Values {
        match self {
            Self::RoleRequired { roles } => vec![("role", role_names(roles))],
            Self::OwnActRequired { organisation } => vec![("organisation", Value::name(organisation))],
            Self::NotTheOwner { owner } | Self::VerifierIsReporter { owner } => vec![("owner", Value::name(owner))],
            Self::NotTheSecretariat { secretariat } => vec![("secretariat", Value::name(secretariat))],
            Self::ReasonRequired => Vec::new(),
        }
    }
}

impl Refusal for FrameworkError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::NotFound => AnyService::NotFound.reason(),
            Self::AlreadyExists => AnyService::AlreadyExists.reason(),
            Self::PlanUnknown { .. } => ErrorReason::PlanUnknown.reason(),
            Self::PlanExists { .. } => ErrorReason::PlanExists.reason(),
            Self::ItemUnknown { .. } => ErrorReason::PlanItemUnknown.reason(),
            Self::ItemExists { .. } => ErrorReason::PlanItemExists.reason(),
            Self::NotLater { .. } => ErrorReason::DateNotLater.reason(),
            Self::Mandate(error) => error.reason(),
        }
    }

    fn values(&self) -> Values {
        match self {
            Self::NotFound | Self::AlreadyExists => Vec::new(),
            Self::PlanUnknown { plan } | Self::PlanExists { plan } => vec![("plan", Value::name(plan))],
            Self::ItemUnknown { plan, item } | Self::ItemExists { plan, item } => {
                vec![("plan", Value::name(plan)), ("item", Value::name(item))]
            }
            Self::NotLater { end } => vec![("date", Value::date(*end))],
            Self::Mandate(error) => error.values(),
        }
    }
}

impl Refusal for CycleError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::NotFound => AnyService::NotFound.reason(),
            Self::AlreadyExists => AnyService::AlreadyExists.reason(),
            Self::Mandate(error) => error.reason(),
        }
    }

    fn values(&self) -> Values {
        match self {
            Self::NotFound | Self::AlreadyExists => Vec::new(),
            Self::Mandate(error) => error.values(),
        }
    }
}

impl Refusal for CommitmentError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::NotFound => AnyService::NotFound.reason(),
            Self::AlreadyExists => AnyService::AlreadyExists.reason(),
            Self::Unconfirmed { .. } => ErrorReason::Unconfirmed.reason(),
            Self::NotRegistered => ErrorReason::CommitmentNotRegistered.reason(),
            Self::Closed { .. } => ErrorReason::CommitmentClosed.reason(),
            Self::CycleNotOpen { .. } => ErrorReason::CycleNotOpen.reason(),
            Self::CycleOfAnotherFramework { .. } => ErrorReason::CycleOfAnotherFramework.reason(),
            Self::ReportStands { .. } => ErrorReason::ReportStands.reason(),
            Self::NoPendingReport { .. } => ErrorReason::NoPendingReport.reason(),
            Self::EvidenceMissing => ErrorReason::EvidenceMissing.reason(),
            Self::DateNotLater { .. } => ErrorReason::DateNotLater.reason(),
            Self::NotYetDue { .. } => ErrorReason::NotYetDue.reason(),
            Self::Mandate(error) => error.reason(),
        }
    }

    fn values(&self) -> Values {
        match self {
            Self::NotFound | Self::AlreadyExists | Self::NotRegistered | Self::EvidenceMissing => Vec::new(),
            Self::Unconfirmed { owner } => vec![("owner", Value::name(owner))],
            Self::Closed { status } => vec![("status", status_name(*status))],
            Self::CycleNotOpen { cycle } | Self::ReportStands { cycle } | Self::NoPendingReport { cycle } => {
                vec![("cycle", Value::name(cycle))]
            }
            Self::CycleOfAnotherFramework { cycle_framework, framework } => {
                vec![("cycle_framework", Value::name(cycle_framework)), ("framework", Value::name(framework))]
            }
            Self::DateNotLater { due_on } => vec![("date", Value::date(*due_on))],
            Self::NotYetDue { due_on } => {
                vec![("due_on", due_on.map_or_else(|| ("none", "aucune").into(), Value::date))]
            }
            Self::Mandate(error) => error.values(),
        }
    }
}

impl Refusal for InitiativeError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::NotFound => AnyService::NotFound.reason(),
            Self::AlreadyExists => AnyService::AlreadyExists.reason(),
            Self::Unconfirmed { .. } => ErrorReason::Unconfirmed.reason(),
            Self::Mandate(error) => error.reason(),
        }
    }

    fn values(&self) -> Values {
        match self {
            Self::NotFound | Self::AlreadyExists => Vec::new(),
            Self::Unconfirmed { responsible } => vec![("owner", Value::name(responsible))],
            Self::Mandate(error) => error.values(),
        }
    }
}

impl Refusal for IndicatorError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::NotFound => AnyService::NotFound.reason(),
            Self::DefinitionUnknown { .. } => ErrorReason::DefinitionUnknown.reason(),
            Self::CountTooSmall { .. } => ErrorReason::CountTooSmall.reason(),
            Self::TargetCopiesValue => ErrorReason::TargetCopiesValue.reason(),
            Self::ValueUnknown { .. } => ErrorReason::ValueUnknown.reason(),
            Self::NotYourValue { .. } => ErrorReason::NotYourValue.reason(),
            Self::RestatementChangesNothing => ErrorReason::RestatementChangesNothing.reason(),
            Self::NoOpenRestatement { .. } => ErrorReason::NoOpenRestatement.reason(),
            Self::SamePerson => ErrorReason::RestatementBySamePerson.reason(),
            Self::Mandate(error) => error.reason(),
        }
    }

    fn values(&self) -> Values {
        match self {
            Self::NotFound | Self::TargetCopiesValue | Self::RestatementChangesNothing | Self::SamePerson => Vec::new(),
            Self::DefinitionUnknown { definition, latest } => {
                vec![("definition", Value::name(definition)), ("latest", Value::name(latest))]
            }
            Self::CountTooSmall { smallest_count } => vec![("smallest_count", Value::count(smallest_count))],
            Self::ValueUnknown { version } | Self::NotYourValue { version } | Self::NoOpenRestatement { version } => {
                vec![("version", Value::name(version))]
            }
            Self::Mandate(error) => error.values(),
        }
    }
}

impl Refusal for AgreementStandingError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Unknown { .. } => ErrorReason::AgreementUnknown.reason(),
            Self::Terminated { .. } => ErrorReason::AgreementTerminated.reason(),
        }
    }

    fn values(&self) -> Values {
        match self {
            Self::Unknown { agreement } | Self::Terminated { agreement } => vec![("agreement", Value::name(agreement))],
        }
    }
}

/// By its name in the API.
fn status_name(status: CommitmentStatus) -> Value {
    let (code, french) = match status {
        CommitmentStatus::Proposed => ("PROPOSED", "proposé"),
        CommitmentStatus::Endorsed => ("ENDORSED", "entériné"),
        CommitmentStatus::InProgress => ("IN_PROGRESS", "en cours"),
        CommitmentStatus::Reported => ("REPORTED", "déclaré"),
        CommitmentStatus::Verified => ("VERIFIED", "vérifié"),
        CommitmentStatus::Returned => ("RETURNED", "renvoyé"),
        CommitmentStatus::Fulfilled => ("FULFILLED", "tenu"),
        CommitmentStatus::PartlyFulfilled => ("PARTLY_FULFILLED", "partiellement tenu"),
        CommitmentStatus::Withdrawn => ("WITHDRAWN", "retiré"),
        CommitmentStatus::Lapsed => ("LAPSED", "caduc"),
    };
    Value::coded(code, (status.as_str(), french))
}

#[cfg(test)]
mod tests;
