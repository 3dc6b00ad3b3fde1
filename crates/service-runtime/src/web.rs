//! The same API for those who have no gRPC: JSON over any HTTP (the unary protocol of Connect), gRPC-Web for browsers,
//! replays as server-sent events, and the `OpenAPI` document of it all.
//!
//! Nothing is answered here. A request becomes a gRPC request to the same services behind the same layers, so that
//! identity, deadlines, languages, limits and metrics are those of gRPC, and the answer is put into the caller's terms.
//! A body is read and translated only while the call is under way: what is wrong with it is a refusal of that call.
//! gRPC itself passes by after one look at its content type.

mod answer;
mod connect;
mod grpc;
mod gzip;
mod json;
mod openapi;
mod origins;
mod pages;
mod query;
mod refusal;
mod replay;
pub(crate) mod schema;

use std::{
    convert::Infallible,
    sync::Arc,
    task::{Context, Poll},
};

use futures::future::{BoxFuture, Either};
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode, Version, header};
use tonic::body::Body;
use tonic_web::GrpcWebLayer;
use tower::{Layer, Service, ServiceExt as _};
use tower_http::cors::{Cors, CorsLayer};

pub use self::origins::Origins;
use self::{
    connect::Codec,
    refusal::{Caller, Refusal},
};
use crate::{
    limits::{places::Peer, unread, unsent},
    log_service::LogPages,
};

/// What the doors of a server for callers without gRPC have in common.
#[derive(Clone)]
pub(crate) struct Front {
    cors: CorsLayer,
    document: openapi::Served,
    pages: Option<LogPages>,
}

impl Front {
    /// Pages of `origins` may call `services`, by their full names, from a browser. `pages` are those of a log that is
    /// published.
    pub fn new(origins: &Origins, services: &[&'static str], pages: Option<LogPages>) -> Self {
        Self { cors: origins.cors(), document: openapi::Served::new(services), pages }
    }

    /// The doors of one connection.
    pub fn of(&self, peer: Arc<Peer>) -> WebLayer {
        WebLayer { front: self.clone(), peer }
    }
}

/// Opens doors for callers without gRPC beside that for gRPC, on one connection.
#[derive(Clone)]
pub(crate) struct WebLayer {
    front: Front,
    peer: Arc<Peer>,
}

impl<S: Clone> Layer<S> for WebLayer {
    type Service = Web<S>;

    fn layer(&self, grpc: S) -> Web<S> {
        let (document, pages) = (self.front.document.clone(), self.front.pages.clone());
        let doors = Doors { document, pages, peer: self.peer.clone(), grpc: grpc.clone() };
        Web { doors: self.front.cors.layer(doors), grpc }
    }
}

/// All doors of a server.
#[derive(Clone)]
pub(crate) struct Web<S> {
    grpc: S,
    doors: Cors<Doors<S>>,
}

/// A service of gRPC, as it stands behind the doors.
pub(crate) trait Inner:
    Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S> Inner for S where
    S: Service<Request<Body>, Response = Response<Body>, Error = Infallible, Future: Send> + Clone + Send + 'static
{
}

impl<S: Inner> Service<Request<Body>> for Web<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Either<S::Future, BoxFuture<'static, Result<Response<Body>, Infallible>>>;

    fn poll_ready(&mut self, cx: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        self.grpc.poll_ready(cx)
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        // Over HTTP/1.1 there is no gRPC: its answers end in trailers that few would forward.
        if request.version() == Version::HTTP_2 && is_grpc(request.headers()) {
            return Either::Left(self.grpc.call(request));
        }
        Either::Right(Box::pin(self.doors.clone().oneshot(request)))
    }
}

fn is_grpc(headers: &HeaderMap) -> bool {
    let content_type = headers.get(header::CONTENT_TYPE).map(HeaderValue::as_bytes);
    let after = content_type.and_then(|content_type| content_type.strip_prefix(b"application/grpc"));
    after.is_some_and(|after| matches!(after.first(), None | Some(b'+' | b';')))
}

/// The doors beside that for gRPC.
#[derive(Clone)]
struct Doors<S> {
    document: openapi::Served,
    pages: Option<LogPages>,
    peer: Arc<Peer>,
    grpc: S,
}

