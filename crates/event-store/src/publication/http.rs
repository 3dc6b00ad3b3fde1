//! The least client of HTTP that asking for signatures needs: a POST with a deadline, and answers of a bounded size.

use std::time::Duration;

use bytes::Bytes;
use http::{Method, Request, StatusCode, Uri};
use http_body_util::{BodyExt as _, Full, Limited};
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::TokioExecutor,
};
use tokio::time::timeout;

/// Longest answer. A cosignature is a line of some hundred bytes, of a later kind some thousand.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Asks; keeps its connections open from one question to the next.
#[derive(Debug, Clone)]
pub(super) struct Http(Client<HttpConnector, Full<Bytes>>);

/// Nobody answered.
#[derive(Debug, thiserror::Error)]
pub(super) enum HttpError {
    #[error("no answer in {} ms", .0.as_millis())]
    TooSlow(Duration),
    #[error("it cannot be reached")]
    Unreachable(#[source] hyper_util::client::legacy::Error),
    #[error("its answer broke off, or was too long")]
    BrokenOff(#[source] Box<dyn std::error::Error + Send + Sync>),
}

impl Http {
    pub fn new() -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        Self(Client::builder(TokioExecutor::new()).pool_idle_timeout(Duration::from_secs(30)).build(connector))
    }

    /// Sends a body, and gives the whole answer.
    pub async fn post(&self, to: &Uri, body: Bytes, within: Duration) -> Result<(StatusCode, Bytes), HttpError> {
        let mut request = Request::new(Full::new(body));
        (*request.method_mut(), *request.uri_mut()) = (Method::POST, to.clone());
        let answered = async {
            let response = self.0.request(request).await.map_err(HttpError::Unreachable)?;
            let status = response.status();
            let body = Limited::new(response.into_body(), LONGEST_ANSWER).collect().await;
            Ok((status, body.map_err(HttpError::BrokenOff)?.to_bytes()))
        };
        timeout(within, answered).await.unwrap_or(Err(HttpError::TooSlow(within)))
    }
}
