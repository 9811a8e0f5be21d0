//! What a safetensors file says of itself: the JSON header before the tensors.

use crate::error::VaultError;
use serde::{Deserialize, Serialize};
use std::{collections::BTreeMap, io::Read};

/// The longest header that is read; the format allows 100 MB, real ones have less than one.
const MAX_HEADER: u64 = 16 << 20;
const MAX_TENSORS: usize = 65_536;
const MAX_DIMENSIONS: usize = 16;

/// A header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Safetensors {
    /// Tensors.
    pub tensors: u64,
    /// Weights: elements of all tensors.
    pub parameters: u64,
    /// Weights by type.
    pub types: BTreeMap<String, u64>,
    /// The file's own remarks.
    pub metadata: BTreeMap<String, String>,
}

#[derive(Deserialize)]
struct Tensor {
    dtype: String,
    shape: Vec<u64>,
    data_offsets: (u64, u64),
}

impl Safetensors {
    /// Reads the header of a file of `size` bytes.
    ///
    /// # Errors
    /// When it is none, passes a limit, or names bytes that are not there.
    pub fn read(mut file: impl Read, size: u64) -> Result<Self, VaultError> {
        let bad = |text: &str| VaultError::Invalid(format!("no safetensors file: {text}"));
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(|_| bad("it ends early"))?;
        let length = u64::from_le_bytes(length);
        let data = size.checked_sub(8).and_then(|rest| rest.checked_sub(length));
        let data = data.ok_or_else(|| bad("its header is longer than the file"))?;
        if length > MAX_HEADER {
            return Err(bad(&format!("its header has more than {MAX_HEADER} bytes")));
        }
        let mut header = Vec::new();
        file.take(length).read_to_end(&mut header)?;
        let mut header: BTreeMap<String, serde_json::Value> = serde_json::from_slice(&header)
            .map_err(|error| bad(&format!("its header is no JSON object: {error}")))?;
        let metadata = header.remove("__metadata__").unwrap_or_default();
        if header.len() > MAX_TENSORS {
            return Err(bad(&format!("more than {MAX_TENSORS} tensors")));
        }
        let mut found = Self {
            tensors: u64::try_from(header.len()).unwrap_or(u64::MAX),
            metadata: texts(&metadata),
            ..Self::default()
        };
        for tensor in header.into_values() {
            let tensor: Tensor = serde_json::from_value(tensor)
                .map_err(|error| bad(&format!("a tensor is malformed: {error}")))?;
            let (from, to) = tensor.data_offsets;
            if tensor.shape.len() > MAX_DIMENSIONS || from > to || to > data {
                return Err(bad("a tensor lies outside of the file"));
            }
            let elements = tensor.shape.iter().try_fold(1_u64, |all, side| all.checked_mul(*side));
            let sum = elements.and_then(|elements| found.parameters.checked_add(elements));
            found.parameters = sum.ok_or_else(|| bad("more weights than there are numbers"))?;
            let kind: String = tensor.dtype.chars().take(16).collect();
            let of_kind = found.types.entry(kind).or_default();
            *of_kind = of_kind.saturating_add(elements.unwrap_or_default());
        }
        Ok(found)
    }
}

fn texts(metadata: &serde_json::Value) -> BTreeMap<String, String> {
    let entries = metadata.as_object().into_iter().flatten().take(64);
    let text = |(key, value): (&String, &serde_json::Value)| {
        let value = value.as_str()?.chars().take(1_000).collect();
        Some((key.chars().take(100).collect(), value))
    };
    entries.filter_map(text).collect()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Safetensors;

    pub(crate) fn file(header: &str, data: usize) -> Vec<u8> {
        let length = (header.len() as u64).to_le_bytes();
        [&length[..], header.as_bytes(), &vec![0; data]].concat()
    }

    pub(crate) const HEADER: &str = r#"{"__metadata__":{"format":"pt"},"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},"b":{"dtype":"BF16","shape":[4],"data_offsets":[24,32]}}"#;

    #[test]
    fn a_header_is_read() {
        let file = file(HEADER, 32);
        let found = Safetensors::read(&file[..], file.len() as u64).unwrap();
        assert_eq!((found.tensors, found.parameters), (2, 10));
        assert_eq!(found.types["F32"], 6);
        assert_eq!(found.metadata["format"], "pt");
    }

    #[test]
    fn hostile_headers_are_refused() {
        let deep = format!("{{\"a\":{}{}}}", "[".repeat(10_000), "]".repeat(10_000));
        let many = r#"{"w":{"dtype":"F32","shape":[18446744073709551615,2],"data_offsets":[0,0]}}"#;
        let outside = HEADER.replace("32]", "33]");
        for header in [deep.as_str(), many, outside.as_str(), "[]", "", "{\"w\":1}"] {
            let file = file(header, 32);
            assert!(Safetensors::read(&file[..], file.len() as u64).is_err(), "{header:.80}");
        }
        let lying = [&u64::MAX.to_le_bytes()[..], b"{}"].concat();
        assert!(Safetensors::read(&lying[..], lying.len() as u64).is_err());
        assert!(Safetensors::read(&b"short"[..], 5).is_err());
    }
}
