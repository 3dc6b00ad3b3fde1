//! Read models: folds of a log's events into tables.

use contracts::toguna::log::v1::EventRecord;
use futures::future::BoxFuture;
use sqlx::PgConnection;

use crate::DecodeError;

/// A fold of one log's events into tables of the read models.
///
/// Guarantees to it: every event of the log comes once, in order of position; what it writes is committed together with
/// the checkpoint that says so, or not at all. It must give the same rows however the events are cut into batches, and
/// it must pass over types of events that do not concern it.
pub trait Projection: Send + Sync + 'static {
    /// Its name among the followers of its service, under which its checkpoint is kept.
    fn name(&self) -> &'static str;

    /// Name of the log that it follows.
    fn source(&self) -> &str;

    /// Writes what the events, in order, bring. An error that lies in an event stops this projection at that event.
    fn apply<'a>(
        &'a self,
        tx: &'a mut PgConnection,
        batch: &'a [EventRecord],
    ) -> BoxFuture<'a, Result<(), ProjectionError>>;

    /// Removes all its rows, to begin again from position 1: the log is in another epoch.
    fn clear<'a>(&'a self, tx: &'a mut PgConnection) -> BoxFuture<'a, Result<(), ProjectionError>>;
}

/// Why events could not be applied.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// An event cannot be read, or is of a type that should be known here and is not.
    #[error("the event cannot be read")]
    Decode(#[from] DecodeError),
    /// The database refused or failed.
    #[error("the database failed")]
    Database(#[from] sqlx::Error),
    /// An event says what cannot be, after those before it.
    #[error("{0}")]
    Impossible(String),
}

impl ProjectionError {
    /// The same may succeed later: the fault is not in the events.
    pub(crate) fn passes(&self) -> bool {
        match self {
            Self::Decode(_) | Self::Impossible(_) => false,
            Self::Database(error) => database_error_passes(error),
        }
    }
}

/// Whether a failure of Postgres is one of the moment: of the connection, of resources, of another transaction, of a
/// server that starts or stops. All others come back with the same statement.
pub(crate) fn database_error_passes(error: &sqlx::Error) -> bool {
    /// Classes of SQLSTATE, and single ones, that pass.
    const PASSING: [&str; 8] = ["08", "25006", "40", "53", "55P03", "57", "58", "XX000"];
    match error {
        sqlx::Error::Database(error) => {
            error.code().is_some_and(|code| PASSING.iter().any(|passing| code.starts_with(passing)))
        }
        sqlx::Error::Io(_)
        | sqlx::Error::Tls(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolTimedOut
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::BeginFailed => true,
        _ => false,
    }
}
