//! Facts are the same however the logs are cut, and what was known is what an earlier reader would have seen.

use contracts::toguna::{disbursements::events::v1 as events, log::v1::EventRecord, oversight::v1 as pb};
use proptest::prelude::*;

use super::*;
use crate::{
    Clocks, PortfolioScope, portfolio,
    testing::{Chronicle, as_of, eur, known_after},
};

/// A history of a few decisions, contracts and payments, and of corrections of them, dated without any order.
fn histories() -> impl Strategy<Value = Chronicle> {
    let dates = prop::sample::select(vec!["", "2015", "2016-02", "2016-02-10", "2017-01-01"]);
    let step = (0..6_u8, 0..3_u8, -500..1_000_i64, dates);
    prop::collection::vec(step, 0..40).prop_map(|steps| {
        let mut log = Chronicle::default();
        for (kind, which, euros, on) in steps {
            record(&mut log, kind, which, euros, on);
        }
        log
    })
}

fn record(log: &mut Chronicle, kind: u8, which: u8, euros: i64, on: &str) {
    let (decision, contract) = (format!("decisions/{which}"), format!("contracts/{which}"));
    let approved = events::DecisionApproved { amount: eur(euros) };
    match kind {
        0 => {
            let country_codes = ["ML", "NE"][..=usize::from(which) % 2].iter().map(|code| (*code).into()).collect();
            let proposed = events::DecisionProposed { country_codes, ..events::DecisionProposed::default() };
            log.record(Log::Disbursements, &decision, on, &proposed)
        }
        1 => log.record(Log::Disbursements, &decision, on, &approved),
        2 => log.record(Log::Disbursements, &decision, on, &events::DecisionToppedUp { amount: eur(euros) }),
        3 => {
            let signed =
                events::ContractSigned { decision, fund_share: eur(euros), ..events::ContractSigned::default() };
            log.record(Log::Disbursements, &contract, on, &signed)
        }
        4 => {
            let paid = events::PaymentDisbursed { contract, amount: eur(euros), ..events::PaymentDisbursed::default() };
            log.record(Log::Disbursements, &format!("payments/{which}"), on, &paid)
        }
        _ => {
            let mut of_stream = log.records().iter().filter(|(_, record)| record.stream == decision);
            let approval = of_stream.find(|(_, record)| record.r#type.ends_with("DecisionApproved"));
            let Some(version) = approval.map(|(_, record)| record.version) else { return };
            log.correct(Log::Disbursements, &decision, version, on, &approved)
        }
    };
}

fn of_mali(facts: &Facts, clocks: Clocks) -> pb::Portfolio {
    let scope = PortfolioScope { country_code: "ML".into(), fund: None };
    portfolio(facts, &scope, clocks).expect("it fits")
}

proptest! {
    #[test]
    fn what_was_known_then_is_what_a_reader_of_then_would_have_answered(log in histories(), part in 0.0..=1.0_f64) {
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, clippy::cast_precision_loss, reason = "a few dozen")]
        let records = (log.len() as f64 * part) as usize;
        for day in ["2015-12-31", "2016-02-15", "2026-11-23"] {
            let now = of_mali(&log.facts(), known_after(records, day));
            let then = of_mali(&log.facts_up_to(records), known_after(records, day));
            // Nothing of the epoch is known before the first record.
            if records > 0 {
                prop_assert_eq!(now, then);
            } else {
                prop_assert_eq!((now.own, now.regional), (then.own, then.regional));
            }
        }
    }

    #[test]
    fn records_that_never_count_can_be_left_out_and_only_said_to_be_read(log in histories(), other in 0..6_usize) {
        let mut all = log;
        for _ in 0..other {
            let mirror = events::CashMovementSet { amount: eur(1), ..events::CashMovementSet::default() };
            all.record(Log::Disbursements, "funds/eutf", "2016-01-01", &mirror);
        }
        let mut facts = Facts::default();
        for (log, record) in all.records() {
            if counts(*log, record).expect("it is understood") {
                facts.push(*log, record).expect("it is in order");
            } else {
                let time = record.recorded_at.as_ref().and_then(calendar::time).expect("it is there");
                facts.reached(*log, &record.epoch, record.position, time).expect("it is in order");
            }
        }
        for nth in 0..=all.len() {
            let clocks = known_after(nth, "2016-02-15");
            prop_assert_eq!(of_mali(&facts, clocks), of_mali(&all.facts(), clocks));
        }
    }
}

