//! The three logs that figures are made from.

use std::{fmt, str::FromStr};

/// One of the logs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Log {
    /// What was promised and what is done.
    Commitments,
    /// What a trust fund holds, decides, contracts and pays.
    Disbursements,
    /// Who works with whom, on what terms.
    Partnerships,
}

impl Log {
    /// All of them, in order of name.
    pub const ALL: [Self; 3] = [Self::Commitments, Self::Disbursements, Self::Partnerships];

    /// Its name: that of its service.
    pub fn name(self) -> &'static str {
        match self {
            Self::Commitments => "commitments",
            Self::Disbursements => "disbursements",
            Self::Partnerships => "partnerships",
        }
    }
}

impl fmt::Display for Log {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// No figure is made from such a log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("no figure is made from a log of that name")]
pub struct UnknownLog;

impl FromStr for Log {
    type Err = UnknownLog;

    fn from_str(name: &str) -> Result<Self, UnknownLog> {
        Self::ALL.into_iter().find(|log| log.name() == name).ok_or(UnknownLog)
    }
}
