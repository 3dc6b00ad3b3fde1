//! What can be asked of an indicator, and how it answers.

use event_sourcing::{Act, Aggregate, Draft, Recorded};

use super::{
    events::{Definition, IndicatorEvent, Target, Value},
    state::Indicator,
};
use crate::domain::{
    mandate::{self, MandateError},
    measure::SourceStatus,
    quantity::Quantity,
};

/// What can be asked of it. That a subject of ours is there was seen before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum IndicatorCommand {
    /// Defines it, or defines it anew.
    Define {
        /// What it counts.
        definition: Definition,
        /// The organisation that keeps the register of the definition's framework; `None`: it has none.
        secretariat: Option<String>,
    },
    /// Sets a target.
    SetTarget(Target),
    /// Reports a value.
    ReportValue(Value),
    /// Proposes a restatement.
    ProposeRestatement {
        /// The value.
        value_version: u64,
        /// The right value.
        value: Quantity,
        /// What stands behind it.
        source_status: SourceStatus,
    },
    /// Confirms a restatement.
    ConfirmRestatement {
        /// The proposal.
        proposal_version: u64,
    },
}

/// Why it refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum IndicatorError {
    /// There is no such indicator.
    #[error("there is no such indicator")]
    NotFound,
    /// It has no such definition.
    #[error("there is no definition {definition}")]
    DefinitionUnknown {
        /// The version named.
        definition: u32,
        /// The last there is.
        latest: u32,
    },
    /// The count could point to persons.
    #[error("a count below {smallest_count} could point to persons")]
    CountTooSmall {
        /// The smallest that is taken, beside 0.
        smallest_count: u32,
    },
    /// The target equals a value already reported, and nothing says why.
    #[error("the target equals the value")]
    TargetCopiesValue,
    /// It has no such value.
    #[error("record {version} is no value")]
    ValueUnknown {
        /// The version named.
        version: u64,
    },
    /// Another organisation reported it.
    #[error("value {version} was reported by another organisation")]
    NotYourValue {
        /// The value.
        version: u64,
    },
    /// The value is that already.
    #[error("the value is that already")]
    RestatementChangesNothing,
    /// There is no such open proposal.
    #[error("record {version} is no open proposal")]
    NoOpenRestatement {
        /// The version named.
        version: u64,
    },
    /// The same person proposed it.
    #[error("the person who proposed it may not confirm it")]
    SamePerson,
    /// Not an act that counts.
    #[error(transparent)]
    Mandate(#[from] MandateError),
}

impl Aggregate for Indicator {
    const CATEGORY: &'static str = "indicators";
    type Command = IndicatorCommand;
    type Event = IndicatorEvent;
    type Error = IndicatorError;

    fn decide(&self, command: &IndicatorCommand, act: &Act) -> Result<Vec<Draft<IndicatorEvent>>, IndicatorError> {
        let event = match command {
            IndicatorCommand::Define { definition, secretariat } => {
                self.define(definition, secretariat.as_deref(), act)?
            }
            IndicatorCommand::SetTarget(target) => Some(self.set_target(target, act)?),
            IndicatorCommand::ReportValue(value) => Some(self.report_value(value, act)?),
            IndicatorCommand::ProposeRestatement { value_version, value, source_status } => {
                Some(self.propose_restatement(*value_version, value, *source_status, act)?)
            }
            IndicatorCommand::ConfirmRestatement { proposal_version } => {
                Some(self.confirm_restatement(*proposal_version, act)?)
            }
        };
        Ok(event.into_iter().map(|event| act.draft(event)).collect())
    }

    fn evolve(mut self, recorded: &Recorded<IndicatorEvent>) -> Self {
        self.apply(recorded);
        self
    }

    fn check(&self) -> Result<(), IndicatorError> {
        for point in self.values.iter().map(|value| &value.event.point) {
            self.definition(point.definition)?;
        }
        for value in &self.values {
            self.discreet(&value.event.quantity, value.event.point.definition)?;
        }
        Ok(())
    }
}

impl Indicator {
    fn define(
        &self,
        definition: &Definition,
        secretariat: Option<&str>,
        act: &Act,
    ) -> Result<Option<IndicatorEvent>, IndicatorError> {
        let defined_by = self.definitions.first().map(|first| first.act.actor.organisation.as_str());
        match secretariat.or(defined_by) {
            Some(keeper) => mandate::keeps_register(act, keeper)?,
            None => mandate::is_secretariat(act)?,
        }
        let unchanged = self.definitions.last().is_some_and(|latest| latest.event.1 == *definition);
        let event = IndicatorEvent::Defined { version: self.latest() + 1, definition: definition.clone() };
        Ok((!unchanged).then_some(event))
    }

    /// A target that repeats what was already achieved is told apart from a plan by its reason.
    fn set_target(&self, target: &Target, act: &Act) -> Result<IndicatorEvent, IndicatorError> {
        mandate::measures(act)?;
        self.definition(target.point.definition)?;
        let mut reported = self.values.iter().filter(|value| value.event.point == target.point);
        if reported.any(|value| value.event.quantity == target.target) && mandate::says_why(act).is_err() {
            return Err(IndicatorError::TargetCopiesValue);
        }
        Ok(IndicatorEvent::TargetSet(target.clone()))
    }

    fn report_value(&self, value: &Value, act: &Act) -> Result<IndicatorEvent, IndicatorError> {
        mandate::measures(act)?;
        self.discreet(&value.quantity, value.point.definition)?;
        Ok(IndicatorEvent::ValueReported(value.clone()))
    }

    fn propose_restatement(
        &self,
        value_version: u64,
        value: &Quantity,
        source_status: SourceStatus,
        act: &Act,
    ) -> Result<IndicatorEvent, IndicatorError> {
        let wrong = self.restatable(value_version, act)?;
        mandate::says_why(act)?;
        self.discreet(value, wrong.point.definition)?;
        if wrong.quantity == *value && wrong.source_status == source_status {
            return Err(IndicatorError::RestatementChangesNothing);
        }
        Ok(IndicatorEvent::RestatementProposed { value_version, value: value.clone(), source_status })
    }

    fn confirm_restatement(&self, proposal_version: u64, act: &Act) -> Result<IndicatorEvent, IndicatorError> {
        let closed = IndicatorError::NoOpenRestatement { version: proposal_version };
        let found = self.restatements.iter().find(|each| each.proposal.version == proposal_version);
        let Some(restatement) = found else { return Err(closed) };
        let value_version = restatement.value_version;
        let now = self.restatable(value_version, act)?;
        // Another proposal may have been confirmed since: this one speaks of a value that nobody claims any more.
        if restatement.confirmation.is_some() || *now != restatement.wrong {
            return Err(closed);
        }
        if act.actor.is_same_person_as(&restatement.proposal.act.actor) {
            return Err(IndicatorError::SamePerson);
        }
        let (quantity, source_status) = restatement.proposal.event.clone();
        let value = Value { point: now.point.clone(), quantity, source_status };
        Ok(IndicatorEvent::ValueRestated { proposal_version, value_version, value })
    }

    /// The value, if this act's organisation reported it or is the one whose figure it is.
    fn restatable(&self, version: u64, act: &Act) -> Result<&Value, IndicatorError> {
        mandate::measures(act)?;
        let value = self.value(version).ok_or(IndicatorError::ValueUnknown { version })?;
        let ours = &act.actor.organisation;
        if *ours == value.act.actor.organisation || *ours == value.act.on_behalf_of {
            Ok(&value.event)
        } else {
            Err(IndicatorError::NotYourValue { version })
        }
    }
}
