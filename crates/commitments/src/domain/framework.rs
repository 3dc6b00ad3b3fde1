//! Frameworks: what partners follow together, and the plans it is laid down in.

mod commands;
mod events;
mod state;

pub use commands::{FrameworkCommand, FrameworkError};
pub use events::{FrameworkEvent, FrameworkKind, NewItem, ReferenceCountry, Registration};
pub use state::{Framework, Item, Plan};

#[cfg(test)]
mod tests;
