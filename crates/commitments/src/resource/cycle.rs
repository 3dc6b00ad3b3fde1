//! A reporting cycle, as the API shows it.

use contracts::toguna::commitments::v1 as pb;
use event_store::{StreamName, date_to_proto, period_to_proto, provenance};

use super::written;
use crate::domain::Cycle;

/// A cycle.
pub fn cycle(name: &StreamName, cycle: &Cycle) -> Option<pb::Cycle> {
    let opened = cycle.opening()?;
    let status = if cycle.is_open() { pb::CycleStatus::Open } else { pb::CycleStatus::Closed };
    Some(pb::Cycle {
        name: name.to_string(),
        framework: opened.event.framework.to_string(),
        title: written(&opened.event.title),
        covers: period_to_proto(opened.event.covers),
        due_on: opened.event.due_on.map(date_to_proto),
        status: status.into(),
        opened_on: opened.effective_on.map(date_to_proto),
        closed_on: cycle.closing().and_then(|closing| closing.effective_on).map(date_to_proto),
        provenance: Some(provenance(opened)),
    })
}
