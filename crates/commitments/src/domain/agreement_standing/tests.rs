use event_sourcing::testing::{act, given, given_acts};

use super::*;

fn agreement() -> StreamName {
    "agreements/ml-eu-2016-communique".parse().expect("a name")
}

fn says(agreement_version: u64, says: Says) -> AgreementStandingEvent {
    AgreementStandingEvent { agreement: agreement(), agreement_version, says }
}

fn day(text: &str) -> Date {
    text.parse().expect("a day")
}

#[test]
fn what_partnerships_says_is_taken_as_it_is() {
    let event = says(3, Says::Standing(Standing::Suspended));
    given::<AgreementStanding>([])
        .when(&AgreementStandingCommand::Record(event.clone()), &act("partners/ml").on("2022-11-21"))
        .then_dated([Draft::on(event, "2022-11-21".parse::<PartialDate>().expect("a date"))]);
}

#[test]
fn an_agreement_of_which_nothing_is_known_cannot_be_cited() {
    let unknown = AgreementStandingError::Unknown { agreement: agreement() };
    assert_eq!(AgreementStanding::default().citable(&agreement(), day("2016-12-11")), Err(unknown));
}

#[test]
fn an_agreement_can_be_cited_until_it_ends() {
    let past = given_acts::<AgreementStanding>([
        (act("partners/ml").on("2016-12-11"), says(1, Says::Standing(Standing::Active))),
        (act("partners/ml").on("2020-06-30"), says(2, Says::Standing(Standing::Terminated))),
    ]);
    assert_eq!(past.state().citable(&agreement(), day("2020-06-29")), Ok(()));
    let ended = AgreementStandingError::Terminated { agreement: agreement() };
    assert_eq!(past.state().citable(&agreement(), day("2020-06-30")), Err(ended));
}

#[test]
fn a_suspended_agreement_can_still_be_cited_by_a_promise() {
    let past = given_acts::<AgreementStanding>([(
        act("partners/ml").on("2022-11-21"),
        says(2, Says::Standing(Standing::Suspended)),
    )]);
    assert_eq!(past.state().citable(&agreement(), day("2022-11-22")), Ok(()));
    assert_eq!(past.state().standing_on(day("2022-11-22")), (Standing::Suspended, Some(day("2022-11-21"))));
}

#[test]
fn it_is_contested_from_the_day_on_which_views_part() {
    let past = given_acts::<AgreementStanding>([
        (act("partners/ml").on("2016-12-11"), says(1, Says::Standing(Standing::Active))),
        (act("partners/ml").on("2016-12-19"), says(4, Says::Contestation(Contestation::Contested))),
    ]);
    assert_eq!(past.state().contestation_on(day("2016-12-18")), Contestation::Uncontested);
    assert_eq!(past.state().contestation_on(day("2016-12-19")), Contestation::Contested);
}

#[test]
fn a_corrected_record_takes_the_place_of_the_mistaken_one() {
    let past = given_acts::<AgreementStanding>([
        (act("partners/ml").on("2016-12-19"), says(4, Says::Contestation(Contestation::Contested))),
        (act("partners/ml").on("2016-12-29"), says(4, Says::Contestation(Contestation::Contested))),
    ]);
    assert_eq!(past.state().contestation_on(day("2016-12-20")), Contestation::Uncontested);
}

#[test]
fn facts_may_arrive_in_another_order_than_they_happened() {
    let past = given_acts::<AgreementStanding>([
        (act("partners/ml").on("2023-03-01"), says(7, Says::Standing(Standing::Active))),
        (act("partners/ml").on("2022-11-21"), says(8, Says::Standing(Standing::Suspended))),
    ]);
    assert_eq!(past.state().standing_on(day("2023-02-28")).0, Standing::Suspended);
    assert_eq!(past.state().standing_on(day("2023-03-01")).0, Standing::Active);
}

#[test]
fn a_correction_without_a_date_keeps_that_of_the_mistaken_record() {
    let right = says(4, Says::Standing(Standing::Suspended));
    let command = |effective_on| AgreementStandingCommand::Correct { right: right.clone(), effective_on };
    let date: PartialDate = "2022-11".parse().expect("a date");
    let past = given_acts::<AgreementStanding>([(
        act("partners/ml").on("2022-11"),
        says(4, Says::Standing(Standing::Active)),
    )]);
    past.when(&command(None), &act("partners/ml")).then_dated([Draft::on(right.clone(), date)]);
    let other: PartialDate = "2022-12-01".parse().expect("a date");
    past.when(&command(Some(other)), &act("partners/ml")).then_dated([Draft::on(right.clone(), other)]);
}
