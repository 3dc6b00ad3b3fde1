use event_sourcing::testing::{Given, given, given_acts};

use super::*;
use crate::domain::{authority::ACCOUNTING_OFFICER, testing::*};

fn fund() -> Given<Fund> {
    given_acts([(trustee(FUND_MANAGER).on("2015-11-12"), FundEvent::Established(constitution()))])
}

fn record(stream: &str, version: u64) -> RecordKey {
    RecordKey { stream: stream.into(), version }
}

fn lines(version: u64, amount: Money, on: &str) -> Lines<Money> {
    Lines::from([(version, Line { value: amount, effective_on: Some(day(on).into()) })])
}

fn cash(source: &str, lines: Lines<Money>) -> FundCommand {
    FundCommand::MirrorCash { source: source.into(), lines }
}

fn seat(member: &str, seat: Seat) -> FundCommand {
    FundCommand::GiveSeat { member: member.into(), seat }
}

#[test]
fn the_trustee_sets_the_fund_up() {
    given::<Fund>([])
        .when(&FundCommand::Establish(constitution()), &trustee(FUND_MANAGER))
        .then([FundEvent::Established(constitution())]);
}

#[test]
fn nobody_sets_up_a_fund_for_another_trustee() {
    let expected = TRUSTEE.to_owned();
    given::<Fund>([])
        .when(&FundCommand::Establish(constitution()), &by(SPAIN, FUND_MANAGER))
        .then_refused(AuthorityError::ActOfAnother { organisation: SPAIN.into(), expected }.into());
}

#[test]
fn setting_up_a_fund_takes_the_role() {
    given::<Fund>([])
        .when(&FundCommand::Establish(constitution()), &trustee(ACCOUNTING_OFFICER))
        .then_refused(AuthorityError::RoleRequired { role: FUND_MANAGER }.into());
}

#[test]
fn a_fund_is_set_up_once() {
    fund()
        .when(&FundCommand::Establish(constitution()), &trustee(FUND_MANAGER))
        .then_refused(FundError::AlreadyEstablished);
}

#[test]
fn nothing_can_be_asked_of_a_fund_that_is_not_there() {
    given::<Fund>([]).when(&FundCommand::Close, &trustee(AUTHORISING_OFFICER)).then_refused(FundError::NotEstablished);
}

#[test]
fn deadlines_move_and_stay_in_order() {
    let later = Deadlines { contracting: day("2022-12-31"), ..deadlines() };
    let amend = FundCommand::AmendDeadlines;
    fund().when(&amend(later), &trustee(FUND_MANAGER)).then([FundEvent::DeadlinesAmended(later)]);
    fund().when(&amend(deadlines()), &trustee(FUND_MANAGER)).then_nothing();
    let turned = Deadlines { contracting: day("2026-01-01"), ..deadlines() };
    fund().when(&amend(turned), &trustee(FUND_MANAGER)).then_refused(FundError::DeadlinesOutOfOrder(turned));
}

#[test]
fn a_seat_is_a_dated_fact() {
    let state = fund()
        .and(&seat(SPAIN, Seat::Observer), &trustee(FUND_MANAGER).on("2015-11-12"))
        .and(&seat(SPAIN, Seat::Member), &trustee(FUND_MANAGER).on("2016-06-01"))
        .and(&FundCommand::EndSeat { member: SPAIN.into() }, &trustee(FUND_MANAGER).on("2021-12-31"))
        .state()
        .clone();
    assert_eq!(state.seat_of(SPAIN, day("2015-11-11")), None);
    assert_eq!(state.seat_of(SPAIN, day("2015-11-12")), Some(Seat::Observer));
    assert_eq!(state.seat_of(SPAIN, day("2016-06-01")), Some(Seat::Member));
    assert_eq!(state.seat_of(SPAIN, day("2021-12-31")), None);
    assert_eq!(state.seats().count(), 0);
}

#[test]
fn a_seat_that_is_held_is_not_given_again_and_one_that_is_not_does_not_end() {
    let act = trustee(FUND_MANAGER);
    fund().and(&seat(SPAIN, Seat::Member), &act).when(&seat(SPAIN, Seat::Member), &act).then_nothing();
    fund().when(&FundCommand::EndSeat { member: SPAIN.into() }, &act).then_nothing();
}

