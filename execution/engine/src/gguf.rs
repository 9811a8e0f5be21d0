//! The GGUF container: typed metadata and named tensors.
//!
//! The file is untrusted. Every length is checked against the bytes that are really there before anything is
//! allocated for it, so a hostile file costs at most memory proportional to its own size.

use std::collections::BTreeMap;

/// Nesting of arrays in metadata; the format's real files use one level.
const MAX_DEPTH: usize = 4;
/// Where tensor data starts and lies, unless the file says otherwise.
const DEFAULT_ALIGNMENT: u64 = 32;
/// Dimensions a tensor may have in the format.
const MAX_DIMENSIONS: u32 = 4;

/// Why a model file was refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GgufError {
    /// The first bytes are not those of a GGUF file.
    #[error("not a GGUF file: expected it to start with \"GGUF\"")]
    NotGguf,
    /// The version of the container is not one this reader knows.
    #[error("GGUF version {0} is not supported, expected 2 or 3")]
    Version(u32),
    /// The file ends before something it announces.
    #[error(
        "file ends early: {what} needs {needed} bytes at offset {offset}, the file has {length}"
    )]
    Truncated {
        /// What was being read.
        what: &'static str,
        /// Where.
        offset: usize,
        /// Bytes needed there.
        needed: u64,
        /// Length of the file.
        length: usize,
    },
    /// A metadata value has an unknown type.
    #[error("metadata value type {0} is unknown")]
    ValueType(u32),
    /// Arrays are nested too deeply.
    #[error("metadata arrays are nested deeper than {MAX_DEPTH}")]
    Nesting,
    /// Text is not UTF-8.
    #[error("{0} is not valid UTF-8")]
    Text(&'static str),
    /// A key is needed and absent or of another type.
    #[error("metadata key {key} must be present as {expected}")]
    Key {
        /// The key.
        key: String,
        /// What it should be.
        expected: &'static str,
    },
    /// Two entries have one name.
    #[error("{0} appears twice")]
    Duplicate(String),
    /// A tensor is needed and absent.
    #[error("tensor {0} is missing")]
    MissingTensor(String),
    /// A tensor has the wrong shape or type.
    #[error("tensor {name} is {found}, expected {expected}")]
    Tensor {
        /// The tensor.
        name: String,
        /// What it is.
        found: String,
        /// What it should be.
        expected: String,
    },
}

/// A metadata value. Integers of every width are widened.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Value {
    Unsigned(u64),
    Signed(i64),
    Float(f64),
    Bool(bool),
    Text(String),
    Array(Vec<Self>),
}

/// How a tensor's elements are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Encoding {
    F32,
    Q4_1,
    Q8_0,
}

impl Encoding {
    const fn from_code(code: u32) -> Option<Self> {
        match code {
            0 => Some(Self::F32),
            3 => Some(Self::Q4_1),
            8 => Some(Self::Q8_0),
            _ => None,
        }
    }

    /// Elements and bytes of one block.
    pub(crate) const fn block(self) -> (u64, u64) {
        match self {
            Self::F32 => (1, 4),
            Self::Q4_1 => (32, 20),
            Self::Q8_0 => (32, 34),
        }
    }
}

/// One tensor as the file describes it.
#[derive(Debug, Clone)]
struct Entry {
    dimensions: Vec<u64>,
    code: u32,
    offset: u64,
}

/// A tensor's bytes with its shape: `columns` is the contiguous dimension.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Tensor<'a> {
    pub(crate) rows: usize,
    pub(crate) columns: usize,
    pub(crate) encoding: Encoding,
    pub(crate) bytes: &'a [u8],
}

/// A parsed file; tensors are slices of it.
#[derive(Debug)]
pub(crate) struct Gguf<'a> {
    bytes: &'a [u8],
    metadata: BTreeMap<String, Value>,
    tensors: BTreeMap<String, Entry>,
    data: u64,
}

