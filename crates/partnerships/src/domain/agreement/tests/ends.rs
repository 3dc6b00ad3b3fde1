//! Denunciation with notice, termination, expiry, supersession (rule A5).

use super::*;

fn denounce(party: &str, takes_effect_on: Option<&str>) -> AgreementCommand {
    AgreementCommand::Denounce { party: party.into(), takes_effect_on: takes_effect_on.map(day) }
}

fn denounced(party: &str, takes_effect_on: &str) -> AgreementEvent {
    AgreementEvent::Denounced { party: party.into(), takes_effect_on: day(takes_effect_on) }
}

fn terminated_by(party: &str) -> AgreementEvent {
    AgreementEvent::Terminated { cause: TerminationCause::Denunciation { by: party.into() }, ground: Ground::Rule }
}

fn agree(party: &str) -> AgreementCommand {
    AgreementCommand::AgreeTermination { party: party.into() }
}

#[test]
fn a_denunciation_ends_a_bilateral_agreement_after_the_notice() {
    in_force()
        .when(&denounce(MALI, None), &own(MALI).today("2022-11-21").on("2022-11-21"))
        .then_dated([dated(denounced(MALI, "2023-11-21"), "2022-11-21"), dated(terminated_by(MALI), "2023-11-21")]);
}

#[test]
fn the_notice_is_the_instruments_own() {
    let mut convention = registration(
        AgreementScope::Bilateral,
        &[MALI, FRANCE],
        EntryIntoForce::AfterLastConsent { delay: Delay::None },
    );
    convention.terms.denunciation_notice_months = 3;
    let past = registered(convention)
        .and(&ratify(MALI), &own(MALI).on("2015-01-01"))
        .and(&ratify(FRANCE), &own(FRANCE).on("2015-01-01"));
    let notice = own(MALI).on("2019-11-30");
    past.when(&denounce(MALI, Some("2020-02-28")), &notice)
        .then_refused(AgreementError::NoticeTooShort { months: 3, earliest: day("2020-02-29") });
    past.when(&denounce(MALI, Some("2020-06-01")), &notice).then([denounced(MALI, "2020-06-01"), terminated_by(MALI)]);
}

#[test]
fn it_operates_until_the_notice_has_run_and_what_was_owed_is_owed() {
    let obligation = events::Obligation {
        id: "art-2".into(),
        article: "2".into(),
        obliged_parties: vec![],
        text: LocalizedText::official_fr("protéger"),
    };
    let past = in_force()
        .and(&AgreementCommand::RecordObligation(obligation), &own(MALI).on("2015-01-01"))
        .and(&denounce(MALI, None), &own(MALI).on("2016-01-01"));
    assert_eq!(phase(&past, "2016-12-31"), Phase::InForce);
    assert_eq!(phase(&past, "2017-01-01"), Phase::Terminated);
    assert_eq!(instrument(&past).obligations.len(), 1);
}

#[test]
fn of_several_parties_one_leaves_and_the_others_go_on() {
    let treaty = open_treaty(EntryIntoForce::AfterConsents { consents: 2, delay: Delay::None })
        .and(&ratify(MALI), &own(MALI).on("2015-01-01"))
        .and(&ratify(FRANCE), &own(FRANCE).on("2015-01-01"));
    treaty.when(&denounce(MALI, None), &own(MALI).on("2016-01-01")).then_dated([
        dated(denounced(MALI, "2017-01-01"), "2016-01-01"),
        dated(AgreementEvent::PartyWithdrew { party: MALI.into() }, "2017-01-01"),
    ]);
    let left = treaty.and(&denounce(MALI, None), &own(MALI).on("2016-01-01"));
    assert_eq!(phase(&left, "2017-01-01"), Phase::InForce);
    assert_eq!(instrument(&left).parties[MALI].standing(), PartyStanding::Withdrawn);
    left.when(&denounce(FRANCE, None), &own(FRANCE).on("2018-01-01"))
        .then([denounced(FRANCE, "2019-01-01"), terminated_by(FRANCE)]);
}

#[test]
fn a_denunciation_has_a_date_that_has_come() {
    in_force().when(&denounce(MALI, None), &own(MALI).on_unknown_date()).then_refused(ActError::DateRequired.into());
    let on = "2020-01-02".parse().expect("a date");
    in_force()
        .when(&denounce(MALI, None), &own(MALI).on("2020-01-02"))
        .then_refused(ActError::DateInFuture { on }.into());
}

