//! The stored events of each log.

pub(crate) mod commitments;
pub(crate) mod disbursements;
pub(crate) mod partnerships;

#[cfg(test)]
mod tests;
