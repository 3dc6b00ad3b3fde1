//! What can be asked of a contract, and why it refuses.

use event_sourcing::Date;

use super::events::{Paid, RecoveryCause, Rider, Terms};
use crate::domain::{
    authority::AuthorityError,
    decision::Approval,
    fund::Constitution,
    mirror::Lines,
    money::{Money, MoneyError},
    standing::{CitationError, Citations},
};

/// What can be asked of a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContractCommand {
    /// To be signed.
    Sign {
        /// What is signed.
        terms: Box<Terms>,
        /// What it rests on.
        grounds: Box<Grounds>,
        /// How what it and its decision cite stands on the day of signature.
        citations: Citations,
    },
    /// To be changed.
    Ride {
        /// The changes.
        rider: Rider,
        /// What it rests on.
        grounds: Box<Grounds>,
    },
    /// To release what will not be spent.
    Decommit {
        /// How much.
        amount: Money,
    },
    /// To be suspended.
    Suspend,
    /// To go on.
    Resume,
    /// To be let through although agreements are suspended.
    Clear {
        /// The fund.
        fund: String,
        /// The partner who runs it.
        trustee: String,
        /// The agreements.
        agreements: Vec<String>,
    },
    /// To know what the records of a payment paid.
    MirrorPayment {
        /// The payment.
        payment: String,
        /// What its records paid.
        lines: Lines<Paid>,
    },
    /// To set accepted costs against pre-financing.
    ClearPrefinancing {
        /// How much of it.
        amount: Money,
    },
    /// To note costs that the fund does not pay.
    DeclareCostsIneligible {
        /// How much.
        amount: Money,
        /// The payment in whose request they stood.
        payment: Option<String>,
    },
    /// To ask money back.
    OrderRecovery {
        /// Reference of the order.
        order: String,
        /// Why.
        cause: RecoveryCause,
        /// How much.
        amount: Money,
    },
    /// To take in what came back.
    ReceiveRecovery {
        /// Reference of the order.
        order: String,
        /// How much.
        amount: Money,
    },
    /// To be closed.
    Close,
}

/// What a contract rests on: its fund and its decision, as they are when it is signed or changed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grounds {
    /// The fund, open.
    pub fund: Constitution,
    /// On whose word the decision stands; `None`: it is not approved.
    pub approval: Option<Approval>,
}

/// Why a contract refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContractError {
    /// Not this person, or not this organisation.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Not such an amount.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// It cannot rest on what it cites.
    #[error(transparent)]
    Citation(#[from] CitationError),
    /// It was never signed.
    #[error("there is no such contract")]
    NotSigned,
    /// It was signed before.
    #[error("the contract is there already")]
    AlreadySigned,
    /// It was cleared for another fund.
    #[error("it belongs to {fund}")]
    OtherFund {
        /// The fund it was cleared for.
        fund: String,
    },
    /// The committee has not approved the decision.
    #[error("the decision is not approved")]
    DecisionNotApproved {
        /// The decision.
        decision: String,
    },
    /// It is known from a publication only.
    #[error("the contract is not confirmed")]
    Unconfirmed {
        /// The contract.
        contract: String,
    },
    /// The approval is known from a publication only, and this is an own act.
    #[error("the approval of the decision is not confirmed")]
    DecisionUnconfirmed {
        /// The decision.
        decision: String,
    },
    /// Its date is not known.
    #[error("the date of signature is not known")]
    SigningDateRequired,
    /// It would be signed after the fund's last day for that.
    #[error("signed on {signed_on}, after {deadline}")]
    ContractingDeadlinePassed {
        /// The fund.
        fund: String,
        /// The last day that its date may mean.
        signed_on: Date,
        /// The fund's last day.
        deadline: Date,
    },
    /// Activities would run, or costs arise, after the end of the fund's activities.
    #[error("a period to {period_end} ends after {end_of_activities}")]
    CostsAfterEndOfActivities {
        /// Last day of the period.
        period_end: Date,
        /// Last day of the fund's activities.
        end_of_activities: Date,
    },
    /// More would be paid than its share allows.
    #[error("{amount} exceed what can be paid, {available}")]
    ExceedsAmount {
        /// The contract.
        amount: Money,
        /// What can be paid.
        available: Money,
    },
    /// More would be released than is free.
    #[error("{amount} exceed what is free, {available}")]
    ExceedsReleasable {
        /// What would be released.
        amount: Money,
        /// What is free.
        available: Money,
    },
    /// More would be cleared than is open.
    #[error("{amount} exceed the open pre-financing, {available}")]
    ExceedsOpenPrefinancing {
        /// What would be cleared.
        amount: Money,
        /// What is open.
        available: Money,
    },
    /// More would be recovered than was paid, or than was ordered.
    #[error("{amount} exceed what can be recovered, {available}")]
    ExceedsRecoverable {
        /// What would be recovered.
        amount: Money,
        /// What can be.
        available: Money,
    },
    /// There is no such recovery order.
    #[error("there is no recovery order {order}")]
    RecoveryOrderUnknown {
        /// Its reference.
        order: String,
    },
    /// There is a recovery order of that reference.
    #[error("the recovery order {order} is there already")]
    RecoveryOrderExists {
        /// Its reference.
        order: String,
    },
    /// The person acted before, in another role.
    #[error("this person acted as {earlier_role}")]
    SamePersonTwice {
        /// The other role.
        earlier_role: &'static str,
    },
    /// It is suspended.
    #[error("the contract is suspended since {since}")]
    Suspended {
        /// Since when.
        since: Date,
    },
    /// It is closed.
    #[error("the contract is closed")]
    Closed,
    /// An act that says why is needed.
    #[error("a reason is needed")]
    ReasonRequired,
    /// Pre-financing is open.
    #[error("pre-financing of {amount} is open")]
    PrefinancingNotCleared {
        /// How much.
        amount: Money,
    },
    /// Recoveries are open.
    #[error("recoveries of {amount} are open")]
    RecoveriesNotSettled {
        /// How much.
        amount: Money,
    },
}
