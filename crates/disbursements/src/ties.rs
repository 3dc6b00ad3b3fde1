//! What ties streams together in one append: what a command must know of other streams, and what other streams must be
//! told of it.

use std::sync::Arc;

use event_store::{Date, History, Interrupt, Refusal, Stored, StreamName, Unit};

use crate::domain::{
    authority::act_day,
    condition::Condition,
    contract::{Contract, ContractCommand, Grounds},
    contribution::Contribution,
    decision::{Decision, DecisionCommand},
    fund::{Constitution, ContractState, Fund, FundCommand, Seat},
    payment::Payment,
    standing::{AgreementStanding, Citation, Citations, CommitmentStanding, Fact, Standing},
};

/// Whether other streams are told, or only asked whether they would take it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Telling {
    /// Recorded in the same append.
    Record,
    /// Nothing is recorded.
    Try,
}

/// The name of a resource that is stored in another one.
pub fn stored_name(text: &str) -> StreamName {
    text.parse().expect("names are read as names before they are stored")
}

/// A fund that is there, closed or not.
pub fn fund(unit: &mut Unit, name: &StreamName) -> Result<Constitution, Interrupt> {
    let fund = unit.load::<Fund>(name)?;
    fund.state().constitution().cloned().map_err(|error| Interrupt::refused_by(name, error))
}

/// A fund that takes on new things.
pub fn open_fund(unit: &mut Unit, name: &StreamName) -> Result<Constitution, Interrupt> {
    let fund = unit.load::<Fund>(name)?;
    fund.state().open().cloned().map_err(|error| Interrupt::refused_by(name, error))
}

/// The seat, on the committee of a decision's fund, of the organisation that acts, on the day of its act.
pub fn seat(unit: &mut Unit, decision: &StreamName) -> Result<Option<Seat>, Interrupt> {
    let decision_state = unit.load::<Decision>(decision)?;
    let proposal = decision_state.state().proposal().map_err(|error| Interrupt::refused_by(decision, error))?;
    let fund = unit.load::<Fund>(&stored_name(&proposal.fund))?;
    let act = unit.act();
    Ok(fund.state().seat_of(&act.on_behalf_of, act_day(act)))
}

/// What a contract of a decision rests on.
pub fn grounds(unit: &mut Unit, decision: &StreamName) -> Result<(Grounds, StreamName), Interrupt> {
    let decision_state = unit.load::<Decision>(decision)?;
    let proposal = decision_state.state().proposal().map_err(|error| Interrupt::refused_by(decision, error))?;
    let fund_name = stored_name(&proposal.fund);
    let fund = open_fund(unit, &fund_name)?;
    Ok((Grounds { fund, approval: decision_state.state().approval() }, fund_name))
}

/// How what is cited stands on a day.
pub fn citations(
    unit: &mut Unit,
    agreements: &[String],
    commitments: &[String],
    day: Date,
) -> Result<Citations, Interrupt> {
    Ok(Citations {
        agreements: cited(unit, agreements, |standing: &AgreementStanding| standing.on(day))?,
        commitments: cited(unit, commitments, |standing: &CommitmentStanding| standing.on(day))?,
    })
}

fn cited<F: Fact>(
    unit: &mut Unit,
    subjects: &[String],
    on: impl Fn(&Standing<F>) -> Option<Condition>,
) -> Result<Vec<Citation>, Interrupt>
where
    Standing<F>: Stored,
{
    let streams: Vec<StreamName> =
        subjects.iter().map(|subject| Standing::<F>::stream_of(&stored_name(subject))).collect();
    let standings = unit.load_all::<Standing<F>>(&streams)?;
    let citation = |(subject, standing): (&String, &Arc<History<Standing<F>>>)| Citation {
        subject: subject.clone(),
        condition: on(standing.state()),
    };
    Ok(subjects.iter().zip(&standings).map(citation).collect())
}

