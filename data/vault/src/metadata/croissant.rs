//! Croissant: JSON-LD that describes a dataset, its files with their hashes, and its fields.

use crate::{error::VaultError, manifest::Manifest};
use serde::{Deserialize, Serialize};
use serde_json::Value;

const MAX_FIELDS: usize = 1_024;
const MAX_TEXT: usize = 4_000;

/// A description.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Croissant {
    /// The dataset's name.
    pub name: String,
    /// What it is.
    pub description: String,
    /// Licences, as URLs or names.
    pub licenses: Vec<String>,
    /// Key words.
    pub keywords: Vec<String>,
    /// Its version.
    pub version: String,
    /// Record sets with their fields, as `set/field: type`.
    pub fields: Vec<String>,
    /// How many of the described files are here, with the hashes that are given.
    pub checked_files: u64,
}

impl Croissant {
    /// Reads a description; none if the JSON is something else.
    ///
    /// # Errors
    /// When a hash it gives is not that of the file beside it.
    pub fn read(text: &[u8], manifest: &Manifest) -> Result<Option<Self>, VaultError> {
        // serde_json bounds depth, and the caller length.
        let Ok(value) = serde_json::from_slice::<Value>(text) else { return Ok(None) };
        let is_croissant = value
            .get("conformsTo")
            .or_else(|| value.get("dct:conformsTo"))
            .is_some_and(|to| to.to_string().contains("mlcommons.org/croissant"));
        if !is_croissant {
            return Ok(None);
        }
        let text = |name: &str| one(value.get(name));
        let mut found = Self {
            name: text("name"),
            description: text("description"),
            licenses: many(value.get("license")),
            keywords: many(value.get("keywords")),
            version: text("version"),
            ..Self::default()
        };
        for set in list(value.get("recordSet")) {
            let name = one(set.get("name"));
            for field in list(set.get("field")) {
                let kind = many(field.get("dataType")).join(" ");
                found.fields.push(format!("{name}/{}: {kind}", one(field.get("name"))));
            }
        }
        found.fields.truncate(MAX_FIELDS);
        for file in list(value.get("distribution")) {
            found.check(file, manifest)?;
        }
        Ok(Some(found))
    }

    /// Holds a described file to the one that is here.
    fn check(&mut self, file: &Value, manifest: &Manifest) -> Result<(), VaultError> {
        let (url, given) = (one(file.get("contentUrl")), one(file.get("sha256")));
        let Some(here) = manifest.by_path(&url).filter(|_| !given.is_empty()) else {
            return Ok(());
        };
        if !given.eq_ignore_ascii_case(&here.sha256) {
            return Err(VaultError::Invalid(format!(
                "Croissant gives `{url}` the SHA-256 {given}, the file has {}",
                here.sha256
            )));
        }
        self.checked_files = self.checked_files.saturating_add(1);
        Ok(())
    }
}

/// Lists of one are written without the list.
fn list(value: Option<&Value>) -> Vec<&Value> {
    match value {
        Some(Value::Array(values)) => values.iter().take(MAX_FIELDS).collect(),
        Some(value) => vec![value],
        None => Vec::new(),
    }
}

/// A text, also where it is an object with an `@id` or `name`.
fn text_of(value: &Value) -> Option<&str> {
    let named = || value.get("@id").or_else(|| value.get("url")).or_else(|| value.get("name"));
    value.as_str().or_else(|| named()?.as_str())
}

fn one(value: Option<&Value>) -> String {
    let text = list(value).into_iter().find_map(text_of).unwrap_or_default();
    text.chars().take(MAX_TEXT).collect()
}

fn many(value: Option<&Value>) -> Vec<String> {
    let texts = list(value).into_iter().filter_map(text_of).take(64);
    texts.map(|text| text.chars().take(200).collect()).collect()
}
