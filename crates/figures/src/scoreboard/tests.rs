//! The scoreboard, on small frameworks counted by hand.

use contracts::toguna::{
    commitments::{
        events::v1 as events,
        v1::{CommitmentStatus, Verification},
    },
    log::v1::Basis,
    partnerships::events::v1::AgreementNatureContested,
    r#type::v1::{Decimal, Period},
};
use prost::{Message, Name};

use super::*;
use crate::{
    Log::{Commitments, Partnerships},
    testing::{Chronicle, as_of, date, fr, known_after},
};

const JVAP: &str = "frameworks/jvap";

#[expect(clippy::unnecessary_wraps, reason = "as the fields of messages are")]
fn item(plan: &str, item: &str) -> Option<events::PlanItemReference> {
    Some(events::PlanItemReference { framework: JVAP.into(), plan: plan.into(), item: item.into() })
}

impl Chronicle {
    fn note<M: Message + Name>(&mut self, stream: &str, on: &str, event: &M) {
        self.record(Commitments, stream, on, event);
    }

    fn add_plan(&mut self, plan: &str, on: &str, items: &[(&str, &str)]) {
        let validity = Some(Period { start: date(on), end: date("2020") });
        self.note(JVAP, on, &events::ActionPlanAdopted { plan: plan.into(), title: fr(plan), validity });
        for (item, parent) in items {
            let (plan, item, parent) = (plan.into(), (*item).into(), (*parent).into());
            self.note(JVAP, "", &events::PlanItemAdded { plan, item, parent, ..Default::default() });
        }
    }

    fn declare(&mut self, commitment: &str, answers: Option<events::PlanItemReference>, due_on: &str) {
        let declared = events::CommitmentDeclared {
            owner: "partners/mli".into(),
            answers,
            due_on: date(due_on),
            ..events::CommitmentDeclared::default()
        };
        self.note(commitment, "2016-06-01", &declared);
    }

    fn value(&mut self, indicator: &str, subject: &str, period: &str, quantity: events::Quantity) {
        let period = Some(Period { start: date(period), end: date(period) });
        let reported = events::IndicatorValueReported {
            point: Some(events::MeasurePoint { definition: 1, subject: subject.into(), period }),
            value: Some(quantity),
            source_status: events::SourceStatus::Official.into(),
        };
        self.note(indicator, "2018-01-01", &reported);
    }
}

fn quantity(qualifier: events::Qualifier, number: &str) -> events::Quantity {
    let value = Some(Decimal { value: number.into() });
    events::Quantity { qualifier: qualifier.into(), value, words: None }
}

/// One plan: D4 with the initiatives 11 and 12 below it, and D5 with 15.
fn valletta() -> Chronicle {
    let mut log = Chronicle::default();
    log.note(JVAP, "", &events::FrameworkRegistered { title: fr("Plan d'action conjoint"), ..Default::default() });
    log.add_plan("2015", "2015-11-12", &[("D4", ""), ("D5", ""), ("12", "D4"), ("15", "D5"), ("11", "D4")]);
    log
}

fn board(log: &Chronicle, clocks: Clocks) -> pb::Scoreboard {
    scoreboard(&log.facts(), JVAP, clocks).expect("it is known")
}

fn plan(log: &Chronicle, day: &str) -> pb::PlanScore {
    board(log, as_of(day)).plans.remove(0)
}

fn node(log: &Chronicle, day: &str, code: &str) -> pb::ItemScore {
    plan(log, day).items.into_iter().find(|item| item.item == code).expect("it is in the plan")
}

fn confirmed(tally: Option<pb::ScoreTally>) -> pb::StatusCounts {
    tally.and_then(|tally| tally.confirmed).expect("it is there")
}

#[test]
fn an_unknown_framework_has_no_scoreboard_nor_one_that_was_not_known_yet() {
    let log = valletta();
    assert!(scoreboard(&log.facts(), "frameworks/nowhere", as_of("2026-11-23")).is_none());
    assert!(scoreboard(&log.facts(), JVAP, known_after(0, "2026-11-23")).is_none());
}

#[test]
fn items_stand_below_the_one_above_them_else_as_recorded() {
    let items: Vec<_> = plan(&valletta(), "2016-01-01").items.into_iter().map(|item| item.item).collect();
    assert_eq!(items, ["D4", "12", "11", "D5", "15"]);
}