impl<S: Inner> Service<Request<Body>> for Doors<S> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let doors = self.clone();
        // What is translated is larger than what came, and waits here; what came has gone by then.
        let unsent = self.peer.unsent.clone();
        let counted = |body| Body::new(unsent::Counted::new(body, unsent));
        Box::pin(async move { Ok(doors.answer(request).await.map(counted)) })
    }
}

impl<S: Inner> Doors<S> {
    async fn answer(self, request: Request<Body>) -> Response<Body> {
        let caller = Caller::of(request.headers());
        let content_type = media_type(request.headers());
        match (request.method(), request.uri().path(), content_type.as_deref().unwrap_or_default()) {
            (&Method::GET | &Method::HEAD, openapi::PATH, _) => self.document.answer(&caller),
            (&Method::GET, replay::PATH, _) => replay::answer(self.grpc, request, &caller).await,
            (&Method::GET | &Method::HEAD, path, _) if path.starts_with(pages::PREFIX) => {
                pages::answer(self.grpc, self.pages.as_ref(), request, &caller).await
            }
            (_, openapi::PATH | replay::PATH, _) => not_by(&caller, "GET"),
            (&Method::POST, _, "application/json") => self.unary(request, &caller, Codec::Json).await,
            (&Method::POST, _, "application/proto") => self.unary(request, &caller, Codec::Proto).await,
            (&Method::POST, _, kind) if GRPC_WEB.contains(&kind) => self.grpc_web(request).await,
            (&Method::POST, _, _) => unknown_content(&caller),
            (_, path, _) if schema::method(path).is_some() => not_by(&caller, "POST"),
            (_, path, _) => caller.refuse(&Refusal::nowhere(path)),
        }
    }

    async fn unary(self, request: Request<Body>, caller: &Caller, codec: Codec) -> Response<Body> {
        // What is translated is held here until it has come as a whole, and not where bodies of gRPC are.
        let counted = request.map(|body| Body::new(unread::Counted::new(body, self.peer.unread.clone())));
        connect::answer(self.grpc, counted, caller, codec).await
    }

    async fn grpc_web(self, mut request: Request<Body>) -> Response<Body> {
        let one = schema::method(request.uri().path()).is_some_and(|method| !method.is_server_streaming());
        if one && !request.headers().contains_key("grpc-timeout") {
            request.headers_mut().insert("grpc-timeout", grpc::longest());
        }
        let Ok(response) = GrpcWebLayer::new().layer(self.grpc).oneshot(request).await;
        response
    }
}

/// The media type of a request's content, in lower case and without parameters.
fn media_type(headers: &HeaderMap) -> Option<String> {
    let content_type = headers.get(header::CONTENT_TYPE)?.to_str().ok()?;
    let kind = content_type.split(';').next().unwrap_or_default();
    Some(kind.trim().to_ascii_lowercase())
}

fn unknown_content(caller: &Caller) -> Response<Body> {
    let problem = (
        "must be application/json, application/proto or application/grpc-web; application/grpc takes HTTP/2",
        "doit être application/json, application/proto ou application/grpc-web\u{202f}; application/grpc exige HTTP/2",
    );
    let mut response = caller.refuse(&Refusal::of("content-type", problem, StatusCode::UNSUPPORTED_MEDIA_TYPE));
    response.headers_mut().insert("accept-post", HeaderValue::from_static(ACCEPTED));
    response
}

/// The ways of gRPC-Web.
const GRPC_WEB: &[&str] = &[
    "application/grpc-web",
    "application/grpc-web+proto",
    "application/grpc-web-text",
    "application/grpc-web-text+proto",
];

/// What is taken over any version of HTTP.
const ACCEPTED: &str = "application/json, application/proto, application/grpc-web, application/grpc-web-text";

fn not_by(caller: &Caller, allowed: &'static str) -> Response<Body> {
    let problem = Refusal::of(
        "method",
        (format!("must be {allowed} here"), format!("doit être {allowed} ici")),
        StatusCode::METHOD_NOT_ALLOWED,
    );
    let mut response = caller.refuse(&problem);
    response.headers_mut().insert(header::ALLOW, HeaderValue::from_static(allowed));
    response
}
