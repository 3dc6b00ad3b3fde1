//! Counting commitments by where they stand.

use contracts::toguna::{
    commitments::v1::{CommitmentStatus, Confirmation},
    oversight::v1 as pb,
};

/// Counts one more commitment.
pub(super) fn count(tally: &mut pb::ScoreTally, commitment: &pb::ScoredCommitment) {
    let side = match commitment.confirmation() {
        Confirmation::Unconfirmed => &mut tally.unconfirmed,
        Confirmation::Confirmed | Confirmation::Unspecified => &mut tally.confirmed,
    };
    let counts = side.get_or_insert_default();
    counts.total += 1;
    counts.overdue += u32::from(commitment.overdue);
    counts.contested += u32::from(commitment.contested);
    let status = match commitment.status() {
        CommitmentStatus::Unspecified | CommitmentStatus::Proposed => &mut counts.proposed,
        CommitmentStatus::Endorsed => &mut counts.endorsed,
        CommitmentStatus::InProgress => &mut counts.in_progress,
        CommitmentStatus::Reported => &mut counts.reported,
        CommitmentStatus::Verified => &mut counts.verified,
        CommitmentStatus::Returned => &mut counts.returned,
        CommitmentStatus::Fulfilled => &mut counts.fulfilled,
        CommitmentStatus::PartlyFulfilled => &mut counts.partly_fulfilled,
        CommitmentStatus::Withdrawn => &mut counts.withdrawn,
        CommitmentStatus::Lapsed => &mut counts.lapsed,
    };
    *status += 1;
}

/// Nothing counted.
pub(super) fn none() -> pb::ScoreTally {
    let zero = Some(pb::StatusCounts::default());
    pb::ScoreTally { confirmed: zero, unconfirmed: zero, initiatives: 0 }
}
