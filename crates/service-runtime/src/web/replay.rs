//! A replay as server-sent events: what `ReplayLog` says, as a browser or a line of shell reads it.
//!
//! `GET /v1/log:replay` takes the fields of the request as a query. Each message is an event with its name and JSON;
//! each that says a place has the resume token as its id, so that whoever reconnects with `Last-Event-ID` goes on from
//! there. The caller paces it: what is not read is not asked for.

use bytes::Bytes;
use contracts::toguna::errors::v1::ErrorReason;
use futures::stream;
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body::Frame;
use http_body_util::StreamBody;
use prost::Message as _;
use prost_reflect::{DynamicMessage, Value};
use tonic::{Status, Streaming, body::Body};
use tower::ServiceExt as _;

use super::{
    Inner, connect, grpc,
    gzip::Packer,
    json, query,
    refusal::{self, Caller},
    schema,
};
use crate::status;

/// Where logs are replayed.
pub(super) const PATH: &str = "/v1/log:replay";
/// The call that this is.
const METHOD: &str = "/toguna.log.v1.LogService/ReplayLog";
const REQUEST: &str = "toguna.log.v1.ReplayLogRequest";
const RESPONSE: &str = "toguna.log.v1.ReplayLogResponse";
/// After how long a browser that was cut off comes back.
const RETRY: &str = "retry: 2000\n\n";

pub(super) async fn answer(inner: impl Inner, request: Request<Body>, caller: &Caller) -> Response<Body> {
    let (mut parts, _) = request.into_parts();
    let timeout = match connect::timeout(&parts.headers) {
        Ok(timeout) => timeout,
        Err(refusal) => return caller.refuse(&refusal),
    };
    let query = parts.uri.query().unwrap_or_default().to_owned();
    let last = parts.headers.get("last-event-id").map(|id| String::from_utf8_lossy(id.as_bytes()).into_owned());
    let resumes = last.is_some();
    parts.uri = http::Uri::from_static(METHOD);
    let message = async move { asked(&query, last) };
    let Ok(response) = inner.oneshot(grpc::request(parts, timeout, message)).await;
    let (head, body) = response.into_parts();
    if let Some(status) = Status::from_header_map(&head.headers) {
        return refusal::response(&status, caller);
    }
    let mut messages = grpc::messages(body);
    let mut first = None;
    if resumes {
        // A browser comes back after the end of a replay as it does after a cut; this tells it to stay away.
        first = match messages.message().await {
            Ok(message) => message.map(|message| told(&message)),
            Err(status) => return refusal::response(&status, caller),
        };
        if first.as_ref().is_some_and(|first| first.is_end) && messages.message().await.is_ok_and(|next| next.is_none())
        {
            return nothing_new();
        }
    }
    events(&head.headers, messages, first, caller)
}

/// The request that a query says; `last`, where it is there, is where it goes on.
fn asked(query: &str, last: Option<String>) -> Result<Bytes, Status> {
    let kind = schema::message(REQUEST).ok_or_else(unknown)?;
    let mut tree = query::tree(&kind, query).map_err(status::invalid)?;
    if let (Some(last), Some(fields)) = (last.filter(|last| !last.is_empty()), tree.as_object_mut()) {
        fields.retain(|name, _| !["fromPosition", "since", "resumeToken"].contains(&name.as_str()));
        fields.insert("resumeToken".to_owned(), last.into());
    }
    let message = json::message(&kind, tree).map_err(status::invalid)?;
    Ok(message.encode_to_vec().into())
}

fn unknown() -> Status {
    status::refused(ErrorReason::UnknownMethod).with("method", METHOD.trim_start_matches('/').to_owned()).into()
}

fn nothing_new() -> Response<Body> {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = StatusCode::NO_CONTENT;
    response
}

/// One message of a replay as an event.
struct Told {
    text: String,
    /// Everything was said.
    is_end: bool,
}

fn told(encoded: &[u8]) -> Told {
    read(encoded).unwrap_or_else(|| failed(&Status::internal("a replay said what is no message")))
}

fn read(encoded: &[u8]) -> Option<Told> {
    let message = DynamicMessage::decode(schema::message(RESPONSE)?, encoded).ok()?;
    let (field, value) = message.fields().next()?;
    let said = value.as_message()?;
    let data = serde_json::to_string(said).ok()?;
    let place = said.get_field_by_name("place");
    let token = place.as_deref().and_then(Value::as_message).and_then(|place| place.get_field_by_name("resume_token"));
    let id = token.as_deref().and_then(Value::as_str).map(|token| format!("id: {token}\n")).unwrap_or_default();
    let name = field.name();
    Some(Told { text: format!("event: {name}\n{id}data: {data}\n\n"), is_end: name == "caught_up" })
}

/// The name `error` is that of a browser's own event.
fn failed(status: &Status) -> Told {
    Told { text: format!("event: failure\ndata: {}\n\n", refusal::object(status)), is_end: false }
}

fn events(head: &HeaderMap, messages: Streaming<Bytes>, first: Option<Told>, caller: &Caller) -> Response<Body> {
    let begun = RETRY.to_owned() + &first.map(|first| first.text).unwrap_or_default();
    let rest = Rest { messages: Some(messages), begun: Some(begun), packer: caller.takes_gzip.then(Packer::new) };
    let pieces = stream::unfold(rest, async |mut rest| {
        let piece = rest.next().await?;
        Some((Ok::<_, Status>(Frame::data(piece)), rest))
    });
    let mut response = Response::new(Body::new(StreamBody::new(pieces)));
    let headers = response.headers_mut();
    headers.extend(grpc::metadata(head));
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    // Known to proxies that would otherwise gather events before they pass them on.
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    if caller.takes_gzip {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}

/// What is still to be sent.
struct Rest {
    messages: Option<Streaming<Bytes>>,
    begun: Option<String>,
    packer: Option<Packer>,
}

impl Rest {
    async fn next(&mut self) -> Option<Bytes> {
        if let Some(text) = self.begun.take() {
            return Some(self.piece(text));
        }
        if let Some(messages) = &mut self.messages {
            match messages.message().await {
                Ok(Some(message)) => return Some(self.piece(told(&message).text)),
                Ok(None) => self.messages = None,
                Err(status) => {
                    self.messages = None;
                    return Some(self.piece(failed(&status).text));
                }
            }
        }
        self.packer.take().map(|packer| packer.end().into())
    }

    fn piece(&mut self, text: String) -> Bytes {
        match &mut self.packer {
            Some(packer) => packer.piece(text.as_bytes()).into(),
            None => text.into(),
        }
    }
}
