use event_sourcing::{
    Act, Aggregate as _, Correction, CorrectionError, LocalizedText, Period,
    testing::{Given, act, given},
};

use super::*;
use crate::domain::{Figure, MandateError, MeasurePoint, Quantity, SourceStatus, Subject, Words};

const IOM: &str = "partners/iom";

fn definition(population: &str) -> Definition {
    Definition {
        title: LocalizedText::official_en("Voluntary returns"),
        unit: LocalizedText::official_en("persons"),
        population: LocalizedText::official_en(population),
        aggregation: Aggregation::Sum,
        framework: None,
        code: None,
        smallest_count: 5,
    }
}

fn point(definition: u32) -> MeasurePoint {
    MeasurePoint {
        definition,
        subject: Subject::new("contracts/t05-eutf-sah-ml-07-02".parse().expect("a name")).expect("a subject"),
        period: Period::between("2015-01-01".parse().expect("a day"), "2025-12-31".parse().expect("a day")),
    }
}

fn number(text: &str) -> Figure {
    Figure::new(text.parse().expect("a number")).expect("a figure")
}

fn exact(text: &str) -> Quantity {
    Quantity::Exact(number(text))
}

fn value(definition: u32, quantity: Quantity) -> Value {
    Value { point: point(definition), quantity, source_status: SourceStatus::Official }
}

fn define(population: &str) -> IndicatorCommand {
    IndicatorCommand::Define { definition: definition(population), secretariat: None }
}

fn report(definition: u32, quantity: Quantity) -> IndicatorCommand {
    IndicatorCommand::ReportValue(value(definition, quantity))
}

fn restate(value_version: u64, quantity: Quantity) -> IndicatorCommand {
    IndicatorCommand::ProposeRestatement { value_version, value: quantity, source_status: SourceStatus::Official }
}

fn secretary() -> Act {
    act("partners/icmpd").with_role("secretariat")
}

fn reporter() -> Act {
    act(IOM).by("reporter").with_role("implementer")
}

fn colleague() -> Act {
    act(IOM).by("colleague").with_role("implementer")
}

/// Version 1 of the stream defines, version 2 reports 11,420.
fn returns() -> Given<Indicator> {
    given([]).and(&define("returns or repatriations"), &secretary()).and(&report(1, exact("11420")), &reporter())
}

#[test]
fn the_first_definition_is_version_one_and_the_next_one_two() {
    let defined = |version, population| IndicatorEvent::Defined { version, definition: definition(population) };
    given::<Indicator>([]).when(&define("returns"), &secretary()).then([defined(1, "returns")]);
    returns().when(&define("voluntary returns only"), &secretary()).then([defined(2, "voluntary returns only")]);
}

#[test]
fn the_same_definition_again_is_no_new_version() {
    returns().when(&define("returns or repatriations"), &secretary()).then_nothing();
}

#[test]
fn whoever_defined_it_first_defines_it_anew() {
    let other = act("partners/ml").with_role("secretariat");
    let refusal = MandateError::NotTheSecretariat { secretariat: "partners/icmpd".into() };
    returns().when(&define("returns"), &other).then_refused(refusal.into());
}

#[test]
fn a_framework_s_indicator_is_defined_by_its_secretariat() {
    let command =
        IndicatorCommand::Define { definition: definition("returns"), secretariat: Some("partners/eu".into()) };
    let refusal = MandateError::NotTheSecretariat { secretariat: "partners/eu".into() };
    given::<Indicator>([]).when(&command, &secretary()).then_refused(refusal.into());
}

#[test]
fn an_indicator_is_defined_by_a_secretariat() {
    let refusal = MandateError::RoleRequired { roles: &["secretariat"] };
    given::<Indicator>([]).when(&define("returns"), &reporter()).then_refused(refusal.into());
}

#[test]
fn nothing_is_measured_before_it_is_defined() {
    given::<Indicator>([]).when(&report(1, exact("1")), &reporter()).then_refused(IndicatorError::NotFound);
}

#[test]
fn values_and_targets_speak_of_a_definition_that_is_there() {
    let refusal = IndicatorError::DefinitionUnknown { definition: 2, latest: 1 };
    returns().when(&report(2, exact("3208")), &reporter()).then_refused(refusal.clone());
    let target = IndicatorCommand::SetTarget(Target { point: point(2), target: exact("4000") });
    returns().when(&target, &reporter()).then_refused(refusal);
}

#[test]
fn an_observer_reports_no_values() {
    let refusal = MandateError::RoleRequired { roles: &["focal_point", "contributor", "implementer"] };
    returns().when(&report(1, exact("7")), &act(IOM).with_role("observer")).then_refused(refusal.into());
}

#[test]
fn a_secretariat_reports_what_it_reads_in_a_source() {
    let command = report(1, Quantity::About(number("11000")));
    returns()
        .when(&command, &secretary().recorded_from_source_of(IOM))
        .then([IndicatorEvent::ValueReported(value(1, Quantity::About(number("11000"))))]);
}

#[test]
fn values_of_one_definition_subject_and_period_that_contradict_each_other_both_stand_and_are_flagged() {
    let past = returns().and(&report(1, exact("11000")), &reporter());
    let state = past.state();
    assert_eq!(state.values().len(), 2);
    assert!(state.values().iter().all(|value| state.is_contradicted(value)));
}

