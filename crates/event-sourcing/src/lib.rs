//! What every aggregate is made of, and nothing that does I/O: acts, dates as exactly as known, events with what the
//! log says of them, decide and evolve, corrections, and the given/when/then harness.
//!
//! Not here: storage, encoding, clocks. Start at [`Aggregate`].

mod act;
mod aggregate;
mod correction;
mod date;
mod history;
mod name;
mod period;
pub mod testing;
mod text;

pub use act::{Act, Actor, Basis, Certainty, Source};
pub use aggregate::{Aggregate, Draft, Recorded};
pub use correction::{Correction, CorrectionError};
pub use date::{InvalidDate, PartialDate};
pub use history::{Entry, History, entries};
/// A point in time.
pub use jiff::Timestamp;
/// A civil date.
pub use jiff::civil::Date;
pub use name::{InvalidName, StreamName};
pub use period::Period;
pub use text::{LocalizedText, Text, TextOrigin};
