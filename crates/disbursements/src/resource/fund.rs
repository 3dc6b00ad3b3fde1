//! A fund, as the API shows it.

use contracts::toguna::disbursements::v1 as pb;
use event_store::text_to_proto;

use crate::{
    codec::{day_to_proto, money_to_proto, seat_to_proto, window_to_proto},
    domain::fund::Fund,
};

/// A fund.
pub fn fund(name: &str, fund: &Fund) -> Option<pb::Fund> {
    let constitution = fund.constitution().ok()?;
    let outflow = fund.cash_of("payments");
    let paid = crate::domain::money::Money::of(outflow.currency(), -outflow.minor_units());
    Some(pb::Fund {
        name: name.to_owned(),
        title: Some(text_to_proto(&constitution.title)),
        reference: constitution.reference.clone(),
        trustee: constitution.trustee.clone(),
        constitutive_agreement: constitution.constitutive_agreement.clone().unwrap_or_default(),
        currency_code: constitution.currency.to_string(),
        windows: constitution.windows.iter().map(window_to_proto).collect(),
        contracting_deadline: Some(day_to_proto(constitution.deadlines.contracting)),
        end_of_activities: Some(day_to_proto(constitution.deadlines.end_of_activities)),
        seats: fund
            .seats()
            .map(|(member, seat, since)| pb::FundSeat {
                member: member.to_owned(),
                seat: seat_to_proto(seat).into(),
                since: Some(day_to_proto(since)),
            })
            .collect(),
        received: Some(money_to_proto(fund.cash_of("contributions"))),
        paid: Some(money_to_proto(paid)),
        recovered: Some(money_to_proto(fund.cash_of("contracts"))),
        available: Some(money_to_proto(fund.available())),
        open_contracts: fund.open_contracts().map(str::to_owned).collect(),
        state: if fund.is_closed() { pb::FundState::Closed } else { pb::FundState::Open }.into(),
    })
}
