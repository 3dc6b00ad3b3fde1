//! Events of a contract.

use contracts::toguna::disbursements::events::v1 as pb;
use event_store::{DecodeError, Payload, Stored, period_from_proto, period_to_proto, text_from_proto, text_to_proto};

use super::{Decoding, money, money_to_proto, optional, optional_money};
use crate::domain::{
    contract::{Cofinancing, Contract, ContractEvent, Paid, PaymentKind, RecoveryCause, Rider, Terms},
    mirror::RecordKey,
};

impl Stored for Contract {
    fn encode(event: &ContractEvent) -> Payload {
        match event {
            ContractEvent::Signed(terms) => Payload::of(&terms_to_proto(terms)),
            ContractEvent::Ridered(rider) => Payload::of(&rider_to_proto(rider)),
            ContractEvent::Decommitted { amount } => {
                Payload::of(&pb::ContractDecommitted { amount: Some(money_to_proto(*amount)) })
            }
            ContractEvent::Suspended => Payload::of(&pb::ContractSuspended {}),
            ContractEvent::Resumed => Payload::of(&pb::ContractResumed {}),
            ContractEvent::Cleared { fund, agreements } => {
                Payload::of(&pb::ContractCleared { fund: fund.clone(), agreements: agreements.clone() })
            }
            ContractEvent::PaymentSet { record, paid } => Payload::of(&pb::ContractPaymentSet {
                payment: record.stream.clone(),
                payment_version: record.version,
                kind: kind_to_proto(paid.kind).into(),
                amount: Some(money_to_proto(paid.amount)),
            }),
            ContractEvent::PrefinancingCleared { amount } => {
                Payload::of(&pb::PrefinancingCleared { amount: Some(money_to_proto(*amount)) })
            }
            ContractEvent::CostsDeclaredIneligible { amount, payment } => Payload::of(&pb::CostsDeclaredIneligible {
                amount: Some(money_to_proto(*amount)),
                payment: payment.clone().unwrap_or_default(),
            }),
            ContractEvent::RecoveryOrdered { order, cause, amount } => Payload::of(&pb::RecoveryOrdered {
                order: order.clone(),
                cause: cause_to_proto(*cause).into(),
                amount: Some(money_to_proto(*amount)),
            }),
            ContractEvent::RecoveryReceived { order, amount } => {
                Payload::of(&pb::RecoveryReceived { order: order.clone(), amount: Some(money_to_proto(*amount)) })
            }
            ContractEvent::SignatureConfirmed => Payload::of(&pb::ContractSignatureConfirmed {}),
            ContractEvent::Closed => Payload::of(&pb::ContractClosed {}),
        }
    }

    fn decode(payload: &Payload) -> Result<ContractEvent, DecodeError> {
        Decoding::of(payload)
            .or(|event: pb::ContractSigned| Ok(ContractEvent::Signed(Box::new(terms(event)?))))
            .or(|event: pb::ContractRidered| Ok(ContractEvent::Ridered(rider(event)?)))
            .or(|event: pb::ContractDecommitted| {
                Ok(ContractEvent::Decommitted { amount: money(event.amount, "amount")? })
            })
            .or(|_: pb::ContractSuspended| Ok(ContractEvent::Suspended))
            .or(|_: pb::ContractResumed| Ok(ContractEvent::Resumed))
            .or(|event: pb::ContractCleared| {
                Ok(ContractEvent::Cleared { fund: event.fund, agreements: event.agreements })
            })
            .or(|event: pb::ContractPaymentSet| {
                let paid = Paid { kind: kind_from_proto(event.kind())?, amount: money(event.amount, "amount")? };
                let record = RecordKey { stream: event.payment, version: event.payment_version };
                Ok(ContractEvent::PaymentSet { record, paid })
            })
            .or(|event: pb::PrefinancingCleared| {
                Ok(ContractEvent::PrefinancingCleared { amount: money(event.amount, "amount")? })
            })
            .or(|event: pb::CostsDeclaredIneligible| {
                let amount = money(event.amount, "amount")?;
                Ok(ContractEvent::CostsDeclaredIneligible { amount, payment: optional(event.payment) })
            })
            .or(|event: pb::RecoveryOrdered| {
                let (cause, amount) = (cause_from_proto(event.cause())?, money(event.amount, "amount")?);
                Ok(ContractEvent::RecoveryOrdered { order: event.order, cause, amount })
            })
            .or(|event: pb::RecoveryReceived| {
                let amount = money(event.amount, "amount")?;
                Ok(ContractEvent::RecoveryReceived { order: event.order, amount })
            })
            .or(|_: pb::ContractSignatureConfirmed| Ok(ContractEvent::SignatureConfirmed))
            .or(|_: pb::ContractClosed| Ok(ContractEvent::Closed))
            .finish()
    }
}