#[test]
fn cash_is_what_was_received_less_paid_plus_recovered() {
    let state = fund()
        .and(&cash("contributions/esp", lines(3, eur(10), "2016-01-01")), &trustee(ACCOUNTING_OFFICER))
        .and(&cash("payments/iom-1", lines(5, eur(-4), "2017-06-01")), &trustee(ACCOUNTING_OFFICER))
        .and(&cash("contracts/aecid", lines(9, eur(1), "2021-03-01")), &trustee(ACCOUNTING_OFFICER))
        .state()
        .clone();
    assert_eq!(state.cash_of("contributions"), eur(10));
    assert_eq!(state.cash_of("payments"), eur(-4));
    assert_eq!(state.cash_of("contracts"), eur(1));
    assert_eq!(state.available(), eur(7));
}

#[test]
fn what_the_fund_does_not_hold_is_not_paid() {
    let act = trustee(ACCOUNTING_OFFICER);
    let fund = fund().and(&cash("contributions/esp", lines(3, eur(10), "2016-01-01")), &act);
    fund.when(&cash("payments/iom-1", lines(5, cents(-1_001), "2017-06-01")), &act)
        .then_refused(FundError::ExceedsCash { amount: cents(1_001), available: eur(10) });
    fund.when(&cash("payments/iom-1", lines(5, eur(-10), "2017-06-01")), &act)
        .then([FundEvent::CashMovementSet { source: record("payments/iom-1", 5), amount: eur(-10) }]);
}

#[test]
fn money_that_was_spent_cannot_be_corrected_away() {
    let act = trustee(ACCOUNTING_OFFICER);
    fund()
        .and(&cash("contributions/esp", lines(3, eur(10), "2016-01-01")), &act)
        .and(&cash("payments/iom-1", lines(5, eur(-8), "2017-06-01")), &act)
        .when(&cash("contributions/esp", lines(3, eur(7), "2016-01-01")), &act)
        .then_refused(FundError::ExceedsCash { amount: eur(3), available: eur(2) });
}

#[test]
fn a_corrected_record_takes_its_own_place_and_the_same_again_changes_nothing() {
    let act = trustee(ACCOUNTING_OFFICER);
    let fund = fund().and(&cash("contributions/esp", lines(3, eur(10), "2016-01-01")), &act);
    fund.when(&cash("contributions/esp", lines(3, eur(10), "2016-01-01")), &act).then_nothing();
    let fund = fund.and(&cash("contributions/esp", lines(3, eur(12), "2016-01-01")), &act);
    assert_eq!(fund.state().available(), eur(12));
}

#[test]
fn a_record_that_moved_to_another_day_moves_nothing_on_the_old_one() {
    let act = trustee(ACCOUNTING_OFFICER);
    let source = record("contributions/esp", 3);
    let fund = fund().and(&cash("contributions/esp", lines(3, eur(10), "2016-01-01")), &act);
    let set = |amount| FundEvent::CashMovementSet { source: source.clone(), amount };
    fund.when(&cash("contributions/esp", lines(3, eur(10), "2016-06-01")), &act)
        .then_dated([Draft::on(set(eur(0)), day("2016-01-01")), Draft::on(set(eur(10)), day("2016-06-01"))]);
    let fund = fund.and(&cash("contributions/esp", lines(3, eur(10), "2016-06-01")), &act);
    assert_eq!(fund.history().state_as_of(day("2016-05-31")).available(), eur(0));
    assert_eq!(fund.history().state_as_of(day("2016-06-01")).available(), eur(10));
}

#[test]
fn a_fund_closes_when_no_contract_is_open() {
    let act = trustee(AUTHORISING_OFFICER);
    let contract = |state| FundCommand::MirrorContract { contract: "contracts/iom".into(), state };
    let open = fund().and(&contract(ContractState::Open), &act);
    open.when(&FundCommand::Close, &act)
        .then_refused(FundError::ContractsOpen { contracts: vec!["contracts/iom".into()] });
    let settled = open.and(&contract(ContractState::Closed), &act);
    settled.when(&FundCommand::Close, &act).then([FundEvent::Closed]);
    let closed = settled.and(&FundCommand::Close, &act);
    closed.when(&FundCommand::Close, &act).then_nothing();
    assert_eq!(closed.state().open(), Err(FundError::Closed));
}

#[test]
fn a_fund_is_not_closed_by_a_publication() {
    fund()
        .when(&FundCommand::Close, &published(TRUSTEE))
        .then_refused(AuthorityError::OwnActRequired { organisation: TRUSTEE.into() }.into());
}
