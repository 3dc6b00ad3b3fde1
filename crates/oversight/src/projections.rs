//! What oversight keeps of the logs, in Postgres.

mod records;

pub use records::{Records, Tables, TablesError};

/// Makes the tables.
pub static MIGRATOR: sqlx::migrate::Migrator = sqlx::migrate!();
