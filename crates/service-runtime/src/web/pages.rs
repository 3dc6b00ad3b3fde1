//! The pages of a published log: `GET /log/checkpoint`, `GET /log/tile/0/000` and the others, of this epoch or of any
//! by `/log/epochs/<epoch>/…`.

use bytes::Bytes;
use http::{Method, Request, Response};
use tonic::{Status, body::Body};
use tower::ServiceExt as _;

use super::{
    Inner, grpc,
    refusal::{self, Caller, Refusal},
};
use crate::log_service::{LogPages, PageWanted};

/// Where they are.
pub(super) const PREFIX: &str = "/log/";
/// The call that a page is.
const METHOD: &str = "/toguna.log.v1.LogService/ReplayLog";

pub(super) async fn answer(
    inner: impl Inner,
    pages: Option<&LogPages>,
    request: Request<Body>,
    caller: &Caller,
) -> Response<Body> {
    let path = request.uri().path().to_owned();
    let (Some(pages), Some(wanted)) = (pages, path.strip_prefix(PREFIX)) else {
        return caller.refuse(&Refusal::nowhere(&path));
    };
    let is_head = request.method() == Method::HEAD;
    let answered = if pages.is_public {
        pages.answer(wanted).await
    } else {
        let (mut parts, _) = request.into_parts();
        parts.uri = http::Uri::from_static(METHOD);
        parts.extensions.insert(PageWanted(wanted.to_owned()));
        let nothing = async { Ok(Bytes::new()) };
        let Ok(response) = inner.oneshot(grpc::request(parts, None, nothing)).await;
        match Status::from_header_map(response.headers()) {
            Some(status) => Err(status),
            None => Ok(response),
        }
    };
    match answered {
        Ok(response) if is_head => response.map(|_| Body::empty()),
        Ok(response) => response,
        Err(status) => refusal::response(&status, caller),
    }
}
