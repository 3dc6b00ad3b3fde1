//! The chain of a replay: each event names the one before it, each place the last one up to it, so that a loss on the
//! way is noticed here, whoever lost it.

use anyhow::{Result, ensure};
use contracts::toguna::log::v1::{Place, ReplayedEvent};

use super::Event;
use crate::language::Language;

/// The events of a replay, checked one after the other.
#[derive(Debug)]
pub struct Chain {
    language: Language,
    /// Nothing before this position can come; 0: that is not known.
    first: u64,
    /// Every position is to come, not only those that match a filter.
    whole: bool,
    /// Position of the last event that came; `None`: none yet, and it is not known which one would have been.
    last: Option<u64>,
    epoch: Option<String>,
}

impl Chain {
    /// A replay from a position on (0: from wherever it begins), of the whole log or of what matches a filter.
    pub fn from(first: u64, whole: bool, language: Language) -> Self {
        let last = first.checked_sub(1).filter(|_| whole);
        Self { language, first, whole, last, epoch: None }
    }

    /// A replay that goes on after an event.
    pub fn after(last: u64, whole: bool, language: Language) -> Self {
        Self { language, first: last + 1, whole, last: Some(last), epoch: None }
    }

    /// Position of the last event that came.
    pub fn last(&self) -> Option<u64> {
        self.last
    }

    /// The event must be the one after the last, and of the same history.
    pub fn check(&mut self, link: &ReplayedEvent, event: &Event) -> Result<()> {
        let (position, previous) = (link.position, link.previous_position);
        let in_order = position == event.position && previous < position;
        let follows = match self.last {
            Some(last) => previous == last && (!self.whole || position == last + 1),
            None => position >= self.first,
        };
        ensure!(in_order && follows, "{}", self.loss(previous.max(self.missing()), position));
        let epoch = self.epoch.get_or_insert_with(|| event.epoch.clone());
        ensure!(
            *epoch == event.epoch,
            "{}",
            self.language.say(
                format!(
                    "at position {position} another history begins (epoch {}, before {epoch}): the log was restored or \
                     forked",
                    event.epoch
                ),
                format!(
                    "à la position {position} commence une autre histoire (époque {}, auparavant {epoch})\u{202f}: le \
                     journal a été restauré ou dédoublé",
                    event.epoch
                ),
            ),
        );
        self.last = Some(position);
        Ok(())
    }

    /// The last event up to the place must be the last one that came.
    pub fn reach(&mut self, place: &Place) -> Result<()> {
        let expected = place.last_event_position;
        match self.last {
            // One that waits for a position beyond the head has come to the head.
            Some(last) => ensure!(
                expected == last || expected < self.first && last < self.first,
                "{}",
                self.loss(expected, place.position + 1)
            ),
            None if expected >= self.first && self.first > 0 => {
                anyhow::bail!(self.loss(expected, place.position + 1))
            }
            None => {}
        }
        Ok(())
    }

    /// The first position that is missing where every position is to come.
    fn missing(&self) -> u64 {
        self.last.filter(|_| self.whole).map_or(0, |last| last + 1)
    }

    fn loss(&self, missing: u64, came: u64) -> String {
        self.language.say(
            format!("the event at position {missing} is missing: it was lost on the way before {came}"),
            format!("l’événement de la position {missing} manque\u{202f}: il s’est perdu en chemin avant {came}"),
        )
    }
}

#[cfg(test)]
mod tests {
    use super::{super::tests::record, *};

    fn event(position: u64, previous_position: u64, epoch: u8) -> (ReplayedEvent, Event) {
        let record = record(position, epoch);
        let read = Event::read(&record).expect("it is a record");
        (ReplayedEvent { position, previous_position, record: record.into() }, read)
    }

    fn check(chain: &mut Chain, position: u64, previous: u64) -> Result<()> {
        let (link, event) = event(position, previous, 9);
        chain.check(&link, &event)
    }

    fn place(position: u64, last_event_position: u64) -> Place {
        Place { position, last_event_position, ..Place::default() }
    }

    #[test]
    fn a_missing_position_of_a_whole_log_is_noticed() {
        let mut chain = Chain::from(1, true, Language::En);
        check(&mut chain, 1, 0).expect("the first");
        check(&mut chain, 2, 1).expect("the second");
        let problem = check(&mut chain, 4, 3).expect_err("the third is missing");
        assert_eq!(problem.to_string(), "the event at position 3 is missing: it was lost on the way before 4");
        let problem = check(&mut chain, 4, 2).expect_err("even where the chain says otherwise");
        assert!(problem.to_string().contains("position 3 is missing"), "{problem}");
    }

    #[test]
    fn a_missing_event_of_a_filtered_replay_is_noticed_by_the_chain() {
        let mut chain = Chain::from(10, false, Language::Fr);
        check(&mut chain, 12, 0).expect("nobody knows the one before");
        check(&mut chain, 40, 12).expect("the next");
        let problem = check(&mut chain, 90, 55).expect_err("55 did not come");
        assert!(problem.to_string().contains("position 55 manque"), "{problem}");
        chain.reach(&place(60, 40)).expect("nothing more up to there");
        chain.reach(&place(60, 55)).expect_err("55 did not come");
        Chain::after(40, false, Language::En).reach(&place(60, 55)).expect_err("nor after a pause");
        Chain::from(10, false, Language::En).reach(&place(60, 55)).expect_err("nor as the first");
        Chain::from(10, false, Language::En).reach(&place(60, 9)).expect("that was before");
    }

    #[test]
    fn another_history_of_the_log_is_noticed() {
        let mut chain = Chain::from(0, true, Language::En);
        let (link, first) = event(5, 4, 1);
        chain.check(&link, &first).expect("wherever it begins");
        let (link, second) = event(6, 5, 2);
        let problem = chain.check(&link, &second).expect_err("another epoch");
        assert!(problem.to_string().contains("another history begins"));
    }

    #[test]
    fn a_replay_may_wait_for_a_position_beyond_the_head() {
        let mut chain = Chain::from(100, true, Language::En);
        chain.reach(&place(50, 50)).expect("the log is not there yet");
        check(&mut chain, 100, 99).expect("and now it is");
        chain.reach(&place(100, 100)).expect("it came");
        chain.reach(&place(101, 101)).expect_err("it did not come");
    }
}
