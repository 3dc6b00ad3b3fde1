//! What can have happened to an indicator. Stored for ever: `codec/indicator.rs` names the message of each.

use event_sourcing::{LocalizedText, StreamName};

use crate::domain::{
    measure::{MeasurePoint, SourceStatus},
    quantity::Quantity,
};

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndicatorEvent {
    /// It was defined, or defined anew.
    Defined {
        /// 1, 2, 3, ….
        version: u32,
        /// What it counts.
        definition: Definition,
    },
    /// A target was set.
    TargetSet(Target),
    /// A source gives a value; its identity is the version of this event.
    ValueReported(Value),
    /// One person says that a value was wrong under its own definition.
    RestatementProposed {
        /// The value.
        value_version: u64,
        /// The right value.
        value: Quantity,
        /// What stands behind it.
        source_status: SourceStatus,
    },
    /// A second person confirmed it.
    ValueRestated {
        /// The proposal.
        proposal_version: u64,
        /// The value.
        value_version: u64,
        /// What it is and always was about, and what is right.
        value: Value,
    },
}

/// What one version of an indicator counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Definition {
    /// What it is called.
    pub title: LocalizedText,
    /// The unit.
    pub unit: LocalizedText,
    /// Who or what is counted, and when it counts.
    pub population: LocalizedText,
    /// How values add up.
    pub aggregation: Aggregation,
    /// The framework to whose list it belongs.
    pub framework: Option<StreamName>,
    /// Code in that list.
    pub code: Option<String>,
    /// A count above 0 and below this one could point to persons and is not taken; 0: any count is.
    pub smallest_count: u32,
}

/// How values of an indicator add up.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Aggregation {
    /// They add up.
    Sum,
    /// Each period's value replaces the one before.
    Latest,
    /// The greatest one counts.
    Maximum,
    /// They do not.
    None,
}

/// What was hoped for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// What it is about.
    pub point: MeasurePoint,
    /// How much.
    pub target: Quantity,
}

/// What a source says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Value {
    /// What it is about.
    pub point: MeasurePoint,
    /// How much.
    pub quantity: Quantity,
    /// What stands behind it.
    pub source_status: SourceStatus,
}
