//! The portfolio of Mali, whose sums were published at their dates, and small ones counted by hand.

use contracts::toguna::{
    disbursements::events::v1 as events,
    log::v1::{Basis, Certainty, EventRecord},
    r#type::v1::Money,
};

use super::*;
use crate::{
    Log::Disbursements,
    testing::{Chronicle, as_of, date, eur, fr, issued, known_after},
};

fn mali() -> PortfolioScope {
    PortfolioScope { country_code: "ML".into(), fund: None }
}

fn decision(number: u8) -> String {
    format!("decisions/t05-eutf-sah-ml-{number:02}")
}

impl Chronicle {
    fn propose(&mut self, name: &str, countries: &[&str]) {
        let proposed = events::DecisionProposed {
            fund: "funds/eutf".into(),
            reference: name.trim_start_matches("decisions/").to_uppercase(),
            title: fr("Une action"),
            country_codes: countries.iter().map(|code| (*code).into()).collect(),
            ..events::DecisionProposed::default()
        };
        self.record(Disbursements, name, "", &proposed);
    }

    fn approve(&mut self, name: &str, on: &str, euros: i64) -> &mut EventRecord {
        self.record(Disbursements, name, on, &events::DecisionApproved { amount: eur(euros) })
    }

    fn decide(&mut self, name: &str, on: &str, euros: i64) {
        self.propose(name, &["ML"]);
        self.approve(name, on, euros);
    }

    fn top_up(&mut self, name: &str, on: &str, euros: i64) {
        self.record(Disbursements, name, on, &events::DecisionToppedUp { amount: eur(euros) });
    }

    fn sign(&mut self, contract: &str, decision: &str, on: &str, euros: i64) -> &mut EventRecord {
        let signed = events::ContractSigned {
            decision: decision.into(),
            fund_share: eur(euros),
            ..events::ContractSigned::default()
        };
        self.record(Disbursements, contract, on, &signed)
    }

    fn pay(&mut self, payment: &str, contract: &str, on: &str, euros: i64) -> &mut EventRecord {
        let paid = events::PaymentDisbursed {
            contract: contract.into(),
            amount: eur(euros),
            ..events::PaymentDisbursed::default()
        };
        self.record(Disbursements, payment, on, &paid)
    }
}

/// The thirteen decisions for Mali. The tenth is approved in a year of which no more is known.
fn portfolio_of_mali() -> Chronicle {
    let mut log = Chronicle::default();
    for (number, on, euros) in [
        (1, "2016-01-14", 20_000_000),
        (2, "2016-04-15", 13_500_000),
        (3, "2016-04-14", 10_000_000),
        (4, "2016-04-20", 13_000_000),
        (5, "2016-04-20", 6_000_000),
        (6, "2016-12-11", 29_000_000),
        (7, "2017-05-19", 15_000_000),
        (8, "2017", 25_000_000),
        (9, "2017-11", 20_000_000),
        (10, "2018", 35_000_000),
        (11, "2018-06-01", 10_000_000),
        (12, "2018-06-01", 13_000_000),
        (13, "2020-11-30", 2_850_000),
    ] {
        log.decide(&decision(number), on, euros);
    }
    log.top_up(&decision(1), "2016-12-12", 5_000_000);
    log.top_up(&decision(2), "2019-01-01", 76_233);
    log.propose("decisions/reg-1", &["ML", "NE", "BF"]);
    log.approve("decisions/reg-1", "2016-12-01", 53_600_000);
    log.propose("decisions/ne-1", &["NE"]);
    log.approve("decisions/ne-1", "2016-01-01", 1);
    log
}

/// Decisions, their gross sum in whole euros, and the same in francs.
fn quoted(group: Option<&pb::PortfolioGroup>) -> (u32, Vec<Money>, Vec<Money>) {
    let group = group.expect("it is there");
    let gross = group.total.clone().and_then(|total| total.decided_gross).expect("it is there");
    (group.decisions, gross.amounts, gross.derived)
}

fn own(log: &Chronicle, clocks: Clocks) -> (u32, Vec<Money>, Vec<Money>) {
    quoted(portfolio(&log.facts(), &mali(), clocks).expect("it fits").own.as_ref())
}

fn sums(decisions: u32, euros: i64, francs: i64) -> (u32, Vec<Money>, Vec<Money>) {
    let francs = Money { currency_code: "XOF".into(), minor_units: francs };
    (decisions, vec![eur(euros).expect("it is there")], vec![francs])
}

fn line(log: &Chronicle, clocks: Clocks) -> pb::PortfolioLine {
    let own = portfolio(&log.facts(), &mali(), clocks).expect("it fits").own;
    own.expect("it is there").lines.into_iter().next().expect("there is a line")
}

fn figures(log: &Chronicle, clocks: Clocks) -> pb::PortfolioFigures {
    line(log, clocks).figures.expect("it is there")
}

