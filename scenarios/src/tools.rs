//! The program under test and the stock clients beside it.

use eyre::{Context, Result, bail, eyre};
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

/// The directory cargo builds this profile into.
fn profile() -> Result<PathBuf> {
    let test = std::env::current_exe()?;
    let directory = test.ancestors().find(|path| path.join("deps").is_dir());
    directory
        .map(Path::to_path_buf)
        .ok_or_else(|| eyre!("{} lies in no cargo profile", test.display()))
}

/// The `sahara` program of the same build.
///
/// # Errors
/// When it was not built.
pub fn program() -> Result<PathBuf> {
    let program = profile()?.join("sahara");
    if !program.is_file() {
        bail!(
            "{} is not built: run `cargo build --package sahara`, or `cargo xtask test`",
            program.display()
        );
    }
    Ok(program)
}

/// Where `cargo xtask tools` installed npm and Python packages.
fn tools() -> Result<PathBuf> {
    let tools = std::env::var_os("SAHARA_TOOLS").map(PathBuf::from);
    let tools = match tools {
        Some(tools) => tools,
        None => {
            profile()?.parent().ok_or_else(|| eyre!("the profile has no parent"))?.join("tools")
        }
    };
    if !tools.join("installed").is_file() {
        bail!(
            "{} is not installed: run `cargo xtask tools`, or `cargo xtask test`",
            tools.display()
        );
    }
    Ok(tools)
}

/// A program from an npm package of the tools, as `cast`.
///
/// # Errors
/// When it is not installed.
pub fn tool(name: &str) -> Result<PathBuf> {
    let native = tools()?.join(format!("node_modules/@foundry-rs/{name}-linux-amd64/bin/{name}"));
    if native.is_file() { Ok(native) } else { Ok(tools()?.join("node_modules/.bin").join(name)) }
}

/// Runs a client script under Node and returns the JSON line it prints.
///
/// # Errors
/// When it fails; the error holds what it printed.
pub fn node(script: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Value> {
    // Modules are looked up from the script's own place: packages above it, other scripts beside it.
    let place = tempfile::tempdir_in(tools()?)?;
    for entry in fs::read_dir(clients())? {
        let file = entry?.path();
        if let Some(name) = file.file_name().filter(|_| file.is_file()) {
            fs::copy(&file, place.path().join(name))?;
        }
    }
    let mut command = Command::new("node");
    run(command
        .arg(place.path().join(script))
        .args(arguments)
        .env("WEB_SOURCES", Path::new(env!("CARGO_MANIFEST_DIR")).join("../application/web/src"))
        .envs(environment.iter().copied()))
}

/// Runs a client script under Python and returns the JSON line it prints.
///
/// # Errors
/// When it fails; the error holds what it printed.
pub fn python(script: &str, arguments: &[&str], environment: &[(&str, &str)]) -> Result<Value> {
    let python = tools()?.join("python/bin/python");
    run(Command::new(python)
        .arg(clients().join(script))
        .args(arguments)
        .envs(environment.iter().copied()))
}

/// The unmodified `hf` of Hugging Face's Python package.
///
/// # Errors
/// When the tools are not installed.
pub fn hf() -> Result<PathBuf> {
    Ok(tools()?.join("python/bin/hf"))
}

/// Where an installed Python package keeps its files.
///
/// # Errors
/// When it is not installed.
pub fn package(name: &str) -> Result<PathBuf> {
    let versions = fs::read_dir(tools()?.join("python/lib"))?.flatten();
    let mut places = versions.map(|version| version.path().join("site-packages").join(name));
    places.find(|place| place.is_dir()).ok_or_else(|| eyre!("the package {name} is not installed"))
}

fn clients() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("clients")
}

/// Runs a command and reads the JSON it prints.
pub(crate) fn run(command: &mut Command) -> Result<Value> {
    let output = command.output().wrap_err_with(|| format!("could not start {command:?}"))?;
    let (out, err) =
        (String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    if !output.status.success() {
        bail!("{command:?} failed with {}\n{out}\n{err}", output.status);
    }
    serde_json::from_str(&out)
        .wrap_err_with(|| format!("{command:?} printed no JSON:\n{out}\n{err}"))
}
