//! What came of a row.

use contracts::{
    reasons::REASONS,
    toguna::log::v1::{EventReference, Receipt},
};
use prost_reflect::DynamicMessage;
use serde::{Deserialize, Serialize};
use serde_json::Value;
use tonic::{Code, Status};
use tonic_types::StatusExt as _;

use crate::{
    language::Language,
    records,
    services::{self, refusal::Refusal},
};

/// What came of a row.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "outcome", rename_all = "snake_case")]
pub enum Outcome {
    /// It had its effect; of a dry run: it would have.
    Done(Effect),
    /// It had its effect before, and has not had it again.
    Replayed(Effect),
    /// It had no effect, and asking again changes nothing.
    Refused(Refused),
    /// Of a dry run: refused as things are, but a row before it, not carried out either, may change that.
    Undecided(Refused),
    /// There is no answer yet: it is kept, and sent again with the same id.
    Waiting {
        /// What is in the way.
        text: String,
    },
}

/// What a service wrote.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Effect {
    /// The events, in order.
    pub events: Vec<Event>,
    /// Version of the resource after it, quoted.
    pub etag: String,
    /// For those who must see the effect.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub consistency_token: String,
}

/// One event that was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Event {
    /// Position in the log; 0 in a dry run.
    pub position: u64,
    /// The stream.
    pub stream: String,
    /// Version in the stream.
    pub version: u64,
    /// Full name of the event's type.
    #[serde(rename = "type")]
    pub type_name: String,
    /// Of a dry run: when it would count as having happened; none: not known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub effective_on: Option<String>,
    /// Of a dry run: what it would say, as proto3 JSON.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub payload: Option<Value>,
}

/// Why a row has no effect.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Refused {
    /// The gRPC code's number.
    pub code: i32,
    /// The stable reason; empty where the answer came from elsewhere than a service.
    pub reason: String,
    /// For people, in the language that was asked for.
    pub text: String,
    /// Fields that are not as they must be, and why.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub violations: Vec<(String, String)>,
}

impl Outcome {
    /// Its word: `done`, `fait`.
    pub fn word(&self, language: Language, dry: bool) -> &'static str {
        match self {
            Self::Done(_) if dry => language.say("would be done", "serait fait"),
            Self::Done(_) => language.say("done", "fait"),
            Self::Replayed(_) => language.say("replayed", "déjà fait"),
            Self::Refused(_) => language.say("refused", "refusé"),
            Self::Undecided(_) => language.say("undecided", "en suspens"),
            Self::Waiting { .. } => language.say("waiting", "en attente"),
        }
    }

    /// What was written, now or before.
    pub fn effect(&self) -> Option<&Effect> {
        match self {
            Self::Done(effect) | Self::Replayed(effect) => Some(effect),
            Self::Refused(_) | Self::Undecided(_) | Self::Waiting { .. } => None,
        }
    }

    /// Why not.
    pub fn refused(&self) -> Option<&Refused> {
        match self {
            Self::Refused(refused) | Self::Undecided(refused) => Some(refused),
            Self::Done(_) | Self::Replayed(_) | Self::Waiting { .. } => None,
        }
    }
}

impl From<Receipt> for Outcome {
    fn from(receipt: Receipt) -> Self {
        let events = receipt.events.into_iter().map(Event::from);
        let effect =
            Effect { events: events.collect(), etag: receipt.etag, consistency_token: receipt.consistency_token };
        if receipt.replayed { Self::Replayed(effect) } else { Self::Done(effect) }
    }
}

impl From<EventReference> for Event {
    fn from(event: EventReference) -> Self {
        let payload = event.event.and_then(|payload| {
            // What a newer service would write shows its name alone.
            let kind = services::pool().get_message_by_name(&event.r#type)?;
            let payload = DynamicMessage::decode(kind, payload.value.as_slice()).ok()?;
            serde_json::to_value(payload).ok()
        });
        Self {
            position: event.position,
            stream: event.stream,
            version: event.version,
            type_name: event.r#type,
            effective_on: event.effective_on.as_ref().map(records::iso_date),
            payload,
        }
    }
}

impl Event {
    /// What it would say, where that is known.
    pub fn payload(&self) -> Option<DynamicMessage> {
        let kind = services::pool().get_message_by_name(&self.type_name)?;
        DynamicMessage::deserialize(kind, self.payload.as_ref()?).ok()
    }
}

impl From<Refusal> for Refused {
    fn from(refusal: Refusal) -> Self {
        let reason =
            if refusal.reason.is_empty() { format!("{:?}", refusal.code).to_uppercase() } else { refusal.reason };
        Self { code: refusal.code.into(), reason, text: refusal.message, violations: refusal.violations }
    }
}

impl Refused {
    /// Whether what other commands did may have been the cause.
    pub fn rests_on_state(&self) -> bool {
        let codes = [Code::NotFound, Code::AlreadyExists, Code::FailedPrecondition, Code::Aborted, Code::OutOfRange];
        codes.contains(&Code::from_i32(self.code))
    }
}

/// What a status says of the command's fate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fate {
    /// A service refused it.
    Refused,
    /// It may or may not have had its effect; the same again, after a while at least this long, will tell.
    Unknown {
        /// What the service asked to be waited.
        after: std::time::Duration,
        /// A service met a fault of its own: more of the same helps only so often.
        fault: bool,
    },
    /// Nothing will be taken from this caller as it is.
    Stop,
}

impl Fate {
    /// The fate of a command that was answered so. What no service said, but the line or a machine on the way, says
    /// nothing of the effect.
    pub fn of(status: &Status) -> Self {
        let details = status.get_error_details();
        let reason = details.error_info().map(|known| known.reason.clone());
        let known = reason.as_ref().and_then(|name| REASONS.iter().find(|reason| reason.name == name));
        let asked = details.retry_info().and_then(|retry| retry.retry_delay);
        let after = asked.unwrap_or_default();
        match (status.code(), known) {
            (Code::Unauthenticated, _) => Self::Stop,
            (Code::Internal | Code::Unknown | Code::DataLoss | Code::Cancelled, _) => {
                Self::Unknown { after, fault: reason.is_some() }
            }
            _ if asked.is_some() => Self::Unknown { after, fault: false },
            (Code::Unavailable | Code::DeadlineExceeded | Code::ResourceExhausted, None) => {
                Self::Unknown { after, fault: false }
            }
            (_, Some(reason)) if reason.retryable => Self::Unknown { after, fault: false },
            _ => Self::Refused,
        }
    }
}

#[cfg(test)]
mod tests;
