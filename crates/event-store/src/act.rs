//! Between an act and the fields of its events' records.

use contracts::toguna::{log::v1 as pb, r#type::v1 as types};
use event_sourcing::{Act, Actor, Basis, Certainty, PartialDate, Source, Timestamp};

use crate::DecodeError;

/// A date on the wire: 0 for what is not known of it.
pub fn date_to_proto(date: PartialDate) -> types::Date {
    let (year, month, day) = date.parts();
    types::Date { year: year.into(), month: month.unwrap_or(0).into(), day: day.unwrap_or(0).into() }
}

/// A date from the wire.
pub fn date_from_proto(date: &types::Date) -> Result<PartialDate, DecodeError> {
    let part = |number: i32| i8::try_from(number).map_err(|_| DecodeError::Invalid("date"));
    let year = i16::try_from(date.year).map_err(|_| DecodeError::Invalid("date"))?;
    match (part(date.month)?, part(date.day)?) {
        (0, 0) => PartialDate::year(year),
        (month, 0) => PartialDate::month(year, month),
        (month, day) => PartialDate::day(year, month, day),
    }
    .map_err(|_| DecodeError::Invalid("date"))
}

pub(crate) fn timestamp_to_proto(time: Timestamp) -> prost_types::Timestamp {
    prost_types::Timestamp { seconds: time.as_second(), nanos: time.subsec_nanosecond() }
}

pub(crate) fn timestamp_from_proto(time: Option<&prost_types::Timestamp>) -> Result<Timestamp, DecodeError> {
    let time = time.ok_or(DecodeError::Missing("recorded_at"))?;
    Timestamp::new(time.seconds, time.nanos).map_err(|_| DecodeError::Invalid("recorded_at"))
}

/// Writes an act into a record.
pub(crate) fn into_record(act: &Act, record: &mut pb::EventRecord) {
    record.actor = Some(pb::Actor {
        issuer: act.actor.issuer.clone(),
        subject: act.actor.subject.clone(),
        organisation: act.actor.organisation.clone(),
        roles: act.actor.roles.clone(),
    });
    record.on_behalf_of.clone_from(&act.on_behalf_of);
    record.basis = match act.basis {
        Basis::Act => pb::Basis::Act,
        Basis::RecordedFromSource => pb::Basis::RecordedFromSource,
    }
    .into();
    record.certainty = match act.certainty {
        Certainty::Exact => pb::Certainty::Exact,
        Certainty::Inferred => pb::Certainty::Inferred,
        Certainty::Illustrative => pb::Certainty::Illustrative,
    }
    .into();
    record.reason.clone_from(&act.reason);
    record.sources = act.sources.iter().map(source_to_proto).collect();
}

/// The act of a record; its date is the record's, its day that of the recording.
pub fn from_record(record: &pb::EventRecord) -> Result<Act, DecodeError> {
    let actor = record.actor.clone().ok_or(DecodeError::Missing("actor"))?;
    let recorded_at = timestamp_from_proto(record.recorded_at.as_ref())?;
    Ok(Act {
        actor: Actor {
            issuer: actor.issuer,
            subject: actor.subject,
            organisation: actor.organisation,
            roles: actor.roles,
        },
        on_behalf_of: record.on_behalf_of.clone(),
        basis: match record.basis() {
            pb::Basis::Act => Basis::Act,
            pb::Basis::RecordedFromSource => Basis::RecordedFromSource,
            pb::Basis::Unspecified => return Err(DecodeError::Missing("basis")),
        },
        effective_on: record.effective_on.as_ref().map(date_from_proto).transpose()?,
        sources: record.sources.iter().map(source_from_proto).collect::<Result<_, _>>()?,
        certainty: match record.certainty() {
            pb::Certainty::Exact => Certainty::Exact,
            pb::Certainty::Inferred => Certainty::Inferred,
            pb::Certainty::Illustrative => Certainty::Illustrative,
            pb::Certainty::Unspecified => return Err(DecodeError::Missing("certainty")),
        },
        reason: record.reason.clone(),
        today: jiff::tz::TimeZone::UTC.to_datetime(recorded_at).date(),
    })
}

/// A source on the wire.
pub fn source_to_proto(source: &Source) -> pb::Source {
    pb::Source {
        title: source.title.clone(),
        kind: source.kind.clone(),
        issuer: source.issuer.clone(),
        issued_on: source.issued_on.map(date_to_proto),
        language_code: source.language_code.clone(),
        location: source.location.clone(),
        sha256: source.sha256.map(|hash| hash.to_vec()).unwrap_or_default(),
    }
}

/// A source from the wire.
pub fn source_from_proto(source: &pb::Source) -> Result<Source, DecodeError> {
    Ok(Source {
        title: source.title.clone(),
        kind: source.kind.clone(),
        issuer: source.issuer.clone(),
        issued_on: source.issued_on.as_ref().map(date_from_proto).transpose()?,
        language_code: source.language_code.clone(),
        location: source.location.clone(),
        sha256: match source.sha256.as_slice() {
            [] => None,
            bytes => Some(bytes.try_into().map_err(|_| DecodeError::Invalid("sha256"))?),
        },
    })
}
