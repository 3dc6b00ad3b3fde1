//! What a framework's events make of it, and what others ask of it.

use event_sourcing::{LocalizedText, Period, Recorded};

use super::{
    commands::FrameworkError,
    events::{FrameworkEvent, NewItem, ReferenceCountry, Registration},
};
use crate::domain::{
    money::Money,
    plan_item::{PlanItemKind, PlanItemReference},
};

/// A framework.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Framework {
    pub(super) registration: Option<Recorded<Registration>>,
    pub(super) plans: Vec<Plan>,
    /// The first event that speaks of what is not there: only a correction can bring that about.
    pub(super) dangling: Option<FrameworkError>,
}

/// A plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// Its code.
    pub code: String,
    /// What it is called.
    pub title: LocalizedText,
    /// The days for which it holds, prolongations counted.
    pub validity: Period,
    /// Its adoption.
    pub adopted: Recorded<()>,
    /// Its tree, each item after the one above it.
    pub items: Vec<Item>,
    /// What sources say of its number of items.
    pub counts: Vec<Recorded<(PlanItemKind, u32)>>,
    /// What sources say of its cost.
    pub costs: Vec<Recorded<Money>>,
    /// Who leads what.
    pub reference_countries: Vec<Recorded<ReferenceCountry>>,
    /// What the plan as a whole corresponds to.
    pub counterparts: Vec<PlanItemReference>,
}

/// An item and what it corresponds to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// The node.
    pub node: NewItem,
    /// Items of other plans.
    pub counterparts: Vec<PlanItemReference>,
}

impl Framework {
    /// What it is; `None`: there is no such framework.
    pub fn registration(&self) -> Option<&Recorded<Registration>> {
        self.registration.as_ref()
    }

    /// Its plans, in the order of their recording.
    pub fn plans(&self) -> &[Plan] {
        &self.plans
    }

    /// The organisation that keeps its register.
    pub fn secretariat(&self) -> Result<&str, FrameworkError> {
        let registration = self.registration.as_ref().ok_or(FrameworkError::NotFound)?;
        Ok(&registration.event.secretariat)
    }

    /// The place, in this framework, that another resource names is there.
    pub fn has(&self, reference: &PlanItemReference) -> Result<(), FrameworkError> {
        self.secretariat()?;
        let plan = self.plan(&reference.plan)?;
        reference.item.as_deref().map_or(Ok(()), |item| plan.item(item).map(|_| ()))
    }

    pub(super) fn plan(&self, code: &str) -> Result<&Plan, FrameworkError> {
        let found = self.plans.iter().find(|plan| plan.code == code);
        found.ok_or_else(|| FrameworkError::PlanUnknown { plan: code.into() })
    }

    fn plan_mut(&mut self, code: &str) -> Result<&mut Plan, FrameworkError> {
        let found = self.plans.iter_mut().find(|plan| plan.code == code);
        found.ok_or_else(|| FrameworkError::PlanUnknown { plan: code.into() })
    }

    pub(super) fn counterparts(&self, plan: &str, item: Option<&str>) -> Result<&[PlanItemReference], FrameworkError> {
        let plan = self.plan(plan)?;
        item.map_or(Ok(&plan.counterparts), |item| plan.item(item).map(|item| &item.counterparts)).map(Vec::as_slice)
    }

    pub(super) fn apply(&mut self, recorded: &Recorded<FrameworkEvent>) -> Result<(), FrameworkError> {
        match recorded.event.clone() {
            FrameworkEvent::Registered(registration) => self.registration = Some(recorded.with(registration)),
            FrameworkEvent::PlanAdopted { plan, title, validity } => {
                if self.plan(&plan).is_ok() {
                    return Err(FrameworkError::PlanExists { plan });
                }
                self.plans.push(Plan::new(plan, title, validity, recorded.with(())));
            }
            FrameworkEvent::PlanProlonged { plan, valid_until } => {
                self.plan_mut(&plan)?.validity.end = Some(valid_until);
            }
            FrameworkEvent::ItemAdded { plan, item } => self.plan_mut(&plan)?.add(item)?,
            FrameworkEvent::ItemLinked { plan, item: None, counterpart } => {
                self.plan_mut(&plan)?.counterparts.push(counterpart);
            }
            FrameworkEvent::ItemLinked { plan, item: Some(item), counterpart } => {
                self.plan_mut(&plan)?.item_mut(&item)?.counterparts.push(counterpart);
            }
            FrameworkEvent::CountRecorded { plan, kind, count } => {
                self.plan_mut(&plan)?.counts.push(recorded.with((kind, count)));
            }
            FrameworkEvent::CostRecorded { plan, cost } => self.plan_mut(&plan)?.costs.push(recorded.with(cost)),
            FrameworkEvent::ReferenceCountryDesignated { plan, designation } => {
                let plan = self.plan_mut(&plan)?;
                plan.item(&designation.item)?;
                plan.reference_countries.push(recorded.with(designation));
            }
        }
        Ok(())
    }
}

impl Plan {
    fn new(code: String, title: LocalizedText, validity: Period, adopted: Recorded<()>) -> Self {
        Self {
            code,
            title,
            validity,
            adopted,
            items: Vec::new(),
            counts: Vec::new(),
            costs: Vec::new(),
            reference_countries: Vec::new(),
            counterparts: Vec::new(),
        }
    }

    /// The item of a code.
    pub fn item(&self, code: &str) -> Result<&Item, FrameworkError> {
        let found = self.items.iter().find(|item| item.node.code == code);
        found.ok_or_else(|| self.unknown(code))
    }

    fn item_mut(&mut self, code: &str) -> Result<&mut Item, FrameworkError> {
        let unknown = self.unknown(code);
        self.items.iter_mut().find(|item| item.node.code == code).ok_or(unknown)
    }

    fn unknown(&self, item: &str) -> FrameworkError {
        FrameworkError::ItemUnknown { plan: self.code.clone(), item: item.into() }
    }

    pub(super) fn add(&mut self, node: NewItem) -> Result<(), FrameworkError> {
        if self.item(&node.code).is_ok() {
            return Err(FrameworkError::ItemExists { plan: self.code.clone(), item: node.code });
        }
        if let Some(parent) = &node.parent {
            self.item(parent)?;
        }
        self.items.push(Item { node, counterparts: Vec::new() });
        Ok(())
    }
}
