//! The way of a command through the log: load, decide, append, and again when another was faster.

use std::{collections::HashMap, sync::Arc};

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::{Act, StreamName, Timestamp};
use futures::future::try_join_all;
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    ConsistencyToken, DecodeError, Epoch, ExecuteError, Interrupt, Log, PageLimit, StoreError, Unit,
    appender::{Append, Appended},
    record::{MAX_RECORD_BYTES, prepare, sealed_len},
    unit::{Loaded, Staged},
};

/// How often a command is decided again because another one changed what it had read.
const MAX_TRIES: usize = 32;

/// What a command carries beside its act and its own content.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CommandMeta {
    /// The caller's id of it: one effect per acting organisation and id, for ever.
    pub request_id: Uuid,
    /// SHA-256 of its content.
    pub content_hash: [u8; 32],
    /// The version of its own stream that the caller saw; `None`: any, and conflicts are retried here.
    pub expected_version: Option<u64>,
    /// Decide, and write nothing.
    pub validate_only: bool,
    /// The undertaking it belongs to; `None`: its own.
    pub correlation_id: Option<Uuid>,
    /// The event that caused it.
    pub causation_id: Option<Uuid>,
    /// W3C trace context.
    pub traceparent: String,
}

/// What a command did.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Executed {
    /// Its events, in order; those of its own stream first. At position 0 where it was only validated.
    pub events: Vec<EventReference>,
    /// Version of its own stream after it.
    pub version: u64,
    /// Whoever sends this sees its effect.
    pub token: ConsistencyToken,
    /// It had its effect before; this is the same answer again.
    pub replayed: bool,
}

/// One event that a command brought.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventReference {
    /// Position in the log.
    pub position: u64,
    /// The stream.
    pub stream: StreamName,
    /// Version in the stream.
    pub version: u64,
    /// Full name of its message type.
    pub type_name: String,
}

impl Log {
    /// Runs a command's function on the streams that it loads and appends what it records, all or nothing. The answer
    /// comes after the commit. The function is pure and may run several times.
    pub async fn execute(
        &self,
        meta: CommandMeta,
        act: Act,
        decide: impl Fn(&mut Unit) -> Result<(), Interrupt> + Send + Sync,
    ) -> Result<Executed, ExecuteError> {
        if let Some(executed) = self.earlier_effect(&act.actor.organisation, &meta).await? {
            return Ok(executed);
        }
        let act = Arc::new(act);
        let mut lost_connection = None;
        let mut turn = None;
        for _ in 0..MAX_TRIES {
            let epoch = self.epoch();
            let Decided { unit, verdict } = self.decide(&act, &decide).await?;
            let verdict = fresh(&unit, &meta).and(verdict);
            let records = match verdict.and_then(|()| prepared(&unit, &act, &meta)) {
                Ok(records) if !records.is_empty() && !meta.validate_only => records,
                without_effect => {
                    // The same request may have had its effect meanwhile, and this is why it has none now.
                    if let Some(executed) = self.earlier_effect(&act.actor.organisation, &meta).await? {
                        return Ok(executed);
                    }
                    // Streams are read one after the other: a refusal counts if they were like this at one time.
                    if without_effect.is_err() && self.has_moved(&unit).await? {
                        continue;
                    }
                    return without_effect.map(|_| self.unwritten(&unit));
                }
            };
            match self.append(&unit, epoch, records, &act, &meta).await {
                Ok(Appended::Written { epoch, first_position }) => {
                    return Ok(self.written(&unit.staged, epoch, first_position));
                }
                // Whoever lost waits for its turn on the stream in dispute: first come, first served.
                Ok(Appended::Conflict(Some(stream))) => {
                    drop(turn.take());
                    turn = Some(self.shared.turns.wait(&stream).await);
                }
                Ok(Appended::Conflict(None)) => {}
                Ok(Appended::Duplicate) => {
                    if let Some(executed) = self.earlier_effect(&act.actor.organisation, &meta).await? {
                        return Ok(executed);
                    }
                }
                Ok(Appended::Unknown(error)) => {
                    // Whether it was committed is in the log: ask there before trying again.
                    if let Some(executed) = self.earlier_effect(&act.actor.organisation, &meta).await? {
                        return Ok(Executed { replayed: false, ..executed });
                    }
                    if lost_connection.replace(error).is_some() {
                        break;
                    }
                }
                // What was sent before the connection was lost may still be committed: nobody knows yet.
                Err(ExecuteError::Overloaded) if lost_connection.is_some() => break,
                Err(error) => return Err(error),
            }
        }
        Err(lost_connection
            .map_or(ExecuteError::Overloaded, |error| ExecuteError::Unavailable(StoreError::Database(error))))
    }

