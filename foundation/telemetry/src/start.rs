//! The one subscriber of a process.

use crate::TRACE;
use opentelemetry::{KeyValue, trace::TracerProvider as _};
use opentelemetry_otlp::{SpanExporter, WithExportConfig as _};
use opentelemetry_sdk::{Resource, trace::SdkTracerProvider};
use std::io::stderr;
use tracing::{Level, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer as _,
    filter::Targets,
    fmt,
    layer::SubscriberExt as _,
    util::{SubscriberInitExt as _, TryInitError},
};

/// How log lines look.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// An object a line.
    Json,
}

/// What a process logs and where its spans go.
#[derive(Clone, Debug)]
pub struct TelemetrySettings {
    /// `service.name` of its spans, as `sahara-node`.
    pub service: &'static str,
    /// What is logged when `RUST_LOG` says nothing, in its syntax.
    pub filter: &'static str,
    /// How log lines look.
    pub format: LogFormat,
    /// Whether a terminal shows colours.
    pub has_colour: bool,
    /// An OTLP collector's base URL, as `http://127.0.0.1:4318`; spans are made for one only.
    pub collector: Option<String>,
}

/// Why a process cannot log.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The collector's URL is none that spans can be sent to.
    #[error("cannot send spans to `{0}`: expected a URL as http://127.0.0.1:4318 ({1})")]
    Collector(String, String),
    /// There is a subscriber already.
    #[error(transparent)]
    Started(#[from] TryInitError),
}

/// Keeps the export of spans alive; dropping it sends what is left.
#[derive(Debug)]
#[must_use]
pub struct Telemetry(Option<SdkTracerProvider>);

impl Drop for Telemetry {
    fn drop(&mut self) {
        if let Some(provider) = self.0.take() {
            // A collector that is gone keeps no process.
            drop(provider.shutdown());
        }
    }
}

/// Begins to log to standard error, and to send spans to a collector if there is one.
///
/// # Errors
/// See [`TelemetryError`].
pub fn start(settings: &TelemetrySettings) -> Result<Telemetry, TelemetryError> {
    let filter =
        EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(settings.filter));
    // Spans of a trace are no log, whatever RUST_LOG says of levels.
    let no_spans =
        Targets::new().with_default(LevelFilter::TRACE).with_target(TRACE, LevelFilter::OFF);
    let lines = match settings.format {
        LogFormat::Text => fmt::layer().with_ansi(settings.has_colour).with_writer(stderr).boxed(),
        LogFormat::Json => fmt::layer().json().flatten_event(true).with_writer(stderr).boxed(),
    };
    let provider =
        settings.collector.as_deref().map(|url| provider(settings.service, url)).transpose()?;
    let spans = provider.as_ref().map(|provider| {
        tracing_opentelemetry::layer()
            .with_tracer(provider.tracer("sahara"))
            .with_location(false)
            .with_threads(false)
            .with_filter(Targets::new().with_target(TRACE, Level::DEBUG))
    });
    tracing_subscriber::registry()
        .with(lines.with_filter(filter).with_filter(no_spans))
        .with(spans)
        .try_init()?;
    Ok(Telemetry(provider))
}

fn provider(service: &'static str, url: &str) -> Result<SdkTracerProvider, TelemetryError> {
    let failed = |reason: String| TelemetryError::Collector(url.to_owned(), reason);
    if !url.starts_with("http://") {
        return Err(failed("a collector is reached without TLS".to_owned()));
    }
    let exporter = SpanExporter::builder()
        .with_http()
        .with_endpoint(format!("{}/v1/traces", url.trim_end_matches('/')))
        .build()
        .map_err(|error| failed(error.to_string()))?;
    let resource = Resource::builder()
        .with_service_name(service)
        .with_attribute(KeyValue::new("service.version", env!("CARGO_PKG_VERSION")))
        .build();
    Ok(SdkTracerProvider::builder().with_resource(resource).with_batch_exporter(exporter).build())
}
