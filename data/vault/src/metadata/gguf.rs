//! What a GGUF file says of itself: its header, read to the end of the table of tensors.
//!
//! Nothing is kept but what a page shows: texts up to [`MAX_TEXT`], numbers, and the count of
//! weights. Vocabularies and merges are skipped as they pass. The engine has a reader of its own,
//! which needs the whole file in memory; this one never holds more than one text.

use crate::error::VaultError;
use serde::{Deserialize, Serialize};
use std::{
    collections::BTreeMap,
    io::{self, Read},
};

/// The longest text that is kept.
const MAX_TEXT: u64 = 64 << 10;
/// The most bytes of a header; the largest vocabularies are a tenth of it.
const MAX_HEADER: u64 = 256 << 20;
/// Entries, tensors.
const MAX_ENTRIES: u64 = 65_536;
const MAX_DEPTH: u32 = 4;
const MAX_DIMENSIONS: u32 = 8;
/// Elements of an array of texts that are kept.
const MAX_LIST: usize = 64;

/// A header.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Gguf {
    /// Version of the container.
    pub version: u32,
    /// `llama`, ...
    pub architecture: String,
    /// Tensors in the table.
    pub tensors: u64,
    /// Weights: elements of all tensors.
    pub parameters: u64,
    /// Tensors by how their elements are stored.
    pub encodings: BTreeMap<String, u64>,
    /// Longest context, in tokens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub context_length: Option<u64>,
    /// Layers.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub layers: Option<u64>,
    /// Width.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub width: Option<u64>,
    /// Tokens of the vocabulary.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vocabulary: Option<u64>,
    /// Texts under `general.`, by the rest of their key.
    pub general: BTreeMap<String, String>,
    /// Lists of texts under `general.`.
    pub lists: BTreeMap<String, Vec<String>>,
}

impl Gguf {
    /// Reads a header.
    ///
    /// # Errors
    /// When it is none, or passes a limit.
    pub fn read(file: impl Read) -> Result<Self, VaultError> {
        let mut reader = Reader { file: file.take(MAX_HEADER) };
        reader.gguf().map_err(|error| {
            let what = match error.kind() {
                io::ErrorKind::UnexpectedEof => {
                    format!("it ends early, or its header has more than {MAX_HEADER} bytes")
                }
                _ => error.to_string(),
            };
            VaultError::Invalid(format!("no GGUF file: {what}"))
        })
    }
}

enum Value {
    Number(u64),
    Text(String),
    List(u64, Vec<String>),
    Other,
}

struct Reader<R> {
    file: io::Take<R>,
}

fn bad(text: impl Into<String>) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, text.into())
}

impl<R: Read> Reader<R> {
    fn gguf(&mut self) -> io::Result<Gguf> {
        if self.bytes::<4>()? != *b"GGUF" {
            return Err(bad("expected it to begin with GGUF"));
        }
        let mut found = Gguf { version: self.u32()?, ..Gguf::default() };
        if !(2..=3).contains(&found.version) {
            return Err(bad(format!("version {}, expected 2 or 3", found.version)));
        }
        found.tensors = self.u64()?;
        let keys = self.u64()?;
        if found.tensors > MAX_ENTRIES || keys > MAX_ENTRIES {
            return Err(bad(format!("more than {MAX_ENTRIES} keys or tensors")));
        }
        let mut numbers = BTreeMap::new();
        for _ in 0..keys {
            let key = self.text()?.unwrap_or_default();
            let kind = self.u32()?;
            match (self.value(kind, 0)?, key.strip_prefix("general.")) {
                (Value::Text(text), Some("architecture")) => found.architecture = text,
                (Value::Text(text), Some(name)) => {
                    found.general.insert(name.to_owned(), text);
                }
                (Value::List(_, list), Some(name)) if !list.is_empty() => {
                    found.lists.insert(name.to_owned(), list);
                }
                (Value::List(count, _), None) if key == "tokenizer.ggml.tokens" => {
                    found.vocabulary = Some(count);
                }
                (Value::Number(number), _) => {
                    numbers.insert(key, number);
                }
                _ => {}
            }
        }
        let number = |name: &str| numbers.get(&format!("{}.{name}", found.architecture)).copied();
        found.context_length = number("context_length");
        found.layers = number("block_count");
        found.width = number("embedding_length");
        self.tensors(&mut found)?;
        Ok(found)
    }

