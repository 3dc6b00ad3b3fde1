//! The stored events of reporting cycles.

use contracts::toguna::commitments::events::v1 as pb;
use event_store::{
    DecodeError, Decoding, Payload, Stored, date_from_proto, date_to_proto, period_from_proto, period_to_proto,
    text_from_proto, text_to_proto,
};

use super::value;
use crate::domain::{Cycle, CycleEvent, Opening};

impl Stored for Cycle {
    fn encode(event: &CycleEvent) -> Payload {
        match event {
            CycleEvent::Opened(opening) => Payload::of(&pb::ReportingCycleOpened {
                framework: opening.framework.to_string(),
                title: Some(text_to_proto(&opening.title)),
                covers: period_to_proto(opening.covers),
                due_on: opening.due_on.map(date_to_proto),
            }),
            CycleEvent::Closed => Payload::of(&pb::ReportingCycleClosed {}),
        }
    }

    fn decode(payload: &Payload) -> Result<CycleEvent, DecodeError> {
        Decoding::of(payload)
            .or(|event| opened(&event))
            .or(|pb::ReportingCycleClosed {}| Ok(CycleEvent::Closed))
            .finish()
    }
}

fn opened(event: &pb::ReportingCycleOpened) -> Result<CycleEvent, DecodeError> {
    Ok(CycleEvent::Opened(Opening {
        framework: value::name("framework", &event.framework)?,
        title: text_from_proto(event.title.as_ref())?,
        covers: period_from_proto(event.covers.as_ref())?,
        due_on: event.due_on.as_ref().map(date_from_proto).transpose()?,
    }))
}
