//! The TypeScript package: its generated part, and its build for the clients that tests drive.

use crate::shell::{self, cargo, command, run};
use eyre::{Result, WrapErr};
use std::{fs, path::Path};

/// Where the package's sources are.
const PACKAGE: &str = "transaction/client/typescript";

/// Writes the part that is made from the interfaces.
pub(crate) fn generate() -> Result<()> {
    let arguments = ["test", "--package", "sahara-client", "--test", "typescript", "--quiet"];
    run(cargo(&arguments).env("SAHARA_GENERATE", "1"))
}

/// Compiles the package into `modules`, where a script imports it by its name.
pub(crate) fn build(modules: &Path) -> Result<()> {
    let package = modules.join("sahara-client");
    fs::create_dir_all(package.join("src"))?;
    let sources = shell::root().join(PACKAGE);
    for name in ["package.json", "tsconfig.json"] {
        copy(&sources.join(name), &package.join(name))?;
    }
    for source in fs::read_dir(sources.join("src"))? {
        let source = source?;
        copy(&source.path(), &package.join("src").join(source.file_name()))?;
    }
    let compiler = modules.join("typescript/bin/tsc");
    run(command("node").arg(compiler).arg("-p").arg(package))
}

fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::copy(from, to).wrap_err_with(|| format!("could not copy {}", from.display()))?;
    Ok(())
}
