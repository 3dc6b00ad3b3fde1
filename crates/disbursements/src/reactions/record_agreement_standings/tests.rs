use event_store::Payload;
use prost::Name;

use super::*;

fn means<M: prost::Message + Name>(version: u64, message: &M) -> Option<AgreementFact> {
    fact(version, &Payload::of(message)).expect("it can be read")
}

#[test]
fn an_agreement_is_registered_by_the_first_record_of_its_stream_whatever_it_says() {
    assert_eq!(means(1, &pb::AgreementRegistered::default()), Some(AgreementFact::Registered));
    assert_eq!(means(1, &pb::AgreementNegotiationOpened {}), Some(AgreementFact::Registered));
    assert_eq!(means(2, &pb::AgreementTextInitialled {}), None);
}

#[test]
fn a_suspension_ends_when_no_partys_own_suspension_stands() {
    let party = || String::from("partners/mli");
    assert_eq!(means(5, &pb::AgreementSuspended { party: party() }), Some(AgreementFact::Suspended));
    let resumed = |others: Vec<String>| pb::AgreementResumed { party: party(), still_suspended_by: others };
    assert_eq!(means(6, &resumed(Vec::new())), Some(AgreementFact::Resumed));
    assert_eq!(means(6, &resumed(vec!["partners/esp".into()])), Some(AgreementFact::Registered));
}

#[test]
fn however_it_ends_it_has_ended() {
    for ended in [
        means(7, &pb::AgreementTerminated::default()),
        means(7, &pb::AgreementExpired {}),
        means(7, &pb::AgreementSuperseded::default()),
    ] {
        assert_eq!(ended, Some(AgreementFact::Terminated));
    }
    assert_eq!(means(7, &pb::AgreementPartyWithdrew::default()), None, "the others are still bound");
}

#[test]
fn damage_stops_the_reaction() {
    let damaged = Payload { bytes: vec![0xff], ..Payload::of(&pb::AgreementSuspended::default()) };
    assert!(fact(2, &damaged).is_err());
}

#[test]
fn other_streams_are_of_no_concern() {
    let record = EventRecord { stream: "partners/mli".into(), version: 1, ..EventRecord::default() };
    assert!(RecordAgreementStandings.react(&record).expect("it can be read").is_none());
}
