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

/// Answers in the way that the request's `stream` names, and so badly behaved as no service of ours should be.
struct Unruly;

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
    let mut endpoints = Endpoints::new();
    endpoints.add(crate::limited!(LogServiceServer::new(Unruly)));
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
    assert!(client.get_log(pb::GetLogRequest {}).await.is_ok(), "the server lives on");
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
    let left = client.get_log(pb::GetLogRequest {}).await.expect("an answer").into_inner().head;
    assert!((55..=60).contains(&left), "{left}");
    let mut request = tonic::Request::new(pb::GetLogRequest {});
    request.metadata_mut().insert("grpc-timeout", "99999999H".parse().expect("ASCII"));
    let left = client.get_log(request).await.expect("an answer").into_inner().head;
    assert!((55..=60).contains(&left), "{left}");
}

#[tokio::test]
async fn what_cannot_be_read_is_an_invalid_request() {
    let (server, _) = unruly().await;
    let path = "/toguna.log.v1.LogService/GetLog";
    // Field 1 with a wire type that does not exist; a compressed message without an encoding; a message that ends early.
    for body in [&b"\0\0\0\0\x01\x0f"[..], b"\x01\0\0\0\x01\x0f", b"\x07\0\0\0\0", b"\0\0\0\0\x05\x0f", b""] {
        let status = server.call(path, &[], body).await;
        assert_eq!(status.code(), Code::InvalidArgument, "{body:?} {status:?}");
        assert_eq!(status.get_details_error_info().expect("always there").reason, "INVALID_REQUEST", "{body:?}");
    }
}

#[tokio::test]
async fn a_request_larger_than_a_mebibyte_is_refused() {
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
async fn an_unknown_method_is_unimplemented_with_a_reason() {
    let (server, _) = unruly().await;
    for path in ["/toguna.log.v1.LogService/DropLog", "/toguna.nowhere.v1.NoService/Nothing"] {
        let status = server.call(path, &[], b"\0\0\0\0\0").await;
        assert_eq!(status.code(), Code::Unimplemented, "{path} {status:?}");
        let info = status.get_details_error_info().expect("always there");
        assert_eq!((info.reason.as_str(), info.metadata["method"].as_str()), ("UNKNOWN_METHOD", &path[1..]));
    }
}

#[tokio::test]
async fn the_callers_trace_goes_on_and_one_begins_where_there_is_none() {
    let (_server, mut client) = unruly().await;
    let mut request = tonic::Request::new(pb::GetLogRequest {});
    let theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", theirs.parse().expect("ASCII"));
    let ours = client.get_log(request).await.expect("an answer").into_inner().log;
    assert!(ours.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && ours.ends_with("-01"), "{ours}");
    assert_ne!(ours, theirs, "a span of its own");
    for hostile in ["", "00-zz-1-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01"] {
        let mut request = tonic::Request::new(pb::GetLogRequest {});
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
        grpc_timeout(&headers)
    };
    assert_eq!(read("3S"), Some(Duration::from_secs(3)));
    assert_eq!(read("99999999H"), Some(Duration::from_hours(99_999_999)));
    assert_eq!(read("20m"), Some(Duration::from_millis(20)));
    assert_eq!(read("5u"), Some(Duration::from_micros(5)));
    for text in ["", "S", "3", "3s", "-3S", "+3S", "3.5S", "123456789S", "m3"] {
        assert_eq!(read(text), None, "{text}");
    }
}
