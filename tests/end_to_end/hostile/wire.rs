//! Requests as bytes, over whatever way leads to a service, and answers read without help from any client.

use std::time::Duration;

use base64::{Engine as _, engine::general_purpose::STANDARD};
use bytes::Bytes;
use contracts::reasons::REASONS;
use http_body_util::{BodyExt as _, Full};
use serde_json::Value;
use tonic::{
    Code, Status,
    body::Body,
    codegen::http::{HeaderMap, Method, Request},
    transport::Channel,
};
use tonic_types::StatusExt as _;
use tower::ServiceExt as _;

/// After this long an answer is one that does not come.
const PATIENCE: Duration = Duration::from_secs(40);
/// What clients of gRPC take of trailers before they refuse to read them.
const MOST_TRAILERS: usize = 8 * 1024;

/// One request, whole or not.
#[derive(Debug, Clone)]
pub struct Sent {
    pub method: Method,
    pub path: String,
    pub headers: Vec<(&'static str, String)>,
    pub body: Vec<u8>,
}

/// What came back.
#[derive(Debug)]
pub struct Answer {
    pub code: Code,
    /// Messages, as they were encoded: protobuf in frames, or JSON.
    pub body: Bytes,
    pub headers: HeaderMap,
}

impl Sent {
    /// A call of gRPC, with these bytes as its body.
    pub fn grpc(path: &str, body: Vec<u8>) -> Self {
        let headers = vec![("content-type", "application/grpc".into()), ("te", "trailers".into())];
        let timeout = if path.ends_with("/ReplayLog") { "400m" } else { "30S" };
        Self { method: Method::POST, path: path.to_owned(), headers, body }.with("grpc-timeout", timeout)
    }

    /// With another value of a header.
    pub fn with(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.headers.retain(|(known, _)| *known != name);
        self.headers.push((name, value.into()));
        self
    }

    /// Sends it, and says what is not clean about the answer.
    pub async fn answer(&self, channel: Channel) -> Result<Answer, String> {
        let mut request = Request::builder().method(self.method.clone()).uri(self.path.as_str());
        for (name, value) in &self.headers {
            // Not all of them are text to HTTP.
            request = request.header(*name, value.as_bytes());
        }
        let body = Body::new(Full::new(Bytes::from(self.body.clone())));
        let request = request.body(body).map_err(|error| format!("not sent: {error}"))?;
        let answered = async {
            let response = channel.oneshot(request).await.map_err(|error| format!("no answer: {error:?}"))?;
            let (head, body) = response.into_parts();
            let body = body.collect().await.map_err(|error| format!("cut off: {error:?}"))?;
            let trailers = body.trailers().cloned().unwrap_or_default();
            Ok::<_, String>((head, body.to_bytes(), trailers))
        };
        let answered = tokio::time::timeout(PATIENCE, answered).await.map_err(|_| "no answer in time".to_owned())?;
        let (head, body, trailers) = match answered {
            // The client keeps to the deadline that it sends, too.
            Err(problem) if self.is_impatient() && problem.contains("TimeoutExpired") => {
                return Ok(Answer { code: Code::DeadlineExceeded, body: Bytes::new(), headers: HeaderMap::new() });
            }
            answered => answered?,
        };
        let content_type = head.headers.get("content-type").and_then(|it| it.to_str().ok()).unwrap_or_default();
        let code = match content_type {
            kind if kind.starts_with("application/grpc-web") => web_status(&head.headers, &body, kind)?,
            kind if kind.starts_with("application/grpc") => grpc_status(&head.headers, &trailers)?,
            _ if head.status.is_success() => Code::Ok,
            "application/json" => json_refusal(&body)?,
            other => return Err(format!("HTTP {} with content {other:?}", head.status)),
        };
        if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss | Code::Cancelled) {
            return Err(format!("{code:?} in {:?} {trailers:?} {:?}", head.headers, String::from_utf8_lossy(&body)));
        }
        Ok(Answer { code, body, headers: head.headers })
    }

    fn is_impatient(&self) -> bool {
        self.headers.iter().any(|(name, value)| *name == "grpc-timeout" && value.ends_with(['n', 'm']))
    }

    /// For whoever must look at it again.
    pub fn shown(&self) -> String {
        let start = &self.body[..self.body.len().min(600)];
        let (method, path, headers, length) = (&self.method, &self.path, &self.headers, self.body.len());
        let headers = headers.iter().filter(|(name, _)| *name != "authorization");
        let headers: Vec<String> = headers.map(|(name, value)| format!("{name}: {value:.80}")).collect();
        format!("{method} {path} {headers:?} {length} bytes: {}", start.escape_ascii())
    }
}

