//! A payment, as the API shows it.

use contracts::toguna::{disbursements::v1 as pb, r#type::v1 as types};
use event_store::date_to_proto;

use super::in_xof;
use crate::{
    codec::{day_to_proto, kind_to_proto, money_to_proto},
    domain::payment::{Payment, Stage},
};

/// A payment.
pub fn payment(name: &str, payment: &Payment) -> Option<pb::Payment> {
    let request = payment.request().ok()?;
    let (paid, paid_on) = payment.disbursed().unzip();
    let step = |step: &crate::domain::payment::Step| pb::PaymentStep {
        role: step.role.to_owned(),
        subject: step.person.subject.clone(),
        organisation: step.person.organisation.clone(),
    };
    Some(pb::Payment {
        name: name.to_owned(),
        fund: request.fund.clone(),
        contract: request.contract.clone(),
        implementer: request.implementer.clone(),
        kind: kind_to_proto(request.kind).into(),
        requested: Some(money_to_proto(request.amount)),
        accepted: payment.accepted().map(money_to_proto),
        paid: paid.map(money_to_proto),
        paid_xof: paid.and_then(in_xof),
        paid_on: paid_on.flatten().map(date_to_proto),
        cost_period: Some(types::Period {
            start: Some(day_to_proto(request.first_day_of_costs)),
            end: Some(day_to_proto(request.last_day_of_costs)),
        }),
        costs_incurred: request.costs_incurred.map(money_to_proto),
        state: state(payment.stage()).into(),
        steps: payment.steps().iter().map(step).collect(),
    })
}

fn state(stage: Stage) -> pb::PaymentState {
    match stage {
        Stage::Unasked => pb::PaymentState::Unspecified,
        Stage::Requested => pb::PaymentState::Requested,
        Stage::Initiated => pb::PaymentState::Initiated,
        Stage::Verified => pb::PaymentState::Verified,
        Stage::Authorised => pb::PaymentState::Authorised,
        Stage::Disbursed => pb::PaymentState::Disbursed,
        Stage::Returned => pb::PaymentState::Returned,
        Stage::Rejected => pb::PaymentState::Rejected,
    }
}
