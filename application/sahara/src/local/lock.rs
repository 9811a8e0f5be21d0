//! Who keeps a local network running: one process, which holds a lock as long as it lives.

use super::directory;
use crate::{config::Places, failure::Failure};
use eyre::{Result, WrapErr};
use std::{
    fs::{self, File, TryLockError},
    io::Write,
    path::{Path, PathBuf},
};

/// The lock of a running network; the system lets go of it when the process ends, however it ends.
#[derive(Debug)]
pub(crate) struct Lock {
    _file: File,
    path: PathBuf,
}

fn path(places: &Places) -> PathBuf {
    directory(places).join("supervisor.pid")
}

fn open(path: &Path) -> std::io::Result<File> {
    File::options().read(true).write(true).create(true).truncate(false).open(path)
}

impl Lock {
    /// Takes it and writes this process's id into it.
    ///
    /// # Errors
    /// When another process has it; the error says how to stop that one.
    pub(crate) fn take(places: &Places) -> Result<Self> {
        let path = path(places);
        let unwritable = || format!("could not write {}", path.display());
        let mut file = open(&path).wrap_err_with(unwritable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                return Err(Failure::refused(format!(
                    "the network in {} is running already{}: `sahara status` shows it, `sahara down` stops it",
                    directory(places).display(),
                    holder(places).map_or_else(String::new, |id| format!(" (process {id})"))
                )));
            }
            Err(TryLockError::Error(error)) => return Err(error).wrap_err_with(unwritable),
        }
        file.set_len(0).wrap_err_with(unwritable)?;
        write!(file, "{}", std::process::id()).wrap_err_with(unwritable)?;
        Ok(Self { _file: file, path })
    }

    /// Leaves nothing behind.
    pub(crate) fn release(self) -> Result<()> {
        fs::remove_file(&self.path)
            .wrap_err_with(|| format!("could not remove {}", self.path.display()))
    }
}

/// Whether a process keeps this network running.
pub(crate) fn is_running(places: &Places) -> bool {
    let Ok(file) = File::open(path(places)) else { return false };
    matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock))
}

/// The id of the process that keeps it running.
pub(crate) fn holder(places: &Places) -> Option<u32> {
    fs::read_to_string(path(places)).ok()?.trim().parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{Lock, holder, is_running};
    use crate::{config::Places, local::directory};

    #[test]
    fn a_network_is_kept_by_one_process_and_a_stale_file_is_none() {
        let place = tempfile::tempdir().unwrap();
        let places = Places { cache: place.path().into(), data: place.path().into() };
        std::fs::create_dir_all(directory(&places)).unwrap();
        assert!(!is_running(&places));
        // The id of a process that is long gone, or of another's.
        std::fs::write(directory(&places).join("supervisor.pid"), "1").unwrap();
        assert!(!is_running(&places));
        let lock = Lock::take(&places).unwrap();
        assert!(is_running(&places));
        assert_eq!(holder(&places), Some(std::process::id()));
        let refused = Lock::take(&places).unwrap_err().to_string();
        assert!(refused.contains("sahara down"), "{refused}");
        lock.release().unwrap();
        assert!(!is_running(&places));
    }
}
