//! What a service tells of itself: structured logs always, traces and metrics over OTLP where an endpoint is set.
//! No back end is needed to run.

use std::{io::IsTerminal as _, time::Duration};

use opentelemetry::{
    Context, KeyValue, TraceFlags, global,
    propagation::{Extractor, TextMapPropagator as _},
    trace::{SpanContext, TraceContextExt as _, TraceState, TracerProvider as _},
};
use opentelemetry_otlp::WithExportConfig as _;
use opentelemetry_sdk::{
    Resource,
    metrics::SdkMeterProvider,
    propagation::TraceContextPropagator,
    trace::{IdGenerator as _, RandomIdGenerator, SdkTracerProvider},
};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_opentelemetry::OpenTelemetrySpanExt as _;
use tracing_subscriber::{EnvFilter, Layer as _, layer::SubscriberExt as _, util::SubscriberInitExt as _};

/// What a stopping service waits for its last spans and figures to leave.
const LAST_FLUSH: Duration = Duration::from_secs(3);

/// Log lines that wait to be written. When whoever reads them stops to, further ones are lost, and nothing else waits.
const WAITING_LINES: usize = 4096;

/// How logs are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// One JSON object a line.
    Json,
    /// For people.
    Text,
}

impl LogFormat {
    /// For people at a terminal, JSON elsewhere.
    pub fn of_stderr() -> Self {
        if std::io::stderr().is_terminal() { Self::Text } else { Self::Json }
    }
}

/// Running telemetry, to be stopped last.
#[must_use = "dropped telemetry loses its last spans"]
#[derive(Debug)]
pub struct Telemetry {
    tracer: Option<SdkTracerProvider>,
    meter: Option<SdkMeterProvider>,
    /// Writes the last lines when dropped.
    _lines: WorkerGuard,
}

impl Telemetry {
    /// Starts logs on stderr, filtered as `RUST_LOG` is written, and where an endpoint is given traces and metrics
    /// over OTLP. Once a process.
    pub fn start(service: &'static str, filter: &str, format: LogFormat, otlp: Option<&str>) -> anyhow::Result<Self> {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let (tracer, meter) = match otlp {
            Some(endpoint) => {
                let (tracer, meter) = exporters(service, endpoint)?;
                global::set_meter_provider(meter.clone());
                (Some(tracer), Some(meter))
            }
            None => (None, None),
        };
        // The exporter's own calls make no spans, or each would bring the next.
        let spans = tracer.as_ref().map(|provider| {
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer("toguna"))
                .with_filter(EnvFilter::new("info,h2=off,hyper=off,tonic=off,tower=off"))
        });
        let lines = NonBlockingBuilder::default().lossy(true).buffered_lines_limit(WAITING_LINES);
        let (writer, written) = lines.finish(std::io::stderr());
        let stderr = tracing_subscriber::fmt::layer().with_writer(writer);
        let lines = match format {
            LogFormat::Json => stderr.json().with_span_list(false).flatten_event(true).boxed(),
            LogFormat::Text => stderr.boxed(),
        };
        let lines = lines.with_filter(EnvFilter::try_new(filter)?);
        tracing_subscriber::registry().with(spans).with(lines).try_init()?;
        Ok(Self { tracer, meter, _lines: written })
    }

    /// Sends what is left, and does not wait long for it.
    pub async fn stop(self) {
        let Self { tracer, meter, _lines: written } = self;
        let flush = tokio::task::spawn_blocking(move || {
            let traces = tracer.map(|provider| provider.shutdown_with_timeout(LAST_FLUSH));
            let metrics = meter.map(|provider| provider.shutdown_with_timeout(LAST_FLUSH));
            traces.into_iter().chain(metrics).find_map(Result::err)
        });
        match tokio::time::timeout(LAST_FLUSH, flush).await {
            Ok(Ok(None)) => {}
            Ok(Ok(Some(error))) => tracing::warn!(%error, "the last telemetry was lost"),
            Ok(Err(_)) | Err(_) => tracing::warn!("the last telemetry was lost"),
        }
        drop(written);
    }
}

fn exporters(service: &'static str, endpoint: &str) -> anyhow::Result<(SdkTracerProvider, SdkMeterProvider)> {
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.namespace", "toguna"))
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    let spans = opentelemetry_otlp::SpanExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    let figures = opentelemetry_otlp::MetricExporter::builder().with_tonic().with_endpoint(endpoint).build()?;
    Ok((
        SdkTracerProvider::builder().with_batch_exporter(spans).with_resource(resource.clone()).build(),
        SdkMeterProvider::builder().with_periodic_exporter(figures).with_resource(resource).build(),
    ))
}

/// The trace context in a call's headers; invalid where there is none or it is malformed.
pub(crate) fn extracted(headers: &http::HeaderMap) -> Context {
    struct Headers<'a>(&'a http::HeaderMap);
    impl Extractor for Headers<'_> {
        fn get(&self, key: &str) -> Option<&str> {
            self.0.get(key)?.to_str().ok()
        }
        fn keys(&self) -> Vec<&str> {
            self.0.keys().map(http::HeaderName::as_str).collect()
        }
    }
    TraceContextPropagator::new().extract_with_context(&Context::new(), &Headers(headers))
}

/// A span of the caller's trace, or of one that begins here: what is told and stored where no tracer made a span.
pub(crate) fn continued(parent: &SpanContext) -> SpanContext {
    let ids = RandomIdGenerator::default();
    if parent.is_valid() {
        let state = parent.trace_state().clone();
        return SpanContext::new(parent.trace_id(), ids.new_span_id(), parent.trace_flags(), false, state);
    }
    SpanContext::new(ids.new_trace_id(), ids.new_span_id(), TraceFlags::default(), false, TraceState::default())
}

/// A span's place in its trace as W3C writes it.
pub(crate) fn traceparent(span: &SpanContext) -> String {
    format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), span.trace_flags().to_u8())
}

/// The span of a tracing span, where a tracer made one; otherwise one that continues the parent.
pub(crate) fn place_of(span: &tracing::Span, parent: &Context) -> SpanContext {
    let made = span.context().span().span_context().clone();
    if made.is_valid() { made } else { continued(parent.span().span_context()) }
}

#[cfg(test)]
mod tests;
