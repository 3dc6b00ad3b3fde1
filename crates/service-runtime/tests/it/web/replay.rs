//! A log replayed to whoever can read lines.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use contracts::toguna::log::v1::EventRecord;
use prost::Message as _;
use serde_json::Value;
use service_runtime::LogReaders;
use tokio::{io::AsyncReadExt as _, net::TcpStream};

use super::{Answer, Plain, plain::whole, service, service_with};
use crate::notes::Service;

/// One event of a stream: its name, its id and its data.
#[derive(Debug, Clone)]
struct Told {
    name: String,
    id: Option<String>,
    data: Value,
}

/// The events of a text, as a browser reads them.
fn read(text: &str) -> Vec<Told> {
    let blocks = text.split("\n\n").filter(|block| block.starts_with("event: "));
    let field = |block: &str, name: &str| {
        block.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(": ")).map(str::to_owned)
    };
    let told = blocks.map(|block| Told {
        name: field(block, "event").expect("a name"),
        id: field(block, "id"),
        data: serde_json::from_str(&field(block, "data").expect("data")).expect("it is JSON"),
    });
    told.collect()
}

/// Positions of the events of a replay; each record is checked to be that of its position.
fn positions(told: &[Told]) -> Vec<u64> {
    let events = told.iter().filter(|each| each.name == "events");
    let events = events.flat_map(|each| each.data["events"].as_array().expect("events"));
    let position = |event: &Value| {
        let position = event["position"].as_str().expect("64 bits are text").parse().expect("a number");
        let record = STANDARD.decode(event["record"].as_str().expect("bytes are text")).expect("base64");
        assert_eq!(EventRecord::decode(record.as_slice()).expect("a record").position, position);
        position
    };
    events.map(position).collect()
}

async fn replayed(plain: &Plain, query: &str) -> (Answer, Vec<Told>) {
    let answer = plain.send("GET", &format!("/v1/log:replay{query}"), b"").await;
    let told = read(&answer.text());
    (answer, told)
}

async fn with_notes(count: u64) -> (Service, Plain) {
    let (mut service, plain) = service().await;
    for number in 1..=count {
        service.note(number).await;
    }
    (service, plain)
}

#[tokio::test]
async fn a_replay_that_was_cut_goes_on_from_the_last_id() {
    let (_service, plain) = with_notes(5).await;
    let (answer, first) = replayed(&plain, "?max_events=2").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("text/event-stream")), "{answer:?}");
    assert!(answer.text().starts_with("retry: 2000\n\n"));
    assert_eq!(positions(&first), [1, 2]);
    let last = first.last().expect("a goodbye");
    assert_eq!((last.name.as_str(), &last.data["reason"]), ("goodbye", &"GOODBYE_REASON_SLICE_FULL".into()));
    let id = last.id.clone().expect("a token");
    assert_eq!(last.data["place"]["resumeToken"], *id);

    // The address stays the same, as that of a browser's EventSource does; what it says of the start is overruled.
    let resumed = plain.with("last-event-id", &id);
    let (_, rest) = replayed(&resumed, "?from_position=1").await;
    assert_eq!(positions(&rest), [3, 4, 5]);
    let end = rest.last().expect("an end");
    assert_eq!(end.name, "caught_up");

    let resumed = plain.with("last-event-id", end.id.as_deref().expect("a token"));
    let (answer, nothing) = replayed(&resumed, "").await;
    assert_eq!((answer.status, nothing.len()), (204, 0), "a browser need not come back");
    let (answer, again) = replayed(&plain, &format!("?resume_token={}", id.replace('+', "%2B"))).await;
    assert_eq!((answer.status, positions(&again)), (200, vec![3, 4, 5]));
}

#[tokio::test]
async fn what_is_asked_for_is_said_by_the_query_and_what_is_wrong_in_it_by_a_refusal() {
    let (service, plain) = with_notes(3).await;
    let (_, told) = replayed(&plain, "?fromPosition=2&filter.stream=funds/one&filter.aggregate=funds").await;
    assert_eq!(positions(&told), [2, 3]);
    let (refused, _) = replayed(
        &plain.with("accept-language", "fr"),
        "?from=2&filter.strem=x&follow=perhaps&since=yesterday&max_duration=5",
    )
    .await;
    assert_eq!((refused.status, refused.reason().as_str()), (400, "INVALID_REQUEST"), "{refused:?}");
    let told = refused.detail("google.rpc.BadRequest");
    let mut fields: Vec<&str> =
        told["fieldViolations"].as_array().expect("all").iter().filter_map(|each| each["field"].as_str()).collect();
    fields.sort_unstable();
    assert_eq!(fields, ["filter.strem", "follow", "from", "max_duration", "since"]);
    let (refused, _) = replayed(&plain.with("last-event-id", "made up"), "").await;
    assert_eq!((refused.status, refused.reason().as_str()), (400, "INVALID_REQUEST"), "{refused:?}");
    let (refused, _) = replayed(&Plain::without_token(service.address), "").await;
    assert_eq!(refused.status, 401, "{refused:?}");
}

#[tokio::test]
async fn a_log_is_closed_to_those_who_may_not_read_it() {
    let service = Service::start_for(LogReaders::Roles(&["auditor"])).await;
    let (refused, _) = replayed(&Plain::to(service.address), "").await;
    assert_eq!(refused.status, 403, "{refused:?}");
}

/// Reads on until the text so far says something.
async fn until(stream: &mut TcpStream, bytes: &mut Vec<u8>, said: &str) -> String {
    let reading = async {
        loop {
            let head = bytes.windows(4).position(|four| four == b"\r\n\r\n");
            let text = head.map(|head| String::from_utf8_lossy(&whole(&bytes[head + 4..])).into_owned());
            if let Some(text) = text.filter(|text| text.contains(said)) {
                return text;
            }
            let came = stream.read_buf(bytes).await.expect("it can be read");
            assert_ne!(came, 0, "it ended: {}", String::from_utf8_lossy(bytes));
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading).await.expect("in time")
}

#[tokio::test]
async fn who_follows_hears_of_each_event_at_once_of_silence_and_of_the_end() {
    let (mut service, plain) = service_with("TOGUNA_HEARTBEAT", "1").await;
    service.note(1).await;
    let mut stream = plain.begin("GET", "/v1/log:replay?follow=true", None).await;
    let mut bytes = Vec::new();
    until(&mut stream, &mut bytes, "event: caught_up").await;
    service.note(2).await;
    until(&mut stream, &mut bytes, "\"position\":\"2\"").await;
    until(&mut stream, &mut bytes, "event: heartbeat").await;
    service.stopping.cancel();
    let text = until(&mut stream, &mut bytes, "event: goodbye").await;
    let told = read(&text);
    assert_eq!(positions(&told), [1, 2]);
    assert_eq!(told.last().expect("a goodbye").data["reason"], "GOODBYE_REASON_SERVER_STOPPING");
}

#[tokio::test]
async fn a_replay_may_be_packed_and_still_comes_at_once() {
    use std::io::Read as _;
    let (_service, plain) = with_notes(3).await;
    let packed = plain.with("accept-encoding", "gzip").send("GET", "/v1/log:replay", b"").await;
    assert_eq!(packed.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(packed.body.as_slice()).read_to_string(&mut text).expect("it is packed");
    assert_eq!(positions(&read(&text)), [1, 2, 3]);
}
