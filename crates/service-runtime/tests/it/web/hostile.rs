//! Callers who write what nobody can read, too much of it, or too slowly.

use std::{io::Write as _, time::Instant};

use serde_json::json;
use tokio::io::AsyncWriteExt as _;

use super::{Answer, GET_LOG, PROPOSE, note, service};

#[tokio::test]
async fn what_cannot_be_read_is_an_invalid_request() {
    let (_service, plain) = service().await;
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let nested = format!("{{\"act\":{}1{}}}", "{\"act\":".repeat(200), "}".repeat(200));
    let many: String =
        (0..20_000).flat_map(|number| ["\"x", &number.to_string(), "\":1,"].map(str::to_owned)).collect();
    let many = format!("{{{many}\"y\":1}}");
    for body in [
        &b""[..],
        b"{",
        b"nothing",
        b"[]",
        b"7",
        b"null",
        b"\"{}\"",
        b"{} {}",
        b"{\"name\":\"a\",\"name\":\"b\"}",
        b"{\"requestId\":\"a\",\"request_id\":\"b\"}",
        b"{\"act\":[]}",
        b"{\"act\":{\"sources\":{}}}",
        b"{\"act\":{\"sources\":[null]}}",
        b"{\"name\":\"\xff\"}",
        b"{\"name\":\"\\ud800\"}",
        b"{\"mistakenVersion\":1.5}",
        b"{\"mistakenVersion\":1e400}",
        b"{\"mistakenVersion\":\"18446744073709551616\"}",
        b"{\"at_least_as_fresh\":\"x\"}",
        b"\x00\x00\x00\x00\x00",
        deep.as_bytes(),
        nested.as_bytes(),
        many.as_bytes(),
    ] {
        let shown = String::from_utf8_lossy(&body[..body.len().min(60)]).into_owned();
        let refused = plain.send("POST", PROPOSE, body).await;
        assert_eq!((refused.status, refused.reason().as_str()), (400, "INVALID_REQUEST"), "{shown} {refused:?}");
        assert!(refused.body.len() < 16 * 1024, "{shown}");
    }
    assert_eq!(plain.with("content-type", "application/proto").send("POST", PROPOSE, b"\x0f").await.status, 400);
}

#[tokio::test]
async fn what_nobody_serves_is_refused_at_the_door() {
    let (_service, plain) = service().await;
    let json = |kind: &str| plain.with("content-type", kind);
    for (asked, method, path, status) in [
        (&plain, "POST", "/toguna.log.v1.LogService/DropLog", 404),
        (&plain, "POST", "/toguna.partnerships.v1.PartnerService/GetPartner", 501),
        (&plain, "POST", "/nothing", 404),
        (&plain, "POST", "//", 404),
        (&plain, "GET", "/", 404),
        (&plain, "GET", GET_LOG, 405),
        (&plain, "PUT", GET_LOG, 405),
        (&plain, "POST", "/openapi.json", 405),
        (&plain, "POST", "/v1/log:replay", 405),
        (&plain, "DELETE", "/v1/log:replay", 405),
        (&plain, "POST", "/toguna.log.v1.LogService/ReplayLog", 415),
        (&json("text/plain"), "POST", GET_LOG, 415),
        (&json("application/x-www-form-urlencoded"), "POST", GET_LOG, 415),
        (&json("application/grpc"), "POST", GET_LOG, 415),
        (&json("application/connect+json"), "POST", GET_LOG, 415),
        (&json(""), "POST", GET_LOG, 415),
        (&plain.with("content-encoding", "br"), "POST", GET_LOG, 415),
        (&plain.with("connect-protocol-version", "2"), "POST", GET_LOG, 400),
        (&plain.with("connect-timeout-ms", "soon"), "POST", GET_LOG, 400),
        (&plain.with("connect-timeout-ms", "12345678901"), "POST", GET_LOG, 400),
        (&plain.with("grpc-timeout", "10S"), "POST", GET_LOG, 400),
    ] {
        let refused = asked.with("accept-language", "fr").send(method, path, b"{}").await;
        assert_eq!(refused.status, status, "{method} {path} {refused:?}");
        assert_eq!(refused.detail("google.rpc.LocalizedMessage")["locale"], "fr", "{method} {path}");
        let reason = refused.reason();
        assert!(["INVALID_REQUEST", "UNKNOWN_METHOD"].contains(&reason.as_str()), "{reason}");
    }
    let allowed = plain.send("GET", GET_LOG, b"").await;
    assert_eq!(allowed.header("allow"), Some("POST"));
}

