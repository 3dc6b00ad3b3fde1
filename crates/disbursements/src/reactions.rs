//! What other services' logs say of agreements and commitments is entered into ours, so that whoever reads this log can
//! repeat every decision that rests on them.

mod record_agreement_standings;
mod record_commitment_standings;

use contracts::toguna::log::v1::{EventRecord, RecordCorrected};
use event_store::{
    DecodeError, Draft, PartialDate, Payload, ReactionCommand, Stored, StreamName, any_payload, date_from_proto,
};

pub use record_agreement_standings::RecordAgreementStandings;
pub use record_commitment_standings::RecordCommitmentStandings;

use crate::domain::standing::{Fact, Standing, StandingRecorded};

/// A record as it stands: itself, or what a correction puts in its place.
struct Said {
    /// Version of the record in its stream.
    version: u64,
    /// What it says.
    payload: Payload,
    /// When that happened; for a correction that leaves the date, the date is the one known before.
    date: SaidOn,
    /// Whether it is what a correction says: it mends what was entered, and nothing else.
    mends: bool,
}

#[derive(Clone, Copy)]
enum SaidOn {
    /// This date; `None`: not known.
    Date(Option<PartialDate>),
    /// As was known of this record.
    AsKnown,
}

fn payload_of(record: &EventRecord) -> Payload {
    Payload { type_name: record.r#type.clone(), bytes: record.payload.clone() }
}

/// What a record, or the correction that it is, says.
fn said(record: &EventRecord) -> Result<Said, DecodeError> {
    let payload = payload_of(record);
    let date = |date: &contracts::toguna::r#type::v1::Date| date_from_proto(date);
    if let Some(corrected) = payload.to::<RecordCorrected>() {
        let corrected = corrected?;
        let date = corrected.effective_on.as_ref().map(date).transpose()?;
        return Ok(Said {
            version: corrected.mistaken_version,
            payload: any_payload(corrected.right.ok_or(DecodeError::Missing("right"))?),
            date: date.map_or(SaidOn::AsKnown, |date| SaidOn::Date(Some(date))),
            mends: true,
        });
    }
    let date = SaidOn::Date(record.effective_on.as_ref().map(date).transpose()?);
    Ok(Said { version: record.version, payload, date, mends: false })
}

/// The command that enters a fact into our log: from then on it is what the record of that version says. What was never
/// entered is not mended either.
fn enter<F: Fact>(subject: StreamName, said: &Said, fact: F) -> ReactionCommand
where
    Standing<F>: Stored<Event = StandingRecorded<F>>,
{
    let Said { version, date, mends, .. } = *said;
    Box::new(move |unit| {
        let stream = Standing::<F>::stream_of(&subject);
        let known = unit.load::<Standing<F>>(&stream)?.state().date_of(version);
        if mends && known.is_none() {
            return Ok(());
        }
        let effective_on = match date {
            SaidOn::Date(date) => date,
            SaidOn::AsKnown => known.flatten(),
        };
        let event = StandingRecorded { subject: subject.clone(), version, fact };
        unit.record::<Standing<F>>(&stream, vec![Draft { event, effective_on }])
    })
}

#[cfg(test)]
mod tests {
    use contracts::toguna::{partnerships::events::v1 as pb, r#type::v1 as types};
    use prost::Message as _;
    use prost_types::Any;

    use super::*;

    fn date(day: i32) -> types::Date {
        types::Date { year: 2022, month: 11, day }
    }

    fn record<M: prost::Message + prost::Name>(message: &M) -> EventRecord {
        EventRecord {
            version: 9,
            r#type: M::full_name(),
            payload: message.encode_to_vec(),
            effective_on: Some(date(30)),
            ..EventRecord::default()
        }
    }

    fn corrected(effective_on: Option<types::Date>) -> EventRecord {
        let right = pb::AgreementSuspended { party: "partners/mli".into() };
        record(&RecordCorrected {
            proposal_version: 8,
            mistaken_version: 5,
            right: Some(Any {
                type_url: <pb::AgreementSuspended as prost::Name>::type_url(),
                value: right.encode_to_vec(),
            }),
            effective_on,
        })
    }

    #[test]
    fn a_record_speaks_for_itself_and_a_correction_for_the_record_that_it_mends() {
        let itself = said(&record(&pb::AgreementExpired {})).expect("it can be read");
        assert_eq!(itself.version, 9);
        assert!(matches!(itself.date, SaidOn::Date(Some(date)) if date.to_string() == "2022-11-30"));
        let other = said(&corrected(Some(date(21)))).expect("it can be read");
        assert_eq!(other.version, 5);
        assert!(other.payload.to::<pb::AgreementSuspended>().is_some());
        assert!(matches!(other.date, SaidOn::Date(Some(date)) if date.to_string() == "2022-11-21"));
    }

    #[test]
    fn a_correction_that_names_no_date_leaves_the_one_that_is_known() {
        let other = said(&corrected(None)).expect("it can be read");
        assert!(matches!(other.date, SaidOn::AsKnown));
    }
}
