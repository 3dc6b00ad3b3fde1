//! A trust fund: who runs it, who decides, until when, and the cash it holds.

use std::collections::BTreeMap;

use event_sourcing::{Act, Aggregate, Basis, Date, Draft, LocalizedText, Recorded};

use super::{
    authority::{self, AUTHORISING_OFFICER, AuthorityError, FUND_MANAGER, act_day},
    mirror::{Line, Lines, Mirror, RecordKey},
    money::{Currency, Money},
};

/// What happens to a fund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FundEvent {
    /// It was set up, on the date of its constitutive act.
    Established(Constitution),
    /// Both deadlines, as they are from here on.
    DeadlinesAmended(Deadlines),
    /// A partner has this seat, instead of any earlier one.
    SeatGiven {
        /// The partner.
        member: String,
        /// What it entitles to.
        seat: Seat,
    },
    /// A partner has no seat any more.
    SeatEnded {
        /// The partner.
        member: String,
    },
    /// Mirror: by this much a record of another stream moves the cash.
    CashMovementSet {
        /// The record: of a contribution, a payment or a contract.
        source: RecordKey,
        /// In (positive) or out (negative).
        amount: Money,
    },
    /// Mirror: whether a contract is open.
    ContractSet {
        /// The contract.
        contract: String,
        /// Whether it is open.
        state: ContractState,
    },
    /// It closed.
    Closed,
}

/// What a fund is.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Constitution {
    /// Name.
    pub title: LocalizedText,
    /// Reference under which it publishes; may be empty.
    pub reference: String,
    /// The partner who runs it.
    pub trustee: String,
    /// The agreement that constitutes it.
    pub constitutive_agreement: Option<String>,
    /// Its one currency.
    pub currency: Currency,
    /// The parts that it is divided into.
    pub windows: Vec<Window>,
    /// Until when it contracts and pays.
    pub deadlines: Deadlines,
}

/// A part of a fund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Window {
    /// Code used in references.
    pub code: String,
    /// Name.
    pub title: LocalizedText,
}

/// Until when a fund contracts and pays.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Deadlines {
    /// Last day on which a contract may be signed.
    pub contracting: Date,
    /// Last day of the activities whose costs it pays.
    pub end_of_activities: Date,
}

/// A seat on the committee.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Seat {
    /// Chairs and votes.
    Chair,
    /// Votes.
    Member,
    /// Is heard and never decides.
    Observer,
}

/// Whether a contract of the fund is open.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ContractState {
    /// Signed and not closed.
    Open,
    /// Closed.
    Closed,
}

/// A fund.
#[derive(Debug, Clone, Default)]
pub struct Fund {
    constitution: Option<Constitution>,
    seats: BTreeMap<String, Vec<SeatFact>>,
    cash: Mirror<Money>,
    contracts: BTreeMap<String, ContractState>,
    closed: bool,
}

/// A partner has, or no longer has, a seat from a day on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct SeatFact {
    from: Date,
    seat: Option<Seat>,
}

/// What can be asked of a fund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum FundCommand {
    /// To be set up.
    Establish(Constitution),
    /// To have its deadlines moved.
    AmendDeadlines(Deadlines),
    /// To give a partner a seat.
    GiveSeat {
        /// The partner.
        member: String,
        /// The seat.
        seat: Seat,
    },
    /// To end a partner's seat.
    EndSeat {
        /// The partner.
        member: String,
    },
    /// To know what the records of a stream move now.
    MirrorCash {
        /// The stream.
        source: String,
        /// What its records move.
        lines: Lines<Money>,
    },
    /// To know whether a contract is open.
    MirrorContract {
        /// The contract.
        contract: String,
        /// Whether it is open.
        state: ContractState,
    },
    /// To close.
    Close,
}

