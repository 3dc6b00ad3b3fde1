//! The log as auditors read it.

use std::time::Duration;

use contracts::toguna::{
    disbursements::v1::ProposeCorrectionRequest,
    log::v1::{
        self as pb, log_service_client::LogServiceClient, replay_log_request::Start, replay_log_response::Message,
    },
};
use prost::Message as _;
use service_runtime::LogReaders;
use tonic::{Code, Status, Streaming, transport::Channel};

use crate::notes::{Service, by, note, reason, with_token};

async fn replay(
    service: &mut Service,
    request: pb::ReplayLogRequest,
) -> Result<Streaming<pb::ReplayLogResponse>, Status> {
    Ok(service.log.replay_log(by("auditor", request)).await?.into_inner())
}

fn from(position: u64) -> pb::ReplayLogRequest {
    pb::ReplayLogRequest { start: Some(Start::FromPosition(position)), ..pb::ReplayLogRequest::default() }
}

/// The next message.
async fn next(answers: &mut Streaming<pb::ReplayLogResponse>) -> Option<Message> {
    let answer = tokio::time::timeout(Duration::from_secs(5), answers.message()).await.expect("soon");
    answer.expect("an answer").map(|answer| answer.message.expect("it says something"))
}

fn records(batch: &pb::EventBatch) -> Vec<pb::EventRecord> {
    batch.records.iter().map(|record| pb::EventRecord::decode(record.as_slice()).expect("a record")).collect()
}

