//! Running other programs from the workspace's root.

use eyre::{Result, WrapErr, bail};
use std::{
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    time::Instant,
};

/// The workspace's root.
pub(crate) fn root() -> PathBuf {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    here.parent().unwrap_or(here).to_path_buf()
}

/// Where cargo builds to.
pub(crate) fn target() -> PathBuf {
    std::env::var_os("CARGO_TARGET_DIR").map_or_else(|| root().join("target"), PathBuf::from)
}

/// A command that runs in the root.
pub(crate) fn command(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command.current_dir(root());
    command
}

/// A cargo command with the toolchain that runs us.
pub(crate) fn cargo(arguments: &[&str]) -> Command {
    let mut cargo = command(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    cargo.args(arguments);
    cargo
}

/// Runs a command, its output shown, and fails when it fails.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let shown = show(command);
    eprintln!("\n$ {shown}");
    let start = Instant::now();
    let status = command
        .stdin(Stdio::null())
        .status()
        .wrap_err_with(|| format!("could not start `{shown}`"))?;
    eprintln!("  ({:.1} s)", start.elapsed().as_secs_f64());
    if !status.success() {
        bail!("`{shown}` failed with {status}");
    }
    Ok(())
}

/// Runs a command beside others: what it prints is shown when it has ended. Says whether it succeeded.
pub(crate) fn run_apart(command: &mut Command) -> Result<bool> {
    let shown = show(command);
    let start = Instant::now();
    let output = command
        .stdin(Stdio::null())
        .output()
        .wrap_err_with(|| format!("could not start `{shown}`"))?;
    let mut all = format!("\n$ {shown}\n").into_bytes();
    all.extend(output.stderr);
    all.extend(output.stdout);
    all.extend(format!("  ({:.1} s)\n", start.elapsed().as_secs_f64()).into_bytes());
    std::io::stderr().lock().write_all(&all)?;
    Ok(output.status.success())
}

/// Runs a command and returns what it printed.
pub(crate) fn output(command: &mut Command) -> Result<String> {
    let shown = show(command);
    let output = command
        .stderr(Stdio::inherit())
        .output()
        .wrap_err_with(|| format!("could not start `{shown}`"))?;
    if !output.status.success() {
        bail!("`{shown}` failed with {}", output.status);
    }
    String::from_utf8(output.stdout).wrap_err_with(|| format!("`{shown}` printed no UTF-8"))
}

fn show(command: &Command) -> String {
    let program =
        Path::new(command.get_program()).file_name().unwrap_or_default().to_string_lossy();
    let arguments = command.get_args().map(|argument| argument.to_string_lossy());
    std::iter::once(program).chain(arguments).collect::<Vec<_>>().join(" ")
}

/// Builds the program in release and hands over to `sahara up`.
pub(crate) fn up(arguments: &[String]) -> Result<()> {
    run(&mut cargo(&["build", "--release", "--package", "sahara"]))?;
    let mut up = command(target().join("release/sahara"));
    up.arg("up").args(arguments);
    let status = up.status().wrap_err("could not start `sahara up`")?;
    if !status.success() {
        bail!("`sahara up` ended with {status}");
    }
    Ok(())
}
