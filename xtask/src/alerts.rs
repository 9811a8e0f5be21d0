//! Alert rules and the dashboard's questions, as Prometheus itself reads and evaluates them.

use crate::{
    shell::{self, command, run},
    tools,
};
use eyre::{Result, WrapErr as _};
use serde_json::{Value, json};
use std::fs;

/// Names the rules, so that both are read.
const CONFIGURATION: &str = "packaging/prometheus/prometheus.yml";
/// Values for which alerts fire or do not.
const TRIALS: &str = "packaging/prometheus/alerts_test.yml";
const DASHBOARD: &str = "packaging/grafana/sahara.json";

/// Fails when an expression is not one, or an alert fires for other values than it should.
pub(crate) fn check() -> Result<()> {
    let promtool = tools::promtool();
    run(command(&promtool).args(["check", "config", CONFIGURATION]))?;
    run(command(&promtool).args(["test", "rules", TRIALS]))?;
    let asked = tools::directory().join("dashboard.yml");
    let rules = questions(&fs::read_to_string(shell::root().join(DASHBOARD))?)?;
    fs::write(&asked, rules).wrap_err("could not write the dashboard's questions down")?;
    run(command(&promtool).args(["check", "rules"]).arg(asked))
}

/// What a dashboard asks, as rules that record it. JSON is YAML.
#[expect(clippy::indexing_slicing, reason = "what JSON lacks is null")]
fn questions(dashboard: &str) -> Result<String> {
    let dashboard: Value = serde_json::from_str(dashboard).wrap_err("the dashboard is no JSON")?;
    let panels = dashboard["panels"].as_array().into_iter().flatten();
    let targets = panels.flat_map(|panel| panel["targets"].as_array().into_iter().flatten());
    let expressions = targets.filter_map(|target| target["expr"].as_str());
    // What Grafana would put there.
    let expressions = expressions.map(|asked| asked.replace("$__rate_interval", "1m"));
    let names = (0_u32..).map(|index| format!("asked:{index}"));
    let rules = names.zip(expressions);
    let rules: Vec<_> =
        rules.map(|(name, asked)| json!({ "record": name, "expr": asked })).collect();
    Ok(json!({ "groups": [{ "name": "dashboard", "rules": rules }] }).to_string())
}
