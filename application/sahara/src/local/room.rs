//! Whether a place can be written to, and how much fits.

use crate::failure::Failure;
use eyre::{Result, WrapErr};
use std::{fs, path::Path, process::Command};

/// Less than this is refused: a new network and its first hour take about 50 MiB.
const LEAST_KIB: u64 = 100 << 10;
/// Less than this is worth a warning.
const SCARCE_KIB: u64 = 1 << 20;

/// Makes a directory and checks that files can be written in it.
///
/// # Errors
/// When not; the error names the directory and `otherwise`, what to do then.
pub(crate) fn writable(directory: &Path, otherwise: &str) -> Result<()> {
    let probe = directory.join(format!(".probe-{}", std::process::id()));
    let tried = fs::create_dir_all(directory)
        .and_then(|()| fs::write(&probe, b"probe"))
        .and_then(|()| fs::remove_file(&probe));
    tried.wrap_err_with(|| format!("cannot write in {}; {otherwise}", directory.display()))
}

/// As [`writable`], as a question.
pub(crate) fn is_writable(directory: &Path) -> bool {
    writable(directory, "").is_ok()
}

/// Refuses a disk that is as good as full, and says when it soon will be.
///
/// # Errors
/// When there is too little room.
pub(crate) fn enough(directory: &Path, say: &dyn Fn(&str)) -> Result<()> {
    // Without `df` the first write will tell.
    let Ok(df) = Command::new("df").arg("-Pk").arg(directory).output() else { return Ok(()) };
    let Some(free) = free_kib(&String::from_utf8_lossy(&df.stdout)) else { return Ok(()) };
    judge(free, directory, say)
}

fn judge(free: u64, directory: &Path, say: &dyn Fn(&str)) -> Result<()> {
    let place = directory.display();
    let mib = free >> 10;
    if free < LEAST_KIB {
        return Err(Failure::refused(format!(
            "the disk is full: {mib} MiB are free at {place}, a network needs {} to start; free some space, or name another place with --data-dir",
            LEAST_KIB >> 10
        )));
    }
    if free < SCARCE_KIB {
        say(&format!(
            "warning: only {mib} MiB are free at {place}; a node that cannot write stops"
        ));
    }
    Ok(())
}

/// The fourth column of the second line of `df -Pk`.
fn free_kib(text: &str) -> Option<u64> {
    text.lines().nth(1)?.split_whitespace().nth(3)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::{free_kib, judge, writable};
    use std::{cell::RefCell, path::Path};

    #[test]
    fn a_full_disk_is_refused_and_a_small_rest_is_said() {
        let said = RefCell::new(Vec::new());
        let say = |text: &str| said.borrow_mut().push(text.to_owned());
        let refused = judge(50 << 10, Path::new("/d"), &say).unwrap_err().to_string();
        assert!(refused.contains("the disk is full: 50 MiB are free at /d"), "{refused}");
        assert!(said.borrow().is_empty());
        judge(500 << 10, Path::new("/d"), &say).unwrap();
        assert!(said.borrow()[0].contains("only 500 MiB"), "{said:?}");
        judge(5 << 20, Path::new("/d"), &say).unwrap();
        assert_eq!(said.borrow().len(), 1);
    }

    #[test]
    fn the_free_space_is_read_as_posix_prints_it() {
        let text =
            "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a b 9 7 2 80% /";
        assert_eq!(free_kib(text), Some(7), "a name with a blank shifts; it is only a hint");
        let text = "Filesystem 1024-blocks Used Available Capacity Mounted on\n/dev/a 9 7 2 80% /";
        assert_eq!(free_kib(text), Some(2));
        assert_eq!(free_kib(""), None);
    }

    #[test]
    fn a_file_is_no_directory_to_write_in() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("file");
        std::fs::write(&file, "").unwrap();
        let refused = format!("{:#}", writable(&file, "name another with --x").unwrap_err());
        assert!(refused.contains("file; name another with --x"), "{refused}");
        writable(&place.path().join("new"), "").unwrap();
    }
}
