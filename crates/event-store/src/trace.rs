//! W3C trace context, between stored events, messages and spans.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Most spans that one span is linked to: a page of a rebuild holds a thousand events.
const MAX_LINKS: usize = 32;

/// The span that a `traceparent` names; `None`: it names none.
pub(crate) fn context_of(traceparent: &str) -> Option<SpanContext> {
    let lower = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    let [version, trace, span, flags] = traceparent.split('-').collect::<Vec<_>>()[..] else { return None };
    if version != "00" || trace.len() != 32 || span.len() != 16 || flags.len() != 2 || !lower(trace) || !lower(span) {
        return None;
    }
    let flags = TraceFlags::new(u8::from_str_radix(flags, 16).ok()?) & TraceFlags::SAMPLED;
    let (trace, span) = (TraceId::from_hex(trace).ok()?, SpanId::from_hex(span).ok()?);
    let context = SpanContext::new(trace, span, flags, true, TraceState::default());
    context.is_valid().then_some(context)
}

/// The `traceparent` of a span; `None`: it is not traced.
pub(crate) fn traceparent_of(span: &Span) -> Option<String> {
    let context = span.context();
    let span = context.span().span_context().clone();
    let flags = span.trace_flags() & TraceFlags::SAMPLED;
    span.is_valid().then(|| format!("00-{}-{}-{:02x}", span.trace_id(), span.span_id(), flags.to_u8()))
}

/// Ties a span to the commands whose events it works on: it goes on in their trace where they all are of one, and is
/// linked to each of them otherwise.
pub(crate) fn continue_from<'a>(span: &Span, traceparents: impl Iterator<Item = &'a str>) {
    let mut contexts: Vec<SpanContext> = Vec::new();
    for context in traceparents.filter_map(context_of) {
        if contexts.len() < MAX_LINKS && !contexts.contains(&context) {
            contexts.push(context);
        }
    }
    match contexts.as_slice() {
        [only] => {
            // Fails only where no telemetry is set up, and then there is nothing to tie.
            let _ = span.set_parent(Context::new().with_remote_span_context(only.clone()));
        }
        several => several.iter().for_each(|context| span.add_link(context.clone())),
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider as _;
    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn a_trace_context_is_read_as_the_w3c_writes_it() {
        let context = context_of("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01").expect("a context");
        assert_eq!(context.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert!(context.is_sampled() && context.is_remote());
    }

    const ONE: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    const OTHER: &str = "00-1bf7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    /// The trace of a span that works on the events of these commands.
    fn trace_after(traceparents: &[&str]) -> String {
        let provider = opentelemetry_sdk::trace::SdkTracerProvider::builder().build();
        let layer = tracing_opentelemetry::layer().with_tracer(provider.tracer("test"));
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), || {
            let span = tracing::info_span!("works");
            continue_from(&span, traceparents.iter().copied());
            traceparent_of(&span).expect("it is traced")[3..35].to_owned()
        })
    }

    #[test]
    fn work_on_the_events_of_one_command_goes_on_in_its_trace() {
        assert_eq!(trace_after(&[ONE, ONE, "none"]), ONE[3..35]);
    }

    #[test]
    fn work_on_the_events_of_several_commands_is_a_trace_of_its_own() {
        let trace = trace_after(&[ONE, OTHER]);
        assert!(trace != ONE[3..35] && trace != OTHER[3..35]);
    }

    #[test]
    fn what_is_no_trace_context_is_none() {
        for text in [
            "",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-0g",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
        ] {
            assert!(context_of(text).is_none(), "{text}");
        }
    }
}
