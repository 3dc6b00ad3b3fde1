//! Why a command is refused, as callers are told: each refusal of the domain has its stable reason and its values.

use contracts::{
    reasons::{Reason, ReasonName as _},
    toguna::{errors::v1::ErrorReason as AnyService, partnerships::v1::ErrorReason},
};
use event_store::{Refusal, Value};
use service_runtime::role_names;

use crate::domain::{ActError, AgreementError, DialogueError, PartnerError, agreement::events::AgreementScope};

type Values = Vec<(&'static str, Value)>;

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

    fn values(&self) -> Values {
        match self {
            Self::RoleRequired { roles } => vec![("role", role_names(roles))],
            Self::DateRequired => Vec::new(),
            Self::DateInFuture { on } => vec![("on", Value::date(*on))],
            Self::OwnActRequired { organisation } => vec![("organisation", Value::name(organisation))],
            Self::ActsForAnother { organisation, on_behalf_of } => {
                vec![("organisation", Value::name(organisation)), ("on_behalf_of", Value::name(on_behalf_of))]
            }
            Self::NothingToConfirm { version } => vec![("version", Value::name(version))],
            Self::NotYoursToConfirm { version, organisation } => {
                vec![("version", Value::name(version)), ("organisation", Value::name(organisation))]
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

    fn values(&self) -> Values {
        match self {
            Self::Act(error) => error.values(),
            Self::AlreadyRegistered
            | Self::NotRegistered
            | Self::CountryRequired
            | Self::NotAState
            | Self::RoleNotHeld => Vec::new(),
            Self::ParentCycle { parent, partner } => {
                vec![("parent", Value::name(parent)), ("partner", Value::name(partner))]
            }
            Self::RoleHeld { since } => {
                vec![("since", Value::since(since.on.unwrap_or_else(|| since.counts_from().into())))]
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

    fn values(&self) -> Values {
        match self {
            Self::Act(error) => error.values(),
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

    fn values(&self) -> Values {
        match self {
            Self::Act(error) => error.values(),
            Self::AlreadyRegistered
            | Self::NotRegistered
            | Self::NotOpenToAccession
            | Self::NoDepositary
            | Self::StatedByDepositaryOrSource
            | Self::NotInOperation => Vec::new(),
            Self::PartiesDoNotFit { scope, parties } => {
                let wanted = match scope {
                    AgreementScope::Bilateral => Value::count(2),
                    AgreementScope::Regional | AgreementScope::Global => {
                        Value::coded("≥ 2", ("2 or more", "2\u{a0}ou davantage de"))
                    }
                };
                vec![("wanted", wanted), ("parties", Value::count(parties))]
            }
            Self::RuleCannotBeMet { wanted, parties } => {
                vec![("wanted", Value::count(wanted)), ("parties", Value::count(parties))]
            }
            Self::NotAParty { organisation } => vec![("organisation", Value::name(organisation))],
            Self::AlreadyRecorded { version } => vec![("version", Value::name(version))],
            Self::Ended { on } => vec![("ended_on", Value::date(*on))],
            Self::EndsBeforeItBegan { beginning, end } => {
                vec![("beginning", Value::date(*beginning)), ("end", Value::date(*end))]
            }
            Self::AlreadySuspended { party, since } => {
                vec![("party", Value::name(party)), ("since", Value::since(*since))]
            }
            Self::NotSuspended { party } | Self::AlreadyDenounced { party } => vec![("party", Value::name(party))],
            Self::NoticeTooShort { months, earliest } => {
                vec![("months", Value::count(months)), ("earliest", Value::date(*earliest))]
            }
            Self::NoSuchAmendment { amendment } => vec![("amendment", Value::name(amendment))],
        }
    }
}
