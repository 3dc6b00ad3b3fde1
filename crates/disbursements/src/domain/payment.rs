//! A payment: a request that passes five different persons in five roles. No step of it is ever taken from a source.

mod commands;
mod events;

use event_sourcing::{Act, Actor, Aggregate, Draft, PartialDate, Recorded};

pub use commands::{PaymentCommand, PaymentError};
pub use events::{PaymentEvent, Request};

use super::{
    authority::{self, ACCOUNTING_OFFICER, AUTHORISING_OFFICER, FUND_MANAGER, IMPLEMENTER, PAYMENT_VERIFIER},
    contract::Paid,
    fund::Deadlines,
    mirror::{Line, Lines},
    money::{Currency, Money, Total},
};

/// How far a payment has come.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Stage {
    /// Nobody asked for it yet.
    #[default]
    Unasked,
    /// The implementer asked.
    Requested,
    /// The file is open.
    Initiated,
    /// The costs are checked.
    Verified,
    /// The payment is ordered.
    Authorised,
    /// It is paid.
    Disbursed,
    /// The implementer may ask anew.
    Returned,
    /// It was refused for good.
    Rejected,
}

/// A payment.
#[derive(Debug, Clone, Default)]
pub struct Payment {
    request: Option<Request>,
    stage: Stage,
    steps: Vec<Step>,
    /// Version since which the amounts that the next step rests on are what they are.
    amounts_since: u64,
    accepted: Option<Money>,
    disbursed: Option<Disbursed>,
    /// Requested, accepted and paid, one after the other: only to notice what is no amount of this payment.
    amounts: Total,
}

/// A step that a person took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// In which role.
    pub role: &'static str,
    /// Who.
    pub person: Actor,
}

#[derive(Debug, Clone, Copy)]
struct Disbursed {
    version: u64,
    amount: Money,
    on: Option<PartialDate>,
}

impl Payment {
    /// What was asked for last; refused where nobody asked.
    pub fn request(&self) -> Result<&Request, PaymentError> {
        self.request.as_ref().ok_or(PaymentError::NotRequested)
    }

    /// How far it has come.
    pub fn stage(&self) -> Stage {
        self.stage
    }

    /// Who took which step, in order.
    pub fn steps(&self) -> &[Step] {
        &self.steps
    }

    /// What was found to be due.
    pub fn accepted(&self) -> Option<Money> {
        self.accepted
    }

    /// What was paid, and when.
    pub fn disbursed(&self) -> Option<(Money, Option<PartialDate>)> {
        self.disbursed.map(|disbursed| (disbursed.amount, disbursed.on))
    }

    /// What its records pay under the contract.
    pub fn paid(&self) -> Lines<Paid> {
        let paid = self.request.as_ref().zip(self.disbursed).map(|(request, disbursed)| {
            let value = Paid { kind: request.kind, amount: disbursed.amount };
            (disbursed.version, Line { value, effective_on: disbursed.on })
        });
        paid.into_iter().collect()
    }

    /// What its records take out of the fund's cash.
    pub fn outflow(&self) -> Lines<Money> {
        let outflow = self.disbursed.map(|Disbursed { version, amount, on }| {
            let value = Money::of(amount.currency(), -amount.minor_units());
            (version, Line { value, effective_on: on })
        });
        outflow.into_iter().collect()
    }

    /// F4: whether its costs arose before the end of a fund's activities.
    pub fn check_deadlines(&self, deadlines: Deadlines) -> Result<(), PaymentError> {
        self.request()?.check_deadlines(deadlines)
    }

    /// F9 and F10: the next step is taken by another person than all others, and not by the organisation that asks.
    fn check_step(&self, role: &'static str, act: &Act) -> Result<(), PaymentError> {
        let request = self.request()?;
        if act.on_behalf_of == request.implementer {
            return Err(PaymentError::OwnRequest { organisation: act.on_behalf_of.clone() });
        }
        // What an auditor from outside found is a source of the verifier's act, not the act.
        authority::own_act_of(&request.trustee, role, act)?;
        self.check_person(role, act)
    }

