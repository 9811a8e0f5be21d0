//! Programs and libraries of others that tests and benchmarks drive: stock clients and peers.
//!
//! They are installed by package name into `target/tools`, pinned, and only when missing.

use crate::{
    shell::{self, command, run},
    typescript,
};
use eyre::{Result, WrapErr, eyre};
use std::{
    fs,
    path::{Path, PathBuf},
};

/// npm packages, pinned.
const NPM: &[&str] = &[
    "openai@6.49.0",
    "viem@2.57.20",
    "ethers@6.17.0",
    "@x402/core@2.27.0",
    "solc@0.8.30",
    "typescript@5.9.3",
    "@foundry-rs/cast@1.7.1",
    "@foundry-rs/anvil@1.7.1",
    "playwright-core@1.65.1",
    "axe-core@4.14.1",
];
/// Python packages, pinned; the last is the corpus of a scenario (BSD).
const PYPI: &[&str] = &["openai==3.54.0", "huggingface_hub==2.4.0", "chatterbot-corpus==1.3.3"];

/// Where Debian puts the server of `PostgreSQL`, a directory for each version.
const POSTGRES: &str = "/usr/lib/postgresql";
/// Where Debian puts Chromium.
const BROWSER: &str = "/usr/bin/chromium";
/// Debian's package that has `promtool`, and where it is unpacked.
const PROMETHEUS: &str = "prometheus";

/// Where the tools are installed.
pub(crate) fn directory() -> PathBuf {
    shell::target().join("tools")
}

/// Installs whatever is missing, and builds our own TypeScript package beside it.
pub(crate) fn install() -> Result<()> {
    install_postgres()?;
    install_browser()?;
    install_network()?;
    install_promtool()?;
    install_foreign()?;
    typescript::build(&directory().join("node_modules"))
}

/// The server that the index is tested beside. Only a system can install it.
fn install_postgres() -> Result<()> {
    let versions = fs::read_dir(POSTGRES).into_iter().flatten().flatten();
    if versions.map(|version| version.path().join("bin/initdb")).any(|program| program.exists()) {
        return Ok(());
    }
    install_package("postgresql")
}

/// The browser that people's stories are told in.
fn install_browser() -> Result<()> {
    if Path::new(BROWSER).exists() { Ok(()) } else { install_package("chromium") }
}

/// What lays cables between network namespaces.
fn install_network() -> Result<()> {
    let places = ["/usr/sbin/ip", "/sbin/ip", "/usr/bin/ip"];
    if places.into_iter().any(|place| Path::new(place).exists()) {
        return Ok(());
    }
    install_package("iproute2")
}

/// Prometheus's reader of rules. Debian's package of it would start a server besides, so it is only unpacked.
fn install_promtool() -> Result<()> {
    if promtool().exists() {
        return Ok(());
    }
    let place = directory().join(PROMETHEUS);
    fs::create_dir_all(&place).wrap_err("could not create the tools' directory")?;
    apt(&["update", "--quiet"])?;
    let missing = || format!("a program is missing: expected Debian's package `{PROMETHEUS}`");
    let mut download = command("apt-get");
    run(download.current_dir(&place).args(["download", "--quiet", PROMETHEUS]))
        .wrap_err_with(missing)?;
    for entry in fs::read_dir(&place)? {
        let file = entry?.path();
        if file.extension().is_some_and(|extension| extension == "deb") {
            run(command("dpkg-deb").arg("--extract").arg(&file).arg(&place))?;
            fs::remove_file(file)?;
        }
    }
    if promtool().exists() { Ok(()) } else { Err(eyre!(missing())) }
}

/// Where Prometheus's reader of rules is: the system's, or what was unpacked.
pub(crate) fn promtool() -> PathBuf {
    let of_the_system = Path::new("/usr/bin/promtool");
    if of_the_system.exists() {
        return of_the_system.to_path_buf();
    }
    directory().join(PROMETHEUS).join("usr/bin/promtool")
}

/// Installs a package of Debian's.
fn install_package(name: &str) -> Result<()> {
    apt(&["update", "--quiet"])?;
    apt(&["install", "--yes", "--quiet", "--no-install-recommends", name])
        .wrap_err_with(|| format!("a program is missing: expected Debian's package `{name}`"))
}

/// Calls `apt-get` as root.
fn apt(arguments: &[&str]) -> Result<()> {
    let is_root = shell::output(command("id").arg("-u"))?.trim() == "0";
    let mut apt = command(if is_root { "apt-get" } else { "sudo" });
    if !is_root {
        apt.args(["--non-interactive", "apt-get"]);
    }
    run(apt.env("DEBIAN_FRONTEND", "noninteractive").args(arguments))
}

fn install_foreign() -> Result<()> {
    let directory = directory();
    fs::create_dir_all(&directory).wrap_err("could not create the tools' directory")?;
    let stamp = directory.join("installed");
    let wanted = [NPM, PYPI].concat().join("\n");
    if fs::read_to_string(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    if !directory.join("package.json").exists() {
        fs::write(directory.join("package.json"), "{\"private\":true}\n")?;
    }
    run(command("npm")
        .current_dir(&directory)
        .args(["install", "--no-audit", "--no-fund", "--loglevel=error"])
        .args(NPM))?;
    run(command("python3").current_dir(&directory).args(["-m", "venv", "python"]))?;
    run(command(directory.join("python/bin/python"))
        .args(["-m", "pip", "install", "--quiet", "--disable-pip-version-check"])
        .args(PYPI))?;
    fs::write(stamp, wanted).wrap_err("could not note what is installed")
}
