//! Reactions: events of a log become commands on our own.

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::{Act, Actor, Basis, Timestamp};
use sha2::{Digest as _, Sha256};
use tracing::Span;
use uuid::Uuid;

use crate::{CommandMeta, DecodeError, Interrupt, Unit, act, trace};

/// What a reaction asks of our log: a command's function, as [`crate::Log::execute`] takes it.
pub type ReactionCommand = Box<dyn Fn(&mut Unit) -> Result<(), Interrupt> + Send + Sync>;

/// Turns events of a log into commands on our own log, so that what our decisions rest on can be read there.
///
/// Guarantees to it: every event comes at least once, in order of position, and its command has one effect however often
/// it comes, because its request id is derived from the event. What a reaction records must never be refused by a rule:
/// it is a fact already.
pub trait Reaction: Send + Sync + 'static {
    /// Its name among the followers of its service. Part of the request ids of its commands: changing it repeats them.
    fn name(&self) -> &'static str;

    /// Name of the log that it follows.
    fn source(&self) -> &str;

    /// The command that an event calls for; `None`: it is of no concern here. Pure. An event that should be known here
    /// and cannot be read stops this reaction at that event.
    fn react(&self, record: &EventRecord) -> Result<Option<ReactionCommand>, DecodeError>;
}

/// The act of a reaction's command: that of the event, recorded from it by the service itself.
pub(crate) fn act_of(service: &str, reaction: &str, record: &EventRecord) -> Result<Act, DecodeError> {
    let act = act::from_record(record)?;
    Ok(Act {
        actor: Actor {
            issuer: "toguna".to_owned(),
            subject: format!("{service}/{reaction}"),
            organisation: act.on_behalf_of.clone(),
            roles: Vec::new(),
        },
        basis: Basis::RecordedFromSource,
        today: jiff::tz::TimeZone::UTC.to_datetime(Timestamp::now()).date(),
        ..act
    })
}

/// What a reaction's command carries: ids derived from the event, and the trace of the span that runs it.
pub(crate) fn meta_of(source: &str, reaction: &str, record: &EventRecord, bytes: &[u8], span: &Span) -> CommandMeta {
    CommandMeta {
        request_id: request_id(source, reaction, record),
        // The event is the whole content: an upgrade that reacts otherwise does not make another request of it.
        content_hash: Sha256::digest(bytes).into(),
        expected_version: None,
        validate_only: false,
        correlation_id: Uuid::from_slice(&record.correlation_id).ok(),
        causation_id: Uuid::from_slice(&record.event_id).ok(),
        traceparent: trace::traceparent_of(span).unwrap_or_else(|| record.traceparent.clone()),
    }
}

/// A UUID of version 8: SHA-256 of what tells this reaction to this event from all others. The epoch is that in which
/// the event was written, so that a restored log, published again in a new epoch, repeats no effect.
fn request_id(source: &str, reaction: &str, record: &EventRecord) -> Uuid {
    let mut hash = Sha256::new();
    hash.update(b"toguna reaction\n");
    for part in [source.as_bytes(), reaction.as_bytes()] {
        hash.update(part);
        hash.update(b"\n");
    }
    hash.update(&record.epoch);
    hash.update(record.position.to_be_bytes());
    let hash: [u8; 32] = hash.finalize().into();
    let (half, _) = hash.split_first_chunk::<16>().expect("a hash is longer than a UUID");
    uuid::Builder::from_custom_bytes(*half).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(position: u64, epoch: u8) -> EventRecord {
        EventRecord { position, epoch: vec![epoch; 16], ..EventRecord::default() }
    }

    #[test]
    fn a_request_id_is_the_same_for_the_same_event_and_reaction() {
        assert_eq!(request_id("a", "b", &record(1, 1)), request_id("a", "b", &record(1, 1)));
        assert_eq!(request_id("a", "b", &record(1, 1)).get_version_num(), 8);
    }

    #[test]
    fn a_request_id_differs_by_log_reaction_epoch_and_position() {
        let one = request_id("a", "b", &record(1, 1));
        for other in
            [("x", "b", record(1, 1)), ("a", "x", record(1, 1)), ("a", "b", record(2, 1)), ("a", "b", record(1, 2))]
        {
            assert_ne!(one, request_id(other.0, other.1, &other.2));
        }
    }
}
