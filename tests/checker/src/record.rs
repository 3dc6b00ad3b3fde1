//! What is stored of an event and what a command is answered, by the field numbers of `proto/toguna/log/v1/record.proto`
//! and `proto/toguna/log/v1/command.proto`.

use anyhow::{Context as _, Result};

use crate::{
    text::hex,
    wire::{Value, fields},
};

/// The fields of an `EventRecord` that invariants speak of.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Record {
    /// Field 1.
    pub position: u64,
    /// Field 2, in hexadecimal.
    pub epoch: String,
    /// Field 3.
    pub stream: String,
    /// Field 4.
    pub version: u64,
    /// Field 5, in hexadecimal.
    pub event_id: String,
    /// Field 6.
    pub type_name: String,
    /// Field 8, in microseconds since 1970.
    pub recorded_at: i64,
    /// Field 10, and in it field 3.
    pub organisation: String,
    /// Field 15.
    pub reason: String,
    /// Field 16, in hexadecimal.
    pub request_id: String,
    /// Field 19, in hexadecimal; empty: no event caused it.
    pub causation_id: String,
}

impl Record {
    /// Reads the stored bytes.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut record = Self::default();
        for (number, value) in fields(bytes)? {
            match number {
                1 => record.position = value.number()?,
                2 => record.epoch = hex(value.bytes()?),
                3 => record.stream = value.text()?,
                4 => record.version = value.number()?,
                5 => record.event_id = hex(value.bytes()?),
                6 => record.type_name = value.text()?,
                8 => record.recorded_at = microseconds(value)?,
                10 => record.organisation = field(value, 3)?.map_or(Ok(String::new()), Value::text)?,
                15 => record.reason = value.text()?,
                16 => record.request_id = hex(value.bytes()?),
                19 => record.causation_id = hex(value.bytes()?),
                _ => {}
            }
        }
        Ok(record)
    }
}

/// The last field of this number in a message.
fn field(message: Value<'_>, number: u64) -> Result<Option<Value<'_>>> {
    Ok(fields(message.bytes()?)?.into_iter().rev().find(|(each, _)| *each == number).map(|(_, value)| value))
}

fn microseconds(timestamp: Value<'_>) -> Result<i64> {
    let part = |number| field(timestamp, number)?.map_or(Ok(0), Value::number);
    let seconds = part(1)?.cast_signed();
    let nanos = i64::try_from(part(2)?).context("nanoseconds")?;
    seconds.checked_mul(1_000_000).and_then(|us| us.checked_add(nanos / 1_000)).context("a time out of range")
}

/// A `Receipt`: what a command was answered.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Receipt {
    /// Field 1.
    pub events: Vec<Reference>,
    /// Field 2.
    pub etag: String,
    /// Field 3.
    pub token: Token,
    /// Field 4.
    pub replayed: bool,
}

/// One event of a receipt.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reference {
    /// Field 1.
    pub position: u64,
    /// Field 2.
    pub stream: String,
    /// Field 3.
    pub version: u64,
    /// Field 4.
    pub type_name: String,
}

/// A consistency token: `<log>.<epoch>.<position>`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Token {
    /// Name of the log.
    pub log: String,
    /// Its epoch, in hexadecimal.
    pub epoch: String,
    /// The position seen.
    pub position: u64,
}

impl Receipt {
    /// Reads an answer.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let mut receipt = Self::default();
        for (number, value) in fields(bytes)? {
            match number {
                1 => receipt.events.push(Reference::read(value.bytes()?)?),
                2 => receipt.etag = value.text()?,
                3 => receipt.token = Token::read(&value.text()?)?,
                4 => receipt.replayed = value.number()? != 0,
                _ => {}
            }
        }
        Ok(receipt)
    }
}

impl Reference {
    fn read(bytes: &[u8]) -> Result<Self> {
        let mut reference = Self::default();
        for (number, value) in fields(bytes)? {
            match number {
                1 => reference.position = value.number()?,
                2 => reference.stream = value.text()?,
                3 => reference.version = value.number()?,
                4 => reference.type_name = value.text()?,
                _ => {}
            }
        }
        Ok(reference)
    }
}

impl Token {
    fn read(text: &str) -> Result<Self> {
        let parts: Vec<&str> = text.rsplitn(3, '.').collect();
        let [position, epoch, log] = parts[..] else { anyhow::bail!("{text:?} is no token") };
        Ok(Self { log: log.to_owned(), epoch: epoch.to_owned(), position: position.parse()? })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_is_read_by_its_field_numbers() {
        let mut bytes = vec![0x08, 7, 0x12, 2, 0xab, 0xcd, 0x1a, 3, b'a', b'/', b'b', 0x20, 2];
        bytes.extend([0x42, 5, 0x08, 3, 0x10, 0xd0, 0x0f]); // 3 s, 2,000 ns
        bytes.extend([0x52, 4, 0x1a, 2, b'p', b'x']); // the actor's organisation
        bytes.extend([0x7a, 1, b'r', 0x82, 0x01, 1, 0x11]); // reason, request id
        let record = Record::read(&bytes).expect("a record");
        assert_eq!((record.position, record.epoch.as_str(), record.stream.as_str()), (7, "abcd", "a/b"));
        assert_eq!((record.version, record.recorded_at), (2, 3_000_002));
        assert_eq!((record.organisation.as_str(), record.reason.as_str()), ("px", "r"));
        assert_eq!((record.request_id.as_str(), record.causation_id.as_str()), ("11", ""));
    }

    #[test]
    fn a_receipt_names_its_events_and_its_token() {
        let mut bytes = vec![0x0a, 4, 0x08, 9, 0x18, 1, 0x12, 3, b'"', b'1', b'"'];
        let token = b"log.00ff.9";
        bytes.extend([0x1a, u8::try_from(token.len()).expect("short")]);
        bytes.extend(token);
        bytes.extend([0x20, 1]);
        let receipt = Receipt::read(&bytes).expect("a receipt");
        assert_eq!((receipt.events[0].position, receipt.events[0].version), (9, 1));
        assert_eq!((receipt.etag.as_str(), receipt.token.epoch.as_str(), receipt.replayed), ("\"1\"", "00ff", true));
    }
}
