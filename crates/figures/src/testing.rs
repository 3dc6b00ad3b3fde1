//! Logs for tests: a record in a line.

use std::collections::HashMap;

use contracts::toguna::{
    log::v1::{Basis, Certainty, EventRecord, RecordCorrected, Source},
    r#type::v1 as types,
};
use jiff::{Timestamp, civil, tz::TimeZone};
use prost::{Message, Name};
use prost_types::Any;

use crate::{Clocks, Facts, Log};

/// Everything that was recorded, in order, a second after the other from 2026-11-23 on.
#[derive(Debug, Clone, Default)]
pub(crate) struct Chronicle {
    records: Vec<(Log, EventRecord)>,
    versions: HashMap<String, u64>,
    positions: HashMap<Log, u64>,
}

/// A date as exactly as it is known: `2016-04-15`, `2016-04`, `2016`; empty: not known.
pub(crate) fn date(text: &str) -> Option<types::Date> {
    let mut parts = text.split('-').map(|part| part.parse::<i32>().unwrap_or(0));
    let year = parts.next().filter(|year| *year > 0)?;
    Some(types::Date { year, month: parts.next().unwrap_or(0), day: parts.next().unwrap_or(0) })
}

/// Whole euros.
#[expect(clippy::unnecessary_wraps, reason = "as the fields of messages are")]
pub(crate) fn eur(euros: i64) -> Option<types::Money> {
    Some(types::Money { currency_code: "EUR".into(), minor_units: euros * 100 })
}

/// An official title in French.
#[expect(clippy::unnecessary_wraps, reason = "as the fields of messages are")]
pub(crate) fn fr(text: &str) -> Option<types::LocalizedText> {
    let text = types::Text { text: text.into(), origin: types::TextOrigin::Official.into() };
    Some(types::LocalizedText { fr: Some(text), en: None })
}

/// As of the evening of a day, as known in the end.
pub(crate) fn as_of(day: &str) -> Clocks {
    Clocks { as_of: day.parse().expect("a day"), known_at: None }
}

/// As of the evening of a day, as known when the n-th record of all was the last one.
pub(crate) fn known_after(records: usize, day: &str) -> Clocks {
    Clocks { known_at: Some(recorded_at(records)), ..as_of(day) }
}

/// When the n-th record was made, counted from 1.
pub(crate) fn recorded_at(nth: usize) -> Timestamp {
    let start = TimeZone::UTC.to_timestamp(civil::date(2026, 11, 23).at(8, 0, 0, 0)).expect("a time").as_second();
    Timestamp::from_second(start + i64::try_from(nth).expect("few records")).expect("a time")
}

impl Chronicle {
    /// Records an event of the organisation itself, as exactly as its source says.
    pub fn record<M: Message + Name>(&mut self, log: Log, stream: &str, on: &str, event: &M) -> &mut EventRecord {
        let version = self.versions.entry(stream.to_owned()).or_default();
        *version += 1;
        let position = self.positions.entry(log).or_default();
        *position += 1;
        let time = recorded_at(self.records.len() + 1);
        let record = EventRecord {
            position: *position,
            epoch: vec![7; 16],
            stream: stream.into(),
            version: *version,
            r#type: M::full_name(),
            payload: event.encode_to_vec(),
            recorded_at: Some(prost_types::Timestamp { seconds: time.as_second(), nanos: 0 }),
            effective_on: date(on),
            on_behalf_of: "partners/eu".into(),
            basis: Basis::Act.into(),
            certainty: Certainty::Exact.into(),
            ..EventRecord::default()
        };
        self.records.push((log, record));
        &mut self.records.last_mut().expect("one was just added").1
    }

    /// Records that a second person confirmed what is right in the place of a record.
    pub fn correct<M: Message + Name>(
        &mut self,
        log: Log,
        stream: &str,
        mistaken_version: u64,
        on: &str,
        right: &M,
    ) -> &mut EventRecord {
        let right = Any { type_url: format!("type.googleapis.com/{}", M::full_name()), value: right.encode_to_vec() };
        let event =
            RecordCorrected { proposal_version: 0, mistaken_version, right: Some(right), effective_on: date(on) };
        self.record(log, stream, "", &event)
    }

    /// How many records there are.
    pub fn len(&self) -> usize {
        self.records.len()
    }

    /// Everything, folded.
    pub fn facts(&self) -> Facts {
        self.facts_up_to(self.len())
    }

    /// The first records, folded.
    pub fn facts_up_to(&self, records: usize) -> Facts {
        let mut facts = Facts::default();
        for (log, record) in &self.records[..records] {
            facts.push(*log, record).expect("it is understood and in order");
        }
        facts
    }

    /// All records.
    pub fn records(&self) -> &[(Log, EventRecord)] {
        &self.records
    }
}

/// Says in which document of which date it can be read.
pub(crate) fn issued(on: &str) -> Vec<Source> {
    vec![Source { title: "a document".into(), issued_on: date(on), ..Source::default() }]
}
