//! From stored events to the figures that people quote: the portfolio of a country, the chain of a contract, the
//! scoreboard of a framework. Pure: the same code answers on line and recomputes off line what was answered.
//!
//! Not here: reading logs, SQL, clocks. Push the records of the three logs, in order of position, into [`Facts`]; then
//! ask for a [`portfolio`], a [`contract_chain`] or a [`scoreboard`] as of a day, as known at a time ([`Clocks`]).
//! Reports are the messages of `toguna.oversight.v1`; which records count is said there, at `Standpoint`.

mod agreement;
mod amounts;
mod calendar;
mod chain;
mod commitment;
mod event;
mod events;
mod evidence;
mod facts;
mod initiative;
mod log;
mod measurement;
mod money;
mod portfolio;
mod record;
mod scoreboard;
#[cfg(test)]
mod testing;
mod view;

pub use chain::contract_chain;
pub use event::NotUnderstood;
pub use facts::{Facts, Unreadable, counts};
pub use log::{Log, UnknownLog};
pub use money::{TooLarge, decimal_text, derived, minor_digits, parity};
pub use portfolio::{PortfolioScope, portfolio};
pub use scoreboard::scoreboard;
pub use view::Clocks;
