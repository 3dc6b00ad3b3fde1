//! The same service as those see it who have no gRPC: bytes written to a socket, bytes read from it.

mod browser;
mod hostile;
mod pages;
mod plain;
mod replay;

use serde_json::{Value, json};
use service_runtime::LogReaders;
use uuid::Uuid;

use self::plain::{Answer, Plain};
use crate::notes::{Service, environment, unique_name};

const PROPOSE: &str = "/toguna.disbursements.v1.CorrectionService/ProposeCorrection";
const CONFIRM: &str = "/toguna.disbursements.v1.CorrectionService/ConfirmCorrection";
const GET_LOG: &str = "/toguna.log.v1.LogService/GetLog";

/// A service, and headers with which its calls are made.
async fn service() -> (Service, Plain) {
    let service = Service::start().await;
    let plain = Plain::to(service.address);
    (service, plain)
}

/// A number to be noted, as JSON.
fn note(number: u64) -> Value {
    json!({ "requestId": Uuid::now_v7().to_string(), "name": "funds/one", "mistakenVersion": number.to_string() })
}

#[tokio::test]
async fn a_command_is_posted_as_json_and_a_query_with_its_token_sees_its_effect() {
    let (_service, plain) = service().await;
    let request = note(7);
    let answer = plain.post(PROPOSE, &request).await;
    assert_eq!(answer.status, 200, "{answer:?}");
    let receipt = &answer.json()["receipt"];
    assert_eq!(receipt["etag"], "\"1\"");
    assert_eq!(receipt["events"][0]["stream"], "funds/one");
    let token = receipt["consistencyToken"].as_str().expect("a token");
    assert_eq!(answer.header("consistency-token"), Some(token));
    assert_eq!(answer.header("content-type"), Some("application/json"));

    let again = plain.post(PROPOSE, &request).await;
    assert_eq!(again.json()["receipt"]["replayed"], true);
    assert_eq!(again.header("idempotent-replay"), Some("true"));

    let seen = plain.post(CONFIRM, &json!({ "atLeastAsFresh": [token] })).await;
    assert_eq!(seen.status, 200, "{seen:?}");
    assert_eq!(seen.json()["receipt"]["consistencyToken"], token);
    // Names may be written as in the protos, numbers as numbers.
    let snake = json!({ "request_id": Uuid::now_v7().to_string(), "name": "funds/one", "mistaken_version": 8 });
    assert_eq!(plain.post(PROPOSE, &snake).await.status, 200);
}

#[tokio::test]
async fn what_would_be_written_is_shown_as_json_with_its_type() {
    let (_service, plain) = service().await;
    let mut request = note(7);
    request["validateOnly"] = true.into();
    let answer = plain.post(PROPOSE, &request).await;
    let event = &answer.json()["receipt"]["events"][0];
    let told = json!({ "@type": "type.googleapis.com/toguna.log.v1.EventReference", "position": "7" });
    assert_eq!((&event["event"], &event["version"]), (&told, &json!("1")), "{answer:?}");
}

#[tokio::test]
async fn a_refusal_says_in_french_what_was_refused_and_why() {
    let (_service, plain) = service().await;
    let refused = plain.with("accept-language", "fr-ML, en;q=0.5").post(PROPOSE, &note(5000)).await;
    assert_eq!(refused.status, 400, "{refused:?}");
    let told = refused.json();
    assert_eq!(told["code"], "failed_precondition");
    assert!(told["message"].as_str().is_some_and(|message| message.contains("cannot be corrected")), "{told}");
    let info = refused.detail("google.rpc.ErrorInfo");
    assert_eq!((&info["reason"], &info["domain"]), (&json!("RECORD_NOT_CORRECTABLE"), &json!("toguna")));
    let words = refused.detail("google.rpc.LocalizedMessage");
    assert_eq!(words["locale"], "fr");
    assert!(words["message"].as_str().is_some_and(|message| message.contains("ne peut être corrigé")), "{words}");
    assert!(refused.detail("google.rpc.RequestInfo")["requestId"].as_str().is_some_and(|id| id.len() == 32));
    // The same as bytes, for programs that know the messages.
    let encoded = told["details"][0]["value"].as_str().expect("base64");
    assert!(!encoded.is_empty() && !encoded.contains('='), "{encoded}");
}

#[tokio::test]
async fn every_fault_of_a_message_is_told_at_once_with_its_path() {
    let (_service, plain) = service().await;
    let wrong = json!({
        "requestId": 7, "nam": "funds/one", "validateOnly": "yes", "mistakenVersion": -1,
        "act": { "effectiveOn": { "yer": 2016 }, "sources": [{ "title": "x" }, { "sha256": "*" }], "basis": "BASIS_ACTS" },
    });
    let refused = plain.with("accept-language", "fr").post(PROPOSE, &wrong).await;
    assert_eq!((refused.status, refused.reason().as_str()), (400, "INVALID_REQUEST"), "{refused:?}");
    let told = refused.detail("google.rpc.BadRequest");
    let told = told["fieldViolations"].as_array().expect("violations");
    let problem = |field: &str| {
        let found = told.iter().find(|violation| violation["field"] == field);
        found.and_then(|violation| violation["description"].as_str()).unwrap_or_else(|| panic!("{field}: {told:?}"))
    };
    assert_eq!(problem("nam"), "n’est pas un champ ici\u{202f}; vouliez-vous dire name\u{202f}?");
    assert!(problem("act.effective_on.yer").contains("year"));
    assert!(problem("act.basis").contains("BASIS_ACT"));
    assert!(problem("act.sources[1].sha256").contains("base64"));
    for field in ["request_id", "validate_only", "mistaken_version"] {
        assert!(!problem(field).is_empty());
    }
    assert_eq!(told.len(), 7, "{told:?}");
}

