//! Events of a partner.

use contracts::toguna::{partnerships::events::v1 as pb, r#type::v1 as types};
use event_store::{DecodeError, Decoding, Payload, Stored, text_from_proto, text_to_proto};

use super::value::{ConfirmationParts, OnWire, optional};
use crate::domain::{
    Country, Partner, PartnerEvent,
    partner::{MigrationRole, Names, PartnerKind, Profile},
};

impl Stored for Partner {
    fn encode(event: &PartnerEvent) -> Payload {
        match event {
            PartnerEvent::Registered(profile) => Payload::of(&pb::PartnerRegistered {
                kind: profile.kind.to_proto().into(),
                names: Some(text_to_proto(&profile.names.full)),
                short_names: short_names(&profile.names),
                country_code: profile.country.map(|country| country.code().to_owned()).unwrap_or_default(),
                parent: profile.parent.clone().unwrap_or_default(),
            }),
            PartnerEvent::Renamed(names) => Payload::of(&pb::PartnerRenamed {
                names: Some(text_to_proto(&names.full)),
                short_names: short_names(names),
            }),
            PartnerEvent::ParentChanged { parent } => {
                Payload::of(&pb::PartnerParentChanged { parent: parent.clone().unwrap_or_default() })
            }
            PartnerEvent::RoleStarted { role } => Payload::of(&pb::PartnerRoleStarted { role: role.to_proto().into() }),
            PartnerEvent::RoleEnded { role } => Payload::of(&pb::PartnerRoleEnded { role: role.to_proto().into() }),
            PartnerEvent::RecordConfirmed(confirmation) => {
                let parts = ConfirmationParts::of::<Self>(confirmation);
                Payload::of(&pb::PartnerRecordConfirmed {
                    confirmed_version: parts.version,
                    confirmed: parts.confirmed,
                    confirmed_effective_on: parts.effective_on,
                })
            }
        }
    }

    fn decode(payload: &Payload) -> Result<PartnerEvent, DecodeError> {
        Decoding::of(payload)
            .or(|event: pb::PartnerRegistered| Ok(PartnerEvent::Registered(profile(event)?)))
            .or(|event: pb::PartnerRenamed| {
                Ok(PartnerEvent::Renamed(names(event.names.as_ref(), event.short_names.as_ref())?))
            })
            .or(|event: pb::PartnerParentChanged| Ok(PartnerEvent::ParentChanged { parent: optional(event.parent) }))
            .or(|event: pb::PartnerRoleStarted| {
                Ok(PartnerEvent::RoleStarted { role: MigrationRole::stored("role", event.role)? })
            })
            .or(|event: pb::PartnerRoleEnded| {
                Ok(PartnerEvent::RoleEnded { role: MigrationRole::stored("role", event.role)? })
            })
            .or(|event: pb::PartnerRecordConfirmed| {
                let (version, confirmed) = (event.confirmed_version, event.confirmed);
                let parts = ConfirmationParts { version, confirmed, effective_on: event.confirmed_effective_on };
                Ok(PartnerEvent::RecordConfirmed(parts.decode::<Self>()?))
            })
            .finish()
    }
}

/// Short names, where there are any.
fn short_names(names: &Names) -> Option<types::LocalizedText> {
    (!names.short.is_empty()).then(|| text_to_proto(&names.short))
}

fn names(full: Option<&types::LocalizedText>, short: Option<&types::LocalizedText>) -> Result<Names, DecodeError> {
    Ok(Names { full: text_from_proto(full)?, short: text_from_proto(short)? })
}

fn profile(event: pb::PartnerRegistered) -> Result<Profile, DecodeError> {
    let country = optional(event.country_code).map(|code| code.parse::<Country>()).transpose();
    Ok(Profile {
        kind: PartnerKind::stored("kind", event.kind)?,
        names: names(event.names.as_ref(), event.short_names.as_ref())?,
        country: country.map_err(|_| DecodeError::Invalid("country_code"))?,
        parent: optional(event.parent),
    })
}
