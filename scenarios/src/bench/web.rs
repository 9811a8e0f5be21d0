//! WEB-1: how soon the web application shows something, in a real browser on the same machine.

use super::report;
use crate::{Network, Options, node};
use eyre::{Result, eyre};
use serde_json::json;

/// Visits of each kind; medians are reported.
const VISITS: &str = "15";

/// Runs it.
///
/// # Errors
/// When the network does not start, or a page does not come.
pub fn run() -> Result<()> {
    let network = Network::start(Options::default())?;
    let seen = node("web_speed.mjs", &[&network.gateway()?, VISITS], &[])?;
    let paint = |which: &str| {
        let value = seen.pointer(&format!("/{which}/first_paint_ms"));
        let value = value.and_then(serde_json::Value::as_f64);
        value.ok_or_else(|| eyre!("the script says no first paint"))
    };
    let ratio = paint("first")? / paint("text")?.max(1.0);
    let peer = json!({ "name": "a plain text of the same server", "seen": seen.get("text") });
    let workload =
        "home page in Chromium: first visits with an empty cache, then visits that know the files";
    report("WEB-1", workload, &seen, &peer, Some(ratio))
}
