//! One event as a message: subject, headers, payload.

use async_nats::{
    HeaderMap, Subject,
    header::{HeaderName, HeaderValue},
};
use bytes::Bytes;
use contracts::toguna::log::v1::EventRecord;
use event_sourcing::Timestamp;
use prost::Message as _;
use uuid::Uuid;

use super::NatsError;
use crate::{Epoch, StoredEvent, trace};

/// Names the epoch of the log at the time of publishing. The record's own epoch may be an earlier one of the same log:
/// that in which it was written.
const EPOCH: HeaderName = HeaderName::from_static("Toguna-Epoch");

const CE_ID: HeaderName = HeaderName::from_static("ce-id");
const CE_TYPE: HeaderName = HeaderName::from_static("ce-type");
const CE_SUBJECT: HeaderName = HeaderName::from_static("ce-subject");
const CE_SEQUENCE: HeaderName = HeaderName::from_static("ce-sequence");
const CE_TIME: HeaderName = HeaderName::from_static("ce-time");
const TRACEPARENT: HeaderName = HeaderName::from_static("traceparent");

/// A message of the stream: whether it is a record is not looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct PublishedMessage {
    /// Its sequence.
    pub sequence: u64,
    /// The log's epoch when it was published, as it says.
    pub epoch: Epoch,
    /// What should be the stored bytes.
    pub bytes: Bytes,
}

/// An event as the stream holds it.
#[derive(Debug, Clone)]
pub(crate) struct PublishedRecord {
    /// Its sequence, which is its position.
    pub position: u64,
    /// The log's epoch when it was published.
    pub epoch: Epoch,
    /// The stored bytes.
    pub bytes: Bytes,
    /// The same, decoded.
    pub record: EventRecord,
}

impl PublishedMessage {
    /// Reads a message as the stream gives it by its sequence.
    pub fn read(message: async_nats::Message) -> Result<Self, NatsError> {
        let headers = message.headers.as_ref();
        let sequence = headers.and_then(|headers| headers.get_last(async_nats::header::NATS_SEQUENCE));
        let sequence = sequence.and_then(|sequence| sequence.as_str().parse().ok()).unwrap_or_default();
        let epoch = headers.and_then(|headers| headers.get(EPOCH)).and_then(|epoch| epoch.as_str().parse().ok());
        let epoch = epoch.ok_or(NatsError::NotARecord { sequence, problem: "it names no epoch" })?;
        Ok(Self { sequence, epoch, bytes: message.payload })
    }

    /// Reads the record, which must say the same place as the message.
    pub fn record(self) -> Result<PublishedRecord, NatsError> {
        let Self { sequence, epoch, bytes } = self;
        let not = |problem| NatsError::NotARecord { sequence, problem };
        let record = EventRecord::decode(bytes.clone()).map_err(|_| not("its payload cannot be decoded"))?;
        if record.position != sequence {
            return Err(not("it has another position than sequence"));
        }
        Ok(PublishedRecord { position: sequence, epoch, bytes, record })
    }

    /// Whether it is this event, byte for byte.
    pub fn is_copy_of(&self, event: &StoredEvent) -> bool {
        self.sequence == event.position && self.bytes == event.record
    }
}

/// What a message says of its record beside the record itself. Only these fields are read: the rest of the bytes goes
/// out as it came.
#[derive(Clone, PartialEq, prost::Message)]
struct Label {
    #[prost(uint64, tag = "1")]
    position: u64,
    #[prost(string, tag = "3")]
    stream: String,
    #[prost(bytes = "bytes", tag = "5")]
    event_id: Bytes,
    #[prost(string, tag = "6")]
    r#type: String,
    #[prost(message, optional, tag = "8")]
    recorded_at: Option<prost_types::Timestamp>,
    #[prost(string, tag = "20")]
    traceparent: String,
}

/// What all subjects of a log begin with.
pub(crate) fn subject_prefix(log: &str) -> String {
    format!("toguna.v1.{log}")
}

/// Makes the messages of a log's epoch.
pub(crate) struct Stamp {
    subject_prefix: String,
    id_prefix: String,
    /// The headers that all messages share.
    headers: HeaderMap,
}

impl Stamp {
    pub fn new(log: &str, epoch: Epoch) -> Self {
        let mut headers = HeaderMap::new();
        headers.insert(EPOCH, epoch.to_string());
        headers.insert("ce-specversion", "1.0");
        headers.insert("ce-source", format!("/{log}"));
        headers.insert("content-type", "application/protobuf");
        headers.insert("ce-dataschema", "toguna.log.v1.EventRecord");
        Self { subject_prefix: subject_prefix(log), id_prefix: format!("{log}-{epoch}-"), headers }
    }

