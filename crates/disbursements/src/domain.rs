//! The rules, pure: what may happen to a fund, its contributions, decisions, contracts and payments.
//!
//! A rule that spans streams is kept by whoever holds the ceiling: it mirrors what the records of others draw on it
//! ([`mirror`]), in the same append.

pub mod authority;
pub mod condition;
pub mod contract;
pub mod contribution;
pub mod decision;
pub mod fund;
pub mod link;
pub mod mirror;
pub mod money;
pub mod payment;
#[cfg(test)]
mod properties;
pub mod publication;
#[cfg(test)]
mod publications;
pub mod standing;
#[cfg(test)]
mod testing;
