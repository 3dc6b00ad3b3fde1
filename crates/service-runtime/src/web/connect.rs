//! The unary protocol of Connect: one message posted, one message or refusal answered.

use bytes::{Bytes, BytesMut};
use http::{HeaderMap, HeaderValue, Request, Response, StatusCode, header};
use http_body::Body as _;
use http_body_util::BodyExt as _;
use prost::Message as _;
use prost_reflect::{DynamicMessage, MessageDescriptor};
use tonic::{Status, body::Body};
use tower::ServiceExt as _;

use super::{
    Inner, answer, grpc, gzip, json,
    refusal::{self, Caller, Refusal},
    replay, schema,
};
use crate::{
    MAX_REQUEST_BYTES,
    status::{self, Violation},
};

/// A caller that sends more than a request may have is read this far, so that it is listening when it is refused.
const READ_IN_VAIN: usize = 32 * MAX_REQUEST_BYTES;

/// How messages are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Codec {
    Json,
    Proto,
}

pub(super) async fn answer(inner: impl Inner, request: Request<Body>, caller: &Caller, codec: Codec) -> Response<Body> {
    match call(inner, request, caller, codec).await {
        Ok(response) => response,
        Err(refusal) => caller.refuse(&refusal),
    }
}

async fn call(
    inner: impl Inner,
    request: Request<Body>,
    caller: &Caller,
    codec: Codec,
) -> Result<Response<Body>, Refusal> {
    let (parts, body) = request.into_parts();
    let method = schema::method(parts.uri.path()).ok_or_else(|| Refusal::nowhere(parts.uri.path()))?;
    if method.is_client_streaming() || method.is_server_streaming() {
        return Err(streams());
    }
    check_version(&parts.headers)?;
    let timeout = timeout(&parts.headers)?.unwrap_or_else(grpc::longest);
    let packing = packing(&parts.headers)?;
    let input = method.input();
    let patient = parts.headers.get(header::EXPECT).is_some();
    let message = async move { translated(&input, read(body, patient, packing).await?, codec) };
    let Ok(response) = inner.oneshot(grpc::request(parts, Some(timeout), message)).await;
    Ok(told(response, &method.output(), codec, caller).await)
}

/// The answer to a call, in the caller's terms.
async fn told(response: Response<Body>, output: &MessageDescriptor, codec: Codec, caller: &Caller) -> Response<Body> {
    let (parts, body) = response.into_parts();
    if let Some(status) = Status::from_header_map(&parts.headers) {
        return refusal::response(&status, caller);
    }
    let mut messages = grpc::messages(body);
    let message = match messages.message().await {
        Ok(message) => message.unwrap_or_default(),
        Err(status) => return refusal::response(&status, caller),
    };
    let trailers = match messages.trailers().await {
        Ok(trailers) => trailers.unwrap_or_default(),
        Err(status) => return refusal::response(&status, caller),
    };
    let written = match codec {
        Codec::Proto => Ok(answer::content(StatusCode::OK, "application/proto", message.into(), caller)),
        Codec::Json => json::written(output, &message).map(|text| answer::json(StatusCode::OK, text, caller)),
    };
    let mut response = match written {
        Ok(response) => response,
        Err(error) => return refusal::response(&status::internal(&error), caller),
    };
    response.headers_mut().extend(grpc::metadata(&parts.headers));
    for (name, value) in &grpc::metadata(&trailers.into_headers()) {
        if let Ok(name) = format!("trailer-{name}").parse::<http::HeaderName>() {
            response.headers_mut().append(name, value.clone());
        }
    }
    response
}

