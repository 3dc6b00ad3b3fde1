//! The stored events of indicators.

use contracts::toguna::commitments::events::v1 as pb;
use event_store::{DecodeError, Decoding, Payload, Stored, text_from_proto, text_to_proto};

use super::value;
use crate::domain::{Aggregation, Definition, Indicator, IndicatorEvent, SourceStatus, Target, Value};

impl Stored for Indicator {
    fn encode(event: &IndicatorEvent) -> Payload {
        match event {
            IndicatorEvent::Defined { version, definition } => Payload::of(&pb::IndicatorDefined {
                version: *version,
                definition: Some(definition_to_proto(definition)),
            }),
            IndicatorEvent::TargetSet(target) => Payload::of(&pb::IndicatorTargetSet {
                point: Some(value::point_to_proto(&target.point)),
                target: Some(value::quantity_to_proto(&target.target)),
            }),
            IndicatorEvent::ValueReported(reported) => Payload::of(&pb::IndicatorValueReported {
                point: Some(value::point_to_proto(&reported.point)),
                value: Some(value::quantity_to_proto(&reported.quantity)),
                source_status: value::source_status_to_proto(reported.source_status).into(),
            }),
            IndicatorEvent::RestatementProposed { value_version, value: right, source_status } => {
                Payload::of(&pb::IndicatorRestatementProposed {
                    value_version: *value_version,
                    value: Some(value::quantity_to_proto(right)),
                    source_status: value::source_status_to_proto(*source_status).into(),
                })
            }
            IndicatorEvent::ValueRestated { proposal_version, value_version, value: right } => {
                Payload::of(&pb::IndicatorValueRestated {
                    proposal_version: *proposal_version,
                    value_version: *value_version,
                    point: Some(value::point_to_proto(&right.point)),
                    value: Some(value::quantity_to_proto(&right.quantity)),
                    source_status: value::source_status_to_proto(right.source_status).into(),
                })
            }
        }
    }

    fn decode(payload: &Payload) -> Result<IndicatorEvent, DecodeError> {
        Decoding::of(payload)
            .or(|event: pb::IndicatorDefined| {
                Ok(IndicatorEvent::Defined { version: event.version, definition: definition(event.definition)? })
            })
            .or(|event: pb::IndicatorTargetSet| {
                let (point, target) = (value::point(event.point)?, value::quantity(event.target)?);
                Ok(IndicatorEvent::TargetSet(Target { point, target }))
            })
            .or(|event: pb::IndicatorValueReported| {
                let source_status = source_status(event.source_status())?;
                let (point, quantity) = (value::point(event.point)?, value::quantity(event.value)?);
                Ok(IndicatorEvent::ValueReported(Value { point, quantity, source_status }))
            })
            .or(|event: pb::IndicatorRestatementProposed| {
                let source_status = source_status(event.source_status())?;
                let (value_version, value) = (event.value_version, value::quantity(event.value)?);
                Ok(IndicatorEvent::RestatementProposed { value_version, value, source_status })
            })
            .or(|event: pb::IndicatorValueRestated| {
                let source_status = source_status(event.source_status())?;
                let (proposal_version, value_version) = (event.proposal_version, event.value_version);
                let (point, quantity) = (value::point(event.point)?, value::quantity(event.value)?);
                let value = Value { point, quantity, source_status };
                Ok(IndicatorEvent::ValueRestated { proposal_version, value_version, value })
            })
            .finish()
    }
}

fn source_status(status: pb::SourceStatus) -> Result<SourceStatus, DecodeError> {
    value::source_status(status).ok_or(DecodeError::Missing("source_status"))
}

/// What an indicator counts.
pub fn definition_to_proto(definition: &Definition) -> pb::IndicatorDefinition {
    pb::IndicatorDefinition {
        title: Some(text_to_proto(&definition.title)),
        unit: Some(text_to_proto(&definition.unit)),
        population: Some(text_to_proto(&definition.population)),
        aggregation: match definition.aggregation {
            Aggregation::Sum => pb::Aggregation::Sum,
            Aggregation::Latest => pb::Aggregation::Latest,
            Aggregation::Maximum => pb::Aggregation::Maximum,
            Aggregation::None => pb::Aggregation::None,
        }
        .into(),
        framework: definition.framework.as_ref().map(ToString::to_string).unwrap_or_default(),
        code: definition.code.clone().unwrap_or_default(),
        smallest_count: definition.smallest_count,
    }
}

fn definition(definition: Option<pb::IndicatorDefinition>) -> Result<Definition, DecodeError> {
    let definition = value::required("definition", definition)?;
    let framework = value::optional(definition.framework.clone());
    Ok(Definition {
        title: text_from_proto(definition.title.as_ref())?,
        unit: text_from_proto(definition.unit.as_ref())?,
        population: text_from_proto(definition.population.as_ref())?,
        aggregation: aggregation(definition.aggregation()).ok_or(DecodeError::Missing("aggregation"))?,
        framework: framework.map(|framework| value::name("framework", &framework)).transpose()?,
        code: value::optional(definition.code),
        smallest_count: definition.smallest_count,
    })
}

/// How values add up; `None`: unspecified.
pub fn aggregation(aggregation: pb::Aggregation) -> Option<Aggregation> {
    match aggregation {
        pb::Aggregation::Unspecified => None,
        pb::Aggregation::Sum => Some(Aggregation::Sum),
        pb::Aggregation::Latest => Some(Aggregation::Latest),
        pb::Aggregation::Maximum => Some(Aggregation::Maximum),
        pb::Aggregation::None => Some(Aggregation::None),
    }
}
