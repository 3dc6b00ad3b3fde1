//! A log's records as a person or a program reads them.

use anyhow::{Context as _, Result};
use contracts::toguna::{
    log::v1::{self as log, Basis, Certainty, EventRecord},
    r#type::v1 as types,
};
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde::Serialize;
use uuid::Uuid;

use crate::services;

pub mod chain;

/// One event, in the order in which its fields are printed.
#[derive(Debug, Serialize)]
pub struct Event {
    /// Place in the log.
    pub position: u64,
    /// The resource.
    pub stream: String,
    /// Place in the stream.
    pub version: u64,
    /// Full name of the payload's type.
    pub r#type: String,
    /// `2016-04-15`, `2016-04` or `2016`; none: not known.
    pub effective_on: Option<String>,
    /// RFC 3339, UTC.
    pub recorded_at: String,
    /// Who sent the command.
    pub actor: Actor,
    /// Whose act it is.
    pub on_behalf_of: String,
    /// `act` or `recorded_from_source`.
    pub basis: String,
    /// `exact`, `inferred` or `illustrative`.
    pub certainty: String,
    /// Where the fact can be read.
    pub sources: Vec<Source>,
    /// Why.
    pub reason: String,
    /// The caller's id of the command.
    pub request_id: String,
    /// What happened, as proto3 JSON.
    pub payload: DynamicMessage,
    /// Identity of the event.
    pub event_id: String,
    /// Identity of the log's history.
    pub epoch: String,
    /// Identity of the undertaking that the command belongs to.
    pub correlation_id: String,
    /// The event that caused the command; none where a person did.
    pub causation_id: Option<String>,
    /// W3C trace context.
    pub traceparent: String,
}

/// Who sent a command.
#[derive(Debug, Serialize)]
pub struct Actor {
    /// The issuer of the token.
    pub issuer: String,
    /// The person, as a pseudonym.
    pub subject: String,
    /// The organisation spoken for.
    pub organisation: String,
    /// The roles held.
    pub roles: Vec<String>,
}

/// Where a fact can be read.
#[derive(Debug, Serialize, PartialEq, Eq)]
pub struct Source {
    /// Title, as published.
    pub title: String,
    /// What it is.
    pub kind: String,
    /// Who issued it.
    pub issuer: String,
    /// When it was issued; none: not known.
    pub issued_on: Option<String>,
    /// Its language.
    pub language_code: String,
    /// Where it is kept or was read.
    pub location: String,
    /// Its digest, in hexadecimal; empty: no copy was kept.
    pub sha256: String,
}

impl Event {
    /// Reads a record as stored.
    pub fn read(record: &[u8]) -> Result<Self> {
        let record = EventRecord::decode(record).context("a log holds records")?;
        let message = services::pool().get_message_by_name(&record.r#type);
        let message = message.with_context(|| format!("this program is older than {}: update it", record.r#type))?;
        let payload = DynamicMessage::decode(message, record.payload.as_slice())
            .with_context(|| format!("position {}: not a {}", record.position, record.r#type))?;
        let (basis, certainty) = (record.basis(), record.certainty());
        let actor = record.actor.unwrap_or_default();
        let (issuer, subject) = (actor.issuer, actor.subject);
        Ok(Self {
            position: record.position,
            stream: record.stream,
            version: record.version,
            r#type: record.r#type,
            effective_on: record.effective_on.as_ref().map(iso_date),
            recorded_at: record.recorded_at.as_ref().map(time).transpose()?.unwrap_or_default(),
            actor: Actor { issuer, subject, organisation: actor.organisation, roles: actor.roles },
            on_behalf_of: record.on_behalf_of,
            basis: short(basis.as_str_name(), "BASIS_"),
            certainty: short(certainty.as_str_name(), "CERTAINTY_"),
            sources: record.sources.into_iter().map(Source::from).collect(),
            reason: record.reason,
            request_id: uuid(&record.request_id),
            payload,
            event_id: uuid(&record.event_id),
            epoch: uuid(&record.epoch),
            correlation_id: uuid(&record.correlation_id),
            causation_id: (!record.causation_id.is_empty()).then(|| uuid(&record.causation_id)),
            traceparent: record.traceparent,
        })
    }

    /// What happened, without the package: `DecisionApproved`.
    pub fn name(&self) -> &str {
        self.r#type.rsplit('.').next().unwrap_or_default()
    }
}

impl From<log::Source> for Source {
    fn from(source: log::Source) -> Self {
        Self {
            title: source.title,
            kind: source.kind,
            issuer: source.issuer,
            issued_on: source.issued_on.as_ref().map(iso_date),
            language_code: source.language_code,
            location: source.location,
            sha256: crate::local::hex(&source.sha256),
        }
    }
}

/// As exactly as known: `2016-04-15`, `2016-04`, `2016`.
pub fn iso_date(date: &types::Date) -> String {
    match (date.month, date.day) {
        (0, _) => format!("{:04}", date.year),
        (month, 0) => format!("{:04}-{month:02}", date.year),
        (month, day) => format!("{:04}-{month:02}-{day:02}", date.year),
    }
}

/// RFC 3339, UTC.
pub fn time(time: &prost_types::Timestamp) -> Result<String> {
    Ok(jiff::Timestamp::new(time.seconds, time.nanos).context("a time of the log")?.to_string())
}

/// An enum value's name without its prefix, in lower case.
pub fn short(name: &str, prefix: &str) -> String {
    name.strip_prefix(prefix).unwrap_or(name).to_lowercase()
}

/// The least certain record behind a figure; empty where none counts.
pub fn certainty(certainty: Certainty) -> String {
    match certainty {
        Certainty::Unspecified => String::new(),
        Certainty::Exact | Certainty::Inferred | Certainty::Illustrative => {
            short(certainty.as_str_name(), "CERTAINTY_")
        }
    }
}

/// Whether the organisation acted itself.
pub fn is_from_source(event: &Event) -> bool {
    event.basis == short(Basis::RecordedFromSource.as_str_name(), "BASIS_")
}

fn uuid(bytes: &[u8]) -> String {
    Uuid::from_slice(bytes).map_or_else(|_| crate::local::hex(bytes), |id| id.to_string())
}

#[cfg(test)]
mod tests;