fn euros(figure: Option<pb::Figure>) -> Option<i64> {
    let amounts = figure.expect("it is there").amounts;
    assert!(amounts.len() <= 1, "{amounts:?}");
    amounts.first().map(|money| money.minor_units / 100)
}

#[test]
fn the_portfolio_of_mali_is_what_was_published_at_each_date() {
    let log = portfolio_of_mali();
    for (day, decisions, euros, francs) in [
        ("2016-04-15", 3, 43_500_000, 28_534_129_500),
        ("2016-04-20", 5, 62_500_000, 40_997_312_500),
        ("2016-12-11", 6, 91_500_000, 60_020_065_500),
        ("2026-11-23", 13, 217_426_233, 142_622_259_520),
    ] {
        assert_eq!(own(&log, as_of(day)), sums(decisions, euros, francs), "as of {day}");
    }
}

#[test]
fn before_anything_was_recorded_there_is_no_decision_and_no_sum_not_even_zero() {
    let log = portfolio_of_mali();
    assert_eq!(own(&log, known_after(0, "2026-11-23")), (0, vec![], vec![]));
    assert_eq!(own(&log, as_of("2015-12-31")), (0, vec![], vec![]));
}

#[test]
fn a_decision_of_which_only_the_year_is_known_counts_from_its_last_day() {
    let mut log = Chronicle::default();
    log.decide(&decision(8), "2017", 25);
    assert_eq!(own(&log, as_of("2017-12-30")), (0, vec![], vec![]));
    assert_eq!(own(&log, as_of("2017-12-31")).0, 1);
}

#[test]
fn a_decision_without_a_date_counts_from_the_day_of_its_recording() {
    let mut log = Chronicle::default();
    log.decide(&decision(8), "", 25);
    assert_eq!(own(&log, as_of("2026-11-22")), (0, vec![], vec![]));
    assert_eq!(own(&log, as_of("2026-11-23")).0, 1);
}

#[test]
fn regional_decisions_stand_apart_and_enter_no_total_of_the_country() {
    let log = portfolio_of_mali();
    let portfolio = portfolio(&log.facts(), &mali(), as_of("2016-12-11")).expect("it fits");
    assert_eq!(quoted(portfolio.regional.as_ref()), sums(1, 53_600_000, 35_159_295_200));
    assert_eq!(quoted(portfolio.own.as_ref()), sums(6, 91_500_000, 60_020_065_500));
}

#[test]
fn decisions_of_other_countries_and_other_funds_are_not_there() {
    let log = portfolio_of_mali();
    let elsewhere = PortfolioScope { fund: Some("funds/other".into()), ..mali() };
    let portfolio = portfolio(&log.facts(), &elsewhere, as_of("2026-11-23")).expect("it fits");
    assert_eq!(quoted(portfolio.own.as_ref()), (0, vec![], vec![]));
    let chad = PortfolioScope { country_code: "TD".into(), fund: None };
    let portfolio = super::portfolio(&log.facts(), &chad, as_of("2026-11-23")).expect("it fits");
    assert!(
        portfolio.own.expect("it is there").lines.is_empty()
            && portfolio.regional.expect("it is there").lines.is_empty()
    );
}

#[test]
fn a_corrected_amount_counts_from_its_correction_on_and_the_old_one_before() {
    let mut log = Chronicle::default();
    log.decide(&decision(4), "2016-04-20", 13_000_000);
    let before = log.len();
    log.correct(Disbursements, &decision(4), 2, "", &events::DecisionApproved { amount: eur(12_000_000) });
    assert_eq!(own(&log, known_after(before, "2016-04-20")), sums(1, 13_000_000, 8_527_441_000));
    assert_eq!(own(&log, as_of("2016-04-20")), sums(1, 12_000_000, 7_871_484_000));
    // Without a date of its own a correction leaves the record's date as it is.
    assert_eq!(own(&log, as_of("2016-04-19")), (0, vec![], vec![]));
}

#[test]
fn a_correction_may_move_the_date_and_the_last_one_holds() {
    let mut log = Chronicle::default();
    log.decide(&decision(4), "2016-04-20", 13);
    log.correct(Disbursements, &decision(4), 2, "2016-05-01", &events::DecisionApproved { amount: eur(13) });
    assert_eq!(own(&log, as_of("2016-04-30")).0, 0);
    log.correct(Disbursements, &decision(4), 2, "2016-03", &events::DecisionApproved { amount: eur(14) });
    assert_eq!(own(&log, as_of("2016-03-31")), sums(1, 14, 9_183));
}

