//! A record that counts: what it says, and what later corrections say in its place.

use contracts::toguna::{log::v1 as pb, oversight::v1::CountedRecord};
use jiff::civil::Date;

use crate::{
    Log, calendar,
    event::{Event, NotUnderstood},
};

/// A fact, who says so, and from when on it counts.
#[derive(Debug)]
pub(crate) struct Statement<F> {
    /// Position of the record that states it.
    pub position: u64,
    /// From this day on it counts.
    pub counts_from: Date,
    /// Who says so, when, where.
    pub provenance: pb::Provenance,
    /// What is stated.
    pub fact: F,
}

/// One record of a stream and its corrections, in order of position.
#[derive(Debug)]
pub(crate) struct Record<F> {
    /// Version in the stream.
    pub version: u64,
    /// What the record itself says.
    pub recorded: Statement<F>,
    /// What it should have said.
    pub corrections: Vec<Statement<F>>,
}

impl<F> Record<F> {
    /// A record of a fact.
    pub fn new(record: &pb::EventRecord, fact: F) -> Result<Self, NotUnderstood> {
        let recorded = statement(record, record.version, record.effective_on, fact)?;
        Ok(Self { version: record.version, recorded, corrections: Vec::new() })
    }

    /// Adds a correction. It keeps the record's date unless it gives another, and the record's sources unless it cites
    /// its own; whose act it was stays as recorded.
    pub fn correct(
        &mut self,
        correction: &pb::EventRecord,
        right: F,
        effective_on: Option<contracts::toguna::r#type::v1::Date>,
    ) -> Result<(), NotUnderstood> {
        let own = &self.recorded.provenance;
        let date = effective_on.or(own.effective_on);
        let mut corrected = statement(correction, self.version, date, right)?;
        if date.is_none() {
            corrected.counts_from = self.recorded.counts_from;
        }
        corrected.provenance.on_behalf_of.clone_from(&own.on_behalf_of);
        corrected.provenance.basis = own.basis;
        if corrected.provenance.sources.is_empty() {
            corrected.provenance.sources.clone_from(&own.sources);
        }
        self.corrections.push(corrected);
        Ok(())
    }
}

fn statement<F>(
    record: &pb::EventRecord,
    version: u64,
    effective_on: Option<contracts::toguna::r#type::v1::Date>,
    fact: F,
) -> Result<Statement<F>, NotUnderstood> {
    let time = record.recorded_at.as_ref().and_then(calendar::time).ok_or(NotUnderstood::Missing("recorded_at"))?;
    let counts_from = match effective_on {
        Some(date) => calendar::last_day(date).ok_or(NotUnderstood::Missing("effective_on"))?,
        None => calendar::day_of(time),
    };
    let provenance = pb::Provenance {
        version,
        effective_on,
        recorded_at: record.recorded_at,
        on_behalf_of: record.on_behalf_of.clone(),
        basis: record.basis,
        certainty: record.certainty,
        reason: record.reason.clone(),
        sources: record.sources.clone(),
    };
    Ok(Statement { position: record.position, counts_from, provenance, fact })
}

/// A record as it is known from somewhere.
pub(crate) struct Seen<'a, F> {
    /// Its stream.
    pub stream: &'a str,
    /// The record.
    pub record: &'a Record<F>,
    /// What counts: what it says, or its last correction that is known.
    pub said: &'a Statement<F>,
}

impl<F> Clone for Seen<'_, F> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<F> Copy for Seen<'_, F> {}

impl<'a, F> Seen<'a, F> {
    /// What it says.
    pub fn fact(&self) -> &'a F {
        &self.said.fact
    }

    /// Position in the log since which it says what it says. Whoever confirmed or verified it before spoke of something
    /// else.
    pub fn said_since(&self) -> u64 {
        self.said.position
    }

    /// Whether another organisation recorded it from a source.
    pub fn is_from_source(&self) -> bool {
        self.said.provenance.basis() == pb::Basis::RecordedFromSource
    }

    /// The record as reports cite it.
    pub fn cited(&self, log: Log) -> CountedRecord
    where
        F: Event,
    {
        let position = self.record.recorded.position;
        CountedRecord {
            log: log.name().into(),
            position,
            stream: self.stream.into(),
            r#type: self.said.fact.type_name(),
            provenance: Some(self.said.provenance.clone()),
            corrected_at_position: if self.said.position == position { 0 } else { self.said.position },
        }
    }
}
