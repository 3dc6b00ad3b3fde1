//! What can be asked of a commitment, and how it answers.

use event_sourcing::{Act, Aggregate, Draft, LocalizedText, PartialDate, Recorded, StreamName};

use super::{
    events::{CommitmentEvent, Terms},
    state::{Closure, Commitment, CommitmentStatus, Report, ReportStatus},
};
use crate::domain::{
    mandate::{self, MandateError},
    plan_item::PlanItemReference,
};

/// What can be asked of it. What a command names in other streams was found there before; what their state must say
/// to the rules is in the command: `secretariat` is the organisation that keeps the framework's register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CommitmentCommand {
    /// Declares it.
    Declare(Terms),
    /// Confirms what was recorded from a source.
    Confirm,
    /// Enters it in the register.
    Register {
        /// Number in the register.
        reference: Option<String>,
        /// Who may.
        secretariat: String,
    },
    /// Says that it rests on one more agreement.
    LinkAgreement {
        /// The agreement.
        agreement: StreamName,
        /// Who may beside the owner.
        secretariat: String,
    },
    /// Notes progress.
    NoteProgress {
        /// What was done.
        text: LocalizedText,
    },
    /// Reports in a cycle.
    SubmitProgress {
        /// The cycle, as it stands.
        cycle: OpenCycle,
        /// What was done.
        text: LocalizedText,
    },
    /// Adds the act's sources to a report.
    AttachEvidence {
        /// The cycle of the report.
        cycle: StreamName,
    },
    /// Returns a report.
    ReturnProgress {
        /// The cycle of the report.
        cycle: StreamName,
    },
    /// Verifies a report.
    VerifyProgress {
        /// The cycle of the report.
        cycle: StreamName,
    },
    /// Sets a later date.
    ExtendDueDate {
        /// The new date.
        due_on: PartialDate,
    },
    /// Links it to another plan of its framework.
    Migrate {
        /// Code of the plan.
        plan: String,
        /// Code of the item; `None`: the plan as a whole.
        item: Option<String>,
        /// Who may beside the owner.
        secretariat: String,
    },
    /// Notes an incident.
    NoteIncident {
        /// What happened.
        text: LocalizedText,
    },
    /// Declares it kept.
    Fulfil,
    /// Declares it kept in part.
    PartlyFulfil {
        /// What was not done.
        outstanding: LocalizedText,
    },
    /// Withdraws it.
    Withdraw,
    /// Finds that it lapsed.
    Lapse {
        /// Who may.
        secretariat: String,
    },
}

/// A reporting cycle as a command finds it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenCycle {
    /// The cycle.
    pub name: StreamName,
    /// Its framework; `None`: reports are not taken, or there is no such cycle.
    pub framework: Option<StreamName>,
}

/// Why it refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitmentError {
    /// There is no such commitment.
    #[error("there is no such commitment")]
    NotFound,
    /// There is one already.
    #[error("there is such a commitment already")]
    AlreadyExists,
    /// The owner has not confirmed it.
    #[error("{owner} has not confirmed it")]
    Unconfirmed {
        /// The owner.
        owner: String,
    },
    /// It is not in the register.
    #[error("it is not in the register")]
    NotRegistered,
    /// It is closed.
    #[error("it is {}", status.as_str())]
    Closed {
        /// How.
        status: CommitmentStatus,
    },
    /// The cycle takes no reports.
    #[error("{cycle} is not open")]
    CycleNotOpen {
        /// The cycle.
        cycle: StreamName,
    },
    /// The cycle is another framework's.
    #[error("the cycle is of {cycle_framework}, not of {framework}")]
    CycleOfAnotherFramework {
        /// The cycle's.
        cycle_framework: StreamName,
        /// The commitment's.
        framework: StreamName,
    },
    /// The report in that cycle was not returned.
    #[error("the report in {cycle} stands")]
    ReportStands {
        /// The cycle.
        cycle: StreamName,
    },
    /// No report in that cycle awaits a verdict.
    #[error("no report in {cycle} awaits a verdict")]
    NoPendingReport {
        /// The cycle.
        cycle: StreamName,
    },
    /// No document proves it.
    #[error("no document proves it")]
    EvidenceMissing,
    /// The new date is not later.
    #[error("the date is {due_on} already")]
    DateNotLater {
        /// The date so far.
        due_on: PartialDate,
    },
    /// Its date has not passed.
    #[error("its date, if it has one, has not passed")]
    NotYetDue {
        /// The date; `None`: it has none.
        due_on: Option<PartialDate>,
    },
    /// Not an act that counts.
    #[error(transparent)]
    Mandate(#[from] MandateError),
}