    /// Runs the function until it has every stream that it asks for.
    async fn decide(
        &self,
        act: &Arc<Act>,
        decide: &(impl Fn(&mut Unit) -> Result<(), Interrupt> + Send + Sync),
    ) -> Result<Decided, ExecuteError> {
        let mut read: HashMap<StreamName, Loaded> = HashMap::new();
        loop {
            let mut unit = Unit::new(act.clone(), Timestamp::now(), read);
            match decide(&mut unit) {
                Ok(()) => {
                    unit.own_stream_first();
                    return Ok(Decided { unit, verdict: Ok(()) });
                }
                Err(Interrupt::Refused(refusal)) => {
                    return Ok(Decided { unit, verdict: Err(ExecuteError::Refused(refusal)) });
                }
                Err(Interrupt::Load) => {
                    read = unit.read;
                    let loaded = try_join_all(unit.missing.iter().map(|missing| self.load(missing))).await?;
                    read.extend(unit.missing.into_iter().map(|missing| missing.stream).zip(loaded));
                }
            }
        }
    }

    /// Whether one of several streams has moved on since it was read.
    async fn has_moved(&self, unit: &Unit) -> Result<bool, StoreError> {
        if unit.read.len() < 2 {
            return Ok(false);
        }
        let later = unit.read.iter().map(|(stream, loaded)| self.stream(stream, loaded.version));
        Ok(try_join_all(later).await?.iter().any(|events| !events.is_empty()))
    }

    async fn append(
        &self,
        unit: &Unit,
        epoch: Epoch,
        records: Vec<EventRecord>,
        act: &Act,
        meta: &CommandMeta,
    ) -> Result<Appended, ExecuteError> {
        let (reply, answer) = oneshot::channel();
        let append = Append {
            bytes: records.iter().map(sealed_len).sum(),
            records,
            epoch,
            versions: unit.read.iter().map(|(stream, loaded)| (stream.clone(), loaded.version)).collect(),
            organisation: act.actor.organisation.clone(),
            request_id: meta.request_id,
            content_hash: meta.content_hash,
            reply,
        };
        self.shared.appends.try_send(append).map_err(|error| match error {
            tokio::sync::mpsc::error::TrySendError::Full(_) => ExecuteError::Overloaded,
            tokio::sync::mpsc::error::TrySendError::Closed(_) => ExecuteError::Unavailable(StoreError::Closed),
        })?;
        answer.await.map_err(|_| ExecuteError::Unavailable(StoreError::Closed))
    }

