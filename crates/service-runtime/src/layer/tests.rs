use std::{
    sync::atomic::{AtomicUsize, Ordering},
    time::Duration,
};

use contracts::toguna::log::v1::{
    self as pb,
    log_service_client::LogServiceClient,
    log_service_server::{LogService, LogServiceServer},
};
use futures::{Stream, StreamExt as _, TryStreamExt as _, stream};
use tonic_types::StatusExt as _;

use super::*;
use crate::{
    server::Endpoints,
    testing::{TestServer, serve},
};

/// Answers in the way that the request's `stream` names, and so badly behaved as no service of ours should be. It counts
/// its calls that are asleep.
struct Unruly(Arc<AtomicUsize>);

/// Counts for as long as it lives.
struct Asleep<'a>(&'a AtomicUsize);

impl Drop for Asleep<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

type Answers = Pin<Box<dyn Stream<Item = Result<pb::ReplayLogResponse, Status>> + Send>>;

fn batch(bytes: usize) -> pb::ReplayLogResponse {
    let events = vec![pb::ReplayedEvent { record: vec![7; bytes].into(), ..pb::ReplayedEvent::default() }];
    let message = pb::replay_log_response::Message::Events(pb::EventBatch { events });
    pb::ReplayLogResponse { message: Some(message) }
}

#[tonic::async_trait]
impl LogService for Unruly {
    async fn get_log(
        &self,
        _: tonic::Request<pb::GetLogRequest>,
    ) -> Result<tonic::Response<pb::GetLogResponse>, Status> {
        let call = CallContext::current();
        call.require_deadline()?;
        let (log, left) = (telemetry::traceparent(&call.trace), call.deadline - Instant::now());
        Ok(tonic::Response::new(pb::GetLogResponse { log, head: left.as_secs(), ..pb::GetLogResponse::default() }))
    }

    type ReplayLogStream = Answers;

    async fn replay_log(
        &self,
        request: tonic::Request<pb::ReplayLogRequest>,
    ) -> Result<tonic::Response<Answers>, Status> {
        let answers: Answers =
            match request.into_inner().filter.unwrap_or_default().stream.as_str() {
                "panic" => panic!("the password is hunter2"),
                "sleep" => {
                    self.0.fetch_add(1, Ordering::SeqCst);
                    let _asleep = Asleep(&self.0);
                    tokio::time::sleep(Duration::from_hours(1)).await;
                    stream::empty().boxed()
                }
                "internal" => return Err(Status::internal("the password is hunter2")),
                "refuse" => return Err(status::not_found("agreements/x")),
                "panic later" => stream::iter([Ok(batch(1)), Ok(batch(2))])
                    .map(|answer| {
                        if answer.as_ref().is_ok_and(|answer| *answer == batch(2)) { panic!("hunter2") } else { answer }
                    })
                    .boxed(),
                "refuse later" => stream::iter([Ok(batch(1)), Err(())])
                    .map(|answer| answer.map_err(|()| status::not_found("agreements/x")))
                    .boxed(),
                "fail later" => stream::iter([Ok(batch(1)), Err(Status::unknown("hunter2"))]).boxed(),
                "too large" => stream::iter([Ok(batch(crate::MAX_RESPONSE_BYTES + 1))]).boxed(),
                _ => stream::iter([Ok(batch(1))]).boxed(),
            };
        Ok(tonic::Response::new(answers))
    }
}

async fn unruly() -> (TestServer, LogServiceClient<tonic::transport::Channel>) {
    unruly_with(Arc::default()).await
}

async fn unruly_with(asleep: Arc<AtomicUsize>) -> (TestServer, LogServiceClient<tonic::transport::Channel>) {
    let mut endpoints = Endpoints::new();
    endpoints.add(crate::limited!(LogServiceServer::new(Unruly(asleep))));
    let server = serve(endpoints, async {}).await;
    let client = LogServiceClient::new(server.channel.clone()).max_decoding_message_size(usize::MAX);
    (server, client)
}