    fn check_person(&self, role: &'static str, act: &Act) -> Result<(), PaymentError> {
        let earlier = self.steps.iter().find(|step| step.role != role && step.person.is_same_person_as(&act.actor));
        earlier.map_or(Ok(()), |step| Err(PaymentError::SamePersonTwice { earlier_role: step.role }))
    }

    fn ask(&self, request: &Request, currency: Currency, deadlines: Deadlines, act: &Act) -> Decided {
        match self.stage {
            Stage::Unasked | Stage::Returned => {}
            Stage::Requested
            | Stage::Initiated
            | Stage::Verified
            | Stage::Authorised
            | Stage::Disbursed
            | Stage::Rejected => return Err(PaymentError::AlreadyRequested),
        }
        authority::own_act_of(&request.implementer, IMPLEMENTER, act)?;
        self.check_person(IMPLEMENTER, act)?;
        if let Ok(earlier) = self.request()
            && earlier.contract != request.contract
        {
            return Err(PaymentError::AlreadyRequested);
        }
        request.amount.positive_in(currency)?;
        if let Some(costs) = request.costs_incurred {
            costs.in_currency(currency)?;
        }
        request.check_deadlines(deadlines)?;
        Ok(PaymentEvent::Requested(request.clone()))
    }

    /// A step of the chain, if it is its turn.
    fn step(&self, turn: Stage, role: &'static str, event: PaymentEvent, act: &Act) -> Decided {
        self.request()?;
        if self.stage != turn {
            return Err(PaymentError::OutOfTurn { stage: self.stage });
        }
        self.check_step(role, act)?;
        Ok(event)
    }

    fn verify(&self, accepted: Money, act: &Act) -> Decided {
        let event = self.step(Stage::Initiated, PAYMENT_VERIFIER, PaymentEvent::Verified { accepted }, act)?;
        let requested = self.request()?.amount;
        if accepted.positive_in(requested.currency())?.minor_units() > requested.minor_units() {
            return Err(PaymentError::ExceedsRequested { accepted, requested });
        }
        Ok(event)
    }

    fn disburse(&self, reference: &str, act: &Act) -> Decided {
        let request = self.request()?;
        let event = PaymentEvent::Disbursed {
            fund: request.fund.clone(),
            contract: request.contract.clone(),
            amount: self.accepted.unwrap_or(request.amount),
            reference: reference.into(),
        };
        self.step(Stage::Authorised, ACCOUNTING_OFFICER, event, act)
    }

    /// Whoever would take the next step may send the file back or refuse it, and says why.
    fn turn_down(&self, event: PaymentEvent, act: &Act) -> Decided {
        self.request()?;
        let role = self.stage.next_role().ok_or(PaymentError::OutOfTurn { stage: self.stage })?;
        self.check_step(role, act)?;
        if act.reason.trim().is_empty() {
            return Err(PaymentError::ReasonRequired);
        }
        Ok(event)
    }

    fn take(&mut self, role: &'static str, stage: Stage, act: &Act) {
        self.stage = stage;
        self.steps.push(Step { role, person: act.actor.clone() });
    }

    /// The next step was taken, and it was to turn the request down.
    fn turn(&mut self, stage: Stage, act: &Act) {
        if let Some(role) = self.stage.next_role() {
            self.take(role, stage, act);
        }
    }
}

type Decided = Result<PaymentEvent, PaymentError>;

impl Stage {
    /// In which role the next step is taken; `None`: there is none.
    fn next_role(self) -> Option<&'static str> {
        match self {
            Self::Requested => Some(FUND_MANAGER),
            Self::Initiated => Some(PAYMENT_VERIFIER),
            Self::Verified => Some(AUTHORISING_OFFICER),
            Self::Authorised => Some(ACCOUNTING_OFFICER),
            Self::Unasked | Self::Disbursed | Self::Returned | Self::Rejected => None,
        }
    }
}

