//! [`Card`]: the few words of an asset that stand on chain, in its metadata URI.

use super::Document;
use crate::error::VaultError;
use alloy_primitives::B256;
use serde_json::{Value, json};

/// The registry takes no longer URI.
const MAX_URI: usize = 2_048;
/// How the content hash was made.
pub(super) const CONTENT: &str = "blake3-manifest";

/// A metadata URI, read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Card {
    /// The asset's name.
    pub name: String,
    /// The licence's short name.
    pub license: String,
    /// Whether the content hash is that of a manifest.
    pub has_manifest: bool,
    /// BLAKE3 of the metadata document.
    pub document: Option<B256>,
}

/// Reads a metadata URI as this crate writes them; what is not there is empty.
#[must_use]
pub fn card_of(uri: &str) -> Card {
    let read = || serde_json::from_str::<Value>(uri.strip_prefix("data:application/json,")?).ok();
    let value = read().unwrap_or_default();
    let text = |name: &str| {
        let text = value.get(name).and_then(Value::as_str).unwrap_or_default();
        text.chars().filter(|c| !c.is_control()).take(200).collect::<String>()
    };
    Card {
        name: text("name"),
        license: text("license"),
        has_manifest: text("content") == CONTENT,
        document: text("document").parse().ok(),
    }
}

impl Document {
    /// The metadata URI of an asset with this document; `more` are further fields.
    ///
    /// # Errors
    /// When it would be longer than the registry takes.
    pub fn uri(&self, more: &serde_json::Map<String, Value>) -> Result<String, VaultError> {
        let document = crate::content_hash(self.text()?.as_bytes());
        let cut = |text: &str, most: usize| text.chars().take(most).collect::<String>();
        let mut card = json!({
            "name": cut(&self.name, 200),
            "content": CONTENT,
            "document": document,
            "size": self.size,
        });
        let fields = card.as_object_mut().into_iter();
        for fields in fields {
            if let Some(parameters) = self.parameters {
                fields.insert("parameters".into(), json!(parameters));
            }
            if !self.license.is_empty() {
                fields.insert("license".into(), json!(cut(&self.license, 100)));
            }
            fields.extend(more.clone());
        }
        // What there is room for; all of it stands in the document.
        for (tags, letters) in [(16, 400), (8, 200), (4, 100), (0, 0)] {
            let mut fuller = card.clone();
            let short: Vec<_> = self.tags.iter().take(tags).map(|tag| cut(tag, 40)).collect();
            if let Some(fields) = fuller.as_object_mut() {
                if !short.is_empty() {
                    fields.insert("tags".into(), json!(short));
                }
                let description = cut(&self.description, letters);
                if !description.is_empty() {
                    fields.insert("description".into(), json!(description));
                }
            }
            // A JSON text is a URI's only if nothing in it means something to a URI.
            let text = fuller.to_string().replace('%', "\\u0025").replace('#', "\\u0023");
            if text.len().saturating_add("data:application/json,".len()) <= MAX_URI {
                return Ok(format!("data:application/json,{text}"));
            }
        }
        Err(VaultError::Invalid(format!(
            "the metadata URI would have more than {MAX_URI} bytes: expected a shorter name"
        )))
    }
}