#[test]
fn a_plan_is_there_from_its_adoption_and_holds_as_long_as_it_was_prolonged() {
    let mut log = valletta();
    let prolonged = events::ActionPlanProlonged { plan: "2015".into(), valid_until: date("2022-12-31") };
    log.note(JVAP, "2020-03-05", &prolonged);
    assert!(board(&log, as_of("2015-11-11")).plans.is_empty());
    let until = |day| plan(&log, day).validity.expect("it is there").end;
    assert_eq!(until("2020-03-04"), date("2020"));
    assert_eq!(until("2020-03-05"), date("2022-12-31"));
}

#[test]
fn a_commitment_counts_once_in_its_item_in_each_above_and_in_the_plan() {
    let mut log = valletta();
    log.declare("commitments/law", item("2015", "11"), "");
    log.declare("commitments/network", item("2015", "D4"), "");
    log.declare("commitments/whole", item("2015", ""), "");
    let total = |code| confirmed(node(&log, "2016-06-01", code).tally).total;
    assert_eq!([total("11"), total("12"), total("D4"), total("D5")], [1, 0, 2, 0]);
    let plan = plan(&log, "2016-06-01");
    assert_eq!(confirmed(plan.tally).total, 3);
    let direct = |commitments: &[pb::ScoredCommitment]| -> Vec<String> {
        commitments.iter().map(|commitment| commitment.commitment.clone()).collect()
    };
    assert_eq!(direct(&plan.commitments), ["commitments/whole"]);
    assert_eq!(direct(&node(&log, "2016-06-01", "D4").commitments), ["commitments/network"]);
}

#[test]
fn a_commitment_is_counted_where_it_stood_on_the_day() {
    let mut log = valletta();
    let (law, cycle) = ("commitments/law", String::from("cycles/2018"));
    log.declare(law, item("2015", "11"), "");
    log.note(law, "2016-07-01", &events::CommitmentRegistered::default());
    log.note(law, "2016-08-01", &events::ProgressNoted::default());
    log.note(law, "2018-02-01", &events::ProgressSubmitted { cycle: cycle.clone(), text: None });
    log.note(law, "2018-03-01", &events::ProgressReturned { cycle: cycle.clone() });
    log.note(law, "2018-04-01", &events::ProgressSubmitted { cycle: cycle.clone(), text: None });
    log.note(law, "2018-05-01", &events::ProgressVerified { cycle });
    log.note(law, "2019-01-01", &events::CommitmentPartlyFulfilled::default());
    for (day, status) in [
        ("2016-06-30", CommitmentStatus::Proposed),
        ("2016-07-01", CommitmentStatus::Endorsed),
        ("2016-08-01", CommitmentStatus::InProgress),
        ("2018-02-01", CommitmentStatus::Reported),
        ("2018-03-01", CommitmentStatus::Returned),
        ("2018-04-01", CommitmentStatus::Reported),
        ("2018-05-01", CommitmentStatus::Verified),
        ("2019-01-01", CommitmentStatus::PartlyFulfilled),
    ] {
        assert_eq!(node(&log, day, "11").commitments[0].status(), status, "on {day}");
    }
    let counts = confirmed(node(&log, "2019-01-01", "D4").tally);
    assert_eq!(counts, pb::StatusCounts { total: 1, partly_fulfilled: 1, ..pb::StatusCounts::default() });
}

#[test]
fn an_open_commitment_is_overdue_from_the_day_after_the_last_that_its_date_may_mean() {
    let mut log = valletta();
    log.declare("commitments/law", item("2015", "11"), "2016-12");
    let overdue = |log: &Chronicle, day| confirmed(plan(log, day).tally).overdue;
    assert_eq!([overdue(&log, "2016-12-31"), overdue(&log, "2017-01-01")], [0, 1]);
    log.note("commitments/law", "2017-01-05", &events::DueDateExtended { due_on: date("2017-06-30") });
    assert_eq!([overdue(&log, "2017-01-04"), overdue(&log, "2017-01-05"), overdue(&log, "2017-07-01")], [1, 0, 1]);
    log.note("commitments/law", "2017-08-01", &events::CommitmentFulfilled {});
    assert_eq!(overdue(&log, "2017-08-01"), 0);
}

