//! What one command reads and writes: any number of streams of one log, written by one append.

use std::{any::Any, collections::HashMap, sync::Arc};

use contracts::{reasons::Reason, toguna::log::v1::EventRecord};
use event_sourcing::{Act, Correction, Draft, Entry, History, PartialDate, Recorded, StreamName, Timestamp, entries};

use crate::{
    DecodeError, Payload, StaleVersion, StoreError, Stored, Value,
    stored::{decode_record, encode_entry},
};

/// Why a command is refused: a stable reason, and the values that its texts speak of. Implemented in a service's
/// `grpc/status.rs` for the errors of its aggregates.
pub trait Refusal: std::error::Error + Send + Sync + 'static {
    /// The reason.
    fn reason(&self) -> &'static Reason;
    /// The values of the placeholders of its texts, and whatever else helps the caller to mend the command.
    fn values(&self) -> Vec<(&'static str, Value)>;
}

/// Why a command's function stopped. `?` makes one of any [`Refusal`].
#[derive(Debug)]
pub enum Interrupt {
    /// A stream is needed that is not loaded yet; it will be loaded, and the function runs again.
    Load,
    /// The command is refused; nothing is written.
    Refused(Box<dyn Refusal>),
}

impl<R: Refusal> From<R> for Interrupt {
    fn from(refusal: R) -> Self {
        Self::Refused(Box::new(refusal))
    }
}

impl Interrupt {
    /// A stream's state refuses what another stream's command asks of it.
    pub fn refused_by(stream: &StreamName, refusal: impl Refusal) -> Self {
        RefusedBy { stream: stream.clone(), refusal }.into()
    }
}

/// A refusal by the aggregate of a stream. Aggregates do not know their names; texts and callers do.
#[derive(Debug, thiserror::Error)]
#[error("{stream} refuses")]
struct RefusedBy<E: Refusal> {
    stream: StreamName,
    #[source]
    refusal: E,
}

impl<E: Refusal> Refusal for RefusedBy<E> {
    fn reason(&self) -> &'static Reason {
        self.refusal.reason()
    }

    fn values(&self) -> Vec<(&'static str, Value)> {
        let mut values = self.refusal.values();
        if !values.iter().any(|(key, _)| *key == "resource") {
            values.push(("resource", Value::name(&self.stream)));
        }
        values
    }
}

type LoadFn = fn(Option<&Loaded>, &[&EventRecord]) -> Result<Loaded, DecodeError>;

/// A stream's history, of whatever aggregate, and its last event in the log.
#[derive(Clone)]
pub(crate) struct Loaded {
    pub history: Arc<dyn Any + Send + Sync>,
    /// Version of the last event; 0: none.
    pub version: u64,
    /// Its position.
    pub position: u64,
    /// Its identity, by which a history that was lost in a restore is told from the log's.
    pub event_id: Vec<u8>,
}

/// A stream to be loaded, and how.
pub(crate) struct Missing {
    pub stream: StreamName,
    pub load: LoadFn,
}

impl Missing {
    pub(crate) fn of<A: Stored>(stream: StreamName) -> Self {
        Self { stream, load: load::<A> }
    }

    /// The stream's history: what was known of it, and the records after that.
    pub(crate) fn load<'a>(
        &self,
        known: Option<&Loaded>,
        tail: impl IntoIterator<Item = &'a EventRecord>,
    ) -> Result<Loaded, StoreError> {
        let tail: Vec<_> = tail.into_iter().collect();
        (self.load)(known, &tail).map_err(|source| {
            let position = tail.first().map_or(0, |record| record.position);
            StoreError::Record { position, source }
        })
    }
}

/// An event to be written.
#[derive(Debug, Clone)]
pub(crate) struct Staged {
    pub stream: StreamName,
    pub version: u64,
    pub payload: Payload,
    pub effective_on: Option<PartialDate>,
    load: LoadFn,
}

/// A stream with the events of a command, before they have a position.
pub(crate) struct After {
    pub stream: StreamName,
    pub loaded: Loaded,
    /// Which of the command's events is its last.
    pub last: usize,
}

