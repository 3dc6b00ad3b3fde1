//! Why a command is refused, as callers are told: each refusal of the domain has its stable reason and its values.

use contracts::{
    reasons::{Reason, ReasonName as _},
    toguna::{errors::v1::ErrorReason as AnyService, partnerships::v1::ErrorReason},
};
use event_store::Refusal;

use crate::domain::{ActError, AgreementError, DialogueError, PartnerError, agreement::events::AgreementScope};

type Values = Vec<(&'static str, String)>;

impl Refusal for ActError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::RoleRequired { .. } => AnyService::RoleRequired.reason(),
            Self::OwnActRequired { .. } => AnyService::OwnActRequired.reason(),
            Self::ActsForAnother { .. } => AnyService::ActsForAnother.reason(),
            Self::DateRequired => ErrorReason::DateRequired.reason(),
            Self::DateInFuture { .. } => ErrorReason::DateInFuture.reason(),
            Self::NothingToConfirm { .. } => ErrorReason::NothingToConfirm.reason(),
            Self::NotYoursToConfirm { .. } => ErrorReason::NotYoursToConfirm.reason(),
        }
    }

    fn metadata(&self) -> Values {
        match self {
            Self::RoleRequired { roles } => vec![("role", roles.join(", "))],
            Self::DateRequired => Vec::new(),
            Self::DateInFuture { on } => vec![("on", on.to_string())],
            Self::OwnActRequired { organisation } => vec![("organisation", organisation.clone())],
            Self::ActsForAnother { organisation, on_behalf_of } => {
                vec![("organisation", organisation.clone()), ("on_behalf_of", on_behalf_of.clone())]
            }
            Self::NothingToConfirm { version } => vec![("version", version.to_string())],
            Self::NotYoursToConfirm { version, organisation } => {
                vec![("version", version.to_string()), ("organisation", organisation.clone())]
            }
        }
    }
}

impl Refusal for PartnerError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Act(error) => error.reason(),
            Self::AlreadyRegistered => AnyService::AlreadyExists.reason(),
            Self::NotRegistered => AnyService::NotFound.reason(),
            Self::CountryRequired => ErrorReason::CountryRequired.reason(),
            Self::ParentCycle { .. } => ErrorReason::ParentCycle.reason(),
            Self::NotAState => ErrorReason::RolesAreOfStates.reason(),
            Self::RoleHeld { .. } => ErrorReason::RoleHeld.reason(),
            Self::RoleNotHeld => ErrorReason::RoleNotHeld.reason(),
        }
    }

    fn metadata(&self) -> Values {
        match self {
            Self::Act(error) => error.metadata(),
            Self::AlreadyRegistered
            | Self::NotRegistered
            | Self::CountryRequired
            | Self::NotAState
            | Self::RoleNotHeld => Vec::new(),
            Self::ParentCycle { parent, partner } => vec![("parent", parent.clone()), ("partner", partner.clone())],
            Self::RoleHeld { since } => {
                vec![("since", since.on.map_or_else(|| since.counts_from().to_string(), |on| on.to_string()))]
            }
        }
    }
}

impl Refusal for DialogueError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Act(error) => error.reason(),
            Self::AlreadyRegistered => AnyService::AlreadyExists.reason(),
            Self::NotRegistered => AnyService::NotFound.reason(),
        }
    }

    fn metadata(&self) -> Values {
        match self {
            Self::Act(error) => error.metadata(),
            Self::AlreadyRegistered | Self::NotRegistered => Vec::new(),
        }
    }
}

impl Refusal for AgreementError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Act(error) => error.reason(),
            Self::AlreadyRegistered => AnyService::AlreadyExists.reason(),
            Self::NotRegistered => AnyService::NotFound.reason(),
            Self::PartiesDoNotFit { .. } => ErrorReason::PartiesDoNotFit.reason(),
            Self::RuleCannotBeMet { .. } => ErrorReason::RuleCannotBeMet.reason(),
            Self::NotAParty { .. } => ErrorReason::NotAParty.reason(),
            Self::NotOpenToAccession => ErrorReason::NotOpenToAccession.reason(),
            Self::NoDepositary => ErrorReason::NoDepositary.reason(),
            Self::AlreadyRecorded { .. } => ErrorReason::AlreadyRecorded.reason(),
            Self::StatedByDepositaryOrSource => ErrorReason::StatedByDepositaryOrSource.reason(),
            Self::Ended { .. } => ErrorReason::AgreementEnded.reason(),
            Self::EndsBeforeItBegan { .. } => ErrorReason::EndsBeforeItBegan.reason(),
            Self::NotInOperation => ErrorReason::NotInOperation.reason(),
            Self::AlreadySuspended { .. } => ErrorReason::AlreadySuspended.reason(),
            Self::NotSuspended { .. } => ErrorReason::NotSuspended.reason(),
            Self::AlreadyDenounced { .. } => ErrorReason::AlreadyDenounced.reason(),
            Self::NoticeTooShort { .. } => ErrorReason::NoticeTooShort.reason(),
            Self::NoSuchAmendment { .. } => ErrorReason::NoSuchAmendment.reason(),
        }
    }

    fn metadata(&self) -> Values {
        match self {
            Self::Act(error) => error.metadata(),
            Self::AlreadyRegistered
            | Self::NotRegistered
            | Self::NotOpenToAccession
            | Self::NoDepositary
            | Self::StatedByDepositaryOrSource
            | Self::NotInOperation => Vec::new(),
            Self::PartiesDoNotFit { scope, parties } => {
                let wanted = match scope {
                    AgreementScope::Bilateral => "2",
                    AgreementScope::Regional | AgreementScope::Global => "≥ 2",
                };
                vec![("wanted", wanted.to_owned()), ("parties", parties.to_string())]
            }
            Self::RuleCannotBeMet { wanted, parties } => {
                vec![("wanted", wanted.to_string()), ("parties", parties.to_string())]
            }
            Self::NotAParty { organisation } => vec![("organisation", organisation.clone())],
            Self::AlreadyRecorded { version } => vec![("version", version.to_string())],
            Self::Ended { on } => vec![("ended_on", on.to_string())],
            Self::EndsBeforeItBegan { beginning, end } => {
                vec![("beginning", beginning.to_string()), ("end", end.to_string())]
            }
            Self::AlreadySuspended { party, since } => vec![("party", party.clone()), ("since", since.to_string())],
            Self::NotSuspended { party } | Self::AlreadyDenounced { party } => vec![("party", party.clone())],
            Self::NoticeTooShort { months, earliest } => {
                vec![("months", months.to_string()), ("earliest", earliest.to_string())]
            }
            Self::NoSuchAmendment { amendment } => vec![("amendment", amendment.clone())],
        }
    }
}