#[test]
fn what_does_not_operate_is_not_denounced() {
    convention().when(&denounce(MALI, None), &own(MALI)).then_refused(AgreementError::NotInOperation);
}

#[test]
fn a_party_denounces_once() {
    let past = in_force().and(&denounce(MALI, None), &own(MALI).on("2016-01-01"));
    past.when(&denounce(MALI, None), &own(MALI).on("2016-01-01")).then_nothing();
    past.when(&denounce(MALI, None), &own(MALI).on("2016-02-01"))
        .then_refused(AgreementError::AlreadyDenounced { party: MALI.into() });
}

#[test]
fn a_denunciation_that_a_source_reports_ends_nothing_until_it_is_confirmed() {
    let past = in_force();
    past.when(&denounce(MALI, None), &published(MALI).on("2016-01-01")).then([denounced(MALI, "2017-01-01")]);
    let past = past.and(&denounce(MALI, None), &published(MALI).on("2016-01-01"));
    assert_eq!(phase(&past, "2020-01-01"), Phase::InForce);
    let confirmed = past.and(&confirm(5), &own(MALI));
    assert_eq!(phase(&confirmed, "2017-01-01"), Phase::Terminated);
}

#[test]
fn it_ends_when_all_parties_agree_on_the_latest_day_that_they_name() {
    let past = in_force();
    let agreed = |party: &str| AgreementEvent::TerminationAgreed { party: party.into() };
    past.when(&agree(MALI), &own(MALI).on("2018-01-01")).then([agreed(MALI)]);
    let terminated = AgreementEvent::Terminated { cause: TerminationCause::Consent, ground: Ground::Rule };
    past.and(&agree(MALI), &own(MALI).on("2018-02-01"))
        .when(&agree(FRANCE), &own(FRANCE).on("2018-01-01"))
        .then_dated([dated(agreed(FRANCE), "2018-01-01"), dated(terminated, "2018-02-01")]);
}

#[test]
fn while_a_notice_runs_the_parties_may_agree_on_an_earlier_end() {
    let past = in_force()
        .and(&denounce(MALI, None), &own(MALI).on("2016-01-01"))
        .and(&agree(MALI), &own(MALI).on("2016-06-30"))
        .and(&agree(FRANCE), &own(FRANCE).on("2016-06-30"));
    assert_eq!(phase(&past, "2016-06-29"), Phase::InForce);
    assert_eq!(phase(&past, "2016-06-30"), Phase::Terminated);
}

#[test]
fn an_agreement_to_end_has_a_date() {
    in_force().when(&agree(MALI), &own(MALI).on_unknown_date()).then_refused(ActError::DateRequired.into());
}

#[test]
fn expiry_and_supersession_are_stated_by_the_depositary_or_a_source() {
    let superseded = AgreementCommand::RecordSupersession { by: "agreements/ml-fr-2000".into() };
    let ends = [
        (AgreementCommand::RecordExpiry, AgreementEvent::Expired, Phase::Expired),
        (superseded, AgreementEvent::Superseded { by: "agreements/ml-fr-2000".into() }, Phase::Superseded),
        (
            AgreementCommand::RecordTermination(TerminationCause::Other),
            AgreementEvent::Terminated { cause: TerminationCause::Other, ground: Ground::Stated },
            Phase::Terminated,
        ),
    ];
    for (command, event, reached) in ends {
        in_force().when(&command, &own(MALI)).then_refused(AgreementError::StatedByDepositaryOrSource);
        in_force().when(&command, &published(MALI).on("2018-01-01")).then([event]);
        let ended = in_force().and(&command, &published(MALI).on("2018-01-01"));
        assert_eq!(instrument(&ended).phase(), reached);
        ended.when(&command, &published(MALI).on("2018-01-01")).then_nothing();
        ended
            .when(&command, &published(MALI).on("2018-01-02"))
            .then_refused(AgreementError::AlreadyRecorded { version: 5 });
    }
}

#[test]
fn another_kind_of_end_of_the_same_day_is_a_correction() {
    in_force()
        .and(&AgreementCommand::RecordExpiry, &published(MALI).on("2018-01-01"))
        .when(&AgreementCommand::RecordTermination(TerminationCause::Other), &published(MALI).on("2018-01-01"))
        .then_refused(AgreementError::AlreadyRecorded { version: 5 });
}

