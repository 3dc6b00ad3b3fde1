//! The process shell that every service has: configuration, telemetry, identity, the envelope of commands, error
//! details, the gRPC server with health and reflection, an orderly shutdown, and the log served to those who audit it.
//!
//! Not here: any rule of a service. Start at [`Calls`], which turns a request into a verified [`Call`], and
//! [`Fields`], which turns its fields into values.

mod call;
mod config;
mod context;
mod envelope;
mod fields;
pub mod identity;
mod language;
pub mod status;
mod telemetry;

pub use call::{Call, Caller, Calls, etag};
pub use config::{Config, ConfigError, Secret};
pub use fields::{Fields, PARTNERS};
pub use language::{Language, Wording};
pub use status::Violation;
pub use telemetry::{LogFormat, Telemetry};