    /// The answer of the same request, where it had its effect before.
    async fn earlier_effect(&self, organisation: &str, meta: &CommandMeta) -> Result<Option<Executed>, ExecuteError> {
        let effect = sqlx::query!(
            "SELECT content_hash, first_position, events FROM requests WHERE organisation = $1 AND request_id = $2",
            organisation,
            meta.request_id,
        )
        .fetch_optional(self.reader())
        .await
        .map_err(StoreError::Database)?;
        let Some(effect) = effect else { return Ok(None) };
        if effect.content_hash != meta.content_hash {
            return Err(ExecuteError::RequestIdReused);
        }
        let limit = PageLimit { events: usize::try_from(effect.events).unwrap_or_default(), bytes: usize::MAX };
        let mut events = Vec::with_capacity(limit.events);
        for event in self.page(effect.first_position.cast_unsigned(), limit).await? {
            let (position, record) = (event.position, event.decode()?);
            let invalid = |_| StoreError::Record { position, source: DecodeError::Invalid("stream") };
            let stream = record.stream.parse().map_err(invalid)?;
            events.push(EventReference { position, stream, version: record.version, type_name: record.r#type });
        }
        Ok(Some(self.executed(events, self.epoch(), true)))
    }

    fn written(&self, staged: &[Staged], epoch: Epoch, first_position: u64) -> Executed {
        let events =
            staged.iter().zip(first_position..).map(|(staged, position)| reference(staged, position)).collect();
        self.executed(events, epoch, false)
    }

    fn executed(&self, events: Vec<EventReference>, epoch: Epoch, replayed: bool) -> Executed {
        let own = events.first().map(|event| event.stream.clone());
        let version = own.and_then(|own| last_version(&events, &own)).unwrap_or(0);
        let position = events.last().map_or(0, |event| event.position);
        let token = ConsistencyToken { log: self.name().to_owned(), epoch, position };
        Executed { events, version, token, replayed }
    }

    /// Nothing was written: there was nothing to write, or the caller only asked what would be. The token covers all
    /// that was read, also what was committed a moment ago.
    fn unwritten(&self, unit: &Unit) -> Executed {
        let events: Vec<_> = unit.staged.iter().map(|staged| reference(staged, 0)).collect();
        let after = unit.primary.as_ref().and_then(|own| last_version(&events, own));
        let read = unit.read.values().map(|loaded| loaded.position).max().unwrap_or(0);
        let token = self.token(self.head().max(read));
        Executed { events, version: after.unwrap_or_else(|| own_version(unit)), token, replayed: false }
    }

    /// The token of a position in the log's epoch.
    pub fn token(&self, position: u64) -> ConsistencyToken {
        ConsistencyToken { log: self.name().to_owned(), epoch: self.epoch(), position }
    }
}

/// What a command's function came to.
struct Decided {
    unit: Unit,
    verdict: Result<(), ExecuteError>,
}

/// The caller saw the version of the command's own stream that is decided on. Told before any other refusal: it may be
/// why.
fn fresh(unit: &Unit, meta: &CommandMeta) -> Result<(), ExecuteError> {
    let version = own_version(unit);
    match (meta.expected_version, &unit.primary) {
        (Some(expected), Some(own)) if expected != version => {
            Err(ExecuteError::StaleVersion { stream: own.clone(), version })
        }
        _ => Ok(()),
    }
}

/// The events of a unit with everything but their places.
fn prepared(unit: &Unit, act: &Act, meta: &CommandMeta) -> Result<Vec<EventRecord>, ExecuteError> {
    let records: Vec<_> = unit.staged.iter().map(|staged| prepare(staged, act, meta)).collect();
    match records.iter().map(sealed_len).find(|bytes| *bytes > MAX_RECORD_BYTES) {
        Some(bytes) => Err(ExecuteError::EventTooLarge { bytes }),
        None => Ok(records),
    }
}

/// The version at which the command found its own stream.
fn own_version(unit: &Unit) -> u64 {
    unit.primary.as_ref().and_then(|own| unit.read.get(own)).map_or(0, |loaded| loaded.version)
}

fn last_version(events: &[EventReference], stream: &StreamName) -> Option<u64> {
    events.iter().filter(|event| event.stream == *stream).map(|event| event.version).max()
}

fn reference(staged: &Staged, position: u64) -> EventReference {
    EventReference {
        position,
        stream: staged.stream.clone(),
        version: staged.version,
        type_name: staged.payload.type_name.clone(),
    }
}