#[test]
fn values_of_two_definitions_never_contradict_each_other() {
    let past =
        returns().and(&define("voluntary returns only"), &secretary()).and(&report(2, exact("3208")), &reporter());
    let state = past.state();
    assert!(!state.values().iter().any(|value| state.is_contradicted(value)));
}

#[test]
fn values_of_two_periods_never_contradict_each_other() {
    let later = Value { point: MeasurePoint { period: Period::default(), ..point(1) }, ..value(1, exact("7")) };
    let past = returns().and(&IndicatorCommand::ReportValue(later), &reporter());
    let state = past.state();
    assert!(!state.values().iter().any(|value| state.is_contradicted(value)));
}

#[test]
fn words_stand_without_a_number() {
    let words = Quantity::InWords(Words::new(LocalizedText::official_fr("des dizaines")).expect("words"));
    returns().when(&report(1, words.clone()), &reporter()).then([IndicatorEvent::ValueReported(value(1, words))]);
}

#[test]
fn a_count_that_could_point_to_persons_is_not_taken() {
    let refusal = IndicatorError::CountTooSmall { smallest_count: 5 };
    for quantity in [exact("1"), Quantity::About(number("4.5")), Quantity::AtLeast(number("3"))] {
        returns().when(&report(1, quantity), &reporter()).then_refused(refusal.clone());
    }
    let zero = value(1, exact("0"));
    returns().when(&report(1, exact("0")), &reporter()).then([IndicatorEvent::ValueReported(zero)]);
}

#[test]
fn a_target_equal_to_the_value_says_why() {
    let target = Target { point: point(1), target: exact("11420") };
    let command = IndicatorCommand::SetTarget(target.clone());
    returns().when(&command, &reporter()).then_refused(IndicatorError::TargetCopiesValue);
    let why = reporter().because("the dataset gives the actual as target");
    returns().when(&command, &why).then([IndicatorEvent::TargetSet(target)]);
}

#[test]
fn a_wrong_value_is_restated_by_a_second_person_and_the_wrong_one_stays_readable() {
    let past = returns().and(&restate(2, exact("11402")), &reporter().because("digits swapped"));
    assert_eq!(past.state().values()[0].event.quantity, exact("11420"), "a proposal changes nothing");
    let past = past.and(&IndicatorCommand::ConfirmRestatement { proposal_version: 3 }, &colleague());
    assert_eq!(past.state().values()[0].event.quantity, exact("11402"));
    let restatement = &past.state().restatements()[0];
    assert_eq!(restatement.wrong.quantity, exact("11420"));
    assert_eq!(restatement.proposal.act.reason, "digits swapped");
    assert!(restatement.confirmation.is_some());
}

#[test]
fn the_person_who_proposed_a_restatement_does_not_confirm_it() {
    let past = returns().and(&restate(2, exact("11402")), &reporter().because("digits swapped"));
    past.when(&IndicatorCommand::ConfirmRestatement { proposal_version: 3 }, &reporter())
        .then_refused(IndicatorError::SamePerson);
}

#[test]
fn another_organisation_restates_nothing_of_ours() {
    let other = act("partners/ml").with_role("focal_point").because("we disagree");
    returns().when(&restate(2, exact("9")), &other).then_refused(IndicatorError::NotYourValue { version: 2 });
    let past = returns().and(&restate(2, exact("11402")), &reporter().because("digits swapped"));
    past.when(&IndicatorCommand::ConfirmRestatement { proposal_version: 3 }, &other)
        .then_refused(IndicatorError::NotYourValue { version: 2 });
}

#[test]
fn a_restatement_says_why_and_changes_something() {
    returns().when(&restate(2, exact("9")), &reporter()).then_refused(MandateError::ReasonRequired.into());
    returns()
        .when(&restate(2, exact("11420")), &reporter().because("as before"))
        .then_refused(IndicatorError::RestatementChangesNothing);
    returns()
        .when(&restate(2, exact("2")), &reporter().because("fewer"))
        .then_refused(IndicatorError::CountTooSmall { smallest_count: 5 });
}

#[test]
fn only_values_are_restated() {
    let why = reporter().because("a slip");
    returns().when(&restate(1, exact("9")), &why).then_refused(IndicatorError::ValueUnknown { version: 1 });
}

#[test]
fn a_restatement_is_confirmed_once_and_not_after_another_took_its_place() {
    let confirm = |proposal_version| IndicatorCommand::ConfirmRestatement { proposal_version };
    let closed = |version| IndicatorError::NoOpenRestatement { version };
    returns().when(&confirm(2), &colleague()).then_refused(closed(2));
    let past = returns()
        .and(&restate(2, exact("11402")), &reporter().because("digits swapped"))
        .and(&restate(2, exact("11240")), &reporter().because("digits swapped otherwise"))
        .and(&confirm(3), &colleague());
    past.when(&confirm(3), &colleague()).then_refused(closed(3));
    past.when(&confirm(4), &colleague()).then_refused(closed(4));
}

#[test]
fn a_correction_leaves_no_value_without_its_definition() {
    let right = IndicatorEvent::ValueReported(value(9, exact("11420")));
    let correction = Correction { mistaken_version: 2, right, effective_on: None };
    let refusal = IndicatorError::DefinitionUnknown { definition: 9, latest: 1 };
    let past = returns();
    let proposed = past.history().propose_correction(correction, &reporter().because("a slip"));
    assert_eq!(proposed, Err(CorrectionError::BreaksRule(refusal)));
    assert_eq!(past.state().check(), Ok(()));
}