/// The streams that a command has read, as it found them, and the events that it will write.
///
/// A command's function is pure and may run several times: it asks for streams with [`Unit::load`], and where one is
/// not there yet it stops ([`Interrupt::Load`]), the stream is loaded, and it runs again from its start. Whatever it
/// loaded must still be at the same version when its events are written; otherwise it decides again.
pub struct Unit {
    act: Arc<Act>,
    now: Timestamp,
    pub(crate) read: HashMap<StreamName, Loaded>,
    pub(crate) primary: Option<StreamName>,
    pub(crate) missing: Vec<Missing>,
    pub(crate) staged: Vec<Staged>,
    /// Streams with what this command has recorded in them.
    working: HashMap<StreamName, Arc<dyn Any + Send + Sync>>,
    expected: Vec<(StreamName, u64)>,
}

impl Unit {
    pub(crate) fn new(act: Arc<Act>, now: Timestamp, read: HashMap<StreamName, Loaded>) -> Self {
        Self {
            act,
            now,
            read,
            primary: None,
            missing: Vec::new(),
            staged: Vec::new(),
            working: HashMap::new(),
            expected: Vec::new(),
        }
    }

    /// The time at which this is decided.
    pub(crate) fn now(&self) -> Timestamp {
        self.now
    }

    /// The streams that these records of the staged events bring, each as whoever reads the log will find it: made of
    /// the records and not of the events that they were made of. So what is kept in memory is what the log says, and
    /// nothing is written that cannot be read.
    pub(crate) fn after(&self, records: &[EventRecord]) -> Result<Vec<After>, StoreError> {
        let mut streams: Vec<(&Staged, usize, Vec<&EventRecord>)> = Vec::new();
        for (index, (staged, record)) in self.staged.iter().zip(records).enumerate() {
            match streams.iter_mut().find(|(first, _, _)| first.stream == staged.stream) {
                Some((_, last, records)) => {
                    *last = index;
                    records.push(record);
                }
                None => streams.push((staged, index, vec![record])),
            }
        }
        let after = streams.into_iter().map(|(staged, last, records)| {
            let loaded = (staged.load)(self.read.get(&staged.stream), &records);
            let loaded = loaded.map_err(|source| StoreError::Record { position: 0, source })?;
            Ok(After { stream: staged.stream.clone(), loaded, last })
        });
        after.collect()
    }

    /// Every condition of the caller that does not hold: the version that it saw of the command's own stream, and those
    /// of [`Unit::expect`].
    pub(crate) fn stale(&self, own: Option<u64>) -> Vec<StaleVersion> {
        let own = self.primary.iter().zip(own);
        let expected = self.expected.iter().map(|(stream, version)| (stream, *version));
        own.chain(expected)
            .filter_map(|(stream, expected)| {
                let version = self.read.get(stream)?.version;
                (version != expected).then(|| StaleVersion { stream: stream.clone(), expected, version })
            })
            .collect()
    }

    /// Puts the command's own events first, so that a repeated answer can be derived from the events alone.
    pub(crate) fn own_stream_first(&mut self) {
        self.staged.sort_by_key(|staged| Some(&staged.stream) != self.primary.as_ref());
    }

    /// The act that the command records.
    pub fn act(&self) -> &Act {
        &self.act
    }

    /// A stream's history, with what this command has already recorded in it. The first stream loaded is the
    /// command's own: its version is what the caller's etag speaks of.
    pub fn load<A: Stored>(&mut self, name: &StreamName) -> Result<Arc<History<A>>, Interrupt> {
        debug_assert_eq!(name.category(), A::CATEGORY, "a stream of another category");
        self.primary.get_or_insert_with(|| name.clone());
        let found = self.working.get(name).or_else(|| self.read.get(name).map(|loaded| &loaded.history)).cloned();
        if let Some(history) = found.and_then(|history| history.downcast::<History<A>>().ok()) {
            return Ok(history);
        }
        self.missing.push(Missing::of::<A>(name.clone()));
        Err(Interrupt::Load)
    }

