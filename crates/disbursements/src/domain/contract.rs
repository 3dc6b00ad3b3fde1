//! A contract of a fund with the partner who carries an action out: the fund's share and what others pay apart.

mod commands;
mod events;
mod state;

use event_sourcing::{Act, Aggregate, Basis, Draft, Recorded};

pub use commands::{ContractCommand, ContractError, Grounds};
pub use events::{Cofinancing, ContractEvent, Paid, PaymentKind, RecoveryCause, Rider, Terms};
pub use state::Contract;

use super::{
    authority::{self, ACCOUNTING_OFFICER, AUTHORISING_OFFICER, CONTRACTING_AUTHORITY, act_day},
    condition::Condition,
    decision::Approval,
    mirror::{Line, Lines, Movement as _},
    money::Money,
    standing::Citations,
};

impl Contract {
    fn sign(
        &self,
        terms: &Terms,
        grounds: &Grounds,
        citations: &Citations,
        act: &Act,
    ) -> Result<ContractEvent, ContractError> {
        let confirms = self.confirms(terms, act);
        if self.terms.is_some() && !confirms {
            return Err(ContractError::AlreadySigned);
        }
        authority::act_of(&grounds.fund.trustee, CONTRACTING_AUTHORITY, &grounds.fund.trustee, act)?;
        if let Some(earlier_role) = self.publication.entered_as(act).filter(|_| confirms) {
            return Err(ContractError::SamePersonTwice { earlier_role });
        }
        if let Some(fund) = self.cleared_for.as_ref().filter(|fund| **fund != terms.fund) {
            return Err(ContractError::OtherFund { fund: fund.clone() });
        }
        state::check_signing_date(&terms.fund, act.effective_on, grounds.fund.deadlines)?;
        state::check_period(terms.period, grounds.fund.deadlines)?;
        check_approval(&terms.decision, grounds, act)?;
        terms.fund_share.positive_in(grounds.fund.currency)?;
        for share in &terms.cofinancing {
            share.amount.positive_in(share.amount.currency())?;
        }
        citations.check_for_contract(&self.cleared)?;
        let event =
            if confirms { ContractEvent::SignatureConfirmed } else { ContractEvent::Signed(Box::new(terms.clone())) };
        Ok(event)
    }

    /// Whether an own act signs, in the same words and on the same date, what is known from a source alone.
    fn confirms(&self, terms: &Terms, act: &Act) -> bool {
        let same = self.terms.as_ref() == Some(terms) && self.signed_on == act.effective_on;
        same && self.publication.waits() && act.basis == Basis::Act
    }

    fn ride(&self, rider: &Rider, grounds: &Grounds, act: &Act) -> Result<Option<ContractEvent>, ContractError> {
        state::check_period(rider.period.unwrap_or_default(), grounds.fund.deadlines)?;
        if let Some(change) = rider.fund_share_change {
            let change = change.in_currency(self.currency())?.minor_units();
            if change > 0 {
                check_approval(&self.terms()?.decision, grounds, act)?;
            }
            if self.available().minor_units() + change < 0 {
                return Err(ContractError::ExceedsReleasable {
                    amount: self.sum(-change),
                    available: self.available(),
                });
            }
        }
        for share in rider.cofinancing.iter().flatten() {
            share.amount.positive_in(share.amount.currency())?;
        }
        Ok((*rider != Rider::default()).then(|| ContractEvent::Ridered(rider.clone())))
    }

    fn decommit(&self, amount: Money) -> Result<ContractEvent, ContractError> {
        let (amount, available) = (amount.positive_in(self.currency())?, self.available());
        if amount.minor_units() > available.minor_units() {
            return Err(ContractError::ExceedsReleasable { amount, available });
        }
        Ok(ContractEvent::Decommitted { amount })
    }

