//! What can be read in an asset's files: name, licence, size, parameters, and what they say further.
//!
//! Read are GGUF and safetensors headers, model and dataset cards (README.md with front matter),
//! Croissant descriptions and licence texts. The result is the [`Document`], JSON whose BLAKE3 hash
//! stands in the asset's metadata URI, beside the few words that a list shows (the [`Card`]).
//!
//! # Limits
//! Every file is a stranger's. Texts have at most [`MAX_TEXT`] bytes, headers, depths and counts their
//! own bounds; what passes one is refused with its name, not cut silently, since it would be hashed.

mod card;
mod croissant;
mod front_matter;
mod gguf;
mod safetensors;

pub use card::{Card, card_of};
pub use croissant::Croissant;
pub(crate) use front_matter::split as split_card;
pub use gguf::Gguf;
pub use safetensors::Safetensors;

use crate::{
    error::VaultError,
    manifest::{self, Manifest},
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::{
    collections::BTreeMap,
    fs::File,
    io::{BufReader, Read},
    path::{Path, PathBuf},
};

/// The longest card, licence or description that is read, in bytes.
pub const MAX_TEXT: u64 = 256 << 10;
/// Headers that are read of one asset: models are cut into shards.
const MAX_HEADERS: usize = 256;
const FORMAT: &str = "sahara/document/1";
const LICENSES: [&str; 6] =
    ["LICENSE", "LICENSE.txt", "LICENSE.md", "LICENCE", "COPYING", "license.txt"];

/// What an asset's files say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Document {
    /// How to read this.
    pub format: String,
    /// The asset's name.
    pub name: String,
    /// What it is, in a few sentences.
    pub description: String,
    /// The licence's short name, as `apache-2.0`.
    pub license: String,
    /// The licence's text.
    pub license_text: String,
    /// Key words.
    pub tags: Vec<String>,
    /// Languages.
    pub languages: Vec<String>,
    /// What the card says it was made from; the chain's lineage is what counts.
    pub base_models: Vec<String>,
    /// What the card says it was trained on.
    pub datasets: Vec<String>,
    /// Bytes of all files.
    pub size: u64,
    /// Weights, of a model.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub parameters: Option<u64>,
    /// GGUF headers, by file.
    pub gguf: BTreeMap<String, Gguf>,
    /// Safetensors headers, by file.
    pub safetensors: BTreeMap<String, Safetensors>,
    /// A Croissant description.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub croissant: Option<Croissant>,
    /// The card's front matter.
    pub front_matter: Map<String, Value>,
    /// The card's text.
    pub card: String,
}

impl Document {
    /// Reads a document's text.
    ///
    /// # Errors
    /// When it is none.
    pub fn read(text: &str) -> Result<Self, VaultError> {
        let document: Self = serde_json::from_str(text)
            .map_err(|error| VaultError::Invalid(format!("the document is malformed: {error}")))?;
        if document.format == FORMAT {
            return Ok(document);
        }
        Err(VaultError::Invalid(format!("the document's format is not {FORMAT}")))
    }

    /// The text that is hashed.
    ///
    /// # Errors
    /// When it is longer than a vault takes.
    pub fn text(&self) -> Result<String, VaultError> {
        let text =
            serde_json::to_string(self).map_err(|error| VaultError::Invalid(error.to_string()))?;
        if text.len() > crate::vault::MAX_DOCUMENT {
            return Err(VaultError::Invalid(format!(
                "what the files say of themselves has more than {} bytes",
                crate::vault::MAX_DOCUMENT
            )));
        }
        Ok(text)
    }

    /// Reads what the files below `root` say, whose manifest is given.
    ///
    /// # Errors
    /// When one of them is malformed, passes a limit, or contradicts the manifest.
    pub fn of(root: &Path, manifest: &Manifest) -> Result<Self, VaultError> {
        let mut document = Self { format: FORMAT.into(), size: manifest.size(), ..Self::default() };
        let files = manifest::list(root)?;
        for (path, place) in &files {
            document.read_header(path, place)?;
        }
        if document.gguf.len().saturating_add(document.safetensors.len()) > MAX_HEADERS {
            return Err(VaultError::Invalid(format!("more than {MAX_HEADERS} files of weights")));
        }
        let of_gguf = document.gguf.values().map(|header| header.parameters);
        let of_tensors = document.safetensors.values().map(|header| header.parameters);
        // The same weights in two formats are not twice the weights.
        let parameters =
            of_gguf.fold(0, u64::saturating_add).max(of_tensors.fold(0, u64::saturating_add));
        document.parameters = (parameters > 0).then_some(parameters);
        let find = |name: &str| files.iter().find(|(path, _)| path == name).map(|(_, place)| place);
        if let Some(place) = find("README.md") {
            let text = text_of(place)?;
            let (front, body) = split_card(&text)?;
            document.card = body.trim().to_owned();
            document.front_matter = front;
        }
        for (path, place) in &files {
            let is_json = Path::new(path).extension().is_some_and(|end| end == "json");
            let may_describe = path.contains("croissant") || path == "metadata.json";
            if document.croissant.is_none() && is_json && may_describe {
                document.croissant = Croissant::read(text_of(place)?.as_bytes(), manifest)?;
            }
        }
        if let Some(place) = LICENSES.iter().find_map(|name| find(name)) {
            document.license_text = text_of(place)?;
        }
        document.conclude(root);
        Ok(document)
    }

