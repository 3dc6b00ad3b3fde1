//! What the API shows of each aggregate: the same in answers from the log and in the read models.
//!
//! Each function gives `None` where the aggregate has not begun: its stream is empty, or it was not there on the day
//! that is asked for.

mod contract;
mod contribution;
mod decision;
mod fund;
mod payment;

use contracts::toguna::r#type::v1 as types;

pub use contract::contract;
pub use contribution::contribution;
pub use decision::decision;
pub use fund::fund;
pub use payment::payment;

use crate::{
    codec::money_to_proto,
    domain::money::{Currency, Money},
};

/// Derived at the parity for display; `None` for what is not in EUR.
fn in_xof(amount: Money) -> Option<types::Money> {
    amount.at_parity_in(Currency::XOF).map(money_to_proto)
}
