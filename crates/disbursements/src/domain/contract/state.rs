//! What a contract is after its events, and what follows from it.

use std::collections::{BTreeMap, BTreeSet};

use event_sourcing::{Actor, Basis, Date, PartialDate, Period, Recorded};

use super::{
    ContractError,
    events::{Cofinancing, ContractEvent, Paid, PaymentKind, RecoveryCause, Rider, Terms},
};
use crate::domain::{
    condition::{Change, Condition, Timeline},
    decision::Approval,
    fund::Deadlines,
    mirror::{Line, Lines, Mirror},
    money::{Currency, Money, Total},
    publication::Published,
    standing::Citations,
};

/// A contract.
#[derive(Debug, Clone, Default)]
pub struct Contract {
    pub(super) terms: Option<Terms>,
    pub(super) signed_on: Option<PartialDate>,
    /// What is known from a source alone of what the trustee did.
    pub(super) publication: Published,
    cofinancing: Vec<Cofinancing>,
    period: Period,
    share: Total,
    decommitted: Total,
    draws: Lines<Money>,
    timeline: Timeline,
    pub(super) cleared_for: Option<String>,
    pub(super) cleared: BTreeSet<String>,
    pub(super) payments: Mirror<Paid>,
    prefinancing_cleared: Total,
    ineligible: Total,
    pub(super) orders: BTreeMap<String, RecoveryOrder>,
    receipts: Lines<Money>,
    pub(super) closed: bool,
}

/// Money asked back.
#[derive(Debug, Clone, Default)]
pub(super) struct RecoveryOrder {
    cause: Option<RecoveryCause>,
    /// Who ordered it, where that was not entered from a source.
    pub(super) ordered_by: Option<Actor>,
    ordered: Total,
    received: Total,
}

impl Contract {
    /// What was signed; refused where nothing was.
    pub fn terms(&self) -> Result<&Terms, ContractError> {
        self.terms.as_ref().ok_or(ContractError::NotSigned)
    }

    /// When it was signed.
    pub fn signed_on(&self) -> Option<PartialDate> {
        self.signed_on
    }

    /// What others pay.
    pub fn cofinancing(&self) -> &[Cofinancing] {
        &self.cofinancing
    }

    /// When the activities run.
    pub fn period(&self) -> Period {
        self.period
    }

    /// What the fund pays at most: as signed, changed by riders, less de-commitments.
    pub fn fund_share(&self) -> Money {
        self.sum(self.share.minor_units() - self.decommitted.minor_units())
    }

    /// De-committed so far.
    pub fn decommitted(&self) -> Money {
        self.decommitted.money()
    }

    /// Paid so far.
    pub fn paid(&self) -> Money {
        self.payments.total(self.currency(), |_, _| true).money()
    }

    /// Recovered so far.
    pub fn recovered(&self) -> Money {
        self.sum(self.orders.values().map(|order| order.received.minor_units()).sum())
    }

    /// What can still be paid: the fund's share, less paid, plus recovered.
    pub fn available(&self) -> Money {
        self.sum(self.fund_share().minor_units() - self.paid().minor_units() + self.recovered().minor_units())
    }

    /// Pre-financing paid, and neither cleared nor recovered.
    pub fn open_prefinancing(&self) -> Money {
        let paid = self.payments.total(self.currency(), |_, paid| paid.kind == PaymentKind::PreFinancing);
        let unspent = self.orders.values().filter(|order| order.cause == Some(RecoveryCause::UnspentPrefinancing));
        let recovered: i64 = unspent.map(|order| order.received.minor_units()).sum();
        self.sum(paid.minor_units() - self.prefinancing_cleared.minor_units() - recovered)
    }

    /// Open pre-financing that is not asked back yet either.
    pub(super) fn unclaimed_prefinancing(&self) -> Money {
        let unspent = self.orders.values().filter(|order| order.cause == Some(RecoveryCause::UnspentPrefinancing));
        self.sum(self.open_prefinancing().minor_units() - unspent.map(RecoveryOrder::open).sum::<i64>())
    }

    /// Recoveries ordered and not received.
    pub fn open_recoveries(&self) -> Money {
        self.sum(self.orders.values().map(RecoveryOrder::open).sum())
    }

