//! What a gateway counts, and what dashboard and alerts ask of it.

use super::page::{Page, names};
use crate::metrics::Metrics;
use std::{collections::BTreeSet, time::Duration};

#[test]
fn dashboard_and_alerts_ask_a_gateway_only_for_what_it_counts() {
    let (metrics, within) = (Metrics::new(), Duration::from_millis(20));
    // A family with labels is on the page once it has a sample.
    metrics.request(200, within);
    metrics.claim(true, within);
    metrics.claim(false, within);
    let page = Page::read(&metrics.page(3)).unwrap();
    let value = |name: &str| page.samples.get(name).copied();
    assert_eq!(value("sahara_gateway_requests_total{status=\"200\"}"), Some(1.0));
    assert_eq!(value("sahara_gateway_settle_seconds_count"), Some(1.0));
    assert_eq!(value("sahara_gateway_unsettled_channels"), Some(3.0));

    let dashboard = include_str!("../../../../packaging/grafana/sahara.json");
    let alerts = include_str!("../../../../packaging/prometheus/alerts.yml");
    let (shown, alarming) = (names(dashboard, "sahara_gateway_"), names(alerts, "sahara_gateway_"));
    let expected = ["requests_total", "settle_seconds_bucket", "unsettled_channels"]
        .map(|name| format!("sahara_gateway_{name}"));
    assert_eq!(shown, expected.iter().map(String::as_str).collect::<BTreeSet<_>>());
    assert!(alarming.contains("sahara_gateway_unsettled_channels"), "{alarming:?}");
    for name in shown.union(&alarming) {
        assert!(page.has(name), "{name}: {page:?}");
    }
}
