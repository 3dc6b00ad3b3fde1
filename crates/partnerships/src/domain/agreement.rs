//! An agreement between partners: a treaty, a convention with a bank, a joint communiqué.
//!
//! Its rules are A1 to A7: it enters into force by its own rule, kept as data; a signature subject to ratification does
//! not bind; dates may be out of order; amendments bind whom the instrument says; a denunciation takes notice; parties
//! may disagree on whether it binds at all. Start at [`state::Instrument`]; a command is decided in `decide`, and what
//! the register concludes from it in `outcomes`.

mod commands;
mod decide;
mod error;
pub mod events;
mod evolve;
mod outcomes;
pub mod state;
pub mod terms;

use event_sourcing::{Act, Aggregate, Draft, Recorded};

pub use commands::AgreementCommand;
pub use error::AgreementError;
pub use events::AgreementEvent;
pub use state::Instrument;

use super::fact::Applied;

/// An agreement; without an instrument where nothing is registered under its name.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Agreement(Option<Box<Instrument>>);

impl Agreement {
    /// The instrument, where one is registered.
    pub fn registered(&self) -> Result<&Instrument, AgreementError> {
        self.0.as_deref().ok_or(AgreementError::NotRegistered)
    }
}

impl Aggregate for Agreement {
    const CATEGORY: &'static str = "agreements";
    type Command = AgreementCommand;
    type Event = AgreementEvent;
    type Error = AgreementError;

    fn decide(&self, command: &AgreementCommand, act: &Act) -> Result<Vec<Draft<AgreementEvent>>, AgreementError> {
        if let AgreementCommand::Register(registration) = command {
            return decide::register(self.0.as_deref(), registration, act);
        }
        let mut next = self.registered()?.clone();
        let event = next.decide(command, act)?;
        let mut drafts: Vec<_> = event.map(|event| act.draft(event)).into_iter().collect();
        for draft in &drafts {
            let applied = next.records.next(draft, act);
            next = next.apply(&applied);
        }
        while let Some(draft) = next.outcome() {
            let applied = next.records.next(&draft, act);
            next = next.apply(&applied);
            drafts.push(draft);
        }
        Ok(drafts)
    }

    fn evolve(self, event: &Recorded<AgreementEvent>) -> Self {
        let instrument = match (self.0, &event.event) {
            (Some(instrument), _) => *instrument,
            (None, AgreementEvent::Registered(registration)) => Instrument::new((**registration).clone()),
            (None, _) => return Self(None),
        };
        Self(Some(Box::new(instrument.apply(&Applied::from(event)))))
    }

    fn is_timeless(event: &AgreementEvent) -> bool {
        matches!(event, AgreementEvent::Registered(_) | AgreementEvent::RecordConfirmed(_))
    }

    fn check(&self) -> Result<(), AgreementError> {
        self.0.as_deref().map_or(Ok(()), Instrument::check)
    }
}

#[cfg(test)]
mod tests;
