//! What happens to a contract.

use event_sourcing::{LocalizedText, Period};

use crate::domain::{
    mirror::{Movement, RecordKey},
    money::Money,
};

/// What happens to a contract.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContractEvent {
    /// It was signed, on the date of the last signature.
    Signed(Box<Terms>),
    /// The contracting authority signed what had only been recorded from a source.
    SignatureConfirmed,
    /// A rider changed it.
    Ridered(Rider),
    /// What will not be spent was released.
    Decommitted {
        /// How much.
        amount: Money,
    },
    /// It was suspended, alone.
    Suspended,
    /// Its suspension ended.
    Resumed,
    /// It may be signed and paid although agreements that it cites are suspended.
    Cleared {
        /// The fund.
        fund: String,
        /// The agreements.
        agreements: Vec<String>,
    },
    /// Mirror: so much was paid by a record of a payment.
    PaymentSet {
        /// The record.
        record: RecordKey,
        /// What it paid.
        paid: Paid,
    },
    /// Accepted costs were set against pre-financing.
    PrefinancingCleared {
        /// How much of it.
        amount: Money,
    },
    /// Costs were found not to be payable by the fund.
    CostsDeclaredIneligible {
        /// How much.
        amount: Money,
        /// The payment in whose request they stood.
        payment: Option<String>,
    },
    /// Money was asked back.
    RecoveryOrdered {
        /// Reference of the order, unique in the contract.
        order: String,
        /// Why.
        cause: RecoveryCause,
        /// How much.
        amount: Money,
    },
    /// Money came back.
    RecoveryReceived {
        /// Reference of the order.
        order: String,
        /// How much.
        amount: Money,
    },
    /// It closed.
    Closed,
}

/// What was signed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Terms {
    /// The fund.
    pub fund: String,
    /// The partner who runs the fund and signs for it.
    pub trustee: String,
    /// The decision it draws on.
    pub decision: String,
    /// Published reference; may be empty.
    pub reference: String,
    /// Title.
    pub title: LocalizedText,
    /// The partner who carries it out.
    pub implementer: String,
    /// What the fund pays at most.
    pub fund_share: Money,
    /// What others pay beside it.
    pub cofinancing: Vec<Cofinancing>,
    /// When the activities run.
    pub period: Period,
    /// Agreements that it rests on.
    pub agreements: Vec<String>,
    /// Commitments that it serves.
    pub commitments: Vec<String>,
    /// Codes of the partner country's own programme lines that it serves.
    pub programme_lines: Vec<String>,
}

/// A share that the fund does not pay.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cofinancing {
    /// Who pays it; `None`: the source names nobody.
    pub financier: Option<String>,
    /// How much, in whatever currency it was promised.
    pub amount: Money,
}

/// What a rider changes.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Rider {
    /// By how much the fund's share rises or falls.
    pub fund_share_change: Option<Money>,
    /// The co-financing from here on.
    pub cofinancing: Option<Vec<Cofinancing>>,
    /// When the activities run from here on.
    pub period: Option<Period>,
}

/// What a payment is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PaymentKind {
    /// Before the costs arise; the fund's property until cleared.
    PreFinancing,
    /// For costs incurred so far.
    Interim,
    /// For what remains due at the end.
    Balance,
}

/// What was paid, and for what.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Paid {
    /// For what.
    pub kind: PaymentKind,
    /// How much.
    pub amount: Money,
}

/// Why money is asked back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecoveryCause {
    /// Pre-financing that was not spent.
    UnspentPrefinancing,
    /// Costs that turned out not to be payable.
    IneligibleCosts,
}

impl Movement for Paid {
    fn amount(self) -> Money {
        self.amount
    }

    fn cancelled(self) -> Self {
        Self { amount: self.amount.cancelled(), ..self }
    }
}
