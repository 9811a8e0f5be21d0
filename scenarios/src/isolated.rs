//! Tests that are root in namespaces of their own: they mount small disks and lay network links, and
//! nothing of it is left when they end.

use eyre::{Context, Result, ensure};
use std::process::{Command, Stdio};

/// Set inside.
const INSIDE: &str = "SAHARA_ISOLATED";

/// Runs the test or program that calls it once more in new user, network, mount and process namespaces,
/// where `work` runs as root. `arguments` select it: for a test its name and `--exact`.
///
/// # Errors
/// Those of `work`; when the system lets nobody make user namespaces.
pub fn isolated(arguments: &[&str], work: impl Future<Output = Result<()>>) -> Result<()> {
    if std::env::var_os(INSIDE).is_none() {
        return outside(arguments);
    }
    run("ip", &["link", "set", "lo", "up"])?;
    tokio::runtime::Builder::new_multi_thread().enable_all().build()?.block_on(work)
}

fn outside(arguments: &[&str]) -> Result<()> {
    let status = Command::new("unshare")
        .args(["--user", "--map-root-user", "--net", "--mount", "--pid", "--fork"])
        .args(["--mount-proc", "--kill-child", "--"])
        .arg(std::env::current_exe()?)
        .args(arguments)
        .env(INSIDE, "1")
        .stdin(Stdio::null())
        .status()
        .wrap_err("could not start `unshare` of util-linux")?;
    ensure!(status.success(), "in namespaces of its own it ended with {status}");
    Ok(())
}

/// Runs a system program that must succeed.
///
/// # Errors
/// When it fails; the error holds what it said.
pub(crate) fn run(program: &str, arguments: &[&str]) -> Result<()> {
    let output = Command::new(program).args(arguments).output();
    let output = output.wrap_err_with(|| format!("could not start `{program}`"))?;
    let said = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "`{program} {}`: {said}", arguments.join(" "));
    Ok(())
}
