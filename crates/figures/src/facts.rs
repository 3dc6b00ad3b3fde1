//! Everything that figures are made from, in memory: the records that count, by stream.

use std::collections::BTreeMap;

use contracts::toguna::log::v1::EventRecord;
use jiff::Timestamp;

use crate::{
    Log, NotUnderstood, calendar,
    event::{Event, Meaning, meaning},
    events::{commitments::Commitment, disbursements::Disbursement, partnerships::Partnership},
    record::Record,
};

/// Why a record cannot be taken.
#[derive(Debug, thiserror::Error)]
pub enum Unreadable {
    /// It is not understood.
    #[error("record {position} is not understood")]
    NotUnderstood {
        /// Its position.
        position: u64,
        /// Why.
        #[source]
        source: NotUnderstood,
    },
    /// It is not later than the last one.
    #[error("record {position} does not follow record {after}")]
    OutOfOrder {
        /// Its position.
        position: u64,
        /// Where the log had been read to.
        after: u64,
    },
}

/// The records of the three logs that count, and how far each log was read.
#[derive(Debug, Default)]
pub struct Facts {
    pub(crate) commitments: LogFacts<Commitment>,
    pub(crate) disbursements: LogFacts<Disbursement>,
    pub(crate) partnerships: LogFacts<Partnership>,
}

/// Whether a record of a log can make a difference to a figure. Those that cannot need not be pushed, as long as
/// [`Facts::reached`] says that they were looked at.
pub fn counts(log: Log, record: &EventRecord) -> Result<bool, NotUnderstood> {
    fn counts<F: Event>(record: &EventRecord) -> Result<bool, NotUnderstood> {
        Ok(match meaning::<F>(record)? {
            Meaning::Nothing => false,
            Meaning::Fact(fact) => Record::new(record, fact).map(|_| true)?,
            Meaning::Correction { .. } => true,
        })
    }
    match log {
        Log::Commitments => counts::<Commitment>(record),
        Log::Disbursements => counts::<Disbursement>(record),
        Log::Partnerships => counts::<Partnership>(record),
    }
}

impl Facts {
    /// Takes the next record of a log. Nothing changes where it is refused.
    pub fn push(&mut self, log: Log, record: &EventRecord) -> Result<(), Unreadable> {
        match log {
            Log::Commitments => self.commitments.push(record),
            Log::Disbursements => self.disbursements.push(record),
            Log::Partnerships => self.partnerships.push(record),
        }
    }

    /// Says that every record of a log up to a position was looked at, and when that one was recorded. `epoch` is the
    /// identity of the history that the log is in.
    pub fn reached(&mut self, log: Log, epoch: &[u8], position: u64, recorded_at: Timestamp) -> Result<(), Unreadable> {
        self.place_mut(log).reach(epoch, position, recorded_at)
    }

    /// Forgets everything of a log: its history is another one than was read.
    pub fn forget(&mut self, log: Log) {
        match log {
            Log::Commitments => self.commitments = LogFacts::default(),
            Log::Disbursements => self.disbursements = LogFacts::default(),
            Log::Partnerships => self.partnerships = LogFacts::default(),
        }
    }

    /// Whether what was known of a log at a time can change no more: something was recorded later.
    pub fn is_settled(&self, log: Log, time: Timestamp) -> bool {
        self.place(log).times.last().is_some_and(|(last, _)| *last > time)
    }

    /// How far a log was read; 0: nothing was.
    pub fn position(&self, log: Log) -> u64 {
        self.place(log).position
    }

    /// Identity of the history that was read of a log; empty where nothing was.
    pub fn epoch(&self, log: Log) -> &[u8] {
        &self.place(log).epoch
    }

    pub(crate) fn place(&self, log: Log) -> &Place {
        match log {
            Log::Commitments => &self.commitments.place,
            Log::Disbursements => &self.disbursements.place,
            Log::Partnerships => &self.partnerships.place,
        }
    }

    fn place_mut(&mut self, log: Log) -> &mut Place {
        match log {
            Log::Commitments => &mut self.commitments.place,
            Log::Disbursements => &mut self.disbursements.place,
            Log::Partnerships => &mut self.partnerships.place,
        }
    }
}

/// The records of one log that count.
#[derive(Debug)]
pub(crate) struct LogFacts<F> {
    pub place: Place,
    /// Records by stream, each stream in order of version.
    pub streams: BTreeMap<String, Vec<Record<F>>>,
}

impl<F> Default for LogFacts<F> {
    fn default() -> Self {
        Self { place: Place::default(), streams: BTreeMap::new() }
    }
}

impl<F: Event> LogFacts<F> {
    fn push(&mut self, record: &EventRecord) -> Result<(), Unreadable> {
        let position = record.position;
        let not_understood = |source| Unreadable::NotUnderstood { position, source };
        let recorded_at = record.recorded_at.as_ref().and_then(calendar::time);
        let recorded_at = recorded_at.ok_or(NotUnderstood::Missing("recorded_at")).map_err(not_understood)?;
        self.place.follows(position, recorded_at)?;
        match meaning::<F>(record).map_err(not_understood)? {
            Meaning::Nothing => {}
            Meaning::Fact(fact) => {
                let fact = Record::new(record, fact).map_err(not_understood)?;
                self.streams.entry(record.stream.clone()).or_default().push(fact);
            }
            Meaning::Correction { mistaken_version, right, effective_on } => {
                let mistaken = self.streams.get_mut(&record.stream).and_then(|records| {
                    let index = records.binary_search_by_key(&mistaken_version, |record| record.version).ok()?;
                    records.get_mut(index)
                });
                mistaken
                    .ok_or(NotUnderstood::Missing("the mistaken record"))
                    .and_then(|mistaken| mistaken.correct(record, right, effective_on))
                    .map_err(not_understood)?;
            }
        }
        self.place.reach(&record.epoch, position, recorded_at)
    }
}

/// How far a log was read, and which position was the last one at which time.
#[derive(Debug, Default)]
pub(crate) struct Place {
    pub epoch: Vec<u8>,
    pub position: u64,
    /// Each time at which something was recorded, and the last position recorded then. Both rise.
    times: Vec<(Timestamp, u64)>,
}

impl Place {
    fn follows(&self, position: u64, recorded_at: Timestamp) -> Result<(), Unreadable> {
        let in_order = position > self.position && self.times.last().is_none_or(|(last, _)| *last <= recorded_at);
        if in_order { Ok(()) } else { Err(Unreadable::OutOfOrder { position, after: self.position }) }
    }

    fn reach(&mut self, epoch: &[u8], position: u64, recorded_at: Timestamp) -> Result<(), Unreadable> {
        if position != self.position {
            self.follows(position, recorded_at)?;
            match self.times.last_mut() {
                Some((time, last)) if *time == recorded_at => *last = position,
                _ => self.times.push((recorded_at, position)),
            }
            self.position = position;
        }
        if self.epoch != epoch {
            self.epoch = epoch.to_vec();
        }
        Ok(())
    }

    /// The last position recorded at a time or before it; 0: none.
    pub fn known_at(&self, time: Timestamp) -> u64 {
        let later = self.times.partition_point(|(recorded_at, _)| *recorded_at <= time);
        later.checked_sub(1).map_or(0, |index| self.times[index].1)
    }
}

#[cfg(test)]
mod tests;
