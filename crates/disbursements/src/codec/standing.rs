//! What is known of agreements and commitments.

use contracts::toguna::disbursements::events::v1 as pb;
use event_store::{DecodeError, Payload, Stored, StreamName};

use super::Decoding;
use crate::domain::standing::{AgreementFact, AgreementStanding, CommitmentFact, CommitmentStanding, StandingRecorded};

impl Stored for AgreementStanding {
    fn encode(event: &StandingRecorded<AgreementFact>) -> Payload {
        Payload::of(&pb::AgreementStandingRecorded {
            agreement: event.subject.to_string(),
            agreement_version: event.version,
            standing: match event.fact {
                AgreementFact::Registered => pb::AgreementStanding::Registered,
                AgreementFact::Suspended => pb::AgreementStanding::Suspended,
                AgreementFact::Resumed => pb::AgreementStanding::Resumed,
                AgreementFact::Terminated => pb::AgreementStanding::Terminated,
            }
            .into(),
        })
    }

    fn decode(payload: &Payload) -> Result<StandingRecorded<AgreementFact>, DecodeError> {
        Decoding::of(payload)
            .or(|event: pb::AgreementStandingRecorded| {
                let fact = match event.standing() {
                    pb::AgreementStanding::Registered => AgreementFact::Registered,
                    pb::AgreementStanding::Suspended => AgreementFact::Suspended,
                    pb::AgreementStanding::Resumed => AgreementFact::Resumed,
                    pb::AgreementStanding::Terminated => AgreementFact::Terminated,
                    pb::AgreementStanding::Unspecified => return Err(DecodeError::Missing("standing")),
                };
                Ok(StandingRecorded { subject: name(&event.agreement)?, version: event.agreement_version, fact })
            })
            .finish()
    }
}

impl Stored for CommitmentStanding {
    fn encode(event: &StandingRecorded<CommitmentFact>) -> Payload {
        Payload::of(&pb::CommitmentStandingRecorded {
            commitment: event.subject.to_string(),
            commitment_version: event.version,
            standing: match event.fact {
                CommitmentFact::Registered => pb::CommitmentStanding::Registered,
                CommitmentFact::Fulfilled => pb::CommitmentStanding::Fulfilled,
                CommitmentFact::Withdrawn => pb::CommitmentStanding::Withdrawn,
            }
            .into(),
        })
    }

    fn decode(payload: &Payload) -> Result<StandingRecorded<CommitmentFact>, DecodeError> {
        Decoding::of(payload)
            .or(|event: pb::CommitmentStandingRecorded| {
                let fact = match event.standing() {
                    pb::CommitmentStanding::Registered => CommitmentFact::Registered,
                    pb::CommitmentStanding::Fulfilled => CommitmentFact::Fulfilled,
                    pb::CommitmentStanding::Withdrawn => CommitmentFact::Withdrawn,
                    pb::CommitmentStanding::Unspecified => return Err(DecodeError::Missing("standing")),
                };
                Ok(StandingRecorded { subject: name(&event.commitment)?, version: event.commitment_version, fact })
            })
            .finish()
    }
}

fn name(text: &str) -> Result<StreamName, DecodeError> {
    text.parse().map_err(|_| DecodeError::Invalid("name"))
}
