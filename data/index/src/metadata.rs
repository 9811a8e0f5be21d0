//! What an asset says about itself: inline JSON (`data:` URIs). Others are not fetched.
//!
//! The texts are a stranger's. Characters that no database or page should show are taken out, and
//! lengths are bounded; whatever cannot be read is simply absent.

use crate::words::words;
use alloy_primitives::hex;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use serde_json::Value;

const MAX_NAME: usize = 200;
const MAX_DESCRIPTION: usize = 4_000;
const MAX_TAG: usize = 64;
const MAX_TAGS: usize = 32;

/// What is known of an asset's texts.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Metadata {
    pub(crate) name: Option<String>,
    pub(crate) description: Option<String>,
    pub(crate) tags: Vec<String>,
}

impl Metadata {
    /// Reads a metadata URI.
    pub(crate) fn read(uri: &str) -> Self {
        inline(uri).map(|value| Self::of(&value)).unwrap_or_default()
    }

    fn of(value: &Value) -> Self {
        let text = |field: &str, most| {
            let text = clean(value.get(field)?.as_str()?, most);
            (!text.is_empty()).then_some(text)
        };
        let list = value.get("tags").or_else(|| value.get("keywords")).and_then(Value::as_array);
        let tags = list.into_iter().flatten().filter_map(Value::as_str);
        let tags = tags.map(|tag| clean(tag, MAX_TAG)).filter(|tag| !tag.is_empty());
        Self {
            name: text("name", MAX_NAME),
            description: text("description", MAX_DESCRIPTION),
            tags: tags.take(MAX_TAGS).collect(),
        }
    }

    /// The words of the name, of the tags and of everything else.
    pub(crate) fn words(&self, uri: &str) -> [String; 3] {
        // An inline URI is the texts themselves, encoded.
        let uri = if uri.starts_with("data:") { "" } else { uri };
        let description = self.description.as_deref().unwrap_or_default();
        [
            words(self.name.as_deref().unwrap_or_default()),
            words(&self.tags.join(" ")),
            words(&format!("{description} {uri}")),
        ]
    }
}

/// A stranger's text without control and direction characters, at most so many characters.
pub(crate) fn clean(text: &str, most: usize) -> String {
    let is_harmless = |character: &char| {
        let is_blank = *character == '\n' || !character.is_control();
        is_blank
            && !matches!(character, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
    };
    let text: String = text.chars().filter(is_harmless).take(most).collect();
    text.trim().to_owned()
}

fn inline(uri: &str) -> Option<Value> {
    let (kind, content) = uri.strip_prefix("data:")?.split_once(',')?;
    let mut parts = kind.split(';');
    if parts.next()? != "application/json" {
        return None;
    }
    let bytes = if parts.any(|part| part == "base64") {
        STANDARD.decode(content).ok()?
    } else {
        unescape(content)
    };
    serde_json::from_slice(&bytes).ok()
}

/// Percent escapes; what is none stays as it is.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((first, tail)) = rest.split_first() {
        let escaped = tail.get(..2).filter(|_| *first == b'%');
        match escaped.and_then(|digits| hex::decode(digits).ok()) {
            Some(byte) => {
                bytes.extend(byte);
                rest = tail.get(2..).unwrap_or_default();
            }
            None => {
                bytes.push(*first);
                rest = tail;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use super::Metadata;

    #[test]
    fn inline_json_is_read_plain_escaped_and_in_base64() {
        let expected = Metadata {
            name: Some("Ibu Kota".into()),
            description: Some("100 % of it".into()),
            tags: vec!["id".into()],
        };
        for uri in [
            r#"data:application/json,{"name":"Ibu Kota","description":"100 % of it","tags":["id"]}"#,
            "data:application/json;charset=utf-8,%7B%22name%22:%22Ibu%20Kota%22,%22description%22:%22100%20%25%20of%20it%22,%22keywords%22:[%22id%22]%7D",
            "data:application/json;base64,eyJuYW1lIjoiSWJ1IEtvdGEiLCJkZXNjcmlwdGlvbiI6IjEwMCAlIG9mIGl0IiwidGFncyI6WyJpZCJdfQ==",
        ] {
            assert_eq!(Metadata::read(uri), expected, "{uri}");
        }
    }

    #[test]
    fn what_cannot_be_read_is_absent() {
        for uri in [
            "",
            "data:",
            "data:application/json",
            "data:application/json,[1,2",
            "data:application/json;base64,***",
            "data:text/html,<script>",
            "data:application/json,{\"name\":7,\"tags\":{\"a\":1}}",
            "ipfs://bafy",
        ] {
            assert_eq!(Metadata::read(uri), Metadata::default(), "{uri}");
        }
        let hostile = Metadata::read("data:application/json,{\"name\":\"a\\u0000b\\u202egnp\"}");
        assert_eq!(hostile.name.as_deref(), Some("abgnp"));
    }
}
