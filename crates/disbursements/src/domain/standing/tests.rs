use event_sourcing::testing::{act, given, given_acts};

use super::*;
use crate::domain::testing::day;

fn recorded(version: u64, fact: AgreementFact) -> StandingRecorded<AgreementFact> {
    StandingRecorded { subject: "agreements/ml-fr".parse().expect("a name"), version, fact }
}

#[test]
fn an_agreement_is_known_from_its_first_record_on() {
    assert_eq!(AgreementStanding::default().on(day("2020-01-01")), None);
    let known = given::<AgreementStanding>([recorded(1, AgreementFact::Registered)]);
    assert_eq!(known.state().on(day("1990-01-01")), Some(Condition::Operating));
}

#[test]
fn what_another_log_says_is_never_refused() {
    let draft = Draft::on(recorded(9, AgreementFact::Terminated), day("2025-01-29"));
    given::<AgreementStanding>([]).when(&draft, &act("partners/mli")).then_dated([draft.clone()]);
}

#[test]
fn a_standing_counts_from_its_date() {
    let standing = given_acts::<AgreementStanding>([
        (act("partners/mli").on("1997-01-22"), recorded(1, AgreementFact::Registered)),
        (act("partners/mli").on("2022-11-21"), recorded(8, AgreementFact::Suspended)),
        (act("partners/mli").on("2023-03-01"), recorded(9, AgreementFact::Resumed)),
        (act("partners/mli").on("2025-01-29"), recorded(10, AgreementFact::Terminated)),
    ]);
    let on = |text| standing.state().on(day(text));
    assert_eq!(on("2022-11-20"), Some(Condition::Operating));
    assert_eq!(on("2022-11-21"), Some(Condition::Suspended { since: day("2022-11-21") }));
    assert_eq!(on("2023-03-01"), Some(Condition::Operating));
    assert_eq!(on("2025-01-29"), Some(Condition::Ended { since: day("2025-01-29") }));
}

#[test]
fn a_corrected_record_takes_its_own_place() {
    let standing = given_acts::<AgreementStanding>([
        (act("partners/mli").on("2022-11-21"), recorded(8, AgreementFact::Suspended)),
        (act("partners/mli").on("2022-12-21"), recorded(8, AgreementFact::Suspended)),
    ]);
    assert_eq!(standing.state().on(day("2022-12-20")), Some(Condition::Operating));
    assert_eq!(standing.state().date_of(8), Some(Some(day("2022-12-21").into())));
    assert_eq!(standing.state().date_of(9), None);
}

#[test]
fn a_commitment_that_was_kept_still_stands_and_one_taken_back_does_not() {
    let fact = |version, fact| {
        let subject = "commitments/ml-jobs".parse().expect("a name");
        (act("partners/mli").on("2020-06-01"), StandingRecorded { subject, version, fact })
    };
    let kept =
        given_acts::<CommitmentStanding>([fact(1, CommitmentFact::Registered), fact(2, CommitmentFact::Fulfilled)]);
    assert_eq!(kept.state().on(day("2021-01-01")), Some(Condition::Operating));
    let withdrawn =
        given_acts::<CommitmentStanding>([fact(1, CommitmentFact::Registered), fact(2, CommitmentFact::Withdrawn)]);
    let since = day("2020-06-01");
    assert_eq!(withdrawn.state().on(day("2021-01-01")), Some(Condition::Ended { since }));
}
