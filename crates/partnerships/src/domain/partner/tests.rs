use event_sourcing::{
    Basis, Correction, CorrectionError, Date, LocalizedText,
    testing::{act, given, given_acts},
};

use super::*;
use crate::domain::fact::Standing;

const SECRETARIAT: &str = "partners/toguna-secretariat";

fn secretariat() -> Act {
    act(SECRETARIAT).with_role("secretariat")
}

fn names(full: &str) -> Names {
    Names { full: LocalizedText::official_fr(full), short: LocalizedText::default() }
}

fn profile(kind: PartnerKind) -> Profile {
    Profile { kind, names: names("Mali"), country: "ML".parse().ok(), parent: None }
}

fn mali() -> PartnerEvent {
    PartnerEvent::Registered(profile(PartnerKind::State))
}

fn origin_from(date: &str) -> (Act, PartnerEvent) {
    (secretariat().on(date), PartnerEvent::RoleStarted { role: MigrationRole::Origin })
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

#[test]
fn the_secretariat_registers_a_partner() {
    given::<Partner>([]).when(&PartnerCommand::Register(profile(PartnerKind::State)), &secretariat()).then([mali()]);
}

#[test]
fn nobody_else_registers_a_partner() {
    given::<Partner>([])
        .when(&PartnerCommand::Register(profile(PartnerKind::State)), &act("partners/ml").with_role("focal_point"))
        .then_refused(PartnerError::Act(ActError::RoleRequired { roles: REGISTRARS }));
}

#[test]
fn registering_the_same_partner_again_changes_nothing() {
    given::<Partner>([mali()])
        .when(&PartnerCommand::Register(profile(PartnerKind::State)), &secretariat())
        .then_nothing();
}

#[test]
fn a_name_is_given_to_one_partner() {
    given::<Partner>([mali()])
        .when(&PartnerCommand::Register(profile(PartnerKind::Ministry)), &secretariat())
        .then_refused(PartnerError::AlreadyRegistered);
}

#[test]
fn a_state_and_its_bodies_have_a_country() {
    for kind in [PartnerKind::State, PartnerKind::Ministry, PartnerKind::PublicAgency, PartnerKind::LocalAuthority] {
        given::<Partner>([])
            .when(&PartnerCommand::Register(Profile { country: None, ..profile(kind) }), &secretariat())
            .then_refused(PartnerError::CountryRequired);
    }
}

#[test]
fn an_organisation_of_states_has_none() {
    let union = Profile { country: None, ..profile(PartnerKind::RegionalOrganisation) };
    given::<Partner>([])
        .when(&PartnerCommand::Register(union.clone()), &secretariat())
        .then([PartnerEvent::Registered(union)]);
}

#[test]
fn what_is_not_registered_takes_no_command() {
    for command in [
        PartnerCommand::Rename(names("Mali")),
        PartnerCommand::StartRole(MigrationRole::Origin),
        PartnerCommand::ConfirmRecord { version: 1 },
    ] {
        given::<Partner>([]).when(&command, &secretariat()).then_refused(PartnerError::NotRegistered);
    }
}

#[test]
fn a_partner_is_known_under_its_names_of_the_day() {
    let renamed = given::<Partner>([mali()])
        .and(&PartnerCommand::Rename(names("Mali 2020")), &secretariat().on("2020-05-01"))
        .and(&PartnerCommand::Rename(names("Mali 2010")), &secretariat().on("2010-05-01"));
    let known = |as_of| renamed.history().state_as_of(day(as_of)).registered().expect("Mali").profile.names.clone();
    assert_eq!(known("2009-12-31"), names("Mali"));
    assert_eq!(known("2010-05-01"), names("Mali 2010"));
    assert_eq!(known("2020-05-01"), names("Mali 2020"));
}

#[test]
fn the_same_names_again_change_nothing() {
    given::<Partner>([mali()]).when(&PartnerCommand::Rename(names("Mali")), &secretariat()).then_nothing();
}

#[test]
fn a_body_moves_to_another_ministry() {
    let parent = Some(String::from("partners/ml-mmeia"));
    let command = PartnerCommand::ChangeParent {
        parent: parent.clone(),
        ancestors: vec!["partners/ml".into()],
        name: "partners/ml-agency".into(),
    };
    given::<Partner>([mali()]).when(&command, &secretariat()).then([PartnerEvent::ParentChanged { parent }]);
}

#[test]
fn no_partner_is_a_part_of_itself() {
    let command = |parent: &str, ancestors: &[&str]| PartnerCommand::ChangeParent {
        parent: Some(parent.into()),
        ancestors: ancestors.iter().map(|name| (*name).into()).collect(),
        name: "partners/ml".into(),
    };
    for command in [command("partners/ml", &[]), command("partners/ml-mmeia", &["partners/ml"])] {
        let PartnerCommand::ChangeParent { parent: Some(parent), .. } = command.clone() else { unreachable!() };
        given::<Partner>([mali()])
            .when(&command, &secretariat())
            .then_refused(PartnerError::ParentCycle { parent, partner: "partners/ml".into() });
    }
}

#[test]
fn a_state_has_several_roles_from_different_days() {
    given::<Partner>([mali(), origin_from("2000").1])
        .when(&PartnerCommand::StartRole(MigrationRole::Transit), &secretariat().on("2010"))
        .then([PartnerEvent::RoleStarted { role: MigrationRole::Transit }]);
}

#[test]
fn a_role_is_held_once_at_a_time() {
    let state = given_acts::<Partner>([(secretariat(), mali()), origin_from("2000")]);
    state.when(&PartnerCommand::StartRole(MigrationRole::Origin), &secretariat().on("2000")).then_nothing();
    let since = state.state().registered().expect("Mali").roles[0].1.start;
    state
        .when(&PartnerCommand::StartRole(MigrationRole::Origin), &secretariat().on("2010"))
        .then_refused(PartnerError::RoleHeld { since });
}

#[test]
fn an_earlier_time_in_a_role_may_be_recorded_later() {
    given_acts::<Partner>([(secretariat(), mali()), origin_from("2000")])
        .when(&PartnerCommand::StartRole(MigrationRole::Origin), &secretariat().on("1980"))
        .then([PartnerEvent::RoleStarted { role: MigrationRole::Origin }]);
}

#[test]
fn a_role_ends_and_is_readable_as_of_the_days_before() {
    let ended = given_acts::<Partner>([(secretariat(), mali()), origin_from("2000-01-01")])
        .and(&PartnerCommand::EndRole(MigrationRole::Origin), &secretariat().on("2015-06-30"));
    let lasts = |as_of| ended.history().state_as_of(day(as_of)).registered().expect("Mali").roles[0].1.end.is_none();
    assert!(lasts("2015-06-29"));
    assert!(!lasts("2015-06-30"));
}

#[test]
fn a_role_that_is_not_held_does_not_end() {
    given_acts::<Partner>([(secretariat(), mali()), origin_from("2000")])
        .when(&PartnerCommand::EndRole(MigrationRole::Host), &secretariat())
        .then_refused(PartnerError::RoleNotHeld);
}

#[test]
fn only_states_have_roles() {
    given::<Partner>([PartnerEvent::Registered(profile(PartnerKind::Bank))])
        .when(&PartnerCommand::StartRole(MigrationRole::Host), &secretariat())
        .then_refused(PartnerError::NotAState);
}

#[test]
fn a_partner_confirms_what_is_recorded_of_it() {
    let (by_source, role) = origin_from("2000");
    let by_source = by_source.recorded_from_source_of("partners/ml");
    let recorded = given_acts::<Partner>([(secretariat(), mali()), (by_source, role)]);
    let standing = |partner: &Partner| {
        let partner = partner.registered().expect("Mali");
        partner.records.standing(&partner.roles[0].1.start)
    };
    assert_eq!(standing(recorded.state()), Standing::Unconfirmed);
    let mali = act("partners/ml").with_role("focal_point");
    let confirmed = recorded.and(&PartnerCommand::ConfirmRecord { version: 2 }, &mali);
    assert_eq!(standing(confirmed.state()), Standing::Confirmed);
    confirmed.when(&PartnerCommand::ConfirmRecord { version: 2 }, &mali).then_nothing();
}

#[test]
fn a_record_is_confirmed_by_its_organisation_itself() {
    let (by_source, role) = origin_from("2000");
    let by_source = by_source.recorded_from_source_of("partners/ml");
    let recorded = given_acts::<Partner>([(secretariat(), mali()), (by_source, role)]);
    let confirm = |version| PartnerCommand::ConfirmRecord { version };
    let mali = || act("partners/ml").with_role("focal_point");
    recorded.when(&confirm(1), &mali()).then_refused(ActError::NothingToConfirm { version: 1 }.into());
    recorded
        .when(&confirm(2), &act("partners/fr").with_role("focal_point"))
        .then_refused(ActError::NotYoursToConfirm { version: 2, organisation: "partners/ml".into() }.into());
    recorded
        .when(&confirm(2), &act("partners/ml"))
        .then_refused(ActError::RoleRequired { roles: super::super::act::SPEAKERS }.into());
    recorded
        .when(&confirm(2), &Act { basis: Basis::RecordedFromSource, ..mali() })
        .then_refused(ActError::OwnActRequired { organisation: "partners/ml".into() }.into());
}

#[test]
fn a_correction_may_not_take_a_state_with_roles_for_a_bank() {
    let state = given_acts::<Partner>([(secretariat(), mali()), origin_from("2000")]);
    let correction = Correction {
        mistaken_version: 1,
        right: PartnerEvent::Registered(profile(PartnerKind::Bank)),
        effective_on: None,
    };
    assert_eq!(
        state.history().propose_correction(correction, &secretariat().because("a slip")),
        Err(CorrectionError::BreaksRule(PartnerError::NotAState))
    );
}