    fn tensors(&mut self, found: &mut Gguf) -> io::Result<()> {
        for _ in 0..found.tensors {
            self.text()?;
            let dimensions = self.u32()?;
            if dimensions > MAX_DIMENSIONS {
                return Err(bad(format!("a tensor of {dimensions} dimensions")));
            }
            let mut elements = 1_u64;
            for _ in 0..dimensions {
                let most = || bad("more weights than there are numbers");
                elements = elements.checked_mul(self.u64()?).ok_or_else(most)?;
            }
            let parameters = found.parameters.checked_add(elements);
            found.parameters = parameters.ok_or_else(|| bad("too many weights"))?;
            let encoding = encoding(self.u32()?);
            let count = found.encodings.entry(encoding).or_default();
            *count = count.saturating_add(1);
            self.u64()?; // where it begins
        }
        Ok(())
    }

    fn value(&mut self, kind: u32, depth: u32) -> io::Result<Value> {
        Ok(match kind {
            0 | 1 | 7 => Value::Number(u64::from(self.bytes::<1>()?[0])),
            2 | 3 => Value::Number(u64::from(u16::from_le_bytes(self.bytes()?))),
            4 | 5 => Value::Number(u64::from(self.u32()?)),
            6 => {
                self.bytes::<4>()?;
                Value::Other
            }
            8 => self.text()?.map_or(Value::Other, Value::Text),
            9 => {
                if depth >= MAX_DEPTH {
                    return Err(bad(format!("arrays are nested deeper than {MAX_DEPTH}")));
                }
                let (of, count) = (self.u32()?, self.u64()?);
                let mut list = Vec::new();
                for _ in 0..count {
                    let value = self.value(of, depth.saturating_add(1))?;
                    if let Value::Text(text) = value
                        && list.len() < MAX_LIST
                    {
                        list.push(text);
                    }
                }
                Value::List(count, list)
            }
            10 | 11 => Value::Number(self.u64()?),
            12 => {
                self.bytes::<8>()?;
                Value::Other
            }
            _ => return Err(bad(format!("a value of unknown type {kind}"))),
        })
    }

    /// A text; none if it is too long to be kept, or not UTF-8.
    fn text(&mut self) -> io::Result<Option<String>> {
        let length = self.u64()?;
        let mut bytes = Vec::new();
        let kept = self.file.by_ref().take(length.min(MAX_TEXT)).read_to_end(&mut bytes)?;
        let rest = length.saturating_sub(u64::try_from(kept).unwrap_or(u64::MAX));
        if rest > 0 {
            let skipped = io::copy(&mut self.file.by_ref().take(rest), &mut io::sink())?;
            if skipped < rest {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            return Ok(None);
        }
        Ok(String::from_utf8(bytes).ok())
    }

    fn bytes<const N: usize>(&mut self) -> io::Result<[u8; N]> {
        let mut bytes = [0; N];
        self.file.read_exact(&mut bytes)?;
        Ok(bytes)
    }

    fn u32(&mut self) -> io::Result<u32> {
        Ok(u32::from_le_bytes(self.bytes()?))
    }

    fn u64(&mut self) -> io::Result<u64> {
        Ok(u64::from_le_bytes(self.bytes()?))
    }
}

/// How elements are stored, by the format's number.
fn encoding(code: u32) -> String {
    let known = match code {
        0 => "F32",
        1 => "F16",
        2 => "Q4_0",
        3 => "Q4_1",
        6 => "Q5_0",
        7 => "Q5_1",
        8 => "Q8_0",
        10 => "Q2_K",
        11 => "Q3_K",
        12 => "Q4_K",
        13 => "Q5_K",
        14 => "Q6_K",
        15 => "Q8_K",
        30 => "BF16",
        other => return format!("type {other}"),
    };
    known.to_owned()
}

#[cfg(test)]
pub(crate) mod tests {
    use super::Gguf;
    use proptest::prelude::{any, proptest};

