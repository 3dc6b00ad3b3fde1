//! What a commitment's events make of it.

use event_sourcing::{Basis, LocalizedText, Recorded, Source, StreamName};

use super::{
    commands::CommitmentError,
    events::{CommitmentEvent, Terms},
};
use crate::domain::{mandate::MandateError, plan_item::PlanItemReference};

/// A commitment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Commitment {
    pub(super) declared: Option<Recorded<Terms>>,
    pub(super) confirmed: bool,
    pub(super) registered: Option<Recorded<Option<String>>>,
    pub(super) answered_before: Vec<PlanItemReference>,
    pub(super) notes: Vec<Recorded<LocalizedText>>,
    pub(super) reports: Vec<Report>,
    pub(super) incidents: Vec<Recorded<LocalizedText>>,
    pub(super) closed: Option<Recorded<Closure>>,
}

/// A report in a cycle.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// The cycle.
    pub cycle: StreamName,
    /// What was done, as last submitted, and who says so.
    pub submission: Recorded<LocalizedText>,
    /// The documents that prove it.
    pub evidence: Vec<Source>,
    /// What another organisation said of it.
    pub verdict: Option<Recorded<Verdict>>,
}

/// What another organisation says of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verdict {
    /// Something is missing.
    Returned,
    /// It is so.
    Verified,
}

/// Where a report stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ReportStatus {
    /// It awaits a verdict.
    Submitted,
    /// It was returned.
    Returned,
    /// It was verified.
    Verified,
}

/// How a commitment ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Closure {
    /// Kept.
    Fulfilled,
    /// Kept in part.
    PartlyFulfilled {
        /// What was not done.
        outstanding: LocalizedText,
    },
    /// Taken back.
    Withdrawn,
    /// Its date passed.
    Lapsed,
}

/// Where a commitment stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum CommitmentStatus {
    /// Declared, not in the register.
    Proposed,
    /// In the register, nothing reported.
    Endorsed,
    /// In the register, progress noted.
    InProgress,
    /// The last report awaits a verdict.
    Reported,
    /// The last report was verified.
    Verified,
    /// The last report was returned.
    Returned,
    /// Kept.
    Fulfilled,
    /// Kept in part and closed.
    PartlyFulfilled,
    /// Withdrawn.
    Withdrawn,
    /// Lapsed.
    Lapsed,
}

impl CommitmentStatus {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Proposed => "proposed",
            Self::Endorsed => "endorsed",
            Self::InProgress => "in progress",
            Self::Reported => "reported",
            Self::Verified => "verified",
            Self::Returned => "returned",
            Self::Fulfilled => "fulfilled",
            Self::PartlyFulfilled => "partly fulfilled",
            Self::Withdrawn => "withdrawn",
            Self::Lapsed => "lapsed",
        }
    }

    /// Whether something may still be done about it.
    pub fn is_open(self) -> bool {
        match self {
            Self::Proposed | Self::Endorsed | Self::InProgress | Self::Reported | Self::Verified | Self::Returned => {
                true
            }
            Self::Fulfilled | Self::PartlyFulfilled | Self::Withdrawn | Self::Lapsed => false,
        }
    }
}

impl From<Closure> for CommitmentEvent {
    fn from(closure: Closure) -> Self {
        match closure {
            Closure::Fulfilled => Self::Fulfilled,
            Closure::PartlyFulfilled { outstanding } => Self::PartlyFulfilled { outstanding },
            Closure::Withdrawn => Self::Withdrawn,
            Closure::Lapsed => Self::Lapsed,
        }
    }
}

impl Report {
    /// Where it stands.
    pub fn status(&self) -> ReportStatus {
        match self.verdict.as_ref().map(|verdict| verdict.event) {
            None => ReportStatus::Submitted,
            Some(Verdict::Returned) => ReportStatus::Returned,
            Some(Verdict::Verified) => ReportStatus::Verified,
        }
    }

    /// Version of the last record that changed where it stands.
    fn moved_at(&self) -> u64 {
        self.verdict.as_ref().map_or(self.submission.version, |verdict| verdict.version)
    }
}

impl Commitment {
    /// What was promised, migrations and extensions counted; `None`: there is no such commitment.
    pub fn terms(&self) -> Option<&Recorded<Terms>> {
        self.declared.as_ref()
    }

    /// Whether the owner itself stands behind it.
    pub fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// Its entry in the register, with the number there.
    pub fn registered(&self) -> Option<&Recorded<Option<String>>> {
        self.registered.as_ref()
    }

    /// What it answered before it was migrated, oldest first.
    pub fn answered_before(&self) -> &[PlanItemReference] {
        &self.answered_before
    }

    /// Progress noted outside cycles.
    pub fn notes(&self) -> &[Recorded<LocalizedText>] {
        &self.notes
    }

    /// One report a cycle.
    pub fn reports(&self) -> &[Report] {
        &self.reports
    }

    /// Refusals and obstacles.
    pub fn incidents(&self) -> &[Recorded<LocalizedText>] {
        &self.incidents
    }

    /// How it ended.
    pub fn closure(&self) -> Option<&Recorded<Closure>> {
        self.closed.as_ref()
    }

