use event_sourcing::{
    Act, Aggregate as _, Correction, CorrectionError, Date, LocalizedText, Period,
    testing::{Given, act, given},
};

use super::*;
use crate::domain::{MandateError, Money, PlanItemKind, PlanItemReference};

const SECRETARIAT: &str = "partners/icmpd";

fn secretary() -> Act {
    act(SECRETARIAT).with_role("secretariat")
}

fn title() -> LocalizedText {
    LocalizedText::official_en("Rabat Process")
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

fn registered() -> FrameworkEvent {
    let kind = FrameworkKind::Dialogue;
    FrameworkEvent::Registered(Registration { title: title(), kind, secretariat: SECRETARIAT.into() })
}

fn adopted(plan: &str) -> FrameworkEvent {
    let validity = Period::between(day("2018-05-02"), day("2020-12-31"));
    FrameworkEvent::PlanAdopted { plan: plan.into(), title: title(), validity }
}

fn node(code: &str, parent: Option<&str>) -> NewItem {
    NewItem {
        code: code.into(),
        kind: PlanItemKind::Objective,
        parent: parent.map(Into::into),
        title: LocalizedText::default(),
    }
}

fn added(code: &str) -> FrameworkEvent {
    FrameworkEvent::ItemAdded { plan: "marrakesh".into(), item: node(code, None) }
}

fn marrakesh() -> Given<Framework> {
    given([registered(), adopted("marrakesh"), added("D5")])
}

fn counterpart() -> PlanItemReference {
    PlanItemReference {
        framework: "frameworks/jvap".parse().expect("a name"),
        plan: "valletta".into(),
        item: Some("D5".into()),
    }
}

#[test]
fn whoever_enters_a_framework_keeps_its_register() {
    let command = FrameworkCommand::Register { title: title(), kind: FrameworkKind::Dialogue };
    given::<Framework>([]).when(&command, &secretary()).then([registered()]);
}

#[test]
fn a_framework_is_entered_by_a_secretariat() {
    let command = FrameworkCommand::Register { title: title(), kind: FrameworkKind::Dialogue };
    let refusal = MandateError::RoleRequired { roles: &["secretariat"] };
    given::<Framework>([]).when(&command, &act(SECRETARIAT)).then_refused(refusal.into());
}

#[test]
fn a_framework_is_entered_once() {
    let command = FrameworkCommand::Register { title: title(), kind: FrameworkKind::Dialogue };
    marrakesh().when(&command, &secretary()).then_refused(FrameworkError::AlreadyExists);
}

#[test]
fn another_secretariat_does_not_add_plans() {
    let command = FrameworkCommand::AddPlan { plan: "cadiz".into(), title: title(), validity: Period::default() };
    let refusal = MandateError::NotTheSecretariat { secretariat: SECRETARIAT.into() };
    marrakesh().when(&command, &act("partners/ml").with_role("secretariat")).then_refused(refusal.into());
}

#[test]
fn a_plan_belongs_to_a_framework_that_is_there() {
    let command = FrameworkCommand::AddPlan { plan: "cadiz".into(), title: title(), validity: Period::default() };
    given::<Framework>([]).when(&command, &secretary()).then_refused(FrameworkError::NotFound);
}

#[test]
fn a_plan_s_code_is_used_once() {
    let command = FrameworkCommand::AddPlan { plan: "marrakesh".into(), title: title(), validity: Period::default() };
    let refusal = FrameworkError::PlanExists { plan: "marrakesh".into() };
    marrakesh().when(&command, &secretary()).then_refused(refusal);
}

#[test]
fn a_plan_is_prolonged_and_not_shortened() {
    let until = |date| FrameworkCommand::ProlongPlan { plan: "marrakesh".into(), valid_until: day(date) };
    let past = marrakesh().and(&until("2022-12-31"), &secretary());
    assert_eq!(past.state().plans()[0].validity.end, Some(day("2022-12-31")));
    past.when(&until("2022-12-31"), &secretary()).then_nothing();
    let refusal = FrameworkError::NotLater { end: day("2022-12-31") };
    past.when(&until("2021-12-31"), &secretary()).then_refused(refusal);
}

#[test]
fn items_hang_under_items_that_are_there() {
    let add = |items| FrameworkCommand::AddItems { plan: "marrakesh".into(), items };
    let past = marrakesh().and(&add(vec![node("9", Some("D5")), node("9.1", Some("9"))]), &secretary());
    assert_eq!(past.state().plans()[0].items.len(), 3);
    let refusal = FrameworkError::ItemUnknown { plan: "marrakesh".into(), item: "D9".into() };
    past.when(&add(vec![node("99", Some("D9"))]), &secretary()).then_refused(refusal);
}

#[test]
fn a_list_of_items_can_be_loaded_twice_and_a_code_not_used_for_two() {
    let add = |items| FrameworkCommand::AddItems { plan: "marrakesh".into(), items };
    marrakesh().when(&add(vec![node("D5", None)]), &secretary()).then_nothing();
    let other = NewItem { kind: PlanItemKind::Domain, ..node("D5", None) };
    let refusal = FrameworkError::ItemExists { plan: "marrakesh".into(), item: "D5".into() };
    marrakesh().when(&add(vec![other]), &secretary()).then_refused(refusal);
}

#[test]
fn an_item_corresponds_to_an_item_of_another_plan_once() {
    let command =
        FrameworkCommand::LinkItem { plan: "marrakesh".into(), item: Some("D5".into()), counterpart: counterpart() };
    let past = marrakesh().and(&command, &secretary());
    assert_eq!(past.state().plans()[0].items[0].counterparts, [counterpart()]);
    past.when(&command, &secretary()).then_nothing();
}

#[test]
fn a_plan_as_a_whole_corresponds_too() {
    let command = FrameworkCommand::LinkItem { plan: "marrakesh".into(), item: None, counterpart: counterpart() };
    let past = marrakesh().and(&command, &secretary());
    assert_eq!(past.state().plans()[0].counterparts, [counterpart()]);
}

#[test]
fn counts_that_differ_by_source_all_stand() {
    let count = |count| FrameworkCommand::RecordCount { plan: "marrakesh".into(), kind: PlanItemKind::Action, count };
    let past = marrakesh().and(&count(29), &secretary()).and(&count(31), &secretary()).and(&count(21), &secretary());
    let counts: Vec<_> = past.state().plans()[0].counts.iter().map(|count| count.event.1).collect();
    assert_eq!(counts, [29, 31, 21]);
}

#[test]
fn a_cost_stays_in_the_currency_of_its_source() {
    let cost = Money { currency: "XOF".into(), minor_units: 120_000_000_000 };
    let command = FrameworkCommand::RecordCost { plan: "marrakesh".into(), cost: cost.clone() };
    let past = marrakesh().and(&command, &secretary());
    assert_eq!(past.state().plans()[0].costs[0].event, cost);
}

#[test]
fn what_is_said_of_a_plan_that_is_not_there_is_refused() {
    let plan = || String::from("madrid");
    let refusal = FrameworkError::PlanUnknown { plan: plan() };
    for command in [
        FrameworkCommand::ProlongPlan { plan: plan(), valid_until: day("2022-12-31") },
        FrameworkCommand::AddItems { plan: plan(), items: vec![node("1", None)] },
        FrameworkCommand::LinkItem { plan: plan(), item: None, counterpart: counterpart() },
        FrameworkCommand::RecordCount { plan: plan(), kind: PlanItemKind::Action, count: 1 },
        FrameworkCommand::RecordCost { plan: plan(), cost: Money { currency: "XOF".into(), minor_units: 1 } },
    ] {
        marrakesh().when(&command, &secretary()).then_refused(refusal.clone());
    }
}

#[test]
fn a_reference_country_leads_an_item_that_is_there() {
    let lead = |item: &str| FrameworkCommand::DesignateReferenceCountry {
        plan: "marrakesh".into(),
        designation: ReferenceCountry { item: item.into(), partner: "partners/ml".into(), term: Period::default() },
    };
    let past = marrakesh().and(&lead("D5"), &secretary());
    assert_eq!(past.state().plans()[0].reference_countries[0].event.partner, "partners/ml");
    let refusal = FrameworkError::ItemUnknown { plan: "marrakesh".into(), item: "D6".into() };
    past.when(&lead("D6"), &secretary()).then_refused(refusal);
}

#[test]
fn others_find_only_places_that_are_there() {
    let past = marrakesh();
    let place = |plan: &str, item: Option<&str>| PlanItemReference {
        framework: "frameworks/rabat-process".parse().expect("a name"),
        plan: plan.into(),
        item: item.map(Into::into),
    };
    let has = |reference: PlanItemReference| past.state().has(&reference);
    assert_eq!(has(place("marrakesh", Some("D5"))), Ok(()));
    assert_eq!(has(place("marrakesh", None)), Ok(()));
    assert_eq!(has(place("cadiz", None)), Err(FrameworkError::PlanUnknown { plan: "cadiz".into() }));
    let unknown = FrameworkError::ItemUnknown { plan: "marrakesh".into(), item: "7".into() };
    assert_eq!(has(place("marrakesh", Some("7"))), Err(unknown));
    assert_eq!(Framework::default().has(&place("marrakesh", None)), Err(FrameworkError::NotFound));
}

#[test]
fn a_correction_does_not_take_away_the_plan_that_items_hang_on() {
    let past = given::<Framework>([])
        .and(&FrameworkCommand::Register { title: title(), kind: FrameworkKind::Dialogue }, &secretary());
    let past = past
        .and(
            &FrameworkCommand::AddPlan { plan: "marrakesh".into(), title: title(), validity: Period::default() },
            &secretary(),
        )
        .and(&FrameworkCommand::AddItems { plan: "marrakesh".into(), items: vec![node("D5", None)] }, &secretary());
    let renamed = Correction { mistaken_version: 2, right: adopted("marrakech"), effective_on: None };
    let refusal = FrameworkError::PlanUnknown { plan: "marrakesh".into() };
    let proposed = past.history().propose_correction(renamed, &secretary().because("a slip"));
    assert_eq!(proposed, Err(CorrectionError::BreaksRule(refusal)));
    assert_eq!(past.state().check(), Ok(()));
}
