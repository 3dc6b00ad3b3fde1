use event_store::Payload;
use prost::Name;

use super::*;

fn means<M: prost::Message + Name>(version: u64, message: &M) -> Option<CommitmentFact> {
    fact(version, &Payload::of(message)).expect("it can be read")
}

#[test]
fn a_commitment_is_registered_kept_or_taken_back() {
    assert_eq!(means(1, &pb::CommitmentDeclared::default()), Some(CommitmentFact::Registered));
    assert_eq!(means(9, &pb::CommitmentFulfilled {}), Some(CommitmentFact::Fulfilled));
    assert_eq!(means(9, &pb::CommitmentPartlyFulfilled::default()), Some(CommitmentFact::Fulfilled));
    assert_eq!(means(9, &pb::CommitmentWithdrawn {}), Some(CommitmentFact::Withdrawn));
}

#[test]
fn progress_and_a_missed_date_leave_its_standing() {
    assert_eq!(means(2, &pb::ProgressNoted::default()), None);
    assert_eq!(means(3, &pb::CommitmentLapsed {}), None);
}

#[test]
fn other_streams_are_of_no_concern() {
    let record = EventRecord { stream: "frameworks/jvap".into(), version: 1, ..EventRecord::default() };
    assert!(RecordCommitmentStandings.react(&record).expect("it can be read").is_none());
}
