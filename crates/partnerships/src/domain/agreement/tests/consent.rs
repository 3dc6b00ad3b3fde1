//! Signatures, consents and their confirmation (rule A2).

use super::*;

const SUBJECT: SignatureKind = SignatureKind::SubjectToRatification;

#[test]
fn a_party_signs_with_full_powers() {
    convention().when(&sign(MALI, SUBJECT), &own(MALI)).then([signed(MALI, SUBJECT)]);
    convention()
        .when(&sign(MALI, SUBJECT), &act(MALI).with_role("focal_point"))
        .then_refused(ActError::RoleRequired { roles: decide::FULL_POWERS }.into());
}

#[test]
fn no_party_signs_for_another() {
    convention()
        .when(&sign(FRANCE, SUBJECT), &own(MALI))
        .then_refused(ActError::ActsForAnother { organisation: MALI.into(), on_behalf_of: FRANCE.into() }.into());
}

#[test]
fn only_parties_sign() {
    convention()
        .when(&sign(SPAIN, SUBJECT), &own(SPAIN))
        .then_refused(AgreementError::NotAParty { organisation: SPAIN.into() });
}

#[test]
fn what_a_source_says_is_recorded_by_those_who_record() {
    convention().when(&sign(MALI, SUBJECT), &published(MALI)).then([signed(MALI, SUBJECT)]);
    convention()
        .when(&sign(MALI, SUBJECT), &act(FRANCE).with_role("observer").recorded_from_source_of(MALI))
        .then_refused(ActError::RoleRequired { roles: RECORDERS }.into());
}

#[test]
fn the_depositary_records_what_it_received() {
    let treaty = open_treaty(EntryIntoForce::NotProvided);
    treaty.when(&ratify(MALI), &depositary()).then([ratified(MALI)]);
    treaty
        .when(&ratify(MALI), &act(UNION).with_role("signatory"))
        .then_refused(ActError::RoleRequired { roles: &[DEPOSITARY] }.into());
    convention()
        .when(&ratify(MALI), &depositary())
        .then_refused(ActError::ActsForAnother { organisation: UNION.into(), on_behalf_of: MALI.into() }.into());
}

#[test]
fn nothing_is_signed_tomorrow() {
    let tomorrow = own(MALI).today("2020-01-01").on("2020-01-02");
    let refusal = ActError::DateInFuture { on: "2020-01-02".parse().expect("a date") };
    convention().when(&sign(MALI, SUBJECT), &tomorrow).then_refused(refusal.into());
    let this_year = own(MALI).today("2020-01-01").on("2020");
    convention().when(&sign(MALI, SUBJECT), &this_year).then([signed(MALI, SUBJECT)]);
}

#[test]
fn a_party_signs_once() {
    let past = convention().and(&sign(MALI, SUBJECT), &own(MALI).on("2015-01-01"));
    past.when(&sign(MALI, SUBJECT), &own(MALI).on("2015-01-01")).then_nothing();
    past.when(&sign(MALI, SUBJECT), &own(MALI).on("2015-01-02"))
        .then_refused(AgreementError::AlreadyRecorded { version: 2 });
    past.when(&sign(MALI, SignatureKind::Definitive), &own(MALI).on("2015-01-01"))
        .then_refused(AgreementError::AlreadyRecorded { version: 2 });
}

#[test]
fn a_partys_own_word_may_follow_a_sources() {
    let past = convention().and(&sign(MALI, SUBJECT), &published(MALI).on("2015"));
    past.when(&sign(MALI, SUBJECT), &own(MALI).on("2015-01-01")).then([signed(MALI, SUBJECT)]);
    past.when(&sign(MALI, SUBJECT), &published(MALI).on("2016"))
        .then_refused(AgreementError::AlreadyRecorded { version: 2 });
}

#[test]
fn a_date_that_nobody_knows_stays_unknown() {
    let past = convention().and(&sign(MALI, SUBJECT), &own(MALI).on_unknown_date());
    let (fact, _) = instrument(&past).parties[MALI].signature.expect("a signature");
    assert_eq!(fact.on, None);
}

