//! Events of a fund.

use contracts::toguna::disbursements::events::v1 as pb;
use event_store::{DecodeError, Payload, Stored, text_from_proto, text_to_proto};

use super::{Decoding, day, day_to_proto, money, money_to_proto, optional};
use crate::domain::{
    fund::{Constitution, ContractState, Deadlines, Fund, FundEvent, Seat, Window},
    mirror::RecordKey,
};

impl Stored for Fund {
    fn encode(event: &FundEvent) -> Payload {
        match event {
            FundEvent::Established(constitution) => Payload::of(&constitution_to_proto(constitution)),
            FundEvent::DeadlinesAmended(deadlines) => Payload::of(&pb::FundDeadlinesAmended {
                contracting_deadline: Some(day_to_proto(deadlines.contracting)),
                end_of_activities: Some(day_to_proto(deadlines.end_of_activities)),
            }),
            FundEvent::SeatGiven { member, seat } => {
                Payload::of(&pb::CommitteeSeatGiven { member: member.clone(), seat: seat_to_proto(*seat).into() })
            }
            FundEvent::SeatEnded { member } => Payload::of(&pb::CommitteeSeatEnded { member: member.clone() }),
            FundEvent::CashMovementSet { source, amount } => Payload::of(&pb::CashMovementSet {
                source_stream: source.stream.clone(),
                source_version: source.version,
                amount: Some(money_to_proto(*amount)),
            }),
            FundEvent::ContractSet { contract, state } => Payload::of(&pb::FundContractSet {
                contract: contract.clone(),
                state: match state {
                    ContractState::Open => pb::FundContractState::Open,
                    ContractState::Closed => pb::FundContractState::Closed,
                }
                .into(),
            }),
            FundEvent::Closed => Payload::of(&pb::FundClosed {}),
        }
    }

    fn decode(payload: &Payload) -> Result<FundEvent, DecodeError> {
        Decoding::of(payload)
            .or(|event: pb::FundEstablished| Ok(FundEvent::Established(constitution(event)?)))
            .or(|event: pb::FundDeadlinesAmended| {
                Ok(FundEvent::DeadlinesAmended(Deadlines {
                    contracting: day(event.contracting_deadline.as_ref(), "contracting_deadline")?,
                    end_of_activities: day(event.end_of_activities.as_ref(), "end_of_activities")?,
                }))
            })
            .or(|event: pb::CommitteeSeatGiven| {
                Ok(FundEvent::SeatGiven { seat: seat_from_proto(event.seat())?, member: event.member })
            })
            .or(|event: pb::CommitteeSeatEnded| Ok(FundEvent::SeatEnded { member: event.member }))
            .or(|event: pb::CashMovementSet| {
                Ok(FundEvent::CashMovementSet {
                    source: RecordKey { stream: event.source_stream, version: event.source_version },
                    amount: money(event.amount, "amount")?,
                })
            })
            .or(|event: pb::FundContractSet| {
                let state = match event.state() {
                    pb::FundContractState::Open => ContractState::Open,
                    pb::FundContractState::Closed => ContractState::Closed,
                    pb::FundContractState::Unspecified => return Err(DecodeError::Missing("state")),
                };
                Ok(FundEvent::ContractSet { contract: event.contract, state })
            })
            .or(|_: pb::FundClosed| Ok(FundEvent::Closed))
            .finish()
    }
}

fn constitution_to_proto(constitution: &Constitution) -> pb::FundEstablished {
    pb::FundEstablished {
        title: Some(text_to_proto(&constitution.title)),
        reference: constitution.reference.clone(),
        trustee: constitution.trustee.clone(),
        constitutive_agreement: constitution.constitutive_agreement.clone().unwrap_or_default(),
        currency_code: constitution.currency.to_string(),
        windows: constitution.windows.iter().map(window_to_proto).collect(),
        contracting_deadline: Some(day_to_proto(constitution.deadlines.contracting)),
        end_of_activities: Some(day_to_proto(constitution.deadlines.end_of_activities)),
    }
}

fn constitution(event: pb::FundEstablished) -> Result<Constitution, DecodeError> {
    let window =
        |window: pb::FundWindow| Ok(Window { title: text_from_proto(window.title.as_ref())?, code: window.code });
    Ok(Constitution {
        title: text_from_proto(event.title.as_ref())?,
        reference: event.reference,
        trustee: event.trustee,
        constitutive_agreement: optional(event.constitutive_agreement),
        currency: event.currency_code.parse().map_err(|_| DecodeError::Invalid("currency_code"))?,
        windows: event.windows.into_iter().map(window).collect::<Result<_, DecodeError>>()?,
        deadlines: Deadlines {
            contracting: day(event.contracting_deadline.as_ref(), "contracting_deadline")?,
            end_of_activities: day(event.end_of_activities.as_ref(), "end_of_activities")?,
        },
    })
}

/// A window on the wire.
pub(crate) fn window_to_proto(window: &Window) -> pb::FundWindow {
    pb::FundWindow { code: window.code.clone(), title: Some(text_to_proto(&window.title)) }
}

/// A seat on the wire.
pub(crate) fn seat_to_proto(seat: Seat) -> pb::CommitteeSeat {
    match seat {
        Seat::Chair => pb::CommitteeSeat::Chair,
        Seat::Member => pb::CommitteeSeat::Member,
        Seat::Observer => pb::CommitteeSeat::Observer,
    }
}

/// A seat from the wire.
pub(crate) fn seat_from_proto(seat: pb::CommitteeSeat) -> Result<Seat, DecodeError> {
    match seat {
        pb::CommitteeSeat::Chair => Ok(Seat::Chair),
        pb::CommitteeSeat::Member => Ok(Seat::Member),
        pb::CommitteeSeat::Observer => Ok(Seat::Observer),
        pb::CommitteeSeat::Unspecified => Err(DecodeError::Missing("seat")),
    }
}
