//! Initiatives: the projects and policies that carry commitments out.

use event_sourcing::{Act, Aggregate, Basis, Draft, LocalizedText, Period, Recorded, StreamName};

use super::{
    mandate::{self, MandateError},
    money::Money,
    plan_item::PlanItemReference,
};

/// What can have happened. Stored for ever: the message of the same words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InitiativeEvent {
    /// It was entered.
    Registered {
        /// Project or policy.
        kind: InitiativeType,
        /// Who is responsible.
        responsible: String,
        /// What it is.
        description: Description,
    },
    /// The responsible organisation confirmed what was recorded from a source.
    Confirmed,
    /// It is described anew.
    Revised {
        /// What it is.
        description: Description,
    },
    /// A budget line pays for it.
    BudgetLineRecorded(BudgetLine),
    /// Where it stands since the event's date.
    StatusRecorded {
        /// Where it stands.
        status: InitiativeStatus,
    },
    /// Something happened on the event's date.
    MilestoneRecorded {
        /// What happened.
        text: LocalizedText,
    },
    /// Another organisation verified the description.
    Verified,
    /// Another organisation returned the description.
    Returned,
}

/// What kind of undertaking it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InitiativeType {
    /// Limited in time, with means of its own.
    Project,
    /// A law, a strategy, a standing service or a facility.
    Policy,
}

/// Where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum InitiativeStatus {
    /// Not begun.
    Planned,
    /// Under way; of a policy: applied.
    Ongoing,
    /// Stopped for now.
    Suspended,
    /// Ended as foreseen.
    Completed,
    /// Ended before that.
    Cancelled,
}

/// What an initiative is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Description {
    /// What it is called.
    pub title: LocalizedText,
    /// What it does.
    pub summary: LocalizedText,
    /// The texts it rests on.
    pub legal_basis: Vec<LegalBasis>,
    /// ISO 3166-2 subdivisions or ISO 3166-1 countries.
    pub places: Vec<String>,
    /// For whom.
    pub target_groups: Vec<LocalizedText>,
    /// The plan items it serves.
    pub serves: Vec<PlanItemReference>,
    /// The commitments it carries out.
    pub commitments: Vec<StreamName>,
}

/// A text of law or regulation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LegalBasis {
    /// What it is called.
    pub title: LocalizedText,
    /// Its number as published.
    pub reference: String,
    /// The article; `None`: the whole text.
    pub article: Option<String>,
}

/// What pays for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BudgetLine {
    /// The line.
    pub line: String,
    /// How much, in the currency of the budget.
    pub amount: Money,
    /// For which days.
    pub period: Period,
    /// Who pays.
    pub funder: Option<String>,
}

/// Whether another organisation looked at the description.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Verification {
    /// Nobody yet, or not since it was described anew.
    #[default]
    Pending,
    /// It was verified: it may be published.
    Verified,
    /// It was returned.
    Returned,
}

/// An initiative.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Initiative {
    registered: Option<Recorded<(InitiativeType, String)>>,
    description: Option<Recorded<Description>>,
    confirmed: bool,
    verification: Verification,
    verdict: Option<Recorded<()>>,
    budget: Vec<Recorded<BudgetLine>>,
    statuses: Vec<Recorded<InitiativeStatus>>,
    milestones: Vec<Recorded<LocalizedText>>,
}

/// What can be asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InitiativeCommand {
    /// Enters it.
    Register {
        /// Project or policy.
        kind: InitiativeType,
        /// Who is responsible.
        responsible: String,
        /// What it is.
        description: Description,
    },
    /// Confirms what was recorded from a source.
    Confirm,
    /// Describes it anew.
    Revise {
        /// What it is.
        description: Description,
    },
    /// Records a budget line.
    RecordBudgetLine(BudgetLine),
    /// Records where it stands.
    RecordStatus {
        /// Where it stands.
        status: InitiativeStatus,
    },
    /// Records a milestone.
    RecordMilestone {
        /// What happened.
        text: LocalizedText,
    },
    /// Verifies the description.
    Verify,
    /// Returns the description.
    Return,
}

