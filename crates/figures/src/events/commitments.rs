//! What was promised, what is done about it, and what was measured.

use contracts::toguna::commitments::events::v1 as pb;

use crate::event::{Complete, NotUnderstood, events};

events! {
    /// An event of the log `commitments` that counts.
    Commitment of "toguna.commitments.events.v1":
    counts {
        FrameworkRegistered, ActionPlanAdopted, ActionPlanProlonged, PlanItemAdded,
        CommitmentDeclared, CommitmentConfirmed, CommitmentRegistered, AgreementLinked, ProgressNoted,
        ProgressSubmitted, ProgressReturned, ProgressVerified, DueDateExtended, CommitmentMigrated, IncidentNoted,
        CommitmentFulfilled, CommitmentPartlyFulfilled, CommitmentWithdrawn, CommitmentLapsed,
        InitiativeRegistered, InitiativeConfirmed, InitiativeRevised, InitiativeStatusRecorded, InitiativeVerified,
        InitiativeReturned,
        IndicatorDefined, IndicatorTargetSet, IndicatorValueReported, IndicatorValueRestated,
    }
    counts_not {
        // What the log of partnerships says by itself.
        AgreementStandingRecorded,
        PlanItemLinked, PlanCountRecorded, PlanCostRecorded, ReferenceCountryDesignated,
        EvidenceAttached,
        BudgetLineRecorded, MilestoneRecorded,
        IndicatorRestatementProposed,
        ReportingCycleOpened, ReportingCycleClosed,
    }
}

impl Complete for Commitment {
    /// A value without its point could be attributed to nothing.
    fn complete(self) -> Result<Self, NotUnderstood> {
        let point = match &self {
            Self::IndicatorTargetSet(event) => &event.point,
            Self::IndicatorValueReported(event) => &event.point,
            _ => return Ok(self),
        };
        if point.is_some() { Ok(self) } else { Err(NotUnderstood::Missing("point")) }
    }
}