impl Aggregate for Commitment {
    const CATEGORY: &'static str = "commitments";
    type Command = CommitmentCommand;
    type Event = CommitmentEvent;
    type Error = CommitmentError;

    fn decide(&self, command: &CommitmentCommand, act: &Act) -> Result<Vec<Draft<CommitmentEvent>>, CommitmentError> {
        let event = match (command, &self.declared) {
            (CommitmentCommand::Declare(terms), None) => {
                mandate::speaks_for(act, &terms.owner)?;
                Some(CommitmentEvent::Declared(terms.clone()))
            }
            (CommitmentCommand::Declare(_), Some(_)) => return Err(CommitmentError::AlreadyExists),
            (_, None) => return Err(CommitmentError::NotFound),
            (command, Some(declared)) => self.answer(command, &declared.event, act)?,
        };
        Ok(event.into_iter().map(|event| act.draft(event)).collect())
    }

    fn evolve(mut self, recorded: &Recorded<CommitmentEvent>) -> Self {
        self.apply(recorded);
        self
    }

    fn check(&self) -> Result<(), CommitmentError> {
        self.check_parties()
    }
}

type Answer = Result<Option<CommitmentEvent>, CommitmentError>;

impl Commitment {
    /// The event that a command brings to a declared commitment; `None`: it had its effect before.
    fn answer(&self, command: &CommitmentCommand, terms: &Terms, act: &Act) -> Answer {
        match command {
            CommitmentCommand::Declare(_) => Err(CommitmentError::AlreadyExists),
            CommitmentCommand::Confirm => {
                mandate::binds(act, &terms.owner)?;
                Ok((!self.confirmed).then_some(CommitmentEvent::Confirmed))
            }
            CommitmentCommand::Register { reference, secretariat } => {
                mandate::keeps_register(act, secretariat)?;
                self.still_open()?;
                let event = CommitmentEvent::Registered { reference: reference.clone() };
                Ok(self.registered.is_none().then_some(event))
            }
            CommitmentCommand::LinkAgreement { agreement, secretariat } => {
                mandate::speaks_for(act, &terms.owner).or_else(|_| mandate::keeps_register(act, secretariat))?;
                let event = CommitmentEvent::AgreementLinked { agreement: agreement.clone() };
                Ok((!terms.agreements.contains(agreement)).then_some(event))
            }
            CommitmentCommand::NoteProgress { text } => {
                mandate::speaks_for(act, &terms.owner)?;
                Ok(Some(CommitmentEvent::ProgressNoted { text: text.clone() }))
            }
            CommitmentCommand::SubmitProgress { cycle, text } => self.submit_progress(cycle, text, terms, act),
            CommitmentCommand::AttachEvidence { cycle } => self.attach_evidence(cycle, terms, act),
            CommitmentCommand::ReturnProgress { cycle } => {
                self.pending(cycle, terms, act)?;
                mandate::says_why(act)?;
                Ok(Some(CommitmentEvent::ProgressReturned { cycle: cycle.clone() }))
            }
            CommitmentCommand::VerifyProgress { cycle } => {
                if self.lacks_evidence(self.pending(cycle, terms, act)?) {
                    return Err(CommitmentError::EvidenceMissing);
                }
                Ok(Some(CommitmentEvent::ProgressVerified { cycle: cycle.clone() }))
            }
            CommitmentCommand::ExtendDueDate { due_on } => self.extend_due_date(*due_on, terms, act),
            CommitmentCommand::Migrate { plan, item, secretariat } => {
                mandate::binds(act, &terms.owner).or_else(|_| mandate::keeps_register(act, secretariat))?;
                self.still_open()?;
                let from = terms.answers.clone();
                let to = PlanItemReference { plan: plan.clone(), item: item.clone(), ..from.clone() };
                Ok((from != to).then_some(CommitmentEvent::Migrated { from, to }))
            }
            CommitmentCommand::NoteIncident { text } => {
                mandate::observes(act)?;
                Ok(Some(CommitmentEvent::IncidentNoted { text: text.clone() }))
            }
            CommitmentCommand::Fulfil => self.end(Closure::Fulfilled, terms, act),
            CommitmentCommand::PartlyFulfil { outstanding } => {
                self.end(Closure::PartlyFulfilled { outstanding: outstanding.clone() }, terms, act)
            }
            CommitmentCommand::Withdraw => {
                mandate::says_why(act)?;
                self.end(Closure::Withdrawn, terms, act)
            }
            CommitmentCommand::Lapse { secretariat } => self.lapse(secretariat, terms, act),
        }
    }

