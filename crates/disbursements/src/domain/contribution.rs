//! What one donor gives to a fund: promised, certified, received.

use event_sourcing::{Act, Aggregate, Basis, Draft, Recorded};

use super::{
    authority::{self, ACCOUNTING_OFFICER, AuthorityError, DONOR},
    mirror::{Line, Lines},
    money::{Currency, Money, MoneyError, Total},
};

/// What happens to a contribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContributionEvent {
    /// The donor promised. Indicative: nothing can be spent on it.
    Pledged(Pledge),
    /// The donor bound itself in writing.
    Certified {
        /// How much this certificate is about.
        amount: Money,
        /// Reference of the certificate; may be empty.
        reference: String,
    },
    /// Money came in.
    Received {
        /// How much.
        amount: Money,
        /// Reference of the bank's statement; may be empty.
        reference: String,
    },
}

/// A promise.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Pledge {
    /// The fund.
    pub fund: String,
    /// Who promised.
    pub donor: String,
    /// How much.
    pub amount: Money,
}

/// A contribution.
#[derive(Debug, Clone, Default)]
pub struct Contribution {
    pledge: Option<Pledge>,
    pledged: Total,
    certified: Total,
    received: Total,
    receipts: Lines<Money>,
}

/// What can be asked of a contribution.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ContributionCommand {
    /// To begin with a promise.
    Pledge {
        /// The promise.
        pledge: Pledge,
        /// The fund's currency.
        currency: Currency,
        /// The partner who runs the fund.
        trustee: String,
    },
    /// To be certified.
    Certify {
        /// How much.
        amount: Money,
        /// Reference of the certificate; may be empty.
        reference: String,
    },
    /// To be received.
    Receive {
        /// The partner who runs the fund.
        trustee: String,
        /// How much.
        amount: Money,
        /// Reference of the bank's statement; may be empty.
        reference: String,
    },
}

/// Why a contribution refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContributionError {
    /// Not this person, or not this organisation.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// Not such an amount.
    #[error(transparent)]
    Money(#[from] MoneyError),
    /// It was never promised.
    #[error("there is no such contribution")]
    NotPledged,
    /// It was promised before.
    #[error("the contribution is there already")]
    AlreadyPledged,
    /// More would be received than is certified.
    #[error("{amount} exceed what is certified and not received: {available}")]
    ExceedsCertified {
        /// What would be received.
        amount: Money,
        /// What is certified and not received.
        available: Money,
    },
}

impl Contribution {
    /// The promise that it began with; refused where there is none.
    pub fn pledge(&self) -> Result<&Pledge, ContributionError> {
        self.pledge.as_ref().ok_or(ContributionError::NotPledged)
    }

    /// Certified so far.
    pub fn certified(&self) -> Money {
        self.certified.money()
    }

    /// Received so far.
    pub fn received(&self) -> Money {
        self.received.money()
    }

    /// What its records bring into the fund's cash.
    pub fn receipts(&self) -> &Lines<Money> {
        &self.receipts
    }

    fn receive(&self, amount: Money) -> Result<(), ContributionError> {
        let currency = self.certified.money().currency();
        let left = self.certified.minor_units() - self.received.minor_units();
        if amount.positive_in(currency)?.minor_units() > left {
            return Err(ContributionError::ExceedsCertified { amount, available: Money::of(currency, left) });
        }
        Ok(())
    }
}

impl Aggregate for Contribution {
    const CATEGORY: &'static str = "contributions";
    type Command = ContributionCommand;
    type Event = ContributionEvent;
    type Error = ContributionError;

    fn decide(
        &self,
        command: &ContributionCommand,
        act: &Act,
    ) -> Result<Vec<Draft<ContributionEvent>>, ContributionError> {
        let event = match command {
            ContributionCommand::Pledge { pledge, currency, trustee } => {
                if self.pledge.is_some() {
                    return Err(ContributionError::AlreadyPledged);
                }
                authority::act_of(&pledge.donor, DONOR, trustee, act)?;
                pledge.amount.positive_in(*currency)?;
                ContributionEvent::Pledged(pledge.clone())
            }
            ContributionCommand::Certify { amount, reference } => {
                let pledge = self.pledge()?;
                authority::own_act_of(&pledge.donor, DONOR, act)?;
                amount.positive_in(pledge.amount.currency())?;
                ContributionEvent::Certified { amount: *amount, reference: reference.clone() }
            }
            ContributionCommand::Receive { trustee, amount, reference } => {
                self.pledge()?;
                authority::own_act_of(trustee, ACCOUNTING_OFFICER, act)?;
                self.receive(*amount)?;
                ContributionEvent::Received { amount: *amount, reference: reference.clone() }
            }
        };
        Ok(vec![act.draft(event)])
    }

    fn evolve(mut self, event: &Recorded<ContributionEvent>) -> Self {
        match &event.event {
            ContributionEvent::Pledged(pledge) => {
                let zero = Total::zero(pledge.amount.currency());
                (self.pledged, self.certified, self.received) = (zero, zero, zero);
                self.pledged.add(pledge.amount);
                self.pledge = Some(pledge.clone());
            }
            // No decision asks for such a record any more. Where a log holds one, it covers and brings nothing.
            ContributionEvent::Certified { .. } | ContributionEvent::Received { .. }
                if event.act.basis == Basis::RecordedFromSource => {}
            ContributionEvent::Certified { amount, .. } => self.certified.add(*amount),
            ContributionEvent::Received { amount, .. } => {
                self.received.add(*amount);
                let line = Line { value: *amount, effective_on: event.effective_on };
                self.receipts.insert(event.version, line);
            }
        }
        self
    }

    fn check(&self) -> Result<(), ContributionError> {
        for total in [self.pledged, self.certified, self.received] {
            total.check()?;
        }
        let (amount, available) = (self.received(), self.certified());
        if amount.minor_units() > available.minor_units() {
            return Err(ContributionError::ExceedsCertified { amount, available });
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
