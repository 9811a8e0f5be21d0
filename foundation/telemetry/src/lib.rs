//! Logs, and traces that pass from process to process.
//!
//! Spans of a trace have the target [`TRACE`]; they cost nothing while nobody collects them. Between
//! processes a trace travels in the header `traceparent` of the W3C's Trace Context; spans leave as
//! OTLP over HTTP, so that any OpenTelemetry collector takes them.

mod context;
mod start;

pub use context::{follow, rewritten, traceparent};
pub use start::{LogFormat, Telemetry, TelemetryError, TelemetrySettings, start};

/// Target of the spans that make up a trace. Logs never show them.
pub const TRACE: &str = "sahara_trace";

/// The header in which a trace travels.
pub const TRACEPARENT: &str = "traceparent";
