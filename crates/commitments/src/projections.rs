//! What lists are answered from. A row is the resource after the last event that was applied, as the API shows it, with
//! what lists are filtered by: the same whatever the batches in which the events came.

mod commitments;
mod cycles;
mod frameworks;
mod indicators;
mod initiatives;

use sqlx::migrate::Migrator;

pub use commitments::{COMMITMENTS, Commitments};
pub(crate) use commitments::{overdue_on, standings};
pub use cycles::{CYCLES, Cycles};
pub use frameworks::{FRAMEWORKS, Frameworks};
pub use indicators::{INDICATORS, Indicators};
pub use initiatives::{INITIATIVES, Initiatives};

/// The shape of the tables: to be raised whenever they change so that they must be filled anew.
pub const VERSION: u32 = 2;
/// Makes their tables.
pub static MIGRATOR: Migrator = sqlx::migrate!();
