//! From requests to commands and answers: parse, execute, answer, and nothing else.

mod commitment;
mod correction;
mod cycle;
mod framework;
mod indicator;
mod initiative;
mod lookup;
mod parse;
mod status;

use event_store::{Log, StoreError};
use service_runtime::{Calls, status as answers};
use sqlx::PgPool;
use tonic::Status;

/// The service's side of every call: one value serves all of its gRPC services.
#[derive(Clone)]
pub struct Api {
    calls: Calls,
    log: Log,
    read_models: PgPool,
}

impl Api {
    /// Verifies with `calls`, writes and reads `log`, and lists from `read_models`.
    pub fn new(calls: Calls, log: Log, read_models: PgPool) -> Self {
        Self { calls, log, read_models }
    }
}

/// The read models cannot be read.
fn unavailable(error: sqlx::Error) -> Status {
    answers::store(&StoreError::Database(error))
}
