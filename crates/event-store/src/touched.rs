//! What a batch of a log's events did to the streams of one kind: the step from events to the rows of a read model
//! that shows resources whole.

use std::{collections::BTreeMap, sync::Arc};

use contracts::toguna::log::v1::EventRecord;
use event_sourcing::{Aggregate, History, StreamName};

use crate::{DecodeError, Log, ProjectionError, StoreError, Stored, unit::Missing};

/// A stream as a batch left it.
#[derive(Clone)]
pub struct Touched<A: Aggregate> {
    /// Its name.
    pub name: StreamName,
    /// Version of its last event in the batch.
    pub version: u64,
    /// The state after that event, whatever was recorded later.
    pub state: A,
    /// The stream up to that event.
    pub history: Arc<History<A>>,
}

impl Log {
    /// The streams of an aggregate that these events of this log touched, in order of their names, each as it was after
    /// the last of the events. So the rows made of it are the same however the events are cut into batches.
    pub async fn touched<A: Stored>(&self, batch: &[EventRecord]) -> Result<Vec<Touched<A>>, ProjectionError> {
        let mut streams: BTreeMap<StreamName, Vec<&EventRecord>> = BTreeMap::new();
        for record in batch {
            let name: StreamName = record.stream.parse().map_err(|_| DecodeError::Invalid("stream"))?;
            if name.category() == A::CATEGORY {
                streams.entry(name).or_default().push(record);
            }
        }
        let unknown: Vec<_> =
            streams.iter().filter(|(_, events)| events[0].version > 1).map(|(name, _)| name).collect();
        let mut loaded = self.load_all::<A>(&unknown).await?.into_iter();
        let mut touched = Vec::with_capacity(streams.len());
        for (name, events) in streams {
            // A stream that begins in the batch is all there.
            let found = if events[0].version > 1 { loaded.next() } else { None };
            let found = found.map_or_else(|| Missing::of::<A>(name.clone()).load(None, events.iter().copied()), Ok)?;
            let history: Arc<History<A>> = found.history.downcast().expect("it was loaded as this aggregate's");
            let version = events[events.len() - 1].version;
            let history = if version < history.version() { Arc::new(history.at(version)) } else { history };
            touched.push(Touched { name, version, state: history.state().clone(), history });
        }
        Ok(touched)
    }
}

impl From<StoreError> for ProjectionError {
    fn from(error: StoreError) -> Self {
        match error {
            StoreError::Record { source, .. } => Self::Decode(source),
            StoreError::Database(error) => Self::Database(error),
            error @ (StoreError::Migrate(_) | StoreError::Head(_) | StoreError::Closed) => {
                Self::Impossible(error.to_string())
            }
        }
    }
}
