//! What a whole stack tells of itself, to a receiver of OTLP that is there for the test.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
    time::Duration,
};

use opentelemetry_proto::tonic::{
    collector::{
        metrics::v1::{
            ExportMetricsServiceRequest, ExportMetricsServiceResponse,
            metrics_service_server::{MetricsService, MetricsServiceServer},
        },
        trace::v1::{
            ExportTraceServiceRequest, ExportTraceServiceResponse,
            trace_service_server::{TraceService, TraceServiceServer},
        },
    },
    common::v1::{KeyValue, any_value::Value},
    resource::v1::Resource,
    trace::v1::{Span, span::SpanKind},
};
use serde_json::json;
use tokio::net::TcpListener;
use tonic::{Request, Response, Status, transport::Server, transport::server::TcpIncoming};

use crate::stack::Stack;

const LONGEST: Duration = Duration::from_mins(2);

/// Everything that was received.
#[derive(Clone, Default)]
struct Receiver(Arc<Mutex<Received>>);

#[derive(Default)]
struct Received {
    /// Each with the service that sent it.
    spans: Vec<(String, Span)>,
    metrics: BTreeSet<String>,
}

impl Receiver {
    /// Receives at a free port, as long as the test runs.
    async fn start() -> (Self, String) {
        let receiver = Self::default();
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port is free");
        let address = listener.local_addr().expect("it listens");
        let server = Server::builder()
            .add_service(TraceServiceServer::new(receiver.clone()))
            .add_service(MetricsServiceServer::new(receiver.clone()));
        tokio::spawn(server.serve_with_incoming(TcpIncoming::from(listener)));
        (receiver, format!("http://{address}"))
    }

    /// Waits until what was received answers.
    async fn until<T>(&self, what: &str, look: impl Fn(&Received) -> Option<T>) -> T {
        let waiting = async {
            loop {
                if let Some(found) = look(&self.0.lock().expect("no panic")) {
                    return found;
                }
                tokio::time::sleep(Duration::from_millis(100)).await;
            }
        };
        tokio::time::timeout(LONGEST, waiting).await.unwrap_or_else(|_| panic!("{what} did not come"))
    }
}

#[tonic::async_trait]
impl TraceService for Receiver {
    async fn export(
        &self,
        request: Request<ExportTraceServiceRequest>,
    ) -> Result<Response<ExportTraceServiceResponse>, Status> {
        for sent in request.into_inner().resource_spans {
            let service = service(sent.resource.as_ref());
            let spans = sent.scope_spans.into_iter().flat_map(|scope| scope.spans);
            self.0.lock().expect("no panic").spans.extend(spans.map(|span| (service.clone(), span)));
        }
        Ok(Response::new(ExportTraceServiceResponse::default()))
    }
}

#[tonic::async_trait]
impl MetricsService for Receiver {
    async fn export(
        &self,
        request: Request<ExportMetricsServiceRequest>,
    ) -> Result<Response<ExportMetricsServiceResponse>, Status> {
        let sent = request.into_inner().resource_metrics.into_iter();
        let metrics = sent.flat_map(|sent| sent.scope_metrics).flat_map(|scope| scope.metrics);
        self.0.lock().expect("no panic").metrics.extend(metrics.map(|metric| metric.name));
        Ok(Response::new(ExportMetricsServiceResponse::default()))
    }
}

fn text(attributes: &[KeyValue], key: &str) -> String {
    let found = attributes.iter().find(|attribute| attribute.key == key);
    match found.and_then(|attribute| attribute.value.as_ref()?.value.as_ref()) {
        Some(Value::StringValue(text)) => text.clone(),
        _ => String::new(),
    }
}

fn service(resource: Option<&Resource>) -> String {
    text(&resource.map(|resource| resource.attributes.clone()).unwrap_or_default(), "service.name")
}