#[tokio::test]
async fn a_request_larger_than_any_may_be_is_refused_to_whoever_still_sends_it() {
    let (_service, plain) = service().await;
    let large = json!({ "name": "x".repeat(2 * 1024 * 1024) }).to_string();
    let refused = plain.send("POST", PROPOSE, large.as_bytes()).await;
    assert_eq!((refused.status, refused.reason().as_str()), (429, "MESSAGE_TOO_LARGE"), "{refused:?}");

    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip.write_all(&vec![b' '; 200 * 1024 * 1024]).expect("it is memory");
    let packed = gzip.finish().expect("it is memory");
    let refused = plain.with("content-encoding", "gzip").send("POST", PROPOSE, &packed).await;
    assert_eq!((refused.status, refused.reason().as_str()), (429, "MESSAGE_TOO_LARGE"), "{refused:?}");
    let refused = plain.with("content-encoding", "gzip").send("POST", PROPOSE, b"no gzip").await;
    assert_eq!((refused.status, refused.reason().as_str()), (400, "INVALID_REQUEST"), "{refused:?}");

    // Nobody waits for what was only announced.
    let mut stream = plain.begin("POST", PROPOSE, Some(1 << 40)).await;
    let refused = Answer::read(&mut stream).await;
    assert_eq!((refused.status, refused.reason().as_str()), (429, "MESSAGE_TOO_LARGE"), "{refused:?}");
    let mut stream = plain.with("expect", "100-continue").begin("POST", PROPOSE, Some(2 * 1024 * 1024)).await;
    let refused = Answer::read(&mut stream).await;
    assert_eq!(refused.status, 429, "{refused:?}");
    assert_eq!(plain.post(PROPOSE, &note(1)).await.status, 200, "others are served");
}

#[tokio::test]
async fn a_body_that_does_not_come_costs_no_more_than_the_deadline() {
    let (_service, plain) = service().await;
    let started = Instant::now();
    let mut stream = plain.with("connect-timeout-ms", "300").begin("POST", PROPOSE, Some(100)).await;
    stream.write_all(b"{\"name\":").await.expect("it reads");
    let late = Answer::read(&mut stream).await;
    assert_eq!((late.status, late.reason().as_str()), (504, "DEADLINE_EXCEEDED"), "{late:?}");
    assert!(late.header("retry-after").is_some());
    assert!((290..3000).contains(&started.elapsed().as_millis()), "{:?}", started.elapsed());
}

#[tokio::test]
async fn old_clients_and_broken_ones_get_a_clean_end() {
    let (_service, plain) = service().await;
    let body = note(1).to_string();
    let old = format!(
        "POST {PROPOSE} HTTP/1.0\r\ncontent-type: application/json\r\nauthorization: {}\r\ncontent-length: {}\r\n\r\n{body}",
        plain.authorization().expect("a token"),
        body.len()
    );
    let answer = Answer::read(&mut plain.raw(old.as_bytes()).await).await;
    assert_eq!(answer.status, 200, "{answer:?}");

    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(70_000));
    for (broken, statuses) in [
        ("GET  HTTP/1.1\r\n\r\n", 400..=400),
        ("nonsense\r\n\r\n and more of it, to fill the line", 400..=400),
        ("POST / HTTP/1.1\r\ncontent-length: -1\r\n\r\n", 400..=400),
        ("POST / HTTP/1.1\r\ncontent-length: 1\r\ncontent-length: 2\r\n\r\n", 400..=400),
        ("POST / HTTP/1.1\r\ntransfer-encoding: chunked\r\n\r\nzz\r\n", 400..=415),
        (long.as_str(), 400..=431),
    ] {
        let mut stream = plain.raw(broken.as_bytes()).await;
        let answer = Answer::read(&mut stream).await;
        assert!(statuses.contains(&answer.status), "{} {answer:?}", &broken[..20.min(broken.len())]);
    }
    // Chunks instead of a length, and one of them broken.
    let chunked = plain.with("transfer-encoding", "chunked");
    let mut stream = chunked.begin("POST", PROPOSE, None).await;
    let piece = note(2).to_string();
    stream.write_all(format!("{:x}\r\n{piece}\r\n0\r\n\r\n", piece.len()).as_bytes()).await.expect("it reads");
    assert_eq!(Answer::read(&mut stream).await.status, 200);
    let mut stream = chunked.begin("POST", PROPOSE, None).await;
    stream.write_all(b"5\r\n{\"nam\r\nzz\r\n").await.expect("it reads");
    let broken = Answer::read(&mut stream).await;
    assert!((400..600).contains(&broken.status), "{broken:?}");
    assert_eq!(plain.send("GET", "/openapi.json", b"").await.status, 200, "others are served");
}
