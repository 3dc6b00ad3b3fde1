//! What other services' logs say of agreements and commitments, as entered into this log by reactions, and what it
//! means for a decision or a contract that cites them.

use std::{collections::BTreeSet, convert::Infallible};

use event_sourcing::{Act, Aggregate, Date, Draft, Recorded, StreamName};

use super::condition::{Change, Condition, Timeline};

/// What a record says of the standing of what it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Standing {
    /// It is in the register, at whatever stage.
    Registered,
    /// Its operation is suspended.
    Suspended,
    /// It operates again.
    Resumed,
    /// Its owner kept it.
    Fulfilled,
    /// It has ended, or its owner took it back.
    Ended,
}

/// A record of another service's log says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StandingRecorded {
    /// What it is about: `agreements/…` or `commitments/…`.
    pub subject: StreamName,
    /// Version of the record in the subject's stream.
    pub version: u64,
    /// What it says.
    pub standing: Standing,
}

/// All that is known of one subject.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Known {
    registered: bool,
    timeline: Timeline,
}

/// What is known of an agreement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgreementStanding(Known);

/// What is known of a commitment.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct CommitmentStanding(Known);

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

impl Known {
    /// How the subject stands on a day; `None`: it is not in the register.
    pub fn on(&self, day: Date) -> Option<Condition> {
        self.registered.then(|| self.timeline.on(day))
    }

    fn evolve(mut self, event: &Recorded<StandingRecorded>) -> Self {
        let change = match event.event.standing {
            Standing::Registered | Standing::Fulfilled => None,
            Standing::Suspended => Some(Change::Suspended),
            Standing::Resumed => Some(Change::Resumed),
            Standing::Ended => Some(Change::Ended),
        };
        self.registered = true;
        self.timeline.set(event.event.version, change.map(|change| (event.counts_from(), change)));
        self
    }
}

impl AgreementStanding {
    /// The stream that keeps an agreement's standing.
    pub fn stream_of(agreement: &StreamName) -> StreamName {
        StreamName::new(Self::CATEGORY, agreement.id()).expect("an id of one category is one of another")
    }

    /// How the agreement stands on a day; `None`: it is not in the register.
    pub fn on(&self, day: Date) -> Option<Condition> {
        self.0.on(day)
    }
}

impl CommitmentStanding {
    /// The stream that keeps a commitment's standing.
    pub fn stream_of(commitment: &StreamName) -> StreamName {
        StreamName::new(Self::CATEGORY, commitment.id()).expect("an id of one category is one of another")
    }

    /// How the commitment stands on a day; `None`: it is not in the register.
    pub fn on(&self, day: Date) -> Option<Condition> {
        self.0.on(day)
    }
}

impl Aggregate for AgreementStanding {
    const CATEGORY: &'static str = "agreement-standings";
    type Command = Draft<StandingRecorded>;
    type Event = StandingRecorded;
    type Error = Infallible;

    /// What another log says is never refused.
    fn decide(&self, command: &Self::Command, _: &Act) -> Result<Vec<Draft<StandingRecorded>>, Infallible> {
        Ok(vec![command.clone()])
    }

    fn evolve(self, event: &Recorded<StandingRecorded>) -> Self {
        Self(self.0.evolve(event))
    }
}

impl Aggregate for CommitmentStanding {
    const CATEGORY: &'static str = "commitment-standings";
    type Command = Draft<StandingRecorded>;
    type Event = StandingRecorded;
    type Error = Infallible;

    /// What another log says is never refused.
    fn decide(&self, command: &Self::Command, _: &Act) -> Result<Vec<Draft<StandingRecorded>>, Infallible> {
        Ok(vec![command.clone()])
    }

    fn evolve(self, event: &Recorded<StandingRecorded>) -> Self {
        Self(self.0.evolve(event))
    }
}

#[cfg(test)]
mod tests;
