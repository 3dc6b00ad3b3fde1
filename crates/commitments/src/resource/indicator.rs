//! An indicator, as the API shows it.

use contracts::toguna::commitments::v1 as pb;
use event_store::{Recorded, StreamName, provenance};

use crate::{
    codec::{indicator::definition_to_proto, value},
    domain::{Definition, Indicator, Restatement, Target, Value},
};

/// An indicator.
pub fn indicator(name: &StreamName, indicator: &Indicator) -> Option<pb::Indicator> {
    if indicator.definitions().is_empty() {
        return None;
    }
    let reported = |recorded: &Recorded<Value>| pb::IndicatorValue {
        value_version: recorded.version,
        point: Some(value::point_to_proto(&recorded.event.point)),
        value: Some(value::quantity_to_proto(&recorded.event.quantity)),
        source_status: value::source_status_to_proto(recorded.event.source_status).into(),
        agreement: agreement(indicator.is_contradicted(recorded)).into(),
        provenance: Some(provenance(recorded)),
    };
    Some(pb::Indicator {
        name: name.to_string(),
        definitions: indicator.definitions().iter().map(definition).collect(),
        targets: indicator.targets().iter().map(target).collect(),
        values: indicator.values().iter().map(reported).collect(),
        restatements: indicator.restatements().iter().map(restatement).collect(),
    })
}

fn agreement(contradicted: bool) -> pb::ValueAgreement {
    if contradicted { pb::ValueAgreement::Conflicting } else { pb::ValueAgreement::Consistent }
}

fn definition(recorded: &Recorded<(u32, Definition)>) -> pb::DefinitionVersion {
    pb::DefinitionVersion {
        version: recorded.event.0,
        definition: Some(definition_to_proto(&recorded.event.1)),
        provenance: Some(provenance(recorded)),
    }
}

fn target(recorded: &Recorded<Target>) -> pb::IndicatorTarget {
    pb::IndicatorTarget {
        point: Some(value::point_to_proto(&recorded.event.point)),
        target: Some(value::quantity_to_proto(&recorded.event.target)),
        provenance: Some(provenance(recorded)),
    }
}

fn restatement(restatement: &Restatement) -> pb::Restatement {
    let (right, source_status) = &restatement.proposal.event;
    pb::Restatement {
        proposal_version: restatement.proposal.version,
        value_version: restatement.value_version,
        wrong: Some(value::quantity_to_proto(&restatement.wrong.quantity)),
        right: Some(value::quantity_to_proto(right)),
        source_status: value::source_status_to_proto(*source_status).into(),
        proposal: Some(provenance(&restatement.proposal)),
        confirmation: restatement.confirmation.as_ref().map(provenance),
    }
}
