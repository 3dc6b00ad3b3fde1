//! Whose pages may call us from a browser.

use std::{str::FromStr, time::Duration};

use http::{HeaderName, HeaderValue, Method};
use tower_http::cors::CorsLayer;

/// How long a browser may remember what it was told.
const REMEMBERED: Duration = Duration::from_hours(2);

/// What a page may send beside its message.
const SENT: &[&str] = &[
    "accept-language",
    "authorization",
    "connect-protocol-version",
    "connect-timeout-ms",
    "content-encoding",
    "content-type",
    "correlation-id",
    "grpc-timeout",
    "last-event-id",
    "traceparent",
    "x-grpc-web",
    "x-user-agent",
];

/// What a page may read beside the message.
const READ: &[&str] = &[
    "consistency-token",
    "grpc-message",
    "grpc-status",
    "grpc-status-details-bin",
    "idempotent-replay",
    "retry-after",
];

/// Origins of pages: `https://portal.example`. None: no page may call us.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Origins(Vec<HeaderValue>);

impl Origins {
    /// Answers browsers that ask before they send, and tells them who may read. Whoever is refused here is refused by
    /// the browser alone: other callers know no origins.
    pub(super) fn cors(&self) -> CorsLayer {
        let names = |names: &[&'static str]| names.iter().copied().map(HeaderName::from_static).collect::<Vec<_>>();
        CorsLayer::new()
            .allow_origin(self.0.clone())
            .allow_methods([Method::GET, Method::POST])
            .allow_headers(names(SENT))
            .expose_headers(names(READ))
            .max_age(REMEMBERED)
    }
}

/// Not an origin: scheme, host and perhaps port.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a list of origins")]
pub struct NotOrigins;

impl FromStr for Origins {
    type Err = NotOrigins;

    /// Separated by commas, each as browsers send it: no path, no slash at the end, no `*`.
    fn from_str(text: &str) -> Result<Self, NotOrigins> {
        let origins = text.split(',').map(str::trim).filter(|origin| !origin.is_empty());
        origins.map(origin).collect::<Option<_>>().map(Self).ok_or(NotOrigins)
    }
}

fn origin(text: &str) -> Option<HeaderValue> {
    let uri: http::Uri = text.parse().ok()?;
    let authority = uri.authority().filter(|authority| !authority.as_str().contains('@'))?;
    let scheme = uri.scheme_str().filter(|scheme| ["http", "https"].contains(scheme))?;
    let whole = format!("{scheme}://{authority}");
    (whole == text && text == text.to_ascii_lowercase()).then(|| HeaderValue::from_str(text).ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origins_are_taken_as_browsers_send_them_and_in_no_other_form() {
        let read = |text: &str| text.parse::<Origins>();
        assert_eq!(read(""), Ok(Origins::default()));
        let both = read("https://portal.example, http://localhost:5173").expect("two origins");
        assert_eq!(both.0, ["https://portal.example", "http://localhost:5173"]);
        for wrong in [
            "*",
            "null",
            "portal.example",
            "https://portal.example/",
            "https://portal.example/app",
            "https://Portal.example",
            "https://user@portal.example",
            "ftp://portal.example",
            "https://",
            "https://a.example,,*",
        ] {
            assert_eq!(read(wrong), Err(NotOrigins), "{wrong}");
        }
    }
}
