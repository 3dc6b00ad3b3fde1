//! A commitment, as the API shows it.

use std::collections::HashMap;

use contracts::toguna::commitments::{events::v1 as events, v1 as pb};
use event_store::{Date, LocalizedText, Recorded, StreamName, date_to_proto, provenance, source_to_proto};

use super::{confirmation, written};
use crate::{
    codec::value,
    domain::{AgreementStanding, Closure, Commitment, CommitmentStatus, Report, ReportStatus},
};

/// What is known of agreements, by their names. An agreement that a promise cites is known.
pub type Standings = HashMap<String, pb::CitedAgreement>;

/// A commitment. What is known of its agreements is added by [`cite`].
pub fn commitment(name: &StreamName, commitment: &Commitment) -> Option<pb::Commitment> {
    let declared = commitment.terms()?;
    let terms = &declared.event;
    let cited = |agreement: &StreamName| pb::CitedAgreement { agreement: agreement.to_string(), ..Default::default() };
    let outstanding = match commitment.closure().map(|closed| &closed.event) {
        Some(Closure::PartlyFulfilled { outstanding }) => written(outstanding),
        Some(Closure::Fulfilled | Closure::Withdrawn | Closure::Lapsed) | None => None,
    };
    let registered = commitment.registered().and_then(|registered| registered.event.clone());
    Some(pb::Commitment {
        name: name.to_string(),
        owner: terms.owner.clone(),
        answers: Some(value::reference_to_proto(&terms.answers)),
        answered_before: commitment.answered_before().iter().map(value::reference_to_proto).collect(),
        text: written(&terms.text),
        due_on: terms.due_on.map(date_to_proto),
        evidence_required: written(&terms.evidence_required),
        status: status(commitment.status()).into(),
        confirmation: confirmation(commitment.is_confirmed()).into(),
        register_reference: registered.unwrap_or_default(),
        agreements: terms.agreements.iter().map(cited).collect(),
        contestation: events::Contestation::Uncontested.into(),
        notes: commitment.notes().iter().map(note).collect(),
        reports: commitment.reports().iter().map(report).collect(),
        incidents: commitment.incidents().iter().map(incident).collect(),
        outstanding,
        provenance: Some(provenance(declared)),
    })
}

/// An agreement as a commitment cites it, on the evening of a day.
pub fn cited(agreement: &StreamName, known: &AgreementStanding, day: Date) -> pb::CitedAgreement {
    let (standing, since) = known.standing_on(day);
    pb::CitedAgreement {
        agreement: agreement.to_string(),
        standing: value::standing_to_proto(standing).into(),
        contestation: value::contestation_to_proto(known.contestation_on(day)).into(),
        since: since.map(|since| date_to_proto(since.into())),
    }
}

/// Says of each agreement what is known, and flags the promise where one of them is contested.
pub fn cite(commitment: &mut pb::Commitment, standings: &Standings) {
    for cited in &mut commitment.agreements {
        if let Some(known) = standings.get(&cited.agreement) {
            cited.clone_from(known);
        }
    }
    let contested = |cited: &pb::CitedAgreement| cited.contestation() == events::Contestation::Contested;
    if commitment.agreements.iter().any(contested) {
        commitment.set_contestation(events::Contestation::Contested);
    }
}

fn status(status: CommitmentStatus) -> pb::CommitmentStatus {
    match status {
        CommitmentStatus::Proposed => pb::CommitmentStatus::Proposed,
        CommitmentStatus::Endorsed => pb::CommitmentStatus::Endorsed,
        CommitmentStatus::InProgress => pb::CommitmentStatus::InProgress,
        CommitmentStatus::Reported => pb::CommitmentStatus::Reported,
        CommitmentStatus::Verified => pb::CommitmentStatus::Verified,
        CommitmentStatus::Returned => pb::CommitmentStatus::Returned,
        CommitmentStatus::Fulfilled => pb::CommitmentStatus::Fulfilled,
        CommitmentStatus::PartlyFulfilled => pb::CommitmentStatus::PartlyFulfilled,
        CommitmentStatus::Withdrawn => pb::CommitmentStatus::Withdrawn,
        CommitmentStatus::Lapsed => pb::CommitmentStatus::Lapsed,
    }
}

fn report_status(status: ReportStatus) -> pb::ReportStatus {
    match status {
        ReportStatus::Submitted => pb::ReportStatus::Submitted,
        ReportStatus::Returned => pb::ReportStatus::Returned,
        ReportStatus::Verified => pb::ReportStatus::Verified,
    }
}

fn note(recorded: &Recorded<LocalizedText>) -> pb::ProgressNote {
    pb::ProgressNote { text: written(&recorded.event), provenance: Some(provenance(recorded)) }
}

fn report(report: &Report) -> pb::ProgressReport {
    pb::ProgressReport {
        cycle: report.cycle.to_string(),
        text: written(&report.submission.event),
        status: report_status(report.status()).into(),
        evidence: report.evidence.iter().map(source_to_proto).collect(),
        submission: Some(provenance(&report.submission)),
        verdict: report.verdict.as_ref().map(provenance),
    }
}

fn incident(recorded: &Recorded<LocalizedText>) -> pb::Incident {
    pb::Incident { text: written(&recorded.event), provenance: Some(provenance(recorded)) }
}
