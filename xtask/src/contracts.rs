//! Solidity that is committed with its bytecode: rebuilt and compared.

use crate::{
    shell::{self, command, run},
    tools,
};
use eyre::{Result, bail};

/// Where Solidity is committed with its bytecode.
const CONTRACTS: &str = "transaction/evm/contracts";

/// Rebuilds every artefact.
pub(crate) fn build() -> Result<()> {
    tools::install()?;
    run(command("node")
        .arg("contracts/build.js")
        .env("NODE_PATH", tools::directory().join("node_modules")))
}

/// Rebuilds and fails when a committed artefact differs.
pub(crate) fn check() -> Result<()> {
    build()?;
    let changed = shell::output(command("git").args(["status", "--porcelain", "--", CONTRACTS]))?;
    if !changed.is_empty() {
        bail!(
            "committed contract artefacts differ from a rebuild (`cargo xtask contracts`):\n{changed}"
        );
    }
    Ok(())
}
