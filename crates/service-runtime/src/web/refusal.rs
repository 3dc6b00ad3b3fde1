//! A refusal as Connect writes it: a JSON object with the code, the words for developers and the details of
//! `google.rpc`, each also as JSON that a person can read.

use std::sync::Arc;

use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use contracts::toguna::errors::v1::ErrorReason;
use http::{HeaderMap, HeaderValue, Response, StatusCode, header};
use prost::Message as _;
use prost_reflect::DynamicMessage;
use serde_json::{Value, json};
use tonic::{Code, Status, body::Body};
use tonic_types::StatusExt as _;

use super::{answer, grpc, gzip, schema};
use crate::{
    context::{CALL, CallContext},
    language::{self, Language, Wording},
    status::{self, Explained, Violation},
};

/// What must be known of whoever is answered: how, and in which language where no call is under way.
pub(super) struct Caller {
    language: Language,
    pub takes_gzip: bool,
}

impl Caller {
    pub fn of(headers: &HeaderMap) -> Self {
        let language = headers.get(header::ACCEPT_LANGUAGE).and_then(|header| header.to_str().ok());
        Self { language: language.map(language::accepted).unwrap_or_default(), takes_gzip: gzip::is_accepted(headers) }
    }

    /// Refuses what cannot become a call.
    pub fn refuse(&self, refusal: &Refusal) -> Response<Body> {
        // Outside of a call this is a context of its own.
        let mut context = CallContext::current();
        if let Some(context) = Arc::get_mut(&mut context) {
            context.language = self.language;
        }
        let status = CALL.sync_scope(context, || Status::from(refusal.explained()));
        tracing::debug!(http_status = refusal.http.as_u16(), "refused at the door");
        let mut response = response(&status, self);
        *response.status_mut() = refusal.http;
        response
    }
}

/// Why something cannot become a call.
#[derive(Debug)]
pub(super) struct Refusal {
    http: StatusCode,
    what: What,
}

#[derive(Debug)]
enum What {
    Field(&'static str, Wording),
    Nowhere(String),
}

impl Refusal {
    /// A header is not as it must be.
    pub fn of(header: &'static str, problem: impl Into<Wording>, http: StatusCode) -> Self {
        Self { http, what: What::Field(header, problem.into()) }
    }

    /// There is nothing at this path.
    pub fn nowhere(path: &str) -> Self {
        Self { http: StatusCode::NOT_FOUND, what: What::Nowhere(path.trim_start_matches('/').to_owned()) }
    }

    fn explained(&self) -> Explained {
        match &self.what {
            What::Field(field, problem) => {
                let violation = Violation { field: (*field).to_owned(), problem: problem.clone() };
                status::refused(ErrorReason::InvalidRequest).violating(vec![violation])
            }
            What::Nowhere(path) => status::refused(ErrorReason::UnknownMethod).with("method", path.clone()),
        }
    }
}

/// A status as an answer.
pub(super) fn response(status: &Status, caller: &Caller) -> Response<Body> {
    let mut response = answer::json(http_status(status.code()), object(status).to_string().into_bytes(), caller);
    let headers = response.headers_mut();
    headers.extend(grpc::metadata(&status.metadata().clone().into_headers()));
    if status.code() == Code::Unauthenticated {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    let delay = status.get_details_retry_info().and_then(|retry| retry.retry_delay);
    if let Some(delay) = delay {
        headers.insert(header::RETRY_AFTER, HeaderValue::from(delay.as_secs().max(1)));
    }
    response
}

/// A status as an object.
pub(super) fn object(status: &Status) -> Value {
    let told = tonic_types::pb::Status::decode(status.details()).unwrap_or_default();
    let details: Vec<Value> = told.details.iter().map(detail).collect();
    json!({ "code": code(status.code()), "message": status.message(), "details": details })
}

fn detail(detail: &prost_types::Any) -> Value {
    let name = detail.type_url.rsplit('/').next().unwrap_or_default();
    let mut told = json!({ "type": name, "value": STANDARD_NO_PAD.encode(&detail.value) });
    let read = schema::detail(name).and_then(|kind| DynamicMessage::decode(kind, detail.value.as_slice()).ok());
    if let Some(debug) = read.and_then(|message| serde_json::to_value(message).ok()) {
        told["debug"] = debug;
    }
    told
}

/// A code as Connect writes it.
fn code(code: Code) -> &'static str {
    match code {
        Code::Ok => "ok",
        Code::Cancelled => "canceled",
        Code::Unknown => "unknown",
        Code::InvalidArgument => "invalid_argument",
        Code::DeadlineExceeded => "deadline_exceeded",
        Code::NotFound => "not_found",
        Code::AlreadyExists => "already_exists",
        Code::PermissionDenied => "permission_denied",
        Code::ResourceExhausted => "resource_exhausted",
        Code::FailedPrecondition => "failed_precondition",
        Code::Aborted => "aborted",
        Code::OutOfRange => "out_of_range",
        Code::Unimplemented => "unimplemented",
        Code::Internal => "internal",
        Code::Unavailable => "unavailable",
        Code::DataLoss => "data_loss",
        Code::Unauthenticated => "unauthenticated",
    }
}

/// The HTTP status of a code, as Connect has it.
fn http_status(code: Code) -> StatusCode {
    match code {
        Code::Ok => StatusCode::OK,
        // Known to proxies as a client that closed its request.
        Code::Cancelled => StatusCode::from_u16(499).expect("a number of three digits"),
        Code::InvalidArgument | Code::FailedPrecondition | Code::OutOfRange => StatusCode::BAD_REQUEST,
        Code::DeadlineExceeded => StatusCode::GATEWAY_TIMEOUT,
        Code::NotFound => StatusCode::NOT_FOUND,
        Code::AlreadyExists | Code::Aborted => StatusCode::CONFLICT,
        Code::PermissionDenied => StatusCode::FORBIDDEN,
        Code::ResourceExhausted => StatusCode::TOO_MANY_REQUESTS,
        Code::Unimplemented => StatusCode::NOT_IMPLEMENTED,
        Code::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Code::Unauthenticated => StatusCode::UNAUTHORIZED,
        Code::Unknown | Code::Internal | Code::DataLoss => StatusCode::INTERNAL_SERVER_ERROR,
    }
}
