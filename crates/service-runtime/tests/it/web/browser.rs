//! Pages: whose may call, and how they speak gRPC.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use contracts::toguna::{disbursements::v1::ConfirmCorrectionRequest, log::v1 as pb};
use prost::Message as _;
use serde_json::json;

use super::{Answer, CONFIRM, GET_LOG, Plain, service, service_with};

const PORTAL: &str = "https://portal.example";

#[tokio::test]
async fn a_page_may_call_only_where_its_origin_is_named() {
    let (_service, plain) = service_with("TOGUNA_WEB_ORIGINS", "https://other.example, https://portal.example").await;
    let page = plain.with("origin", PORTAL);
    let asks = page
        .with("access-control-request-method", "POST")
        .with("access-control-request-headers", "authorization,content-type,connect-protocol-version");
    let asked = asks.send("OPTIONS", GET_LOG, b"").await;
    assert_eq!(asked.status / 100, 2, "{asked:?}");
    assert_eq!(asked.header("access-control-allow-origin"), Some(PORTAL));
    let headers = asked.header("access-control-allow-headers").expect("headers").to_owned();
    for sent in ["authorization", "content-type", "connect-protocol-version", "x-grpc-web", "last-event-id"] {
        assert!(headers.contains(sent), "{headers}");
    }
    let answer = page.post(GET_LOG, &json!({})).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, Some(PORTAL)));
    let read = answer.header("access-control-expose-headers").expect("headers");
    assert!(read.contains("grpc-status-details-bin") && read.contains("consistency-token"), "{read}");
    let refused = page.with("authorization", "Bearer x").post(GET_LOG, &json!({})).await;
    assert_eq!((refused.status, refused.header("access-control-allow-origin")), (401, Some(PORTAL)));

    let stranger = plain.with("origin", "https://evil.example").post(GET_LOG, &json!({})).await;
    assert_eq!((stranger.status, stranger.header("access-control-allow-origin")), (200, None));
    let (_service, plain) = service().await;
    let answer = plain.with("origin", PORTAL).post(GET_LOG, &json!({})).await;
    assert_eq!((answer.status, answer.header("access-control-allow-origin")), (200, None), "none by default");
}

/// A message as gRPC frames it.
fn framed(message: &impl prost::Message) -> Vec<u8> {
    let message = message.encode_to_vec();
    let length = u32::try_from(message.len()).expect("it is short");
    [&[0], length.to_be_bytes().as_slice(), &message].concat()
}

/// The messages of an answer, and its trailers as text.
fn frames(mut body: &[u8]) -> (Vec<Vec<u8>>, String) {
    let (mut messages, mut trailers) = (Vec::new(), String::new());
    while let Some((head, rest)) = body.split_at_checked(5) {
        let length = u32::from_be_bytes(head[1..].try_into().expect("four bytes"));
        let (frame, rest) = rest.split_at(usize::try_from(length).expect("it fits"));
        match head[0] {
            0 => messages.push(frame.to_vec()),
            _ => trailers = String::from_utf8_lossy(frame).into_owned(),
        }
        body = rest;
    }
    (messages, trailers)
}

/// What a refusal says, wherever it says it.
fn status(answer: &Answer) -> String {
    let (_, trailers) = frames(&answer.body);
    let headers: Vec<String> = answer.headers.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    headers.join("\r\n") + "\r\n" + &trailers
}

#[tokio::test]
async fn a_page_speaks_grpc_over_any_http() {
    let (service, plain) = service().await;
    let web = plain.with("content-type", "application/grpc-web+proto").with("x-grpc-web", "1");
    let answer = web.send("POST", GET_LOG, &framed(&pb::GetLogRequest {})).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let (messages, trailers) = frames(&answer.body);
    assert_eq!(pb::GetLogResponse::decode(messages[0].as_slice()).expect("the message").log, service.name);
    assert!(trailers.contains("grpc-status:0"), "{trailers}");

    let text = plain.with("content-type", "application/grpc-web-text").with("accept", "application/grpc-web-text");
    let body = STANDARD.encode(framed(&pb::GetLogRequest {}));
    let answer = text.send("POST", GET_LOG, body.as_bytes()).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    assert!(!answer.body.is_empty() && answer.body.is_ascii());
}

#[tokio::test]
async fn a_page_is_refused_with_all_details_and_its_replay_ends_in_order() {
    let (mut service, plain) = service().await;
    service.note(1).await;
    let web = plain.with("content-type", "application/grpc-web+proto");
    let wrong = ConfirmCorrectionRequest { at_least_as_fresh: vec!["x".into()], ..Default::default() };
    let refused = web.send("POST", CONFIRM, &framed(&wrong)).await;
    let told = status(&refused);
    assert!(told.contains("grpc-status") && told.contains("grpc-status-details-bin"), "{told}");
    let refused = Plain::without_token(service.address)
        .with("content-type", "application/grpc-web+proto")
        .send("POST", GET_LOG, &framed(&pb::GetLogRequest {}))
        .await;
    assert!(status(&refused).replace(": ", ":").contains("grpc-status:16"), "{refused:?}");

    let replay =
        web.send("POST", "/toguna.log.v1.LogService/ReplayLog", &framed(&pb::ReplayLogRequest::default())).await;
    let (messages, trailers) = frames(&replay.body);
    let last = pb::ReplayLogResponse::decode(messages.last().expect("messages").as_slice()).expect("the message");
    assert!(matches!(last.message, Some(pb::replay_log_response::Message::CaughtUp(_))), "{last:?}");
    assert!(trailers.contains("grpc-status:0"), "{trailers}");
    for broken in [&b""[..], b"\0\0\0", b"\0\xff\xff\xff\xff", b"\x07\0\0\0\0", b"\0\0\0\0\x01\x0f"] {
        let refused = web.send("POST", GET_LOG, broken).await;
        assert!(status(&refused).contains("grpc-status"), "{broken:?} {refused:?}");
    }
    assert_eq!(web.send("GET", GET_LOG, b"").await.status, 405);
}

#[tokio::test]
async fn what_is_no_message_of_grpc_web_is_the_callers_fault() {
    let (_service, plain) = service().await;
    let text = plain.with("content-type", "application/grpc-web-text");
    for body in ["*not base64*", "AAAAAA", "AAAAAAA=AAAA", "AAAA"] {
        let refused = text.send("POST", GET_LOG, body.as_bytes()).await;
        assert_eq!((refused.status, refused.header("grpc-status")), (200, Some("3")), "{body}: {refused:?}");
    }
}
