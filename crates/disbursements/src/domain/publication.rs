//! What stands on the word of a publication, until whoever did it says so by an own act.

use event_sourcing::{Act, Actor, Basis, Recorded};

use super::authority::{FUND_MANAGER, SECRETARIAT};

/// What a stream holds on the word of publications.
#[derive(Debug, Clone, Default)]
pub struct Published {
    /// Version since which what was published says what it says; 0: there is nothing.
    since: u64,
    /// Version of the last confirmation; 0: there is none.
    confirmed: u64,
    entered_by: Vec<Actor>,
}

impl Published {
    /// Takes note of a record that is known from a source alone; of no other.
    pub fn note<E>(&mut self, event: &Recorded<E>) {
        if event.act.basis == Basis::RecordedFromSource {
            self.since = self.since.max(event.said_since());
            self.entered_by.push(event.act.actor.clone());
        }
    }

    /// Takes note of a confirmation. What is corrected after it is not what was confirmed.
    pub fn confirm(&mut self, version: u64) {
        self.confirmed = self.confirmed.max(version);
    }

    /// Whether something waits for its confirmation.
    pub fn waits(&self) -> bool {
        self.since > self.confirmed
    }

    /// In which role the person who acts entered what was published; `None`: others entered it.
    pub fn entered_as(&self, act: &Act) -> Option<&'static str> {
        let entered = self.entered_by.iter().find(|actor| actor.is_same_person_as(&act.actor))?;
        Some(if entered.roles.iter().any(|role| role == SECRETARIAT) { SECRETARIAT } else { FUND_MANAGER })
    }
}
