//! What a correction must leave as it is: what ties a record to others, and records that only mirror others.

use super::{
    contract::ContractEvent, contribution::ContributionEvent, decision::DecisionEvent, fund::FundEvent,
    payment::PaymentEvent,
};

/// An event that may be tied to other streams.
pub trait Linked {
    /// Funds, decisions, contracts, parties, currencies: what stands in other streams, or in later records of this one,
    /// because of this event.
    fn links(&self) -> Vec<&str>;
    /// The stream whose record it mirrors.
    fn mirrored(&self) -> Option<&str>;
}

impl Linked for FundEvent {
    fn links(&self) -> Vec<&str> {
        match self {
            Self::Established(constitution) => vec![&constitution.trustee, constitution.currency.as_str()],
            Self::DeadlinesAmended(_)
            | Self::SeatGiven { .. }
            | Self::SeatEnded { .. }
            | Self::CashMovementSet { .. }
            | Self::ContractSet { .. }
            | Self::Closed => Vec::new(),
        }
    }

    fn mirrored(&self) -> Option<&str> {
        match self {
            Self::CashMovementSet { source, .. } => Some(&source.stream),
            Self::ContractSet { contract, .. } => Some(contract),
            Self::Established(_)
            | Self::DeadlinesAmended(_)
            | Self::SeatGiven { .. }
            | Self::SeatEnded { .. }
            | Self::Closed => None,
        }
    }
}

impl Linked for ContributionEvent {
    fn links(&self) -> Vec<&str> {
        match self {
            Self::Pledged(pledge) => vec![&pledge.fund, &pledge.donor, pledge.amount.currency_code()],
            Self::Certified { .. } | Self::Received { .. } => Vec::new(),
        }
    }

    fn mirrored(&self) -> Option<&str> {
        None
    }
}

impl Linked for DecisionEvent {
    fn links(&self) -> Vec<&str> {
        match self {
            Self::Proposed(proposal) => {
                vec![&proposal.fund, &proposal.trustee, proposal.amount.currency_code()]
            }
            Self::Approved { .. }
            | Self::ApprovalConfirmed
            | Self::ToppedUp { .. }
            | Self::Decommitted { .. }
            | Self::DrawSet { .. }
            | Self::PublishedAmountNoted(_) => Vec::new(),
        }
    }

    fn mirrored(&self) -> Option<&str> {
        match self {
            Self::DrawSet { record, .. } => Some(&record.stream),
            Self::Proposed(_)
            | Self::Approved { .. }
            | Self::ApprovalConfirmed
            | Self::ToppedUp { .. }
            | Self::Decommitted { .. }
            | Self::PublishedAmountNoted(_) => None,
        }
    }
}

impl Linked for ContractEvent {
    fn links(&self) -> Vec<&str> {
        match self {
            Self::Signed(terms) => {
                let currency = terms.fund_share.currency_code();
                vec![&terms.fund, &terms.trustee, &terms.decision, &terms.implementer, currency]
            }
            Self::Cleared { fund, .. } => vec![fund],
            Self::RecoveryOrdered { order, .. } | Self::RecoveryReceived { order, .. } => vec![order],
            Self::SignatureConfirmed
            | Self::Ridered(_)
            | Self::Decommitted { .. }
            | Self::Suspended
            | Self::Resumed
            | Self::PaymentSet { .. }
            | Self::PrefinancingCleared { .. }
            | Self::CostsDeclaredIneligible { .. }
            | Self::Closed => Vec::new(),
        }
    }

    fn mirrored(&self) -> Option<&str> {
        match self {
            Self::PaymentSet { record, .. } => Some(&record.stream),
            Self::Signed(_)
            | Self::SignatureConfirmed
            | Self::Ridered(_)
            | Self::Decommitted { .. }
            | Self::Suspended
            | Self::Resumed
            | Self::Cleared { .. }
            | Self::PrefinancingCleared { .. }
            | Self::CostsDeclaredIneligible { .. }
            | Self::RecoveryOrdered { .. }
            | Self::RecoveryReceived { .. }
            | Self::Closed => None,
        }
    }
}

impl Linked for PaymentEvent {
    fn links(&self) -> Vec<&str> {
        match self {
            Self::Requested(request) => {
                let currency = request.amount.currency_code();
                vec![&request.fund, &request.trustee, &request.contract, &request.implementer, currency]
            }
            Self::Disbursed { fund, contract, .. } => vec![fund, contract],
            Self::Initiated | Self::Verified { .. } | Self::Authorised | Self::Returned | Self::Rejected => Vec::new(),
        }
    }

    fn mirrored(&self) -> Option<&str> {
        None
    }
}
