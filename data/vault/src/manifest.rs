//! [`Manifest`]: which files an asset consists of.
//!
//! The manifest is JSON in one form only (files by path, fields in order, no blanks), and its BLAKE3
//! hash is the asset's content hash on chain. Everything else follows from it: each file's BLAKE3
//! hash proves its segments (see [`crate::tree`]), its SHA-256 is what other systems name it by.

use crate::{
    error::VaultError,
    tree::{self, SEGMENT, Value},
};
use alloy_primitives::B256;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::Read,
    path::{Path, PathBuf},
};

/// The most files of an asset.
pub const MAX_FILES: usize = 4_096;
/// The longest path of a file, in bytes.
pub const MAX_PATH: usize = 256;
/// The largest file: its tree is 2 MiB, half of the longest body.
pub const MAX_FILE: u64 = 64 << 30;
/// The longest manifest, in bytes: [`MAX_FILES`] with paths of ordinary length.
pub const MAX_MANIFEST: usize = 1 << 20;
/// How deep directories are walked.
const MAX_DEPTH: usize = 16;

/// One file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Entry {
    /// Its path inside the asset, with `/`.
    pub path: String,
    /// Its length in bytes.
    pub size: u64,
    /// Its BLAKE3 hash, 64 hexadecimal digits.
    pub blake3: String,
    /// Its SHA-256 hash, 64 hexadecimal digits.
    pub sha256: String,
}

impl Entry {
    /// The BLAKE3 hash as bytes.
    #[must_use]
    pub fn root(&self) -> Value {
        let mut root = [0; 32];
        match hex::decode_to_slice(&self.blake3, &mut root) {
            Ok(()) => root,
            // Checked when the manifest was read; a hash of zeros belongs to no file.
            Err(_) => [0; 32],
        }
    }
}

/// Every file of an asset, by path.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    format: String,
    /// The files.
    pub files: Vec<Entry>,
}

const FORMAT: &str = "sahara/manifest/1";

impl Manifest {
    /// Reads and checks a manifest's text.
    ///
    /// # Errors
    /// When it is too long, malformed, names a file twice or outside of the asset, or is not in the
    /// one form that its hash stands for.
    pub fn read(text: &str) -> Result<Self, VaultError> {
        if text.len() > MAX_MANIFEST {
            return Err(invalid(format!("a manifest has at most {MAX_MANIFEST} bytes")));
        }
        let manifest: Self = serde_json::from_str(text)
            .map_err(|error| invalid(format!("the manifest is malformed: {error}")))?;
        manifest.check()?;
        if manifest.text()? != text {
            return Err(invalid("the manifest is not in its one form: expected no blanks".into()));
        }
        Ok(manifest)
    }

    /// The text that is hashed.
    ///
    /// # Errors
    /// When it cannot be written, or is too long.
    pub fn text(&self) -> Result<String, VaultError> {
        let text = serde_json::to_string(self).map_err(|error| invalid(error.to_string()))?;
        if text.len() > MAX_MANIFEST {
            return Err(invalid(format!("the manifest has more than {MAX_MANIFEST} bytes")));
        }
        Ok(text)
    }

    /// What stands on chain as the asset's content hash.
    ///
    /// # Errors
    /// As [`Self::text`].
    pub fn hash(&self) -> Result<B256, VaultError> {
        Ok(content_hash(self.text()?.as_bytes()))
    }

    /// Bytes of all files.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.files.iter().fold(0, |sum, file| sum.saturating_add(file.size))
    }

    /// The file with this BLAKE3 hash.
    #[must_use]
    pub fn by_hash(&self, blake3: &str) -> Option<&Entry> {
        self.files.iter().find(|file| file.blake3 == blake3)
    }

    /// The file at this path.
    #[must_use]
    pub fn by_path(&self, path: &str) -> Option<&Entry> {
        self.files.iter().find(|file| file.path == path)
    }

    /// Hashes a file, or every file of a directory but hidden ones.
    ///
    /// # Errors
    /// When something cannot be read, is no file, or passes a limit.
    pub fn of(root: &Path) -> Result<Self, VaultError> {
        let mut files = Vec::new();
        for (path, place) in list(root)? {
            let hashed = Hashed::of(&place)?;
            files.push(Entry {
                path,
                size: hashed.size,
                blake3: hex::encode(hashed.blake3),
                sha256: hex::encode(hashed.sha256),
            });
        }
        files.sort_by(|one, other| one.path.cmp(&other.path));
        let manifest = Self { format: FORMAT.into(), files };
        manifest.check()?;
        Ok(manifest)
    }

    fn check(&self) -> Result<(), VaultError> {
        if self.format != FORMAT {
            return Err(invalid(format!("the manifest's format is not {FORMAT}")));
        }
        if self.files.is_empty() || self.files.len() > MAX_FILES {
            return Err(invalid(format!("an asset has 1 to {MAX_FILES} files")));
        }
        let mut before: Option<&Entry> = None;
        let mut paths = BTreeSet::new();
        for file in &self.files {
            check_path(&file.path)?;
            if before.is_some_and(|before| before.path >= file.path) {
                return Err(invalid(format!("`{}` is named twice or out of order", file.path)));
            }
            // What it could lie inside of is shorter, and so came before.
            let mut outer =
                file.path.match_indices('/').filter_map(|(end, _)| file.path.get(..end));
            if outer.any(|outer| paths.contains(outer)) {
                return Err(invalid(format!("`{}` lies inside of a file", file.path)));
            }
            if file.size > MAX_FILE {
                return Err(invalid(format!("`{}` is larger than {MAX_FILE} bytes", file.path)));
            }
            if !is_digest(&file.blake3) || !is_digest(&file.sha256) {
                let text = format!("a hash of `{}` is not 64 small hexadecimal digits", file.path);
                return Err(invalid(text));
            }
            paths.insert(file.path.as_str());
            before = Some(file);
        }
        Ok(())
    }
}

