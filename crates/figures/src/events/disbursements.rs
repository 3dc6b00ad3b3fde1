//! What a trust fund decides, contracts, pays and recovers. Mirrors between its streams never count.

use contracts::toguna::disbursements::events::v1 as pb;

use crate::event::{Complete, NotUnderstood, events};

events! {
    /// An event of the log `disbursements` that counts.
    Disbursement of "toguna.disbursements.events.v1":
    counts {
        DecisionProposed, DecisionApproved, DecisionApprovalConfirmed, DecisionToppedUp, DecisionDecommitted,
        ContractSigned, ContractSignatureConfirmed, ContractRidered, ContractDecommitted, ContractSuspended,
        ContractResumed, ContractClosed, RecoveryReceived,
        PaymentRequested, PaymentDisbursed,
    }
    counts_not {
        FundEstablished, FundDeadlinesAmended, CommitteeSeatGiven, CommitteeSeatEnded, FundClosed,
        ContributionPledged, ContributionCertified, ContributionReceived,
        PublishedAmountNoted,
        ContractCleared, PrefinancingCleared, CostsDeclaredIneligible, RecoveryOrdered,
        PaymentInitiated, PaymentVerified, PaymentAuthorised, PaymentReturned, PaymentRejected,
        AgreementStandingRecorded, CommitmentStandingRecorded,
        // Mirrors of records that count by themselves.
        CashMovementSet, FundContractSet, DecisionDrawSet, ContractPaymentSet,
    }
}

impl Complete for Disbursement {
    /// An event without its amount would be a hole in a sum.
    fn complete(self) -> Result<Self, NotUnderstood> {
        let amount = match &self {
            Self::DecisionApproved(event) => &event.amount,
            Self::DecisionToppedUp(event) => &event.amount,
            Self::DecisionDecommitted(event) => &event.amount,
            Self::ContractSigned(event) => &event.fund_share,
            Self::ContractDecommitted(event) => &event.amount,
            Self::RecoveryReceived(event) => &event.amount,
            Self::PaymentDisbursed(event) => &event.amount,
            Self::DecisionProposed(_)
            | Self::DecisionApprovalConfirmed(_)
            | Self::ContractSignatureConfirmed(_)
            | Self::ContractRidered(_)
            | Self::ContractSuspended(_)
            | Self::ContractResumed(_)
            | Self::ContractClosed(_)
            | Self::PaymentRequested(_) => return Ok(self),
        };
        if amount.is_some() { Ok(self) } else { Err(NotUnderstood::Missing("amount")) }
    }
}
