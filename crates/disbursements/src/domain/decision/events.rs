//! What happens to a decision.

use event_sourcing::LocalizedText;

use crate::domain::{mirror::RecordKey, money::Money};

/// What happens to a decision.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DecisionEvent {
    /// It was put before the committee.
    Proposed(Box<Proposal>),
    /// The committee approved it.
    Approved {
        /// Ceiling of the fund's share.
        amount: Money,
    },
    /// The committee confirmed what had only been recorded from a source.
    ApprovalConfirmed,
    /// The committee raised the ceiling.
    ToppedUp {
        /// By how much.
        amount: Money,
    },
    /// What no contract draws on was released.
    Decommitted {
        /// How much.
        amount: Money,
    },
    /// Mirror: by this much a record of a contract changes what the contract draws.
    DrawSet {
        /// The record.
        record: RecordKey,
        /// Drawn (positive) or given back (negative).
        amount: Money,
    },
    /// A publication states an amount in two currencies.
    PublishedAmountNoted(PublishedAmount),
}

/// What is put before the committee.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Proposal {
    /// The fund.
    pub fund: String,
    /// The partner who runs the fund.
    pub trustee: String,
    /// Published reference; may be empty.
    pub reference: String,
    /// Title of the action.
    pub title: LocalizedText,
    /// Code of the fund's window.
    pub window: String,
    /// Codes of the strategic objectives that it serves.
    pub strategic_objectives: Vec<String>,
    /// ISO 3166-1 alpha-2 codes of the countries it is for.
    pub country_codes: Vec<String>,
    /// What is asked for.
    pub amount: Money,
    /// Partners foreseen to implement it or to benefit from it themselves.
    pub implementers: Vec<String>,
    /// Agreements that it rests on.
    pub agreements: Vec<String>,
    /// Commitments that it serves.
    pub commitments: Vec<String>,
}

/// An amount in two currencies, as a publication states it: in no total.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PublishedAmount {
    /// What it is said to be the amount of.
    pub subject: String,
    /// In one currency.
    pub amount: Money,
    /// In the other, whether right or not.
    pub published_equivalent: Money,
}
