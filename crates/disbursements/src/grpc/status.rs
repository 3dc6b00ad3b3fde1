//! Why a command is refused, as callers are told: each refusal of the domain has its stable reason and its values.

use contracts::{
    reasons::{Reason, ReasonName as _},
    toguna::{disbursements::v1::ErrorReason, errors::v1::ErrorReason as AnyService},
};
use event_store::{Date, Refusal, Value};
use service_runtime::role_names;

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

type Values = Vec<(&'static str, Value)>;

impl Refusal for AuthorityError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::RoleRequired { .. } => AnyService::RoleRequired.reason(),
            Self::OwnActRequired { .. } => AnyService::OwnActRequired.reason(),
            Self::ActOfAnother { .. } => ErrorReason::ActOfAnotherOrganisation.reason(),
        }
    }

    fn values(&self) -> Values {
        match self {
            Self::RoleRequired { role } => vec![("role", role_names(&[role]))],
            Self::OwnActRequired { organisation } => vec![("organisation", Value::name(organisation))],
            Self::ActOfAnother { organisation, expected } => {
                vec![("organisation", Value::name(organisation)), ("expected", Value::name(expected))]
            }
        }
    }
}

impl Refusal for MoneyError {
    fn reason(&self) -> &'static Reason {
        match self {
            Self::CurrencyMismatch { .. } => ErrorReason::CurrencyMismatch.reason(),
            Self::NotPositive => ErrorReason::AmountNotPositive.reason(),
        }
    }

    fn values(&self) -> Values {
        match self {
            Self::CurrencyMismatch { expected, given } => {
                vec![("expected", Value::name(expected)), ("given", Value::name(given))]
            }
            Self::NotPositive => Vec::new(),
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

    fn values(&self) -> Values {
        match self {
            Self::AgreementUnknown { agreement } => vec![("agreement", Value::name(agreement))],
            Self::AgreementTerminated { agreement, since } | Self::AgreementSuspended { agreement, since } => {
                vec![("agreement", Value::name(agreement)), day("since", *since)]
            }
            Self::CommitmentUnknown { commitment } => vec![("commitment", Value::name(commitment))],
            Self::CommitmentWithdrawn { commitment, since } => {
                vec![("commitment", Value::name(commitment)), day("since", *since)]
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

    fn values(&self) -> Values {
        match self {
            Self::Authority(error) => error.values(),
            Self::NotEstablished | Self::AlreadyEstablished | Self::Closed => Vec::new(),
            Self::DeadlinesOutOfOrder(deadlines) => vec![
                day("contracting_deadline", deadlines.contracting),
                day("end_of_activities", deadlines.end_of_activities),
            ],
            Self::ExceedsCash { amount, available } => beyond("amount", *amount, *available),
            Self::ContractsOpen { contracts } => vec![("contracts", Value::name(contracts.join(", ")))],
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

    fn values(&self) -> Values {
        match self {
            Self::Authority(error) => error.values(),
            Self::Money(error) => error.values(),
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
            Self::SamePerson { .. } => ErrorReason::SamePersonTwice.reason(),
            Self::NotApproved => ErrorReason::DecisionNotApproved.reason(),
            Self::AlreadyApproved => ErrorReason::DecisionAlreadyApproved.reason(),
            Self::ExceedsCeiling { .. } => ErrorReason::ExceedsDecisionCeiling.reason(),
            Self::ExceedsReleasable { .. } => ErrorReason::ExceedsReleasableAmount.reason(),
        }
    }

    fn values(&self) -> Values {
        match self {
            Self::Authority(error) => error.values(),
            Self::Money(error) => error.values(),
            Self::Citation(error) => error.values(),
            Self::NotProposed
            | Self::AlreadyProposed
            | Self::ActionDocumentRequired
            | Self::MinuteRequired
            | Self::SourceRequired
            | Self::NotApproved
            | Self::AlreadyApproved => Vec::new(),
            Self::WindowUnknown { window, fund } => vec![("window", Value::name(window)), ("fund", Value::name(fund))],
            Self::NotACommitteeMember { organisation, fund } => {
                vec![("organisation", Value::name(organisation)), ("fund", Value::name(fund))]
            }
            Self::OwnRequest { organisation } => vec![("organisation", Value::name(organisation))],
            Self::SamePerson { earlier_role } => vec![("earlier_role", role_names(&[earlier_role]))],
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
            Self::Unconfirmed { .. } => ErrorReason::ContractUnconfirmed.reason(),
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

    fn values(&self) -> Values {
        match self {
            Self::Authority(error) => error.values(),
            Self::Money(error) => error.values(),
            Self::Citation(error) => error.values(),
            Self::NotSigned | Self::AlreadySigned | Self::SigningDateRequired | Self::Closed | Self::ReasonRequired => {
                Vec::new()
            }
            Self::OtherFund { fund } => vec![("fund", Value::name(fund))],
            Self::DecisionNotApproved { decision } | Self::DecisionUnconfirmed { decision } => {
                vec![("decision", Value::name(decision))]
            }
            Self::Unconfirmed { contract } => vec![("contract", Value::name(contract))],
            Self::ContractingDeadlinePassed { fund, signed_on, deadline } => {
                vec![("fund", Value::name(fund)), day("signed_on", *signed_on), day("deadline", *deadline)]
            }
            Self::CostsAfterEndOfActivities { period_end, end_of_activities } => {
                vec![day("period_end", *period_end), day("end_of_activities", *end_of_activities)]
            }
            Self::ExceedsAmount { amount, available }
            | Self::ExceedsReleasable { amount, available }
            | Self::ExceedsOpenPrefinancing { amount, available }
            | Self::ExceedsRecoverable { amount, available } => beyond("amount", *amount, *available),
            Self::RecoveryOrderUnknown { order } | Self::RecoveryOrderExists { order } => {
                vec![("order", Value::name(order))]
            }
            Self::SamePersonTwice { earlier_role } => vec![("earlier_role", role_names(&[earlier_role]))],
            Self::Suspended { since } => vec![day("since", *since)],
            Self::PrefinancingNotCleared { amount } | Self::RecoveriesNotSettled { amount } => {
                vec![("amount", Value::amount(&amount.digits())), ("currency", Value::name(amount.currency()))]
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

    fn values(&self) -> Values {
        match self {
            Self::Authority(error) => error.values(),
            Self::Money(error) => error.values(),
            Self::NotRequested | Self::AlreadyRequested | Self::ReasonRequired => Vec::new(),
            Self::OutOfTurn { stage } => vec![("state", stage_name(*stage))],
            Self::SamePersonTwice { earlier_role } => vec![("earlier_role", role_names(&[earlier_role]))],
            Self::OwnRequest { organisation } => vec![("organisation", Value::name(organisation))],
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

    fn values(&self) -> Values {
        match self {
            Self::Mirror { version, source_stream } => {
                vec![("version", Value::name(version)), ("source", Value::name(source_stream))]
            }
            Self::Link => Vec::new(),
        }
    }
}

/// An amount that is too much, and what there is.
fn beyond(key: &'static str, amount: Money, available: Money) -> Values {
    let written = |money: Money| Value::amount(&money.digits());
    vec![(key, written(amount)), ("available", written(available)), ("currency", Value::name(amount.currency()))]
}

fn day(key: &'static str, day: Date) -> (&'static str, Value) {
    (key, Value::date(day))
}

/// By its name in the API, and by the words of the budget.
fn stage_name(stage: Stage) -> Value {
    let (code, english, french) = match stage {
        Stage::Unasked => ("UNSPECIFIED", "not requested", "non demandé"),
        Stage::Requested => ("REQUESTED", "requested", "demandé"),
        Stage::Initiated => ("INITIATED", "initiated", "engagé"),
        Stage::Verified => ("VERIFIED", "verified", "vérifié"),
        Stage::Authorised => ("AUTHORISED", "authorised", "ordonnancé"),
        Stage::Disbursed => ("DISBURSED", "disbursed", "décaissé"),
        Stage::Returned => ("RETURNED", "returned", "renvoyé"),
        Stage::Rejected => ("REJECTED", "rejected", "rejeté"),
    };
    Value::coded(code, (english, french))
}
