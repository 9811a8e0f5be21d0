//! W3C Trace Context, version 00: `00-<trace>-<parent>-<flags>`.

use opentelemetry::{
    Context,
    trace::{SpanContext, SpanId, TraceContextExt as _, TraceFlags, TraceId, TraceState},
};
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt as _;

/// Makes a span a child of what a caller sent. A header that is malformed is ignored, as the
/// recommendation has it.
pub fn follow(span: &Span, header: &str) {
    if let Some(parent) = parse(header) {
        // A span that nobody collects has no parent either.
        drop(span.set_parent(Context::new().with_remote_span_context(parent)));
    }
}

/// What to send so that the receiver's spans become children of this one; `None` while nobody
/// collects them.
#[must_use]
pub fn traceparent(span: &Span) -> Option<String> {
    let context = span.context();
    let context = context.span().span_context().clone();
    context.is_valid().then(|| written(&context))
}

/// A header as this program would have written what it says; `None` if it is malformed. For who has headers
/// and no spans, as fuzzers.
#[must_use]
pub fn rewritten(header: &str) -> Option<String> {
    parse(header).as_ref().map(written)
}

fn written(context: &SpanContext) -> String {
    let flags = context.trace_flags().to_u8();
    format!("00-{}-{}-{flags:02x}", context.trace_id(), context.span_id())
}

fn parse(header: &str) -> Option<SpanContext> {
    let mut parts = header.trim().split('-');
    let (version, trace, parent, flags) =
        (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
    // Later versions may append parts.
    let is_known = version.len() == 2 && version != "ff" && is_hex(version);
    let is_whole = version != "00" || parts.next().is_none();
    let is_sized = trace.len() == 32 && parent.len() == 16 && flags.len() == 2;
    if !(is_known && is_whole && is_sized && [trace, parent, flags].into_iter().all(is_hex)) {
        return None;
    }
    let context = SpanContext::new(
        TraceId::from_hex(trace).ok()?,
        SpanId::from_hex(parent).ok()?,
        TraceFlags::new(u8::from_str_radix(flags, 16).ok()?),
        true,
        TraceState::NONE,
    );
    context.is_valid().then_some(context)
}

fn is_hex(text: &str) -> bool {
    text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

#[cfg(test)]
mod tests {
    use super::{parse, rewritten};

    #[test]
    fn the_recommendations_own_example_is_read() {
        let context = parse("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!(context.trace_id().to_string(), "4bf92f3577b34da6a3ce929d0e0e4736");
        assert_eq!(context.span_id().to_string(), "00f067aa0ba902b7");
        assert!(context.is_remote() && context.is_sampled());
    }

    #[test]
    fn what_is_read_is_written_as_it_stood() {
        let header = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-a3";
        assert_eq!(rewritten(header).as_deref(), Some(header));
        assert_eq!(rewritten(&header[1..]), None);
    }

    #[test]
    fn a_later_version_may_say_more() {
        assert!(parse("cc-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-what").is_some());
    }

    #[test]
    fn what_is_malformed_is_ignored() {
        for header in [
            "",
            "00",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-0x",
        ] {
            assert!(parse(header).is_none(), "{header}");
        }
    }
}