/// How all that a contract rests on stands on a day: what it cites, and what its decision cites.
pub fn citations_of_contract(
    unit: &mut Unit,
    decision: &StreamName,
    agreements: &[String],
    commitments: &[String],
    day: Date,
) -> Result<Citations, Interrupt> {
    let decision = unit.load::<Decision>(decision)?;
    let mut agreements = agreements.to_vec();
    if let Ok(proposal) = decision.state().proposal() {
        agreements
            .extend(proposal.agreements.iter().filter(|each| !agreements.contains(each)).cloned().collect::<Vec<_>>());
    }
    citations(unit, &agreements, commitments, day)
}

/// A6: whether costs up to a day can be paid under a contract, on the day of the act.
pub fn check_payable(unit: &mut Unit, contract: &StreamName, last_day_of_costs: Date) -> Result<(), Interrupt> {
    let history = unit.load::<Contract>(contract)?;
    let terms = history.state().terms().map_err(|error| Interrupt::refused_by(contract, error))?;
    let (decision, day) = (stored_name(&terms.decision), act_day(unit.act()));
    let citations = citations_of_contract(unit, &decision, &terms.agreements, &[], day)?;
    let approval = unit.load::<Decision>(&decision)?.state().approval();
    let payable = history.state().check_payable(contract.as_str(), last_day_of_costs, day, &citations, approval);
    payable.map_err(|error| Interrupt::refused_by(contract, error))
}

/// Tells the fund what a contribution brings.
pub fn tell_of_contribution(
    unit: &mut Unit,
    name: &StreamName,
    contribution: &Contribution,
    telling: Telling,
) -> Result<(), Interrupt> {
    let Ok(pledge) = contribution.pledge() else { return Ok(()) };
    let command = FundCommand::MirrorCash { source: name.to_string(), lines: contribution.receipts().clone() };
    tell::<Fund>(unit, &stored_name(&pledge.fund), &command, telling)
}

/// Tells the decision what a contract draws, and the fund what it gives back and whether it is open.
pub fn tell_of_contract(
    unit: &mut Unit,
    name: &StreamName,
    contract: &Contract,
    telling: Telling,
) -> Result<(), Interrupt> {
    let Ok(terms) = contract.terms() else { return Ok(()) };
    let draws = DecisionCommand::MirrorDraws { contract: name.to_string(), lines: contract.draws().clone() };
    tell::<Decision>(unit, &stored_name(&terms.decision), &draws, telling)?;
    let fund = stored_name(&terms.fund);
    let cash = FundCommand::MirrorCash { source: name.to_string(), lines: contract.receipts().clone() };
    tell::<Fund>(unit, &fund, &cash, telling)?;
    let state = if contract.is_closed() { ContractState::Closed } else { ContractState::Open };
    tell::<Fund>(unit, &fund, &FundCommand::MirrorContract { contract: name.to_string(), state }, telling)
}

/// Tells the contract and the fund what a payment paid.
pub fn tell_of_payment(
    unit: &mut Unit,
    name: &StreamName,
    payment: &Payment,
    telling: Telling,
) -> Result<(), Interrupt> {
    let Ok(request) = payment.request() else { return Ok(()) };
    let paid = ContractCommand::MirrorPayment { payment: name.to_string(), lines: payment.paid() };
    tell::<Contract>(unit, &stored_name(&request.contract), &paid, telling)?;
    let cash = FundCommand::MirrorCash { source: name.to_string(), lines: payment.outflow() };
    tell::<Fund>(unit, &stored_name(&request.fund), &cash, telling)
}

fn tell<A>(unit: &mut Unit, name: &StreamName, command: &A::Command, telling: Telling) -> Result<(), Interrupt>
where
    A: Stored,
    A::Error: Refusal,
{
    match telling {
        Telling::Record => unit.handle::<A>(name, command),
        Telling::Try => {
            let history = unit.load::<A>(name)?;
            let decided = history.state().decide(command, unit.act());
            decided.map(drop).map_err(|error| Interrupt::refused_by(name, error))
        }
    }
}