    fn clear(&self, fund: &str, trustee: &str, agreements: &[String], act: &Act) -> ClearOutcome {
        authority::own_act_of(trustee, AUTHORISING_OFFICER, act)?;
        let known = self.terms.as_ref().map(|terms| &terms.fund).or(self.cleared_for.as_ref());
        if let Some(known) = known.filter(|known| *known != fund) {
            return Err(ContractError::OtherFund { fund: known.clone() });
        }
        if act.reason.trim().is_empty() {
            return Err(ContractError::ReasonRequired);
        }
        let new: Vec<String> = agreements.iter().filter(|each| !self.cleared.contains(*each)).cloned().collect();
        Ok((!new.is_empty()).then(|| ContractEvent::Cleared { fund: fund.into(), agreements: new }))
    }

    /// F2: what is paid, less what came back, stays within the fund's share.
    fn mirror_payment(&self, payment: &str, lines: &Lines<Paid>) -> Result<Vec<Draft<ContractEvent>>, ContractError> {
        self.terms()?;
        let differences = self.payments.differences(payment, lines);
        let (paid, available) = (self.payments.shift(&differences), self.available());
        if paid > 0 && paid > available.minor_units() {
            return Err(ContractError::ExceedsAmount { amount: self.sum(paid), available });
        }
        let mut after = self.clone();
        for draft in &differences {
            let (record, value) = draft.event.clone();
            after.payments.set(record, Line { value, effective_on: draft.effective_on });
        }
        after.check_sums()?;
        let event = |(record, paid)| ContractEvent::PaymentSet { record, paid };
        Ok(differences.into_iter().map(|draft| draft.map(event)).collect())
    }

    fn clear_prefinancing(&self, amount: Money) -> Result<ContractEvent, ContractError> {
        let (amount, available) = (amount.positive_in(self.currency())?, self.unclaimed_prefinancing());
        if amount.minor_units() > available.minor_units() {
            return Err(ContractError::ExceedsOpenPrefinancing { amount, available });
        }
        Ok(ContractEvent::PrefinancingCleared { amount })
    }

    fn order_recovery(&self, order: &str, cause: RecoveryCause, amount: Money) -> Result<ContractEvent, ContractError> {
        if self.orders.contains_key(order) {
            return Err(ContractError::RecoveryOrderExists { order: order.into() });
        }
        let amount = amount.positive_in(self.currency())?;
        let available = match cause {
            RecoveryCause::IneligibleCosts => self.recoverable(),
            RecoveryCause::UnspentPrefinancing => {
                self.sum(self.recoverable().minor_units().min(self.unclaimed_prefinancing().minor_units()))
            }
        };
        if amount.minor_units() > available.minor_units() {
            return Err(ContractError::ExceedsRecoverable { amount, available });
        }
        Ok(ContractEvent::RecoveryOrdered { order: order.into(), cause, amount })
    }

    /// F9: who orders and who takes in are two persons.
    fn receive_recovery(&self, order: &str, amount: Money, act: &Act) -> Result<ContractEvent, ContractError> {
        let known = self.orders.get(order);
        let known = known.ok_or_else(|| ContractError::RecoveryOrderUnknown { order: order.into() })?;
        if known.ordered_by.as_ref().is_some_and(|actor| actor.is_same_person_as(&act.actor)) {
            return Err(ContractError::SamePersonTwice { earlier_role: AUTHORISING_OFFICER });
        }
        let (amount, available) = (amount.positive_in(self.currency())?, self.sum(known.open()));
        if amount.minor_units() > available.minor_units() {
            return Err(ContractError::ExceedsRecoverable { amount, available });
        }
        Ok(ContractEvent::RecoveryReceived { order: order.into(), amount })
    }

    fn close(&self) -> Result<ContractEvent, ContractError> {
        let (prefinancing, recoveries) = (self.open_prefinancing(), self.open_recoveries());
        if prefinancing != prefinancing.cancelled() {
            return Err(ContractError::PrefinancingNotCleared { amount: prefinancing });
        }
        if recoveries != recoveries.cancelled() {
            return Err(ContractError::RecoveriesNotSettled { amount: recoveries });
        }
        Ok(ContractEvent::Closed)
    }

