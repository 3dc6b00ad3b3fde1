//! The process shell that every service has: configuration, telemetry, identity, the envelope of commands, error
//! details, the gRPC server with health and reflection, an orderly shutdown, and the log served to those who audit it.
//!
//! Not here: any rule of a service. Start at [`Calls`], which turns a request into a verified [`Call`], and
//! [`Fields`], which turns its fields into values; a process starts at [`run`].

mod asked;
mod authorisation;
mod call;
mod config;
mod context;
mod envelope;
mod fields;
mod health;
pub mod identity;
mod journal;
mod language;
mod layer;
pub mod limits;
mod listing;
mod log_service;
mod mask;
mod metrics;
mod nearest;
mod operations;
mod page;
pub mod query;
mod rates;
mod reloaded;
mod server;
mod service;
pub mod status;
mod telemetry;
#[cfg(test)]
mod testing;
mod tls;
mod validation;
mod web;

pub use asked::{Asked, Known, Revision};
pub use authorisation::{Authority, role_names};
pub use call::{Call, Caller, Calls, etag};
pub use config::{Config, ConfigError, Secret};
pub use fields::{Fields, PARTNERS};
pub use language::{Language, Wording};
pub use limits::Limits;
pub use listing::Listing;
pub use log_service::LogReaders;
pub use server::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES};
pub use service::{Parts, run, serve};
pub use status::Violation;
pub use telemetry::{LogFormat, Telemetry};
pub use tls::Tls;
pub use web::Origins;
/// Of every program that has this shell.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The encodings that `limited!` allows.
pub use tonic::codec::CompressionEncoding;
