//! What the log of partnerships says of an agreement, taken into ours so that commitments can cite it.

use std::collections::BTreeMap;

use event_sourcing::{Act, Aggregate, Date, Draft, PartialDate, Recorded, StreamName};

/// One record of the agreement speaks of its standing. Stored for ever: `AgreementStandingRecorded`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AgreementStandingEvent {
    /// The agreement.
    pub agreement: StreamName,
    /// Version of the record in the agreement's stream; a later event with the same version takes this one's place.
    pub agreement_version: u64,
    /// What it says.
    pub says: Says,
}

/// What a record of an agreement says of its standing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Says {
    /// Whether it can be relied on.
    Standing(Standing),
    /// Whether its parties see it in the same way.
    Contestation(Contestation),
}

/// Whether an agreement can be relied on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Standing {
    /// Neither suspended nor ended.
    Active,
    /// Suspended.
    Suspended,
    /// Ended, however it came about.
    Terminated,
}

/// Whether the parties see an agreement in the same way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Contestation {
    /// No two parties have declared opposite views.
    Uncontested,
    /// They have.
    Contested,
}

/// What is known of an agreement.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AgreementStanding {
    by_version: BTreeMap<u64, Recorded<Says>>,
}

/// What can be asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AgreementStandingCommand {
    /// Takes what one record of the agreement says, from the act's date on.
    Record(AgreementStandingEvent),
    /// Takes what an organisation confirmed.
    Confirm {
        /// What it confirmed.
        event: AgreementStandingEvent,
        /// From when on; `None`: not known.
        effective_on: Option<PartialDate>,
    },
    /// Takes what is right in the place of what a record says; nothing, where that was never taken.
    Correct {
        /// What is right.
        right: AgreementStandingEvent,
        /// From when on; `None`: as recorded.
        effective_on: Option<PartialDate>,
    },
}

/// Why an agreement cannot be cited.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AgreementStandingError {
    /// Nothing is known of it here.
    #[error("{agreement} is not known")]
    Unknown {
        /// The agreement.
        agreement: StreamName,
    },
    /// It has ended by that day.
    #[error("{agreement} has ended")]
    Terminated {
        /// The agreement.
        agreement: StreamName,
    },
}

impl Aggregate for AgreementStanding {
    const CATEGORY: &'static str = "agreement-standings";
    type Command = AgreementStandingCommand;
    type Event = AgreementStandingEvent;
    type Error = AgreementStandingError;

    /// Never refuses: what another log says has happened.
    fn decide(
        &self,
        command: &AgreementStandingCommand,
        act: &Act,
    ) -> Result<Vec<Draft<AgreementStandingEvent>>, Self::Error> {
        Ok(vec![match command {
            AgreementStandingCommand::Record(event) => act.draft(event.clone()),
            AgreementStandingCommand::Confirm { event, effective_on } => {
                Draft { event: event.clone(), effective_on: *effective_on }
            }
            AgreementStandingCommand::Correct { right, effective_on } => {
                let Some(mistaken) = self.by_version.get(&right.agreement_version) else { return Ok(Vec::new()) };
                Draft { event: right.clone(), effective_on: effective_on.or(mistaken.effective_on) }
            }
        }])
    }

    fn evolve(mut self, recorded: &Recorded<AgreementStandingEvent>) -> Self {
        let event = &recorded.event;
        self.by_version.insert(event.agreement_version, recorded.with(event.says));
        self
    }
}

impl AgreementStanding {
    /// First part of the names of agreements, which are resources of another service.
    pub const AGREEMENTS: &'static str = "agreements";

    /// The stream that holds what is known of an agreement.
    pub fn stream_of(agreement: &StreamName) -> StreamName {
        StreamName::new(Self::CATEGORY, agreement.id()).expect("an agreement's id is an id")
    }

    /// The agreement that a stream speaks of.
    pub fn agreement_of(stream: &StreamName) -> StreamName {
        StreamName::new(Self::AGREEMENTS, stream.id()).expect("a stream's id is an id")
    }

    /// Whether anything is known of it.
    pub fn is_known(&self) -> bool {
        !self.by_version.is_empty()
    }

    /// Whether it can be relied on, on the evening of a day, and since when. What is known of it holds before its
    /// first date too, as active: dates of registration say little about the instrument.
    pub fn standing_on(&self, day: Date) -> (Standing, Option<Date>) {
        let last = self.last_on(day, |says| match says {
            Says::Standing(standing) => Some(standing),
            Says::Contestation(_) => None,
        });
        last.map_or((Standing::Active, None), |(since, standing)| (standing, Some(since)))
    }

    /// Whether its parties see it in the same way, on the evening of a day.
    pub fn contestation_on(&self, day: Date) -> Contestation {
        let last = self.last_on(day, |says| match says {
            Says::Contestation(contestation) => Some(contestation),
            Says::Standing(_) => None,
        });
        last.map_or(Contestation::Uncontested, |(_, contestation)| contestation)
    }

    /// A promise may rest on it from that day on.
    pub fn citable(&self, agreement: &StreamName, day: Date) -> Result<(), AgreementStandingError> {
        if !self.is_known() {
            return Err(AgreementStandingError::Unknown { agreement: agreement.clone() });
        }
        match self.standing_on(day).0 {
            Standing::Active | Standing::Suspended => Ok(()),
            Standing::Terminated => Err(AgreementStandingError::Terminated { agreement: agreement.clone() }),
        }
    }

    /// Of what counts by that day, the latest; of one date, the last recorded by partnerships.
    fn last_on<T>(&self, day: Date, part: impl Fn(Says) -> Option<T>) -> Option<(Date, T)> {
        let by_that_day = |says: &(&u64, &Recorded<Says>)| says.1.counts_from() <= day;
        let counted = self.by_version.iter().filter(by_that_day);
        let parts = counted.filter_map(|(version, says)| Some((says.counts_from(), *version, part(says.event)?)));
        parts.max_by_key(|(since, version, _)| (*since, *version)).map(|(since, _, part)| (since, part))
    }
}

#[cfg(test)]
mod tests;