#[test]
fn a_correction_of_a_record_without_a_date_leaves_it_counting_from_its_recording() {
    let mut log = Chronicle::default();
    log.decide(&decision(4), "", 13);
    let correction = log.correct(Disbursements, &decision(4), 2, "", &events::DecisionApproved { amount: eur(12) });
    // A day later.
    correction.recorded_at.as_mut().expect("it is there").seconds += 86_400;
    assert_eq!(own(&log, as_of("2026-11-23")), sums(1, 12, 7_871));
}

#[test]
fn contracts_riders_payments_and_recoveries_add_up_under_their_decision() {
    let mut log = Chronicle::default();
    log.decide(&decision(7), "2017-01-01", 15_000_000);
    log.sign("contracts/aecid", &decision(7), "2017-05-19", 3_200_000);
    log.sign("contracts/iom", &decision(7), "2017-05-19", 11_000_000);
    let rider = events::ContractRidered { fund_share_change: eur(800_000), ..events::ContractRidered::default() };
    log.record(Disbursements, "contracts/iom", "2018-01-01", &rider);
    for (payment, on, euros) in
        [("a", "2017-06-15", 5_900_000), ("b", "2018-03-20", 4_720_000), ("c", "2021-03-01", 944_000)]
    {
        log.pay(&format!("payments/{payment}"), "contracts/iom", on, euros);
    }
    let released = events::ContractDecommitted { amount: eur(236_000) };
    log.record(Disbursements, "contracts/iom", "2021-03-02", &released);
    let recovered = events::RecoveryReceived { amount: eur(45_000), ..events::RecoveryReceived::default() };
    log.record(Disbursements, "contracts/aecid", "2021-04-01", &recovered);
    log.record(Disbursements, &decision(7), "2021-05-01", &events::DecisionDecommitted { amount: eur(236_000) });

    let at = figures(&log, as_of("2018-12-31"));
    assert_eq!((euros(at.contracted), euros(at.paid), euros(at.recovered)), (Some(15_000_000), Some(10_620_000), None));
    let at = figures(&log, as_of("2021-12-31"));
    assert_eq!(euros(at.contracted), Some(14_764_000));
    assert_eq!((euros(at.paid), euros(at.recovered)), (Some(11_564_000), Some(45_000)));
    assert_eq!((euros(at.decided_gross), euros(at.decided_net)), (Some(15_000_000), Some(14_764_000)));
    assert_eq!(euros(at.decommitted), Some(236_000));
}

#[test]
fn mirrors_of_a_record_in_other_streams_are_not_counted_again() {
    let mut log = Chronicle::default();
    log.decide(&decision(7), "2017-01-01", 15);
    log.sign("contracts/iom", &decision(7), "2017-05-19", 10);
    log.pay("payments/a", "contracts/iom", "2017-06-15", 5);
    let drawn = events::DecisionDrawSet { amount: eur(10), ..events::DecisionDrawSet::default() };
    log.record(Disbursements, &decision(7), "2017-05-19", &drawn);
    let paid = events::ContractPaymentSet { amount: eur(5), ..events::ContractPaymentSet::default() };
    log.record(Disbursements, "contracts/iom", "2017-06-15", &paid);
    let moved = events::CashMovementSet { amount: eur(-5), ..events::CashMovementSet::default() };
    log.record(Disbursements, "funds/eutf", "2017-06-15", &moved);
    let at = figures(&log, as_of("2026-11-23"));
    assert_eq!((euros(at.contracted), euros(at.paid)), (Some(10), Some(5)));
}

#[test]
fn the_last_plan_of_cofinancing_holds_in_each_currency_apart() {
    let share = |currency_code: &str, minor_units| events::Cofinancing {
        financier: String::new(),
        amount: Some(Money { currency_code: currency_code.into(), minor_units }),
    };
    let mut log = Chronicle::default();
    log.decide(&decision(2), "2016-04-15", 13);
    let signed = events::ContractSigned {
        decision: decision(2),
        fund_share: eur(13),
        cofinancing: vec![share("EUR", 100)],
        ..events::ContractSigned::default()
    };
    log.record(Disbursements, "contracts/aecid", "2016-10-08", &signed);
    let plan = events::CofinancingPlan { shares: vec![share("XOF", 5_000), share("EUR", 200), share("EUR", 1)] };
    let rider = events::ContractRidered { cofinancing: Some(plan), ..events::ContractRidered::default() };
    log.record(Disbursements, "contracts/aecid", "2017-01-01", &rider);
    let cofinancing = figures(&log, as_of("2016-12-31")).cofinancing.expect("it is there");
    assert_eq!(euros(Some(cofinancing)), Some(1));
    let cofinancing = figures(&log, as_of("2017-01-01")).cofinancing.expect("it is there");
    let amounts: Vec<_> = cofinancing.amounts.iter().map(|m| (m.currency_code.as_str(), m.minor_units)).collect();
    assert_eq!((amounts, cofinancing.records), (vec![("EUR", 201), ("XOF", 5_000)], 1));
}

