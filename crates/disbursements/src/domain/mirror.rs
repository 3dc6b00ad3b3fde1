//! What one stream knows of the records of others that move its sums.
//!
//! The facts are absolute: each is keyed by the stream and version of the record that it mirrors, and takes the place
//! of what was known of that record before. So a corrected record is followed by a new fact, and no sum is ever
//! adjusted by a difference that nobody can trace.

use std::collections::BTreeMap;

use event_sourcing::{Draft, PartialDate};

use super::money::{Currency, Money, Total};

/// A record of another stream.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct RecordKey {
    /// The stream.
    pub stream: String,
    /// Version of the record in it.
    pub version: u64,
}

/// What a record of another stream moves, and on which date; `None`: not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line<V> {
    /// What it moves.
    pub value: V,
    /// When.
    pub effective_on: Option<PartialDate>,
}

/// What the records of one stream move, by version.
pub type Lines<V> = BTreeMap<u64, Line<V>>;

/// Something with an amount that can fall to nothing.
pub trait Movement: Copy + PartialEq {
    /// The amount.
    fn amount(self) -> Money;
    /// The same, moving nothing.
    #[must_use]
    fn cancelled(self) -> Self;
}

impl Movement for Money {
    fn amount(self) -> Money {
        self
    }

    fn cancelled(self) -> Self {
        Money::of(self.currency(), 0)
    }
}

/// All that is known of such records.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mirror<V> {
    lines: BTreeMap<RecordKey, Line<V>>,
}

impl<V> Default for Mirror<V> {
    fn default() -> Self {
        Self { lines: BTreeMap::new() }
    }
}

impl<V: Movement> Mirror<V> {
    /// From here on, this is what the record moves.
    pub fn set(&mut self, record: RecordKey, line: Line<V>) {
        self.lines.insert(record, line);
    }

    /// What is known, record by record.
    pub fn lines(&self) -> impl Iterator<Item = (&RecordKey, &Line<V>)> {
        self.lines.iter()
    }

    /// The sum of what the records move that the filter takes.
    pub fn total(&self, currency: Currency, filter: impl Fn(&RecordKey, &V) -> bool) -> Total {
        let mut total = Total::zero(currency);
        for (record, line) in &self.lines {
            if filter(record, &line.value) {
                total.change(line.value.amount());
            }
        }
        total
    }

    /// By how many minor units the total would change with these facts.
    pub fn shift(&self, facts: &[Draft<(RecordKey, V)>]) -> i64 {
        let last: BTreeMap<&RecordKey, V> = facts.iter().map(|draft| (&draft.event.0, draft.event.1)).collect();
        let known = |record: &RecordKey| self.lines.get(record).map_or(0, |line| line.value.amount().minor_units());
        last.into_iter().map(|(record, value)| value.amount().minor_units() - known(record)).sum()
    }

    /// The facts to record, each on its date, so that all that is known of a stream is what its records say now. A
    /// record that moved to another date moves nothing on the old one: a state as of a day between them stays right.
    pub fn differences(&self, stream: &str, now: &Lines<V>) -> Vec<Draft<(RecordKey, V)>> {
        let key = |version: u64| RecordKey { stream: stream.into(), version };
        let known = self.lines.range(key(0)..=key(u64::MAX));
        let gone = known.filter_map(|(record, line)| {
            let stays = now.get(&record.version).is_some_and(|new| new.effective_on == line.effective_on);
            let moves = line.value.cancelled() != line.value;
            (moves && !stays).then(|| draft(record.clone(), line.value.cancelled(), line.effective_on))
        });
        let new = now.iter().filter_map(|(version, line)| {
            let record = key(*version);
            (self.lines.get(&record) != Some(line)).then(|| draft(record, line.value, line.effective_on))
        });
        gone.chain(new).collect()
    }
}

fn draft<V>(record: RecordKey, value: V, effective_on: Option<PartialDate>) -> Draft<(RecordKey, V)> {
    Draft { event: (record, value), effective_on }
}
