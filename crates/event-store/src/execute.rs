//! The way of a command through the log: load, decide, be admitted, be written; and again when another was faster.

use std::{collections::HashMap, sync::Arc};

use contracts::toguna::{log::v1::EventRecord, r#type::v1::Date};
use event_sourcing::{Act, StreamName};
use prost_types::Any;
use tokio::{sync::oneshot, time::Instant};
use uuid::Uuid;

use crate::{
    ConsistencyToken, DecodeError, Epoch, ExecuteError, Interrupt, Log, Payload, StoreError, StoredEvent, Unit, act,
    appender::{Append, Appended},
    lookups::{Effect, Question},
    record::{MAX_RECORD_BYTES, prepare, sealed_len},
    tail::{Claim, NotAdmitted},
    unit::{After, Loaded, Missing, Staged},
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
    /// What it says; only where the command was to be validated.
    pub content: Option<EventContent>,
}

/// What an event says, as it is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventContent {
    /// The event itself.
    pub event: Any,
    /// When it happened in the world; `None`: not known.
    pub effective_on: Option<Date>,
}

impl Log {
    /// Runs a command's function on the streams that it loads and appends what it records, all or nothing. The answer
    /// comes after the commit, and so does a refusal after that of everything it rests on. The function is pure and may
    /// run several times. While the same request is at work, or once it had its effect, it does not run at all.
    pub async fn execute(
        &self,
        meta: CommandMeta,
        act: Act,
        decide: impl Fn(&mut Unit) -> Result<(), Interrupt> + Send + Sync,
    ) -> Result<Executed, ExecuteError> {
        let key = (act.actor.organisation.clone(), meta.request_id);
        let claim = loop {
            match self.shared.tail.claim(&key) {
                Ok(claim) => break claim,
                // The channel says nothing but that it has ended.
                Err(mut at_work) => while at_work.changed().await.is_ok() {},
            }
        };
        let asked = Instant::now();
        let _pass = self.shared.gate.enter(&key.0).await.ok_or(ExecuteError::Overloaded)?;
        self.shared.waits.ended(asked);
        let command = Command { meta, act: Arc::new(act), claim };
        let mut new_in = None;
        let mut lost_connection = None;
        let mut turn = None;
        for _ in 0..MAX_TRIES {
            let decided = match self.decide(&command, &mut new_in, &decide).await? {
                Attempt::Decided(decided) => decided,
                // What was sent before the connection was lost was the first try of this request.
                Attempt::Earlier(executed) => return Ok(Executed { replayed: lost_connection.is_none(), ..executed }),
                Attempt::Superseded => continue,
            };
            let Decided { unit, records, after, refusal, generation } = *decided;
            let is_written = !records.is_empty();
            let answer = match self.admit(&command, &unit, (records, after), generation) {
                Ok(answer) => answer,
                Err(NotAdmitted::Moved(stream)) => {
                    // Whoever lost waits for its turn on the stream in dispute: first come, first served.
                    drop(turn.take());
                    if let Some(stream) = stream {
                        turn = Some(self.shared.turns.wait(&stream).await);
                    }
                    continue;
                }
                // Of what was sent before the connection was lost nobody knows yet whether it is committed.
                Err(NotAdmitted::Full) if lost_connection.is_some() => break,
                Err(NotAdmitted::Full) => return Err(ExecuteError::Overloaded),
                Err(NotAdmitted::Closed) => return Err(ExecuteError::Unavailable(StoreError::Closed)),
            };
            drop(turn.take());
            match answer.await.map_err(|_| ExecuteError::Unavailable(StoreError::Closed))? {
                Appended::Written { epoch, first_position } if is_written => {
                    return Ok(self.written(&unit.staged, epoch, first_position));
                }
                Appended::Written { .. } => return refusal.map_or_else(|| Ok(self.unwritten(&unit)), Err),
                Appended::Superseded => {}
                Appended::Damaged(fault) => return Err(ExecuteError::Unavailable(StoreError::Head(fault))),
                // Whether it was committed is in the log: it is asked before the next try.
                Appended::Unknown(error) => {
                    if lost_connection.replace(error).is_some() {
                        break;
                    }
                }
            }
        }
        Err(lost_connection
            .map_or(ExecuteError::Overloaded, |error| ExecuteError::Unavailable(StoreError::Database(error))))
    }