#[test]
fn a_termination_names_a_party_as_its_cause() {
    let cause = TerminationCause::Denunciation { by: SPAIN.into() };
    in_force()
        .when(&AgreementCommand::RecordTermination(cause), &published(MALI))
        .then_refused(AgreementError::NotAParty { organisation: SPAIN.into() });
}

#[test]
fn it_does_not_end_before_it_began() {
    in_force().when(&AgreementCommand::RecordExpiry, &published(MALI).on("2014")).then_refused(
        AgreementError::EndsBeforeItBegan {
            beginning: "2015-01-01".parse().expect("a date"),
            end: "2014".parse().expect("a date"),
        },
    );
    in_force().when(&agree(MALI), &own(MALI).on("2014")).then_refused(AgreementError::EndsBeforeItBegan {
        beginning: "2015-01-01".parse().expect("a date"),
        end: "2014".parse().expect("a date"),
    });
}

#[test]
fn what_has_ended_takes_no_later_act_but_may_learn_of_earlier_ones() {
    let ended =
        in_force().and(&agree(MALI), &own(MALI).on("2018-01-01")).and(&agree(FRANCE), &own(FRANCE).on("2018-01-01"));
    ended
        .when(&ratify(MALI), &own(MALI).on("2018-01-02"))
        .then_refused(AgreementError::Ended { on: "2018-01-01".parse().expect("a date") });
    ended.when(&ratify(MALI), &own(MALI).on("2017-01-01")).then([ratified(MALI)]);
    ended.when(&ratify(MALI), &own(MALI).on_unknown_date()).then([ratified(MALI)]);
}

#[test]
fn an_end_that_a_source_reports_stops_nothing_until_it_is_confirmed() {
    let reported = convention().and(&AgreementCommand::RecordExpiry, &published(MALI).on("2018-01-01"));
    let later = own(MALI).on("2018-01-02");
    reported.when(&ratify(MALI), &later).then([ratified(MALI)]);
    reported
        .clone()
        .and(&ratify(MALI), &later)
        .when(&ratify(FRANCE), &own(FRANCE).on("2018-01-02"))
        .then([ratified(FRANCE), force_by_rule()]);
    reported
        .and(&confirm(2), &own(MALI))
        .when(&ratify(MALI), &later)
        .then_refused(AgreementError::Ended { on: "2018-01-01".parse().expect("a date") });
}

#[test]
fn an_end_that_a_source_reports_too_early_is_not_confirmed() {
    let reported = convention().and(&AgreementCommand::RecordExpiry, &published(MALI).on("2014-01-01"));
    let in_force = reported
        .and(&sign(MALI, SignatureKind::Definitive), &own(MALI).on("2015-01-01"))
        .and(&sign(FRANCE, SignatureKind::Definitive), &own(FRANCE).on("2015-01-01"));
    assert_eq!(instrument(&in_force).phase(), Phase::InForce);
    in_force.when(&confirm(2), &own(MALI)).then_refused(AgreementError::EndsBeforeItBegan {
        beginning: "2015-01-01".parse().expect("a date"),
        end: "2014-01-01".parse().expect("a date"),
    });
}

#[test]
fn no_source_moves_an_end_that_the_parties_agreed() {
    let agreed =
        in_force().and(&agree(MALI), &own(MALI).on("2018-01-01")).and(&agree(FRANCE), &own(FRANCE).on("2018-01-01"));
    let reported = agreed.and(&AgreementCommand::RecordExpiry, &published(MALI).on("2016-01-01"));
    assert_eq!(phase(&reported, "2017-01-01"), Phase::Expired, "as sources report it, where nobody else did yet");
    let (fact, _) = instrument(&reported).ended().expect("it has ended");
    assert_eq!(fact.on, "2018-01-01".parse().ok());
}

#[test]
fn what_came_into_force_later_was_not_ended_before() {
    registered(registration(AgreementScope::Bilateral, &[MALI, FRANCE], EntryIntoForce::NotProvided))
        .and(&sign(MALI, SignatureKind::Definitive), &own(MALI).on("1994-09-26"))
        .and(&denounce(MALI, None), &published(MALI).on("1994-09-26"))
        .and(&AgreementCommand::RecordEntryIntoForce, &published(FRANCE).on("2016-02-12"))
        .when(&confirm(3), &own(MALI))
        .then([AgreementEvent::RecordConfirmed(Box::new(crate::domain::Confirmation {
            version: 3,
            event: denounced(MALI, "1995-09-26"),
            effective_on: "1994-09-26".parse().ok(),
        }))]);
}
