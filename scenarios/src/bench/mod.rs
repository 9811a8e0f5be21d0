//! Benchmarks from outside, each with its peer beside it in the same run.
//!
//! One JSON line per result: name, workload, ours, peer, ratio, commit, machine. CPU time is that of
//! the server's processes, from the operating system's own accounting.

pub mod finality;
pub mod gateway;
pub mod joining;
pub mod links;
pub mod payments;
pub mod restarting;
pub mod web;

use eyre::{Result, WrapErr};
use serde_json::{Value, json};
use std::{fs, process::Command};

/// User and system time of a process so far, in microseconds.
///
/// # Errors
/// When there is no such process, or no `/proc`.
pub fn cpu_microseconds(pid: u32) -> Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/stat"))
        .wrap_err_with(|| format!("process {pid} is gone"))?;
    let after_name = text.rsplit(')').next().unwrap_or_default();
    let ticks: u64 = after_name
        .split_whitespace()
        .skip(11)
        .take(2)
        .filter_map(|field| field.parse::<u64>().ok())
        .sum();
    // Linux counts in hundredths of a second on every machine this runs on.
    Ok(ticks.saturating_mul(10_000))
}

/// Prints one result as a JSON line and as a line for people.
///
/// # Errors
/// When git or the machine cannot be asked.
pub fn report(
    name: &str,
    workload: &str,
    ours: &Value,
    peer: &Value,
    ratio: Option<f64>,
) -> Result<()> {
    let line = json!({
        "name": name, "workload": workload, "ours": ours, "peer": peer, "ratio": ratio,
        "commit": output("git", &["rev-parse", "--short", "HEAD"])?.trim(), "machine": machine()?,
    });
    println!("{line}");
    eprintln!("{name}: {workload}\n  ours {ours}\n  peer {peer}\n  ratio {ratio:?}");
    Ok(())
}

fn output(program: &str, arguments: &[&str]) -> Result<String> {
    Ok(String::from_utf8(Command::new(program).args(arguments).output()?.stdout)?)
}

fn machine() -> Result<String> {
    let text = fs::read_to_string("/proc/cpuinfo")?;
    let name = text.lines().find_map(|line| line.strip_prefix("model name")).unwrap_or_default();
    let cores = std::thread::available_parallelism()?;
    Ok(format!("{} x{cores}", name.trim_start_matches([' ', '\t', ':'])))
}

/// The value at a quantile of a sample, in thousandths; sorts the sample.
pub fn quantile(sample: &mut [f64], thousandths: usize) -> f64 {
    sample.sort_by(f64::total_cmp);
    let place = sample.len().saturating_mul(thousandths) / 1000;
    sample.get(place.min(sample.len().saturating_sub(1))).copied().unwrap_or_default()
}
