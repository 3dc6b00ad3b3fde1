//! What surrounds every call: its language, deadline and span, what it cost, and a proper status however it ends.
//!
//! It stands inside of tonic's own time limit and looks at the same header, so that a call that takes too long is
//! answered here, in time and with the right code, before tonic would answer CANCELLED.

mod deadline;

use std::{
    panic::AssertUnwindSafe,
    pin::Pin,
    sync::{Arc, Mutex, OnceLock},
    task::{Context, Poll},
};

use contracts::toguna::errors::v1::ErrorReason;
use futures::{FutureExt as _, future::BoxFuture};
use http::{HeaderMap, Request, Response};
use tokio::time::Instant;
use tonic::{Code, Status, body::Body};
use tower::{Layer, Service};
use tracing::{Instrument as _, Span};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

use crate::{
    context::{CALL, CallContext, LONGEST_CALL},
    identity::Verifier,
    journal::{self, Watch},
    language::{self, Wording},
    limits::{
        connections::{Connection, Underway},
        shares::Share,
        unread::Counted,
        unsent,
    },
    metrics::Calls,
    status::{self, Violation},
    telemetry, tls,
};

/// What health and reflection know nothing of.
const NOTHING_SERVED: (&str, &str) =
    ("service, file or symbol of that name here", "Un service, un fichier ou un symbole de ce nom");

/// Surrounds all services, for the calls of one connection.
#[derive(Clone)]
pub(crate) struct CallLayer {
    metrics: Arc<Calls>,
    connection: Connection,
    verifier: Option<Arc<Verifier>>,
}

impl CallLayer {
    /// `verifier`: who calls methods of ours is asked of it before anything else of a call is read.
    pub fn new(metrics: Arc<Calls>, connection: Connection, verifier: Option<Arc<Verifier>>) -> Self {
        Self { metrics, connection, verifier }
    }

    /// `UNAUTHENTICATED`, where that is the answer. Whoever has no token makes us hold and read no message.
    fn turned_away(&self, request: &Request<Body>, context: &CallContext) -> Option<Status> {
        let verifier = self.verifier.as_ref().filter(|_| deadline::is_ours(request.uri().path()))?;
        match verifier.caller(request.headers(), tls::shown(request.extensions())) {
            Ok(caller) => {
                self.connection.becomes_known();
                context.caller.get_or_init(|| caller);
                None
            }
            Err(status) => Some(status),
        }
    }
}

impl<S> Layer<S> for CallLayer {
    type Service = Surrounded<S>;

    fn layer(&self, inner: S) -> Surrounded<S> {
        Surrounded { inner, layer: self.clone() }
    }
}

#[derive(Clone)]
pub(crate) struct Surrounded<S> {
    inner: S,
    layer: CallLayer,
}

impl<S> Service<Request<Body>> for Surrounded<S>
where
    S: Service<Request<Body>, Response = Response<Body>>,
    S::Future: Send + 'static,
    S::Error: Send + 'static,
{
    type Response = Response<Body>;
    type Error = S::Error;
    type Future = BoxFuture<'static, Result<Response<Body>, S::Error>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), S::Error>> {
        self.inner.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let call = Observed::begin(&request, &self.layer);
        let context = call.context.clone();
        let span = call.span.clone();
        let turned_away = CALL.sync_scope(context.clone(), || self.layer.turned_away(&request, &context));
        let unread = self.layer.connection.peer.unread.clone();
        let request = request.map(|body| Body::new(Counted::new(body, unread)));
        let answer = AssertUnwindSafe(self.inner.call(request)).catch_unwind();
        let answered = async move {
            if let Some(status) = turned_away {
                return Ok(call.answer(status.into_http()));
            }
            let response = match tokio::time::timeout_at(call.context.deadline, answer).await {
                Ok(Ok(response)) => response?,
                Ok(Err(_panic)) => failed().into_http(),
                Err(_elapsed) => Status::from(status::refused(ErrorReason::DeadlineExceeded)).into_http(),
            };
            call.context.has_read();
            journal::keep(&call.context, response.headers()).await;
            Ok(call.answer(response))
        };
        Box::pin(CALL.scope(context, answered).instrument(span))
    }
}

