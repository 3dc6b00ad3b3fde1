//! A contract, as the API shows it.

use contracts::toguna::disbursements::v1 as pb;
use event_store::{Date, date_to_proto, period_to_proto, text_to_proto};

use super::in_xof;
use crate::{
    codec::{cofinancing_to_proto, day_to_proto, money_to_proto},
    domain::{condition::Condition, contract::Contract},
};

/// A contract.
pub fn contract(name: &str, contract: &Contract) -> Option<pb::Contract> {
    let terms = contract.terms().ok()?;
    let condition = contract.condition_on(Date::MAX);
    let (state, suspended_since) = match condition {
        _ if contract.is_closed() => (pb::ContractState::Closed, None),
        Condition::Suspended { since } => (pb::ContractState::Suspended, Some(day_to_proto(since))),
        Condition::Operating | Condition::Ended { .. } => (pb::ContractState::Open, None),
    };
    Some(pb::Contract {
        name: name.to_owned(),
        fund: terms.fund.clone(),
        decision: terms.decision.clone(),
        reference: terms.reference.clone(),
        title: Some(text_to_proto(&terms.title)),
        implementer: terms.implementer.clone(),
        signed_on: contract.signed_on().map(date_to_proto),
        fund_share: Some(money_to_proto(contract.fund_share())),
        fund_share_xof: in_xof(contract.fund_share()),
        cofinancing: contract.cofinancing().iter().map(cofinancing_to_proto).collect(),
        period: period_to_proto(contract.period()),
        decommitted: Some(money_to_proto(contract.decommitted())),
        paid: Some(money_to_proto(contract.paid())),
        recovered: Some(money_to_proto(contract.recovered())),
        available: Some(money_to_proto(contract.available())),
        open_prefinancing: Some(money_to_proto(contract.open_prefinancing())),
        open_recoveries: Some(money_to_proto(contract.open_recoveries())),
        ineligible: Some(money_to_proto(contract.ineligible())),
        agreements: terms.agreements.clone(),
        commitments: terms.commitments.clone(),
        programme_lines: terms.programme_lines.clone(),
        state: state.into(),
        suspended_since,
    })
}
