//! Why a command is refused, as callers are told: each refusal of the domain has its stable reason and its values.

use contracts::{
    reasons::{Reason, ReasonName as _},
    toguna::{disbursements::v1::ErrorReason, errors::v1::ErrorReason as AnyService},
};
use event_store::{Date, Refusal};

use crate::domain::{
    authority::AuthorityError,
    contract::ContractError,
    contribution::ContributionError,
    decision::DecisionError,
    fund::FundError,
    money::{Money, MoneyError},
    payment::{PaymentError, Stage},
    standing::CitationError,
};

type Metadata = Vec<(&'static str, String)>;

impl Refusal for AuthorityError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::RoleRequired { .. } => AnyService::RoleRequired.reason(),
            Self::OwnActRequired { .. } => AnyService::OwnActRequired.reason(),
            Self::ActOfAnother { .. } => ErrorReason::ActOfAnotherOrganisation.reason(),
        }
    }

    fn metadata(&self) -> Metadata {
        match self {
            Self::RoleRequired { role } => vec![("role", (*role).to_owned())],
            Self::OwnActRequired { organisation } => vec![("organisation", organisation.clone())],
            Self::ActOfAnother { organisation, expected } => {
                vec![("organisation", organisation.clone()), ("expected", expected.clone())]
            }
        }
    }
}

impl Refusal for MoneyError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::CurrencyMismatch { .. } => ErrorReason::CurrencyMismatch.reason(),
            Self::NotPositive => ErrorReason::AmountNotPositive.reason(),
            Self::TooLarge => ErrorReason::AmountTooLarge.reason(),
        }
    }

    fn metadata(&self) -> Metadata {
        match self {
            Self::CurrencyMismatch { expected, given } => {
                vec![("expected", expected.to_string()), ("given", given.to_string())]
            }
            Self::NotPositive => Vec::new(),
            Self::TooLarge => vec![("limit", Money::MAX_MINOR_UNITS.to_string())],
        }
    }
}

impl Refusal for CitationError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::AgreementUnknown { .. } => ErrorReason::AgreementUnknown,
            Self::AgreementTerminated { .. } => ErrorReason::AgreementTerminated,
            Self::AgreementSuspended { .. } => ErrorReason::AgreementSuspended,
            Self::CommitmentUnknown { .. } => ErrorReason::CommitmentUnknown,
            Self::CommitmentWithdrawn { .. } => ErrorReason::CommitmentWithdrawn,
        }
        .reason()
    }

    fn metadata(&self) -> Metadata {
        match self {
            Self::AgreementUnknown { agreement } => vec![("agreement", agreement.clone())],
            Self::AgreementTerminated { agreement, since } | Self::AgreementSuspended { agreement, since } => {
                vec![("agreement", agreement.clone()), day("since", *since)]
            }
            Self::CommitmentUnknown { commitment } => vec![("commitment", commitment.clone())],
            Self::CommitmentWithdrawn { commitment, since } => {
                vec![("commitment", commitment.clone()), day("since", *since)]
            }
        }
    }
}

impl Refusal for FundError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Authority(error) => error.reason(),
            Self::NotEstablished => AnyService::NotFound.reason(),
            Self::AlreadyEstablished => AnyService::AlreadyExists.reason(),
            Self::Closed => ErrorReason::FundClosed.reason(),
            Self::DeadlinesOutOfOrder(_) => ErrorReason::DeadlinesOutOfOrder.reason(),
            Self::ExceedsCash { .. } => ErrorReason::ExceedsFundCash.reason(),
            Self::ContractsOpen { .. } => ErrorReason::ContractsOpen.reason(),
        }
    }

    fn metadata(&self) -> Metadata {
        match self {
            Self::Authority(error) => error.metadata(),
            Self::NotEstablished | Self::AlreadyEstablished | Self::Closed => Vec::new(),
            Self::DeadlinesOutOfOrder(deadlines) => vec![
                day("contracting_deadline", deadlines.contracting),
                day("end_of_activities", deadlines.end_of_activities),
            ],
            Self::ExceedsCash { amount, available } => beyond("amount", *amount, *available),
            Self::ContractsOpen { contracts } => vec![("contracts", contracts.join(", "))],
        }
    }
}

impl Refusal for ContributionError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Authority(error) => error.reason(),
            Self::Money(error) => error.reason(),
            Self::NotPledged => AnyService::NotFound.reason(),
            Self::AlreadyPledged => AnyService::AlreadyExists.reason(),
            Self::ExceedsCertified { .. } => ErrorReason::ExceedsCertifiedAmount.reason(),
        }
    }

    fn metadata(&self) -> Metadata {
        match self {
            Self::Authority(error) => error.metadata(),
            Self::Money(error) => error.metadata(),
            Self::NotPledged | Self::AlreadyPledged => Vec::new(),
            Self::ExceedsCertified { amount, available } => beyond("amount", *amount, *available),
        }
    }
}