#[test]
fn what_was_recorded_from_a_source_is_counted_apart_until_its_owner_confirms() {
    let mut log = valletta();
    let declared = events::CommitmentDeclared { answers: item("2015", "15"), ..Default::default() };
    log.record(Commitments, "commitments/returns", "2016-12-11", &declared).basis = Basis::RecordedFromSource.into();
    let before = log.len();
    log.note("commitments/returns", "2026-11-23", &events::CommitmentConfirmed {});
    let totals = |log: &Chronicle, clocks| {
        let tally = board(log, clocks).plans.remove(0).tally.expect("it is there");
        [tally.confirmed, tally.unconfirmed].map(|counts| counts.expect("it is there").total)
    };
    assert_eq!(totals(&log, known_after(before, "2016-12-11")), [0, 1]);
    assert_eq!(totals(&log, as_of("2016-12-11")), [1, 0]);
    let other = events::CommitmentDeclared { answers: item("2015", "16"), ..Default::default() };
    log.correct(Commitments, "commitments/returns", 1, "", &other);
    assert_eq!(totals(&log, as_of("2016-12-11")), [0, 1], "what is corrected since is not what was confirmed");
}

#[test]
fn a_commitment_that_rests_on_a_contested_agreement_is_flagged_and_stays() {
    let mut log = valletta();
    log.declare("commitments/returns", item("2015", "15"), "");
    let linked = events::AgreementLinked { agreement: "agreements/communique".into() };
    log.note("commitments/returns", "2016-12-11", &linked);
    log.record(Partnerships, "agreements/communique", "2016-12-13", &AgreementNatureContested::default());
    let counts = |day| {
        let counts = confirmed(node(&log, day, "D5").tally);
        (counts.total, counts.contested)
    };
    assert_eq!([counts("2016-12-12"), counts("2016-12-13")], [(1, 0), (1, 1)]);
}

#[test]
fn a_migrated_commitment_is_under_the_new_plan_and_under_the_old_one_before() {
    let mut log = valletta();
    log.add_plan("2023", "2022-12-14", &[("5", "")]);
    log.declare("commitments/returns", item("2015", "15"), "");
    let moved = events::CommitmentMigrated { from: item("2015", "15"), to: item("2023", "5") };
    log.note("commitments/returns", "2022-12-14", &moved);
    let totals = |day| -> Vec<u32> {
        board(&log, as_of(day)).plans.into_iter().map(|plan| confirmed(plan.tally).total).collect()
    };
    assert_eq!(totals("2022-12-13"), [1]);
    assert_eq!(totals("2022-12-14"), [0, 1]);
}

#[test]
fn a_plan_that_is_answered_before_its_adoption_is_there_too() {
    let mut log = valletta();
    log.add_plan("2023", "2022-12-14", &[]);
    log.declare("commitments/early", item("2023", ""), "");
    assert_eq!(board(&log, as_of("2016-06-01")).plans.len(), 2);
}

#[test]
fn an_initiative_counts_once_above_all_items_that_it_serves() {
    let mut log = valletta();
    let serves = ["11", "12", "15"].into_iter().filter_map(|code| item("2015", code)).collect();
    let description = events::InitiativeDescription { title: fr("Comité"), serves, ..Default::default() };
    let registered = events::InitiativeRegistered { description: Some(description), ..Default::default() };
    log.note("initiatives/committee", "2016-01-01", &registered);
    log.note("initiatives/committee", "2016-02-01", &events::InitiativeVerified {});
    let initiatives = |code| node(&log, "2016-02-01", code).tally.expect("it is there").initiatives;
    assert_eq!([initiatives("D4"), initiatives("11"), initiatives("D5")], [1, 1, 1]);
    assert_eq!(plan(&log, "2016-02-01").tally.expect("it is there").initiatives, 1);
    assert!(node(&log, "2016-02-01", "D4").initiatives.is_empty());
    let scored = node(&log, "2016-02-01", "11").initiatives.remove(0);
    assert_eq!((scored.initiative.as_str(), scored.verification()), ("initiatives/committee", Verification::Verified));
}

