//! Events of an agreement.

mod decode;
mod encode;

use event_store::{DecodeError, Payload, Stored};

use crate::domain::{Agreement, AgreementEvent};

impl Stored for Agreement {
    fn encode(event: &AgreementEvent) -> Payload {
        encode::event(event)
    }

    fn decode(payload: &Payload) -> Result<AgreementEvent, DecodeError> {
        decode::event(payload)
    }
}