/// A message in a frame as gRPC has it.
pub fn framed(flag: u8, message: &[u8]) -> Vec<u8> {
    let length = u32::try_from(message.len()).expect("it is small").to_be_bytes();
    [&[flag], length.as_slice(), message].concat()
}

fn grpc_status(headers: &HeaderMap, trailers: &HeaderMap) -> Result<Code, String> {
    let status = Status::from_header_map(trailers).or_else(|| Status::from_header_map(headers));
    let status = status.ok_or_else(|| format!("no status: {headers:?} {trailers:?}"))?;
    let bytes: usize = trailers.iter().chain(headers).map(|(name, value)| name.as_str().len() + value.len() + 32).sum();
    if bytes > MOST_TRAILERS {
        return Err(format!("{bytes} bytes of metadata: {status:?}"));
    }
    explained(&status)
}

/// A refusal says why: a reason of ours with its own code, in words for people.
fn explained(status: &Status) -> Result<Code, String> {
    if status.code() == Code::Ok {
        return Ok(Code::Ok);
    }
    let details = status.get_error_details();
    let info = details.error_info().ok_or_else(|| format!("no reason: {status:?}"))?;
    let ours = REASONS.iter().any(|reason| reason.name == info.reason && reason.code == i32::from(status.code()));
    if !ours || info.domain != "toguna" {
        return Err(format!("not a reason of ours: {status:?}"));
    }
    let words = details.localized_message().filter(|words| !words.message.is_empty());
    if words.is_none() || details.request_info().is_none_or(|it| it.request_id.len() != 32) {
        return Err(format!("no words, or no trace: {status:?}"));
    }
    Ok(status.code())
}

/// The status of gRPC-Web: in the headers, or in the last frame of the body.
fn web_status(headers: &HeaderMap, body: &[u8], kind: &str) -> Result<Code, String> {
    if headers.contains_key("grpc-status") {
        return grpc_status(headers, &HeaderMap::new());
    }
    let body = if kind.contains("-text") {
        let pieces: Result<Vec<_>, _> = body.chunks(4).map(|four| STANDARD.decode(four)).collect();
        pieces.map_err(|error| format!("not base64: {error}"))?.concat()
    } else {
        body.to_vec()
    };
    let mut rest = body.as_slice();
    while let Some((head, after)) = rest.split_first_chunk::<5>() {
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        let frame = after.get(..length).ok_or("a frame is cut off")?;
        if head[0] & 0x80 != 0 {
            let lines = std::str::from_utf8(frame).map_err(|_| "trailers are no text")?.lines();
            let mut trailers = HeaderMap::new();
            for (name, value) in lines.filter_map(|line| line.split_once(':')) {
                let name: tonic::codegen::http::HeaderName = name.parse().map_err(|_| "no name of a trailer")?;
                trailers.insert(name, value.trim().parse().map_err(|_| "no value of a trailer")?);
            }
            return grpc_status(&HeaderMap::new(), &trailers);
        }
        rest = &after[length..];
    }
    Err("no status in the body".to_owned())
}

/// A refusal as Connect writes it.
fn json_refusal(body: &[u8]) -> Result<Code, String> {
    let told: Value = serde_json::from_slice(body).map_err(|_| format!("no JSON: {}", body.escape_ascii()))?;
    let code = told["code"].as_str().unwrap_or_default();
    let details = told["details"].as_array().cloned().unwrap_or_default();
    let of = |kind: &str| details.iter().find(|detail| detail["type"] == kind).map(|detail| detail["debug"].clone());
    let reason = of("google.rpc.ErrorInfo").and_then(|info| info["reason"].as_str().map(str::to_owned));
    let known = REASONS.iter().find(|known| Some(known.name) == reason.as_deref());
    let known = known.ok_or_else(|| format!("no reason of ours: {told}"))?;
    let expected = Code::from_i32(known.code);
    let written = format!("{expected:?}").to_ascii_lowercase();
    if code.replace('_', "") != written {
        return Err(format!("{code} is not {written}: {told}"));
    }
    if of("google.rpc.LocalizedMessage").is_none_or(|words| words["message"].as_str().is_none_or(str::is_empty)) {
        return Err(format!("no words: {told}"));
    }
    Ok(expected)
}
