//! A framework, as the API shows it.

use contracts::toguna::commitments::v1 as pb;
use event_store::{Recorded, StreamName, period_to_proto, provenance};

use super::written;
use crate::{
    codec::{framework::kind_to_proto, value},
    domain::{Framework, Item, Money, Plan, PlanItemKind, ReferenceCountry},
};

/// A framework.
pub fn framework(name: &StreamName, framework: &Framework) -> Option<pb::Framework> {
    let registered = framework.registration()?;
    Some(pb::Framework {
        name: name.to_string(),
        title: written(&registered.event.title),
        kind: kind_to_proto(registered.event.kind).into(),
        secretariat: registered.event.secretariat.clone(),
        plans: framework.plans().iter().map(plan).collect(),
        provenance: Some(provenance(registered)),
    })
}

fn plan(plan: &Plan) -> pb::ActionPlan {
    pb::ActionPlan {
        plan: plan.code.clone(),
        title: written(&plan.title),
        validity: period_to_proto(plan.validity),
        items: plan.items.iter().map(item).collect(),
        counts: plan.counts.iter().map(count).collect(),
        costs: plan.costs.iter().map(cost).collect(),
        reference_countries: plan.reference_countries.iter().map(reference_country).collect(),
        counterparts: plan.counterparts.iter().map(value::reference_to_proto).collect(),
        provenance: Some(provenance(&plan.adopted)),
    }
}

fn item(item: &Item) -> pb::PlanItem {
    pb::PlanItem {
        item: item.node.code.clone(),
        kind: value::item_kind_to_proto(item.node.kind).into(),
        parent: item.node.parent.clone().unwrap_or_default(),
        title: written(&item.node.title),
        counterparts: item.counterparts.iter().map(value::reference_to_proto).collect(),
    }
}

fn count(recorded: &Recorded<(PlanItemKind, u32)>) -> pb::PlanCount {
    let (kind, count) = recorded.event;
    pb::PlanCount { kind: value::item_kind_to_proto(kind).into(), count, provenance: Some(provenance(recorded)) }
}

fn cost(recorded: &Recorded<Money>) -> pb::PlanCost {
    pb::PlanCost { cost: Some(value::money_to_proto(&recorded.event)), provenance: Some(provenance(recorded)) }
}

fn reference_country(recorded: &Recorded<ReferenceCountry>) -> pb::ReferenceCountry {
    pb::ReferenceCountry {
        item: recorded.event.item.clone(),
        partner: recorded.event.partner.clone(),
        term: period_to_proto(recorded.event.term),
        provenance: Some(provenance(recorded)),
    }
}
