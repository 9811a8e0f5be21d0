//! `cargo xtask bench NAME`: a benchmark with its peer beside it in the same run.

use crate::{
    shell::{cargo, command, root, run, target},
    tools,
};
use eyre::{Result, bail};
use std::process::Command;

/// Name, what it measures, how it is run.
const BENCHES: &[(&str, &str)] = &[
    ("PAY-1", "transfers end to end over JSON-RPC, one durable validator; peer: anvil"),
    ("FIN-1", "time from sending a transaction to its finalised receipt, four validators"),
    ("FIN-2", "the same between hosts 0 to 200 ms apart, then with one of four killed"),
    (
        "SYNC-1",
        "a new node by fetching the state, and the past afterwards: time, MB; peer: by replay",
    ),
    ("IDLE", "what four validators burn and hold when nobody asks for anything"),
    ("STATE-1", "changes of the state at 100,000, 1,000,000 and 10,000,000 accounts"),
    (
        "STATE-2",
        "until a node answers again, stopped or killed, on up to 1,000,000 accounts: STATE-2 [ACCOUNTS]",
    ),
    (
        "ROY-1",
        "one payment to 1 to 1,000,000 contributors; peer: a loop in Solidity, same EVM, same run",
    ),
    ("ROY-2", "one payment by ancestors, to 64, and 16 parents; peer: the same loop"),
    ("ROY-3", "conservation over 1,000,000 random events (also `cargo xtask soak conservation`)"),
    ("STAKE-1", "a slash and a reward by delegators, 10 to 1,000,000: words, gas, processor time"),
    ("PRICES", "gas and processor time of what native rules do, beside a plain transfer"),
    ("INF-1", "what the paid gateway adds to a request; peer: the worker asked directly"),
    ("WEB-1", "first paint, bytes and shift of the home page in Chromium; peer: a plain text"),
    ("INF-3", "tokens per second of the engine; peer: candle on the same weights"),
];

/// Runs one benchmark, or lists them.
pub(crate) fn start(arguments: &[String]) -> Result<()> {
    let Some(name) = arguments.first() else {
        for (name, what) in BENCHES {
            println!("{name:7} {what}");
        }
        return Ok(());
    };
    if !BENCHES.iter().any(|(known, _)| known == name) {
        bail!("unknown benchmark `{name}`: `cargo xtask bench` lists them");
    }
    match name.as_str() {
        // In one process, without tools from elsewhere.
        "ROY-1" | "ROY-2" | "PRICES" => return run(example("sahara-chain", "royalties").arg(name)),
        "ROY-3" => return conservation(),
        "STATE-1" => return run(&mut example("sahara-chain", "state_sizes")),
        "STAKE-1" => return run(example("sahara-protocols", "staking").arg("1000000")),
        _ => tools::install()?,
    }
    if name == "INF-3" {
        return inference();
    }
    run(&mut cargo(&[
        "build",
        "--release",
        "--package",
        "sahara",
        "--package",
        "sahara-scenarios",
        "--bins",
    ]))?;
    let mut bench = command(target().join("release/sahara-bench"));
    run(bench.args(arguments).env("SAHARA_TOOLS", tools::directory()))
}

fn example(package: &str, name: &str) -> Command {
    let arguments = ["run", "--release", "--quiet", "--package", package, "--example", name, "--"];
    cargo(&arguments)
}

/// A million random events through the royalties, every unit accounted for.
pub(crate) fn conservation() -> Result<()> {
    run(example("sahara-protocols", "conservation").arg("1000000"))
}

/// Both engines on the same file, then on the same weights as `Q8_0`, for which the peer has better kernels.
fn inference() -> Result<()> {
    const OURS: &[&str] = &[
        "run",
        "--release",
        "--quiet",
        "--package",
        "sahara-engine",
        "--example",
        "inference_speed",
    ];
    let manifest = root().join("bench/peers/candle/Cargo.toml");
    let peers = target().join("peers");
    let wider = peers.join("smollm2-135m-instruct-q8_0.gguf");
    // The peer chooses its kernels when it is compiled, ours when it runs.
    let peer = || {
        let mut peer = cargo(&["run", "--release", "--quiet", "--manifest-path"]);
        peer.arg(&manifest)
            .arg("--target-dir")
            .arg(&peers)
            .env("RUSTFLAGS", "-C target-cpu=native");
        peer.arg("--");
        peer
    };
    run(peer().arg("convert").arg(&wider))?;
    let size = ["1", "128", "64"];
    for file in [None, Some(&wider)] {
        run(cargo(OURS).arg("--").args(size).args(file))?;
        run(peer().args(size).args(file))?;
    }
    Ok(())
}
