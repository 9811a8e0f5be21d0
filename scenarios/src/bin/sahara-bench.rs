//! Runs a benchmark by name: `cargo xtask bench NAME` calls it with the release build.
#![expect(clippy::print_stderr, reason = "a program for the terminal")]

use sahara_scenarios::bench;
use std::process::ExitCode;

#[tokio::main]
async fn main() -> ExitCode {
    let name = std::env::args().nth(1).unwrap_or_default();
    let outcome = match name.as_str() {
        "PAY-1" => bench::payments::run().await,
        "FIN-1" => bench::finality::run().await,
        "INF-1" => bench::gateway::run().await,
        other => Err(eyre::eyre!("unknown benchmark `{other}`: expected PAY-1, FIN-1 or INF-1")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("{name}: {error:?}");
            ExitCode::FAILURE
        }
    }
}