/// Positions until the end of the log, and the position of the end.
async fn positions(service: &mut Service, request: pb::ReplayLogRequest) -> (Vec<u64>, u64) {
    let mut answers = replay(service, request).await.expect("a replay");
    let mut positions = Vec::new();
    loop {
        match next(&mut answers).await.expect("an end that is told") {
            Message::Events(batch) => positions.extend(records(&batch).iter().map(|record| record.position)),
            Message::CaughtUp(end) => {
                assert!(next(&mut answers).await.is_none(), "nothing comes after the end");
                return (positions, end.position);
            }
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_replayed_from_any_position() {
    let mut service = Service::start().await;
    assert_eq!(positions(&mut service, pb::ReplayLogRequest::default()).await, (vec![], 0));
    for number in 1..=5 {
        service.note(number).await;
    }
    assert_eq!(positions(&mut service, pb::ReplayLogRequest::default()).await, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(positions(&mut service, from(0)).await, (vec![1, 2, 3, 4, 5], 5));
    assert_eq!(positions(&mut service, from(4)).await, (vec![4, 5], 5));
    for beyond in [6, 7, u64::MAX] {
        assert_eq!(positions(&mut service, from(beyond)).await, (vec![], 5), "{beyond}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_is_replayed_from_any_time() {
    let mut service = Service::start().await;
    service.note(1).await;
    tokio::time::sleep(Duration::from_millis(20)).await;
    let noon = jiff::Timestamp::now();
    service.note(2).await;
    let since = |time: jiff::Timestamp| pb::ReplayLogRequest {
        start: Some(Start::Since(prost_types::Timestamp {
            seconds: time.as_second(),
            nanos: time.subsec_nanosecond(),
        })),
        ..pb::ReplayLogRequest::default()
    };
    assert_eq!(positions(&mut service, since(noon)).await, (vec![2], 2));
    assert_eq!(positions(&mut service, since(jiff::Timestamp::UNIX_EPOCH)).await, (vec![1, 2], 2));
    assert_eq!(positions(&mut service, since(jiff::Timestamp::now())).await, (vec![], 2));
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stream_is_replayed_alone() {
    let mut service = Service::start().await;
    for name in ["notebooks/one", "notebooks/two", "notebooks/one"] {
        let request = ProposeCorrectionRequest { name: name.into(), ..note(1) };
        service.notes.propose_correction(by("aminata", request)).await.expect("it is noted");
    }
    let only = |stream: &str| pb::ReplayLogRequest { stream: stream.into(), ..pb::ReplayLogRequest::default() };
    assert_eq!(positions(&mut service, only("notebooks/one")).await, (vec![1, 3], 3));
    assert_eq!(positions(&mut service, only("notebooks/two")).await, (vec![2], 3));
    assert_eq!(positions(&mut service, only("notebooks/three")).await, (vec![], 3));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_hears_of_each_event_and_of_the_end_of_the_service() {
    let mut service = Service::start().await;
    service.note(1).await;
    let request = pb::ReplayLogRequest { follow: true, ..pb::ReplayLogRequest::default() };
    let mut answers = replay(&mut service, request).await.expect("a replay");
    for position in 1..=3 {
        let Some(Message::Events(batch)) = next(&mut answers).await else { panic!("events") };
        assert_eq!(records(&batch)[0].position, position);
        let Some(Message::CaughtUp(end)) = next(&mut answers).await else { panic!("the end, for now") };
        assert_eq!(end.position, position);
        service.note(position + 1).await;
    }
    service.stopping.cancel();
    let status = loop {
        match answers.message().await {
            Ok(Some(_)) => {}
            Ok(None) => panic!("an end without a word"),
            Err(status) => break status,
        }
    };
    assert_eq!((status.code(), reason(&status).as_str()), (Code::Unavailable, "LOG_UNAVAILABLE"));
    (&mut service.served).await.expect("no panic").expect("it stops well");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_follower_that_is_ahead_waits_for_its_position() {
    let mut service = Service::start().await;
    let mut answers = replay(&mut service, pb::ReplayLogRequest { follow: true, ..from(3) }).await.expect("a replay");
    assert!(matches!(next(&mut answers).await, Some(Message::CaughtUp(pb::CaughtUp { position: 0, .. }))));
    for number in 1..=3 {
        service.note(number).await;
    }
    let Some(Message::Events(batch)) = next(&mut answers).await else { panic!("events") };
    assert_eq!(records(&batch)[0].position, 3);
}

/// Notes numbers with as many words around them as an event may have.
async fn note_at_length(service: &mut Service, count: u64) {
    let text = "x".repeat(500);
    let source = pb::Source {
        title: text.clone(),
        kind: text.clone(),
        issuer: text.clone(),
        language_code: text.clone(),
        location: text,
        ..pb::Source::default()
    };
    let act = pb::Act { sources: vec![source; 20], ..pb::Act::default() };
    for number in 1..=count {
        let request = ProposeCorrectionRequest { act: Some(act.clone()), ..note(number) };
        service.notes.propose_correction(by("aminata", request)).await.expect("it is noted");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_message_holds_at_most_256_kib_and_the_bytes_are_those_that_were_stored() {
    let mut service = Service::start().await;
    note_at_length(&mut service, 40).await;
    let mut answers = replay(&mut service, pb::ReplayLogRequest::default()).await.expect("a replay");
    let (mut batches, mut position) = (0, 0);
    while let Some(Message::Events(batch)) = next(&mut answers).await {
        assert!(batch.encoded_len() <= 256 * 1024, "{}", batch.encoded_len());
        batches += 1;
        for (record, bytes) in records(&batch).iter().zip(&batch.records) {
            position += 1;
            assert_eq!(record.position, position);
            assert_eq!(record.encode_to_vec(), *bytes, "nothing was left out");
        }
    }
    assert_eq!(position, 40);
    assert!(batches >= 8, "{batches}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_log_is_read_no_faster_than_the_reader_reads() {
    let mut service = Service::start().await;
    note_at_length(&mut service, 40).await;
    let channel = Channel::from_shared(format!("http://{}", service.address)).expect("an address");
    let narrow = channel.initial_stream_window_size(65_535).initial_connection_window_size(65_535);
    let mut log = LogServiceClient::new(narrow.connect().await.expect("it listens"));
    let answers = log.replay_log(by("auditor", pb::ReplayLogRequest::default())).await.expect("a replay");
    let mut answers = answers.into_inner();
    let Some(Message::Events(first)) = next(&mut answers).await else { panic!("events") };
    tokio::time::sleep(Duration::from_millis(200)).await;
    // What is noted while the reader pauses comes too, for the end of the log was not read yet; and it can be noted.
    for number in 1..=3 {
        service.note(number).await;
    }
    let mut position = records(&first).last().expect("some").position;
    while let Some(Message::Events(batch)) = next(&mut answers).await {
        for record in records(&batch) {
            assert_eq!(record.position, position + 1);
            position += 1;
        }
    }
    assert_eq!(position, 43);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_says_where_it_stands() {
    let mut service = Service::start().await;
    let standing = async |service: &mut Service| {
        service.log.get_log(by("auditor", pb::GetLogRequest {})).await.expect("an answer").into_inner()
    };
    let empty = standing(&mut service).await;
    assert_eq!((empty.head, empty.recorded_at, empty.log.as_str()), (0, None, service.name));
    let before = jiff::Timestamp::now().as_second();
    service.note(1).await;
    let one = standing(&mut service).await;
    assert_eq!((one.head, one.epoch.len()), (1, 16));
    assert_eq!(one.epoch, empty.epoch);
    assert!(one.recorded_at.expect("it was recorded").seconds >= before);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_log_with_readers_of_its_own_is_closed_to_others() {
    let mut service = Service::start_for(LogReaders::Roles(&["auditor", "donor"])).await;
    for (roles, allowed) in [("auditor", true), ("contributor,donor", true), ("focal_point", false), ("", false)] {
        let token = harness::token(roles, "partners/mli", "someone");
        let answer = service.log.get_log(with_token(&token, pb::GetLogRequest {})).await.map(|_| ());
        let replayed = service.log.replay_log(with_token(&token, pb::ReplayLogRequest::default())).await.map(|_| ());
        for answer in [answer, replayed] {
            let refused = answer.err().map(|status| (status.code(), reason(&status)));
            let expected = (!allowed).then(|| (Code::PermissionDenied, "ROLE_REQUIRED".to_owned()));
            assert_eq!(refused, expected, "{roles}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_malformed_replay_is_refused() {
    let mut service = Service::start().await;
    let since = Some(Start::Since(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 }));
    let request = pb::ReplayLogRequest { start: since, stream: "no name".into(), follow: false };
    let status = replay(&mut service, request).await.map(|_| ()).expect_err("malformed");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
    assert!(status.message().contains("since") && status.message().contains("stream"), "{}", status.message());
}
