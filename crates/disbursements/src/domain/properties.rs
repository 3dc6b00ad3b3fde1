//! Whatever is asked, in whatever order: what is accepted keeps every ceiling. The money is counted a second time, by
//! hand, from the commands that were accepted.

use std::sync::Arc;

use event_sourcing::{
    Act, Aggregate, Correction, Draft, Entry, History, Recorded, Timestamp,
    testing::{Given, given_acts},
};
use proptest::prelude::*;

use super::{
    authority::{ACCOUNTING_OFFICER, AUTHORISING_OFFICER, COMMITTEE_CHAIR, CONTRACTING_AUTHORITY},
    contract::{Contract, ContractCommand, ContractEvent, Grounds, Paid, PaymentKind, RecoveryCause, Rider, Terms},
    decision::{Approval, Decision, DecisionCommand, DecisionEvent, MINUTES, Proposal},
    fund::{Fund, FundCommand, FundEvent, Seat},
    mirror::{Line, Lines},
    money::Money,
    standing::Citations,
    testing::*,
};

const CONTRACTS: usize = 3;

/// What somebody may ask, in cents.
#[derive(Debug, Clone)]
enum Ask {
    Receive(i64),
    TopUp(i64),
    DecommitDecision(i64),
    Sign(usize, i64),
    Ride(usize, i64),
    Decommit(usize, i64),
    Pay(usize, PaymentKind, i64),
    ClearPrefinancing(usize, i64),
    OrderRecovery(usize, RecoveryCause, i64),
    ReceiveRecovery(usize, i64),
    CorrectShare(usize, i64),
    CorrectPayment(usize, i64),
}

/// A fund, one decision of 1,000 EUR and its contracts, with what was counted by hand.
#[derive(Clone)]
struct World {
    fund: History<Fund>,
    decision: History<Decision>,
    contracts: [History<Contract>; CONTRACTS],
    payments: Vec<(usize, PaymentKind, i64)>,
    receipts: Lines<Money>,
    counted: Counted,
}

#[derive(Debug, Clone, Default)]
struct Counted {
    received: i64,
    ceiling: i64,
    shares: [i64; CONTRACTS],
    paid: [i64; CONTRACTS],
    recovered: [i64; CONTRACTS],
}

type Refused = String;

fn refused(error: impl std::error::Error) -> Refused {
    error.to_string()
}

fn record<A: Aggregate>(history: &mut History<A>, act: &Act, drafts: Vec<Draft<A::Event>>) {
    for draft in drafts {
        push(history, act, Draft { event: Entry::Fact(draft.event), effective_on: draft.effective_on });
    }
}

fn push<A: Aggregate>(history: &mut History<A>, act: &Act, draft: Draft<Entry<A::Event>>) {
    history.push(Recorded {
        version: history.version() + 1,
        event: draft.event,
        effective_on: draft.effective_on,
        recorded_at: Timestamp::UNIX_EPOCH,
        corrected_at: None,
        act: Arc::new(act.clone()),
    });
}

fn ask<A: Aggregate>(history: &mut History<A>, command: &A::Command, act: &Act) -> Result<(), Refused> {
    let drafts = history.state().decide(command, act).map_err(refused)?;
    record(history, act, drafts);
    Ok(())
}

fn line<V>(value: V) -> Line<V> {
    Line { value, effective_on: Some(day("2018-01-01").into()) }
}

impl World {
    fn new() -> Self {
        let proposal = Proposal {
            fund: FUND.into(),
            trustee: TRUSTEE.into(),
            window: "SAH".into(),
            amount: eur(1_000),
            ..Proposal::default()
        };
        let fund: Given<Fund> = given_acts([(trustee("fund_manager"), FundEvent::Established(constitution()))]);
        let decision: Given<Decision> = given_acts([
            (trustee("fund_manager"), DecisionEvent::Proposed(Box::new(proposal))),
            (trustee(COMMITTEE_CHAIR), DecisionEvent::Approved { amount: eur(1_000) }),
        ]);
        Self {
            fund: fund.history().clone(),
            decision: decision.history().clone(),
            contracts: [History::default(), History::default(), History::default()],
            payments: Vec::new(),
            receipts: Lines::new(),
            counted: Counted { ceiling: 100_000, ..Counted::default() },
        }
    }

    /// Does all of it or nothing, as one append does.
    fn try_to(&mut self, asked: &Ask) {
        let mut next = self.clone();
        if next.take(asked).is_ok() {
            *self = next;
        }
    }