/// BLAKE3, as it stands on chain.
#[must_use]
pub fn content_hash(bytes: &[u8]) -> B256 {
    B256::new(blake3::hash(bytes).into())
}

/// A file's hashes and the values of its segments, read once from beginning to end.
#[derive(Clone, Debug)]
pub struct Hashed {
    /// Bytes.
    pub size: u64,
    /// The root of the tree.
    pub blake3: Value,
    /// SHA-256.
    pub sha256: [u8; 32],
    /// The values of the segments.
    pub values: Vec<Value>,
}

impl Hashed {
    /// Reads a file.
    ///
    /// # Errors
    /// When it cannot be read, changes meanwhile, or is too large.
    pub fn of(path: &Path) -> Result<Self, VaultError> {
        let mut file = File::open(path).map_err(|error| named(path, &error))?;
        let size = file.metadata()?.len();
        if size > MAX_FILE {
            return Err(invalid(format!("{} is larger than {MAX_FILE} bytes", path.display())));
        }
        let (mut sha256, mut values, mut segment) = (Sha256::new(), Vec::new(), Vec::new());
        for index in 0..tree::segments(size) {
            segment.clear();
            file.by_ref().take(SEGMENT).read_to_end(&mut segment)?;
            values.push(
                tree::value(size, index, &segment).ok_or_else(|| {
                    invalid(format!("{} changed while it was read", path.display()))
                })?,
            );
            sha256.update(&segment);
        }
        let blake3 = tree::root(size, &values)
            .ok_or_else(|| VaultError::Damaged("a tree has no root".into()))?;
        Ok(Self { size, blake3, sha256: sha256.finalize().into(), values })
    }
}

/// A path inside an asset that is harmless on every system.
///
/// # Errors
/// When it is absolute, empty, too long, or could leave the directory it is written to.
pub fn check_path(path: &str) -> Result<(), VaultError> {
    let is_plain = |part: &str| {
        !part.is_empty()
            && part != "."
            && part != ".."
            && part.len() <= 255
            && !part.chars().any(|c| c.is_control() || "\\:*?\"<>|".contains(c))
    };
    if path.len() <= MAX_PATH && path.split('/').all(is_plain) {
        return Ok(());
    }
    let shown: String = path.chars().filter(|c| !c.is_control()).take(80).collect();
    Err(invalid(format!(
        "`{shown}` is no path of an asset: expected at most {MAX_PATH} bytes of plain names between /"
    )))
}

/// The files below a path, with their names inside the asset; of a file itself, its own.
///
/// # Errors
/// When a directory cannot be read, is too deep or too full, or a name is not UTF-8.
pub fn list(root: &Path) -> Result<Vec<(String, PathBuf)>, VaultError> {
    let kind = fs::metadata(root).map_err(|error| named(root, &error))?;
    if !kind.is_dir() {
        let name = root.file_name().and_then(|name| name.to_str());
        let name = name.ok_or_else(|| invalid(format!("{} has no name", root.display())))?;
        return Ok(vec![(name.to_owned(), root.to_owned())]);
    }
    let mut found = Vec::new();
    walk(root, "", 0, &mut found)?;
    if found.is_empty() {
        return Err(invalid(format!("{} holds no files", root.display())));
    }
    Ok(found)
}

fn walk(
    directory: &Path,
    prefix: &str,
    depth: usize,
    found: &mut Vec<(String, PathBuf)>,
) -> Result<(), VaultError> {
    if depth > MAX_DEPTH {
        return Err(invalid(format!("directories are nested deeper than {MAX_DEPTH}")));
    }
    for entry in fs::read_dir(directory).map_err(|error| named(directory, &error))? {
        let entry = entry?;
        let name = entry.file_name();
        let name = name.to_str();
        let name =
            name.ok_or_else(|| invalid(format!("a name in {} is not UTF-8", directory.display())))?;
        // What a version control system or an editor keeps is not part of the asset.
        if name.starts_with('.') {
            continue;
        }
        let path = if prefix.is_empty() { name.to_owned() } else { format!("{prefix}/{name}") };
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), &path, depth.saturating_add(1), found)?;
        } else if kind.is_file() {
            if found.len() >= MAX_FILES {
                return Err(invalid(format!("an asset has at most {MAX_FILES} files")));
            }
            found.push((path, entry.path()));
        } else {
            // A link could bring in what its owner did not mean to publish.
            return Err(invalid(format!("`{path}` is neither a file nor a directory")));
        }
    }
    Ok(())
}

fn is_digest(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

const fn invalid(text: String) -> VaultError {
    VaultError::Invalid(text)
}

fn named(path: &Path, error: &std::io::Error) -> VaultError {
    invalid(format!("could not read {}: {error}", path.display()))
}

#[cfg(test)]
mod tests;
