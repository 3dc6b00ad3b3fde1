//! A decision, as the API shows it.

use contracts::toguna::disbursements::v1 as pb;
use event_store::text_to_proto;

use super::in_xof;
use crate::{
    codec::money_to_proto,
    domain::decision::{Approval, Decision, PublishedAmount},
};

/// A decision.
pub fn decision(name: &str, decision: &Decision) -> Option<pb::Decision> {
    let proposal = decision.proposal().ok()?;
    let state = match decision.approval() {
        None => pb::DecisionState::Proposed,
        Some(Approval::Published) => pb::DecisionState::Published,
        Some(Approval::Own) => pb::DecisionState::Approved,
    };
    let draw = |(contract, amount)| pb::DecisionDraw { contract, amount: Some(money_to_proto(amount)) };
    Some(pb::Decision {
        name: name.to_owned(),
        fund: proposal.fund.clone(),
        reference: proposal.reference.clone(),
        title: Some(text_to_proto(&proposal.title)),
        window: proposal.window.clone(),
        strategic_objectives: proposal.strategic_objectives.clone(),
        country_codes: proposal.country_codes.clone(),
        requested: Some(money_to_proto(proposal.amount)),
        approved: decision.approval().map(|_| money_to_proto(decision.approved())),
        topped_up: Some(money_to_proto(decision.topped_up())),
        decommitted: Some(money_to_proto(decision.decommitted())),
        ceiling: Some(money_to_proto(decision.ceiling())),
        ceiling_xof: in_xof(decision.ceiling()),
        contracted: Some(money_to_proto(decision.contracted())),
        available: Some(money_to_proto(decision.available())),
        draws: decision.draws().into_iter().map(draw).collect(),
        state: state.into(),
        implementers: proposal.implementers.clone(),
        agreements: proposal.agreements.clone(),
        commitments: proposal.commitments.clone(),
        published_amounts: decision.published_amounts().iter().map(published_amount).collect(),
    })
}

fn published_amount(published: &PublishedAmount) -> pb::PublishedAmount {
    let derived = published.amount.at_parity_in(published.published_equivalent.currency());
    pb::PublishedAmount {
        subject: published.subject.clone(),
        amount: Some(money_to_proto(published.amount)),
        published_equivalent: Some(money_to_proto(published.published_equivalent)),
        derived_equivalent: derived.map(money_to_proto),
    }
}
