//! What resources show of facts, and the form of the periods in them.

use contracts::toguna::{log::v1 as log, r#type::v1 as types};
use event_sourcing::{Date, Period, Recorded};

use crate::{DecodeError, act};

/// A span of days on the wire; one without any end stays unset.
pub fn period_to_proto(period: Period) -> Option<types::Period> {
    let day = |day: Date| act::date_to_proto(day.into());
    (period != Period::default()).then(|| types::Period { start: period.start.map(day), end: period.end.map(day) })
}

/// A span of days from the wire; unset: without any end.
pub fn period_from_proto(period: Option<&types::Period>) -> Result<Period, DecodeError> {
    let Some(period) = period else { return Ok(Period::default()) };
    let exact = |date: &types::Date| act::date_from_proto(date)?.exact().ok_or(DecodeError::Invalid("period"));
    Ok(Period {
        start: period.start.as_ref().map(exact).transpose()?,
        end: period.end.as_ref().map(exact).transpose()?,
    })
}

/// What a resource says of the record of one of its facts.
pub fn provenance<T>(fact: &Recorded<T>) -> log::Provenance {
    let mut record = log::EventRecord::default();
    act::into_record(&fact.act, &mut record);
    log::Provenance {
        version: fact.version,
        effective_on: fact.effective_on.map(act::date_to_proto),
        recorded_at: Some(act::timestamp_to_proto(fact.recorded_at)),
        on_behalf_of: record.on_behalf_of,
        basis: record.basis,
        certainty: record.certainty,
        reason: record.reason,
        sources: record.sources,
    }
}
