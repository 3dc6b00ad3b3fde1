//! Between an aggregate's events and stored bytes.

use std::sync::Arc;

use contracts::toguna::log::v1 as pb;
use event_sourcing::{Aggregate, Correction, Entry, Recorded};
use prost::Name;
use prost_types::Any;

use crate::{DecodeError, act};

/// An event as it is stored: the full name of its message type, and the message.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payload {
    /// Full proto name.
    pub type_name: String,
    /// The encoded message.
    pub bytes: Vec<u8>,
}

impl Payload {
    /// Encodes a message under its own name.
    pub fn of<M: prost::Message + Name>(message: &M) -> Self {
        Self { type_name: M::full_name(), bytes: message.encode_to_vec() }
    }

    /// Decodes it, if it is such a message; `None`: it is of another type.
    pub fn to<M: prost::Message + Name + Default>(&self) -> Option<Result<M, DecodeError>> {
        (self.type_name == M::full_name()).then(|| Ok(M::decode(self.bytes.as_slice())?))
    }

    /// The same, to stand within another message.
    pub fn to_any(&self) -> Any {
        Any { type_url: format!("type.googleapis.com/{}", self.type_name), value: self.bytes.clone() }
    }
}

/// Tries one message type after the other: how a service's `codec.rs` reads its events.
pub struct Decoding<'a, E> {
    payload: &'a Payload,
    event: Option<Result<E, DecodeError>>,
}

impl<'a, E> Decoding<'a, E> {
    /// Nothing tried yet.
    pub fn of(payload: &'a Payload) -> Self {
        Self { payload, event: None }
    }

    /// If it is such a message, this is its event.
    #[must_use]
    pub fn or<M: prost::Message + Name + Default>(mut self, event: impl FnOnce(M) -> Result<E, DecodeError>) -> Self {
        if self.event.is_none() {
            self.event = self.payload.to::<M>().map(|message| event(message?));
        }
        self
    }

    /// The event, or that no type tried is its type.
    pub fn finish(self) -> Result<E, DecodeError> {
        self.event.unwrap_or_else(|| Err(DecodeError::UnknownType(self.payload.type_name.clone())))
    }
}

/// An aggregate whose events can be stored. Implemented in a service's `codec.rs`, the only file that knows both.
pub trait Stored: Aggregate {
    /// The stored form of an event.
    fn encode(event: &Self::Event) -> Payload;
    /// The event of a stored form; older forms are brought up to date here.
    fn decode(payload: &Payload) -> Result<Self::Event, DecodeError>;
}

pub(crate) fn encode_entry<A: Stored>(entry: &Entry<A::Event>) -> Payload {
    let any = |correction: &Correction<A::Event>| Some(A::encode(&correction.right).to_any());
    match entry {
        Entry::Fact(event) => A::encode(event),
        Entry::CorrectionProposed(correction) => Payload::of(&pb::CorrectionProposed {
            mistaken_version: correction.mistaken_version,
            right: any(correction),
            effective_on: correction.effective_on.map(act::date_to_proto),
        }),
        Entry::Corrected { proposal_version, correction } => Payload::of(&pb::RecordCorrected {
            proposal_version: *proposal_version,
            mistaken_version: correction.mistaken_version,
            right: any(correction),
            effective_on: correction.effective_on.map(act::date_to_proto),
        }),
    }
}

pub(crate) fn decode_entry<A: Stored>(payload: &Payload) -> Result<Entry<A::Event>, DecodeError> {
    if let Some(proposed) = payload.to::<pb::CorrectionProposed>() {
        let proposed = proposed?;
        let correction = correction::<A>(proposed.mistaken_version, proposed.right, proposed.effective_on)?;
        return Ok(Entry::CorrectionProposed(correction));
    }
    if let Some(corrected) = payload.to::<pb::RecordCorrected>() {
        let corrected = corrected?;
        let correction = correction::<A>(corrected.mistaken_version, corrected.right, corrected.effective_on)?;
        return Ok(Entry::Corrected { proposal_version: corrected.proposal_version, correction });
    }
    A::decode(payload).map(Entry::Fact)
}

fn correction<A: Stored>(
    mistaken_version: u64,
    right: Option<Any>,
    effective_on: Option<contracts::toguna::r#type::v1::Date>,
) -> Result<Correction<A::Event>, DecodeError> {
    Ok(Correction {
        mistaken_version,
        right: A::decode(&any_payload(right.ok_or(DecodeError::Missing("right"))?))?,
        effective_on: effective_on.as_ref().map(act::date_from_proto).transpose()?,
    })
}

/// What an `Any` holds, under its full name.
pub fn any_payload(any: Any) -> Payload {
    let type_name = any.type_url.rsplit('/').next().unwrap_or_default().to_owned();
    Payload { type_name, bytes: any.value }
}

/// Reads one stored record as an entry of an aggregate's stream.
pub fn decode_record<A: Stored>(record: &pb::EventRecord) -> Result<Recorded<Entry<A::Event>>, DecodeError> {
    let payload = Payload { type_name: record.r#type.clone(), bytes: record.payload.clone() };
    Ok(Recorded {
        version: record.version,
        event: decode_entry::<A>(&payload)?,
        effective_on: record.effective_on.as_ref().map(act::date_from_proto).transpose()?,
        recorded_at: act::timestamp_from_proto(record.recorded_at.as_ref())?,
        corrected_at: None,
        act: Arc::new(act::from_record(record)?),
    })
}
