use super::*;

fn date(text: &str) -> PartialDate {
    text.parse().expect("a date")
}

fn consents<'a>(dated: &[(&'a str, Option<&str>)]) -> Consents<'a> {
    dated.iter().map(|(party, on)| (*party, Since(on.map(date)))).collect()
}

const NOT_YET: Option<Since> = None;
const SOME_DAY: Option<Since> = Some(Since(None));
const PARTIES: [&str; 3] = ["eu", "fr", "ml"];

#[test]
fn without_a_rule_nothing_is_decided() {
    let all = consents(&[("eu", Some("2015-11-12")), ("fr", Some("2015-11-12")), ("ml", Some("2015-11-12"))]);
    assert_eq!(EntryIntoForce::NotProvided.met(&PARTIES, &all), NOT_YET);
}

#[test]
fn on_signature_of_all_is_the_day_of_the_last() {
    let rule = EntryIntoForce::OnSignature { parties: vec![], others: 0 };
    let two = consents(&[("eu", Some("2015-11-12")), ("ml", Some("2015-11-10"))]);
    assert_eq!(rule.met(&PARTIES, &two), NOT_YET);
    assert_eq!(rule.met(&PARTIES[..1], &two), Some(Since(Some(date("2015-11-12")))));
}

#[test]
fn on_signature_of_one_and_some_others_waits_for_both() {
    let rule = EntryIntoForce::OnSignature { parties: vec!["eu".into()], others: 1 };
    assert_eq!(rule.met(&PARTIES, &consents(&[("fr", Some("2015-11-10")), ("ml", Some("2015-11-11"))])), NOT_YET);
    assert_eq!(rule.met(&PARTIES, &consents(&[("eu", Some("2015-11-10"))])), NOT_YET);
    let both = consents(&[("eu", Some("2015-11-10")), ("fr", Some("2015-11-12")), ("ml", Some("2015-11-13"))]);
    assert_eq!(rule.met(&PARTIES, &both), Some(Since(Some(date("2015-11-12")))));
    let alone = EntryIntoForce::OnSignature { parties: vec!["eu".into()], others: 0 };
    assert_eq!(alone.met(&PARTIES, &both), Some(Since(Some(date("2015-11-10")))));
}

#[test]
fn after_so_many_consents_counts_from_the_nth() {
    let rule = EntryIntoForce::AfterConsents { consents: 2, delay: Delay::Days(30) };
    assert_eq!(rule.met(&PARTIES, &consents(&[("eu", Some("2016-01-01"))])), NOT_YET);
    let three = consents(&[("eu", Some("2016-03-01")), ("fr", Some("2016-01-01")), ("ml", Some("2016-01-31"))]);
    assert_eq!(rule.met(&PARTIES, &three), Some(Since(Some(date("2016-03-01")))));
}

#[test]
fn a_consent_of_unknown_date_may_have_been_among_the_first() {
    let rule = EntryIntoForce::AfterConsents { consents: 1, delay: Delay::None };
    assert_eq!(rule.met(&PARTIES, &consents(&[("eu", None), ("fr", Some("2016-01-01"))])), SOME_DAY);
}

#[test]
fn after_the_last_notification_counts_days() {
    let rule = EntryIntoForce::AfterLastConsent { delay: Delay::Days(60) };
    let both = consents(&[("fr", Some("2016-01-15")), ("ml", Some("2016-02-01"))]);
    assert_eq!(rule.met(&PARTIES, &both), NOT_YET);
    assert_eq!(rule.met(&PARTIES[1..], &both), Some(Since(Some(date("2016-04-01")))));
}

#[test]
fn on_a_date_waits_for_two_parties_and_may_lie_before_their_consent() {
    let rule = EntryIntoForce::OnDate(date("2015-11-12"));
    assert_eq!(rule.met(&PARTIES, &consents(&[("eu", Some("2016-01-15"))])), NOT_YET);
    let both = consents(&[("eu", Some("2016-01-15")), ("ml", Some("2016-02-01"))]);
    assert_eq!(rule.met(&PARTIES, &both), Some(Since(Some(date("2015-11-12")))));
}

#[test]
fn a_delay_is_told_only_from_dates_known_well_enough() {
    assert_eq!(Delay::None.after(date("2016-02")), Some(date("2016-02")));
    assert_eq!(Delay::Days(30).after(date("2016-02")), None);
    assert_eq!(Delay::FirstOfMonth(2).after(date("2016-02")), Some(date("2016-04-01")));
    assert_eq!(Delay::FirstOfMonth(2).after(date("2016")), None);
    assert_eq!(Delay::FirstOfMonth(1).after(date("2015-12-31")), Some(date("2016-01-01")));
}

#[test]
fn months_end_where_their_days_do() {
    let day = |text: &str| date(text).earliest();
    assert_eq!(months_later(day("2022-11-21"), 12), Some(day("2023-11-21")));
    assert_eq!(months_later(day("2024-01-31"), 1), Some(day("2024-02-29")));
    assert_eq!(months_later(day("9999-12-31"), 1), None);
    assert_eq!(months_later(day("2024-01-31"), u32::MAX), None);
}