    fn take(&mut self, asked: &Ask) -> Result<(), Refused> {
        match *asked {
            Ask::Receive(units) => {
                self.receipts.insert(self.receipts.len() as u64 + 1, line(cents(units)));
                self.counted.received += units;
                let lines = self.receipts.clone();
                self.tell_fund("contributions/esp", lines)
            }
            Ask::TopUp(units) => {
                self.counted.ceiling += units;
                let act = with_document(trustee(COMMITTEE_CHAIR), MINUTES);
                let command = DecisionCommand::TopUp { amount: cents(units), seat: Some(Seat::Chair) };
                ask(&mut self.decision, &command, &act)
            }
            Ask::DecommitDecision(units) => {
                self.counted.ceiling -= units;
                let command = DecisionCommand::Decommit { amount: cents(units) };
                ask(&mut self.decision, &command, &trustee(AUTHORISING_OFFICER))
            }
            Ask::Sign(which, units) => self.sign(which, units),
            Ask::Ride(which, units) => {
                self.counted.shares[which] += units;
                let rider = Rider { fund_share_change: Some(cents(units)), ..Rider::default() };
                let command = ContractCommand::Ride { rider, grounds: Box::new(grounds()) };
                self.ask_contract(which, &command, CONTRACTING_AUTHORITY)
            }
            Ask::Decommit(which, units) => {
                self.counted.shares[which] -= units;
                let command = ContractCommand::Decommit { amount: cents(units) };
                self.ask_contract(which, &command, CONTRACTING_AUTHORITY)
            }
            Ask::Pay(which, kind, units) => {
                self.counted.paid[which] += units;
                self.payments.push((which, kind, units));
                self.pay(self.payments.len() - 1)
            }
            Ask::ClearPrefinancing(which, units) => {
                let command = ContractCommand::ClearPrefinancing { amount: cents(units) };
                self.ask_contract(which, &command, AUTHORISING_OFFICER)
            }
            Ask::OrderRecovery(which, cause, units) => {
                let order = String::from("RO-1");
                let command = ContractCommand::OrderRecovery { order, cause, amount: cents(units) };
                self.ask_contract(which, &command, AUTHORISING_OFFICER)
            }
            Ask::ReceiveRecovery(which, units) => {
                self.counted.recovered[which] += units;
                let command = ContractCommand::ReceiveRecovery { order: "RO-1".into(), amount: cents(units) };
                self.ask_contract(which, &command, ACCOUNTING_OFFICER)
            }
            Ask::CorrectShare(which, units) => self.correct_share(which, units),
            Ask::CorrectPayment(which, units) => {
                let Some(payment) = self.payments.get_mut(which) else { return Err("no payment".into()) };
                self.counted.paid[payment.0] += units - payment.2;
                payment.2 = units;
                if units < 1 { Err("not an amount".into()) } else { self.pay(which) }
            }
        }
    }

    fn sign(&mut self, which: usize, units: i64) -> Result<(), Refused> {
        self.counted.shares[which] += units;
        let command = ContractCommand::Sign {
            terms: Box::new(terms(units)),
            grounds: Box::new(grounds()),
            citations: Citations::default(),
        };
        self.ask_contract(which, &command, CONTRACTING_AUTHORITY)
    }

    fn ask_contract(&mut self, which: usize, command: &ContractCommand, role: &str) -> Result<(), Refused> {
        ask(&mut self.contracts[which], command, &trustee(role))?;
        self.tell_of_contract(which)
    }

    fn tell_of_contract(&mut self, which: usize) -> Result<(), Refused> {
        let (contract, state) = (format!("contracts/{which}"), self.contracts[which].state());
        let (draws, receipts) = (state.draws().clone(), state.receipts().clone());
        let command = DecisionCommand::MirrorDraws { contract: contract.clone(), lines: draws };
        ask(&mut self.decision, &command, &trustee(CONTRACTING_AUTHORITY))?;
        self.tell_fund(&contract, receipts)
    }

    fn tell_fund(&mut self, source: &str, lines: Lines<Money>) -> Result<(), Refused> {
        let command = FundCommand::MirrorCash { source: source.into(), lines };
        ask(&mut self.fund, &command, &trustee(ACCOUNTING_OFFICER))
    }

    fn pay(&mut self, number: usize) -> Result<(), Refused> {
        let (which, kind, units) = self.payments[number];
        let payment = format!("payments/{number}");
        let paid = Lines::from([(5, line(Paid { kind, amount: cents(units) }))]);
        let command = ContractCommand::MirrorPayment { payment: payment.clone(), lines: paid };
        ask(&mut self.contracts[which], &command, &trustee(ACCOUNTING_OFFICER))?;
        self.tell_fund(&payment, Lines::from([(5, line(cents(-units)))]))
    }

    fn correct_share(&mut self, which: usize, units: i64) -> Result<(), Refused> {
        let contract = &mut self.contracts[which];
        let before = contract.state().terms().map_err(refused)?.fund_share.minor_units();
        let signed = contract.entries().find_map(|entry| match &entry.event {
            Entry::Fact(ContractEvent::Signed(_)) => Some(entry.version),
            _ => None,
        });
        let mistaken_version = signed.ok_or("not signed")?;
        let right = ContractEvent::Signed(Box::new(terms(units)));
        let correction = Correction { mistaken_version, right, effective_on: None };
        contract.corrected(&correction).check().map_err(refused)?;
        let event = Entry::Corrected { proposal_version: 0, correction };
        push(contract, &trustee(CONTRACTING_AUTHORITY), Draft { event, effective_on: None });
        self.counted.shares[which] += units - before;
        self.tell_of_contract(which)
    }