fn approval() -> EventRecord {
    let mut log = Chronicle::default();
    log.record(Log::Disbursements, "decisions/a", "2016", &events::DecisionApproved { amount: eur(1) }).clone()
}

fn refused(record: &EventRecord) -> String {
    let error = Facts::default().push(Log::Disbursements, record).expect_err("it is refused");
    assert!(counts(Log::Disbursements, record).is_err(), "and it is seen that it cannot be left out");
    std::error::Error::source(&error).map(ToString::to_string).unwrap_or_default()
}

#[test]
fn an_event_of_an_unknown_type_is_not_understood() {
    let unknown = EventRecord { r#type: "toguna.disbursements.events.v1.MoneyLaundered".into(), ..approval() };
    assert_eq!(refused(&unknown), "the event type toguna.disbursements.events.v1.MoneyLaundered is not known");
    let of_another_log = EventRecord { r#type: "toguna.commitments.events.v1.CommitmentDeclared".into(), ..approval() };
    assert!(refused(&of_another_log).ends_with("is not known"));
}

#[test]
fn a_broken_payload_or_one_without_its_amount_is_not_understood() {
    assert_eq!(
        refused(&EventRecord { payload: vec![0xff], ..approval() }),
        "the payload is no toguna.disbursements.events.v1.DecisionApproved"
    );
    assert_eq!(refused(&EventRecord { payload: vec![], ..approval() }), "amount is missing or malformed");
    assert_eq!(
        refused(&EventRecord { effective_on: crate::testing::date("2016-13"), ..approval() }),
        "effective_on is missing or malformed"
    );
}

#[test]
fn a_correction_of_a_record_that_is_not_there_is_not_understood() {
    let mut log = Chronicle::default();
    let right = events::DecisionApproved { amount: eur(1) };
    let correction = log.correct(Log::Disbursements, "decisions/a", 1, "", &right).clone();
    assert!(matches!(
        Facts::default().push(Log::Disbursements, &correction),
        Err(Unreadable::NotUnderstood { position: 1, .. })
    ));
}

#[test]
fn a_proposed_correction_changes_nothing() {
    let mut log = Chronicle::default();
    let proposed = contracts::toguna::log::v1::CorrectionProposed::default();
    let record = log.record(Log::Disbursements, "decisions/a", "", &proposed).clone();
    assert_eq!(counts(Log::Disbursements, &record), Ok(false));
}

#[test]
fn a_record_twice_or_out_of_order_is_refused_and_leaves_everything_as_it_was() {
    let mut facts = Facts::default();
    facts.push(Log::Disbursements, &approval()).expect("it is the first");
    assert!(matches!(
        facts.push(Log::Disbursements, &approval()),
        Err(Unreadable::OutOfOrder { position: 1, after: 1 })
    ));
    let earlier = EventRecord { position: 2, recorded_at: Some(prost_types::Timestamp::default()), ..approval() };
    assert!(matches!(facts.push(Log::Disbursements, &earlier), Err(Unreadable::OutOfOrder { position: 2, .. })));
    assert_eq!((facts.position(Log::Disbursements), facts.disbursements.streams["decisions/a"].len()), (1, 1));
}

#[test]
fn a_forgotten_log_is_read_again_from_its_start() {
    let mut facts = Facts::default();
    facts.push(Log::Disbursements, &approval()).expect("it is the first");
    facts.forget(Log::Disbursements);
    assert_eq!((facts.position(Log::Disbursements), facts.epoch(Log::Disbursements)), (0, &[][..]));
    facts.push(Log::Disbursements, &approval()).expect("it is the first again");
}

#[test]
fn a_new_epoch_shows_even_before_its_first_event() {
    let mut facts = Facts::default();
    facts.push(Log::Disbursements, &approval()).expect("it is the first");
    let time = crate::testing::recorded_at(1);
    facts.reached(Log::Disbursements, &[9; 16], 1, time).expect("it stays where it is");
    assert_eq!(facts.epoch(Log::Disbursements), [9; 16]);
    let standpoint = of_mali(&facts, as_of("2016-12-31")).standpoint.expect("it is there");
    assert_eq!(standpoint.logs[1].epoch, [9; 16]);
}