fn ask(way: &str, language: &'static str) -> tonic::Request<pb::ReplayLogRequest> {
    let filter = pb::ReplayFilter { stream: way.into(), ..pb::ReplayFilter::default() };
    let mut request =
        tonic::Request::new(pb::ReplayLogRequest { filter: Some(filter), ..pb::ReplayLogRequest::default() });
    request.metadata_mut().insert("accept-language", tonic::metadata::MetadataValue::from_static(language));
    request
}

/// The status that a replay ends with.
async fn status_of(
    client: &mut LogServiceClient<tonic::transport::Channel>,
    request: tonic::Request<pb::ReplayLogRequest>,
) -> Status {
    match client.replay_log(request).await {
        Err(status) => status,
        Ok(answers) => answers.into_inner().try_for_each(async |_| Ok(())).await.expect_err("it fails"),
    }
}

#[tokio::test]
async fn however_a_call_fails_it_ends_with_a_code_a_reason_and_words_in_the_callers_language() {
    let (_server, mut client) = unruly().await;
    for (way, code, reason) in [
        ("panic", Code::Internal, "INTERNAL"),
        ("panic later", Code::Internal, "INTERNAL"),
        ("internal", Code::Internal, "INTERNAL"),
        ("fail later", Code::Internal, "INTERNAL"),
        ("refuse", Code::NotFound, "NOT_FOUND"),
        ("refuse later", Code::NotFound, "NOT_FOUND"),
        ("too large", Code::ResourceExhausted, "MESSAGE_TOO_LARGE"),
    ] {
        let status = status_of(&mut client, ask(way, "fr-ML, en;q=0.5")).await;
        let details = status.get_error_details();
        let info = details.error_info().expect("always there");
        assert_eq!((status.code(), info.reason.as_str()), (code, reason), "{way}");
        let said = details.localized_message().expect("always there");
        assert_eq!(said.locale, "fr", "{way}");
        assert_ne!(said.message, status.message(), "{way}");
        assert!(!format!("{status:?} {details:?}").contains("hunter2"), "{way}");
        assert_eq!(details.request_info().expect("always there").request_id.len(), 32, "{way}");
    }
    assert!(client.get_log(in_time("10S")).await.is_ok(), "the server lives on");
}