impl Refusal for DecisionError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Authority(error) => error.reason(),
            Self::Money(error) => error.reason(),
            Self::Citation(error) => error.reason(),
            Self::NotProposed => AnyService::NotFound.reason(),
            Self::AlreadyProposed => AnyService::AlreadyExists.reason(),
            Self::WindowUnknown { .. } => ErrorReason::WindowUnknown.reason(),
            Self::ActionDocumentRequired => ErrorReason::ActionDocumentRequired.reason(),
            Self::MinuteRequired => ErrorReason::CommitteeMinuteRequired.reason(),
            Self::SourceRequired => ErrorReason::SourceRequired.reason(),
            Self::NotACommitteeMember { .. } => ErrorReason::NotACommitteeMember.reason(),
            Self::OwnRequest { .. } => ErrorReason::OwnRequest.reason(),
            Self::SamePerson => ErrorReason::SamePersonTwice.reason(),
            Self::NotApproved => ErrorReason::DecisionNotApproved.reason(),
            Self::AlreadyApproved => ErrorReason::DecisionAlreadyApproved.reason(),
            Self::ExceedsCeiling { .. } => ErrorReason::ExceedsDecisionCeiling.reason(),
            Self::ExceedsReleasable { .. } => ErrorReason::ExceedsReleasableAmount.reason(),
        }
    }

    fn metadata(&self) -> Metadata {
        match self {
            Self::Authority(error) => error.metadata(),
            Self::Money(error) => error.metadata(),
            Self::Citation(error) => error.metadata(),
            Self::NotProposed
            | Self::AlreadyProposed
            | Self::ActionDocumentRequired
            | Self::MinuteRequired
            | Self::SourceRequired
            | Self::NotApproved
            | Self::AlreadyApproved => Vec::new(),
            Self::WindowUnknown { window, fund } => vec![("window", window.clone()), ("fund", fund.clone())],
            Self::NotACommitteeMember { organisation, fund } => {
                vec![("organisation", organisation.clone()), ("fund", fund.clone())]
            }
            Self::OwnRequest { organisation } => vec![("organisation", organisation.clone())],
            Self::SamePerson => vec![("earlier_role", crate::domain::authority::FUND_MANAGER.to_owned())],
            Self::ExceedsCeiling { share, available } => beyond("fund_share", *share, *available),
            Self::ExceedsReleasable { amount, available } => beyond("amount", *amount, *available),
        }
    }
}

impl Refusal for ContractError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Authority(error) => error.reason(),
            Self::Money(error) => error.reason(),
            Self::Citation(error) => error.reason(),
            Self::NotSigned => AnyService::NotFound.reason(),
            Self::AlreadySigned => AnyService::AlreadyExists.reason(),
            Self::OtherFund { .. } => ErrorReason::OtherFund.reason(),
            Self::DecisionNotApproved { .. } => ErrorReason::DecisionNotApproved.reason(),
            Self::DecisionUnconfirmed { .. } => ErrorReason::DecisionUnconfirmed.reason(),
            Self::SigningDateRequired => ErrorReason::SigningDateRequired.reason(),
            Self::ContractingDeadlinePassed { .. } => ErrorReason::ContractingDeadlinePassed.reason(),
            Self::CostsAfterEndOfActivities { .. } => ErrorReason::CostsAfterEndOfActivities.reason(),
            Self::ExceedsAmount { .. } => ErrorReason::ExceedsContractAmount.reason(),
            Self::ExceedsReleasable { .. } => ErrorReason::ExceedsReleasableAmount.reason(),
            Self::ExceedsOpenPrefinancing { .. } => ErrorReason::ExceedsOpenPrefinancing.reason(),
            Self::ExceedsRecoverable { .. } => ErrorReason::ExceedsRecoverableAmount.reason(),
            Self::RecoveryOrderUnknown { .. } => ErrorReason::RecoveryOrderUnknown.reason(),
            Self::RecoveryOrderExists { .. } => ErrorReason::RecoveryOrderExists.reason(),
            Self::SamePersonTwice { .. } => ErrorReason::SamePersonTwice.reason(),
            Self::Suspended { .. } => ErrorReason::ContractSuspended.reason(),
            Self::Closed => ErrorReason::ContractClosed.reason(),
            Self::ReasonRequired => ErrorReason::ReasonRequired.reason(),
            Self::PrefinancingNotCleared { .. } => ErrorReason::PrefinancingNotCleared.reason(),
            Self::RecoveriesNotSettled { .. } => ErrorReason::RecoveriesNotSettled.reason(),
        }
    }

    fn metadata(&self) -> Metadata {
        match self {
            Self::Authority(error) => error.metadata(),
            Self::Money(error) => error.metadata(),
            Self::Citation(error) => error.metadata(),
            Self::NotSigned | Self::AlreadySigned | Self::SigningDateRequired | Self::Closed | Self::ReasonRequired => {
                Vec::new()
            }
            Self::OtherFund { fund } => vec![("fund", fund.clone())],
            Self::DecisionNotApproved { decision } | Self::DecisionUnconfirmed { decision } => {
                vec![("decision", decision.clone())]
            }
            Self::ContractingDeadlinePassed { fund, signed_on, deadline } => {
                vec![("fund", fund.clone()), day("signed_on", *signed_on), day("deadline", *deadline)]
            }
            Self::CostsAfterEndOfActivities { period_end, end_of_activities } => {
                vec![day("period_end", *period_end), day("end_of_activities", *end_of_activities)]
            }
            Self::ExceedsAmount { amount, available }
            | Self::ExceedsReleasable { amount, available }
            | Self::ExceedsOpenPrefinancing { amount, available }
            | Self::ExceedsRecoverable { amount, available } => beyond("amount", *amount, *available),
            Self::RecoveryOrderUnknown { order } | Self::RecoveryOrderExists { order } => {
                vec![("order", order.clone())]
            }
            Self::SamePersonTwice { earlier_role } => vec![("earlier_role", (*earlier_role).to_owned())],
            Self::Suspended { since } => vec![day("since", *since)],
            Self::PrefinancingNotCleared { amount } | Self::RecoveriesNotSettled { amount } => {
                vec![("amount", amount.digits()), ("currency", amount.currency().to_string())]
            }
        }
    }
}