impl Request {
    fn check_deadlines(&self, deadlines: Deadlines) -> Result<(), PaymentError> {
        let (period_end, end_of_activities) = (self.last_day_of_costs, deadlines.end_of_activities);
        if period_end > end_of_activities {
            return Err(PaymentError::CostsAfterEndOfActivities { period_end, end_of_activities });
        }
        Ok(())
    }
}

impl Aggregate for Payment {
    const CATEGORY: &'static str = "payments";
    type Command = PaymentCommand;
    type Event = PaymentEvent;
    type Error = PaymentError;

    fn decide(&self, command: &PaymentCommand, act: &Act) -> Result<Vec<Draft<PaymentEvent>>, PaymentError> {
        let event = match command {
            PaymentCommand::Request { request, currency, deadlines } => {
                self.ask(request, *currency, *deadlines, act)?
            }
            PaymentCommand::Initiate => self.step(Stage::Requested, FUND_MANAGER, PaymentEvent::Initiated, act)?,
            PaymentCommand::Verify { accepted } => self.verify(*accepted, act)?,
            PaymentCommand::Authorise => {
                self.step(Stage::Verified, AUTHORISING_OFFICER, PaymentEvent::Authorised, act)?
            }
            PaymentCommand::Disburse { reference } => self.disburse(reference, act)?,
            PaymentCommand::Return => self.turn_down(PaymentEvent::Returned, act)?,
            PaymentCommand::Reject => self.turn_down(PaymentEvent::Rejected, act)?,
        };
        Ok(vec![act.draft(event)])
    }

    fn evolve(mut self, event: &Recorded<PaymentEvent>) -> Self {
        let act = &event.act;
        match &event.event {
            PaymentEvent::Requested(request) => {
                self.amounts = Total::zero(request.amount.currency());
                self.amounts.add(request.amount);
                self.request = Some(request.clone());
                self.accepted = None;
                self.amounts_since = event.said_since();
                self.take(IMPLEMENTER, Stage::Requested, act);
            }
            PaymentEvent::Initiated => self.take(FUND_MANAGER, Stage::Initiated, act),
            PaymentEvent::Verified { accepted } => {
                self.amounts.add(*accepted);
                self.accepted = Some(*accepted);
                // What was corrected since is not what was checked: it is checked, and ordered, anew.
                let checked = event.version >= self.amounts_since;
                self.amounts_since = self.amounts_since.max(event.said_since());
                self.take(PAYMENT_VERIFIER, if checked { Stage::Verified } else { Stage::Initiated }, act);
            }
            PaymentEvent::Authorised => {
                let stage = if event.version >= self.amounts_since { Stage::Authorised } else { self.stage };
                self.take(AUTHORISING_OFFICER, stage, act);
            }
            PaymentEvent::Disbursed { amount, .. } => {
                self.amounts.add(*amount);
                self.disbursed = Some(Disbursed { version: event.version, amount: *amount, on: event.effective_on });
                self.take(ACCOUNTING_OFFICER, Stage::Disbursed, act);
            }
            PaymentEvent::Returned => self.turn(Stage::Returned, act),
            PaymentEvent::Rejected => self.turn(Stage::Rejected, act),
        }
        self
    }

    fn check(&self) -> Result<(), PaymentError> {
        let requested = self.request()?.amount;
        self.amounts.check()?;
        let accepted = self.accepted.unwrap_or(requested);
        if accepted.minor_units() > requested.minor_units() {
            return Err(PaymentError::ExceedsRequested { accepted, requested });
        }
        match self.disbursed {
            Some(Disbursed { amount, .. }) if amount.minor_units() > accepted.minor_units() => {
                Err(PaymentError::ExceedsRequested { accepted: amount, requested: accepted })
            }
            Some(_) | None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests;