    /// An event's subject, its headers, and the `traceparent` of its command; empty: it has none.
    ///
    /// The subject is `toguna.v1.<log>.<category>.<EventName>`: few different ones, never an id in one. The headers are
    /// the `CloudEvents` 1.0 attributes in binary mode, the epoch, the trace, and the id by which JetStream knows a
    /// repeated message.
    pub fn of(&self, event: &StoredEvent) -> Result<(Subject, HeaderMap, String), NatsError> {
        let sequence = event.position;
        let not = |problem| NatsError::NotARecord { sequence, problem };
        let label = Label::decode(event.record.clone()).map_err(|_| not("its payload cannot be decoded"))?;
        if label.position != sequence {
            return Err(not("it has another position than sequence"));
        }
        let category = label.stream.split('/').next().unwrap_or_default();
        let name = label.r#type.rsplit('.').next().unwrap_or_default();
        let subject = format!("{}.{category}.{name}", self.subject_prefix).into();
        let mut headers = self.headers.clone();
        let mut put = |name: HeaderName, value: String| {
            // What cannot stand in a header stays in the record.
            if let Ok(value) = value.parse::<HeaderValue>() {
                headers.insert(name, value);
            }
        };
        put(async_nats::header::NATS_MESSAGE_ID, format!("{}{sequence}", self.id_prefix));
        put(CE_SEQUENCE, sequence.to_string());
        put(CE_ID, Uuid::from_slice(&label.event_id).unwrap_or_default().to_string());
        put(CE_TYPE, label.r#type);
        put(CE_SUBJECT, label.stream);
        let recorded_at = label.recorded_at.unwrap_or_default();
        if let Ok(time) = Timestamp::new(recorded_at.seconds, recorded_at.nanos) {
            put(CE_TIME, time.to_string());
        }
        let mut trace = label.traceparent;
        if trace::context_of(&trace).is_some() {
            put(TRACEPARENT, trace.clone());
        } else {
            trace.clear();
        }
        Ok((subject, headers, trace))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record() -> EventRecord {
        EventRecord {
            position: 7,
            stream: "agreements/ml-fr-1994-circulation".to_owned(),
            event_id: Uuid::from_u128(9).as_bytes().to_vec(),
            r#type: "toguna.partnerships.events.v1.AgreementSigned".to_owned(),
            recorded_at: Some(prost_types::Timestamp { seconds: 1_795_000_000, nanos: 0 }),
            traceparent: "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01".to_owned(),
            reason: "what no header repeats".to_owned(),
            ..EventRecord::default()
        }
    }

    fn message(record: &EventRecord) -> (Subject, HeaderMap, String) {
        let event = StoredEvent { position: 7, record: record.encode_to_vec().into() };
        Stamp::new("partnerships", Epoch::from(Uuid::from_u128(3))).of(&event).expect("a record")
    }

    #[test]
    fn a_subject_names_the_log_the_category_and_the_event_and_no_id() {
        assert_eq!(message(&record()).0.as_str(), "toguna.v1.partnerships.agreements.AgreementSigned");
    }

    #[test]
    fn a_message_is_a_cloud_event_of_its_epoch_in_its_trace() {
        let (epoch, (_, headers, trace)) = (Epoch::from(Uuid::from_u128(3)), message(&record()));
        let value = |name: &str| headers.get(name).map(|value| value.as_str().to_owned()).unwrap_or_default();
        assert_eq!(value("Nats-Msg-Id"), format!("partnerships-{epoch}-7"));
        assert_eq!(value("Toguna-Epoch"), epoch.to_string());
        assert_eq!(value("ce-specversion"), "1.0");
        assert_eq!(value("ce-source"), "/partnerships");
        assert_eq!(value("ce-id"), Uuid::from_u128(9).to_string());
        assert_eq!(value("ce-type"), "toguna.partnerships.events.v1.AgreementSigned");
        assert_eq!(value("ce-subject"), "agreements/ml-fr-1994-circulation");
        assert_eq!(value("ce-sequence"), "7");
        assert_eq!(value("ce-time"), "2026-11-18T11:06:40Z");
        assert_eq!(value("traceparent"), record().traceparent);
        assert_eq!(trace, record().traceparent);
    }

    #[test]
    fn a_trace_context_that_is_none_does_not_reach_the_headers() {
        let record = EventRecord { traceparent: "00-zz\r\nNats-Rollup: all".to_owned(), ..record() };
        let (_, headers, trace) = message(&record);
        assert_eq!((headers.get("traceparent"), trace.as_str()), (None, ""));
    }

    #[test]
    fn a_record_of_another_position_is_not_published() {
        let event = StoredEvent { position: 8, record: record().encode_to_vec().into() };
        let refused = Stamp::new("partnerships", Epoch::from(Uuid::nil())).of(&event);
        assert!(matches!(refused, Err(NatsError::NotARecord { sequence: 8, .. })));
    }
}
