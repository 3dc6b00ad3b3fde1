//! What happens to a payment.

use event_sourcing::Date;

use crate::domain::{contract::PaymentKind, money::Money};

/// What happens to a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentEvent {
    /// The implementer asked; after a return, anew.
    Requested(Request),
    /// The second person opened the file.
    Initiated,
    /// The third person checked the request and the costs.
    Verified {
        /// How much of what was asked is due.
        accepted: Money,
    },
    /// The fourth person ordered the payment.
    Authorised,
    /// The fifth person paid.
    Disbursed {
        /// The fund.
        fund: String,
        /// The contract.
        contract: String,
        /// How much.
        amount: Money,
        /// Reference of the bank's statement; may be empty.
        reference: String,
    },
    /// The file went back to the implementer.
    Returned,
    /// The request was refused for good.
    Rejected,
}

/// What the implementer asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The fund.
    pub fund: String,
    /// The partner who runs the fund.
    pub trustee: String,
    /// The contract.
    pub contract: String,
    /// The partner who carries the contract out.
    pub implementer: String,
    /// What it is for.
    pub kind: PaymentKind,
    /// How much.
    pub amount: Money,
    /// First day of the time in which the costs arise or arose.
    pub first_day_of_costs: Date,
    /// Last day of it.
    pub last_day_of_costs: Date,
    /// Costs incurred under the contract so far; `None`: not reported.
    pub costs_incurred: Option<Money>,
}
