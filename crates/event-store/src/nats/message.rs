//! One event as a message: subject, headers, payload.

use async_nats::{HeaderMap, header::HeaderValue, jetstream::message::StreamMessage};
use bytes::Bytes;
use contracts::toguna::log::v1::EventRecord;
use event_sourcing::Timestamp;
use prost::Message as _;
use uuid::Uuid;

use super::NatsError;
use crate::{Epoch, trace};

/// Names the epoch of the log at the time of publishing. The record's own epoch may be an earlier one of the same log:
/// that in which it was written.
const EPOCH: &str = "Toguna-Epoch";

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

impl PublishedRecord {
    /// Reads a message; the record in it must say the same place as the message.
    pub fn read(message: StreamMessage) -> Result<Self, NatsError> {
        let sequence = message.sequence;
        let not = |problem| NatsError::NotARecord { sequence, problem };
        let epoch = message.headers.get(EPOCH).and_then(|epoch| epoch.as_str().parse().ok());
        let epoch = epoch.ok_or_else(|| not("it names no epoch"))?;
        let record = EventRecord::decode(message.payload.clone()).map_err(|_| not("its payload cannot be decoded"))?;
        if record.position != sequence {
            return Err(not("it has another position than sequence"));
        }
        Ok(Self { position: sequence, epoch, bytes: message.payload, record })
    }
}

/// What all subjects of a log begin with.
pub(crate) fn subject_prefix(log: &str) -> String {
    format!("toguna.v1.{log}")
}

/// `toguna.v1.<log>.<category>.<EventName>`: few different subjects, never an id in one.
pub(crate) fn subject(log: &str, record: &EventRecord) -> String {
    let category = record.stream.split('/').next().unwrap_or_default();
    let event = record.r#type.rsplit('.').next().unwrap_or_default();
    format!("{}.{category}.{event}", subject_prefix(log))
}

/// `CloudEvents` 1.0 attributes in binary mode, the epoch, the trace, and the id by which JetStream knows a repeated
/// message.
pub(crate) fn headers(log: &str, epoch: Epoch, record: &EventRecord) -> HeaderMap {
    let mut headers = HeaderMap::new();
    let mut put = |name: &'static str, value: String| {
        // What cannot stand in a header stays in the record.
        if let Ok(value) = value.parse::<HeaderValue>() {
            headers.insert(name, value);
        }
    };
    put("Nats-Msg-Id", format!("{log}-{epoch}-{}", record.position));
    put(EPOCH, epoch.to_string());
    put("ce-specversion", "1.0".to_owned());
    put("ce-id", Uuid::from_slice(&record.event_id).unwrap_or_default().to_string());
    put("ce-source", format!("/{log}"));
    put("ce-type", record.r#type.clone());
    put("ce-subject", record.stream.clone());
    put("ce-sequence", record.position.to_string());
    let recorded_at = record.recorded_at.unwrap_or_default();
    if let Ok(time) = Timestamp::new(recorded_at.seconds, recorded_at.nanos) {
        put("ce-time", time.to_string());
    }
    put("content-type", "application/protobuf".to_owned());
    put("ce-dataschema", "toguna.log.v1.EventRecord".to_owned());
    if trace::context_of(&record.traceparent).is_some() {
        put("traceparent", record.traceparent.clone());
    }
    headers
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
            ..EventRecord::default()
        }
    }

    #[test]
    fn a_subject_names_the_log_the_category_and_the_event_and_no_id() {
        assert_eq!(subject("partnerships", &record()), "toguna.v1.partnerships.agreements.AgreementSigned");
    }

    #[test]
    fn a_message_is_a_cloud_event_of_its_epoch_in_its_trace() {
        let epoch = Epoch::from(Uuid::from_u128(3));
        let headers = headers("partnerships", epoch, &record());
        let value = |name: &str| headers.get(name).map(|value| value.as_str().to_owned()).unwrap_or_default();
        assert_eq!(value("Nats-Msg-Id"), format!("partnerships-{epoch}-7"));
        assert_eq!(value("Toguna-Epoch"), epoch.to_string());
        assert_eq!(value("ce-specversion"), "1.0");
        assert_eq!(value("ce-id"), Uuid::from_u128(9).to_string());
        assert_eq!(value("ce-type"), "toguna.partnerships.events.v1.AgreementSigned");
        assert_eq!(value("ce-subject"), "agreements/ml-fr-1994-circulation");
        assert_eq!(value("ce-time"), "2026-11-18T11:06:40Z");
        assert_eq!(value("traceparent"), record().traceparent);
    }

    #[test]
    fn a_trace_context_that_is_none_does_not_reach_the_headers() {
        let record = EventRecord { traceparent: "00-zz\r\nNats-Rollup: all".to_owned(), ..record() };
        assert!(headers("partnerships", Epoch::from(Uuid::nil()), &record).get("traceparent").is_none());
    }
}