    fn check_open(&self) -> Result<(), ContractError> {
        if self.closed { Err(ContractError::Closed) } else { Ok(()) }
    }
}

type ClearOutcome = Result<Option<ContractEvent>, ContractError>;

/// F3: no contract without the committee's approval. One that is itself recorded from a source may rest on an approval
/// recorded from a source.
fn check_approval(decision: &str, grounds: &Grounds, act: &Act) -> Result<(), ContractError> {
    let decision = decision.to_owned();
    match (grounds.approval, act.basis) {
        (None, _) => Err(ContractError::DecisionNotApproved { decision }),
        (Some(Approval::Published), Basis::Act) => Err(ContractError::DecisionUnconfirmed { decision }),
        (Some(Approval::Published), Basis::RecordedFromSource) | (Some(Approval::Own), _) => Ok(()),
    }
}

impl Aggregate for Contract {
    const CATEGORY: &'static str = "contracts";
    type Command = ContractCommand;
    type Event = ContractEvent;
    type Error = ContractError;

    fn decide(&self, command: &ContractCommand, act: &Act) -> Result<Vec<Draft<ContractEvent>>, ContractError> {
        let role = match command {
            ContractCommand::Sign { terms, grounds, citations } => {
                return Ok(vec![act.draft(self.sign(terms, grounds, citations, act)?)]);
            }
            ContractCommand::Clear { fund, trustee, agreements } => {
                return Ok(self
                    .clear(fund, trustee, agreements, act)?
                    .map(|event| act.draft(event))
                    .into_iter()
                    .collect());
            }
            ContractCommand::MirrorPayment { payment, lines } => return self.mirror_payment(payment, lines),
            ContractCommand::Ride { .. }
            | ContractCommand::Decommit { .. }
            | ContractCommand::Suspend
            | ContractCommand::Resume
            | ContractCommand::Close => CONTRACTING_AUTHORITY,
            ContractCommand::ClearPrefinancing { .. }
            | ContractCommand::DeclareCostsIneligible { .. }
            | ContractCommand::OrderRecovery { .. } => AUTHORISING_OFFICER,
            ContractCommand::ReceiveRecovery { .. } => ACCOUNTING_OFFICER,
        };
        authority::own_act_of(&self.terms()?.trustee, role, act)?;
        if self.closed && *command == ContractCommand::Close {
            return Ok(Vec::new());
        }
        self.check_open()?;
        let suspended = self.condition_on(act_day(act)) != Condition::Operating;
        let event = match command {
            ContractCommand::Sign { .. } | ContractCommand::Clear { .. } | ContractCommand::MirrorPayment { .. } => {
                None
            }
            ContractCommand::Ride { rider, grounds } => self.ride(rider, grounds, act)?,
            ContractCommand::Decommit { amount } => Some(self.decommit(*amount)?),
            ContractCommand::Suspend => (!suspended).then_some(ContractEvent::Suspended),
            ContractCommand::Resume => suspended.then_some(ContractEvent::Resumed),
            ContractCommand::ClearPrefinancing { amount } => Some(self.clear_prefinancing(*amount)?),
            ContractCommand::DeclareCostsIneligible { amount, payment } => {
                let amount = amount.positive_in(self.currency())?;
                Some(ContractEvent::CostsDeclaredIneligible { amount, payment: payment.clone() })
            }
            ContractCommand::OrderRecovery { order, cause, amount } => {
                Some(self.order_recovery(order, *cause, *amount)?)
            }
            ContractCommand::ReceiveRecovery { order, amount } => Some(self.receive_recovery(order, *amount, act)?),
            ContractCommand::Close => Some(self.close()?),
        };
        Ok(event.map(|event| act.draft(event)).into_iter().collect())
    }

    fn evolve(mut self, event: &Recorded<ContractEvent>) -> Self {
        self.apply(event);
        self
    }

    fn check(&self) -> Result<(), ContractError> {
        self.check_sums()
    }
}

#[cfg(test)]
mod tests;
