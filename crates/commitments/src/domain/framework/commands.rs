//! What can be asked of a framework, and how it answers.

use event_sourcing::{Act, Aggregate, Date, Draft, LocalizedText, Period, Recorded};

use super::{
    events::{FrameworkEvent, FrameworkKind, NewItem, ReferenceCountry, Registration},
    state::Framework,
};
use crate::domain::{
    mandate::{self, MandateError},
    money::Money,
    plan_item::{PlanItemKind, PlanItemReference},
};

/// What can be asked of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FrameworkCommand {
    /// Enters it; the caller's organisation keeps its register from then on.
    Register {
        /// What it is called.
        title: LocalizedText,
        /// What kind it is.
        kind: FrameworkKind,
    },
    /// Adds a plan.
    AddPlan {
        /// Its code.
        plan: String,
        /// What it is called.
        title: LocalizedText,
        /// The days for which it holds.
        validity: Period,
    },
    /// Prolongs a plan.
    ProlongPlan {
        /// The plan.
        plan: String,
        /// Its last day from now on.
        valid_until: Date,
    },
    /// Adds items to a plan's tree.
    AddItems {
        /// The plan.
        plan: String,
        /// Each after the one above it.
        items: Vec<NewItem>,
    },
    /// Links an item to another plan's, which is there.
    LinkItem {
        /// The plan.
        plan: String,
        /// Its item; `None`: the plan as a whole.
        item: Option<String>,
        /// What it corresponds to.
        counterpart: PlanItemReference,
    },
    /// Records how many items a plan has.
    RecordCount {
        /// The plan.
        plan: String,
        /// What was counted.
        kind: PlanItemKind,
        /// How many.
        count: u32,
    },
    /// Records what a plan costs.
    RecordCost {
        /// The plan.
        plan: String,
        /// The cost.
        cost: Money,
    },
    /// Names who leads the work on an item.
    DesignateReferenceCountry {
        /// The plan.
        plan: String,
        /// Who leads what.
        designation: ReferenceCountry,
    },
}

/// Why it refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FrameworkError {
    /// There is no such framework.
    #[error("there is no such framework")]
    NotFound,
    /// There is one already.
    #[error("there is such a framework already")]
    AlreadyExists,
    /// It has no such plan.
    #[error("there is no plan {plan}")]
    PlanUnknown {
        /// The code.
        plan: String,
    },
    /// It has another plan of that code.
    #[error("there is another plan {plan}")]
    PlanExists {
        /// The code.
        plan: String,
    },
    /// The plan has no such item.
    #[error("the plan {plan} has no item {item}")]
    ItemUnknown {
        /// The plan.
        plan: String,
        /// The code.
        item: String,
    },
    /// The plan has another item of that code.
    #[error("the plan {plan} has another item {item}")]
    ItemExists {
        /// The plan.
        plan: String,
        /// The code.
        item: String,
    },
    /// The plan holds until that day or longer.
    #[error("the plan holds until {end} already")]
    NotLater {
        /// Its last day.
        end: Date,
    },
    /// Not an act that counts.
    #[error(transparent)]
    Mandate(#[from] MandateError),
}

impl Aggregate for Framework {
    const CATEGORY: &'static str = "frameworks";
    type Command = FrameworkCommand;
    type Event = FrameworkEvent;
    type Error = FrameworkError;

    fn decide(&self, command: &FrameworkCommand, act: &Act) -> Result<Vec<Draft<FrameworkEvent>>, FrameworkError> {
        if let FrameworkCommand::Register { title, kind } = command {
            return self.register(title, *kind, act);
        }
        mandate::keeps_register(act, self.secretariat()?)?;
        let events = match command.clone() {
            FrameworkCommand::Register { .. } => Vec::new(),
            FrameworkCommand::AddPlan { plan, title, validity } => self.add_plan(plan, title, validity)?,
            FrameworkCommand::ProlongPlan { plan, valid_until } => self.prolong_plan(plan, valid_until)?,
            FrameworkCommand::AddItems { plan, items } => self.add_items(&plan, items)?,
            FrameworkCommand::LinkItem { plan, item, counterpart } => {
                let linked = self.counterparts(&plan, item.as_deref())?.contains(&counterpart);
                if linked { Vec::new() } else { vec![FrameworkEvent::ItemLinked { plan, item, counterpart }] }
            }
            FrameworkCommand::RecordCount { plan, kind, count } => {
                self.plan(&plan)?;
                vec![FrameworkEvent::CountRecorded { plan, kind, count }]
            }
            FrameworkCommand::RecordCost { plan, cost } => {
                self.plan(&plan)?;
                vec![FrameworkEvent::CostRecorded { plan, cost }]
            }
            FrameworkCommand::DesignateReferenceCountry { plan, designation } => {
                self.plan(&plan)?.item(&designation.item)?;
                vec![FrameworkEvent::ReferenceCountryDesignated { plan, designation }]
            }
        };
        Ok(events.into_iter().map(|event| act.draft(event)).collect())
    }

    fn evolve(mut self, recorded: &Recorded<FrameworkEvent>) -> Self {
        if let Err(dangling) = self.apply(recorded) {
            self.dangling.get_or_insert(dangling);
        }
        self
    }

    fn check(&self) -> Result<(), FrameworkError> {
        self.dangling.clone().map_or(Ok(()), Err)
    }
}

impl Framework {
    fn register(
        &self,
        title: &LocalizedText,
        kind: FrameworkKind,
        act: &Act,
    ) -> Result<Vec<Draft<FrameworkEvent>>, FrameworkError> {
        mandate::is_secretariat(act)?;
        if self.registration.is_some() {
            return Err(FrameworkError::AlreadyExists);
        }
        let secretariat = act.actor.organisation.clone();
        Ok(vec![act.draft(FrameworkEvent::Registered(Registration { title: title.clone(), kind, secretariat }))])
    }

    fn add_plan(
        &self,
        plan: String,
        title: LocalizedText,
        validity: Period,
    ) -> Result<Vec<FrameworkEvent>, FrameworkError> {
        if self.plan(&plan).is_ok() {
            return Err(FrameworkError::PlanExists { plan });
        }
        Ok(vec![FrameworkEvent::PlanAdopted { plan, title, validity }])
    }

    fn prolong_plan(&self, plan: String, valid_until: Date) -> Result<Vec<FrameworkEvent>, FrameworkError> {
        match self.plan(&plan)?.validity.end {
            Some(end) if end == valid_until => Ok(Vec::new()),
            Some(end) if end > valid_until => Err(FrameworkError::NotLater { end }),
            _ => Ok(vec![FrameworkEvent::PlanProlonged { plan, valid_until }]),
        }
    }

    /// Items that are there already, word for word, are not added again, so that a list can be loaded twice.
    fn add_items(&self, plan: &str, items: Vec<NewItem>) -> Result<Vec<FrameworkEvent>, FrameworkError> {
        let mut after = self.plan(plan)?.clone();
        let mut events = Vec::new();
        for item in items {
            if after.item(&item.code).is_ok_and(|there| there.node == item) {
                continue;
            }
            after.add(item.clone())?;
            events.push(FrameworkEvent::ItemAdded { plan: plan.into(), item });
        }
        Ok(events)
    }
}
