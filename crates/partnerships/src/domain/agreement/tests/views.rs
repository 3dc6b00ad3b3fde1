//! Whether it binds, as the parties see it (rule A7).

use super::{super::state::Nature, *};

fn declare(party: &str, view: BindingNature) -> AgreementCommand {
    AgreementCommand::DeclareView { party: party.into(), view }
}

fn declared(party: &str, view: BindingNature) -> AgreementEvent {
    AgreementEvent::ViewDeclared { party: party.into(), view }
}

fn communique() -> Given<Agreement> {
    let mut communique = registration(AgreementScope::Bilateral, &[MALI, UNION], EntryIntoForce::NotProvided);
    communique.form = AgreementForm::JointCommunique;
    communique.declared_nature = BindingNature::NonBinding;
    registered(communique)
}

fn contested() -> AgreementEvent {
    let views = vec![(UNION.into(), BindingNature::Binding), (MALI.into(), BindingNature::NonBinding)];
    AgreementEvent::NatureContested { views }
}

fn dispute() -> Given<Agreement> {
    communique()
        .and(&declare(UNION, BindingNature::Binding), &own(UNION).on("2016-12-11"))
        .and(&declare(MALI, BindingNature::NonBinding), &own(MALI).on("2016-12-14"))
}

#[test]
fn one_partys_view_contests_nothing() {
    communique()
        .when(&declare(UNION, BindingNature::Binding), &own(UNION))
        .then([declared(UNION, BindingNature::Binding)]);
}

#[test]
fn two_different_views_contest_it_from_the_day_of_the_second() {
    communique()
        .and(&declare(MALI, BindingNature::NonBinding), &own(MALI).on("2016-12-14"))
        .when(&declare(UNION, BindingNature::Binding), &own(UNION).on("2016-12-11"))
        .then_dated([dated(declared(UNION, BindingNature::Binding), "2016-12-11"), dated(contested(), "2016-12-14")]);
}

#[test]
fn views_that_sources_report_contest_it_too() {
    communique()
        .and(&declare(UNION, BindingNature::Binding), &published(UNION).on("2016-12-11"))
        .when(&declare(MALI, BindingNature::NonBinding), &published(MALI).on("2016-12-14"))
        .then([declared(MALI, BindingNature::NonBinding), contested()]);
}

#[test]
fn it_is_contested_as_of_the_day_and_not_before() {
    let nature = |as_of| dispute().history().state_as_of(day(as_of)).registered().expect("an agreement").nature;
    assert_eq!(nature("2016-12-13"), Nature::Agreed(BindingNature::NonBinding));
    assert_eq!(nature("2016-12-14"), Nature::Contested);
}

#[test]
fn a_new_view_withdraws_the_old_one_and_may_settle_it() {
    dispute().when(&declare(UNION, BindingNature::NonBinding), &own(UNION).on("2017-01-05")).then_dated([
        dated(declared(UNION, BindingNature::NonBinding), "2017-01-05"),
        dated(AgreementEvent::NatureSettled { nature: BindingNature::NonBinding }, "2017-01-05"),
    ]);
}

#[test]
fn an_older_view_learned_of_later_withdraws_nothing() {
    dispute()
        .when(&declare(UNION, BindingNature::NonBinding), &own(UNION).on("2016-06-01"))
        .then([declared(UNION, BindingNature::NonBinding)]);
}

#[test]
fn no_source_speaks_over_a_partys_own_view() {
    dispute()
        .when(&declare(UNION, BindingNature::NonBinding), &published(UNION).on("2017-01-05"))
        .then([declared(UNION, BindingNature::NonBinding)]);
}

#[test]
fn a_later_view_that_a_source_reported_counts_once_it_is_confirmed() {
    let past = dispute().and(&declare(UNION, BindingNature::NonBinding), &published(UNION).on("2017-01-05"));
    let settled = past.and(&confirm(5), &own(UNION));
    assert_eq!(instrument(&settled).nature, Nature::Agreed(BindingNature::NonBinding));
}

#[test]
fn the_same_view_of_the_same_day_is_declared_once() {
    dispute().when(&declare(UNION, BindingNature::Binding), &own(UNION).on("2016-12-11")).then_nothing();
}

#[test]
fn a_party_declares_no_view_for_another() {
    communique()
        .when(&declare(UNION, BindingNature::Binding), &own(MALI))
        .then_refused(ActError::ActsForAnother { organisation: MALI.into(), on_behalf_of: UNION.into() }.into());
    communique()
        .when(&declare(FRANCE, BindingNature::Binding), &own(FRANCE))
        .then_refused(AgreementError::NotAParty { organisation: FRANCE.into() });
}