    fn read_header(&mut self, path: &str, place: &PathBuf) -> Result<(), VaultError> {
        let named = |error: VaultError| VaultError::Invalid(format!("`{path}`: {error}"));
        match Path::new(path).extension().and_then(|end| end.to_str()) {
            Some("gguf") => {
                let header = Gguf::read(BufReader::new(File::open(place)?)).map_err(named)?;
                self.gguf.insert(path.to_owned(), header);
            }
            Some("safetensors") => {
                let file = File::open(place)?;
                let size = file.metadata()?.len();
                let header = Safetensors::read(BufReader::new(file), size).map_err(named)?;
                self.safetensors.insert(path.to_owned(), header);
            }
            _ => {}
        }
        Ok(())
    }

    /// Fills in what several sources may say: the card first, then Croissant, then the weights.
    fn conclude(&mut self, root: &Path) {
        let first = |texts: &[Vec<String>]| {
            texts.iter().flatten().find(|text| !text.trim().is_empty()).cloned().unwrap_or_default()
        };
        let said = |name: &str| texts(self.front_matter.get(name));
        let general = |name: &str| -> Vec<String> {
            self.gguf.values().filter_map(|header| header.general.get(name).cloned()).collect()
        };
        let croissant = self.croissant.clone().unwrap_or_default();
        let stem = root.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
        let name = [
            said("pretty_name"),
            vec![croissant.name],
            general("name"),
            vec![heading(&self.card), stem.to_owned()],
        ];
        let description = [
            said("description"),
            vec![croissant.description],
            general("description"),
            vec![paragraph(&self.card)],
        ];
        let license = [said("license"), croissant.licenses, general("license")];
        let (name, description) = (first(&name), first(&description));
        let mut tags = [said("tags"), croissant.keywords].concat();
        let mut languages = said("language");
        for header in self.gguf.values() {
            tags.extend(header.lists.get("tags").cloned().unwrap_or_default());
            languages.extend(header.lists.get("languages").cloned().unwrap_or_default());
        }
        for list in [&mut tags, &mut languages] {
            let mut seen = std::collections::BTreeSet::new();
            list.retain(|tag| seen.insert(tag.clone()));
            list.truncate(64);
        }
        (self.base_models, self.datasets) = (said("base_model"), said("datasets"));
        self.license = first(&license);
        (self.name, self.description, self.tags, self.languages) =
            (name, description, tags, languages);
    }
}

/// A file's text.
fn text_of(place: &Path) -> Result<String, VaultError> {
    let mut text = Vec::new();
    File::open(place)?.take(MAX_TEXT.saturating_add(1)).read_to_end(&mut text)?;
    let shown = place.display();
    if u64::try_from(text.len()).unwrap_or(u64::MAX) > MAX_TEXT {
        return Err(VaultError::Invalid(format!("{shown} has more than {MAX_TEXT} bytes")));
    }
    String::from_utf8(text).map_err(|_| VaultError::Invalid(format!("{shown} is not UTF-8")))
}

/// A text, or a list of texts.
fn texts(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(values)) => {
            values.iter().filter_map(Value::as_str).take(64).map(str::to_owned).collect()
        }
        _ => Vec::new(),
    }
}

/// The first heading of a card.
fn heading(card: &str) -> String {
    let line = card.lines().find_map(|line| line.strip_prefix("# "));
    line.unwrap_or_default().trim().to_owned()
}

/// The first paragraph of a card that is no heading, picture or table.
fn paragraph(card: &str) -> String {
    let is_text = |line: &&str| line.trim_start().starts_with(char::is_alphanumeric);
    let lines = card.lines().skip_while(|line| !is_text(line));
    let lines: Vec<_> = lines.take_while(|line| !line.trim().is_empty()).collect();
    lines.join(" ").chars().take(1_000).collect()
}

#[cfg(test)]
#[expect(clippy::cast_possible_truncation, reason = "the tests' own numbers are small")]
mod tests;