/// A call from its first byte to its last.
struct Observed {
    context: Arc<CallContext>,
    span: Span,
    metrics: Arc<Calls>,
    method: String,
    ended: bool,
    unsent: Arc<Share>,
    _underway: Underway,
}

impl Observed {
    fn begin(request: &Request<Body>, layer: &CallLayer) -> Self {
        let headers = request.headers();
        let method = request.uri().path().trim_start_matches('/').to_owned();
        let span = tracing::info_span!(
            "rpc",
            otel.name = method,
            otel.kind = "server",
            rpc.system.name = "grpc",
            rpc.method = method,
            trace_id = tracing::field::Empty,
        );
        let parent = telemetry::extracted(headers);
        // Without a tracer there is no span to give a parent to.
        let _ = span.set_parent(parent.clone());
        let trace = telemetry::place_of(&span, &parent);
        span.record("trace_id", tracing::field::display(trace.trace_id()));
        let started = Instant::now();
        let allowed = deadline::of(headers);
        let language = headers.get("accept-language").and_then(|header| header.to_str().ok());
        let context = CallContext {
            method: method.clone(),
            language: language.map(language::accepted).unwrap_or_default(),
            trace,
            started,
            deadline: started + allowed.unwrap_or(LONGEST_CALL).min(LONGEST_CALL),
            last_word: allowed.map(|allowed| started + allowed),
            waits_for_ever: allowed.is_none() && deadline::is_required(request.uri().path()),
            leaving: layer.connection.leaving.clone(),
            caller: OnceLock::new(),
            turn: OnceLock::new(),
            reading: Mutex::default(),
            watch: Watch::default(),
        };
        Self {
            context: Arc::new(context),
            span,
            metrics: layer.metrics.clone(),
            method,
            ended: false,
            unsent: layer.connection.peer.unsent.clone(),
            _underway: layer.connection.begin(),
        }
    }

    /// Puts right what tonic answered by itself, and observes the rest of the answer.
    fn answer(self, response: Response<Body>) -> Response<Body> {
        let Some(status) = Status::from_header_map(response.headers()) else {
            return response.map(|body| Body::new(Streamed { body, call: Some(self) }));
        };
        let right = corrected(&status, &self.method);
        self.end(right.as_ref().unwrap_or(&status).code());
        right.map_or(response, Status::into_http)
    }

    fn end(mut self, code: Code) {
        self.ended = true;
        self.record(code);
    }

    fn record(&self, code: Code) {
        let name = code_name(code);
        // For traces alone: no line is logged in the span after this.
        self.span.set_attribute("rpc.response.status_code", name);
        if matches!(code, Code::Internal | Code::Unknown | Code::DataLoss | Code::Unavailable | Code::DeadlineExceeded)
        {
            self.span.set_status(opentelemetry::trace::Status::error(name));
        }
        // A name that somebody made up is no label.
        let method = if code == Code::Unimplemented { "_OTHER" } else { &self.method };
        self.metrics.ended(method, name, self.context.started.elapsed());
    }
}

impl Drop for Observed {
    /// The caller went away before the end.
    fn drop(&mut self) {
        if !self.ended {
            self.record(Code::Cancelled);
        }
    }
}

/// The body of an answer whose status comes after it.
struct Streamed {
    body: Body,
    call: Option<Observed>,
}