/// Why a fund refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FundError {
    /// Not this person, or not this organisation.
    #[error(transparent)]
    Authority(#[from] AuthorityError),
    /// It was never set up.
    #[error("there is no such fund")]
    NotEstablished,
    /// It was set up before.
    #[error("the fund is there already")]
    AlreadyEstablished,
    /// It is closed.
    #[error("the fund is closed")]
    Closed,
    /// Activities would end before contracts can be signed.
    #[error("the end of activities lies before the contracting deadline")]
    DeadlinesOutOfOrder(Deadlines),
    /// It does not hold so much.
    #[error("{amount} exceed the cash of {available}")]
    ExceedsCash {
        /// What would go out.
        amount: Money,
        /// What is there.
        available: Money,
    },
    /// Contracts are still open.
    #[error("contracts are still open")]
    ContractsOpen {
        /// Their names.
        contracts: Vec<String>,
    },
}

impl Fund {
    /// What it is; refused where it was never set up.
    pub fn constitution(&self) -> Result<&Constitution, FundError> {
        self.constitution.as_ref().ok_or(FundError::NotEstablished)
    }

    /// What it is, if it still takes on anything new.
    pub fn open(&self) -> Result<&Constitution, FundError> {
        let constitution = self.constitution()?;
        if self.closed { Err(FundError::Closed) } else { Ok(constitution) }
    }

    /// Whether it is closed.
    pub fn is_closed(&self) -> bool {
        self.closed
    }

    /// A partner's seat on the evening of a day.
    pub fn seat_of(&self, member: &str, day: Date) -> Option<Seat> {
        let facts = self.seats.get(member)?;
        facts.iter().filter(|fact| fact.from <= day).max_by_key(|fact| fact.from).and_then(|fact| fact.seat)
    }

    /// Who has a seat now, and since when, by partner.
    pub fn seats(&self) -> impl Iterator<Item = (&str, Seat, Date)> {
        self.seats.iter().filter_map(|(member, facts)| {
            let last = facts.iter().max_by_key(|fact| fact.from)?;
            Some((member.as_str(), last.seat?, last.from))
        })
    }

    /// What the records of streams of a category move: `contributions`, `payments`, `contracts`.
    pub fn cash_of(&self, category: &str) -> Money {
        let of_category =
            |record: &RecordKey| record.stream.split_once('/').is_some_and(|(first, _)| first == category);
        self.cash.total(self.currency(), |record, _| of_category(record)).money()
    }

    /// What it holds: received, less paid, plus recovered. Pledges never enter it.
    pub fn available(&self) -> Money {
        self.cash.total(self.currency(), |_, _| true).money()
    }

    /// Contracts that are signed and not closed, by name.
    pub fn open_contracts(&self) -> impl Iterator<Item = &str> {
        self.contracts.iter().filter(|(_, state)| **state == ContractState::Open).map(|(name, _)| name.as_str())
    }

    fn currency(&self) -> Currency {
        self.constitution.as_ref().map_or_else(Currency::default, |constitution| constitution.currency)
    }

    fn establish(&self, constitution: &Constitution, act: &Act) -> Result<FundEvent, FundError> {
        if self.constitution.is_some() {
            return Err(FundError::AlreadyEstablished);
        }
        authority::own_act_of(&constitution.trustee, FUND_MANAGER, act)?;
        constitution.deadlines.check()?;
        Ok(FundEvent::Established(constitution.clone()))
    }

    fn mirror_cash(&self, source: &str, lines: &Lines<Money>) -> Result<Vec<Draft<FundEvent>>, FundError> {
        let differences = self.cash.differences(source, lines);
        let (shift, available) = (self.cash.shift(&differences), self.available());
        if shift < 0 && available.minor_units() + shift < 0 {
            return Err(FundError::ExceedsCash { amount: Money::of(self.currency(), -shift), available });
        }
        let event = |(source, amount)| FundEvent::CashMovementSet { source, amount };
        Ok(differences.into_iter().map(|draft| draft.map(event)).collect())
    }

    fn mirror_contract(&self, contract: &str, state: ContractState) -> Option<FundEvent> {
        let known = self.contracts.get(contract).copied();
        (known != Some(state)).then(|| FundEvent::ContractSet { contract: contract.into(), state })
    }

