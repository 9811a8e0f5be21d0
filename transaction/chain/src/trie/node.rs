//! A node in memory, and its encoding.

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{BufMut, Encodable, Header, PayloadView};
use alloy_trie::Nibbles;
use bytes::{Bytes, BytesMut};

use super::TrieError;

/// The longest node that is written into its parent instead of being hashed.
const LONGEST_INLINE: usize = 31;

/// How a parent names its child: by hash, or by the whole encoding when that is shorter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Reference {
    Hash(B256),
    Inline(Inline),
}

/// An encoding shorter than a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Inline {
    length: u8,
    bytes: [u8; LONGEST_INLINE],
}

impl Inline {
    fn new(encoding: &[u8]) -> Option<Self> {
        let mut bytes = [0; LONGEST_INLINE];
        bytes.get_mut(..encoding.len())?.copy_from_slice(encoding);
        Some(Self { length: u8::try_from(encoding.len()).ok()?, bytes })
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.length)).unwrap_or_default()
    }
}

impl Reference {
    /// The reference to a node with this encoding.
    pub(super) fn to_node(encoding: &[u8]) -> Self {
        Inline::new(encoding).map_or_else(|| Self::Hash(keccak256(encoding)), Self::Inline)
    }

    fn length(&self) -> usize {
        match self {
            Self::Hash(_) => 33,
            Self::Inline(inline) => inline.as_slice().len(),
        }
    }

    fn write(&self, out: &mut dyn BufMut) {
        match self {
            Self::Hash(hash) => hash.encode(out),
            Self::Inline(inline) => out.put_slice(inline.as_slice()),
        }
    }

    /// Reads an item of a branch or extension, its header included.
    fn read(item: &[u8]) -> Result<Option<Self>, TrieError> {
        match item.split_first() {
            Some((0x80, [])) => Ok(None),
            Some((0xa0, hash)) if hash.len() == 32 => Ok(Some(Self::Hash(B256::from_slice(hash)))),
            Some((0xc0.., _)) => Inline::new(item)
                .map(|inline| Some(Self::Inline(inline)))
                .ok_or(TrieError::Malformed("a child longer than a hash is written inline")),
            _ => Err(TrieError::Malformed("a child is neither a hash nor a node")),
        }
    }
}

/// A subtrie: absent, not read yet, or in memory.
#[derive(Debug, Default)]
pub(super) enum Link {
    #[default]
    Empty,
    Stored(Reference),
    Leaf(Box<Leaf>),
    Extension(Box<Extension>),
    Branch(Box<Branch>),
}

/// Where a node in memory came from: `Some` while it is as it was read, `None` once changed.
pub(super) type Origin = Option<Reference>;

/// The end of a key.
#[derive(Debug)]
pub(super) struct Leaf {
    pub(super) path: Nibbles,
    pub(super) value: Bytes,
    pub(super) origin: Origin,
}

/// A stretch of the key that all below share. The child is a branch.
#[derive(Debug)]
pub(super) struct Extension {
    pub(super) path: Nibbles,
    pub(super) child: Link,
    pub(super) origin: Origin,
}

/// Up to sixteen subtries, and the value whose key ends here.
#[derive(Debug)]
pub(super) struct Branch {
    pub(super) children: [Link; 16],
    pub(super) value: Option<Bytes>,
    pub(super) origin: Origin,
}

impl Link {
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self, Self::Empty)
    }

    /// The reference, when nothing below has changed since it was read.
    pub(super) fn unchanged(&self) -> Option<Reference> {
        match self {
            Self::Empty => None,
            Self::Stored(reference) => Some(*reference),
            Self::Leaf(leaf) => leaf.origin,
            Self::Extension(extension) => extension.origin,
            Self::Branch(branch) => branch.origin,
        }
    }

    pub(super) fn leaf(path: Nibbles, value: Bytes) -> Self {
        Self::Leaf(Box::new(Leaf { path, value, origin: None }))
    }

    pub(super) fn extension(path: Nibbles, child: Self) -> Self {
        Self::Extension(Box::new(Extension { path, child, origin: None }))
    }

    /// Decodes the node that `origin` refers to.
    pub(super) fn decode(encoding: &Bytes, origin: Reference) -> Result<Self, TrieError> {
        let items = list(encoding)?;
        match items.as_slice() {
            [path, item] => {
                let (path, is_leaf) = read_path(string(path)?)?;
                if is_leaf {
                    let value = encoding.slice_ref(string(item)?);
                    return Ok(Self::Leaf(Box::new(Leaf { path, value, origin: Some(origin) })));
                }
                let child = Reference::read(item)?.ok_or(TrieError::Malformed("no child"))?;
                let child = Self::Stored(child);
                let origin = Some(origin);
                Ok(Self::Extension(Box::new(Extension { path, child, origin })))
            }
            [children @ .., value] if children.len() == 16 => {
                let mut branch = Branch::default();
                for (link, item) in branch.children.iter_mut().zip(children) {
                    *link = Reference::read(item)?.map_or(Self::Empty, Self::Stored);
                }
                let value = string(value)?;
                branch.value = (!value.is_empty()).then(|| encoding.slice_ref(value));
                branch.origin = Some(origin);
                Ok(Self::Branch(Box::new(branch)))
            }
            _ => Err(TrieError::Malformed("a node has 2 or 17 items")),
        }
    }
}