impl Refusal for PaymentError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Authority(error) => error.reason(),
            Self::Money(error) => error.reason(),
            Self::NotRequested => AnyService::NotFound.reason(),
            Self::AlreadyRequested => AnyService::AlreadyExists.reason(),
            Self::OutOfTurn { .. } => ErrorReason::PaymentOutOfTurn.reason(),
            Self::SamePersonTwice { .. } => ErrorReason::SamePersonTwice.reason(),
            Self::OwnRequest { .. } => ErrorReason::OwnRequest.reason(),
            Self::ExceedsRequested { .. } => ErrorReason::ExceedsRequestedAmount.reason(),
            Self::CostsAfterEndOfActivities { .. } => ErrorReason::CostsAfterEndOfActivities.reason(),
            Self::ReasonRequired => ErrorReason::ReasonRequired.reason(),
        }
    }

    fn metadata(&self) -> Metadata {
        match self {
            Self::Authority(error) => error.metadata(),
            Self::Money(error) => error.metadata(),
            Self::NotRequested | Self::AlreadyRequested | Self::ReasonRequired => Vec::new(),
            Self::OutOfTurn { stage } => vec![("state", stage_name(*stage).to_owned())],
            Self::SamePersonTwice { earlier_role } => vec![("earlier_role", (*earlier_role).to_owned())],
            Self::OwnRequest { organisation } => vec![("organisation", organisation.clone())],
            Self::ExceedsRequested { accepted, requested } => beyond("amount", *accepted, *requested),
            Self::CostsAfterEndOfActivities { period_end, end_of_activities } => {
                vec![day("period_end", *period_end), day("end_of_activities", *end_of_activities)]
            }
        }
    }
}

/// A record that cannot be corrected by itself, or not so.
#[derive(Debug, thiserror::Error)]
pub enum NotCorrectable {
    /// It mirrors a record of another stream.
    #[error("record {version} mirrors one of {source_stream}")]
    Mirror {
        /// Version of the record.
        version: u64,
        /// The stream whose record it mirrors.
        source_stream: String,
    },
    /// It would belong to another fund, decision, contract or party.
    #[error("a correction keeps what belongs together")]
    Link,
}

impl Refusal for NotCorrectable {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::Mirror { .. } => ErrorReason::MirroredRecord.reason(),
            Self::Link => ErrorReason::LinkNotCorrectable.reason(),
        }
    }

    fn metadata(&self) -> Metadata {
        match self {
            Self::Mirror { version, source_stream } => {
                vec![("version", version.to_string()), ("source", source_stream.clone())]
            }
            Self::Link => Vec::new(),
        }
    }
}

/// An amount that is too much, and what there is.
fn beyond(key: &'static str, amount: Money, available: Money) -> Metadata {
    vec![(key, amount.digits()), ("available", available.digits()), ("currency", amount.currency().to_string())]
}

fn day(key: &'static str, day: Date) -> (&'static str, String) {
    (key, day.to_string())
}

fn stage_name(stage: Stage) -> &'static str {
    match stage {
        Stage::Unasked => "UNSPECIFIED",
        Stage::Requested => "REQUESTED",
        Stage::Initiated => "INITIATED",
        Stage::Verified => "VERIFIED",
        Stage::Authorised => "AUTHORISED",
        Stage::Disbursed => "DISBURSED",
        Stage::Returned => "RETURNED",
        Stage::Rejected => "REJECTED",
    }
}
