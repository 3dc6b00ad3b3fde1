//! An initiative, as the API shows it.

use contracts::toguna::commitments::v1 as pb;
use event_store::{LocalizedText, Recorded, StreamName, period_to_proto, provenance};

use super::{confirmation, written};
use crate::{
    codec::{
        initiative::{description_to_proto, status_to_proto, type_to_proto},
        value,
    },
    domain::{BudgetLine, Initiative, InitiativeStatus, Verification},
};

/// An initiative.
pub fn initiative(name: &StreamName, initiative: &Initiative) -> Option<pb::Initiative> {
    let registered = initiative.registered()?;
    let (kind, responsible) = &registered.event;
    Some(pb::Initiative {
        name: name.to_string(),
        r#type: type_to_proto(*kind).into(),
        responsible: responsible.clone(),
        description: initiative.description().map(|description| description_to_proto(&description.event)),
        confirmation: confirmation(initiative.is_confirmed()).into(),
        verification: verification(initiative.verification()).into(),
        status: initiative.status().map(status_to_proto).unwrap_or_default().into(),
        status_changes: initiative.statuses().iter().map(status_change).collect(),
        budget: initiative.budget().iter().map(budget_line).collect(),
        milestones: initiative.milestones().iter().map(milestone).collect(),
        provenance: Some(provenance(registered)),
    })
}

fn verification(verification: Verification) -> pb::Verification {
    match verification {
        Verification::Pending => pb::Verification::Pending,
        Verification::Verified => pb::Verification::Verified,
        Verification::Returned => pb::Verification::Returned,
    }
}

fn status_change(recorded: &Recorded<InitiativeStatus>) -> pb::StatusChange {
    pb::StatusChange { status: status_to_proto(recorded.event).into(), provenance: Some(provenance(recorded)) }
}

fn budget_line(recorded: &Recorded<BudgetLine>) -> pb::BudgetLine {
    let line = &recorded.event;
    pb::BudgetLine {
        budget_line: line.line.clone(),
        amount: Some(value::money_to_proto(&line.amount)),
        period: period_to_proto(line.period),
        funder: line.funder.clone().unwrap_or_default(),
        provenance: Some(provenance(recorded)),
    }
}

fn milestone(recorded: &Recorded<LocalizedText>) -> pb::Milestone {
    pb::Milestone { text: written(&recorded.event), provenance: Some(provenance(recorded)) }
}
