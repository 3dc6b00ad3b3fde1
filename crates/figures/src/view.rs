//! The facts, seen from one standpoint: two clocks.

use contracts::toguna::oversight::v1 as pb;
use jiff::{Timestamp, civil::Date};

use crate::{
    Facts, Log, calendar,
    events::{commitments::Commitment, disbursements::Disbursement, partnerships::Partnership},
    evidence::Evidence,
    facts::LogFacts,
    record::{Record, Seen},
};

/// The two clocks of a report.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The state of the world on the evening of this day.
    pub as_of: Date,
    /// As known at this time; `None`: everything that was read.
    pub known_at: Option<Timestamp>,
}

/// The three logs from one standpoint.
pub(crate) struct View<'a> {
    pub commitments: LogView<'a, Commitment>,
    pub disbursements: LogView<'a, Disbursement>,
    pub partnerships: LogView<'a, Partnership>,
    facts: &'a Facts,
    clocks: Clocks,
}

/// One log from one standpoint.
pub(crate) struct LogView<'a, F> {
    facts: &'a LogFacts<F>,
    /// The last position that is known.
    known: u64,
    /// The day.
    pub as_of: Date,
}

impl<F> Clone for LogView<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for LogView<'_, F> {}

impl<'a> View<'a> {
    pub fn new(facts: &'a Facts, clocks: Clocks) -> Self {
        Self {
            commitments: LogView::new(&facts.commitments, clocks),
            disbursements: LogView::new(&facts.disbursements, clocks),
            partnerships: LogView::new(&facts.partnerships, clocks),
            facts,
            clocks,
        }
    }

    /// The standpoint of a report that rests on this evidence.
    pub fn standpoint(&self, evidence: &Evidence) -> pb::Standpoint {
        let known = |log| match log {
            Log::Commitments => self.commitments.known,
            Log::Disbursements => self.disbursements.known,
            Log::Partnerships => self.partnerships.known,
        };
        let position = |log: Log| pb::LogPosition {
            log: log.name().into(),
            epoch: self.facts.epoch(log).to_vec(),
            position: known(log),
        };
        pb::Standpoint {
            as_of: Some(calendar::to_proto(self.clocks.as_of)),
            known_at: self
                .clocks
                .known_at
                .map(|time| prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }),
            logs: Log::ALL.map(position).into(),
            latest_source: evidence.latest_source(),
        }
    }
}

impl<'a, F> LogView<'a, F> {
    fn new(facts: &'a LogFacts<F>, clocks: Clocks) -> Self {
        let known = clocks.known_at.map_or(facts.place.position, |time| facts.place.known_at(time));
        Self { facts, known, as_of: clocks.as_of }
    }

    /// Names of the streams of a category, in order, whether anything of them is known or not.
    pub fn streams(self, category: &str) -> impl Iterator<Item = &'a str> {
        // `0` follows `/`: between them lie exactly the names of the category.
        let (from, to) = (format!("{category}/"), format!("{category}0"));
        self.facts.streams.range(from..to).map(|(stream, _)| stream.as_str())
    }

    /// What is known of a stream, whatever its date, in order of version.
    pub fn known(self, stream: &str) -> impl Iterator<Item = Seen<'a, F>> + use<'a, F> {
        let found = self.facts.streams.get_key_value(stream);
        found
            .into_iter()
            .flat_map(move |(stream, records)| records.iter().filter_map(move |record| self.see(stream, record)))
    }

    /// What is known of a stream and counts on the day, in order of version.
    pub fn counted(self, stream: &str) -> impl Iterator<Item = Seen<'a, F>> + use<'a, F> {
        self.known(stream).filter(move |seen| seen.said.counts_from <= self.as_of)
    }

    fn see(self, stream: &'a str, record: &'a Record<F>) -> Option<Seen<'a, F>> {
        let correction = record.corrections.iter().rev().find(|correction| correction.position <= self.known);
        let recorded = Some(&record.recorded).filter(|recorded| recorded.position <= self.known)?;
        Some(Seen { stream, record, said: correction.unwrap_or(recorded) })
    }
}
