//! Events of a decision.

use contracts::toguna::disbursements::events::v1 as pb;
use event_store::{DecodeError, Payload, Stored, text_from_proto, text_to_proto};

use super::{Decoding, money, money_to_proto};
use crate::domain::{
    decision::{Decision, DecisionEvent, Proposal, PublishedAmount},
    mirror::RecordKey,
};

impl Stored for Decision {
    fn encode(event: &DecisionEvent) -> Payload {
        match event {
            DecisionEvent::Proposed(proposal) => Payload::of(&proposal_to_proto(proposal)),
            DecisionEvent::Approved { amount } => {
                Payload::of(&pb::DecisionApproved { amount: Some(money_to_proto(*amount)) })
            }
            DecisionEvent::ApprovalConfirmed => Payload::of(&pb::DecisionApprovalConfirmed {}),
            DecisionEvent::ToppedUp { amount } => {
                Payload::of(&pb::DecisionToppedUp { amount: Some(money_to_proto(*amount)) })
            }
            DecisionEvent::Decommitted { amount } => {
                Payload::of(&pb::DecisionDecommitted { amount: Some(money_to_proto(*amount)) })
            }
            DecisionEvent::DrawSet { record, amount } => Payload::of(&pb::DecisionDrawSet {
                contract: record.stream.clone(),
                contract_version: record.version,
                amount: Some(money_to_proto(*amount)),
            }),
            DecisionEvent::PublishedAmountNoted(published) => Payload::of(&pb::PublishedAmountNoted {
                subject: published.subject.clone(),
                amount: Some(money_to_proto(published.amount)),
                published_equivalent: Some(money_to_proto(published.published_equivalent)),
            }),
        }
    }

    fn decode(payload: &Payload) -> Result<DecisionEvent, DecodeError> {
        Decoding::of(payload)
            .or(|event: pb::DecisionProposed| Ok(DecisionEvent::Proposed(Box::new(proposal(event)?))))
            .or(|event: pb::DecisionApproved| Ok(DecisionEvent::Approved { amount: money(event.amount, "amount")? }))
            .or(|_: pb::DecisionApprovalConfirmed| Ok(DecisionEvent::ApprovalConfirmed))
            .or(|event: pb::DecisionToppedUp| Ok(DecisionEvent::ToppedUp { amount: money(event.amount, "amount")? }))
            .or(|event: pb::DecisionDecommitted| {
                Ok(DecisionEvent::Decommitted { amount: money(event.amount, "amount")? })
            })
            .or(|event: pb::DecisionDrawSet| {
                Ok(DecisionEvent::DrawSet {
                    record: RecordKey { stream: event.contract, version: event.contract_version },
                    amount: money(event.amount, "amount")?,
                })
            })
            .or(|event: pb::PublishedAmountNoted| {
                Ok(DecisionEvent::PublishedAmountNoted(PublishedAmount {
                    subject: event.subject,
                    amount: money(event.amount, "amount")?,
                    published_equivalent: money(event.published_equivalent, "published_equivalent")?,
                }))
            })
            .finish()
    }
}

fn proposal_to_proto(proposal: &Proposal) -> pb::DecisionProposed {
    pb::DecisionProposed {
        fund: proposal.fund.clone(),
        trustee: proposal.trustee.clone(),
        reference: proposal.reference.clone(),
        title: Some(text_to_proto(&proposal.title)),
        window: proposal.window.clone(),
        strategic_objectives: proposal.strategic_objectives.clone(),
        country_codes: proposal.country_codes.clone(),
        amount: Some(money_to_proto(proposal.amount)),
        implementers: proposal.implementers.clone(),
        agreements: proposal.agreements.clone(),
        commitments: proposal.commitments.clone(),
    }
}

fn proposal(event: pb::DecisionProposed) -> Result<Proposal, DecodeError> {
    Ok(Proposal {
        fund: event.fund,
        trustee: event.trustee,
        reference: event.reference,
        title: text_from_proto(event.title.as_ref())?,
        window: event.window,
        strategic_objectives: event.strategic_objectives,
        country_codes: event.country_codes,
        amount: money(event.amount, "amount")?,
        implementers: event.implementers,
        agreements: event.agreements,
        commitments: event.commitments,
    })
}
