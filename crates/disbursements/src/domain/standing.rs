//! What other services' logs say of agreements and commitments, as entered into this log by reactions, and what it
//! means for a decision or a contract that cites them.

use std::{
    collections::{BTreeMap, BTreeSet},
    convert::Infallible,
    marker::PhantomData,
};

use event_sourcing::{Act, Aggregate, Date, Draft, PartialDate, Recorded, StreamName};

use super::condition::{Change, Condition, Timeline};

/// What a record can say of the standing of something.
pub trait Fact: Copy + Send + Sync + 'static {
    /// Category of the streams that keep such standings.
    const CATEGORY: &'static str;
    /// What changes by it.
    fn change(self) -> Option<Change>;
}

/// What a record says of an agreement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AgreementFact {
    /// It is in the register, at whatever stage.
    Registered,
    /// Its operation is suspended.
    Suspended,
    /// It operates again.
    Resumed,
    /// It has ended.
    Terminated,
}

/// What a record says of a commitment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CommitmentFact {
    /// It is in the register, at whatever stage.
    Registered,
    /// Its owner kept it.
    Fulfilled,
    /// Its owner took it back.
    Withdrawn,
}

/// A record of another service's log says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingRecorded<F> {
    /// What it is about: `agreements/…` or `commitments/…`.
    pub subject: StreamName,
    /// Version of the record in the subject's stream.
    pub version: u64,
    /// What it says.
    pub fact: F,
}

/// All that is known of the standing of one subject, by version of the record that says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Standing<F> {
    dates: BTreeMap<u64, Option<PartialDate>>,
    timeline: Timeline,
    of: PhantomData<F>,
}

/// What is known of an agreement.
pub type AgreementStanding = Standing<AgreementFact>;
/// What is known of a commitment.
pub type CommitmentStanding = Standing<CommitmentFact>;

/// An agreement or a commitment that a decision or a contract cites, as it stands on the day of an act.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Citation {
    /// Its name.
    pub subject: String,
    /// How it stands; `None`: it is not in the register.
    pub condition: Option<Condition>,
}

/// All that a decision or a contract cites.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Citations {
    /// Agreements.
    pub agreements: Vec<Citation>,
    /// Commitments.
    pub commitments: Vec<Citation>,
}

/// Why something cannot rest on what it cites.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CitationError {
    /// The agreement is not in the register.
    #[error("{agreement} is not in the register")]
    AgreementUnknown {
        /// The agreement.
        agreement: String,
    },
    /// The agreement has ended.
    #[error("{agreement} ended on {since}")]
    AgreementTerminated {
        /// The agreement.
        agreement: String,
        /// When.
        since: Date,
    },
    /// The agreement is suspended.
    #[error("{agreement} is suspended since {since}")]
    AgreementSuspended {
        /// The agreement.
        agreement: String,
        /// Since when.
        since: Date,
    },
    /// The commitment is not in the register.
    #[error("{commitment} is not in the register")]
    CommitmentUnknown {
        /// The commitment.
        commitment: String,
    },
    /// The commitment was taken back.
    #[error("{commitment} was withdrawn on {since}")]
    CommitmentWithdrawn {
        /// The commitment.
        commitment: String,
        /// When.
        since: Date,
    },
}

impl Citations {
    /// Whether a new decision can rest on them: known, and not ended.
    pub fn check_for_decision(&self) -> Result<(), CitationError> {
        for citation in &self.agreements {
            let agreement = citation.subject.clone();
            match citation.condition {
                None => return Err(CitationError::AgreementUnknown { agreement }),
                Some(Condition::Ended { since }) => {
                    return Err(CitationError::AgreementTerminated { agreement, since });
                }
                Some(Condition::Operating | Condition::Suspended { .. }) => {}
            }
        }
        for citation in &self.commitments {
            let commitment = citation.subject.clone();
            match citation.condition {
                None => return Err(CitationError::CommitmentUnknown { commitment }),
                Some(Condition::Ended { since }) => {
                    return Err(CitationError::CommitmentWithdrawn { commitment, since });
                }
                Some(Condition::Operating | Condition::Suspended { .. }) => {}
            }
        }
        Ok(())
    }

    /// Whether a new contract can rest on them: not suspended either, unless it was cleared.
    pub fn check_for_contract(&self, cleared: &BTreeSet<String>) -> Result<(), CitationError> {
        self.check_for_decision()?;
        self.hold(cleared, None)
    }

    /// Whether costs of a time up to that day can be paid: an agreement that was suspended, or ended, holds what came
    /// after. Commitments hold no payment.
    pub fn check_for_costs(&self, cleared: &BTreeSet<String>, last_day: Date) -> Result<(), CitationError> {
        self.hold(cleared, Some(last_day))
    }

    fn hold(&self, cleared: &BTreeSet<String>, last_day: Option<Date>) -> Result<(), CitationError> {
        let after = |since: Date| last_day.is_none_or(|day| day >= since);
        for citation in &self.agreements {
            let agreement = citation.subject.clone();
            match citation.condition {
                Some(Condition::Suspended { since }) if after(since) && !cleared.contains(&agreement) => {
                    return Err(CitationError::AgreementSuspended { agreement, since });
                }
                Some(Condition::Ended { since }) if after(since) => {
                    return Err(CitationError::AgreementTerminated { agreement, since });
                }
                None | Some(_) => {}
            }
        }
        Ok(())
    }
}

impl Fact for AgreementFact {
    const CATEGORY: &'static str = "agreement-standings";

    fn change(self) -> Option<Change> {
        match self {
            Self::Registered => None,
            Self::Suspended => Some(Change::Suspended),
            Self::Resumed => Some(Change::Resumed),
            Self::Terminated => Some(Change::Ended),
        }
    }
}

impl Fact for CommitmentFact {
    const CATEGORY: &'static str = "commitment-standings";

    fn change(self) -> Option<Change> {
        match self {
            Self::Registered | Self::Fulfilled => None,
            Self::Withdrawn => Some(Change::Ended),
        }
    }
}

impl<F: Fact> Standing<F> {
    /// The stream that keeps the standing of a subject.
    pub fn stream_of(subject: &StreamName) -> StreamName {
        StreamName::new(F::CATEGORY, subject.id()).expect("an id of one category is one of another")
    }

    /// How the subject stands on a day; `None`: it is not in the register.
    pub fn on(&self, day: Date) -> Option<Condition> {
        (!self.dates.is_empty()).then(|| self.timeline.on(day))
    }

    /// The date of what a record of the subject says, where the record is known.
    pub fn date_of(&self, version: u64) -> Option<Option<PartialDate>> {
        self.dates.get(&version).copied()
    }
}

impl<F> Default for Standing<F> {
    fn default() -> Self {
        Self { dates: BTreeMap::new(), timeline: Timeline::default(), of: PhantomData }
    }
}

impl<F: Fact> Aggregate for Standing<F> {
    const CATEGORY: &'static str = F::CATEGORY;
    type Command = Draft<StandingRecorded<F>>;
    type Event = StandingRecorded<F>;
    type Error = Infallible;

    /// What another log says is never refused.
    fn decide(&self, command: &Self::Command, _: &Act) -> Result<Vec<Draft<StandingRecorded<F>>>, Infallible> {
        Ok(vec![command.clone()])
    }

    fn evolve(mut self, recorded: &Recorded<StandingRecorded<F>>) -> Self {
        let event = &recorded.event;
        self.dates.insert(event.version, recorded.effective_on);
        self.timeline.set(event.version, event.fact.change().map(|change| (recorded.counts_from(), change)));
        self
    }
}

#[cfg(test)]
mod tests;