#[tokio::test]
async fn who_has_no_token_is_told_to_send_one() {
    let (service, _) = service().await;
    let refused = Plain::without_token(service.address).post(PROPOSE, &note(1)).await;
    assert_eq!((refused.status, refused.reason().as_str()), (401, "TOKEN_INVALID"), "{refused:?}");
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    assert_eq!(refused.header("x-content-type-options"), Some("nosniff"));
    // Nor is anything of a message read that nobody answers for.
    let plain = Plain::without_token(service.address);
    for body in ["{", "[]", r#"{"nowhere": 1}"#] {
        let refused = plain.send("POST", PROPOSE, body.as_bytes()).await;
        assert_eq!((refused.status, refused.reason().as_str()), (401, "TOKEN_INVALID"), "{body}: {refused:?}");
    }
}

#[tokio::test]
async fn health_is_asked_in_json_too() {
    let (service, _) = service().await;
    let plain = Plain::without_token(service.address);
    loop {
        let answer = plain.post("/grpc.health.v1.Health/Check", &json!({})).await;
        assert_eq!(answer.status, 200, "{answer:?}");
        if answer.json()["status"] == "SERVING" {
            break;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn messages_are_packed_both_ways_where_it_is_worth_it() {
    use std::io::{Read as _, Write as _};
    let (_service, plain) = service().await;
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::default());
    gzip.write_all(note(3).to_string().as_bytes()).expect("it is memory");
    let packed = gzip.finish().expect("it is memory");
    let answer = plain.with("content-encoding", "gzip").send("POST", PROPOSE, &packed).await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let plain = plain.with("accept-encoding", "br, gzip;q=0.5");
    let small = plain.post(GET_LOG, &json!({})).await;
    assert_eq!((small.status, small.header("content-encoding")), (200, None));
    let large = plain.send("GET", "/openapi.json", b"").await;
    assert_eq!(large.header("content-encoding"), Some("gzip"));
    let mut text = String::new();
    flate2::read::GzDecoder::new(large.body.as_slice()).read_to_string(&mut text).expect("it is packed");
    assert!(serde_json::from_str::<Value>(&text).is_ok_and(|document| document["openapi"] == "3.1.0"));
}

#[tokio::test]
async fn messages_may_be_those_of_protobuf_and_the_connection_http_2() {
    use prost::Message as _;
    let (service, plain) = service().await;
    let answer = plain.with("content-type", "application/proto").send("POST", GET_LOG, b"").await;
    assert_eq!((answer.status, answer.header("content-type")), (200, Some("application/proto")));
    let log = contracts::toguna::log::v1::GetLogResponse::decode(answer.body.as_slice()).expect("the message");
    assert_eq!(log.log, service.name);

    let stream = tokio::net::TcpStream::connect(service.address).await.expect("it listens");
    let (client, connection) = h2::client::handshake(stream).await.expect("it speaks HTTP/2");
    tokio::spawn(connection);
    let mut client = client.ready().await.expect("streams are free");
    let head = http::Request::post(format!("http://localhost{GET_LOG}"))
        .header("content-type", "application/json; charset=utf-8")
        .header("authorization", plain.authorization().expect("a token"))
        .body(())
        .expect("a request");
    let (response, mut sending) = client.send_request(head, false).expect("it can be sent");
    sending.send_data("{}".into(), true).expect("it can be sent");
    let response = response.await.expect("an answer");
    assert_eq!(response.status(), 200);
    let body = response.into_body().data().await.expect("content").expect("content");
    let log: Value = serde_json::from_slice(&body).expect("it is JSON");
    assert_eq!(log["log"], service.name);
}

#[tokio::test]
async fn what_can_be_called_is_told_by_a_document() {
    let (_service, plain) = service().await;
    let answer = plain.send("GET", "/openapi.json", b"").await;
    let document = answer.json();
    assert_eq!(document["openapi"], "3.1.0");
    let paths = document["paths"].as_object().expect("paths");
    assert!(paths.contains_key(PROPOSE) && paths.contains_key("/v1/log:replay"), "{:?}", paths.keys());
    assert!(!paths.keys().any(|path| path.contains("PartnerService")), "only what is served");
}

/// Another service, with one more setting.
async fn service_with(setting: &'static str, value: &str) -> (Service, Plain) {
    let mut environment = environment().await;
    environment.insert(setting, value.to_owned());
    let service = Service::start_in(unique_name(), &environment, LogReaders::Partners).await;
    let plain = Plain::to(service.address);
    (service, plain)
}
