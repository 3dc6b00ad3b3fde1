//! Whether something operates on a day: an agreement, a commitment, a contract.

use std::collections::BTreeMap;

use event_sourcing::Date;

/// What can change.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// Its operation stops.
    Suspended,
    /// Its operation goes on.
    Resumed,
    /// It ends.
    Ended,
}

/// How it is on a day.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Condition {
    /// It operates.
    Operating,
    /// It is suspended.
    Suspended {
        /// Since when.
        since: Date,
    },
    /// It has ended.
    Ended {
        /// Since when.
        since: Date,
    },
}

/// Its changes, each by the version of the record that says so.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Timeline {
    changes: BTreeMap<u64, (Date, Change)>,
}

impl Timeline {
    /// From here on, this is what the record says; `None`: it says nothing any more.
    pub fn set(&mut self, version: u64, change: Option<(Date, Change)>) {
        match change {
            Some(change) => self.changes.insert(version, change),
            None => self.changes.remove(&version),
        };
    }

    /// How it is on the evening of a day. Changes count by their dates, whatever the order of recording.
    pub fn on(&self, day: Date) -> Condition {
        let mut changes: Vec<_> = self.changes.iter().filter(|(_, (from, _))| *from <= day).collect();
        changes.sort_by_key(|(version, (from, _))| (*from, **version));
        changes.into_iter().fold(Condition::Operating, |condition, (_, (from, change))| match (condition, change) {
            (ended @ Condition::Ended { .. }, _) => ended,
            (suspended @ Condition::Suspended { .. }, Change::Suspended) => suspended,
            (_, Change::Suspended) => Condition::Suspended { since: *from },
            (_, Change::Resumed) => Condition::Operating,
            (_, Change::Ended) => Condition::Ended { since: *from },
        })
    }
}

#[cfg(test)]
mod tests {
    use event_sourcing::Date;

    use super::*;

    fn day(text: &str) -> Date {
        text.parse().expect("a date")
    }

    fn timeline(changes: &[(&str, Change)]) -> Timeline {
        let mut timeline = Timeline::default();
        for (version, (from, change)) in (1..).zip(changes) {
            timeline.set(version, Some((day(from), *change)));
        }
        timeline
    }

    #[test]
    fn a_suspension_lasts_from_its_first_day_to_the_day_of_resumption() {
        let timeline = timeline(&[("2022-11-21", Change::Suspended), ("2023-03-01", Change::Resumed)]);
        assert_eq!(timeline.on(day("2022-11-20")), Condition::Operating);
        assert_eq!(timeline.on(day("2022-11-21")), Condition::Suspended { since: day("2022-11-21") });
        assert_eq!(timeline.on(day("2023-02-28")), Condition::Suspended { since: day("2022-11-21") });
        assert_eq!(timeline.on(day("2023-03-01")), Condition::Operating);
    }

    #[test]
    fn changes_recorded_late_count_by_their_dates() {
        let timeline = timeline(&[("2023-03-01", Change::Resumed), ("2022-11-21", Change::Suspended)]);
        assert_eq!(timeline.on(day("2023-03-01")), Condition::Operating);
    }

    #[test]
    fn nothing_follows_an_end() {
        let timeline = timeline(&[("2024-01-01", Change::Ended), ("2024-02-01", Change::Resumed)]);
        assert_eq!(timeline.on(day("2024-02-01")), Condition::Ended { since: day("2024-01-01") });
    }

    #[test]
    fn a_record_that_is_set_anew_takes_its_own_place() {
        let mut timeline = timeline(&[("2022-11-21", Change::Suspended)]);
        timeline.set(1, Some((day("2022-12-01"), Change::Suspended)));
        assert_eq!(timeline.on(day("2022-11-30")), Condition::Operating);
    }
}