impl http_body::Body for Streamed {
    type Data = bytes::Bytes;
    type Error = Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<http_body::Frame<bytes::Bytes>, Status>>> {
        let Some(call) = self.call.take() else { return Poll::Ready(None) };
        let body = Pin::new(&mut self.body);
        let polled = CALL.sync_scope(call.context.clone(), || {
            call.span.in_scope(|| {
                let polled = std::panic::catch_unwind(AssertUnwindSafe(|| body.poll_frame(cx)));
                polled.unwrap_or_else(|_panic| Poll::Ready(Some(Ok(trailers(&failed()))))).map_ok(|frame| {
                    match unsent::kept(frame, &call.unsent) {
                        Ok(frame) => right_trailers(frame, &call.method),
                        Err(status) => trailers(&status),
                    }
                })
            })
        });
        match &polled {
            Poll::Pending => self.call = Some(call),
            Poll::Ready(None) => call.end(Code::Ok),
            Poll::Ready(Some(Err(status))) => call.end(status.code()),
            Poll::Ready(Some(Ok(frame))) => match frame.trailers_ref().and_then(Status::from_header_map) {
                Some(status) => call.end(status.code()),
                None => self.call = Some(call),
            },
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.call.is_none()
    }

    fn size_hint(&self) -> http_body::SizeHint {
        self.body.size_hint()
    }
}

fn failed() -> Status {
    tracing::error!("a call panicked");
    status::refused(ErrorReason::Internal).into()
}

fn trailers(status: &Status) -> http_body::Frame<bytes::Bytes> {
    let mut trailers = HeaderMap::new();
    if status.add_header(&mut trailers).is_err() {
        trailers.insert("grpc-status", http::HeaderValue::from_static("13"));
    }
    http_body::Frame::trailers(trailers)
}

fn right_trailers(frame: http_body::Frame<bytes::Bytes>, method: &str) -> http_body::Frame<bytes::Bytes> {
    let status = frame.trailers_ref().and_then(Status::from_header_map);
    status.and_then(|status| corrected(&status, method)).map_or(frame, |right| trailers(&right))
}

/// What should have been said where a status without details was given: such a status is tonic's own.
fn corrected(status: &Status, method: &str) -> Option<Status> {
    if !status.details().is_empty() {
        return None;
    }
    let explained = match status.code() {
        // An answer or a request beyond its limit, the latter also once decompressed.
        Code::OutOfRange | Code::ResourceExhausted => status::refused(ErrorReason::MessageTooLarge),
        Code::Internal if is_malformed(status.message()) => {
            let problem = Wording::from(("the message cannot be read", "le message est illisible"));
            status::refused(ErrorReason::InvalidRequest).violating(vec![Violation { field: String::new(), problem }])
        }
        Code::Internal | Code::Unknown | Code::DataLoss => {
            tracing::error!(error = status.message(), "a call failed");
            status::refused(ErrorReason::Internal)
        }
        Code::Unimplemented => status::refused(ErrorReason::UnknownMethod).with("method", method.to_owned()),
        // Of health and reflection.
        Code::NotFound => status::refused(ErrorReason::NotFound).with("resource", NOTHING_SERVED),
        Code::InvalidArgument => {
            let problem = Wording::from(("it asks for nothing", "elle ne demande rien"));
            status::refused(ErrorReason::InvalidRequest).violating(vec![Violation { field: String::new(), problem }])
        }
        _ => return None,
    };
    let mut right = Status::from(explained);
    *right.metadata_mut() = status.metadata().clone();
    Some(right)
}

/// How tonic, its gRPC-Web and prost begin their words on a request that cannot be read.
fn is_malformed(message: &str) -> bool {
    [
        "failed to decode Protobuf",
        "protocol error: received message",
        "Error decompressing",
        "Unexpected EOF",
        "Missing request",
        "tonic-web",
    ]
    .iter()
    .any(|beginning| message.starts_with(beginning))
}

/// As the gRPC specification writes codes.
fn code_name(code: Code) -> &'static str {
    match code {
        Code::Ok => "OK",
        Code::Cancelled => "CANCELLED",
        Code::Unknown => "UNKNOWN",
        Code::InvalidArgument => "INVALID_ARGUMENT",
        Code::DeadlineExceeded => "DEADLINE_EXCEEDED",
        Code::NotFound => "NOT_FOUND",
        Code::AlreadyExists => "ALREADY_EXISTS",
        Code::PermissionDenied => "PERMISSION_DENIED",
        Code::ResourceExhausted => "RESOURCE_EXHAUSTED",
        Code::FailedPrecondition => "FAILED_PRECONDITION",
        Code::Aborted => "ABORTED",
        Code::OutOfRange => "OUT_OF_RANGE",
        Code::Unimplemented => "UNIMPLEMENTED",
        Code::Internal => "INTERNAL",
        Code::Unavailable => "UNAVAILABLE",
        Code::DataLoss => "DATA_LOSS",
        Code::Unauthenticated => "UNAUTHENTICATED",
    }
}

#[cfg(test)]
mod tests;
