//! Indicators: what they count under which definition, what was hoped for and what sources say.

mod commands;
mod events;
mod state;

pub use commands::{IndicatorCommand, IndicatorError};
pub use events::{Aggregation, Definition, IndicatorEvent, Target, Value};
pub use state::{Indicator, Restatement};

#[cfg(test)]
mod tests;