#[test]
fn a_signature_subject_to_ratification_does_not_bind() {
    let past = convention().and(&sign(MALI, SUBJECT), &own(MALI));
    assert_eq!(instrument(&past).parties[MALI].standing(), PartyStanding::Signed);
    assert_eq!(instrument(&past).parties[FRANCE].standing(), PartyStanding::Named);
    assert!(instrument(&past).consents().is_empty());
    let past = past.and(&ratify(MALI), &own(MALI));
    assert_eq!(instrument(&past).parties[MALI].standing(), PartyStanding::Consented);
    assert_eq!(instrument(&past).consents().into_keys().collect::<Vec<_>>(), [MALI]);
}

#[test]
fn a_domestic_authorisation_consents_to_nothing() {
    let law = Some(String::from("loi n° 95-1402"));
    let command = AgreementCommand::Authorise { party: FRANCE.into(), legal_basis: law.clone() };
    let past = convention().and(&command, &published(FRANCE).on("1995-12-30"));
    assert_eq!(instrument(&past).parties[FRANCE].standing(), PartyStanding::Named);
    past.when(&command, &published(FRANCE).on("1995-12-30")).then_nothing();
    let other = AgreementCommand::Authorise { party: FRANCE.into(), legal_basis: None };
    past.when(&other, &published(FRANCE).on("1995-12-30")).then_refused(AgreementError::AlreadyRecorded { version: 2 });
}

#[test]
fn an_instrument_is_deposited_where_there_is_a_depositary() {
    let (kind, delivery) = (ConsentKind::Approval, ConsentDelivery::Deposited);
    let approve = AgreementCommand::ExpressConsent { party: MALI.into(), kind, delivery };
    convention().when(&approve, &own(MALI)).then_refused(AgreementError::NoDepositary);
    open_treaty(EntryIntoForce::NotProvided).when(&approve, &own(MALI)).then([AgreementEvent::ConsentExpressed {
        party: MALI.into(),
        kind,
        delivery,
    }]);
}

#[test]
fn others_accede_where_the_instrument_lets_them() {
    let (kind, delivery) = (ConsentKind::Accession, ConsentDelivery::Notified);
    let accede = AgreementCommand::ExpressConsent { party: SPAIN.into(), kind, delivery };
    convention().when(&accede, &own(SPAIN)).then_refused(AgreementError::NotOpenToAccession);
    let treaty = open_treaty(EntryIntoForce::NotProvided);
    treaty
        .when(&accede, &own(FRANCE))
        .then_refused(ActError::ActsForAnother { organisation: FRANCE.into(), on_behalf_of: SPAIN.into() }.into());
    let joined = treaty.and(&accede, &own(SPAIN));
    assert_eq!(instrument(&joined).parties[SPAIN].standing(), PartyStanding::Consented);
    assert!(instrument(&joined).remaining_parties().contains(&SPAIN));
}

#[test]
fn an_accession_that_only_a_source_reports_makes_no_party_of_it_yet() {
    let (kind, delivery) = (ConsentKind::Accession, ConsentDelivery::Notified);
    let accede = AgreementCommand::ExpressConsent { party: SPAIN.into(), kind, delivery };
    let reported = open_treaty(EntryIntoForce::NotProvided).and(&accede, &published(SPAIN));
    assert!(!instrument(&reported).remaining_parties().contains(&SPAIN));
    let confirmed = reported.and(&confirm(2), &own(SPAIN));
    assert!(instrument(&confirmed).remaining_parties().contains(&SPAIN));
}

#[test]
fn a_record_is_confirmed_by_the_party_that_it_speaks_of() {
    let past = convention().and(&sign(MALI, SUBJECT), &published(MALI));
    past.when(&confirm(1), &own(MALI)).then_refused(ActError::NothingToConfirm { version: 1 }.into());
    past.when(&confirm(2), &own(FRANCE))
        .then_refused(ActError::NotYoursToConfirm { version: 2, organisation: MALI.into() }.into());
    let confirmed = past.and(&confirm(2), &own(MALI));
    let (fact, _) = instrument(&confirmed).parties[MALI].signature.expect("a signature");
    assert_eq!(instrument(&confirmed).records.standing(&fact), Standing::Confirmed);
    confirmed.when(&confirm(2), &own(MALI)).then_nothing();
}