impl<'a> Gguf<'a> {
    /// Reads header, metadata and the table of tensors.
    pub(crate) fn parse(bytes: &'a [u8]) -> Result<Self, GgufError> {
        let mut reader = Reader { bytes, offset: 0 };
        if reader.take(4, "magic").ok() != Some(b"GGUF") {
            return Err(GgufError::NotGguf);
        }
        let version = reader.u32("version")?;
        if !(2..=3).contains(&version) {
            return Err(GgufError::Version(version));
        }
        let (tensor_count, key_count) =
            (reader.u64("tensor count")?, reader.u64("metadata count")?);
        let mut metadata = BTreeMap::new();
        for _ in 0..key_count {
            let key = reader.text("metadata key")?;
            let kind = reader.u32("metadata type")?;
            let value = reader.value(kind, 0)?;
            if metadata.insert(key.clone(), value).is_some() {
                return Err(GgufError::Duplicate(key));
            }
        }
        let mut tensors = BTreeMap::new();
        for _ in 0..tensor_count {
            let (name, entry) = reader.tensor()?;
            if tensors.insert(name.clone(), entry).is_some() {
                return Err(GgufError::Duplicate(name));
            }
        }
        let alignment = match metadata.get("general.alignment") {
            Some(Value::Unsigned(value)) if value.is_power_of_two() && *value <= 1 << 20 => *value,
            Some(_) => {
                return Err(GgufError::Key {
                    key: "general.alignment".into(),
                    expected: "a power of two",
                });
            }
            None => DEFAULT_ALIGNMENT,
        };
        let data = (reader.offset as u64).next_multiple_of(alignment);
        Ok(Self { bytes, metadata, tensors, data })
    }

    pub(crate) fn value(&self, key: &str) -> Option<&Value> {
        self.metadata.get(key)
    }

    /// A whole number between 1 and `limit`.
    pub(crate) fn count(&self, key: &str, limit: usize) -> Result<usize, GgufError> {
        match self.value(key) {
            Some(Value::Unsigned(value)) => usize::try_from(*value).ok(),
            Some(Value::Signed(value)) => usize::try_from(*value).ok(),
            _ => None,
        }
        .filter(|value| (1..=limit).contains(value))
        .ok_or_else(|| GgufError::Key {
            key: key.into(),
            expected: "a positive integer within limits",
        })
    }

    /// A token id, if the key is there.
    pub(crate) fn token_id(&self, key: &str) -> Option<u32> {
        match self.value(key) {
            Some(Value::Unsigned(value)) => u32::try_from(*value).ok(),
            _ => None,
        }
    }

    pub(crate) fn float(&self, key: &str) -> Result<f64, GgufError> {
        match self.value(key) {
            Some(Value::Float(value)) if value.is_finite() => Ok(*value),
            _ => Err(GgufError::Key { key: key.into(), expected: "a finite float" }),
        }
    }

    pub(crate) fn text(&self, key: &str) -> Result<&str, GgufError> {
        match self.value(key) {
            Some(Value::Text(value)) => Ok(value),
            _ => Err(GgufError::Key { key: key.into(), expected: "text" }),
        }
    }

    pub(crate) fn array(&self, key: &str) -> Result<&[Value], GgufError> {
        match self.value(key) {
            Some(Value::Array(values)) => Ok(values),
            _ => Err(GgufError::Key { key: key.into(), expected: "an array" }),
        }
    }

    pub(crate) fn tensor_names(&self) -> impl Iterator<Item = &str> {
        self.tensors.keys().map(String::as_str)
    }

    /// The tensor of that name; one-dimensional tensors are one row.
    pub(crate) fn tensor(&self, name: &str) -> Result<Tensor<'a>, GgufError> {
        let entry = self.tensors.get(name).ok_or_else(|| GgufError::MissingTensor(name.into()))?;
        let refuse = |expected: &str| GgufError::Tensor {
            name: name.into(),
            found: format!("type {} with dimensions {:?}", entry.code, entry.dimensions),
            expected: expected.into(),
        };
        let encoding = Encoding::from_code(entry.code)
            .ok_or_else(|| refuse("type 0 (F32), 3 (Q4_1) or 8 (Q8_0)"))?;
        let (columns, rows) = match entry.dimensions.as_slice() {
            [columns] => (*columns, 1),
            [columns, rows] => (*columns, *rows),
            _ => return Err(refuse("one or two dimensions")),
        };
        let (elements, size) = encoding.block();
        if columns == 0 || rows == 0 || columns % elements != 0 {
            return Err(refuse("whole blocks in every row"));
        }
        let length =
            (columns / elements).checked_mul(rows).and_then(|blocks| blocks.checked_mul(size));
        let range = length.and_then(|length| {
            let start = self.data.checked_add(entry.offset)?;
            let end = usize::try_from(start.checked_add(length)?).ok()?;
            Some(usize::try_from(start).ok()?..end)
        });
        let bytes =
            range.and_then(|range| self.bytes.get(range)).ok_or_else(|| GgufError::Truncated {
                what: "tensor data",
                offset: usize::try_from(self.data.saturating_add(entry.offset))
                    .unwrap_or(usize::MAX),
                needed: length.unwrap_or(u64::MAX),
                length: self.bytes.len(),
            })?;
        // the bytes exist, so both fit
        let narrow = |value| usize::try_from(value).map_err(|_| refuse("smaller dimensions"));
        Ok(Tensor { rows: narrow(rows)?, columns: narrow(columns)?, encoding, bytes })
    }
}

