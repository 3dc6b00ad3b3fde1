use contracts::toguna::{partnerships::events::v1 as partnerships, r#type::v1::Date};
use event_store::PartialDate;
use prost::{Message as _, Name};
use prost_types::Any;

use super::*;

fn record<M: prost::Message + Name>(stream: &str, message: &M) -> EventRecord {
    EventRecord {
        stream: stream.into(),
        version: 4,
        r#type: M::full_name(),
        payload: message.encode_to_vec(),
        ..EventRecord::default()
    }
}

fn command_of<M: prost::Message + Name>(message: &M) -> Option<AgreementStandingCommand> {
    let agreement = "agreements/ml-eu-2016-communique".parse().expect("a name");
    command(&agreement, &record("agreements/ml-eu-2016-communique", message)).expect("it can be read")
}

fn said(agreement_version: u64, says: Says) -> AgreementStandingEvent {
    let agreement = "agreements/ml-eu-2016-communique".parse().expect("a name");
    AgreementStandingEvent { agreement, agreement_version, says }
}

fn standing_of<M: prost::Message + Name>(message: &M) -> Standing {
    match command_of(message) {
        Some(AgreementStandingCommand::Record(AgreementStandingEvent { says: Says::Standing(standing), .. })) => {
            standing
        }
        other => panic!("a standing: {other:?}"),
    }
}

#[test]
fn a_registered_agreement_can_be_cited() {
    assert_eq!(standing_of(&partnerships::AgreementRegistered::default()), Standing::Active);
}

#[test]
fn a_suspension_holds_until_nobody_suspends_any_more() {
    assert_eq!(standing_of(&partnerships::AgreementSuspended::default()), Standing::Suspended);
    let partly =
        partnerships::AgreementResumed { party: "partners/ml".into(), still_suspended_by: vec!["partners/fr".into()] };
    assert_eq!(standing_of(&partly), Standing::Suspended);
    let wholly = partnerships::AgreementResumed { party: "partners/ml".into(), still_suspended_by: Vec::new() };
    assert_eq!(standing_of(&wholly), Standing::Active);
}

#[test]
fn an_agreement_ends_however_it_ends() {
    assert_eq!(standing_of(&partnerships::AgreementTerminated::default()), Standing::Terminated);
    assert_eq!(standing_of(&partnerships::AgreementExpired::default()), Standing::Terminated);
    assert_eq!(standing_of(&partnerships::AgreementSuperseded::default()), Standing::Terminated);
}

#[test]
fn views_that_part_contest_it_and_views_that_meet_settle_it() {
    let contestation = |contestation| Some(AgreementStandingCommand::Record(said(4, Says::Contestation(contestation))));
    let contested = command_of(&partnerships::AgreementNatureContested::default());
    assert_eq!(contested, contestation(Contestation::Contested));
    let settled = command_of(&partnerships::AgreementNatureSettled::default());
    assert_eq!(settled, contestation(Contestation::Uncontested));
}

#[test]
fn a_corrected_record_is_taken_in_the_place_of_the_mistaken_one() {
    let right = partnerships::AgreementSuspended::default();
    let corrected = RecordCorrected {
        proposal_version: 3,
        mistaken_version: 2,
        right: Some(Any {
            type_url: format!("type.googleapis.com/{}", partnerships::AgreementSuspended::full_name()),
            value: right.encode_to_vec(),
        }),
        effective_on: Some(Date { year: 2022, month: 11, day: 21 }),
    };
    let effective_on: Option<PartialDate> = "2022-11-21".parse().ok();
    let right = said(2, Says::Standing(Standing::Suspended));
    assert_eq!(command_of(&corrected), Some(AgreementStandingCommand::Correct { right, effective_on }));
}

#[test]
fn what_says_nothing_of_a_standing_is_passed_over() {
    assert_eq!(command_of(&partnerships::AgreementSigned::default()), None);
    let partner = record("partners/ml", &partnerships::PartnerRegistered::default());
    assert!(RecordAgreementStandings.react(&partner).expect("it can be read").is_none());
}

#[test]
fn damaged_bytes_stop_the_reaction_at_their_event() {
    let mut damaged = record("agreements/x", &partnerships::AgreementResumed::default());
    damaged.payload = vec![0xff];
    assert!(RecordAgreementStandings.react(&damaged).is_err());
}

#[test]
fn what_sources_alone_say_of_a_suspension_or_an_end_is_not_taken_until_it_is_confirmed() {
    let agreement = "agreements/ml-eu-2016-communique".parse().expect("a name");
    let reported = |record: EventRecord| {
        let record = EventRecord { basis: Basis::RecordedFromSource.into(), ..record };
        command(&agreement, &record).expect("it can be read")
    };
    let stream = "agreements/ml-eu-2016-communique";
    let suspended = partnerships::AgreementSuspended { party: "partners/fr".into() };
    assert_eq!(reported(record(stream, &suspended)), None);
    assert_eq!(reported(record(stream, &partnerships::AgreementResumed::default())), None);
    assert_eq!(reported(record(stream, &partnerships::AgreementExpired::default())), None);
    assert!(reported(record(stream, &partnerships::AgreementRegistered::default())).is_some());
    assert!(reported(record(stream, &partnerships::AgreementNatureContested::default())).is_some());
    let decided = partnerships::AgreementTerminated {
        ground: partnerships::OutcomeGround::Rule.into(),
        ..partnerships::AgreementTerminated::default()
    };
    assert!(reported(record(stream, &decided)).is_some(), "the parties' own acts ended it");

    let confirmed = partnerships::AgreementRecordConfirmed {
        confirmed_version: 3,
        confirmed: Some(Payload::of(&suspended).to_any()),
        confirmed_effective_on: Some(Date { year: 2022, month: 11, day: 17 }),
    };
    let event = said(4, Says::Standing(Standing::Suspended));
    let effective_on = "2022-11-17".parse().ok();
    assert_eq!(command_of(&confirmed), Some(AgreementStandingCommand::Confirm { event, effective_on }));
}
