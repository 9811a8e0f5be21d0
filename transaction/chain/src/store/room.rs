//! How much may still be written.

use std::path::Path;

use super::Store;

impl Store {
    /// Bytes that may still be written to its file system, by whom is not the superuser; none where the
    /// system does not say.
    #[must_use]
    pub fn free_bytes(&self) -> Option<u64> {
        free_bytes(self.inner.tables.meta.path())
    }
}

/// As [`Store::free_bytes`], of the file system that a directory or file is on.
#[must_use]
pub fn free_bytes(path: &Path) -> Option<u64> {
    let system = rustix::fs::statvfs(path).ok()?;
    Some(system.f_bavail.saturating_mul(system.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::free_bytes;
    use std::process::Command;

    #[test]
    fn what_is_free_is_what_df_says() {
        let place = tempfile::tempdir().unwrap();
        let df = Command::new("df").arg("-Pk").arg(place.path()).output().unwrap();
        let text = String::from_utf8(df.stdout).unwrap();
        let columns: Vec<_> = text.lines().nth(1).unwrap().split_whitespace().collect();
        // From the end: a name may have blanks.
        let kib: u64 = columns[columns.len() - 3].parse().unwrap();
        let (said, found) = (kib * 1024, free_bytes(place.path()).unwrap());
        // Others write meanwhile: it is the unit and the column that are held against each other.
        assert!(found.abs_diff(said) <= said / 4 + (1 << 30), "{found} against {said}");
        assert_eq!(free_bytes(&place.path().join("nothing")), None);
    }
}
