//! A request of the web as one of gRPC, and what comes back as messages.

use bytes::{BufMut as _, Bytes, BytesMut};
use futures::stream;
use http::{HeaderMap, HeaderName, HeaderValue, Method, Request, Version, header};
use http_body::Frame;
use http_body_util::StreamBody;
use tonic::{
    Status, Streaming,
    body::Body,
    codec::{DecodeBuf, Decoder},
};

use crate::{MAX_RESPONSE_BYTES, context::LONGEST_CALL};

/// What belongs to the one hop, or to the protocol that is translated: the rest is the call's metadata.
const NOT_METADATA: &[&str] = &[
    "accept",
    "accept-encoding",
    "connect-protocol-version",
    "connect-timeout-ms",
    "connection",
    "content-encoding",
    "content-length",
    "expect",
    "grpc-accept-encoding",
    "grpc-encoding",
    "grpc-timeout",
    "host",
    "last-event-id",
    "te",
    "transfer-encoding",
    "upgrade",
];

/// The gRPC request that says the same. `message` is made, or refused, while the call is under way.
pub(super) fn request(
    mut parts: http::request::Parts,
    timeout: Option<HeaderValue>,
    message: impl Future<Output = Result<Bytes, Status>> + Send + 'static,
) -> Request<Body> {
    for name in NOT_METADATA {
        parts.headers.remove(*name);
    }
    parts.headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/grpc"));
    if let Some(timeout) = timeout {
        parts.headers.insert("grpc-timeout", timeout);
    }
    (parts.method, parts.version) = (Method::POST, Version::HTTP_2);
    let frame = async move { framed(&message.await?).map(Frame::data) };
    Request::from_parts(parts, Body::new(StreamBody::new(stream::once(frame))))
}

/// The patience of callers who did not say how much they have: as much as anyone gets.
pub(super) fn longest() -> HeaderValue {
    HeaderValue::from_str(&format!("{}S", LONGEST_CALL.as_secs())).expect("digits and a letter")
}

/// A message with what gRPC writes before it.
fn framed(message: &Bytes) -> Result<Bytes, Status> {
    let length = u32::try_from(message.len()).map_err(|_| Status::out_of_range("the message is too large"))?;
    let mut framed = BytesMut::with_capacity(message.len() + 5);
    framed.put_u8(0);
    framed.put_u32(length);
    framed.put_slice(message);
    Ok(framed.freeze())
}

/// The messages of an answer, as they were encoded, and then its status.
pub(super) fn messages(body: Body) -> Streaming<Bytes> {
    Streaming::new_response(AsEncoded, body, http::StatusCode::OK, None, Some(MAX_RESPONSE_BYTES))
}

struct AsEncoded;

impl Decoder for AsEncoded {
    type Item = Bytes;
    type Error = Status;

    fn decode(&mut self, message: &mut DecodeBuf<'_>) -> Result<Option<Bytes>, Status> {
        use bytes::Buf as _;
        Ok(Some(message.copy_to_bytes(message.remaining())))
    }
}

/// The metadata of an answer, as headers.
pub(super) fn metadata(headers: &HeaderMap) -> HeaderMap {
    let belongs_to_grpc = |name: &HeaderName| {
        name.as_str().starts_with("grpc-")
            || [header::CONTENT_TYPE, header::CONTENT_LENGTH, header::DATE].contains(name)
    };
    let kept = headers.iter().filter(|(name, _)| !belongs_to_grpc(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}
