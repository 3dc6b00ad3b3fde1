//! What the records of decisions, contracts and payments add up to.

use contracts::toguna::{
    disbursements::events::v1 as events,
    oversight::v1::{Figure, PortfolioFigures},
    r#type::v1::Date,
};

use crate::{
    TooLarge,
    events::disbursements::Disbursement,
    evidence::{Evidence, Tally},
    record::Seen,
    view::LogView,
};

/// The amounts of one decision or contract, or of several.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Amounts {
    pub approved: Tally,
    pub topped_up: Tally,
    /// The decision's own; a contract's lowers `contracted`.
    pub decommitted: Tally,
    pub contracted: Tally,
    pub cofinancing: Tally,
    pub paid: Tally,
    pub recovered: Tally,
}

impl Amounts {
    /// What a decision's own records decide, and since when it is approved.
    pub fn decided(log: LogView<'_, Disbursement>, decision: &str) -> (Self, Option<Date>) {
        let last = last_confirmation(log, decision);
        let confirmed = |seen: Seen<'_, Disbursement>| last > seen.said_since();
        let mut amounts = Self::default();
        let mut approved_on = None;
        for seen in log.counted(decision) {
            match seen.fact() {
                Disbursement::DecisionApproved(event) => {
                    amounts.approved.add(&event.amount, seen, confirmed(seen));
                    approved_on = seen.said.provenance.effective_on;
                }
                Disbursement::DecisionToppedUp(event) => amounts.topped_up.add(&event.amount, seen, confirmed(seen)),
                Disbursement::DecisionDecommitted(event) => amounts.decommitted.add(&event.amount, seen, false),
                _ => {}
            }
        }
        (amounts, approved_on)
    }

    /// What a contract's own records contract and recover. The last plan of co-financing holds.
    pub fn contracted(log: LogView<'_, Disbursement>, contract: &str) -> Self {
        let last = last_confirmation(log, contract);
        let mut amounts = Self::default();
        for seen in log.counted(contract) {
            match seen.fact() {
                Disbursement::ContractSigned(event) => {
                    amounts.contracted.add(&event.fund_share, seen, last > seen.said_since());
                    amounts.cofinancing = shares(&event.cofinancing, seen);
                }
                Disbursement::ContractRidered(event) => {
                    amounts.contracted.add(&event.fund_share_change, seen, false);
                    if let Some(plan) = &event.cofinancing {
                        amounts.cofinancing = shares(&plan.shares, seen);
                    }
                }
                Disbursement::ContractDecommitted(event) => {
                    let mut released = Tally::default();
                    released.add(&event.amount, seen, false);
                    amounts.contracted = amounts.contracted.less(&released);
                }
                Disbursement::RecoveryReceived(event) => amounts.recovered.add(&event.amount, seen, false),
                _ => {}
            }
        }
        amounts
    }

    /// Adds another's amounts to these.
    pub fn absorb(&mut self, other: &Self) {
        let theirs = other.tallies();
        for (tally, other) in self.tallies_mut().into_iter().zip(theirs) {
            tally.absorb(other);
        }
    }

    /// What stands behind all of them.
    pub fn evidence(&self) -> Evidence {
        self.tallies().into_iter().map(|tally| tally.evidence.clone()).collect()
    }

    /// Whether no record counts.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Approved and top-ups.
    pub fn decided_gross(&self) -> Tally {
        let mut gross = self.approved.clone();
        gross.absorb(&self.topped_up);
        gross
    }

    /// Less the decision's own de-commitments.
    pub fn decided_net(&self) -> Tally {
        self.decided_gross().less(&self.decommitted)
    }

    pub fn figures(&self) -> Result<PortfolioFigures, TooLarge> {
        let figure = |tally: &Tally| -> Result<Option<Figure>, TooLarge> { tally.figure().map(Some) };
        Ok(PortfolioFigures {
            approved: figure(&self.approved)?,
            topped_up: figure(&self.topped_up)?,
            decommitted: figure(&self.decommitted)?,
            decided_gross: figure(&self.decided_gross())?,
            decided_net: figure(&self.decided_net())?,
            contracted: figure(&self.contracted)?,
            cofinancing: figure(&self.cofinancing)?,
            paid: figure(&self.paid)?,
            recovered: figure(&self.recovered)?,
        })
    }

    fn tallies(&self) -> [&Tally; 7] {
        let Self { approved, topped_up, decommitted, contracted, cofinancing, paid, recovered } = self;
        [approved, topped_up, decommitted, contracted, cofinancing, paid, recovered]
    }

    fn tallies_mut(&mut self) -> [&mut Tally; 7] {
        let Self { approved, topped_up, decommitted, contracted, cofinancing, paid, recovered } = self;
        [approved, topped_up, decommitted, contracted, cofinancing, paid, recovered]
    }
}

/// Where a decision or a contract was last confirmed by whose act it is; 0: nowhere. Who confirms a record speaks of the
/// record, whatever the day that is asked for.
fn last_confirmation(log: LogView<'_, Disbursement>, stream: &str) -> u64 {
    let confirms = |fact: &Disbursement| {
        matches!(fact, Disbursement::DecisionApprovalConfirmed(_) | Disbursement::ContractSignatureConfirmed(_))
    };
    let confirmations = log.known(stream).filter(|seen| confirms(seen.fact()));
    confirmations.map(|seen| seen.record.recorded.position).max().unwrap_or_default()
}

fn shares(cofinancing: &[events::Cofinancing], seen: Seen<'_, Disbursement>) -> Tally {
    let mut tally = Tally::default();
    tally.add(cofinancing.iter().filter_map(|share| share.amount.as_ref()), seen, false);
    tally
}
