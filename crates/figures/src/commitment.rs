//! Where a commitment stands.

use std::collections::BTreeMap;

use contracts::toguna::{
    commitments::{
        events::v1::{CommitmentDeclared, PlanItemReference},
        v1::{CommitmentStatus, Confirmation},
    },
    r#type::v1::Date,
};

use crate::{
    agreement::Agreement,
    calendar,
    events::commitments::Commitment,
    evidence::Evidence,
    record::Seen,
    view::{LogView, View},
};

/// A commitment as of a day.
pub(crate) struct CommitmentState<'a> {
    pub name: &'a str,
    pub declared: &'a CommitmentDeclared,
    /// The plan item it answers, migrations counted.
    pub answers: Option<&'a PlanItemReference>,
    /// By when, extensions counted.
    pub due_on: Option<Date>,
    pub confirmation: Confirmation,
    pub agreements: Vec<&'a str>,
    pub incidents: u32,
    pub evidence: Evidence,
    registered: bool,
    noted: bool,
    closed: Option<CommitmentStatus>,
    /// By cycle.
    reports: BTreeMap<&'a str, Report>,
}

/// A report in a cycle.
struct Report {
    /// Version of the record by which it stands as it does.
    moved_at: u64,
    status: CommitmentStatus,
    /// Position since which it says what it says.
    said_since: u64,
}

impl<'a> CommitmentState<'a> {
    /// `None`: it was not declared as of that day.
    pub fn seen(log: LogView<'a, Commitment>, name: &'a str) -> Option<Self> {
        let declared = log.counted(name).find_map(|seen| match seen.fact() {
            Commitment::CommitmentDeclared(event) => Some((event, seen)),
            _ => None,
        });
        let (event, declaration) = declared?;
        let confirmations = log.known(name).filter(|seen| matches!(seen.fact(), Commitment::CommitmentConfirmed(_)));
        let mut confirmations = confirmations.map(|seen| seen.record.recorded.position);
        let confirmed =
            !declaration.is_from_source() || confirmations.any(|confirmed| confirmed > declaration.said_since());
        let mut state = Self {
            name,
            declared: event,
            answers: event.answers.as_ref(),
            due_on: event.due_on,
            confirmation: if confirmed { Confirmation::Confirmed } else { Confirmation::Unconfirmed },
            agreements: event.agreements.iter().map(String::as_str).collect(),
            incidents: 0,
            evidence: Evidence::default(),
            registered: false,
            noted: false,
            closed: None,
            reports: BTreeMap::new(),
        };
        for seen in log.counted(name) {
            state.evidence.add(seen, confirmed);
            state.apply(seen);
        }
        Some(state)
    }

    fn apply(&mut self, seen: Seen<'a, Commitment>) {
        let version = seen.record.version;
        match seen.fact() {
            Commitment::CommitmentRegistered(_) => self.registered = true,
            Commitment::AgreementLinked(event) => self.agreements.push(&event.agreement),
            Commitment::ProgressNoted(_) => self.noted = true,
            Commitment::ProgressSubmitted(event) => {
                let (status, said_since) = (CommitmentStatus::Reported, seen.said_since());
                self.reports.insert(&event.cycle, Report { moved_at: version, status, said_since });
            }
            Commitment::ProgressReturned(event) => self.judge(&event.cycle, seen, CommitmentStatus::Returned),
            Commitment::ProgressVerified(event) => self.judge(&event.cycle, seen, CommitmentStatus::Verified),
            Commitment::DueDateExtended(event) => self.due_on = event.due_on,
            Commitment::CommitmentMigrated(event) => self.answers = event.to.as_ref(),
            Commitment::IncidentNoted(_) => self.incidents += 1,
            Commitment::CommitmentFulfilled(_) => self.closed = Some(CommitmentStatus::Fulfilled),
            Commitment::CommitmentPartlyFulfilled(_) => self.closed = Some(CommitmentStatus::PartlyFulfilled),
            Commitment::CommitmentWithdrawn(_) => self.closed = Some(CommitmentStatus::Withdrawn),
            Commitment::CommitmentLapsed(_) => self.closed = Some(CommitmentStatus::Lapsed),
            _ => {}
        }
    }

    /// A report that was corrected since awaits a verdict again.
    fn judge(&mut self, cycle: &str, seen: Seen<'a, Commitment>, status: CommitmentStatus) {
        let judged = |report: &&mut Report| seen.record.recorded.position > report.said_since;
        if let Some(report) = self.reports.get_mut(cycle).filter(judged) {
            (report.moved_at, report.status) = (seen.record.version, status);
        }
    }

    pub fn status(&self) -> CommitmentStatus {
        let reported = self.reports.values().max_by_key(|report| report.moved_at).map(|report| report.status);
        match (self.closed, reported) {
            (Some(closed), _) => closed,
            (None, _) if !self.registered => CommitmentStatus::Proposed,
            (None, Some(reported)) => reported,
            (None, None) if self.noted => CommitmentStatus::InProgress,
            (None, None) => CommitmentStatus::Endorsed,
        }
    }

    /// Whether its date, or the last day that it may mean, has passed and it is still open.
    pub fn is_overdue(&self, as_of: jiff::civil::Date) -> bool {
        let due = self.due_on.and_then(calendar::last_day);
        self.closed.is_none() && due.is_some_and(|due| due < as_of)
    }

    /// Whether an agreement that it rests on is contested.
    pub fn is_contested(&self, view: &View<'a>) -> bool {
        self.agreements.iter().any(|agreement| Agreement::seen(view.partnerships, agreement).is_contested())
    }
}
