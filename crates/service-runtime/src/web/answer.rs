//! What all answers of the web have in common.

use http::{HeaderValue, Response, StatusCode, header};
use http_body_util::Full;
use tonic::body::Body;

use super::{gzip, refusal::Caller};

/// Less is not worth packing.
const SMALL: usize = 1024;

/// An answer in JSON, packed for those who take it so.
pub(super) fn json(status: StatusCode, text: Vec<u8>, caller: &Caller) -> Response<Body> {
    content(status, "application/json", text, caller)
}

/// An answer of any kind, likewise.
pub(super) fn content(status: StatusCode, kind: &'static str, bytes: Vec<u8>, caller: &Caller) -> Response<Body> {
    let packed = caller.takes_gzip && bytes.len() > SMALL;
    let bytes = if packed { gzip::packed(&bytes) } else { bytes };
    let mut response = Response::new(Body::new(Full::from(bytes)));
    *response.status_mut() = status;
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    // What a caller sent stands in refusals: no browser is to take it for a page.
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-encoding, accept-language"));
    if packed {
        headers.insert(header::CONTENT_ENCODING, HeaderValue::from_static("gzip"));
    }
    response
}
