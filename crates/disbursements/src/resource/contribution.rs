//! A contribution, as the API shows it.

use contracts::toguna::disbursements::v1 as pb;

use crate::{codec::money_to_proto, domain::contribution::Contribution};

/// A contribution.
pub fn contribution(name: &str, contribution: &Contribution) -> Option<pb::Contribution> {
    let pledge = contribution.pledge().ok()?;
    Some(pb::Contribution {
        name: name.to_owned(),
        fund: pledge.fund.clone(),
        donor: pledge.donor.clone(),
        pledged: Some(money_to_proto(pledge.amount)),
        certified: Some(money_to_proto(contribution.certified())),
        received: Some(money_to_proto(contribution.received())),
    })
}
