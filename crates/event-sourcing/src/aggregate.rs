//! Decide and evolve.

use std::{error::Error, sync::Arc};

use jiff::Timestamp;

use crate::{Act, PartialDate};

/// A consistency boundary: one stream of events and the rules that guard it. `Default` is the state before the first
/// event.
///
/// A command that concerns several aggregates is one command to each of them, decided on states loaded together and
/// written by one append; what one aggregate must know of another enters its command as data.
pub trait Aggregate: Default + Clone + Send + Sync + 'static {
    /// First part of the stream's name. Changing it orphans stored streams.
    const CATEGORY: &'static str;
    /// What can be asked of it.
    type Command;
    /// What can have happened to it.
    type Event: Clone + Send + Sync + 'static;
    /// Why it refuses.
    type Error: Error + Send + Sync + 'static;

    /// Says which events the command brings, or why it is refused. An empty list: it had its effect before.
    fn decide(&self, command: &Self::Command, act: &Act) -> Result<Vec<Draft<Self::Event>>, Self::Error>;

    /// Total: what happened cannot be refused.
    #[must_use]
    fn evolve(self, event: &Recorded<Self::Event>) -> Self;

    /// Whether an event says what the thing is, rather than what happened on a day: it counts in the state of any day.
    /// Without this, an agreement of 1994 that was registered yesterday could not be read as of 1994.
    fn is_timeless(_event: &Self::Event) -> bool {
        false
    }

    /// The invariants that must still hold after a past record was corrected.
    fn check(&self) -> Result<(), Self::Error> {
        Ok(())
    }
}

/// An event that was decided and is not written yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft<E> {
    /// The event.
    pub event: E,
    /// When it happens or happened in the world; `None`: not known.
    pub effective_on: Option<PartialDate>,
}

impl<E> Draft<E> {
    /// An event on a date of its own: entry into force, end of notice.
    pub fn on(event: E, date: impl Into<PartialDate>) -> Self {
        Self { event, effective_on: Some(date.into()) }
    }

    /// The same draft around another event type.
    pub fn map<F>(self, into: impl FnOnce(E) -> F) -> Draft<F> {
        Draft { event: into(self.event), effective_on: self.effective_on }
    }
}

/// An event as the log has it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorded<E> {
    /// Place in the stream: 1, 2, 3, ….
    pub version: u64,
    /// The event.
    pub event: E,
    /// When it happened in the world.
    pub effective_on: Option<PartialDate>,
    /// When the log took it.
    pub recorded_at: Timestamp,
    /// Version of the correction by which it says what it says; `None`: it is as it was recorded.
    pub corrected_at: Option<u64>,
    /// The act that brought it.
    pub act: Arc<Act>,
}

impl<E> Recorded<E> {
    /// What the log says of this event, said of something else: a part of it, or what became of it.
    #[must_use]
    pub fn with<F>(&self, event: F) -> Recorded<F> {
        Recorded {
            version: self.version,
            event,
            effective_on: self.effective_on,
            recorded_at: self.recorded_at,
            corrected_at: self.corrected_at,
            act: self.act.clone(),
        }
    }

    /// Version of the entry since which it says what it says. Whoever approved, confirmed or verified it before spoke of
    /// something else.
    pub fn said_since(&self) -> u64 {
        self.corrected_at.unwrap_or(self.version)
    }

    /// The day from which the event counts in a state as of a date: the last day its date may mean, or the day of its
    /// recording where no date is known.
    pub fn counts_from(&self) -> jiff::civil::Date {
        self.effective_on
            .map_or_else(|| jiff::tz::TimeZone::UTC.to_datetime(self.recorded_at).date(), PartialDate::latest)
    }
}
