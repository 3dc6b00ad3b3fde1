//! Why nothing is published.

use transparency::Hash;

use super::{asking::AskError, folder::FolderError};
use crate::StoreError;

/// Why the publisher cannot go on.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error(transparent)]
    Store(#[from] StoreError),
    #[error("the log was not read in time")]
    LogTooSlow,
    #[error("the log is not where it was")]
    LogMoved,
    #[error("the log is in another epoch")]
    NewEpoch,
    #[error("the head of the log has no tree yet")]
    NoTree,
    #[error(transparent)]
    Folder(#[from] FolderError),
    #[error("the signer did not sign")]
    Unsigned(#[source] AskError),
    #[error("the process ends")]
    Ending,
    #[error("{published} records are published, and the log has {head}")]
    LogIsShorter { published: u64, head: u64 },
    #[error("the log has no record at position {position}")]
    NoRecord { position: u64 },
    #[error("the record at position {position} is not the one whose hash is in {path}")]
    OtherRecord { position: u64, path: String },
    #[error("what is stored from position {from} to {to} gives the root {stored}, and the head has {head}")]
    OtherRoot { from: u64, to: u64, stored: Hash, head: Hash },
    #[error("{path} is not there or too short, and belongs to the published tree of {size} records")]
    NoTile { path: String, size: u64 },
    #[error("the tiles of the published tree of {size} records do not give its root")]
    Inconsistent { size: u64 },
    #[error("{path} is not what this log publishes: {problem}")]
    Foreign { path: &'static str, problem: String },
}

impl Trouble {
    /// Log, folder and signer contradict each other: trying again changes nothing until somebody has looked.
    pub fn is_contradiction(&self) -> bool {
        match self {
            Self::LogIsShorter { .. }
            | Self::NoRecord { .. }
            | Self::OtherRecord { .. }
            | Self::OtherRoot { .. }
            | Self::NoTile { .. }
            | Self::Inconsistent { .. }
            | Self::Foreign { .. }
            | Self::Folder(FolderError::OtherBytes { .. })
            | Self::Store(StoreError::Head(_)) => true,
            Self::Unsigned(error) => error.is_contradiction(),
            Self::Store(_)
            | Self::LogTooSlow
            | Self::LogMoved
            | Self::NewEpoch
            | Self::NoTree
            | Self::Folder(FolderError::Io { .. } | FolderError::Taken(_))
            | Self::Ending => false,
        }
    }
}
