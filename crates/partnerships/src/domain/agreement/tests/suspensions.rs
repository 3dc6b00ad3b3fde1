//! Suspension by a party, and resumption (rule A6).

use super::*;

fn suspend(party: &str) -> AgreementCommand {
    AgreementCommand::Suspend { party: party.into() }
}

fn resume(party: &str) -> AgreementCommand {
    AgreementCommand::Resume { party: party.into() }
}

fn suspended(party: &str) -> AgreementEvent {
    AgreementEvent::Suspended { party: party.into() }
}

fn resumed(party: &str, still: &[&str]) -> AgreementEvent {
    let still_suspended_by = still.iter().map(|party| (*party).into()).collect();
    AgreementEvent::Resumed { party: party.into(), still_suspended_by }
}

#[test]
fn a_party_suspends_from_a_day_that_may_still_come() {
    let past = in_force().and(&suspend(MALI), &own(MALI).today("2022-11-21").on("2022-12-01"));
    assert_eq!(phase(&past, "2022-11-30"), Phase::InForce);
    assert_eq!(phase(&past, "2022-12-01"), Phase::Suspended);
}

#[test]
fn a_suspension_has_a_date() {
    in_force().when(&suspend(MALI), &own(MALI).on_unknown_date()).then_refused(ActError::DateRequired.into());
    in_force().when(&resume(MALI), &own(MALI).on_unknown_date()).then_refused(ActError::DateRequired.into());
}

#[test]
fn what_does_not_operate_is_not_suspended() {
    convention().when(&suspend(MALI), &own(MALI)).then_refused(AgreementError::NotInOperation);
    in_force().when(&suspend(MALI), &own(MALI).on("2014-12-31")).then_refused(AgreementError::NotInOperation);
}

#[test]
fn what_is_applied_provisionally_or_has_no_entry_into_force_operates_too() {
    let applied = convention().and(&AgreementCommand::ApplyProvisionally, &own(MALI).on("2014-01-01"));
    applied.when(&suspend(MALI), &own(MALI).on("2014-06-01")).then([suspended(MALI)]);
    registered(registration(AgreementScope::Bilateral, &[MALI, UNION], EntryIntoForce::NotProvided))
        .and(&sign(MALI, SignatureKind::Definitive), &own(MALI).on("2016-12-11"))
        .when(&suspend(MALI), &own(MALI).on("2016-12-29"))
        .then([suspended(MALI)]);
}

#[test]
fn a_party_suspends_once() {
    let past = in_force().and(&suspend(MALI), &own(MALI).on("2016-01-01"));
    past.when(&suspend(MALI), &own(MALI).on("2016-01-01")).then_nothing();
    past.when(&suspend(MALI), &own(MALI).on("2016-02-01")).then_refused(AgreementError::AlreadySuspended {
        party: MALI.into(),
        since: "2016-01-01".parse().expect("a date"),
    });
}

#[test]
fn it_operates_again_when_every_party_that_suspended_it_resumes() {
    let past = in_force()
        .and(&suspend(MALI), &own(MALI).on("2016-01-01"))
        .and(&suspend(FRANCE), &own(FRANCE).on("2016-02-01"));
    past.when(&resume(MALI), &own(MALI).on("2016-03-01")).then([resumed(MALI, &[FRANCE])]);
    let past = past.and(&resume(MALI), &own(MALI).on("2016-03-01"));
    assert_eq!(phase(&past, "2016-03-01"), Phase::Suspended);
    past.when(&resume(FRANCE), &own(FRANCE).on("2016-04-01")).then([resumed(FRANCE, &[])]);
    let past = past.and(&resume(FRANCE), &own(FRANCE).on("2016-04-01"));
    assert_eq!(phase(&past, "2016-04-01"), Phase::InForce);
    past.when(&resume(FRANCE), &own(FRANCE).on("2016-04-01")).then_nothing();
}

#[test]
fn what_is_not_suspended_is_not_resumed() {
    in_force().when(&resume(MALI), &own(MALI)).then_refused(AgreementError::NotSuspended { party: MALI.into() });
}

#[test]
fn nothing_is_resumed_before_it_was_suspended() {
    in_force()
        .and(&suspend(MALI), &own(MALI).on("2016-02-01"))
        .when(&resume(MALI), &own(MALI).on("2016-01"))
        .then_refused(AgreementError::EndsBeforeItBegan {
            beginning: "2016-02-01".parse().expect("a date"),
            end: "2016-01".parse().expect("a date"),
        });
}

#[test]
fn a_suspension_that_a_source_reports_suspends_nothing_until_the_party_confirms_it() {
    let past = in_force().and(&suspend(FRANCE), &published(FRANCE).on("2022-11"));
    assert_eq!(phase(&past, "2022-11-30"), Phase::InForce);
    assert!(instrument(&past).parties[FRANCE].suspension().is_some(), "it is shown");
    assert_eq!(phase(&past.clone().and(&confirm(5), &own(FRANCE)), "2022-11-30"), Phase::Suspended);
    past.when(&suspend(FRANCE), &own(FRANCE).on("2022-11-17")).then([suspended(FRANCE)]);
    past.when(&resume(FRANCE), &published(FRANCE).on("2023-01-01")).then([resumed(FRANCE, &[])]);
}

#[test]
fn a_resumption_tells_of_no_suspension_that_only_a_source_reports() {
    in_force()
        .and(&suspend(MALI), &own(MALI).on("2022-11-21"))
        .and(&suspend(FRANCE), &published(FRANCE).on("2022-11-17"))
        .when(&resume(MALI), &own(MALI).on("2023-01-01"))
        .then([resumed(MALI, &[])]);
}

#[test]
fn no_source_resumes_what_a_party_suspended_itself() {
    in_force()
        .and(&suspend(FRANCE), &own(FRANCE).on("2022-11-17"))
        .when(&resume(FRANCE), &published(FRANCE).on("2023-01-01"))
        .then_refused(ActError::OwnActRequired { organisation: FRANCE.into() }.into());
}