    /// Runs the function until it has every stream that it asks for, unless the request had its effect before. That is
    /// asked once in a generation: as long as it lasts nobody else writes, and nobody here takes the request while it
    /// is claimed.
    async fn decide(
        &self,
        command: &Command,
        new_in: &mut Option<u64>,
        decide: &(impl Fn(&mut Unit) -> Result<(), Interrupt> + Send + Sync),
    ) -> Result<Attempt, ExecuteError> {
        let tail = &self.shared.tail;
        let generation = tail.generation();
        let mut read = HashMap::new();
        loop {
            let is_new = *new_in == Some(generation);
            let mut unit = Unit::new(command.act.clone(), tail.now(), read);
            let verdict = decide(&mut unit);
            if is_new && !matches!(verdict, Err(Interrupt::Load)) {
                return Ok(Attempt::Decided(Box::new(decided(command, unit, verdict, generation))));
            }
            // On the first run nothing is loaded, and nothing decided: whether the request is new is asked together with
            // the streams that it wants.
            read = unit.read;
            match self.learn(command, generation, is_new, unit.missing).await? {
                Learnt::Streams(streams) => read.extend(streams),
                Learnt::Earlier(executed) => return Ok(Attempt::Earlier(executed)),
                Learnt::Superseded => return Ok(Attempt::Superseded),
            }
            *new_in = Some(generation);
        }
    }

    /// Loads streams, from memory where they are known there.
    async fn learn(
        &self,
        command: &Command,
        generation: u64,
        is_new: bool,
        missing: Vec<Missing>,
    ) -> Result<Learnt, ExecuteError> {
        let tail = &self.shared.tail;
        let mut streams = Vec::with_capacity(missing.len());
        let mut unknown = Vec::new();
        for missing in missing {
            match tail.stream(generation, &missing.stream) {
                Some(loaded) => streams.push((missing.stream, loaded)),
                None => unknown.push(missing),
            }
        }
        if is_new && unknown.is_empty() {
            return Ok(Learnt::Streams(streams));
        }
        // What is read later holds at least everything up to here.
        let head = self.head();
        let question = Question {
            request: (!is_new).then(|| command.claim.key().clone()),
            streams: unknown.iter().map(|missing| missing.stream.clone()).collect(),
        };
        let answer = self.shared.lookups.ask(question).await?;
        if let Some(effect) = answer.effect {
            return Ok(Learnt::Earlier(self.earlier(&effect, &command.meta)?));
        }
        for (missing, events) in unknown.into_iter().zip(answer.streams) {
            // Whoever waited for the same answer may have been faster, and a long stream takes time to read.
            if let Some(loaded) = tail.stream(generation, &missing.stream) {
                streams.push((missing.stream, loaded));
                continue;
            }
            let records: Vec<_> = events.iter().map(StoredEvent::decode).collect::<Result<_, _>>()?;
            let loaded = missing.load(None, &records)?;
            match tail.learn(generation, head, missing.stream.clone(), loaded) {
                Some(loaded) => streams.push((missing.stream, loaded)),
                None => return Ok(Learnt::Superseded),
            }
        }
        Ok(Learnt::Streams(streams))
    }

    fn admit(
        &self,
        command: &Command,
        unit: &Unit,
        (records, after): (Vec<EventRecord>, Vec<After>),
        generation: u64,
    ) -> Result<oneshot::Receiver<Appended>, NotAdmitted> {
        let (reply, answer) = oneshot::channel();
        let append = Append {
            bytes: records.iter().map(sealed_len).sum(),
            records,
            generation,
            first_position: 0,
            recorded_at: unit.now(),
            claim: command.claim.clone(),
            content_hash: command.meta.content_hash,
            reply,
        };
        self.shared.tail.admit(unit, after, append, &self.shared.appends)?;
        Ok(answer)
    }

