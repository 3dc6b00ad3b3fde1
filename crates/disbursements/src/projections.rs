//! What lists are answered from. A row is the resource after the last event that was applied, rendered as the API shows
//! it: the same whatever the batches in which the events came.

mod contracts;
mod contributions;
mod decisions;
mod funds;
mod payments;

use ::contracts::toguna::r#type::v1::Money;
use sqlx::migrate::Migrator;

pub use self::contracts::{CONTRACTS, Contracts};
pub use self::contributions::{CONTRIBUTIONS, Contributions};
pub use self::decisions::{DECISIONS, Decisions};
pub use self::funds::{FUNDS, Funds};
pub use self::payments::{PAYMENTS, Payments};

/// The shape of the tables: to be raised whenever they change so that they must be filled anew.
pub const VERSION: u32 = 2;
/// Makes their tables.
pub static MIGRATOR: Migrator = sqlx::migrate!();

/// What filters know of an amount, beside its currency.
fn minor_units(amount: Option<&Money>) -> Option<i64> {
    amount.map(|amount| amount.minor_units)
}

/// The currency of a row's amounts, by one that every row has.
fn currency_code(amount: Option<&Money>) -> String {
    amount.map(|amount| amount.currency_code.clone()).unwrap_or_default()
}