    fn submit_progress(&self, cycle: &OpenCycle, text: &LocalizedText, terms: &Terms, act: &Act) -> Answer {
        mandate::acts_for(act, &terms.owner)?;
        self.confirmed_by(&terms.owner)?;
        self.still_open()?;
        if self.registered.is_none() {
            return Err(CommitmentError::NotRegistered);
        }
        let name = cycle.name.clone();
        let Some(cycle_framework) = cycle.framework.clone() else {
            return Err(CommitmentError::CycleNotOpen { cycle: name });
        };
        if cycle_framework != terms.answers.framework {
            let framework = terms.answers.framework.clone();
            return Err(CommitmentError::CycleOfAnotherFramework { cycle_framework, framework });
        }
        match self.report(&name).map(Report::status) {
            None | Some(ReportStatus::Returned) => {
                Ok(Some(CommitmentEvent::ProgressSubmitted { cycle: name, text: text.clone() }))
            }
            Some(ReportStatus::Submitted | ReportStatus::Verified) => {
                Err(CommitmentError::ReportStands { cycle: name })
            }
        }
    }

    fn attach_evidence(&self, cycle: &StreamName, terms: &Terms, act: &Act) -> Answer {
        mandate::acts_for(act, &terms.owner)?;
        self.awaiting_verdict(cycle)?;
        if act.sources.is_empty() {
            return Err(CommitmentError::EvidenceMissing);
        }
        Ok(Some(CommitmentEvent::EvidenceAttached { cycle: cycle.clone() }))
    }

    fn extend_due_date(&self, due_on: PartialDate, terms: &Terms, act: &Act) -> Answer {
        mandate::acts_for(act, &terms.owner)?;
        self.still_open()?;
        match terms.due_on {
            Some(now) if now == due_on => Ok(None),
            Some(now) if now > due_on => Err(CommitmentError::DateNotLater { due_on: now }),
            _ => Ok(Some(CommitmentEvent::DueDateExtended { due_on })),
        }
    }

    /// The owner ends it. What it never confirmed it can take back, but not claim to have kept.
    fn end(&self, closure: Closure, terms: &Terms, act: &Act) -> Answer {
        mandate::binds(act, &terms.owner)?;
        if self.is_closed_as(&closure) {
            return Ok(None);
        }
        self.still_open()?;
        if closure != Closure::Withdrawn {
            self.confirmed_by(&terms.owner)?;
        }
        Ok(Some(closure.into()))
    }

    fn lapse(&self, secretariat: &str, terms: &Terms, act: &Act) -> Answer {
        mandate::keeps_register(act, secretariat)?;
        if self.is_closed_as(&Closure::Lapsed) {
            return Ok(None);
        }
        self.still_open()?;
        if terms.due_on.is_none_or(|due_on| act.today <= due_on.latest()) {
            return Err(CommitmentError::NotYetDue { due_on: terms.due_on });
        }
        Ok(Some(CommitmentEvent::Lapsed))
    }

    fn is_closed_as(&self, closure: &Closure) -> bool {
        self.closed.as_ref().is_some_and(|closed| closed.event == *closure)
    }

    /// The report that awaits the verdict of this act.
    fn pending(&self, cycle: &StreamName, terms: &Terms, act: &Act) -> Result<&Report, CommitmentError> {
        let report = self.awaiting_verdict(cycle)?;
        mandate::judges(act, &terms.owner, &report.submission.act.actor)?;
        Ok(report)
    }

    fn awaiting_verdict(&self, cycle: &StreamName) -> Result<&Report, CommitmentError> {
        let pending = self.report(cycle).filter(|report| report.status() == ReportStatus::Submitted);
        pending.ok_or_else(|| CommitmentError::NoPendingReport { cycle: cycle.clone() })
    }

    fn confirmed_by(&self, owner: &str) -> Result<(), CommitmentError> {
        if self.confirmed { Ok(()) } else { Err(CommitmentError::Unconfirmed { owner: owner.into() }) }
    }

    fn still_open(&self) -> Result<(), CommitmentError> {
        let status = self.status();
        if status.is_open() { Ok(()) } else { Err(CommitmentError::Closed { status }) }
    }
}