    /// The answer of the same request when it had its effect.
    fn earlier(&self, effect: &Effect, meta: &CommandMeta) -> Result<Executed, ExecuteError> {
        if effect.content_hash != meta.content_hash {
            return Err(ExecuteError::RequestIdReused);
        }
        let mut events = Vec::with_capacity(effect.events.len());
        for event in &effect.events {
            let (position, record) = (event.position, event.decode()?);
            let invalid = |_| StoreError::Record { position, source: DecodeError::Invalid("stream") };
            let stream = record.stream.parse().map_err(invalid)?;
            let (version, payload) = (record.version, Payload { type_name: record.r#type, bytes: record.payload });
            let content =
                meta.validate_only.then(|| EventContent { event: payload.to_any(), effective_on: record.effective_on });
            events.push(EventReference { position, stream, version, type_name: payload.type_name, content });
        }
        Ok(self.executed(events, self.epoch(), true))
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
        let told = |staged| EventReference { content: Some(content(staged)), ..reference(staged, 0) };
        let events: Vec<_> = unit.staged.iter().map(told).collect();
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

/// A command at work.
struct Command {
    meta: CommandMeta,
    act: Arc<Act>,
    claim: Arc<Claim>,
}

/// What a try came to.
enum Attempt {
    Decided(Box<Decided>),
    /// The request had its effect before.
    Earlier(Executed),
    /// What was read is past.
    Superseded,
}

/// What is known of streams that were asked for.
enum Learnt {
    Streams(Vec<(StreamName, Loaded)>),
    Earlier(Executed),
    Superseded,
}

/// What a command's function came to.
struct Decided {
    unit: Unit,
    /// What is to be written: nothing where it is refused, has no effect, or is only validated.
    records: Vec<EventRecord>,
    /// The streams with it.
    after: Vec<After>,
    refusal: Option<ExecuteError>,
    generation: u64,
}

fn decided(command: &Command, mut unit: Unit, verdict: Result<(), Interrupt>, generation: u64) -> Decided {
    unit.own_stream_first();
    let stale = unit.stale(command.meta.expected_version);
    let verdict = match verdict {
        // Told before any other refusal: it may be why.
        _ if !stale.is_empty() => Err(ExecuteError::StaleVersion(stale)),
        Err(Interrupt::Refused(refusal)) => Err(ExecuteError::Refused(refusal)),
        Ok(()) | Err(Interrupt::Load) => prepared(&unit, &command.act, &command.meta),
    };
    let (records, after, refusal) = match verdict {
        Ok(_) if command.meta.validate_only => (Vec::new(), Vec::new(), None),
        Ok((records, after)) => (records, after, None),
        Err(refusal) => (Vec::new(), Vec::new(), Some(refusal)),
    };
    Decided { unit, records, after, refusal, generation }
}

/// The events of a unit with everything but their places, and the streams with them.
fn prepared(unit: &Unit, act: &Act, meta: &CommandMeta) -> Result<(Vec<EventRecord>, Vec<After>), ExecuteError> {
    let records: Vec<_> = unit.staged.iter().map(|staged| prepare(staged, act, meta, unit.now())).collect();
    if let Some(bytes) = records.iter().map(sealed_len).find(|bytes| *bytes > MAX_RECORD_BYTES) {
        return Err(ExecuteError::EventTooLarge { bytes });
    }
    let after = unit.after(&records)?;
    Ok((records, after))
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
        content: None,
    }
}

fn content(staged: &Staged) -> EventContent {
    EventContent { event: staged.payload.to_any(), effective_on: staged.effective_on.map(act::date_to_proto) }
}
