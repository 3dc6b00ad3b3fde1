//! What can go wrong below a service's rules.

use event_sourcing::StreamName;

use crate::{HeadFault, Refusal};

/// Stored bytes that cannot be read: of an unknown type, or damaged.
#[derive(Debug, thiserror::Error)]
pub enum DecodeError {
    /// Not the message it should be.
    #[error("the bytes are not such a message")]
    Protobuf(#[from] prost::DecodeError),
    /// A type that this build does not know.
    #[error("unknown event type {0}")]
    UnknownType(String),
    /// A field that is always there is not.
    #[error("{0} is missing")]
    Missing(&'static str),
    /// A field says something impossible.
    #[error("{0} is not valid")]
    Invalid(&'static str),
}

/// The log could not be read or written.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// Postgres failed or cannot be reached.
    #[error("the log's database failed")]
    Database(#[from] sqlx::Error),
    /// Its tables could not be brought up to date.
    #[error("the log's migrations failed")]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// A record cannot be read.
    #[error("the record at position {position} cannot be read")]
    Record {
        /// Where it is.
        position: u64,
        /// Why.
        #[source]
        source: DecodeError,
    },
    /// The head row is not that of the records below it: the log is not written until somebody has looked into it.
    #[error("the head of the log is damaged: {0}")]
    Head(#[from] HeadFault),
    /// The service is stopping.
    #[error("the log is closed")]
    Closed,
}

/// A stream that is not at the version that the caller saw.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{stream} is at version {version}, not {expected}")]
pub struct StaleVersion {
    /// The stream.
    pub stream: StreamName,
    /// What the caller saw; 0: nothing.
    pub expected: u64,
    /// Where it is now.
    pub version: u64,
}

/// Why a command had no effect.
#[derive(Debug, thiserror::Error)]
pub enum ExecuteError {
    /// A rule refused it.
    #[error("refused: {0}")]
    Refused(Box<dyn Refusal>),
    /// Streams are not at the versions that the caller saw: all of those, the command's own first.
    #[error("{}", .0.iter().map(ToString::to_string).collect::<Vec<_>>().join(", "))]
    StaleVersion(Vec<StaleVersion>),
    /// The request id had its effect with another content.
    #[error("the request id was used for another command")]
    RequestIdReused,
    /// An event would be larger than what is stored.
    #[error("an event of {bytes} bytes")]
    EventTooLarge {
        /// Its size.
        bytes: usize,
    },
    /// Too many commands wait, or too many change the same streams.
    #[error("too many commands wait")]
    Overloaded,
    /// The log could not be reached; whether the command had its effect is not known, and the same request id tells.
    #[error("the log is not available")]
    Unavailable(#[from] StoreError),
}
