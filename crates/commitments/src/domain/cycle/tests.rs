use event_sourcing::testing::{act, given};

use super::*;

const SECRETARIAT: &str = "partners/icmpd";

fn opening() -> Opening {
    Opening {
        framework: "frameworks/jvap".parse().expect("a name"),
        title: LocalizedText::official_en("2018 data collection cycle"),
        covers: Period::default(),
        due_on: None,
    }
}

fn open() -> CycleCommand {
    CycleCommand::Open { opening: opening(), secretariat: SECRETARIAT.into() }
}

fn close() -> CycleCommand {
    CycleCommand::Close { secretariat: SECRETARIAT.into() }
}

fn secretary() -> Act {
    act(SECRETARIAT).with_role("secretariat")
}

#[test]
fn the_secretariat_opens_a_cycle_and_closes_it() {
    given::<Cycle>([]).when(&open(), &secretary()).then([CycleEvent::Opened(opening())]);
    given::<Cycle>([CycleEvent::Opened(opening())]).when(&close(), &secretary()).then([CycleEvent::Closed]);
}

#[test]
fn an_open_cycle_takes_reports_and_a_closed_one_does_not() {
    let past = given::<Cycle>([]).and(&open(), &secretary());
    assert!(past.state().is_open());
    assert!(!past.and(&close(), &secretary()).state().is_open());
}

#[test]
fn closing_it_twice_changes_nothing() {
    given::<Cycle>([CycleEvent::Opened(opening()), CycleEvent::Closed]).when(&close(), &secretary()).then_nothing();
}

#[test]
fn a_cycle_that_was_never_opened_cannot_be_closed() {
    given::<Cycle>([]).when(&close(), &secretary()).then_refused(CycleError::NotFound);
}

#[test]
fn a_name_is_used_for_one_cycle() {
    given::<Cycle>([CycleEvent::Opened(opening())]).when(&open(), &secretary()).then_refused(CycleError::AlreadyExists);
}

#[test]
fn a_focal_point_does_not_open_cycles() {
    let refusal = MandateError::RoleRequired { roles: &["secretariat"] };
    given::<Cycle>([]).when(&open(), &act(SECRETARIAT).with_role("focal_point")).then_refused(refusal.into());
}

#[test]
fn another_framework_s_secretariat_does_not_open_or_close_this_one_s_cycles() {
    let other = act("partners/ecowas").with_role("secretariat");
    let refusal = MandateError::NotTheSecretariat { secretariat: SECRETARIAT.into() };
    given::<Cycle>([]).when(&open(), &other).then_refused(refusal.clone().into());
    given::<Cycle>([CycleEvent::Opened(opening())]).when(&close(), &other).then_refused(refusal.into());
}
