//! What can be asked of a decision, and why it refuses.

use super::events::{Proposal, PublishedAmount};
use crate::domain::{
    authority::AuthorityError,
    fund::{Constitution, Seat},
    mirror::Lines,
    money::{Money, MoneyError},
    standing::{CitationError, Citations},
};

/// What can be asked of a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionCommand {
    /// To be put before the committee.
    Propose {
        /// What is proposed.
        proposal: Box<Proposal>,
        /// The fund, open.
        fund: Box<Constitution>,
        /// How what it cites stands.
        citations: Citations,
    },
    /// To be approved.
    Approve {
        /// The ceiling.
        amount: Money,
        /// The seat of the organisation that acts, on the day of the act.
        seat: Option<Seat>,
    },
    /// To have what was recorded from a source confirmed.
    Confirm {
        /// The seat of the organisation that acts.
        seat: Option<Seat>,
    },
    /// To have its ceiling raised.
    TopUp {
        /// By how much.
        amount: Money,
        /// The seat of the organisation that acts.
        seat: Option<Seat>,
    },
    /// To release what no contract draws on.
    Decommit {
        /// How much.
        amount: Money,
    },
    /// To know what the records of a contract draw now.
    MirrorDraws {
        /// The contract.
        contract: String,
        /// What its records draw.
        lines: Lines<Money>,
    },
    /// To note what a publication states.
    NotePublishedAmount(PublishedAmount),
}

/// Why a decision refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum DecisionError {
    /// Not this person, or not this organisation.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Not such an amount.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// It cannot rest on what it cites.
    #[error(transparent)]
    Citation(#[from] CitationError),
    /// It was never proposed.
    #[error("there is no such decision")]
    NotProposed,
    /// It was proposed before.
    #[error("the decision is there already")]
    AlreadyProposed,
    /// The fund has no such window.
    #[error("the fund has no window {window}")]
    WindowUnknown {
        /// The window.
        window: String,
        /// The fund.
        fund: String,
    },
    /// No action document is among the sources.
    #[error("an action document is needed")]
    ActionDocumentRequired,
    /// No committee minute is among the sources.
    #[error("a committee minute is needed")]
    MinuteRequired,
    /// No publication is among the sources.
    #[error("a source is needed")]
    SourceRequired,
    /// The organisation has no voting seat.
    #[error("{organisation} has no voting seat")]
    NotACommitteeMember {
        /// The organisation.
        organisation: String,
        /// The fund.
        fund: String,
    },
    /// The organisation would implement what it approves, or benefit from it.
    #[error("{organisation} does not approve its own request")]
    OwnRequest {
        /// The organisation.
        organisation: String,
    },
    /// The person who proposed it would approve it, or the one who entered its approval would confirm it.
    #[error("this person acted as {earlier_role}")]
    SamePerson {
        /// In which role it was proposed or entered.
        earlier_role: &'static str,
    },
    /// The committee has not approved it.
    #[error("the decision is not approved")]
    NotApproved,
    /// The committee approved it before.
    #[error("the decision is approved already")]
    AlreadyApproved,
    /// Contracts would draw more than it allows.
    #[error("a share of {share} exceeds what is left, {available}")]
    ExceedsCeiling {
        /// What would be drawn.
        share: Money,
        /// What is left.
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
}