#[tokio::test]
async fn a_call_that_takes_too_long_has_exceeded_its_deadline() {
    let (server, _) = unruly().await;
    let message = prost::Message::encode_to_vec(ask("sleep", "en").get_ref());
    let body = [&[0, 0, 0, 0, u8::try_from(message.len()).expect("it is short")], message.as_slice()].concat();
    let started = Instant::now();
    let status = server.call("/toguna.log.v1.LogService/ReplayLog", &[("grpc-timeout", "200m")], &body).await;
    assert_eq!(status.code(), Code::DeadlineExceeded, "{status:?}");
    assert_eq!(status.get_details_error_info().expect("always there").reason, "DEADLINE_EXCEEDED");
    assert!(status.get_details_retry_info().is_some());
    assert!((190..2000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn no_call_waits_longer_than_a_minute() {
    let (_server, mut client) = unruly().await;
    let left = client.get_log(in_time("99999999H")).await.expect("an answer").into_inner().head;
    assert!((55..=60).contains(&left), "{left}");
}

#[tokio::test]
async fn whoever_does_not_say_how_long_it_waits_is_told_how_to_say_it() {
    let (server, mut client) = unruly().await;
    let path = "/toguna.log.v1.LogService/GetLog";
    for headers in [&[][..], &[("grpc-timeout", "10")], &[("grpc-timeout", "soon")]] {
        let status = server.call(path, headers, b"\0\0\0\0\0").await;
        assert_eq!(status.code(), Code::InvalidArgument, "{headers:?} {status:?}");
        assert_eq!(status.get_details_error_info().expect("always there").reason, "DEADLINE_REQUIRED");
        assert!(status.message().contains("`grpc-timeout`"), "{status:?}");
    }
    let french = server.call(path, &[("accept-language", "fr")], b"\0\0\0\0\0").await;
    let said = french.get_details_localized_message().expect("always there");
    assert!(said.locale == "fr" && said.message.contains("délai"), "{said:?}");
    assert!(client.get_log(in_time("10S")).await.is_ok());
    assert!(client.replay_log(ask("", "en")).await.is_ok(), "a stream may go on for hours");
    // Reflection and health have no such methods of ours; see the tests of the server.
}

fn in_time(timeout: &'static str) -> tonic::Request<pb::GetLogRequest> {
    let mut request = tonic::Request::new(pb::GetLogRequest {});
    request.metadata_mut().insert("grpc-timeout", tonic::metadata::MetadataValue::from_static(timeout));
    request
}

/// A message of the bytes, as gRPC frames it; `flag` 1: compressed.
fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("it is short").to_be_bytes();
    [&[flag], length.as_slice(), message].concat()
}

#[tokio::test]
async fn every_way_in_which_a_call_is_wrong_has_the_code_that_the_specification_gives_it() {
    let (server, _) = unruly().await;
    let log = |method: &str| format!("/toguna.log.v1.LogService/{method}");
    let (ten, soon) = (("grpc-timeout", "10S"), ("grpc-timeout", "100m"));
    let way = |way: &str| framed(0, &prost::Message::encode_to_vec(ask(way, "en").get_ref()));
    let most = u32::try_from(crate::MAX_REQUEST_BYTES).expect("it is not so much");
    let announced = [&[0], (most + 1).to_be_bytes().as_slice()].concat();
    let (nothing, nonsense) = (framed(0, &[]), framed(0, &[0x0f]));
    let gzip = ("grpc-encoding", "gzip");
    let cases = [
        ("oversize in, by its length alone", log("GetLog"), vec![ten], announced, Code::ResourceExhausted),
        ("oversize out", log("ReplayLog"), vec![], way("too large"), Code::ResourceExhausted),
        ("deadline", log("ReplayLog"), vec![soon], way("sleep"), Code::DeadlineExceeded),
        ("unknown method", log("DropLog"), vec![ten], nothing.clone(), Code::Unimplemented),
        (
            "unknown service",
            "/toguna.nowhere.v1.NoService/Nothing".into(),
            vec![ten],
            nothing.clone(),
            Code::Unimplemented,
        ),
        (
            "unsupported compression",
            log("GetLog"),
            vec![ten, ("grpc-encoding", "br")],
            framed(1, &[]),
            Code::Unimplemented,
        ),
        ("a wire type that is none", log("GetLog"), vec![ten], nonsense.clone(), Code::InvalidArgument),
        ("compressed in no way", log("GetLog"), vec![ten], framed(1, &[0x0f]), Code::InvalidArgument),
        ("compressed badly", log("GetLog"), vec![ten, gzip], framed(1, &[0x0f]), Code::InvalidArgument),
        ("a flag that is none", log("GetLog"), vec![ten], framed(7, &[]), Code::InvalidArgument),
        ("a message that ends early", log("GetLog"), vec![ten], b"\0\0\0\0\x05\x0f".to_vec(), Code::InvalidArgument),
        ("no message", log("GetLog"), vec![ten], vec![], Code::InvalidArgument),
        ("no deadline", log("GetLog"), vec![], nothing, Code::InvalidArgument),
    ];
    for (what, path, headers, body, code) in cases {
        let status = server.call(&path, &headers, &body).await;
        let details = status.get_error_details();
        let reason = details.error_info().unwrap_or_else(|| panic!("{what}: {status:?}")).reason.as_str();
        let right = match code {
            Code::ResourceExhausted => "MESSAGE_TOO_LARGE",
            Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
            Code::Unimplemented => "UNKNOWN_METHOD",
            _ if what == "no deadline" => "DEADLINE_REQUIRED",
            _ => "INVALID_REQUEST",
        };
        assert_eq!((status.code(), reason), (code, right), "{what}: {status:?}");
        assert!(details.localized_message().is_some(), "{what}");
        if what == "unsupported compression" {
            let read_here = status.metadata().get("grpc-accept-encoding").expect("it says what is read");
            assert!(read_here.to_str().expect("ASCII").contains("zstd"), "{read_here:?}");
        }
    }
}

#[tokio::test]
async fn what_a_caller_gave_up_is_worked_on_no_more() {
    let asleep = Arc::new(AtomicUsize::new(0));
    let (_server, mut client) = unruly_with(asleep.clone()).await;
    let until = async |sleeping| {
        while asleep.load(Ordering::SeqCst) != sleeping {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let soon = Duration::from_secs(10);
    let call = tokio::spawn(async move { client.replay_log(ask("sleep", "en")).await.map(drop) });
    tokio::time::timeout(soon, until(1)).await.expect("it begins");
    call.abort();
    tokio::time::timeout(soon, until(0)).await.expect("it ends with the call, long before its hour");
}

#[tokio::test]
async fn a_request_larger_than_any_may_be_is_refused() {
    let (_server, mut client) = unruly().await;
    let way = "x".repeat(crate::MAX_REQUEST_BYTES + 1);
    let status = status_of(&mut client, ask(&way, "en")).await;
    assert_eq!(status.code(), Code::ResourceExhausted);
    assert_eq!(status.get_details_error_info().expect("always there").reason, "MESSAGE_TOO_LARGE");
}

#[tokio::test]
async fn a_small_request_that_unpacks_to_a_large_one_is_refused() {
    for encoding in [crate::CompressionEncoding::Gzip, crate::CompressionEncoding::Zstd] {
        let (_server, client) = unruly().await;
        let way = "x".repeat(50 * crate::MAX_REQUEST_BYTES);
        let status = status_of(&mut client.send_compressed(encoding), ask(&way, "en")).await;
        assert_eq!(status.code(), Code::ResourceExhausted, "{encoding:?} {status:?}");
        assert_eq!(status.get_details_error_info().expect("always there").reason, "MESSAGE_TOO_LARGE");
    }
}

#[tokio::test]
async fn answers_are_compressed_for_those_who_accept_it() {
    for encoding in [crate::CompressionEncoding::Gzip, crate::CompressionEncoding::Zstd] {
        let (_server, client) = unruly().await;
        let answer = client.accept_compressed(encoding).replay_log(ask("", "en")).await.expect("an answer");
        assert_eq!(answer.metadata().get("grpc-encoding").expect("an encoding"), &encoding.to_string());
    }
}

#[tokio::test]
async fn the_callers_trace_goes_on_and_one_begins_where_there_is_none() {
    let (_server, mut client) = unruly().await;
    let mut request = in_time("10S");
    let theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", theirs.parse().expect("ASCII"));
    let ours = client.get_log(request).await.expect("an answer").into_inner().log;
    assert!(ours.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && ours.ends_with("-01"), "{ours}");
    assert_ne!(ours, theirs, "a span of its own");
    for hostile in ["", "00-zz-1-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01"] {
        let mut request = in_time("10S");
        request.metadata_mut().insert("traceparent", hostile.parse().expect("ASCII"));
        let ours = client.get_log(request).await.expect("an answer").into_inner().log;
        assert_eq!(ours.len(), 55, "{ours}");
        assert!(!ours.contains(&"0".repeat(16)), "{ours}");
    }
}

#[test]
fn a_timeout_is_read_as_the_specification_writes_it() {
    let read = |text: &str| {
        let mut headers = HeaderMap::new();
        headers.insert("grpc-timeout", text.parse().expect("ASCII"));
        deadline::of(&headers)
    };
    assert_eq!(read("3S"), Some(Duration::from_secs(3)));
    assert_eq!(read("99999999H"), Some(Duration::from_hours(99_999_999)));
    assert_eq!(read("20m"), Some(Duration::from_millis(20)));
    assert_eq!(read("5u"), Some(Duration::from_micros(5)));
    for text in ["", "S", "3", "3s", "-3S", "+3S", "3.5S", "123456789S", "m3"] {
        assert_eq!(read(text), None, "{text}");
    }
}
