use std::{
    convert::Infallible,
    pin::Pin,
    sync::{Arc, Mutex},
    task::{Context as Task, Poll},
};

use bytes::Bytes;
use futures::future::BoxFuture;
use http::{Request, Response};
use http_body::Body as _;
use opentelemetry::trace::Tracer as _;
use tonic::{body::Body, server::NamedService};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use super::*;
use crate::{server::Endpoints, testing::serve};

/// What receivers of OTLP got, as sent.
type Received = Arc<Mutex<Vec<u8>>>;

/// Takes whatever is sent to one service of OTLP.
#[derive(Clone)]
struct Sink<const TRACES: bool>(Received);

impl NamedService for Sink<true> {
    const NAME: &'static str = "opentelemetry.proto.collector.trace.v1.TraceService";
}

impl NamedService for Sink<false> {
    const NAME: &'static str = "opentelemetry.proto.collector.metrics.v1.MetricsService";
}

impl<const TRACES: bool> tower::Service<Request<Body>> for Sink<TRACES> {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = BoxFuture<'static, Result<Response<Body>, Infallible>>;

    fn poll_ready(&mut self, _: &mut Task<'_>) -> Poll<Result<(), Infallible>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, request: Request<Body>) -> Self::Future {
        let received = self.0.clone();
        Box::pin(async move {
            let mut body = request.into_body();
            while let Some(Ok(frame)) = std::future::poll_fn(|cx| Pin::new(&mut body).poll_frame(cx)).await {
                received.lock().expect("no panic").extend(frame.data_ref().expect("requests have no trailers"));
            }
            let answer = Response::builder().header("content-type", "application/grpc").header("grpc-status", "0");
            Ok(answer.body(Body::new(Empty(Some(Bytes::from_static(&[0; 5]))))).expect("a response"))
        })
    }
}

/// The empty message.
struct Empty(Option<Bytes>);

impl http_body::Body for Empty {
    type Data = Bytes;
    type Error = tonic::Status;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        _: &mut Task<'_>,
    ) -> Poll<Option<Result<http_body::Frame<Bytes>, tonic::Status>>> {
        Poll::Ready(self.0.take().map(|message| Ok(http_body::Frame::data(message))))
    }
}

fn contains(received: &Received, part: &[u8]) -> bool {
    received.lock().expect("no panic").windows(part.len()).any(|window| window == part)
}

#[tokio::test(flavor = "multi_thread")]
async fn spans_and_durations_of_calls_leave_over_otlp_in_the_callers_trace() {
    let (traces, metrics) = (Received::default(), Received::default());
    let mut endpoints = Endpoints::new();
    endpoints.add(Sink::<true>(traces.clone()));
    endpoints.add(Sink::<false>(metrics.clone()));
    let sink = serve(endpoints, async {}).await;
    let endpoint = format!("http://{}", sink.address);
    let telemetry = Telemetry::start("notes", "off", LogFormat::Json, Some(&endpoint)).expect("the first in a process");

    let server = serve(Endpoints::new(), async {}).await;
    let mut request = tonic::Request::new(HealthCheckRequest::default());
    let trace = [0x0a, 0xf7, 0x65, 0x19, 0x16, 0xcd, 0x43, 0xdd, 0x84, 0x48, 0xeb, 0x21, 0x1c, 0x80, 0x31, 0x9c];
    let theirs = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    request.metadata_mut().insert("traceparent", theirs.parse().expect("ASCII"));
    HealthClient::new(server.channel.clone()).check(request).await.expect("an answer");
    telemetry.stop().await;

    assert!(contains(&traces, &trace), "the caller's trace");
    assert!(contains(&traces, &[0xb7, 0xad, 0x6b, 0x71, 0x69, 0x20, 0x33, 0x31]), "its span is the parent");
    assert!(contains(&traces, b"grpc.health.v1.Health/Check"));
    assert!(!contains(&traces, b"TraceService/Export\x12"), "the exporter's own calls are not traced");
    assert!(contains(&metrics, b"rpc.server.call.duration"));
    assert!(contains(&metrics, b"grpc.health.v1.Health/Check"));
    assert!(contains(&metrics, b"notes"), "the service's name");
}

#[tokio::test]
async fn telemetry_that_nobody_takes_does_not_keep_a_service_from_stopping() {
    let (tracer, meter) = exporters("notes", "http://127.0.0.1:1").expect("it connects later");
    drop(tracer.tracer("toguna").start("a span"));
    let started = std::time::Instant::now();
    let (_, lines) = tracing_appender::non_blocking(std::io::sink());
    Telemetry { tracer: Some(tracer), meter: Some(meter), _lines: lines }.stop().await;
    assert!(started.elapsed() < LAST_FLUSH + Duration::from_secs(1), "{:?}", started.elapsed());
}

#[test]
fn a_trace_goes_on_or_begins() {
    let begun = continued(&SpanContext::empty_context());
    assert!(begun.is_valid());
    let on = continued(&begun);
    assert_eq!(on.trace_id(), begun.trace_id());
    assert_ne!(on.span_id(), begun.span_id());
    assert_eq!(traceparent(&on).len(), 55);
}
