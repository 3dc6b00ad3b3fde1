//! The walk that compares every record of the stream with the log, a step at a time, again and again.
//!
//! What was never compared comes first: while the log is calm one step after the other, with rests; else within a
//! budget that each audit renews. What is left of the budget goes to a round over the whole stream, and then another.

use std::time::Duration;

use event_sourcing::Timestamp;
use tokio::time::Instant;

/// Most records of one step: publishing waits for it.
pub(super) const STEP: usize = 1_000;
/// The log is calm when nothing was appended for so long.
const CALM: Duration = Duration::from_secs(1);
/// A step is followed by a rest of so many times the time that it took.
const REST: u32 = 2;

/// How far the comparison is.
#[derive(Debug)]
pub(super) struct Walk {
    /// Every record up to here was compared since the walk began.
    compared: u64,
    /// The round over the whole stream is here.
    round: u64,
    round_began: Timestamp,
    /// Every record up to `compared` was compared since then.
    whole: Option<Timestamp>,
    budget: usize,
    appended: Instant,
}

impl Walk {
    /// At the start of a stream of which nothing is known.
    pub fn new() -> Self {
        let (round_began, appended) = (Timestamp::now(), Instant::now());
        Self { compared: 0, round: 0, round_began, whole: None, budget: 0, appended }
    }

    /// The log was appended to: it is not calm.
    pub fn disturb(&mut self) {
        self.appended = Instant::now();
    }

    /// Allows to compare so many records, calm or not.
    pub fn allow(&mut self, records: usize) {
        self.budget = records;
    }

    /// Every record up to here was compared since the walk began.
    pub fn compared(&self) -> u64 {
        self.compared
    }

    /// Since when every record of the stream was compared; `None`: not every one was.
    pub fn whole(&self) -> Option<Timestamp> {
        self.whole
    }

    /// Where the next step begins in a stream of that length, if there is one to take now.
    pub fn next(&self, published: u64) -> Option<u64> {
        let calm = self.appended.elapsed() >= CALM;
        if self.compared < published {
            (calm || self.budget > 0).then_some(self.compared + 1)
        } else {
            let round = if self.round >= published { 1 } else { self.round + 1 };
            (self.budget > 0 && published > 0).then_some(round)
        }
    }

    /// A step was taken, from one position to another, in a stream of that length.
    pub fn step(&mut self, from: u64, to: u64, published: u64) {
        let records = usize::try_from((to + 1).saturating_sub(from)).unwrap_or(usize::MAX);
        self.budget = self.budget.saturating_sub(records.max(1));
        if from == 1 {
            self.round_began = Timestamp::now();
        }
        if from == 1 || from == self.round + 1 {
            self.round = to;
        }
        let again = from <= self.compared;
        self.compared = self.compared.max(to);
        if self.round >= published {
            self.whole = Some(self.round_began);
            if again {
                // One round is enough for one budget.
                self.budget = 0;
            }
        }
    }

    /// How long to rest after a step that took so long.
    pub fn rest(took: Duration) -> Duration {
        took * REST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Takes steps of ten records until there is none to take, and says where each began.
    fn walk(walk: &mut Walk, published: u64) -> Vec<u64> {
        let mut steps = Vec::new();
        while let Some(from) = walk.next(published) {
            walk.step(from, (from + 9).min(published), published);
            steps.push(from);
        }
        steps
    }

    #[test]
    fn a_calm_log_is_compared_to_its_end_at_once_and_then_no_more() {
        let mut calm = Walk::new();
        calm.appended = Instant::now().checked_sub(2 * CALM).expect("the clock runs for longer");
        assert_eq!(walk(&mut calm, 25), [1, 11, 21]);
        assert!(calm.whole().is_some());
        assert_eq!((calm.compared(), calm.next(25)), (25, None));
        assert_eq!(walk(&mut calm, 30), [26]);
    }

    #[test]
    fn under_load_it_goes_as_far_as_its_budget_and_goes_on_there() {
        let mut busy = Walk::new();
        assert_eq!(busy.next(100), None);
        busy.allow(20);
        assert_eq!(walk(&mut busy, 100), [1, 11]);
        assert_eq!(busy.whole(), None);
        busy.allow(20);
        assert_eq!(walk(&mut busy, 100), [21, 31]);
    }

    #[test]
    fn a_short_stream_is_gone_over_once_for_each_budget() {
        let mut short = Walk::new();
        short.allow(15);
        assert_eq!(walk(&mut short, 15), [1, 11]);
        short.allow(1_000);
        assert_eq!(walk(&mut short, 15), [1, 11]);
        short.allow(1_000);
        assert_eq!(walk(&mut short, 20), [16, 1, 11], "and what is new besides");
    }

    #[test]
    fn what_is_new_is_compared_first_and_a_round_still_comes_to_its_end() {
        let mut round = Walk::new();
        round.allow(20);
        assert_eq!(walk(&mut round, 20), [1, 11]);
        let first = round.whole().expect("all was compared");
        round.allow(10);
        assert_eq!(walk(&mut round, 20), [1], "the next round");
        round.allow(20);
        assert_eq!(walk(&mut round, 30), [21, 11], "what is new, then on with the round");
        assert_eq!(round.whole(), Some(first));
        round.allow(10);
        assert_eq!(walk(&mut round, 30), [21]);
        assert!(round.whole() > Some(first));
    }
}
