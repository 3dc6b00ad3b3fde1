//! How many connections a service takes, how each one ends, and what an organisation may ask of it at a time.

use std::time::{Duration, Instant};

use contracts::toguna::log::v1::{self as pb, GoodbyeReason, replay_log_response::Message};
use service_runtime::LogReaders;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tonic::Code;
use tonic_types::StatusExt as _;

use crate::{
    notes::{Service, by, environment, note, reason, unique_name, with_token},
    replay::{from, next, replay},
};

const SOON: Duration = Duration::from_secs(10);

/// A service with limits of its own.
pub async fn within(limits: &[(&'static str, u32)]) -> Service {
    let mut environment = environment().await;
    environment.extend(limits.iter().map(|(name, number)| (*name, number.to_string())));
    Service::start_in(unique_name(), &environment, LogReaders::Partners).await
}

async fn connect(service: &Service) -> TcpStream {
    TcpStream::connect(service.address).await.expect("it listens")
}

/// Until the service closes a connection.
async fn closed(mut connection: TcpStream) {
    let mut heard = Vec::new();
    // Closed in order, or cut: both are an end.
    let _ = tokio::time::timeout(SOON, connection.read_to_end(&mut heard)).await.expect("soon");
}

/// Whether the service keeps a connection: it says its settings to whoever speaks HTTP/2.
async fn kept(connection: &mut TcpStream) -> bool {
    let hello = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\x04\0\0\0\0\0";
    if connection.write_all(hello).await.is_err() {
        return false;
    }
    let mut first = [0; 9];
    tokio::time::timeout(SOON, connection.read_exact(&mut first)).await.expect("soon").is_ok()
}

fn following(request: pb::ReplayLogRequest) -> pb::ReplayLogRequest {
    pb::ReplayLogRequest { follow: true, ..request }
}

#[tokio::test(flavor = "multi_thread")]
async fn one_address_has_only_so_many_connections_and_a_closed_one_makes_place() {
    // The service's own client is one of them.
    let service = within(&[("TOGUNA_MAX_CONNECTIONS_PER_PEER", 3)]).await;
    let (mut first, mut second) = (connect(&service).await, connect(&service).await);
    assert!(kept(&mut first).await && kept(&mut second).await);
    assert!(!kept(&mut connect(&service).await).await, "one too many");
    drop(first);
    let began = Instant::now();
    while !kept(&mut connect(&service).await).await {
        assert!(began.elapsed() < SOON, "no place");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(kept(&mut second).await, "the others are left alone");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_service_has_only_so_many_connections_in_all() {
    let mut service = within(&[("TOGUNA_MAX_CONNECTIONS", 2)]).await;
    let mut second = connect(&service).await;
    assert!(kept(&mut second).await);
    assert!(!kept(&mut connect(&service).await).await, "one too many");
    service.note(1).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_says_nothing_or_little_is_closed() {
    let service = within(&[("TOGUNA_HANDSHAKE_SECONDS", 1)]).await;
    let (silent, mut slow, mut good) = (connect(&service).await, connect(&service).await, connect(&service).await);
    assert!(kept(&mut good).await);
    slow.write_all(b"PRI * HTTP/2.0").await.expect("it is taken");
    let began = Instant::now();
    closed(silent).await;
    closed(slow).await;
    assert!(began.elapsed() >= Duration::from_millis(900), "{:?}", began.elapsed());
    good.write_all(b"\0\0\x08\x06\0\0\0\0\0abcdefgh").await.expect("who has spoken stays");
    let mut answer = [0; 9];
    tokio::time::timeout(SOON, good.read_exact(&mut answer)).await.expect("soon").expect("an answer");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connection_that_nobody_uses_is_closed_and_the_next_call_makes_another() {
    let mut service = within(&[("TOGUNA_IDLE_SECONDS", 1)]).await;
    let (client, idle) = h2::client::handshake(connect(&service).await).await.expect("it speaks HTTP/2");
    let idle = tokio::spawn(idle);
    let mut replay = replay(&mut service, following(from(1))).await.expect("a replay");
    let ended = tokio::time::timeout(SOON, idle).await.expect("soon").expect("no panic");
    assert!(ended.is_ok(), "in order: {ended:?}");
    drop(client);
    tokio::time::sleep(Duration::from_millis(1200)).await;
    service.note(1).await;
    loop {
        match next(&mut replay).await.expect("a connection with a call under way is in use") {
            Message::Events(batch) => break assert_eq!(batch.events[0].position, 1),
            Message::Goodbye(goodbye) => panic!("{goodbye:?}"),
            _ => {}
        }
    }
    drop(replay);
    tokio::time::sleep(Duration::from_millis(1500)).await;
    service.note(2).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_old_connection_says_goodbye_to_its_replays_and_the_next_call_makes_another() {
    let mut service = within(&[("TOGUNA_CONNECTION_AGE_SECONDS", 3)]).await;
    service.note(1).await;
    let mut answers = replay(&mut service, following(from(1))).await.expect("a replay");
    let goodbye = loop {
        if let Message::Goodbye(goodbye) = next(&mut answers).await.expect("it says goodbye") {
            break goodbye;
        }
    };
    assert_eq!(goodbye.reason(), GoodbyeReason::ConnectionOld);
    assert!(next(&mut answers).await.is_none(), "and ends in order");
    // A call that meets the connection as it ends was not taken. Most libraries send it again by themselves; this one
    // says so, and makes another connection for the next call.
    if let Err(status) = service.notes.propose_correction(by("aminata", note(2))).await {
        assert!(status.details().is_empty(), "not by the service: {status:?}");
        service.note(2).await;
    }
    let start = Some(pb::replay_log_request::Start::ResumeToken(goodbye.place.expect("a place").resume_token));
    let mut answers = replay(&mut service, pb::ReplayLogRequest { start, ..from(1) }).await.expect("a replay");
    let Some(Message::Events(batch)) = next(&mut answers).await else { panic!("events") };
    assert_eq!(batch.events[0].position, 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_does_not_end_with_its_connection_is_cut_off_after_the_grace() {
    use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};
    let service = within(&[("TOGUNA_CONNECTION_AGE_SECONDS", 1), ("TOGUNA_CONNECTION_GRACE_SECONDS", 1)]).await;
    let channel = tonic::transport::Channel::from_shared(format!("http://{}", service.address)).expect("an address");
    let mut health = HealthClient::new(channel.connect().await.expect("it listens"));
    let mut watching = health.watch(HealthCheckRequest::default()).await.expect("a watch").into_inner();
    let began = Instant::now();
    let cut = async { while watching.message().await.is_ok_and(|answer| answer.is_some()) {} };
    tokio::time::timeout(SOON, cut).await.expect("it is cut off");
    assert!(began.elapsed() >= Duration::from_millis(1500), "{:?}", began.elapsed());
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_that_sends_too_fast_is_told_when_to_come_again_and_others_are_not() {
    let limits = [("TOGUNA_COMMANDS_PER_SECOND", 2), ("TOGUNA_COMMANDS_BURST", 3), ("TOGUNA_QUERIES_BURST", 1)];
    let mut service = within(&limits).await;
    for number in 0..3 {
        service.note(number).await;
    }
    let mut request = by("aminata", note(3));
    request.metadata_mut().insert("accept-language", tonic::metadata::MetadataValue::from_static("fr"));
    let status = service.notes.propose_correction(request).await.expect_err("too fast");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "RATE_LIMITED"));
    let details = status.get_error_details();
    let quota = &details.quota_failure().expect("it says which").violations[0];
    assert_eq!((quota.subject.as_str(), quota.description.as_str()), ("partners/mli", "2 commandes par seconde"));
    let wait = details.retry_info().expect("it says when").retry_delay.expect("a delay");
    assert!(wait > Duration::ZERO && wait <= Duration::from_millis(500), "{wait:?}");
    // Others, and questions, have budgets of their own.
    let other = with_token(&harness::token("focal_point", "partners/fra", "jeanne"), note(4));
    service.notes.propose_correction(other).await.expect("it is noted");
    service.log.get_log(by("aminata", pb::GetLogRequest {})).await.expect("an answer");
    tokio::time::sleep(wait).await;
    service.note(3).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn an_organisation_has_only_so_many_replays_and_calls_at_a_time() {
    let mut service = within(&[("TOGUNA_MAX_REPLAYS_AT_ONCE", 1), ("TOGUNA_MAX_CALLS_AT_ONCE", 2)]).await;
    let first = replay(&mut service, following(from(1))).await.expect("a replay");
    let status = replay(&mut service, following(from(1))).await.expect_err("one too many");
    assert_eq!((status.code(), reason(&status).as_str()), (Code::ResourceExhausted, "TOO_MANY_AT_ONCE"));
    assert_eq!(status.get_details_quota_failure().expect("it says which").violations[0].subject, "partners/mli");
    service.note(1).await;
    drop(first);
    let began = Instant::now();
    while replay(&mut service, from(1)).await.is_err() {
        assert!(began.elapsed() < SOON, "its turn is free again");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
