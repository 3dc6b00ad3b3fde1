//! Reporting cycles: when a framework's partners report.

use event_sourcing::{Act, Aggregate, Draft, LocalizedText, PartialDate, Period, Recorded, StreamName};

use super::mandate::{self, MandateError};

/// What can have happened. Stored for ever: `ReportingCycle` and the variant's name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CycleEvent {
    /// The secretariat opened it.
    Opened(Opening),
    /// The secretariat closed it.
    Closed,
}

/// What a cycle is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opening {
    /// Whose commitments are reported on.
    pub framework: StreamName,
    /// What it is called.
    pub title: LocalizedText,
    /// The days on which is reported.
    pub covers: Period,
    /// By when reports are expected.
    pub due_on: Option<PartialDate>,
}

/// A cycle.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Cycle {
    opening: Option<Recorded<Opening>>,
    closing: Option<Recorded<()>>,
}

/// What can be asked of it. `secretariat`: the organisation that keeps the framework's register.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum CycleCommand {
    /// Opens it.
    Open {
        /// What it is about.
        opening: Opening,
        /// Who may.
        secretariat: String,
    },
    /// Closes it.
    Close {
        /// Who may.
        secretariat: String,
    },
}

/// Why it refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CycleError {
    /// There is no such cycle.
    #[error("there is no such cycle")]
    NotFound,
    /// There is one already.
    #[error("there is such a cycle already")]
    AlreadyExists,
    /// Not an act that counts.
    #[error(transparent)]
    Mandate(#[from] MandateError),
}

impl Aggregate for Cycle {
    const CATEGORY: &'static str = "cycles";
    type Command = CycleCommand;
    type Event = CycleEvent;
    type Error = CycleError;

    fn decide(&self, command: &CycleCommand, act: &Act) -> Result<Vec<Draft<CycleEvent>>, CycleError> {
        match (command, self.opening()) {
            (CycleCommand::Open { .. }, Some(_)) => Err(CycleError::AlreadyExists),
            (CycleCommand::Close { .. }, None) => Err(CycleError::NotFound),
            (CycleCommand::Open { opening, secretariat }, None) => {
                mandate::keeps_register(act, secretariat)?;
                Ok(vec![act.draft(CycleEvent::Opened(opening.clone()))])
            }
            (CycleCommand::Close { secretariat }, Some(_)) => {
                mandate::keeps_register(act, secretariat)?;
                Ok(if self.is_open() { vec![act.draft(CycleEvent::Closed)] } else { Vec::new() })
            }
        }
    }

    fn evolve(mut self, recorded: &Recorded<CycleEvent>) -> Self {
        match &recorded.event {
            CycleEvent::Opened(opening) => self.opening = Some(recorded.with(opening.clone())),
            CycleEvent::Closed => self.closing = Some(recorded.with(())),
        }
        self
    }
}

impl Cycle {
    /// What it is about; `None`: there is no such cycle.
    pub fn opening(&self) -> Option<&Recorded<Opening>> {
        self.opening.as_ref()
    }

    /// Its closing.
    pub fn closing(&self) -> Option<&Recorded<()>> {
        self.closing.as_ref()
    }

    /// Whether reports are taken.
    pub fn is_open(&self) -> bool {
        self.opening.is_some() && self.closing.is_none()
    }
}

#[cfg(test)]
mod tests;