/// The bytes of a request, unpacked, and no more of them than a request may have.
async fn read(mut body: Body, patient: bool, packing: Packing) -> Result<Bytes, Status> {
    let too_large = || Status::out_of_range("the request is too large");
    let announced = usize::try_from(body.size_hint().lower()).unwrap_or(usize::MAX);
    // Who asked to be told before it sends is told.
    if announced > if patient { MAX_REQUEST_BYTES } else { READ_IN_VAIN } {
        return Err(too_large());
    }
    let mut bytes = BytesMut::with_capacity(announced.min(MAX_REQUEST_BYTES));
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let Ok(piece) = frame.map_err(cut_short)?.into_data() else { continue };
        length += piece.len();
        if length <= MAX_REQUEST_BYTES {
            bytes.extend_from_slice(&piece);
        } else if length > READ_IN_VAIN {
            break;
        }
    }
    if length > MAX_REQUEST_BYTES {
        return Err(too_large());
    }
    match packing {
        Packing::None => Ok(bytes.freeze()),
        Packing::Gzip => gzip::unpacked(&bytes, MAX_REQUEST_BYTES),
    }
}

/// What is refused on its way says why; anything else is a caller that broke off or sends what is no HTTP.
fn cut_short(status: Status) -> Status {
    if !status.details().is_empty() {
        return status;
    }
    let problem = ("the content did not come as a whole", "le contenu n’est pas arrivé en entier").into();
    status::invalid(vec![Violation { field: String::new(), problem }])
}

fn translated(input: &MessageDescriptor, bytes: Bytes, codec: Codec) -> Result<Bytes, Status> {
    match codec {
        Codec::Proto => Ok(bytes),
        Codec::Json => {
            let message: DynamicMessage = json::read(input, &bytes).map_err(status::invalid)?;
            Ok(message.encode_to_vec().into())
        }
    }
}

fn check_version(headers: &HeaderMap) -> Result<(), Refusal> {
    match headers.get("connect-protocol-version") {
        Some(version) if version != "1" => {
            Err(Refusal::of("connect-protocol-version", ("must be 1", "doit être 1"), StatusCode::BAD_REQUEST))
        }
        _ => Ok(()),
    }
}

/// The caller's patience in milliseconds, at most ten digits, as gRPC writes it in at most eight. One who also says it as
/// gRPC does would be cut off by what surrounds us, without a word.
pub(super) fn timeout(headers: &HeaderMap) -> Result<Option<HeaderValue>, Refusal> {
    if headers.contains_key("grpc-timeout") {
        let problem =
            ("is of gRPC: here it is connect-timeout-ms", "est de gRPC\u{202f}: ici c’est connect-timeout-ms");
        return Err(Refusal::of("grpc-timeout", problem, StatusCode::BAD_REQUEST));
    }
    let Some(header) = headers.get("connect-timeout-ms") else { return Ok(None) };
    let digits = header.to_str().ok().filter(|text| text.len() <= 10 && text.bytes().all(|byte| byte.is_ascii_digit()));
    let Some(milliseconds) = digits.and_then(|digits| digits.parse::<u64>().ok()) else {
        let problem = ("must be a number of at most ten digits", "doit être un nombre d’au plus dix chiffres");
        return Err(Refusal::of("connect-timeout-ms", problem, StatusCode::BAD_REQUEST));
    };
    let written = match milliseconds {
        0..=99_999_999 => format!("{milliseconds}m"),
        _ => format!("{}S", milliseconds / 1000),
    };
    Ok(HeaderValue::from_str(&written).ok())
}

#[derive(Debug, Clone, Copy)]
enum Packing {
    None,
    Gzip,
}

fn packing(headers: &HeaderMap) -> Result<Packing, Refusal> {
    match headers.get(header::CONTENT_ENCODING).map(HeaderValue::as_bytes) {
        None | Some(b"" | b"identity") => Ok(Packing::None),
        Some(b"gzip") => Ok(Packing::Gzip),
        Some(_) => {
            let problem = ("must be gzip or identity", "doit être gzip ou identity");
            Err(Refusal::of("content-encoding", problem, StatusCode::UNSUPPORTED_MEDIA_TYPE))
        }
    }
}

fn streams() -> Refusal {
    let problem = (
        format!("is not enough for a call with streams: use gRPC or gRPC-Web; a log is replayed at {}", replay::PATH),
        format!(
            "ne suffit pas à un appel à flux\u{202f}: utilisez gRPC ou gRPC-Web\u{202f}; un journal se relit à {}",
            replay::PATH
        ),
    );
    Refusal::of("content-type", problem, StatusCode::UNSUPPORTED_MEDIA_TYPE)
}
