//! The stored event of agreements' standings.

use contracts::toguna::commitments::events::v1 as pb;
use event_store::{DecodeError, Decoding, Payload, Stored};

use super::value;
use crate::domain::{AgreementStanding, AgreementStandingEvent, Says};

impl Stored for AgreementStanding {
    fn encode(event: &AgreementStandingEvent) -> Payload {
        use pb::agreement_standing_recorded::Says as Said;
        let says = match event.says {
            Says::Standing(standing) => Said::Standing(value::standing_to_proto(standing).into()),
            Says::Contestation(contestation) => Said::Contestation(value::contestation_to_proto(contestation).into()),
        };
        Payload::of(&pb::AgreementStandingRecorded {
            agreement: event.agreement.to_string(),
            agreement_version: event.agreement_version,
            says: Some(says),
        })
    }

    fn decode(payload: &Payload) -> Result<AgreementStandingEvent, DecodeError> {
        Decoding::of(payload).or(|event| standing_recorded(&event)).finish()
    }
}

fn standing_recorded(event: &pb::AgreementStandingRecorded) -> Result<AgreementStandingEvent, DecodeError> {
    use pb::agreement_standing_recorded::Says as Said;
    let says = match value::required("says", event.says)? {
        Said::Standing(standing) => {
            let standing = pb::AgreementStanding::try_from(standing).map_err(|_| DecodeError::Invalid("standing"))?;
            Says::Standing(value::standing(standing)?)
        }
        Said::Contestation(said) => {
            let said = pb::Contestation::try_from(said).map_err(|_| DecodeError::Invalid("contestation"))?;
            Says::Contestation(value::contestation(said).ok_or(DecodeError::Missing("contestation"))?)
        }
    };
    let agreement = value::name("agreement", &event.agreement)?;
    Ok(AgreementStandingEvent { agreement, agreement_version: event.agreement_version, says })
}
