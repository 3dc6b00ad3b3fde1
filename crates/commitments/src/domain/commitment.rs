//! Commitments: what a partner promised under a plan, and what became of it. The promise is the owner's: others enter
//! it, return it, verify it, but only the owner declares it, keeps it or takes it back.

mod commands;
mod events;
mod state;

pub use commands::{CommitmentCommand, CommitmentError, OpenCycle};
pub use events::{CommitmentEvent, Terms};
pub use state::{Closure, Commitment, CommitmentStatus, Report, ReportStatus, Verdict};

#[cfg(test)]
mod tests;
