//! [`Cursor`]: where a list continues.

use crate::database::Value;
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

/// Longer ones are not read.
const MAX_LENGTH: usize = 1_024;

/// The place of the last row shown, in the order of its list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Cursor(Vec<Value>);

/// Why a cursor leads nowhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum CursorError {
    #[error("not a cursor: expected the `next` of an answer to the same question")]
    Malformed,
    #[error("the cursor belongs to another question: expected the same filters and order")]
    OtherList,
    #[error("the cursor is too old: expected one of the last hour; begin again without it")]
    Expired,
}

#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Part {
    Number(i64),
    Text(String),
}

impl Cursor {
    pub(crate) const fn new(place: Vec<Value>) -> Self {
        Self(place)
    }

    /// As text for clients; `list` is the question whose answers it continues.
    pub(crate) fn write(&self, list: &str) -> String {
        let parts = self.0.iter().filter_map(|value| match value {
            Value::Int(number) => Some(Part::Number(*number)),
            Value::Text(text) => Some(Part::Text(text.clone())),
            Value::NoText | Value::NoBytes | Value::NoInt | Value::Bytes(_) => None,
        });
        let parts: Vec<_> = parts.collect();
        let json = serde_json::to_vec(&(fingerprint(list), parts)).unwrap_or_default();
        URL_SAFE_NO_PAD.encode(json)
    }

    pub(crate) fn read(text: &str, list: &str) -> Result<Self, CursorError> {
        let bytes = (text.len() <= MAX_LENGTH).then(|| URL_SAFE_NO_PAD.decode(text).ok()).flatten();
        let bytes = bytes.ok_or(CursorError::Malformed)?;
        let (found, parts): (u32, Vec<Part>) =
            serde_json::from_slice(&bytes).map_err(|_| CursorError::Malformed)?;
        if found != fingerprint(list) {
            return Err(CursorError::OtherList);
        }
        let values = parts.into_iter().map(|part| match part {
            Part::Number(number) => Value::Int(number),
            Part::Text(text) => Value::Text(text),
        });
        Ok(Self(values.collect()))
    }

    pub(crate) fn number(&self, place: usize) -> Result<i64, CursorError> {
        match self.0.get(place) {
            Some(Value::Int(number)) => Ok(*number),
            _ => Err(CursorError::Malformed),
        }
    }

    /// Never a text that a database refuses.
    pub(crate) fn text(&self, place: usize) -> Result<String, CursorError> {
        match self.0.get(place) {
            Some(Value::Text(text)) if !text.contains('\0') => Ok(text.clone()),
            _ => Err(CursorError::Malformed),
        }
    }

    /// All places, which must be numbers, so many.
    pub(crate) fn numbers(&self, count: usize) -> Result<Vec<Value>, CursorError> {
        if self.0.len() != count {
            return Err(CursorError::Malformed);
        }
        (0..count).map(|place| self.number(place).map(Value::Int)).collect()
    }
}

fn fingerprint(list: &str) -> u32 {
    let digest = Sha256::digest(list);
    digest.iter().take(4).fold(0, |sum, byte| (sum << 8) | u32::from(*byte))
}