/// The names of a table's first column: `toguna.…` and `rpc.…`.
fn documented(page: &str) -> BTreeSet<String> {
    let rows = page.lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    rows.map(|(name, _)| name.to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn one_trace_leads_from_the_caller_to_every_read_model_and_every_metric_is_documented() {
    let (receiver, endpoint) = Receiver::start().await;
    let stack = Stack::told(&[
        ("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint.as_str()),
        ("OTEL_BSP_SCHEDULE_DELAY", "200"),
        ("OTEL_METRIC_EXPORT_INTERVAL", "1000"),
    ])
    .await;
    let partner = json!({
        "name": "partners/made-up",
        "kind": "PARTNER_KIND_NGO",
        "names": { "en": { "text": "Made up", "origin": "TEXT_ORIGIN_OFFICIAL" } },
    });
    let rpc = "toguna.partnerships.v1.PartnerService/RegisterPartner";
    stack.call(rpc, "secretariat@ml-mmeia", "keeper", partner).await.expect("it is registered");

    let trace = receiver
        .until("the span of the call", |received| {
            let calls = received.spans.iter().filter(|(service, span)| service == "partnerships" && span.name == rpc);
            calls.map(|(_, span)| span.trace_id.clone()).next()
        })
        .await;
    let expected = BTreeSet::from(
        [
            ("partnerships", "relay", SpanKind::Producer),
            ("partnerships", "follow", SpanKind::Consumer),
            ("commitments", "follow", SpanKind::Consumer),
            ("disbursements", "follow", SpanKind::Consumer),
            ("oversight", "follow", SpanKind::Consumer),
        ]
        .map(|(service, name, kind)| (service.to_owned(), name.to_owned(), kind as i32)),
    );
    receiver
        .until("a span of every service in the trace of the call", |received| {
            let of_trace = received.spans.iter().filter(|(_, span)| span.trace_id == trace);
            let seen: BTreeSet<_> =
                of_trace.map(|(service, span)| (service.clone(), span.name.clone(), span.kind)).collect();
            expected.is_subset(&seen).then_some(())
        })
        .await;
    let event = stack.replay("partnerships").into_iter().find(|event| event["stream"] == "partners/made-up");
    let stored = event.expect("it is in the log")["traceparent"].as_str().expect("with its trace").to_owned();
    let hex = format!("{:032x}", u128::from_be_bytes(trace.try_into().expect("16 bytes")));
    assert_eq!(stored.split('-').nth(1), Some(hex.as_str()), "the event says of which trace it is");

    let sent = receiver
        .until("metrics of log, relay and followers", |received| {
            let there = |name: &str| received.metrics.contains(name);
            let all = ["rpc.server.call.duration", "toguna.append.duration", "toguna.relay.lag", "toguna.follower.lag"];
            all.into_iter().all(there).then(|| received.metrics.clone())
        })
        .await;
    for page in [include_str!("../../docs/telemetry.md"), include_str!("../../docs/telemetry.fr.md")] {
        let missing: Vec<_> = sent.difference(&documented(page)).cloned().collect();
        assert!(missing.is_empty(), "not documented: {missing:?}");
    }
}

/// As Prometheus has it when it comes through a collector: without dots, with its unit, and with what it is.
fn in_prometheus(name: &str) -> Vec<String> {
    let plain = name.replace('.', "_");
    match name {
        "rpc.server.call.duration" | "toguna.append.duration" | "toguna.commands.wait" => {
            ["bucket", "sum", "count"].map(|part| format!("{plain}_seconds_{part}")).into()
        }
        "toguna.append.events" => ["bucket", "sum", "count"].map(|part| format!("{plain}_{part}")).into(),
        "toguna.relay.rebuilds" | "toguna.relay.audits" => vec![format!("{plain}_total")],
        _ => vec![plain],
    }
}

/// What a dead service no longer says, no rule compares with anything.
#[test]
fn each_service_that_tells_nothing_raises_an_alert() {
    let rules = include_str!("../../deploy/telemetry/alerts.yml");
    for service in ["partnerships", "commitments", "disbursements", "oversight"] {
        let absent = format!("absent(toguna_follower_position{{service_name=\"{service}\"}})");
        assert!(rules.contains(&absent), "nothing says that {service} is silent");
    }
}

/// By the program that judges rules for Prometheus, where it is installed.
#[test]
fn prometheus_takes_the_rules() {
    let rules = concat!(env!("CARGO_MANIFEST_DIR"), "/../deploy/telemetry/alerts.yml");
    match std::process::Command::new("promtool").args(["check", "rules", rules]).output() {
        Ok(judged) => assert!(judged.status.success(), "{}", String::from_utf8_lossy(&judged.stderr)),
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            harness::not_tried("the alerts, by Prometheus", "there is no promtool here");
        }
        Err(error) => panic!("promtool: {error}"),
    }
}

#[test]
fn alerts_and_dashboards_ask_for_metrics_that_are_there() {
    let known: BTreeSet<String> =
        documented(include_str!("../../docs/telemetry.md")).iter().flat_map(|name| in_prometheus(name)).collect();
    let files = BTreeMap::from([
        ("alerts", include_str!("../../deploy/telemetry/alerts.yml")),
        ("dashboard", include_str!("../../deploy/telemetry/dashboard.json")),
    ]);
    for (file, text) in files {
        let names = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
        let asked: BTreeSet<_> = names.filter(|name| name.starts_with("toguna_") || name.starts_with("rpc_")).collect();
        assert!(asked.len() > 4, "{file} asks for {asked:?}");
        let labels = ["rpc_method", "rpc_response_status_code"];
        for name in asked.iter().filter(|name| !labels.contains(name)) {
            assert!(known.contains(*name), "{file} asks for {name}, which nobody tells");
        }
    }
}
