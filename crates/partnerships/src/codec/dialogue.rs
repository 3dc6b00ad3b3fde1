//! Events of a dialogue.

use contracts::toguna::partnerships::events::v1 as pb;
use event_store::{DecodeError, Decoding, Payload, Stored, text_from_proto, text_to_proto};

use super::value::{ConfirmationParts, OnWire, optional};
use crate::domain::{
    Dialogue, DialogueEvent,
    dialogue::{Foundation, MembershipStatus},
};

impl Stored for Dialogue {
    fn encode(event: &DialogueEvent) -> Payload {
        match event {
            DialogueEvent::Registered(foundation) => Payload::of(&pb::DialogueRegistered {
                names: Some(text_to_proto(&foundation.names)),
                secretariat: foundation.secretariat.clone().unwrap_or_default(),
            }),
            DialogueEvent::MembershipRecorded { partner, status } => Payload::of(&pb::DialogueMembershipRecorded {
                partner: partner.clone(),
                status: status.to_proto().into(),
            }),
            DialogueEvent::MembershipClaimed { partner, status } => Payload::of(&pb::DialogueMembershipClaimed {
                partner: partner.clone(),
                status: status.to_proto().into(),
            }),
            DialogueEvent::RecordConfirmed(confirmation) => {
                let parts = ConfirmationParts::of::<Self>(confirmation);
                Payload::of(&pb::DialogueRecordConfirmed {
                    confirmed_version: parts.version,
                    confirmed: parts.confirmed,
                    confirmed_effective_on: parts.effective_on,
                })
            }
        }
    }

    fn decode(payload: &Payload) -> Result<DialogueEvent, DecodeError> {
        Decoding::of(payload)
            .or(|event: pb::DialogueRegistered| {
                let (names, secretariat) = (text_from_proto(event.names.as_ref())?, optional(event.secretariat));
                Ok(DialogueEvent::Registered(Foundation { names, secretariat }))
            })
            .or(|event: pb::DialogueMembershipRecorded| {
                let status = MembershipStatus::stored("status", event.status)?;
                Ok(DialogueEvent::MembershipRecorded { partner: event.partner, status })
            })
            .or(|event: pb::DialogueMembershipClaimed| {
                let status = MembershipStatus::stored("status", event.status)?;
                Ok(DialogueEvent::MembershipClaimed { partner: event.partner, status })
            })
            .or(|event: pb::DialogueRecordConfirmed| {
                let (version, confirmed) = (event.confirmed_version, event.confirmed);
                let parts = ConfirmationParts { version, confirmed, effective_on: event.confirmed_effective_on };
                Ok(DialogueEvent::RecordConfirmed(parts.decode::<Self>()?))
            })
            .finish()
    }
}