    /// Costs declared ineligible so far.
    pub fn ineligible(&self) -> Money {
        self.ineligible.money()
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// Whether it operates on a day, or was suspended alone.
    pub fn condition_on(&self, day: Date) -> Condition {
        self.timeline.on(day)
    }

    /// What its records draw on its decision.
    pub fn draws(&self) -> &Lines<Money> {
        &self.draws
    }

    /// What its recoveries bring into the fund's cash.
    pub fn receipts(&self) -> &Lines<Money> {
        &self.receipts
    }

    /// Whether costs of a time up to `last_day` can be paid on `day`: a suspension, of the contract or of an agreement
    /// that it or its decision cites, holds what came after it. Nothing is paid on the word of a publication: the
    /// committee itself has approved the decision, and the trustee itself has signed the contract (`name`).
    pub fn check_payable(
        &self,
        name: &str,
        last_day: Date,
        day: Date,
        citations: &Citations,
        approval: Option<Approval>,
    ) -> Result<(), ContractError> {
        if self.closed {
            return Err(ContractError::Closed);
        }
        let decision = &self.terms()?.decision;
        match approval {
            None => return Err(ContractError::DecisionNotApproved { decision: decision.clone() }),
            Some(Approval::Published) => return Err(ContractError::DecisionUnconfirmed { decision: decision.clone() }),
            Some(Approval::Own) => {}
        }
        if self.publication.waits() {
            return Err(ContractError::Unconfirmed { contract: name.into() });
        }
        if let Condition::Suspended { since } = self.condition_on(day)
            && last_day >= since
        {
            return Err(ContractError::Suspended { since });
        }
        Ok(citations.check_for_costs(&self.cleared, last_day)?)
    }

    /// F2: whether an amount can still be paid.
    pub fn check_room(&self, amount: Money) -> Result<(), ContractError> {
        let (amount, available) = (amount.positive_in(self.currency())?, self.available());
        if amount.minor_units() > available.minor_units() {
            return Err(ContractError::ExceedsAmount { amount, available });
        }
        Ok(())
    }

    /// Whether it keeps a fund's deadlines: signed in time, and no activities after their end.
    pub fn check_deadlines(&self, deadlines: Deadlines) -> Result<(), ContractError> {
        let terms = self.terms()?;
        check_signing_date(&terms.fund, self.signed_on, deadlines)?;
        check_period(self.period, deadlines)
    }

    pub(super) fn currency(&self) -> Currency {
        self.terms.as_ref().map_or_else(Currency::default, |terms| terms.fund_share.currency())
    }

    pub(super) fn sum(&self, minor_units: i64) -> Money {
        Money::of(self.currency(), minor_units)
    }

    /// What can be asked back beyond what was: paid, less recovered, less what is already asked.
    pub(super) fn recoverable(&self) -> Money {
        let held = self.paid().minor_units() - self.recovered().minor_units();
        self.sum(held - self.open_recoveries().minor_units())
    }

    pub(super) fn apply(&mut self, event: &Recorded<ContractEvent>) {
        self.publication.note(event);
        match &event.event {
            ContractEvent::SignatureConfirmed => self.publication.confirm(event.version),
            ContractEvent::Signed(terms) => self.begin(terms, event),
            ContractEvent::Ridered(rider) => self.amend(rider, event),
            ContractEvent::Decommitted { amount } => {
                self.decommitted.add(*amount);
                self.draw(event, Money::of(amount.currency(), -amount.minor_units()));
            }
            ContractEvent::Suspended => {
                self.timeline.set(event.version, Some((event.counts_from(), Change::Suspended)));
            }
            ContractEvent::Resumed => self.timeline.set(event.version, Some((event.counts_from(), Change::Resumed))),
            ContractEvent::Cleared { fund, agreements } => {
                self.cleared_for = Some(fund.clone());
                self.cleared.extend(agreements.iter().cloned());
            }
            ContractEvent::PaymentSet { record, paid } => {
                self.payments.set(record.clone(), Line { value: *paid, effective_on: event.effective_on });
            }
            ContractEvent::PrefinancingCleared { amount } => self.prefinancing_cleared.add(*amount),
            ContractEvent::CostsDeclaredIneligible { amount, .. } => self.ineligible.add(*amount),
            ContractEvent::RecoveryOrdered { order, cause, amount } => {
                let zero = Total::zero(self.currency());
                let ordered_by = (event.act.basis == Basis::Act).then(|| event.act.actor.clone());
                let mut known = RecoveryOrder { cause: Some(*cause), ordered_by, ordered: zero, received: zero };
                known.ordered.add(*amount);
                self.orders.insert(order.clone(), known);
            }
            ContractEvent::RecoveryReceived { order, amount } => {
                if let Some(order) = self.orders.get_mut(order) {
                    order.received.add(*amount);
                    let line = Line { value: *amount, effective_on: event.effective_on };
                    self.receipts.insert(event.version, line);
                }
            }
            ContractEvent::Closed => self.closed = true,
        }
    }

    fn begin(&mut self, terms: &Terms, event: &Recorded<ContractEvent>) {
        let zero = Total::zero(terms.fund_share.currency());
        (self.share, self.decommitted, self.prefinancing_cleared, self.ineligible) = (zero, zero, zero, zero);
        self.share.add(terms.fund_share);
        self.signed_on = event.effective_on;
        self.cofinancing.clone_from(&terms.cofinancing);
        self.period = terms.period;
        self.terms = Some(terms.clone());
        self.draw(event, terms.fund_share);
    }

    fn amend(&mut self, rider: &Rider, event: &Recorded<ContractEvent>) {
        if let Some(change) = rider.fund_share_change {
            self.share.change(change);
            self.draw(event, change);
        }
        if let Some(cofinancing) = &rider.cofinancing {
            self.cofinancing.clone_from(cofinancing);
        }
        self.period = rider.period.unwrap_or(self.period);
    }

    fn draw(&mut self, event: &Recorded<ContractEvent>, value: Money) {
        self.draws.insert(event.version, Line { value, effective_on: event.effective_on });
    }

    /// The invariants, whatever was corrected.
    pub(super) fn check_sums(&self) -> Result<(), ContractError> {
        for total in [self.share, self.decommitted, self.prefinancing_cleared, self.ineligible] {
            total.check()?;
        }
        for order in self.orders.values() {
            order.ordered.check()?;
            order.received.check()?;
            if order.open() < 0 {
                let (amount, available) = (order.received.money(), order.ordered.money());
                return Err(ContractError::ExceedsRecoverable { amount, available });
            }
        }
        let (recovered, paid) = (self.recovered(), self.paid());
        if recovered.minor_units() > paid.minor_units() {
            return Err(ContractError::ExceedsRecoverable { amount: recovered, available: paid });
        }
        if self.available().minor_units() < 0 {
            let held = self.sum(paid.minor_units() - recovered.minor_units());
            return Err(ContractError::ExceedsAmount { amount: held, available: self.fund_share() });
        }
        let open = self.open_prefinancing();
        if open.minor_units() < 0 {
            let amount = self.prefinancing_cleared.money();
            let available = self.sum(amount.minor_units() + open.minor_units());
            return Err(ContractError::ExceedsOpenPrefinancing { amount, available });
        }
        Ok(())
    }
}

impl RecoveryOrder {
    /// Ordered and not received, in minor units.
    pub(super) fn open(&self) -> i64 {
        self.ordered.minor_units() - self.received.minor_units()
    }
}

/// F4: no contract after the fund's last day for signing. A date that is not exact must lie before it whatever it means.
pub(super) fn check_signing_date(
    fund: &str,
    signed_on: Option<PartialDate>,
    deadlines: Deadlines,
) -> Result<(), ContractError> {
    let signed_on = signed_on.ok_or(ContractError::SigningDateRequired)?.latest();
    if signed_on > deadlines.contracting {
        let (fund, deadline) = (fund.to_owned(), deadlines.contracting);
        return Err(ContractError::ContractingDeadlinePassed { fund, signed_on, deadline });
    }
    Ok(())
}

/// F4: no activities, and so no costs, after the end of the fund's activities.
pub(super) fn check_period(period: Period, deadlines: Deadlines) -> Result<(), ContractError> {
    match period.end {
        Some(period_end) if period_end > deadlines.end_of_activities => {
            let end_of_activities = deadlines.end_of_activities;
            Err(ContractError::CostsAfterEndOfActivities { period_end, end_of_activities })
        }
        Some(_) | None => Ok(()),
    }
}
