//! The stored bytes of an event.

use bytes::Bytes;
use contracts::toguna::log::v1::EventRecord;
use event_sourcing::{Act, Timestamp};
use prost::Message as _;
use uuid::Uuid;

use crate::{CommandMeta, DecodeError, Epoch, StoreError, act, unit::Staged};

/// Largest record that is stored, in bytes.
pub const MAX_RECORD_BYTES: usize = 65_535;

/// An event of the log as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredEvent {
    /// Its place in the log.
    pub position: u64,
    /// The bytes of its [`EventRecord`].
    pub record: Bytes,
}

impl StoredEvent {
    /// Reads the record.
    pub fn decode(&self) -> Result<EventRecord, StoreError> {
        EventRecord::decode(self.record.clone())
            .map_err(|error| StoreError::Record { position: self.position, source: DecodeError::Protobuf(error) })
    }
}

/// An event with everything but its place in the log.
pub(crate) fn prepare(staged: &Staged, act: &Act, meta: &CommandMeta, recorded_at: Timestamp) -> EventRecord {
    let event_id = Uuid::now_v7();
    let mut record = EventRecord {
        stream: staged.stream.to_string(),
        version: staged.version,
        event_id: event_id.as_bytes().to_vec(),
        r#type: staged.payload.type_name.clone(),
        payload: staged.payload.bytes.clone(),
        recorded_at: Some(act::timestamp_to_proto(recorded_at)),
        effective_on: staged.effective_on.map(act::date_to_proto),
        request_id: meta.request_id.as_bytes().to_vec(),
        content_hash: meta.content_hash.to_vec(),
        // A command that nothing else led to begins its own undertaking.
        correlation_id: meta.correlation_id.unwrap_or(meta.request_id).as_bytes().to_vec(),
        causation_id: meta.causation_id.map(|id| id.as_bytes().to_vec()).unwrap_or_default(),
        traceparent: meta.traceparent.clone(),
        ..EventRecord::default()
    };
    act::into_record(act, &mut record);
    record
}

/// Gives a prepared event its place and encodes it, once and for ever.
pub(crate) fn seal(record: &mut EventRecord, position: u64, epoch: Epoch) -> Vec<u8> {
    record.position = position;
    record.epoch = epoch.as_bytes().to_vec();
    record.encode_to_vec()
}

/// The largest size that a prepared event can have once it has its place.
pub(crate) fn sealed_len(record: &EventRecord) -> usize {
    /// Position (1 + 10) and epoch (2 + 16), in protobuf.
    const PLACE: usize = 11 + 18;
    record.encoded_len() + PLACE
}
