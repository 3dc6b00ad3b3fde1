//! What lists are answered from. A row is the resource after the last event that was applied, rendered as the API shows
//! it: the same whatever the batches in which the events came.

mod contracts;
mod contributions;
mod decisions;
mod funds;
mod payments;

use event_store::LivePool;
use sqlx::{PgPool, migrate::Migrator};

pub use contracts::Contracts;
pub use contributions::Contributions;
pub use decisions::Decisions;
pub use funds::Funds;
pub use payments::Payments;

/// The shape of the tables: to be raised whenever they change so that they must be filled anew.
pub const VERSION: u32 = 1;
/// Makes their tables.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// The lists of the live version of the read models.
#[derive(Debug, Clone)]
pub struct ReadModels {
    live: LivePool,
}

impl ReadModels {
    /// Reads from whichever generation is live.
    pub fn new(live: LivePool) -> Self {
        Self { live }
    }

    fn pool(&self) -> PgPool {
        self.live.pool()
    }
}
