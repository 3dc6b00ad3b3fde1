//! A partner as shown.

use contracts::toguna::partnerships::v1 as pb;
use event_store::{History, text_to_proto};

use super::{Facts, Resource};
use crate::{codec::OnWire as _, domain::Partner};

impl Resource for Partner {
    type Shown = pb::Partner;

    fn show(&self, name: &str, history: &History<Self>) -> Option<pb::Partner> {
        let partner = self.registered().ok()?;
        let facts = Facts { history, records: &partner.records };
        let mut roles = partner.roles.clone();
        roles.sort_by_key(|(_, span)| span.start);
        let profile = &partner.profile;
        Some(pb::Partner {
            name: name.to_owned(),
            kind: profile.kind.to_proto().into(),
            names: Some(text_to_proto(&profile.names.full)),
            short_names: (!profile.names.short.is_empty()).then(|| text_to_proto(&profile.names.short)),
            country_code: profile.country.map(|country| country.code().to_owned()).unwrap_or_default(),
            parent: profile.parent.clone().unwrap_or_default(),
            roles: roles
                .iter()
                .map(|(role, span)| pb::PartnerRole { role: role.to_proto().into(), span: Some(facts.span(span)) })
                .collect(),
        })
    }
}
