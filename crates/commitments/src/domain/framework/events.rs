//! What can have happened to a framework. Stored for ever: `codec/framework.rs` names the message of each.

use event_sourcing::{Date, LocalizedText, Period};

use crate::domain::{
    money::Money,
    plan_item::{PlanItemKind, PlanItemReference},
};

/// What can have happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameworkEvent {
    /// The framework was entered.
    Registered(Registration),
    /// A plan was adopted.
    PlanAdopted {
        /// Its code.
        plan: String,
        /// What it is called.
        title: LocalizedText,
        /// The days for which it holds.
        validity: Period,
    },
    /// A plan was prolonged.
    PlanProlonged {
        /// The plan.
        plan: String,
        /// Its last day from now on.
        valid_until: Date,
    },
    /// A node of a plan's tree was entered.
    ItemAdded {
        /// The plan.
        plan: String,
        /// The node.
        item: NewItem,
    },
    /// An item was said to correspond to another plan's.
    ItemLinked {
        /// The plan.
        plan: String,
        /// Its item; `None`: the plan as a whole.
        item: Option<String>,
        /// What it corresponds to.
        counterpart: PlanItemReference,
    },
    /// A source says how many items of a kind a plan has.
    CountRecorded {
        /// The plan.
        plan: String,
        /// What was counted.
        kind: PlanItemKind,
        /// How many.
        count: u32,
    },
    /// A source says what a plan costs.
    CostRecorded {
        /// The plan.
        plan: String,
        /// The cost.
        cost: Money,
    },
    /// A partner leads the work on an item.
    ReferenceCountryDesignated {
        /// The plan.
        plan: String,
        /// Who leads what.
        designation: ReferenceCountry,
    },
}

/// What a framework is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    /// What it is called.
    pub title: LocalizedText,
    /// What kind it is.
    pub kind: FrameworkKind,
    /// The organisation that keeps its register.
    pub secretariat: String,
}

/// What kind a framework is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum FrameworkKind {
    /// A standing dialogue with plans of its own.
    Dialogue,
    /// A plan agreed at a summit.
    JointActionPlan,
    /// A state's own policy.
    NationalPolicy,
    /// A list of indicators shared by a fund's projects.
    ResultsFramework,
}

/// A node of a plan's tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewItem {
    /// Its code in the plan.
    pub code: String,
    /// What kind of node it is.
    pub kind: PlanItemKind,
    /// The node above it; `None`: the plan itself.
    pub parent: Option<String>,
    /// What it is called, as far as a source says.
    pub title: LocalizedText,
}

/// Who leads the work on an item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReferenceCountry {
    /// The item.
    pub item: String,
    /// The partner.
    pub partner: String,
    /// For how long.
    pub term: Period,
}