#[test]
fn two_values_that_cannot_both_be_right_both_stand() {
    let mut log = valletta();
    log.declare("commitments/jobs", item("2015", "11"), "");
    let (about, exact) = (events::Qualifier::About, events::Qualifier::Exact);
    log.value("indicators/jobs", "commitments/jobs", "2016", quantity(about, "400"));
    log.value("indicators/jobs", "commitments/jobs", "2016", quantity(exact, "775"));
    let measured = node(&log, "2018-01-01", "11").measurements.remove(0);
    assert!(measured.conflicting);
    let numbers = measured.values.iter().map(|value| value.value.clone().and_then(|value| value.value));
    let numbers: Vec<_> = numbers.map(|number| number.unwrap_or_default().value).collect();
    assert_eq!(numbers, ["400", "775"]);
}

#[test]
fn at_least_a_number_conflicts_only_with_less_and_words_with_nothing() {
    let (exact, least, words) = (events::Qualifier::Exact, events::Qualifier::AtLeast, events::Qualifier::InWords);
    for (one, other, conflicting) in [
        (quantity(least, "100"), quantity(exact, "120"), false),
        (quantity(least, "100"), quantity(exact, "99.5"), true),
        (quantity(exact, "99.5"), quantity(least, "100"), true),
        (quantity(exact, "100"), quantity(exact, "100.0"), false),
        (quantity(words, ""), quantity(exact, "3"), false),
    ] {
        let mut log = valletta();
        log.declare("commitments/jobs", item("2015", "11"), "");
        log.value("indicators/jobs", "commitments/jobs", "2016", one.clone());
        log.value("indicators/jobs", "commitments/jobs", "2016", other.clone());
        let measured = node(&log, "2018-01-01", "11").measurements.remove(0);
        assert_eq!(measured.conflicting, conflicting, "{one:?} and {other:?}");
    }
}

#[test]
fn values_of_other_periods_and_definitions_never_conflict_and_the_latest_period_is_shown() {
    let mut log = valletta();
    log.declare("commitments/jobs", item("2015", "11"), "");
    let exact = |number| quantity(events::Qualifier::Exact, number);
    log.value("indicators/jobs", "commitments/jobs", "2017", exact("312"));
    log.value("indicators/jobs", "commitments/jobs", "2016", exact("775"));
    let measurements = node(&log, "2018-01-01", "11").measurements;
    assert_eq!(measurements.len(), 1);
    assert_eq!(measurements[0].period.expect("it is there").end, date("2017"));
    assert!(!measurements[0].conflicting);
}

#[test]
fn a_restated_value_shows_what_it_was() {
    let mut log = valletta();
    log.declare("commitments/jobs", item("2015", "11"), "");
    log.value("indicators/jobs", "commitments/jobs", "2016", quantity(events::Qualifier::Exact, "755"));
    let restated = events::IndicatorValueRestated {
        value_version: 1,
        value: Some(quantity(events::Qualifier::Exact, "775")),
        ..events::IndicatorValueRestated::default()
    };
    log.note("indicators/jobs", "2019-01-01", &restated);
    let value = |day| node(&log, day, "11").measurements.remove(0).values.remove(0);
    let before = value("2018-12-31");
    assert_eq!((before.value, before.restated_from), (Some(quantity(events::Qualifier::Exact, "755")), None));
    let after = value("2019-01-01");
    assert_eq!(after.value, Some(quantity(events::Qualifier::Exact, "775")));
    assert_eq!(after.restated_from, Some(quantity(events::Qualifier::Exact, "755")));
    assert_eq!(after.restatement.expect("it is there").position, 10);
}

#[test]
fn the_indicators_of_a_framework_come_in_the_order_of_their_codes() {
    let mut log = valletta();
    for code in ["3.10", "3.5 bis", "1.1", "3.5", "3.9"] {
        let indicator = format!("indicators/{}", code.replace(['.', ' '], "-"));
        let definition =
            events::IndicatorDefinition { framework: JVAP.into(), code: code.into(), ..Default::default() };
        log.note(&indicator, "", &events::IndicatorDefined { version: 1, definition: Some(definition) });
        log.value(&indicator, "contracts/iom", "2016", quantity(events::Qualifier::Exact, "1"));
    }
    let measurements = board(&log, as_of("2018-01-01")).measurements;
    let codes: Vec<_> =
        measurements.into_iter().map(|measured| measured.definition.expect("it is there").code).collect();
    assert_eq!(codes, ["1.1", "3.5", "3.5 bis", "3.9", "3.10"]);
}