impl Default for Branch {
    fn default() -> Self {
        Self { children: std::array::from_fn(|_| Link::Empty), value: None, origin: None }
    }
}

/// Appends a leaf's encoding.
pub(super) fn encode_leaf(path: &Nibbles, value: &[u8], out: &mut BytesMut) {
    let compact = Compact::new(path, true);
    let payload_length = compact.as_slice().length() + value.length();
    Header { list: true, payload_length }.encode(out);
    compact.as_slice().encode(out);
    value.encode(out);
}

/// Appends an extension's encoding.
pub(super) fn encode_extension(path: &Nibbles, child: &Reference, out: &mut BytesMut) {
    let compact = Compact::new(path, false);
    let payload_length = compact.as_slice().length() + child.length();
    Header { list: true, payload_length }.encode(out);
    compact.as_slice().encode(out);
    child.write(out);
}

/// Appends a branch's encoding.
pub(super) fn encode_branch(
    children: &[Option<Reference>; 16],
    value: Option<&[u8]>,
    out: &mut BytesMut,
) {
    let value = value.unwrap_or_default();
    let references: usize = children.iter().map(|c| c.as_ref().map_or(1, Reference::length)).sum();
    Header { list: true, payload_length: references + value.length() }.encode(out);
    for child in children {
        match child {
            Some(reference) => reference.write(out),
            None => out.put_u8(alloy_rlp::EMPTY_STRING_CODE),
        }
    }
    value.encode(out);
}

/// A path as nodes write it: two nibbles a byte behind a nibble that tells leaf from extension
/// and odd from even.
struct Compact {
    length: usize,
    bytes: [u8; 33],
}

impl Compact {
    fn new(path: &Nibbles, is_leaf: bool) -> Self {
        let is_odd = path.len() % 2 == 1;
        let flag = (u8::from(is_leaf) << 1 | u8::from(is_odd)) << 4;
        let mut nibbles = path.iter();
        let first = if is_odd { nibbles.next().unwrap_or_default() } else { 0 };
        let mut bytes = [0; 33];
        let mut length = 0;
        let rest = std::iter::from_fn(|| Some(nibbles.next()? << 4 | nibbles.next()?));
        for (slot, byte) in bytes.iter_mut().zip(std::iter::once(flag | first).chain(rest)) {
            *slot = byte;
            length += 1;
        }
        Self { length, bytes }
    }

    fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }
}

fn read_path(compact: &[u8]) -> Result<(Nibbles, bool), TrieError> {
    let flag = compact.first().map(|first| first >> 4);
    let (skipped, is_leaf) = match flag {
        Some(0) => (2, false),
        Some(1) => (1, false),
        Some(2) => (2, true),
        Some(3) => (1, true),
        _ => return Err(TrieError::Malformed("an unknown path flag")),
    };
    if compact.len() > 33 {
        return Err(TrieError::Malformed("a path longer than a key"));
    }
    // The flag's byte is read apart, since with it a path can be longer than 64 nibbles.
    let mut path = Nibbles::new();
    if skipped == 1 {
        path.push(compact.first().map_or(0, |first| first & 15));
    }
    let rest = Nibbles::unpack(compact.get(1..).unwrap_or_default());
    if path.len() + rest.len() > 64 {
        return Err(TrieError::Malformed("a path longer than a key"));
    }
    path.extend(&rest);
    Ok((path, is_leaf))
}

/// The items of a list, each with its header.
fn list(encoding: &[u8]) -> Result<Vec<&[u8]>, TrieError> {
    let mut rest = encoding;
    let view = Header::decode_raw(&mut rest)
        .map_err(|_| TrieError::Malformed("a node is not valid RLP"))?;
    match view {
        PayloadView::List(items) if rest.is_empty() => Ok(items),
        _ => Err(TrieError::Malformed("a node is not one list")),
    }
}

fn string(item: &[u8]) -> Result<&[u8], TrieError> {
    let mut rest = item;
    Header::decode_bytes(&mut rest, false)
        .map_err(|_| TrieError::Malformed("an item is not a string"))
}
