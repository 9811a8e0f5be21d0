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
    let modules = tools::directory().join("node_modules");
    let place = shell::root().join(CONTRACTS);
    run(command("node").current_dir(place).arg("build.cjs").env("NODE_PATH", modules))
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
