//! Counting and timing requests by method.

use jsonrpsee::{
    MethodResponse,
    core::middleware::{Batch, BatchEntry, Notification, RpcServiceT},
    types::Request,
};
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{
        counter::Counter,
        family::Family,
        histogram::{Histogram, exponential_buckets},
    },
    registry::Unit,
};
use sahara_chain::metrics::NodeMetrics;
use sahara_telemetry::{TRACE, TRACEPARENT, follow};
use std::{collections::BTreeSet, sync::Arc, time::Instant};
use tower::Layer;
use tracing::{Instrument as _, debug_span};

/// Requests whose method nobody serves; their names are not kept, or strangers could fill memory
/// with labels.
const UNKNOWN: &str = "unknown";

/// What a batch as a whole is timed as.
const BATCH: &str = "batch";

/// The trace that a request belongs to, as its header names it.
#[derive(Clone, Debug)]
struct Caller(Arc<str>);

/// Hands the header of a trace on to the methods of a request.
pub(crate) fn note_trace<B>(mut request: hyper::Request<B>) -> hyper::Request<B> {
    let header = request.headers().get(TRACEPARENT).and_then(|header| header.to_str().ok());
    if let Some(header) = header.map(Arc::from) {
        request.extensions_mut().insert(Caller(header));
    }
    request
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct Labels {
    method: &'static str,
}

/// Counters and timers of the RPC. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Measure {
    methods: Arc<BTreeSet<&'static str>>,
    requests: Family<Labels, Counter>,
    errors: Family<Labels, Counter>,
    seconds: Family<Labels, Histogram>,
}

impl Measure {
    /// For these methods, shown on the node's page of metrics.
    pub(crate) fn new(metrics: &NodeMetrics, methods: impl Iterator<Item = &'static str>) -> Self {
        // From 50 microseconds to 1.6 seconds, and whatever is longer.
        let timer = || Histogram::new(exponential_buckets(0.00005, 2.0, 16));
        let measure = Self {
            methods: Arc::new(methods.collect()),
            requests: Family::default(),
            errors: Family::default(),
            seconds: Family::new_with_constructor(timer),
        };
        metrics.register(|registry| {
            let requests = measure.requests.clone();
            registry.register("rpc_requests", "JSON-RPC requests by method", requests);
            let help = "JSON-RPC requests answered with an error, those in batches apart";
            registry.register("rpc_errors", help, measure.errors.clone());
            let (help, seconds) = ("Time to answer a JSON-RPC request", measure.seconds.clone());
            registry.register_with_unit("rpc_request", help, Unit::Seconds, seconds);
        });
        measure
    }

    fn labels(&self, method: &str) -> Labels {
        Labels { method: self.methods.get(method).copied().unwrap_or(UNKNOWN) }
    }

    fn count(&self, method: &str) {
        self.requests.get_or_create(&self.labels(method)).inc();
    }

    fn time(&self, labels: &Labels, since: Instant) {
        self.seconds.get_or_create(labels).observe(since.elapsed().as_secs_f64());
    }
}

impl<S> Layer<S> for Measure {
    type Service = Measured<S>;

    fn layer(&self, service: S) -> Measured<S> {
        Measured { measure: self.clone(), service }
    }
}

/// A service whose requests are counted and timed.
#[derive(Clone, Debug)]
pub(crate) struct Measured<S> {
    measure: Measure,
    service: S,
}

impl<S> RpcServiceT for Measured<S>
where
    S: RpcServiceT<MethodResponse = MethodResponse> + Clone + Send + Sync + 'static,
{
    type MethodResponse = MethodResponse;
    type NotificationResponse = S::NotificationResponse;
    type BatchResponse = S::BatchResponse;

    fn call<'a>(
        &self,
        request: Request<'a>,
    ) -> impl Future<Output = Self::MethodResponse> + Send + 'a {
        let Self { measure, service } = self.clone();
        async move {
            let (started, labels) = (Instant::now(), measure.labels(request.method_name()));
            measure.requests.get_or_create(&labels).inc();
            let span = debug_span!(target: TRACE, "rpc", method = labels.method);
            if let Some(Caller(parent)) = request.extensions().get().filter(|_| !span.is_disabled())
            {
                follow(&span, parent);
            }
            let response = service.call(request).instrument(span).await;
            measure.time(&labels, started);
            if response.is_error() {
                measure.errors.get_or_create(&labels).inc();
            }
            response
        }
    }

    fn batch<'a>(&self, batch: Batch<'a>) -> impl Future<Output = Self::BatchResponse> + Send + 'a {
        let Self { measure, service } = self.clone();
        async move {
            for entry in batch.iter().flatten() {
                if let BatchEntry::Call(request) = entry {
                    measure.count(request.method_name());
                }
            }
            let started = Instant::now();
            let response = service.batch(batch).await;
            measure.time(&Labels { method: BATCH }, started);
            response
        }
    }

    fn notification<'a>(
        &self,
        notification: Notification<'a>,
    ) -> impl Future<Output = Self::NotificationResponse> + Send + 'a {
        let service = self.service.clone();
        async move { service.notification(notification).await }
    }
}