    fn close(&self, trustee: &str, act: &Act) -> Result<Option<FundEvent>, FundError> {
        authority::own_act_of(trustee, AUTHORISING_OFFICER, act)?;
        let contracts: Vec<String> = self.open_contracts().map(Into::into).collect();
        match (self.closed, contracts.is_empty()) {
            (true, _) => Ok(None),
            (false, true) => Ok(Some(FundEvent::Closed)),
            (false, false) => Err(FundError::ContractsOpen { contracts }),
        }
    }
}

impl Deadlines {
    fn check(self) -> Result<(), FundError> {
        if self.end_of_activities < self.contracting {
            return Err(FundError::DeadlinesOutOfOrder(self));
        }
        Ok(())
    }
}

impl Aggregate for Fund {
    const CATEGORY: &'static str = "funds";
    type Command = FundCommand;
    type Event = FundEvent;
    type Error = FundError;

    fn decide(&self, command: &FundCommand, act: &Act) -> Result<Vec<Draft<FundEvent>>, FundError> {
        if let FundCommand::Establish(constitution) = command {
            return Ok(vec![act.draft(self.establish(constitution, act)?)]);
        }
        let Constitution { trustee, deadlines, .. } = self.constitution()?;
        let event = match command {
            FundCommand::Establish(_) => None,
            FundCommand::AmendDeadlines(amended) => {
                authority::own_act_of(trustee, FUND_MANAGER, act)?;
                amended.check()?;
                (amended != deadlines).then_some(FundEvent::DeadlinesAmended(*amended))
            }
            FundCommand::GiveSeat { member, seat } => {
                authority::own_act_of(trustee, FUND_MANAGER, act)?;
                let held = self.seat_of(member, act_day(act));
                (held != Some(*seat)).then(|| FundEvent::SeatGiven { member: member.clone(), seat: *seat })
            }
            FundCommand::EndSeat { member } => {
                authority::own_act_of(trustee, FUND_MANAGER, act)?;
                let held = self.seat_of(member, act_day(act));
                held.map(|_| FundEvent::SeatEnded { member: member.clone() })
            }
            FundCommand::MirrorCash { source, lines } => return self.mirror_cash(source, lines),
            FundCommand::MirrorContract { contract, state } => self.mirror_contract(contract, *state),
            FundCommand::Close => self.close(trustee, act)?,
        };
        Ok(event.map(|event| act.draft(event)).into_iter().collect())
    }

    fn evolve(mut self, event: &Recorded<FundEvent>) -> Self {
        let from = event.counts_from();
        match &event.event {
            FundEvent::Established(constitution) => self.constitution = Some(constitution.clone()),
            // No decision asks for such a record any more. Where a log holds one, it gives no vote, time or cash.
            FundEvent::DeadlinesAmended(_)
            | FundEvent::SeatGiven { .. }
            | FundEvent::SeatEnded { .. }
            | FundEvent::CashMovementSet { .. }
                if event.act.basis == Basis::RecordedFromSource => {}
            FundEvent::DeadlinesAmended(deadlines) => {
                if let Some(constitution) = &mut self.constitution {
                    constitution.deadlines = *deadlines;
                }
            }
            FundEvent::SeatGiven { member, seat } => {
                self.seats.entry(member.clone()).or_default().push(SeatFact { from, seat: Some(*seat) });
            }
            FundEvent::SeatEnded { member } => {
                self.seats.entry(member.clone()).or_default().push(SeatFact { from, seat: None });
            }
            FundEvent::CashMovementSet { source, amount } => {
                let line = Line { value: *amount, effective_on: event.effective_on };
                self.cash.set(source.clone(), line);
            }
            FundEvent::ContractSet { contract, state } => {
                self.contracts.insert(contract.clone(), *state);
            }
            FundEvent::Closed => self.closed = true,
        }
        self
    }

    fn check(&self) -> Result<(), FundError> {
        self.constitution()?.deadlines.check()
    }
}

#[cfg(test)]
mod tests;
