//! What a store said that it kept, warm-up included, to be held against what it has.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::measure::Outcome;

/// Events by what their callers were told.
#[derive(Debug, Default)]
pub struct Tally {
    acknowledged: AtomicU64,
    unanswered: AtomicU64,
}

impl Tally {
    /// Counts one append of so many events, and passes its outcome on.
    pub fn count(&self, outcome: Outcome, events: usize) -> Outcome {
        let events = events as u64;
        match outcome {
            Outcome::Done => self.acknowledged.fetch_add(events, Ordering::Relaxed),
            // An error that is not a refusal leaves open whether the append had its effect.
            Outcome::Failed => self.unanswered.fetch_add(events, Ordering::Relaxed),
            Outcome::Conflict => 0,
        };
        outcome
    }

    /// Fails where a store holds fewer events than it acknowledged, or more than were sent.
    pub fn check(&self, stored: u64) -> anyhow::Result<()> {
        let acknowledged = self.acknowledged.load(Ordering::Relaxed);
        let most = acknowledged + self.unanswered.load(Ordering::Relaxed);
        anyhow::ensure!(
            (acknowledged..=most).contains(&stored),
            "it acknowledged {acknowledged} events and holds {stored}"
        );
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loss_and_a_double_are_seen_and_an_open_answer_may_be_either() {
        let tally = Tally::default();
        tally.count(Outcome::Done, 10);
        tally.count(Outcome::Conflict, 10);
        assert!(tally.check(10).is_ok());
        assert!(tally.check(9).is_err());
        assert!(tally.check(11).is_err());
        tally.count(Outcome::Failed, 10);
        assert!(tally.check(10).is_ok() && tally.check(20).is_ok());
        assert!(tally.check(21).is_err());
    }
}