#[test]
fn each_amount_says_how_certain_it_is_and_the_line_how_certain_its_least_certain_one() {
    let mut log = Chronicle::default();
    log.decide(&decision(7), "2017-01-01", 15);
    log.sign("contracts/iom", &decision(7), "2017-05-19", 10).certainty = Certainty::Inferred.into();
    log.pay("payments/a", "contracts/iom", "2017-06-15", 5).certainty = Certainty::Illustrative.into();
    let at = figures(&log, as_of("2026-11-23"));
    let certainty = |figure: Option<pb::Figure>| figure.expect("it is there").certainty();
    assert_eq!(certainty(at.decided_gross), Certainty::Exact);
    assert_eq!(certainty(at.contracted), Certainty::Inferred);
    assert_eq!(certainty(at.paid), Certainty::Illustrative);
    assert_eq!(certainty(at.recovered), Certainty::Unspecified);
    assert_eq!(line(&log, as_of("2026-11-23")).certainty(), Certainty::Illustrative);
    assert_eq!(line(&log, as_of("2017-05-19")).certainty(), Certainty::Inferred);
}

#[test]
fn an_approval_from_a_source_is_unconfirmed_until_the_committee_confirms_it() {
    let mut log = Chronicle::default();
    log.propose(&decision(7), &["ML"]);
    log.approve(&decision(7), "2017-01-01", 15).basis = Basis::RecordedFromSource.into();
    assert!(line(&log, as_of("2017-01-01")).unconfirmed);
    let before = log.len();
    log.record(Disbursements, &decision(7), "2026-11-23", &events::DecisionApprovalConfirmed {});
    assert!(!line(&log, as_of("2017-01-01")).unconfirmed);
    assert!(line(&log, known_after(before, "2017-01-01")).unconfirmed);
    // What is corrected since is not what the committee confirmed.
    log.correct(Disbursements, &decision(7), 2, "", &events::DecisionApproved { amount: eur(90) });
    assert!(line(&log, as_of("2017-01-01")).unconfirmed);
    log.record(Disbursements, &decision(7), "2026-11-24", &events::DecisionApprovalConfirmed {});
    assert!(!line(&log, as_of("2017-01-01")).unconfirmed);
}

#[test]
fn a_contract_from_a_source_is_unconfirmed_until_the_contracting_authority_signs_it_too() {
    let mut log = Chronicle::default();
    log.decide(&decision(7), "2017-01-01", 15);
    log.sign("contracts/iom", &decision(7), "2017-05-19", 10).basis = Basis::RecordedFromSource.into();
    assert!(line(&log, as_of("2017-05-19")).unconfirmed);
    log.record(Disbursements, "contracts/iom", "2017-05-19", &events::ContractSignatureConfirmed {});
    assert!(!line(&log, as_of("2017-05-19")).unconfirmed);
}

#[test]
fn the_latest_source_is_that_of_the_records_that_count() {
    let mut log = Chronicle::default();
    log.propose(&decision(7), &["ML"]);
    log.approve(&decision(7), "2017-01-01", 15).sources = [issued("2016-12"), issued("2016-12-31")].concat();
    log.sign("contracts/iom", &decision(7), "2017-05-19", 10).sources = issued("2022");
    let latest = |day| {
        let standpoint = portfolio(&log.facts(), &mali(), as_of(day)).expect("it fits").standpoint;
        standpoint.expect("it is there").latest_source
    };
    assert_eq!(latest("2016-12-31"), None);
    assert_eq!(latest("2017-01-01"), date("2016-12-31"));
    assert_eq!(latest("2017-05-19"), date("2022"));
}

#[test]
fn an_answer_says_from_which_position_of_each_log_it_was_made() {
    let log = portfolio_of_mali();
    let positions = |clocks| {
        let standpoint = portfolio(&log.facts(), &mali(), clocks).expect("it fits").standpoint;
        let logs = standpoint.expect("it is there").logs;
        logs.into_iter().map(|log| (log.log, log.position)).collect::<Vec<_>>()
    };
    let at = |disbursements| {
        let logs = [("commitments", 0), ("disbursements", disbursements), ("partnerships", 0)];
        logs.map(|(log, position)| (log.to_owned(), position)).to_vec()
    };
    assert_eq!(positions(as_of("2016-04-15")), at(32));
    assert_eq!(positions(known_after(10, "2016-04-15")), at(10));
    assert_eq!(positions(known_after(0, "2016-04-15")), at(0));
}

#[test]
fn a_sum_too_large_to_be_stated_is_refused() {
    let mut log = Chronicle::default();
    log.decide(&decision(1), "2016-01-01", i64::MAX / 100);
    let refused = portfolio(&log.facts(), &mali(), as_of("2016-01-01"));
    // The euros would fit; their francs do not.
    assert_eq!(refused.map_err(|error| error.currency_code), Err("XOF".to_owned()));
}
