//! What lists are answered from. A row is the resource after the last event that was applied, rendered as the API shows
//! it: the same whatever the batches in which the events came.

mod contracts;
mod contributions;
mod decisions;
mod funds;
mod payments;

use std::collections::BTreeMap;

use ::contracts::toguna::log::v1::EventRecord;
use event_store::{Log, ProjectionError, StoreError, Stored, StreamName};
use prost::Message;
use service_runtime::{Page, status};
use sqlx::{PgPool, migrate::Migrator};
use tonic::Status;

pub use contracts::Contracts;
pub use contributions::Contributions;
pub use decisions::Decisions;
pub use funds::Funds;
pub use payments::Payments;

/// Version of the read models: another one is built beside this.
pub const VERSION: u32 = 1;
/// Makes their tables.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The lists of the live version of the read models.
#[derive(Debug, Clone)]
pub struct ReadModels {
    pool: PgPool,
}

/// A row of a list.
struct Row {
    name: String,
    resource: Vec<u8>,
}

impl ReadModels {
    /// Reads from this pool.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}

/// A page of resources, and the token of the next one.
fn answer<R: Message + Default>(page: &Page, rows: Result<Vec<Row>, sqlx::Error>) -> Result<(Vec<R>, String), Status> {
    let mut rows = rows.map_err(|error| status::store(&StoreError::Database(error)))?;
    let next_page_token = page.cut(&mut rows, |row| row.name.as_str());
    let resource = |row: Row| R::decode(row.resource.as_slice()).map_err(|error| status::internal(&error));
    Ok((rows.into_iter().map(resource).collect::<Result<_, _>>()?, next_page_token))
}

/// The aggregates of a category that a batch changed, each after the last of its events in the batch.
async fn changed<A: Stored>(log: &Log, batch: &[EventRecord]) -> Result<Vec<(String, A)>, ProjectionError> {
    let mut versions: BTreeMap<StreamName, u64> = BTreeMap::new();
    for record in batch {
        match record.stream.parse::<StreamName>() {
            Ok(name) if name.category() == A::CATEGORY => versions.insert(name, record.version),
            Ok(_) | Err(_) => None,
        };
    }
    let mut aggregates = Vec::with_capacity(versions.len());
    for (name, version) in versions {
        let history = log.history::<A>(&name).await.map_err(unreadable)?;
        let is_last = history.version() == version;
        let state = if is_last { history.state().clone() } else { history.state_at(version) };
        aggregates.push((name.to_string(), state));
    }
    Ok(aggregates)
}

fn unreadable(error: StoreError) -> ProjectionError {
    match error {
        StoreError::Database(error) => error.into(),
        StoreError::Record { source, .. } => source.into(),
        StoreError::Migrate(_) | StoreError::Closed => sqlx::Error::PoolClosed.into(),
    }
}
