//! Entry into force by the instrument’s own rule, or as stated (rules A1 and A3).

use super::*;

const DEFINITIVE: SignatureKind = SignatureKind::Definitive;

fn constitutive_agreement() -> Given<Agreement> {
    let rule = EntryIntoForce::OnSignature { parties: vec![UNION.into()], others: 1 };
    let mut agreement = registration(AgreementScope::Regional, &[UNION, FRANCE, SPAIN], rule);
    agreement.depositary = Some(UNION.into());
    registered(agreement)
}

#[test]
fn it_enters_into_force_with_the_signature_that_fulfils_its_rule() {
    constitutive_agreement()
        .and(&sign(UNION, DEFINITIVE), &own(UNION).on("2015-11-12"))
        .when(&sign(FRANCE, DEFINITIVE), &own(FRANCE).on("2015-11-12"))
        .then_dated([dated(signed(FRANCE, DEFINITIVE), "2015-11-12"), dated(force_by_rule(), "2015-11-12")]);
}

#[test]
fn it_enters_into_force_so_many_days_after_the_last_notification() {
    let rule = EntryIntoForce::AfterLastConsent { delay: Delay::Days(30) };
    registered(registration(AgreementScope::Bilateral, &[MALI, FRANCE], rule))
        .and(&ratify(MALI), &own(MALI).on("2016-02-01"))
        .when(&ratify(FRANCE), &own(FRANCE).on("2016-01-01"))
        .then_dated([dated(ratified(FRANCE), "2016-01-01"), dated(force_by_rule(), "2016-03-02")]);
}

#[test]
fn it_enters_into_force_on_the_first_day_of_a_month_to_come() {
    let rule = EntryIntoForce::AfterConsents { consents: 2, delay: Delay::FirstOfMonth(2) };
    let past = open_treaty(rule)
        .and(&ratify(MALI), &own(MALI).on("2019-10-15"))
        .and(&ratify(FRANCE), &own(FRANCE).on("2019-12-31"));
    assert_eq!(phase(&past, "2020-01-31"), Phase::Signed);
    assert_eq!(phase(&past, "2020-02-01"), Phase::InForce);
}

#[test]
fn a_consent_recorded_later_leaves_the_date_as_it_is() {
    let past = constitutive_agreement()
        .and(&sign(UNION, DEFINITIVE), &own(UNION).on("2015-11-12"))
        .and(&sign(FRANCE, DEFINITIVE), &own(FRANCE).on("2015-11-12"));
    past.when(&ratify(SPAIN), &own(SPAIN).on("2015-11-01")).then([ratified(SPAIN)]);
}

#[test]
fn it_may_be_in_force_before_consents_are_given() {
    let rule = EntryIntoForce::OnDate("2015-11-12".parse().expect("a date"));
    open_treaty(rule)
        .and(&ratify(MALI), &own(MALI).on("2016-01-10"))
        .when(&ratify(FRANCE), &own(FRANCE).on("2016-02-12"))
        .then_dated([dated(ratified(FRANCE), "2016-02-12"), dated(force_by_rule(), "2015-11-12")]);
}

#[test]
fn a_rule_fulfilled_on_an_unknown_day_says_so() {
    let consent = Draft { event: ratified(FRANCE), effective_on: None };
    let force = Draft { event: force_by_rule(), effective_on: None };
    convention()
        .and(&ratify(MALI), &own(MALI).on("2016"))
        .when(&ratify(FRANCE), &own(FRANCE).on_unknown_date())
        .then_dated([consent, force]);
}

#[test]
fn what_sources_say_of_consents_does_not_put_it_into_force() {
    convention()
        .and(&ratify(MALI), &published(MALI).on("1994-09-26"))
        .when(&ratify(FRANCE), &published(FRANCE).on("1994-09-26"))
        .then([ratified(FRANCE)]);
}

#[test]
fn it_enters_into_force_when_the_last_party_confirms() {
    let past = convention()
        .and(&ratify(MALI), &published(MALI).on("1994-09-26"))
        .and(&ratify(FRANCE), &own(FRANCE).on("1994-10-01"))
        .and(&confirm(2), &own(MALI).on("2020-01-01"));
    assert_eq!(phase(&past, "1994-09-30"), Phase::Signed);
    assert_eq!(phase(&past, "1994-10-01"), Phase::InForce);
    let (fact, ground) = instrument(&past).in_force.expect("in force");
    assert_eq!((fact.on, ground), ("1994-10-01".parse().ok(), Ground::Rule));
}

#[test]
fn a_source_states_an_entry_into_force_that_nobody_decided() {
    let stated = AgreementEvent::EnteredIntoForce { ground: Ground::Stated };
    let past = convention();
    past.when(&AgreementCommand::RecordEntryIntoForce, &published(FRANCE).on("1995-11-01"))
        .then_dated([dated(stated, "1995-11-01")]);
    let past = past.and(&AgreementCommand::RecordEntryIntoForce, &published(FRANCE).on("1995-11-01"));
    let (fact, _) = instrument(&past).in_force.expect("in force");
    assert_eq!(instrument(&past).records.standing(&fact), Standing::Unconfirmed);
    past.when(&AgreementCommand::RecordEntryIntoForce, &published(FRANCE).on("1995-11-01")).then_nothing();
    past.when(&AgreementCommand::RecordEntryIntoForce, &published(FRANCE).on("1995-11-02"))
        .then_refused(AgreementError::AlreadyRecorded { version: 2 });
}

#[test]
fn what_is_stated_to_be_in_force_is_not_decided_again() {
    convention()
        .and(&AgreementCommand::RecordEntryIntoForce, &published(FRANCE).on("1995-11-01"))
        .and(&ratify(MALI), &own(MALI).on("1996-01-01"))
        .when(&ratify(FRANCE), &own(FRANCE).on("1996-01-01"))
        .then([ratified(FRANCE)]);
}

#[test]
fn a_party_alone_does_not_state_an_entry_into_force() {
    convention()
        .when(&AgreementCommand::RecordEntryIntoForce, &own(MALI))
        .then_refused(AgreementError::StatedByDepositaryOrSource);
    open_treaty(EntryIntoForce::NotProvided)
        .when(&AgreementCommand::RecordEntryIntoForce, &depositary())
        .then([AgreementEvent::EnteredIntoForce { ground: Ground::Stated }]);
    convention()
        .when(&AgreementCommand::RecordEntryIntoForce, &published(SPAIN))
        .then_refused(AgreementError::NotAParty { organisation: SPAIN.into() });
}

#[test]
fn it_may_be_applied_provisionally_for_a_time() {
    let applied = convention().and(&AgreementCommand::ApplyProvisionally, &own(MALI).on("2014-01-01"));
    assert_eq!(phase(&applied, "2014-01-01"), Phase::ProvisionallyApplied);
    applied.when(&AgreementCommand::ApplyProvisionally, &own(FRANCE).on("2014-01-01")).then_nothing();
    let end = AgreementCommand::EndProvisionalApplication;
    applied.when(&end, &own(MALI).on("2013")).then_refused(AgreementError::EndsBeforeItBegan {
        beginning: "2014-01-01".parse().expect("a date"),
        end: "2013".parse().expect("a date"),
    });
    let ended = applied.and(&end, &own(MALI).on("2015-01-01"));
    assert_eq!(phase(&ended, "2014-12-31"), Phase::ProvisionallyApplied);
    assert_eq!(phase(&ended, "2015-01-01"), Phase::Registered);
    ended.when(&end, &own(FRANCE).on("2015-01-01")).then_nothing();
    convention().when(&end, &own(MALI)).then_refused(AgreementError::NotInOperation);
}
