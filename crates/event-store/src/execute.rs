//! The way of a command through the log: load, decide, append, and again when another was faster.

use std::{collections::HashMap, sync::Arc};

use event_sourcing::{Act, StreamName, Timestamp};
use tokio::sync::oneshot;
use uuid::Uuid;

use crate::{
    ConsistencyToken, ExecuteError, Interrupt, Log, StoreError, Unit,
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
            let unit = self.decide(&act, &decide).await?;
            let own = unit.primary.clone();
            let version = own.as_ref().and_then(|own| unit.read.get(own)).map_or(0, |loaded| loaded.version);
            if let (Some(expected), Some(own)) = (meta.expected_version, &own)
                && expected != version
            {
                return Err(ExecuteError::StaleVersion { stream: own.clone(), version });
            }
            let staged = own_stream_first(unit.staged, own.as_ref());
            let read = unit.read;
            if staged.is_empty() || meta.validate_only {
                return Ok(self.unwritten(staged, own, version));
            }
            match self.append(&staged, &read, &act, &meta).await? {
                Appended::Written { first_position } => return Ok(self.written(&staged, first_position)),
                // Whoever lost waits for its turn on the stream in dispute: first come, first served.
                Appended::Conflict(Some(stream)) => {
                    drop(turn.take());
                    turn = Some(self.shared.turns.wait(&stream).await);
                }
                Appended::Conflict(None) => {}
                Appended::Duplicate => {
                    if let Some(executed) = self.earlier_effect(&act.actor.organisation, &meta).await? {
                        return Ok(executed);
                    }
                }
                Appended::Unknown(error) => {
                    // Whether it was committed is in the log: ask there before trying again.
                    if let Some(executed) = self.earlier_effect(&act.actor.organisation, &meta).await? {
                        return Ok(Executed { replayed: false, ..executed });
                    }
                    if lost_connection.replace(error).is_some_and(|_| true) {
                        break;
                    }
                }
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
    ) -> Result<Unit, ExecuteError> {
        let mut read: HashMap<StreamName, Loaded> = HashMap::new();
        loop {
            let mut unit = Unit::new(act.clone(), Timestamp::now(), read);
            match decide(&mut unit) {
                Ok(()) => return Ok(unit),
                Err(Interrupt::Refused(refusal)) => return Err(ExecuteError::Refused(refusal)),
                Err(Interrupt::Load) => {
                    read = unit.read;
                    for missing in unit.missing {
                        let loaded = self.load(&missing).await?;
                        read.insert(missing.stream, loaded);
                    }
                }
            }
        }
    }

    async fn append(
        &self,
        staged: &[Staged],
        read: &HashMap<StreamName, Loaded>,
        act: &Arc<Act>,
        meta: &CommandMeta,
    ) -> Result<Appended, ExecuteError> {
        let records: Vec<_> = staged.iter().map(|staged| prepare(staged, act, meta)).collect();
        if let Some(bytes) = records.iter().map(sealed_len).find(|bytes| *bytes > MAX_RECORD_BYTES) {
            return Err(ExecuteError::EventTooLarge { bytes });
        }
        let (reply, answer) = oneshot::channel();
        let append = Append {
            records,
            epoch: self.epoch(),
            versions: read.iter().map(|(stream, loaded)| (stream.clone(), loaded.version)).collect(),
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
        let rows = sqlx::query!(
            r#"SELECT r.content_hash, e.position, e.record
               FROM requests r JOIN events e ON e.position >= r.first_position AND e.position < r.first_position + r.events
               WHERE r.organisation = $1 AND r.request_id = $2 ORDER BY e.position"#,
            organisation,
            meta.request_id,
        )
        .fetch_all(self.reader())
        .await
        .map_err(StoreError::Database)?;
        let Some(first) = rows.first() else { return Ok(None) };
        if first.content_hash != meta.content_hash {
            return Err(ExecuteError::RequestIdReused);
        }
        let mut events = Vec::with_capacity(rows.len());
        for row in &rows {
            let position = row.position.cast_unsigned();
            let damaged = |source| StoreError::Record { position, source };
            let record = crate::read::decode(&row.record).map_err(damaged)?;
            let stream = record.stream.parse().map_err(|_| damaged(crate::DecodeError::Invalid("stream")))?;
            events.push(EventReference { position, stream, version: record.version, type_name: record.r#type });
        }
        Ok(Some(self.executed(events, true)))
    }

    fn written(&self, staged: &[Staged], first_position: u64) -> Executed {
        let events =
            staged.iter().zip(first_position..).map(|(staged, position)| reference(staged, position)).collect();
        self.executed(events, false)
    }

    fn executed(&self, events: Vec<EventReference>, replayed: bool) -> Executed {
        let own = events.first().map(|event| event.stream.clone());
        let version =
            events.iter().filter(|event| Some(&event.stream) == own.as_ref()).map(|event| event.version).max();
        let token = self.token(events.last().map_or(0, |event| event.position));
        Executed { version: version.unwrap_or(0), token, events, replayed }
    }

    /// Nothing was written: there was nothing to write, or the caller only asked what would be.
    fn unwritten(&self, staged: Vec<Staged>, own: Option<StreamName>, version: u64) -> Executed {
        let events: Vec<_> = staged.iter().map(|staged| reference(staged, 0)).collect();
        let after = events.iter().filter(|event| Some(&event.stream) == own.as_ref()).map(|event| event.version).max();
        Executed { version: after.unwrap_or(version), token: self.token(self.head()), events, replayed: false }
    }

    /// The token of a position in the log's epoch.
    pub fn token(&self, position: u64) -> ConsistencyToken {
        ConsistencyToken { log: self.name().to_owned(), epoch: self.epoch(), position }
    }
}

fn reference(staged: &Staged, position: u64) -> EventReference {
    EventReference {
        position,
        stream: staged.stream.clone(),
        version: staged.version,
        type_name: staged.payload.type_name.clone(),
    }
}

/// The command's own events come first, so that a repeated answer can be derived from the events alone.
fn own_stream_first(mut staged: Vec<Staged>, own: Option<&StreamName>) -> Vec<Staged> {
    staged.sort_by_key(|staged| Some(&staged.stream) != own);
    staged
}
