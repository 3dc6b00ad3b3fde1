//! disbursements

mod codec;
pub mod domain;
