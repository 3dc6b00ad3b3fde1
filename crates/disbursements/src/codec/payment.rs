//! Events of a payment.

use contracts::toguna::{disbursements::events::v1 as pb, r#type::v1 as types};
use event_store::{DecodeError, Payload, Stored};

use super::{Decoding, day, day_to_proto, kind_from_proto, kind_to_proto, money, money_to_proto, optional_money};
use crate::domain::payment::{Payment, PaymentEvent, Request};

impl Stored for Payment {
    fn encode(event: &PaymentEvent) -> Payload {
        match event {
            PaymentEvent::Requested(request) => Payload::of(&request_to_proto(request)),
            PaymentEvent::Initiated => Payload::of(&pb::PaymentInitiated {}),
            PaymentEvent::Verified { accepted } => {
                Payload::of(&pb::PaymentVerified { accepted: Some(money_to_proto(*accepted)) })
            }
            PaymentEvent::Authorised => Payload::of(&pb::PaymentAuthorised {}),
            PaymentEvent::Disbursed { fund, contract, amount, reference } => Payload::of(&pb::PaymentDisbursed {
                fund: fund.clone(),
                contract: contract.clone(),
                amount: Some(money_to_proto(*amount)),
                reference: reference.clone(),
            }),
            PaymentEvent::Returned => Payload::of(&pb::PaymentReturned {}),
            PaymentEvent::Rejected => Payload::of(&pb::PaymentRejected {}),
        }
    }

    fn decode(payload: &Payload) -> Result<PaymentEvent, DecodeError> {
        Decoding::of(payload)
            .or(|event: pb::PaymentRequested| Ok(PaymentEvent::Requested(request(event)?)))
            .or(|_: pb::PaymentInitiated| Ok(PaymentEvent::Initiated))
            .or(|event: pb::PaymentVerified| {
                Ok(PaymentEvent::Verified { accepted: money(event.accepted, "accepted")? })
            })
            .or(|_: pb::PaymentAuthorised| Ok(PaymentEvent::Authorised))
            .or(|event: pb::PaymentDisbursed| {
                Ok(PaymentEvent::Disbursed {
                    fund: event.fund,
                    contract: event.contract,
                    amount: money(event.amount, "amount")?,
                    reference: event.reference,
                })
            })
            .or(|_: pb::PaymentReturned| Ok(PaymentEvent::Returned))
            .or(|_: pb::PaymentRejected| Ok(PaymentEvent::Rejected))
            .finish()
    }
}

fn request_to_proto(request: &Request) -> pb::PaymentRequested {
    pb::PaymentRequested {
        fund: request.fund.clone(),
        trustee: request.trustee.clone(),
        contract: request.contract.clone(),
        implementer: request.implementer.clone(),
        kind: kind_to_proto(request.kind).into(),
        amount: Some(money_to_proto(request.amount)),
        cost_period: Some(types::Period {
            start: Some(day_to_proto(request.first_day_of_costs)),
            end: Some(day_to_proto(request.last_day_of_costs)),
        }),
        costs_incurred: request.costs_incurred.map(money_to_proto),
    }
}

fn request(event: pb::PaymentRequested) -> Result<Request, DecodeError> {
    let kind = kind_from_proto(event.kind())?;
    let cost_period = event.cost_period.ok_or(DecodeError::Missing("cost_period"))?;
    Ok(Request {
        fund: event.fund,
        trustee: event.trustee,
        contract: event.contract,
        implementer: event.implementer,
        kind,
        amount: money(event.amount, "amount")?,
        first_day_of_costs: day(cost_period.start.as_ref(), "cost_period")?,
        last_day_of_costs: day(cost_period.end.as_ref(), "cost_period")?,
        costs_incurred: optional_money(event.costs_incurred, "costs_incurred")?,
    })
}