struct Reader<'a> {
    bytes: &'a [u8],
    offset: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, length: u64, what: &'static str) -> Result<&'a [u8], GgufError> {
        let end = usize::try_from(length).ok().and_then(|length| self.offset.checked_add(length));
        let taken =
            end.and_then(|end| self.bytes.get(self.offset..end)).ok_or(GgufError::Truncated {
                what,
                offset: self.offset,
                needed: length,
                length: self.bytes.len(),
            })?;
        self.offset += taken.len();
        Ok(taken)
    }

    fn array<const N: usize>(&mut self, what: &'static str) -> Result<[u8; N], GgufError> {
        let mut array = [0; N];
        for (to, from) in array.iter_mut().zip(self.take(N as u64, what)?) {
            *to = *from;
        }
        Ok(array)
    }

    fn u32(&mut self, what: &'static str) -> Result<u32, GgufError> {
        Ok(u32::from_le_bytes(self.array(what)?))
    }

    fn u64(&mut self, what: &'static str) -> Result<u64, GgufError> {
        Ok(u64::from_le_bytes(self.array(what)?))
    }

    fn text(&mut self, what: &'static str) -> Result<String, GgufError> {
        let length = self.u64(what)?;
        let bytes = self.take(length, what)?;
        Ok(str::from_utf8(bytes).map_err(|_| GgufError::Text(what))?.to_owned())
    }

    fn value(&mut self, kind: u32, depth: usize) -> Result<Value, GgufError> {
        const WHAT: &str = "metadata value";
        Ok(match kind {
            0 => Value::Unsigned(u8::from_le_bytes(self.array(WHAT)?).into()),
            1 => Value::Signed(i8::from_le_bytes(self.array(WHAT)?).into()),
            2 => Value::Unsigned(u16::from_le_bytes(self.array(WHAT)?).into()),
            3 => Value::Signed(i16::from_le_bytes(self.array(WHAT)?).into()),
            4 => Value::Unsigned(self.u32(WHAT)?.into()),
            5 => Value::Signed(i32::from_le_bytes(self.array(WHAT)?).into()),
            6 => Value::Float(f32::from_le_bytes(self.array(WHAT)?).into()),
            7 => Value::Bool(self.array::<1>(WHAT)? != [0]),
            8 => Value::Text(self.text(WHAT)?),
            9 if depth >= MAX_DEPTH => return Err(GgufError::Nesting),
            9 => {
                let kind = self.u32(WHAT)?;
                let count = self.u64(WHAT)?;
                // grows as elements arrive: each takes at least one byte of the file
                let mut values = Vec::new();
                for _ in 0..count {
                    values.push(self.value(kind, depth + 1)?);
                }
                Value::Array(values)
            }
            10 => Value::Unsigned(self.u64(WHAT)?),
            11 => Value::Signed(i64::from_le_bytes(self.array(WHAT)?)),
            12 => Value::Float(f64::from_le_bytes(self.array(WHAT)?)),
            other => return Err(GgufError::ValueType(other)),
        })
    }

    fn tensor(&mut self) -> Result<(String, Entry), GgufError> {
        let name = self.text("tensor name")?;
        let count = self.u32("tensor dimensions")?;
        if count > MAX_DIMENSIONS {
            return Err(GgufError::Tensor {
                name,
                found: format!("a tensor of {count} dimensions"),
                expected: format!("at most {MAX_DIMENSIONS}"),
            });
        }
        let mut dimensions = Vec::new();
        for _ in 0..count {
            dimensions.push(self.u64("tensor dimensions")?);
        }
        let code = self.u32("tensor type")?;
        let offset = self.u64("tensor offset")?;
        Ok((name, Entry { dimensions, code, offset }))
    }
}
