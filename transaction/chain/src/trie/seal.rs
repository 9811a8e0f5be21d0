//! Hashing what has changed, children first, and keeping each encoding as a row.

use alloy_primitives::B256;
use alloy_trie::Nibbles;
use bytes::BytesMut;
use rayon::prelude::*;

use super::{
    Row, Rows,
    node::{Link, Reference, encode_branch, encode_extension, encode_leaf},
};

/// Rows are cut from pieces of this size, so that a node costs no allocation of its own.
const PIECE_BYTES: usize = 64 * 1024;
/// Below this depth children are hashed on the same core.
const PARALLEL_DEPTH: usize = 2;

/// Collects rows while nodes are hashed.
#[derive(Default)]
pub(super) struct Sealer {
    pub(super) rows: Vec<(Nibbles, Row)>,
    piece: BytesMut,
    is_parallel: bool,
}

impl Sealer {
    pub(super) fn new(is_parallel: bool) -> Self {
        Self { is_parallel, ..Self::default() }
    }

    /// The root's hash; a root is a row however short it is.
    pub(super) fn root(&mut self, link: &mut Link) -> Option<B256> {
        match self.seal(link, &Nibbles::new())? {
            Reference::Hash(hash) => Some(hash),
            Reference::Inline(inline) => {
                self.piece.extend_from_slice(inline.as_slice());
                Some(self.keep(&Nibbles::new()))
            }
        }
    }

    fn seal(&mut self, link: &mut Link, path: &Nibbles) -> Option<Reference> {
        if let Some(reference) = link.unchanged() {
            return Some(reference);
        }
        match link {
            Link::Empty | Link::Stored(_) => return None,
            Link::Leaf(leaf) => {
                self.make_room(leaf.value.len());
                encode_leaf(&leaf.path, &leaf.value, &mut self.piece);
            }
            Link::Extension(extension) => {
                let child = self.seal(&mut extension.child, &path.join(&extension.path))?;
                self.make_room(0);
                encode_extension(&extension.path, &child, &mut self.piece);
            }
            Link::Branch(branch) => {
                let children = self.seal_children(&mut branch.children, path);
                let value = branch.value.as_deref();
                self.make_room(value.map_or(0, <[u8]>::len));
                encode_branch(&children, value, &mut self.piece);
            }
        }
        let reference = Reference::to_node(&self.piece);
        match reference {
            Reference::Hash(hash) => self.keep_as(path, hash),
            Reference::Inline(_) => self.piece.clear(),
        }
        Some(reference)
    }

    fn seal_children(
        &mut self,
        children: &mut [Link; 16],
        path: &Nibbles,
    ) -> [Option<Reference>; 16] {
        let mut references = [None; 16];
        let slots = (0_u8..16).zip(children.iter_mut()).zip(&mut references);
        if self.is_parallel && path.len() < PARALLEL_DEPTH {
            let rows = slots
                .collect::<Vec<_>>()
                .into_par_iter()
                .map(|((nibble, child), reference)| {
                    let mut sealer = Self::new(true);
                    *reference = sealer.seal(child, &below(path, nibble));
                    sealer.rows
                })
                .collect::<Vec<_>>();
            self.rows.extend(rows.into_iter().flatten());
        } else {
            for ((nibble, child), reference) in slots {
                *reference = self.seal(child, &below(path, nibble));
            }
        }
        references
    }

    /// Keeps what stands in the piece as the row at `path`.
    fn keep(&mut self, path: &Nibbles) -> B256 {
        let hash = alloy_primitives::keccak256(&self.piece);
        self.keep_as(path, hash);
        hash
    }

    fn keep_as(&mut self, path: &Nibbles, hash: B256) {
        let encoding = self.piece.split().freeze();
        self.rows.push((*path, Row { hash, encoding }));
    }

    /// Makes sure the longest node without its value fits.
    fn make_room(&mut self, value_bytes: usize) {
        const NODE_BYTES: usize = 17 * 33 + 8;
        let needed = NODE_BYTES + value_bytes;
        if self.piece.capacity() < needed {
            self.piece = BytesMut::with_capacity(PIECE_BYTES.max(needed));
        }
    }
}

impl Sealer {
    /// The rows, with `None` for every outdated path that holds no node any more.
    pub(super) fn into_rows(self, outdated: &[(Nibbles, B256)]) -> Rows {
        let mut rows = Rows::default();
        rows.reserve(self.rows.len() + outdated.len() / 8);
        rows.extend(self.rows.into_iter().map(|(path, row)| (path, Some(row))));
        for (path, _) in outdated {
            rows.entry(*path).or_insert(None);
        }
        rows
    }
}

fn below(path: &Nibbles, nibble: u8) -> Nibbles {
    let mut path = *path;
    path.push(nibble);
    path
}
