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
use sqlx::{Connection as _, PgConnection};
use tonic::{Code, Status, Streaming, transport::Channel};
use tonic_types::StatusExt as _;

use crate::notes::{Service, by, environment, note, reason, unique_name, with_token};

pub async fn replay(
    service: &mut Service,
    request: pb::ReplayLogRequest,
) -> Result<Streaming<pb::ReplayLogResponse>, Status> {
    Ok(service.log.replay_log(by("auditor", request)).await?.into_inner())
}

pub fn from(position: u64) -> pb::ReplayLogRequest {
    pb::ReplayLogRequest { start: Some(Start::FromPosition(position)), ..pb::ReplayLogRequest::default() }
}

fn matching(filter: pb::ReplayFilter) -> pb::ReplayLogRequest {
    pb::ReplayLogRequest { filter: Some(filter), ..pb::ReplayLogRequest::default() }
}

pub fn of_stream(stream: &str) -> pb::ReplayLogRequest {
    matching(pb::ReplayFilter { stream: stream.into(), ..pb::ReplayFilter::default() })
}

/// The next message.
pub async fn next(answers: &mut Streaming<pb::ReplayLogResponse>) -> Option<Message> {
    let answer = tokio::time::timeout(Duration::from_secs(10), answers.message()).await.expect("soon");
    answer.expect("an answer").map(|answer| answer.message.expect("it says something"))
}

/// Where a message says that the replay is.
pub fn place(message: &Message) -> Option<&pb::Place> {
    match message {
        Message::Events(_) => None,
        Message::Checkpoint(checkpoint) => checkpoint.place.as_ref(),
        Message::CaughtUp(end) => end.place.as_ref(),
        Message::Heartbeat(heartbeat) => heartbeat.place.as_ref(),
        Message::Goodbye(goodbye) => goodbye.place.as_ref(),
    }
}

/// What a replay said from its first to its last message.
pub struct Told {
    /// Position and previous position of each event.
    pub links: Vec<(u64, u64)>,
    /// The last message.
    pub end: Message,
}

impl Told {
    pub fn positions(&self) -> Vec<u64> {
        self.links.iter().map(|(position, _)| *position).collect()
    }

    pub fn place(&self) -> &pb::Place {
        place(&self.end).expect("the last message says where the replay is")
    }

    /// What goes on after it.
    pub fn start(&self) -> Start {
        Start::ResumeToken(self.place().resume_token.clone())
    }
}

/// All that a replay says, checked as it comes: events are in order and chained, a place follows each batch of them and
/// names the last one, places never go back.
pub async fn told(service: &mut Service, request: pb::ReplayLogRequest) -> Told {
    let mut answers = replay(service, request).await.expect("a replay");
    let mut links: Vec<(u64, u64)> = Vec::new();
    let (mut reached, mut last): (u64, Option<Message>) = (0, None);
    while let Some(message) = next(&mut answers).await {
        match (&message, place(&message)) {
            (Message::Events(batch), _) => {
                assert!(!matches!(last, Some(Message::Events(_))), "a place follows each batch");
                assert!(!batch.events.is_empty(), "a batch holds something");
                for event in &batch.events {
                    let before = links.last().map(|(position, _)| *position);
                    assert!(before.is_none_or(|before| event.previous_position == before), "the chain holds");
                    assert!(event.previous_position < event.position);
                    let record = pb::EventRecord::decode(event.record.clone()).expect("a record");
                    assert_eq!(record.position, event.position);
                    links.push((event.position, event.previous_position));
                }
            }
            (_, Some(place)) => {
                assert!(place.position >= reached, "it never goes back");
                reached = place.position;
                let before = links.last().map(|(position, _)| *position);
                assert!(before.is_none_or(|before| place.last_event_position == before), "it names the last event");
                assert_eq!(place.epoch.len(), 16);
            }
            (_, None) => panic!("no place in {message:?}"),
        }
        last = Some(message);
    }
    Told { links, end: last.expect("it says something") }
}

/// Positions until the end of the log, and the position of the end.
async fn positions(service: &mut Service, request: pb::ReplayLogRequest) -> (Vec<u64>, u64) {
    let told = told(service, request).await;
    assert!(matches!(told.end, Message::CaughtUp(_)), "it ends with the end of the log: {:?}", told.end);
    (told.positions(), told.place().position)
}

