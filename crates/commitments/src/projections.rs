//! What lists are answered from. A row is the resource after the last event that was applied, as the API shows it, with
//! what lists are filtered by: the same whatever the batches in which the events came.

mod commitments;
mod cycles;
mod frameworks;
mod indicators;
mod initiatives;

use sqlx::{PgPool, migrate::Migrator};

pub use commitments::{CommitmentFilter, Commitments};
pub use cycles::Cycles;
pub use frameworks::Frameworks;
pub use indicators::{IndicatorFilter, Indicators};
pub use initiatives::{InitiativeFilter, Initiatives};

/// Version of the read models: another one is built beside this.
pub const VERSION: u32 = 1;
/// Makes their tables.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The lists of the live version of the read models.
#[derive(Debug, Clone)]
pub struct ReadModels {
    pool: PgPool,
}

impl ReadModels {
    /// Reads from this pool.
    pub fn new(pool: PgPool) -> Self {
        Self { pool }
    }
}