/// Why it refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum InitiativeError {
    /// There is no such initiative.
    #[error("there is no such initiative")]
    NotFound,
    /// There is one already.
    #[error("there is such an initiative already")]
    AlreadyExists,
    /// The responsible organisation has not confirmed it.
    #[error("{responsible} has not confirmed it")]
    Unconfirmed {
        /// Who is responsible.
        responsible: String,
    },
    /// Not an act that counts.
    #[error(transparent)]
    Mandate(#[from] MandateError),
}

impl Aggregate for Initiative {
    const CATEGORY: &'static str = "initiatives";
    type Command = InitiativeCommand;
    type Event = InitiativeEvent;
    type Error = InitiativeError;

    fn decide(&self, command: &InitiativeCommand, act: &Act) -> Result<Vec<Draft<InitiativeEvent>>, InitiativeError> {
        let event = match (command, &self.registered, &self.description) {
            (InitiativeCommand::Register { kind, responsible, description }, None, _) => {
                mandate::speaks_for(act, responsible)?;
                let (responsible, description) = (responsible.clone(), description.clone());
                Some(InitiativeEvent::Registered { kind: *kind, responsible, description })
            }
            (InitiativeCommand::Register { .. }, Some(_), _) => return Err(InitiativeError::AlreadyExists),
            (command, Some(registered), Some(description)) => {
                self.answer(command, &registered.event.1, description, act)?
            }
            (_, None, _) | (_, _, None) => return Err(InitiativeError::NotFound),
        };
        Ok(event.into_iter().map(|event| act.draft(event)).collect())
    }

    fn evolve(mut self, recorded: &Recorded<InitiativeEvent>) -> Self {
        match &recorded.event {
            InitiativeEvent::Registered { kind, responsible, description } => {
                self.confirmed = recorded.act.basis == Basis::Act;
                self.registered = Some(recorded.with((*kind, responsible.clone())));
                self.description = Some(recorded.with(description.clone()));
            }
            // What was corrected since is not what was confirmed, or verified.
            InitiativeEvent::Confirmed => self.confirmed |= recorded.version > self.published_since(),
            InitiativeEvent::Revised { description } => {
                // What others read of it is not the word of whoever is responsible.
                self.confirmed &= recorded.act.basis == Basis::Act;
                self.description = Some(recorded.with(description.clone()));
                self.verification = Verification::Pending;
                self.verdict = None;
            }
            InitiativeEvent::BudgetLineRecorded(line) => self.budget.push(recorded.with(line.clone())),
            InitiativeEvent::StatusRecorded { status } => insert_by_date(&mut self.statuses, recorded.with(*status)),
            InitiativeEvent::MilestoneRecorded { text } => {
                insert_by_date(&mut self.milestones, recorded.with(text.clone()));
            }
            InitiativeEvent::Verified => {
                if recorded.version > self.said_since() {
                    self.verification = Verification::Verified;
                }
                self.verdict = Some(recorded.with(()));
            }
            InitiativeEvent::Returned => {
                self.verification = Verification::Returned;
                self.verdict = Some(recorded.with(()));
            }
        }
        self
    }

    fn check(&self) -> Result<(), InitiativeError> {
        match (&self.registered, &self.verdict) {
            (Some(registered), Some(verdict)) if verdict.act.on_behalf_of == registered.event.1 => {
                Err(MandateError::VerifierIsReporter { owner: registered.event.1.clone() }.into())
            }
            _ => Ok(()),
        }
    }
}

impl Initiative {
    /// Version of the entry since which it is described as it is.
    fn said_since(&self) -> u64 {
        let registered = self.registered.as_ref().map_or(0, Recorded::said_since);
        self.description.as_ref().map_or(0, Recorded::said_since).max(registered)
    }

