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

fn record<M: prost::Message + Name>(version: u64, basis: Basis, message: &M) -> EventRecord {
    EventRecord {
        stream: "agreements/ml-fr".into(),
        version,
        r#type: M::full_name(),
        payload: message.encode_to_vec(),
        basis: basis.into(),
        ..EventRecord::default()
    }
}

fn is_entered(record: &EventRecord) -> bool {
    RecordAgreementStandings.react(record).expect("it can be read").is_some()
}

#[test]
fn what_sources_alone_say_of_a_suspension_or_an_end_holds_nothing() {
    let party = || String::from("partners/fra");
    let resumed = pb::AgreementResumed { party: party(), still_suspended_by: Vec::new() };
    let stated = pb::AgreementTerminated { ground: pb::OutcomeGround::Stated.into(), ..Default::default() };
    let said = |basis| {
        [
            record(5, basis, &pb::AgreementSuspended { party: party() }),
            record(5, basis, &resumed),
            record(5, basis, &stated),
            record(5, basis, &pb::AgreementExpired {}),
            record(5, basis, &pb::AgreementSuperseded::default()),
        ]
    };
    for (own, reported) in said(Basis::Act).iter().zip(&said(Basis::RecordedFromSource)) {
        assert!(is_entered(own) && !is_entered(reported), "{}", own.r#type);
    }
    let registered = record(1, Basis::RecordedFromSource, &pb::AgreementRegistered::default());
    assert!(is_entered(&registered), "it is in the register, whoever entered it");
}

#[test]
fn what_the_register_decided_by_a_rule_counts_whoevers_record_came_last() {
    let decided = pb::AgreementTerminated { ground: pb::OutcomeGround::Rule.into(), ..Default::default() };
    assert!(is_entered(&record(9, Basis::RecordedFromSource, &decided)));
}

#[test]
fn what_a_party_confirms_is_entered_as_it_confirmed_it() {
    let suspended = pb::AgreementSuspended { party: "partners/fra".into() };
    let confirmed = pb::AgreementRecordConfirmed {
        confirmed_version: 5,
        confirmed: Some(Payload::of(&suspended).to_any()),
        confirmed_effective_on: Some(contracts::toguna::r#type::v1::Date { year: 2022, month: 11, day: 17 }),
    };
    let said = confirmed_of(&record(6, Basis::Act, &confirmed), confirmed.clone()).expect("it can be read");
    assert!(matches!(fact(said.version, &said.payload), Ok(Some(AgreementFact::Suspended))));
    assert!(matches!(said.date, SaidOn::Date(Some(date)) if date.to_string() == "2022-11-17"));
    assert_eq!(said.version, 6, "a correction of the record leaves what was confirmed");
    let of_a_signature = pb::AgreementRecordConfirmed {
        confirmed: Some(Payload::of(&pb::AgreementSigned::default()).to_any()),
        ..confirmed
    };
    assert!(!is_entered(&record(6, Basis::Act, &of_a_signature)));
}