    /// Where it stands.
    pub fn status(&self) -> CommitmentStatus {
        if let Some(closed) = &self.closed {
            return match closed.event {
                Closure::Fulfilled => CommitmentStatus::Fulfilled,
                Closure::PartlyFulfilled { .. } => CommitmentStatus::PartlyFulfilled,
                Closure::Withdrawn => CommitmentStatus::Withdrawn,
                Closure::Lapsed => CommitmentStatus::Lapsed,
            };
        }
        if self.registered.is_none() {
            return CommitmentStatus::Proposed;
        }
        match self.reports.iter().max_by_key(|report| report.moved_at()).map(Report::status) {
            Some(ReportStatus::Submitted) => CommitmentStatus::Reported,
            Some(ReportStatus::Returned) => CommitmentStatus::Returned,
            Some(ReportStatus::Verified) => CommitmentStatus::Verified,
            None if self.notes.is_empty() => CommitmentStatus::Endorsed,
            None => CommitmentStatus::InProgress,
        }
    }

    /// The report in a cycle.
    pub fn report(&self, cycle: &StreamName) -> Option<&Report> {
        self.reports.iter().find(|report| report.cycle == *cycle)
    }

    fn report_mut(&mut self, cycle: &StreamName) -> Option<&mut Report> {
        self.reports.iter_mut().find(|report| report.cycle == *cycle)
    }

    pub(super) fn apply(&mut self, recorded: &Recorded<CommitmentEvent>) {
        match &recorded.event {
            CommitmentEvent::Declared(terms) => {
                self.confirmed = recorded.act.basis == Basis::Act;
                self.declared = Some(recorded.with(terms.clone()));
            }
            // What was corrected since is not what the owner confirmed.
            CommitmentEvent::Confirmed => {
                let said_since = self.declared.as_ref().map_or(0, Recorded::said_since);
                self.confirmed |= recorded.version > said_since;
            }
            CommitmentEvent::Registered { reference } => self.registered = Some(recorded.with(reference.clone())),
            CommitmentEvent::AgreementLinked { agreement } => {
                self.change_terms(|terms| terms.agreements.push(agreement.clone()));
            }
            CommitmentEvent::ProgressNoted { text } => self.notes.push(recorded.with(text.clone())),
            CommitmentEvent::ProgressSubmitted { cycle, text } => self.submit(recorded, cycle, text),
            CommitmentEvent::EvidenceAttached { cycle } => {
                if let Some(report) = self.report_mut(cycle) {
                    report.evidence.extend(recorded.act.sources.iter().cloned());
                }
            }
            CommitmentEvent::ProgressReturned { cycle } => self.judge(recorded, cycle, Verdict::Returned),
            CommitmentEvent::ProgressVerified { cycle } => self.judge(recorded, cycle, Verdict::Verified),
            CommitmentEvent::DueDateExtended { due_on } => self.change_terms(|terms| terms.due_on = Some(*due_on)),
            CommitmentEvent::Migrated { from, to } => {
                self.answered_before.push(from.clone());
                self.change_terms(|terms| terms.answers = to.clone());
            }
            CommitmentEvent::IncidentNoted { text } => self.incidents.push(recorded.with(text.clone())),
            CommitmentEvent::Fulfilled => self.closed = Some(recorded.with(Closure::Fulfilled)),
            CommitmentEvent::PartlyFulfilled { outstanding } => {
                self.closed = Some(recorded.with(Closure::PartlyFulfilled { outstanding: outstanding.clone() }));
            }
            CommitmentEvent::Withdrawn => self.closed = Some(recorded.with(Closure::Withdrawn)),
            CommitmentEvent::Lapsed => self.closed = Some(recorded.with(Closure::Lapsed)),
        }
    }

    fn change_terms(&mut self, change: impl FnOnce(&mut Terms)) {
        if let Some(declared) = &mut self.declared {
            change(&mut declared.event);
        }
    }

    /// A report that was returned is replaced by the next one; its history stays in the log.
    fn submit(&mut self, recorded: &Recorded<CommitmentEvent>, cycle: &StreamName, text: &LocalizedText) {
        self.reports.retain(|report| report.cycle != *cycle);
        self.reports.push(Report {
            cycle: cycle.clone(),
            submission: recorded.with(text.clone()),
            evidence: recorded.act.sources.clone(),
            verdict: None,
        });
    }

    fn judge(&mut self, recorded: &Recorded<CommitmentEvent>, cycle: &StreamName, verdict: Verdict) {
        // What was corrected since is not what was judged: it awaits a verdict again.
        let judged = |report: &&mut Report| recorded.version > report.submission.said_since();
        if let Some(report) = self.report_mut(cycle).filter(judged) {
            report.verdict = Some(recorded.with(verdict));
        }
    }

    /// What a correction may not bring about: the owner verifies itself, or somebody else kept its promise.
    pub(super) fn check_parties(&self) -> Result<(), CommitmentError> {
        let Some(declared) = &self.declared else { return Ok(()) };
        let owner = &declared.event.owner;
        for report in &self.reports {
            let judged_by_owner = report.verdict.as_ref().is_some_and(|verdict| verdict.act.on_behalf_of == *owner);
            if judged_by_owner {
                return Err(MandateError::VerifierIsReporter { owner: owner.clone() }.into());
            }
            if report.submission.act.on_behalf_of != *owner {
                return Err(MandateError::NotTheOwner { owner: owner.clone() }.into());
            }
            if report.status() == ReportStatus::Verified && self.lacks_evidence(report) {
                return Err(CommitmentError::EvidenceMissing);
            }
        }
        match &self.closed {
            Some(closed) if closed.event != Closure::Lapsed && closed.act.on_behalf_of != *owner => {
                Err(MandateError::NotTheOwner { owner: owner.clone() }.into())
            }
            _ => Ok(()),
        }
    }

    /// Evidence is required and no document was given.
    pub(super) fn lacks_evidence(&self, report: &Report) -> bool {
        let required = self.declared.as_ref().is_some_and(|declared| !declared.event.evidence_required.is_empty());
        required && report.evidence.is_empty()
    }
}