    /// The same of what is known from a source alone.
    fn published_since(&self) -> u64 {
        let registered = self.registered.as_ref().map(|it| (it.act.basis, it.said_since()));
        let described = self.description.as_ref().map(|it| (it.act.basis, it.said_since()));
        let published =
            registered.into_iter().chain(described).filter(|(basis, _)| *basis == Basis::RecordedFromSource);
        published.map(|(_, since)| since).max().unwrap_or_default()
    }

    /// The event that a command brings to a registered initiative; `None`: it had its effect before.
    fn answer(
        &self,
        command: &InitiativeCommand,
        responsible: &str,
        described: &Recorded<Description>,
        act: &Act,
    ) -> Result<Option<InitiativeEvent>, InitiativeError> {
        match command {
            InitiativeCommand::Register { .. } => return Err(InitiativeError::AlreadyExists),
            InitiativeCommand::Confirm => mandate::binds(act, responsible)?,
            InitiativeCommand::Verify | InitiativeCommand::Return => {
                mandate::judges(act, responsible, &described.act.actor)?;
                if !self.confirmed {
                    return Err(InitiativeError::Unconfirmed { responsible: responsible.into() });
                }
            }
            InitiativeCommand::Revise { .. }
            | InitiativeCommand::RecordBudgetLine(_)
            | InitiativeCommand::RecordStatus { .. }
            | InitiativeCommand::RecordMilestone { .. } => mandate::speaks_for(act, responsible)?,
        }
        Ok(match command.clone() {
            InitiativeCommand::Register { .. } => None,
            InitiativeCommand::Confirm => (!self.confirmed).then_some(InitiativeEvent::Confirmed),
            InitiativeCommand::Revise { description } => {
                (description != described.event).then_some(InitiativeEvent::Revised { description })
            }
            InitiativeCommand::RecordBudgetLine(line) => Some(InitiativeEvent::BudgetLineRecorded(line)),
            InitiativeCommand::RecordStatus { status } => Some(InitiativeEvent::StatusRecorded { status }),
            InitiativeCommand::RecordMilestone { text } => Some(InitiativeEvent::MilestoneRecorded { text }),
            InitiativeCommand::Verify => {
                (self.verification != Verification::Verified).then_some(InitiativeEvent::Verified)
            }
            InitiativeCommand::Return => {
                mandate::says_why(act)?;
                (self.verification != Verification::Returned).then_some(InitiativeEvent::Returned)
            }
        })
    }

    /// Project or policy, and who is responsible; `None`: there is no such initiative.
    pub fn registered(&self) -> Option<&Recorded<(InitiativeType, String)>> {
        self.registered.as_ref()
    }

    /// What it is, as last described.
    pub fn description(&self) -> Option<&Recorded<Description>> {
        self.description.as_ref()
    }

    /// Whether the responsible organisation itself stands behind it.
    pub fn is_confirmed(&self) -> bool {
        self.confirmed
    }

    /// Whether another organisation looked at it.
    pub fn verification(&self) -> Verification {
        self.verification
    }

    /// What pays for it.
    pub fn budget(&self) -> &[Recorded<BudgetLine>] {
        &self.budget
    }

    /// Where it stood since when, in order of date.
    pub fn statuses(&self) -> &[Recorded<InitiativeStatus>] {
        &self.statuses
    }

    /// Where it stands.
    pub fn status(&self) -> Option<InitiativeStatus> {
        self.statuses.last().map(|status| status.event)
    }

    /// What happened, in order of date.
    pub fn milestones(&self) -> &[Recorded<LocalizedText>] {
        &self.milestones
    }
}

/// Facts may be recorded in any order; of one date, the last recorded comes last.
fn insert_by_date<T>(facts: &mut Vec<Recorded<T>>, fact: Recorded<T>) {
    let place = facts.partition_point(|earlier| earlier.counts_from() <= fact.counts_from());
    facts.insert(place, fact);
}

#[cfg(test)]
mod tests;
