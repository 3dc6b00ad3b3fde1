//! Events of a contribution.

use contracts::toguna::disbursements::events::v1 as pb;
use event_store::{DecodeError, Payload, Stored};

use super::{Decoding, money, money_to_proto};
use crate::domain::contribution::{Contribution, ContributionEvent, Pledge};

impl Stored for Contribution {
    fn encode(event: &ContributionEvent) -> Payload {
        match event {
            ContributionEvent::Pledged(pledge) => Payload::of(&pb::ContributionPledged {
                fund: pledge.fund.clone(),
                donor: pledge.donor.clone(),
                amount: Some(money_to_proto(pledge.amount)),
            }),
            ContributionEvent::Certified { amount, reference } => Payload::of(&pb::ContributionCertified {
                amount: Some(money_to_proto(*amount)),
                reference: reference.clone(),
            }),
            ContributionEvent::Received { amount, reference } => Payload::of(&pb::ContributionReceived {
                amount: Some(money_to_proto(*amount)),
                reference: reference.clone(),
            }),
        }
    }

    fn decode(payload: &Payload) -> Result<ContributionEvent, DecodeError> {
        Decoding::of(payload)
            .or(|event: pb::ContributionPledged| {
                let amount = money(event.amount, "amount")?;
                Ok(ContributionEvent::Pledged(Pledge { fund: event.fund, donor: event.donor, amount }))
            })
            .or(|event: pb::ContributionCertified| {
                let amount = money(event.amount, "amount")?;
                Ok(ContributionEvent::Certified { amount, reference: event.reference })
            })
            .or(|event: pb::ContributionReceived| {
                let amount = money(event.amount, "amount")?;
                Ok(ContributionEvent::Received { amount, reference: event.reference })
            })
            .finish()
    }
}
