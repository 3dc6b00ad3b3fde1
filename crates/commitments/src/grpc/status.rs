//! Why a command is refused, as callers are told: each refusal of the domain has its stable reason and its values.

use contracts::{
    reasons::{Reason, ReasonName as _},
    toguna::{commitments::v1::ErrorReason, errors::v1::ErrorReason as AnyService},
};
use event_store::{PartialDate, Refusal};

use crate::domain::{
    AgreementStandingError, CommitmentError, CycleError, FrameworkError, IndicatorError, InitiativeError, MandateError,
};

type Metadata = Vec<(&'static str, String)>;

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

    fn metadata(&self) -> Metadata {
        match self {
            Self::RoleRequired { roles } => vec![("role", roles.join(", "))],
            Self::OwnActRequired { organisation } => vec![("organisation", organisation.clone())],
            Self::NotTheOwner { owner } | Self::VerifierIsReporter { owner } => vec![("owner", owner.clone())],
            Self::NotTheSecretariat { secretariat } => vec![("secretariat", secretariat.clone())],
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

    fn metadata(&self) -> Metadata {
        match self {
            Self::NotFound | Self::AlreadyExists => Vec::new(),
            Self::PlanUnknown { plan } | Self::PlanExists { plan } => vec![("plan", plan.clone())],
            Self::ItemUnknown { plan, item } | Self::ItemExists { plan, item } => {
                vec![("plan", plan.clone()), ("item", item.clone())]
            }
            Self::NotLater { end } => vec![("date", end.to_string())],
            Self::Mandate(error) => error.metadata(),
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

    fn metadata(&self) -> Metadata {
        match self {
            Self::NotFound | Self::AlreadyExists => Vec::new(),
            Self::Mandate(error) => error.metadata(),
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

    fn metadata(&self) -> Metadata {
        match self {
            Self::NotFound | Self::AlreadyExists | Self::NotRegistered | Self::EvidenceMissing => Vec::new(),
            Self::Unconfirmed { owner } => vec![("owner", owner.clone())],
            Self::Closed { status } => vec![("status", status.as_str().to_owned())],
            Self::CycleNotOpen { cycle } | Self::ReportStands { cycle } | Self::NoPendingReport { cycle } => {
                vec![("cycle", cycle.to_string())]
            }
            Self::CycleOfAnotherFramework { cycle_framework, framework } => {
                vec![("cycle_framework", cycle_framework.to_string()), ("framework", framework.to_string())]
            }
            Self::DateNotLater { due_on } => vec![("date", due_on.to_string())],
            Self::NotYetDue { due_on } => {
                vec![("due_on", due_on.as_ref().map_or_else(|| "—".to_owned(), PartialDate::to_string))]
            }
            Self::Mandate(error) => error.metadata(),
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

    fn metadata(&self) -> Metadata {
        match self {
            Self::NotFound | Self::AlreadyExists => Vec::new(),
            Self::Unconfirmed { responsible } => vec![("owner", responsible.clone())],
            Self::Mandate(error) => error.metadata(),
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

    fn metadata(&self) -> Metadata {
        match self {
            Self::NotFound | Self::TargetCopiesValue | Self::RestatementChangesNothing | Self::SamePerson => Vec::new(),
            Self::DefinitionUnknown { definition, latest } => {
                vec![("definition", definition.to_string()), ("latest", latest.to_string())]
            }
            Self::CountTooSmall { smallest_count } => vec![("smallest_count", smallest_count.to_string())],
            Self::ValueUnknown { version } | Self::NotYourValue { version } | Self::NoOpenRestatement { version } => {
                vec![("version", version.to_string())]
            }
            Self::Mandate(error) => error.metadata(),
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

    fn metadata(&self) -> Metadata {
        match self {
            Self::Unknown { agreement } | Self::Terminated { agreement } => vec![("agreement", agreement.to_string())],
        }
    }
}

#[cfg(test)]
mod tests;
