//! Which events a reader of the log wants, told from the few fields of the stored bytes that say so.

use bytes::Buf as _;
use event_sourcing::StreamName;
use prost::encoding::{DecodeContext, WireType, decode_key, decode_varint, skip_field};

use crate::DecodeError;

/// Which events. One matches that matches everything that is set; with nothing set, every event does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct EventFilter {
    /// Of this stream.
    pub stream: Option<StreamName>,
    /// Of streams of this category.
    pub category: Option<String>,
    /// Of one of these types, by full proto name; none: of any.
    pub types: Vec<String>,
    /// Acts of this organisation, or recorded by it.
    pub organisation: Option<String>,
}

impl EventFilter {
    /// Whether every event matches.
    pub fn takes_all(&self) -> bool {
        *self == Self::default()
    }

    /// Whether a stream's name is all that is asked for.
    pub(crate) fn takes_whole_stream(&self) -> bool {
        self.stream.is_some() && Self { stream: None, ..self.clone() }.takes_all()
    }

    /// Whether the event of a stored record matches. Only the fields that this rests on are read.
    pub fn matches(&self, record: &[u8]) -> Result<bool, DecodeError> {
        if self.takes_all() {
            return Ok(true);
        }
        let glance = Glance::at(record)?;
        let category = glance.stream.split(|byte| *byte == b'/').next().unwrap_or_default();
        let of_organisation =
            |organisation: &String| [glance.on_behalf_of, glance.actor_organisation].contains(&organisation.as_bytes());
        Ok(self.stream.as_ref().is_none_or(|stream| stream.as_str().as_bytes() == glance.stream)
            && self.category.as_ref().is_none_or(|wanted| wanted.as_bytes() == category)
            && (self.types.is_empty() || self.types.iter().any(|wanted| wanted.as_bytes() == glance.event_type))
            && self.organisation.as_ref().is_none_or(of_organisation))
    }
}

/// What of an `EventRecord` a filter looks at, within its bytes.
#[derive(Default)]
struct Glance<'a> {
    stream: &'a [u8],
    event_type: &'a [u8],
    on_behalf_of: &'a [u8],
    actor_organisation: &'a [u8],
}

/// Numbers of the fields of `EventRecord` in `proto/toguna/log/v1/record.proto`.
const STREAM: u32 = 3;
const TYPE: u32 = 6;
const ACTOR: u32 = 10;
const ON_BEHALF_OF: u32 = 11;
/// Number of the field of `Actor`.
const ORGANISATION: u32 = 3;

impl<'a> Glance<'a> {
    fn at(record: &'a [u8]) -> Result<Self, DecodeError> {
        let mut glance = Self::default();
        let mut actor = None;
        each_field(record, |number, bytes| match number {
            STREAM => glance.stream = bytes,
            TYPE => glance.event_type = bytes,
            ON_BEHALF_OF => glance.on_behalf_of = bytes,
            ACTOR => actor = Some(bytes),
            _ => {}
        })?;
        each_field(actor.unwrap_or_default(), |number, bytes| {
            if number == ORGANISATION {
                glance.actor_organisation = bytes;
            }
        })?;
        Ok(glance)
    }
}

/// Gives every field of a message that has bytes (texts, messages) to `each`, and passes over the others.
fn each_field<'a>(message: &'a [u8], mut each: impl FnMut(u32, &'a [u8])) -> Result<(), DecodeError> {
    let mut rest = message;
    while rest.has_remaining() {
        let (number, wire_type) = decode_key(&mut rest)?;
        if wire_type == WireType::LengthDelimited {
            let length = usize::try_from(decode_varint(&mut rest)?).unwrap_or(usize::MAX);
            let (bytes, after) = rest.split_at_checked(length).ok_or(DecodeError::Invalid("the length of a field"))?;
            each(number, bytes);
            rest = after;
        } else {
            skip_field(wire_type, number, &mut rest, DecodeContext::default())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use contracts::toguna::log::v1::{Actor, EventRecord, Source};
    use proptest::prelude::*;
    use prost::Message as _;

    use super::*;

    fn record() -> EventRecord {
        EventRecord {
            position: 7,
            epoch: vec![1; 16],
            stream: "agreements/ml-fr-1994-circulation".to_owned(),
            version: 3,
            r#type: "toguna.partnerships.events.v1.AgreementSigned".to_owned(),
            payload: vec![9; 300],
            recorded_at: Some(prost_types::Timestamp { seconds: 5, nanos: 6 }),
            actor: Some(Actor { organisation: "partners/fr".to_owned(), ..Actor::default() }),
            on_behalf_of: "partners/ml".to_owned(),
            sources: vec![Source::default(), Source::default()],
            ..EventRecord::default()
        }
    }

    fn takes(filter: &EventFilter) -> bool {
        filter.matches(&record().encode_to_vec()).expect("a record")
    }

    #[test]
    fn an_event_matches_everything_that_is_asked_for() {
        let stream = |name: &str| EventFilter { stream: Some(name.parse().expect("a name")), ..EventFilter::default() };
        let category = |it: &str| EventFilter { category: Some(it.to_owned()), ..EventFilter::default() };
        let of = |it: &str| EventFilter { organisation: Some(it.to_owned()), ..EventFilter::default() };
        let types = |it: &[&str]| EventFilter {
            types: it.iter().map(|it| format!("toguna.partnerships.events.v1.{it}")).collect(),
            ..EventFilter::default()
        };
        assert!(takes(&EventFilter::default()));
        assert!(takes(&stream("agreements/ml-fr-1994-circulation")) && !takes(&stream("agreements/ml-fr-1994")));
        assert!(takes(&category("agreements")) && !takes(&category("agreement")) && !takes(&category("dialogues")));
        assert!(takes(&types(&["AgreementDenounced", "AgreementSigned"])) && !takes(&types(&["AgreementDenounced"])));
        assert!(takes(&of("partners/ml")), "its act");
        assert!(takes(&of("partners/fr")), "recorded by it");
        assert!(!takes(&of("partners/ne")));
        assert!(takes(&EventFilter { category: Some("agreements".to_owned()), ..of("partners/ml") }));
        assert!(!takes(&EventFilter { category: Some("dialogues".to_owned()), ..of("partners/ml") }));
    }

    proptest! {
        #[test]
        fn a_glance_sees_what_decoding_sees_and_never_panics(bytes in proptest::collection::vec(any::<u8>(), 0..64), at in 0_usize..500) {
            let mut damaged = record().encode_to_vec();
            let at = at.min(damaged.len());
            damaged.splice(at..at, bytes);
            match (EventRecord::decode(damaged.as_slice()), Glance::at(&damaged)) {
                (Ok(record), Ok(glance)) => {
                    prop_assert_eq!(record.stream.as_bytes(), glance.stream);
                    prop_assert_eq!(record.r#type.as_bytes(), glance.event_type);
                    prop_assert_eq!(record.on_behalf_of.as_bytes(), glance.on_behalf_of);
                }
                (Ok(_), Err(error)) => prop_assert!(false, "what can be decoded can be glanced at: {}", error),
                (Err(_), _) => {}
            }
        }
    }
}