    fn check(&self) -> Result<(), TestCaseError> {
        let counted = &self.counted;
        let shares: i64 = counted.shares.iter().sum();
        prop_assert!(shares <= counted.ceiling, "contracts draw more than the ceiling: {counted:?}");
        for which in 0..CONTRACTS {
            let held = counted.paid[which] - counted.recovered[which];
            prop_assert!(held <= counted.shares[which], "more is paid than the share: {counted:?}");
            prop_assert!(held >= 0, "more came back than was paid: {counted:?}");
        }
        let cash = counted.received - counted.paid.iter().sum::<i64>() + counted.recovered.iter().sum::<i64>();
        prop_assert!(cash >= 0, "the fund paid what it did not hold: {counted:?}");

        prop_assert_eq!(self.fund.state().available(), cents(cash));
        prop_assert_eq!(self.decision.state().ceiling(), cents(counted.ceiling));
        prop_assert_eq!(self.decision.state().contracted(), cents(shares));
        for (which, contract) in self.contracts.iter().enumerate() {
            let state = contract.state();
            if state.terms().is_ok() {
                prop_assert_eq!(state.fund_share(), cents(counted.shares[which]));
                prop_assert_eq!(state.paid(), cents(counted.paid[which]));
                prop_assert_eq!(state.recovered(), cents(counted.recovered[which]));
                prop_assert!(state.open_prefinancing().minor_units() >= 0);
                prop_assert_eq!(state.check(), Ok(()));
            }
        }
        prop_assert_eq!(self.decision.state().check(), Ok(()));
        Ok(())
    }
}

fn terms(units: i64) -> Terms {
    Terms {
        fund: FUND.into(),
        trustee: TRUSTEE.into(),
        decision: ML_07.into(),
        implementer: IOM.into(),
        fund_share: cents(units),
        ..Terms::default()
    }
}

fn grounds() -> Grounds {
    Grounds { fund: constitution(), approval: Some(Approval::Own) }
}

fn asked() -> impl Strategy<Value = Ask> {
    let which = || 0..CONTRACTS;
    let units = || prop_oneof![1_i64..60_000, Just(0), Just(-1), Just(Money::MAX_MINOR_UNITS)];
    let kind = prop_oneof![Just(PaymentKind::PreFinancing), Just(PaymentKind::Interim), Just(PaymentKind::Balance)];
    let cause = prop_oneof![Just(RecoveryCause::UnspentPrefinancing), Just(RecoveryCause::IneligibleCosts)];
    prop_oneof![
        3 => (1_i64..100_000).prop_map(Ask::Receive),
        1 => units().prop_map(Ask::TopUp),
        1 => units().prop_map(Ask::DecommitDecision),
        4 => (which(), units()).prop_map(|(which, units)| Ask::Sign(which, units)),
        2 => (which(), -60_000_i64..60_000).prop_map(|(which, units)| Ask::Ride(which, units)),
        2 => (which(), units()).prop_map(|(which, units)| Ask::Decommit(which, units)),
        6 => (which(), kind, units()).prop_map(|(which, kind, units)| Ask::Pay(which, kind, units)),
        2 => (which(), units()).prop_map(|(which, units)| Ask::ClearPrefinancing(which, units)),
        2 => (which(), cause, units()).prop_map(|(which, cause, units)| Ask::OrderRecovery(which, cause, units)),
        2 => (which(), units()).prop_map(|(which, units)| Ask::ReceiveRecovery(which, units)),
        2 => (which(), units()).prop_map(|(which, units)| Ask::CorrectShare(which, units)),
        2 => (0_usize..8, units()).prop_map(|(number, units)| Ask::CorrectPayment(number, units)),
    ]
}

proptest! {
    #[test]
    fn whatever_is_accepted_keeps_every_ceiling(asked in prop::collection::vec(asked(), 1..60)) {
        let mut world = World::new();
        for asked in &asked {
            world.try_to(asked);
            world.check()?;
        }
    }

    #[test]
    fn a_mirror_told_twice_learns_nothing(units in prop::collection::vec(1_i64..1_000, 1..6)) {
        let mut world = World::new();
        for units in units {
            world.try_to(&Ask::Sign(0, units));
            world.try_to(&Ask::Ride(0, units));
        }
        let version = world.decision.version();
        prop_assert_eq!(world.tell_of_contract(0), Ok(()));
        prop_assert_eq!(world.decision.version(), version);
    }
}
