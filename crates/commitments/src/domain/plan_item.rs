//! Places in the plans of frameworks.

use event_sourcing::StreamName;

/// One item of one plan of one framework, or the plan as a whole.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PlanItemReference {
    /// The framework.
    pub framework: StreamName,
    /// Code of the plan.
    pub plan: String,
    /// Code of the item; `None`: the plan as a whole.
    pub item: Option<String>,
}

/// What kind of node of a plan an item is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PlanItemKind {
    /// A domain or area.
    Domain,
    /// An axis of a national policy.
    Axis,
    /// An objective.
    Objective,
    /// A priority.
    Priority,
    /// A priority initiative of a plan; not what a partner carries out.
    Initiative,
    /// An action.
    Action,
}
