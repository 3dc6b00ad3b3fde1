//! What an indicator's events make of it, and what others ask of it.

use event_sourcing::Recorded;
use rust_decimal::Decimal;

use super::{
    commands::IndicatorError,
    events::{Definition, IndicatorEvent, Target, Value},
};
use crate::domain::{measure::SourceStatus, quantity::Quantity};

/// A wrong value and the right one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Restatement {
    /// The value.
    pub value_version: u64,
    /// What was thought before.
    pub wrong: Value,
    /// What was proposed, by whom and why.
    pub proposal: Recorded<(Quantity, SourceStatus)>,
    /// Who confirmed it.
    pub confirmation: Option<Recorded<()>>,
}

/// An indicator.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Indicator {
    pub(super) definitions: Vec<Recorded<(u32, Definition)>>,
    pub(super) targets: Vec<Recorded<Target>>,
    pub(super) values: Vec<Recorded<Value>>,
    pub(super) restatements: Vec<Restatement>,
}

impl Indicator {
    pub(super) fn definition(&self, version: u32) -> Result<&Definition, IndicatorError> {
        let found = self.definitions.iter().find(|definition| definition.event.0 == version);
        found.map(|definition| &definition.event.1).ok_or_else(|| match self.latest() {
            0 => IndicatorError::NotFound,
            latest => IndicatorError::DefinitionUnknown { definition: version, latest },
        })
    }

    /// The count does not point to persons.
    pub(super) fn discreet(&self, quantity: &Quantity, definition: u32) -> Result<(), IndicatorError> {
        let smallest_count = self.definition(definition)?.smallest_count;
        let small = |number: Decimal| number > Decimal::ZERO && number < Decimal::from(smallest_count);
        if quantity.number().is_some_and(small) {
            Err(IndicatorError::CountTooSmall { smallest_count })
        } else {
            Ok(())
        }
    }

    /// Version of the last definition; 0: there is no such indicator.
    pub fn latest(&self) -> u32 {
        self.definitions.iter().map(|definition| definition.event.0).max().unwrap_or(0)
    }

    pub(super) fn value(&self, version: u64) -> Option<&Recorded<Value>> {
        self.values.iter().find(|value| value.version == version)
    }

    /// Its definitions with their versions.
    pub fn definitions(&self) -> &[Recorded<(u32, Definition)>] {
        &self.definitions
    }

    /// Its targets, in the order of recording.
    pub fn targets(&self) -> &[Recorded<Target>] {
        &self.targets
    }

    /// Its values, in the order of recording, restated where they were.
    pub fn values(&self) -> &[Recorded<Value>] {
        &self.values
    }

    /// What was proposed and confirmed of wrong values.
    pub fn restatements(&self) -> &[Restatement] {
        &self.restatements
    }

    /// Whether another value for the same definition, subject and period contradicts this one. Values of other
    /// definitions never do.
    pub fn is_contradicted(&self, value: &Recorded<Value>) -> bool {
        let mut others = self.values.iter().filter(|other| other.version != value.version);
        others.any(|other| {
            other.event.point == value.event.point && other.event.quantity.contradicts(&value.event.quantity)
        })
    }

    pub(super) fn apply(&mut self, recorded: &Recorded<IndicatorEvent>) {
        match &recorded.event {
            IndicatorEvent::Defined { version, definition } => {
                self.definitions.push(recorded.with((*version, definition.clone())));
            }
            IndicatorEvent::TargetSet(target) => self.targets.push(recorded.with(target.clone())),
            IndicatorEvent::ValueReported(value) => self.values.push(recorded.with(value.clone())),
            IndicatorEvent::RestatementProposed { value_version, value, source_status } => {
                if let Some(wrong) = self.value(*value_version).map(|wrong| wrong.event.clone()) {
                    let proposal = recorded.with((value.clone(), *source_status));
                    let restatement =
                        Restatement { value_version: *value_version, wrong, proposal, confirmation: None };
                    self.restatements.push(restatement);
                }
            }
            IndicatorEvent::ValueRestated { proposal_version, value_version, value } => {
                let proposed = |restatement: &&mut Restatement| restatement.proposal.version == *proposal_version;
                if let Some(restatement) = self.restatements.iter_mut().find(proposed) {
                    restatement.confirmation = Some(recorded.with(()));
                }
                if let Some(restated) = self.values.iter_mut().find(|value| value.version == *value_version) {
                    restated.event = value.clone();
                }
            }
        }
    }
}
