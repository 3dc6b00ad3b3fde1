//! Whom an amendment binds (rule A4).

use super::*;

fn propose(title: &str) -> AgreementCommand {
    AgreementCommand::ProposeAmendment { amendment_id: "a1".into(), title: LocalizedText::official_fr(title) }
}

fn accept(party: &str) -> AgreementCommand {
    AgreementCommand::AcceptAmendment { amendment_id: "a1".into(), party: party.into() }
}

fn accepted(party: &str) -> AgreementEvent {
    AgreementEvent::AmendmentAccepted { amendment_id: "a1".into(), party: party.into() }
}

fn binds(parties: &[&str]) -> AgreementEvent {
    let parties = parties.iter().map(|party| (*party).into()).collect();
    AgreementEvent::Amended { amendment_id: "a1".into(), parties, ground: Ground::Rule }
}

#[test]
fn an_amendment_is_proposed_once() {
    let past = in_force().and(&propose("Avenant"), &own(MALI));
    past.when(&propose("Avenant"), &own(FRANCE)).then_nothing();
    past.when(&propose("Autre avenant"), &own(MALI)).then_refused(AgreementError::AlreadyRecorded { version: 5 });
}

#[test]
fn only_what_is_proposed_is_accepted() {
    in_force().when(&accept(MALI), &own(MALI)).then_refused(AgreementError::NoSuchAmendment { amendment: "a1".into() });
}

#[test]
fn of_two_parties_both_must_accept() {
    let past = in_force().and(&propose("Avenant"), &own(MALI));
    past.when(&accept(MALI), &own(MALI)).then([accepted(MALI)]);
    past.and(&accept(MALI), &own(MALI).on("2016-05-01"))
        .when(&accept(FRANCE), &own(FRANCE).on("2016-04-01"))
        .then_dated([dated(accepted(FRANCE), "2016-04-01"), dated(binds(&[FRANCE, MALI]), "2016-05-01")]);
}

#[test]
fn of_several_parties_those_that_accept_are_bound() {
    let past = open_treaty(EntryIntoForce::NotProvided)
        .and(&propose("Avenant"), &own(MALI))
        .and(&accept(MALI), &own(MALI).on("2016-04-01"));
    past.when(&accept(FRANCE), &own(FRANCE).on("2016-05-01"))
        .then_dated([dated(accepted(FRANCE), "2016-05-01"), dated(binds(&[FRANCE, MALI]), "2016-05-01")]);
    let past = past.and(&accept(FRANCE), &own(FRANCE).on("2016-05-01"));
    past.when(&accept(UNION), &own(UNION).on("2017-01-01"))
        .then_dated([dated(accepted(UNION), "2017-01-01"), dated(binds(&[UNION]), "2017-01-01")]);
}

#[test]
fn an_instrument_may_let_some_acceptances_bind_all() {
    let mut treaty = registration(AgreementScope::Regional, &[MALI, FRANCE, UNION], EntryIntoForce::NotProvided);
    treaty.terms.amendment = AmendmentRule::AllAfterAcceptances(2);
    registered(treaty)
        .and(&propose("Avenant"), &own(MALI))
        .and(&accept(MALI), &own(MALI).on("2016-04-01"))
        .when(&accept(UNION), &own(UNION).on("2016-05-01"))
        .then_dated([dated(accepted(UNION), "2016-05-01"), dated(binds(&[UNION, FRANCE, MALI]), "2016-05-01")]);
}

#[test]
fn a_party_accepts_once() {
    let past = in_force().and(&propose("Avenant"), &own(MALI)).and(&accept(MALI), &own(MALI).on("2016-04-01"));
    past.when(&accept(MALI), &own(MALI).on("2016-04-01")).then_nothing();
    past.when(&accept(MALI), &own(MALI).on("2016-04-02")).then_refused(AgreementError::AlreadyRecorded { version: 6 });
}

#[test]
fn an_acceptance_that_a_source_reports_binds_once_it_is_confirmed() {
    let past = in_force().and(&propose("Avenant"), &own(MALI)).and(&accept(MALI), &own(MALI).on("2016-04-01"));
    past.when(&accept(FRANCE), &published(FRANCE).on("2016-05-01")).then([accepted(FRANCE)]);
    let past = past.and(&accept(FRANCE), &published(FRANCE).on("2016-05-01")).and(&confirm(7), &own(FRANCE));
    let effect = instrument(&past).amendments[0].binds[FRANCE];
    assert_eq!(effect.on, "2016-05-01".parse().ok());
}

#[test]
fn a_source_states_whom_an_amendment_binds() {
    let effect = |parties: &[&str]| AgreementCommand::RecordAmendmentEffect {
        amendment_id: "a1".into(),
        parties: parties.iter().map(|party| (*party).into()).collect(),
    };
    let past = in_force().and(&propose("Prolongation"), &published(FRANCE).on("2019-12-01"));
    let stated = past.and(&effect(&[]), &published(FRANCE).on("2019-12-15"));
    assert_eq!(instrument(&stated).amendments[0].binds.len(), 2);
    stated.when(&effect(&[MALI]), &published(FRANCE).on("2019-12-15")).then_nothing();
    in_force()
        .when(&effect(&[]), &published(FRANCE))
        .then_refused(AgreementError::NoSuchAmendment { amendment: "a1".into() });
    stated
        .when(&effect(&[SPAIN]), &published(FRANCE))
        .then_refused(AgreementError::NotAParty { organisation: SPAIN.into() });
    stated.when(&effect(&[]), &own(MALI)).then_refused(AgreementError::StatedByDepositaryOrSource);
}