    fn text(text: &str) -> Vec<u8> {
        [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat()
    }

    fn entry(key: &str, kind: u32, value: &[u8]) -> Vec<u8> {
        [&text(key)[..], &kind.to_le_bytes(), value].concat()
    }

    /// A small file of one tensor.
    pub(crate) fn sample() -> Vec<u8> {
        let tokens =
            [&8_u32.to_le_bytes()[..], &2_u64.to_le_bytes(), &text("a"), &text("b")].concat();
        let tags = [&8_u32.to_le_bytes()[..], &1_u64.to_le_bytes(), &text("chat")].concat();
        let entries = [
            entry("general.architecture", 8, &text("llama")),
            entry("general.name", 8, &text("Little One")),
            entry("general.license", 8, &text("apache-2.0")),
            entry("general.tags", 9, &tags),
            entry("llama.context_length", 4, &8192_u32.to_le_bytes()),
            entry("tokenizer.ggml.tokens", 9, &tokens),
        ];
        let tensor = [
            &text("w")[..],
            &2_u32.to_le_bytes(),
            &32_u64.to_le_bytes(),
            &10_u64.to_le_bytes(),
            &3_u32.to_le_bytes(),
            &0_u64.to_le_bytes(),
        ]
        .concat();
        [
            &b"GGUF"[..],
            &3_u32.to_le_bytes(),
            &1_u64.to_le_bytes(),
            &(entries.len() as u64).to_le_bytes(),
            &entries.concat(),
            &tensor,
        ]
        .concat()
    }

    #[test]
    fn a_header_is_read() {
        let found = Gguf::read(&sample()[..]).unwrap();
        assert_eq!(found.architecture, "llama");
        assert_eq!(found.general["name"], "Little One");
        assert_eq!(found.lists["tags"], ["chat"]);
        assert_eq!((found.parameters, found.vocabulary), (320, Some(2)));
        assert_eq!(found.context_length, Some(8192));
        assert_eq!(found.encodings["Q4_1"], 1);
    }

    #[test]
    fn hostile_headers_are_refused_without_memory() {
        let head = |tensors: u64, keys: u64| {
            [&b"GGUF"[..], &3_u32.to_le_bytes(), &tensors.to_le_bytes(), &keys.to_le_bytes()]
                .concat()
        };
        // A text and an array of 2^63 elements, and arrays in arrays.
        let long = [head(0, 1), (1_u64 << 63).to_le_bytes().to_vec()].concat();
        let mut nested = [head(0, 1), text("k"), 9_u32.to_le_bytes().to_vec()].concat();
        for _ in 0..100 {
            nested.extend(9_u32.to_le_bytes());
            nested.extend(1_u64.to_le_bytes());
        }
        let wide = {
            let mut tensor = [head(1, 0), text("w"), 3_u32.to_le_bytes().to_vec()].concat();
            tensor.extend([u64::MAX; 3].map(u64::to_le_bytes).concat());
            tensor
        };
        for bad in [head(u64::MAX, 0), head(0, u64::MAX), long, nested, wide, b"GGUF".to_vec()] {
            assert!(Gguf::read(&bad[..]).is_err());
        }
    }

    proptest! {
        #[test]
        fn whatever_is_changed_or_cut_is_read_or_refused(
            place in any::<usize>(), byte in any::<u8>(), cut in any::<usize>(),
        ) {
            let mut file = sample();
            let place = place % file.len();
            file[place] = byte;
            drop(Gguf::read(&file[..]));
            assert!(Gguf::read(&sample()[..cut % sample().len()]).is_err());
        }
    }
}
