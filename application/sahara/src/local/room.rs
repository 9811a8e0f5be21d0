//! Whether a place can be written to, and how much fits.

use crate::failure::Failure;
use eyre::{Result, WrapErr};
use sahara_chain::store::free_bytes;
use std::{fs, path::Path};

/// Less than this is refused: a new network and its first hour take about 50 MiB.
const LEAST_BYTES: u64 = 100 << 20;
/// Less than this is worth a warning.
const SCARCE_BYTES: u64 = 1 << 30;

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
    // Where the system does not say, the first write will tell.
    let Some(free) = free_bytes(directory) else { return Ok(()) };
    judge(free, directory, say)
}

/// How much is free where a directory is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Room {
    /// Bytes that may still be written.
    pub(crate) bytes: u64,
}

impl Room {
    /// None where the system does not say, or where there is no such directory.
    pub(crate) fn at(directory: &Path) -> Option<Self> {
        free_bytes(directory).map(|bytes| Self { bytes })
    }

    /// Whether it will soon be full.
    pub(crate) const fn is_scarce(self) -> bool {
        self.bytes < SCARCE_BYTES
    }
}

impl std::fmt::Display for Room {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self.bytes >> 30 {
            0 => write!(formatter, "{} MiB", self.bytes >> 20),
            gib => write!(formatter, "{gib} GiB"),
        }
    }
}

fn judge(free: u64, directory: &Path, say: &dyn Fn(&str)) -> Result<()> {
    let place = directory.display();
    let mib = free >> 20;
    if free < LEAST_BYTES {
        return Err(Failure::refused(format!(
            "the disk is full: {mib} MiB are free at {place}, a network needs {} to start; free some space, or name another place with --data-dir",
            LEAST_BYTES >> 20
        )));
    }
    if free < SCARCE_BYTES {
        say(&format!(
            "warning: only {mib} MiB are free at {place}; a node that cannot write stops"
        ));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Room, judge, writable};
    use std::{cell::RefCell, path::Path};

    #[test]
    fn a_full_disk_is_refused_and_a_small_rest_is_said() {
        let said = RefCell::new(Vec::new());
        let say = |text: &str| said.borrow_mut().push(text.to_owned());
        let refused = judge(50 << 20, Path::new("/d"), &say).unwrap_err().to_string();
        assert!(refused.contains("the disk is full: 50 MiB are free at /d"), "{refused}");
        assert!(said.borrow().is_empty());
        judge(500 << 20, Path::new("/d"), &say).unwrap();
        assert!(said.borrow()[0].contains("only 500 MiB"), "{said:?}");
        judge(5 << 30, Path::new("/d"), &say).unwrap();
        assert_eq!(said.borrow().len(), 1);
    }

    #[test]
    fn room_is_said_in_words_and_scarce_below_a_gibibyte() {
        let said = |bytes| {
            let room = Room { bytes };
            (room.to_string(), room.is_scarce())
        };
        assert_eq!(said(500 << 20), (String::from("500 MiB"), true));
        assert_eq!(said((1 << 30) - 1), (String::from("1023 MiB"), true));
        assert_eq!(said(1 << 30), (String::from("1 GiB"), false));
        assert_eq!(said(70 << 30), (String::from("70 GiB"), false));
        let place = tempfile::tempdir().unwrap();
        assert!(Room::at(place.path()).is_some());
        assert_eq!(Room::at(&place.path().join("nothing")), None);
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