    /// Loads several streams at once.
    pub fn load_all<A: Stored>(&mut self, names: &[StreamName]) -> Result<Vec<Arc<History<A>>>, Interrupt> {
        let loaded: Vec<_> = names.iter().map(|name| self.load::<A>(name)).collect();
        loaded.into_iter().collect()
    }

    /// The caller saw a stream at a version (0: there was none), and wants no effect if it is at another one now. All
    /// such conditions that fail are told together, before any refusal: they may be why.
    pub fn expect<A: Stored>(&mut self, name: &StreamName, version: u64) -> Result<(), Interrupt> {
        self.load::<A>(name)?;
        self.expected.push((name.clone(), version));
        Ok(())
    }

    /// Lets an aggregate decide on a command and records what it decides.
    pub fn handle<A: Stored>(&mut self, name: &StreamName, command: &A::Command) -> Result<(), Interrupt>
    where
        A::Error: Refusal,
    {
        let decision = self.load::<A>(name)?.state().decide(command, &self.act);
        let drafts = decision.map_err(|refusal| RefusedBy { stream: name.clone(), refusal })?;
        self.record::<A>(name, drafts)
    }

    /// Records events that were decided on a loaded stream's state.
    pub fn record<A: Stored>(&mut self, name: &StreamName, drafts: Vec<Draft<A::Event>>) -> Result<(), Interrupt> {
        self.record_entries::<A>(name, entries(drafts))
    }

    /// One person proposes what is right in the place of a mistaken record.
    pub fn propose_correction<A: Stored>(
        &mut self,
        name: &StreamName,
        correction: Correction<A::Event>,
    ) -> Result<(), Interrupt>
    where
        A::Error: Refusal,
    {
        let draft = self
            .load::<A>(name)?
            .propose_correction(correction, &self.act)
            .map_err(|error| crate::correction::refusal(name, error))?;
        self.record_entries::<A>(name, vec![draft])
    }

    /// A second person confirms it. A load of the stream now shows the corrected state.
    pub fn confirm_correction<A: Stored>(&mut self, name: &StreamName, proposal_version: u64) -> Result<(), Interrupt>
    where
        A::Error: Refusal,
    {
        let draft = self
            .load::<A>(name)?
            .confirm_correction(proposal_version, &self.act)
            .map_err(|error| crate::correction::refusal(name, error))?;
        self.record_entries::<A>(name, vec![draft])
    }

    fn record_entries<A: Stored>(
        &mut self,
        name: &StreamName,
        drafts: Vec<Draft<Entry<A::Event>>>,
    ) -> Result<(), Interrupt> {
        let mut history = History::clone(&*self.load::<A>(name)?);
        for draft in drafts {
            let version = history.version() + 1;
            self.staged.push(Staged {
                stream: name.clone(),
                version,
                payload: encode_entry::<A>(&draft.event),
                effective_on: draft.effective_on,
                load: load::<A>,
            });
            history.push(Recorded {
                version,
                event: draft.event,
                effective_on: draft.effective_on,
                recorded_at: self.now,
                corrected_at: None,
                act: self.act.clone(),
            });
        }
        self.working.insert(name.clone(), Arc::new(history));
        Ok(())
    }
}

/// Adds records to what was known of a stream.
fn load<A: Stored>(known: Option<&Loaded>, tail: &[&EventRecord]) -> Result<Loaded, DecodeError> {
    let history = known.and_then(|known| known.history.downcast_ref::<History<A>>());
    let mut history = history.cloned().unwrap_or_default();
    for record in tail {
        history.push(decode_record::<A>(record)?);
    }
    let (position, event_id) = match (tail.last(), known) {
        (Some(last), _) => (last.position, last.event_id.clone()),
        (None, Some(known)) => (known.position, known.event_id.clone()),
        (None, None) => (0, Vec::new()),
    };
    Ok(Loaded { version: history.version(), history: Arc::new(history), position, event_id })
}