fn terms_to_proto(terms: &Terms) -> pb::ContractSigned {
    pb::ContractSigned {
        fund: terms.fund.clone(),
        trustee: terms.trustee.clone(),
        decision: terms.decision.clone(),
        reference: terms.reference.clone(),
        title: Some(text_to_proto(&terms.title)),
        implementer: terms.implementer.clone(),
        fund_share: Some(money_to_proto(terms.fund_share)),
        cofinancing: terms.cofinancing.iter().map(cofinancing_to_proto).collect(),
        period: period_to_proto(terms.period),
        agreements: terms.agreements.clone(),
        commitments: terms.commitments.clone(),
        programme_lines: terms.programme_lines.clone(),
    }
}

fn terms(event: pb::ContractSigned) -> Result<Terms, DecodeError> {
    Ok(Terms {
        fund: event.fund,
        trustee: event.trustee,
        decision: event.decision,
        reference: event.reference,
        title: text_from_proto(event.title.as_ref())?,
        implementer: event.implementer,
        fund_share: money(event.fund_share, "fund_share")?,
        cofinancing: cofinancing(event.cofinancing)?,
        period: period_from_proto(event.period.as_ref())?,
        agreements: event.agreements,
        commitments: event.commitments,
        programme_lines: event.programme_lines,
    })
}

fn rider_to_proto(rider: &Rider) -> pb::ContractRidered {
    let plan =
        |shares: &Vec<Cofinancing>| pb::CofinancingPlan { shares: shares.iter().map(cofinancing_to_proto).collect() };
    pb::ContractRidered {
        fund_share_change: rider.fund_share_change.map(money_to_proto),
        cofinancing: rider.cofinancing.as_ref().map(plan),
        period: rider.period.and_then(period_to_proto),
    }
}

fn rider(event: pb::ContractRidered) -> Result<Rider, DecodeError> {
    Ok(Rider {
        fund_share_change: optional_money(event.fund_share_change, "fund_share_change")?,
        cofinancing: event.cofinancing.map(|plan| cofinancing(plan.shares)).transpose()?,
        period: event.period.map(|period| period_from_proto(Some(&period))).transpose()?,
    })
}

/// A share that the fund does not pay, on the wire.
pub(crate) fn cofinancing_to_proto(share: &Cofinancing) -> pb::Cofinancing {
    pb::Cofinancing {
        financier: share.financier.clone().unwrap_or_default(),
        amount: Some(money_to_proto(share.amount)),
    }
}

fn cofinancing(shares: Vec<pb::Cofinancing>) -> Result<Vec<Cofinancing>, DecodeError> {
    let share = |share: pb::Cofinancing| {
        Ok(Cofinancing { financier: optional(share.financier), amount: money(share.amount, "cofinancing")? })
    };
    shares.into_iter().map(share).collect()
}

/// A kind of payment on the wire.
pub(crate) fn kind_to_proto(kind: PaymentKind) -> pb::PaymentKind {
    match kind {
        PaymentKind::PreFinancing => pb::PaymentKind::PreFinancing,
        PaymentKind::Interim => pb::PaymentKind::Interim,
        PaymentKind::Balance => pb::PaymentKind::Balance,
    }
}

/// A kind of payment from the wire.
pub(crate) fn kind_from_proto(kind: pb::PaymentKind) -> Result<PaymentKind, DecodeError> {
    match kind {
        pb::PaymentKind::PreFinancing => Ok(PaymentKind::PreFinancing),
        pb::PaymentKind::Interim => Ok(PaymentKind::Interim),
        pb::PaymentKind::Balance => Ok(PaymentKind::Balance),
        pb::PaymentKind::Unspecified => Err(DecodeError::Missing("kind")),
    }
}

fn cause_to_proto(cause: RecoveryCause) -> pb::RecoveryCause {
    match cause {
        RecoveryCause::UnspentPrefinancing => pb::RecoveryCause::UnspentPrefinancing,
        RecoveryCause::IneligibleCosts => pb::RecoveryCause::IneligibleCosts,
    }
}

/// Why money is asked back, from the wire.
pub(crate) fn cause_from_proto(cause: pb::RecoveryCause) -> Result<RecoveryCause, DecodeError> {
    match cause {
        pb::RecoveryCause::UnspentPrefinancing => Ok(RecoveryCause::UnspentPrefinancing),
        pb::RecoveryCause::IneligibleCosts => Ok(RecoveryCause::IneligibleCosts),
        pb::RecoveryCause::Unspecified => Err(DecodeError::Missing("cause")),
    }
}
