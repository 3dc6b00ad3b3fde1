//! disbursements

pub mod domain;
