//! A dialogue as shown.

use contracts::toguna::partnerships::{events::v1 as events, v1 as pb};
use event_store::{History, date_to_proto, text_to_proto};

use super::{Facts, Resource};
use crate::{
    codec::OnWire as _,
    domain::{
        Dialogue, Fact,
        dialogue::{Membership, MembershipStatus},
    },
};

impl Resource for Dialogue {
    type Shown = pb::Dialogue;

    fn show(&self, name: &str, history: &History<Self>) -> Option<pb::Dialogue> {
        let dialogue = self.registered().ok()?;
        let facts = Facts { history, records: &dialogue.records };
        Some(pb::Dialogue {
            name: name.to_owned(),
            names: Some(text_to_proto(&dialogue.foundation.names)),
            secretariat: dialogue.foundation.secretariat.clone().unwrap_or_default(),
            founded_on: dialogue.founded_on.map(date_to_proto),
            memberships: dialogue
                .memberships
                .iter()
                .map(|(partner, membership)| show_membership(&facts, partner, membership))
                .collect(),
        })
    }
}

fn show_membership(facts: &Facts<'_, Dialogue>, partner: &str, membership: &Membership) -> pb::Membership {
    let shown = |statuses: &[(Fact, MembershipStatus)]| -> Vec<pb::MembershipFact> {
        statuses
            .iter()
            .map(|(fact, status)| pb::MembershipFact { status: number(Some(*status)), fact: Some(facts.fact(fact)) })
            .collect()
    };
    pb::Membership {
        partner: partner.to_owned(),
        status: number(membership.status()),
        claimed_status: number(membership.claimed_status()),
        recorded: shown(&membership.recorded),
        claimed: shown(&membership.claimed),
    }
}

fn number(status: Option<MembershipStatus>) -> i32 {
    status.map_or(events::MembershipStatus::Unspecified, MembershipStatus::to_proto).into()
}