/// Notes a number in a notebook.
pub async fn note_in(service: &mut Service, notebook: &str) {
    let request = ProposeCorrectionRequest { name: notebook.into(), ..note(1) };
    service.notes.propose_correction(by("aminata", request)).await.expect("it is noted");
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
    assert_eq!(told(&mut service, from(4)).await.links, [(4, 3), (5, 4)], "of all events, the one before is known");
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
    for before in [jiff::Timestamp::UNIX_EPOCH, jiff::Timestamp::MIN] {
        assert_eq!(positions(&mut service, since(before)).await, (vec![1, 2], 2), "before everything");
    }
    for after in [jiff::Timestamp::now(), jiff::Timestamp::MAX] {
        assert_eq!(positions(&mut service, since(after)).await, (vec![], 2), "after everything");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_stream_is_replayed_alone() {
    let mut service = Service::start().await;
    for name in ["funds/one", "funds/two", "funds/one", "funds/one"] {
        note_in(&mut service, name).await;
    }
    assert_eq!(told(&mut service, of_stream("funds/one")).await.links, [(1, 0), (3, 1), (4, 3)]);
    assert_eq!(positions(&mut service, of_stream("funds/two")).await, (vec![2], 4));
    assert_eq!(positions(&mut service, of_stream("funds/three")).await, (vec![], 4), "a stream that is not there");
    // Of one stream the event before is known wherever the replay begins.
    let late = pb::ReplayLogRequest { start: from(2).start, ..of_stream("funds/one") };
    assert_eq!(told(&mut service, late).await.links, [(3, 1), (4, 3)]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stream_of_many_pages_is_replayed_whole_among_others() {
    let mut service = Service::start().await;
    for number in 0..150 {
        note_in(&mut service, if number % 2 == 0 { "funds/even" } else { "funds/odd" }).await;
    }
    let even = told(&mut service, of_stream("funds/even")).await;
    assert_eq!(even.positions(), (1..=150).step_by(2).collect::<Vec<_>>());
    assert_eq!((even.place().position, even.place().last_event_position), (150, 149));
}

#[tokio::test(flavor = "multi_thread")]
async fn events_are_replayed_by_kind_of_resource_by_type_and_by_organisation() {
    let mut service = Service::start().await;
    service.note(1).await;
    service.note(600).await;
    let french = harness::token("focal_point", "partners/fr", "jean");
    service.notes.propose_correction(with_token(&french, note(2))).await.expect("it is noted");
    let source = pb::Source { title: "Journal officiel".into(), kind: "law".into(), ..pb::Source::default() };
    let of_france = pb::Act { on_behalf_of: "partners/fr".into(), sources: vec![source], ..pb::Act::default() };
    let request = ProposeCorrectionRequest { act: Some(of_france), ..note(601) };
    service.notes.propose_correction(by("aminata", request)).await.expect("it is noted");

    let all = pb::ReplayFilter::default;
    let (small, large) = ("toguna.log.v1.EventReference".to_owned(), "toguna.log.v1.Provenance".to_owned());
    for (filter, links) in [
        (pb::ReplayFilter { aggregate: "funds".into(), ..all() }, vec![(1, 0), (2, 1), (3, 2), (4, 3)]),
        (pb::ReplayFilter { aggregate: "notebook".into(), ..all() }, vec![]),
        (pb::ReplayFilter { types: vec![small.clone()], ..all() }, vec![(1, 0), (3, 1)]),
        (pb::ReplayFilter { types: vec![large.clone()], ..all() }, vec![(2, 0), (4, 2)]),
        (pb::ReplayFilter { types: vec![large.clone(), small], ..all() }, vec![(1, 0), (2, 1), (3, 2), (4, 3)]),
        // Its own act, and its act as Mali recorded it.
        (pb::ReplayFilter { organisation: "partners/fr".into(), ..all() }, vec![(3, 0), (4, 3)]),
        // Its own acts, and what it recorded of another.
        (pb::ReplayFilter { organisation: "partners/mli".into(), ..all() }, vec![(1, 0), (2, 1), (4, 2)]),
        (pb::ReplayFilter { organisation: "partners/ne".into(), ..all() }, vec![]),
        (
            pb::ReplayFilter {
                organisation: "partners/fr".into(),
                types: vec![large],
                stream: "funds/one".into(),
                ..all()
            },
            vec![(4, 0)],
        ),
    ] {
        let told = told(&mut service, matching(filter.clone())).await;
        assert_eq!(told.links, links, "{filter:?}");
        assert_eq!(told.place().position, 4, "what does not match is passed: {filter:?}");
    }
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
    while let Some(message) = next(&mut answers).await {
        let Message::Events(batch) = message else { continue };
        assert!(batch.encoded_len() <= 256 * 1024, "{}", batch.encoded_len());
        batches += 1;
        for event in &batch.events {
            position += 1;
            let record = pb::EventRecord::decode(event.record.clone()).expect("a record");
            assert_eq!((event.position, record.position), (position, position));
            assert_eq!(record.encode_to_vec(), event.record, "nothing was left out");
        }
    }
    assert_eq!(position, 40);
    assert!(batches >= 8, "{batches}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_reader_who_pauses_loses_nothing_and_holds_nothing_in_the_database() {
    let environment = environment().await;
    let mut service = Service::start_in(unique_name(), &environment, LogReaders::Partners).await;
    note_at_length(&mut service, 60).await;
    let channel = Channel::from_shared(format!("http://{}", service.address)).expect("an address");
    let narrow = channel.initial_stream_window_size(65_535).initial_connection_window_size(65_535);
    let mut log = LogServiceClient::new(narrow.connect().await.expect("it listens"));
    let answers = log.replay_log(by("auditor", pb::ReplayLogRequest::default())).await.expect("a replay");
    let mut answers = answers.into_inner();
    let mut positions = Vec::new();
    let mut hear = |message: &Message| {
        if let Message::Events(batch) = message {
            positions.extend(batch.events.iter().map(|event| event.position));
        }
    };
    hear(&next(&mut answers).await.expect("events"));
    tokio::time::sleep(Duration::from_millis(300)).await;
    let mut owner = PgConnection::connect(&environment["DATABASE_URL"]).await.expect("the owner connects");
    let holding = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
        AND (backend_xmin IS NOT NULL OR state <> 'idle') AND usename LIKE '%\\_reader'";
    let holding: i64 = sqlx::query_scalar(holding).fetch_one(&mut owner).await.expect("an answer");
    assert_eq!(holding, 0, "no snapshot waits for a reader");
    // What is noted while the reader pauses comes too, for the end of the log was not read yet; and it can be noted.
    for number in 1..=3 {
        service.note(number).await;
    }
    while let Some(message) = next(&mut answers).await {
        hear(&message);
    }
    assert_eq!(positions, (1..=63).collect::<Vec<_>>());
}

#[tokio::test(flavor = "multi_thread")]
async fn nothing_is_replayed_over_a_hole_in_the_log() {
    let environment = environment().await;
    let mut service = Service::start_in(unique_name(), &environment, LogReaders::Partners).await;
    for number in 1..=4 {
        service.note(number).await;
    }
    let mut owner = PgConnection::connect(&environment["DATABASE_URL"]).await.expect("the owner connects");
    sqlx::query("DELETE FROM log.events WHERE position = 3").execute(&mut owner).await.expect("a row is gone");
    for request in [from(1), from(3)] {
        let mut answers = replay(&mut service, request).await.expect("a replay");
        let status = answers.message().await.expect_err("not beyond the hole");
        assert_eq!((status.code(), reason(&status).as_str()), (Code::Internal, "INTERNAL"));
    }
    assert_eq!(told(&mut service, from(4)).await.positions(), [4]);
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
async fn everything_wrong_with_a_request_is_told_at_once() {
    let mut service = Service::start().await;
    let request = pb::ReplayLogRequest {
        start: Some(Start::Since(prost_types::Timestamp { seconds: i64::MAX, nanos: -1 })),
        filter: Some(pb::ReplayFilter {
            stream: "no name".into(),
            aggregate: "No kind".into(),
            types: vec!["toguna.log.v1.EventReference".into(), "AgreementSigned".into()],
            organisation: "mli".into(),
        }),
        max_duration: Some(prost_types::Duration { seconds: i64::MIN, nanos: 0 }),
        ..pb::ReplayLogRequest::default()
    };
    let status = replay(&mut service, request).await.map(|_| ()).expect_err("malformed");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::InvalidArgument, "INVALID_REQUEST"));
    let told = status.get_details_bad_request().expect("it lists them").field_violations;
    let fields: Vec<_> = told.iter().map(|violation| violation.field.as_str()).collect();
    let expected =
        ["filter.organisation", "since", "filter.stream", "filter.aggregate", "filter.types[1]", "max_duration"];
    assert_eq!(fields, expected);
    let start = Some(Start::ResumeToken("nonsense".into()));
    let request = pb::ReplayLogRequest { start, ..pb::ReplayLogRequest::default() };
    let status = replay(&mut service, request).await.map(|_| ()).expect_err("no token");
    assert!(status.message().contains("resume_token"), "{}", status.message());
}
