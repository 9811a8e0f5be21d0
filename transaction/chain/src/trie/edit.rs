//! Changing a trie: a batch of sorted keys goes down together, reading only what it passes.

use alloy_primitives::B256;
use alloy_trie::Nibbles;
use bytes::Bytes;
use rayon::prelude::*;

use super::{
    NodeSource, TrieError,
    node::{Branch, Extension, Leaf, Link, Origin, Reference},
};

/// From this many keys on a branch's children are changed on all cores.
pub(super) const PARALLEL_KEYS: usize = 512;

/// One key's new value, or its removal.
#[derive(Clone, Debug)]
pub(super) struct Edit {
    pub(super) key: Nibbles,
    pub(super) value: Option<Bytes>,
}

/// Applies edits below one node.
pub(super) struct Editor<'a, S> {
    pub(super) source: &'a S,
    pub(super) owner: Option<B256>,
    /// Rows that no longer hold, being changed, moved or gone: where they stood, and their hash.
    pub(super) outdated: Vec<(Nibbles, B256)>,
}

impl<'a, S: NodeSource> Editor<'a, S> {
    pub(super) const fn new(source: &'a S, owner: Option<B256>) -> Self {
        Self { source, owner, outdated: Vec::new() }
    }

    /// Applies `edits`, sorted and all beginning with the `depth` nibbles above `link`.
    pub(super) fn apply(
        &mut self,
        mut link: Link,
        depth: usize,
        mut edits: &[Edit],
    ) -> Result<Link, TrieError> {
        while let Some((edit, rest)) = edits.split_first() {
            let prefix = edit.key.slice(..depth);
            let suffix = edit.key.slice(depth..);
            link = match self.load(link, &prefix)? {
                Link::Branch(branch) => return self.edit_branch(branch, depth, edits),
                Link::Extension(extension) => {
                    let below = prefix.join(&extension.path);
                    let count = edits.iter().take_while(|e| e.key.starts_with(&below)).count();
                    if count > 0 {
                        let (run, others) = edits.split_at(count);
                        link = self.edit_below(extension, depth, run)?;
                        edits = others;
                        continue;
                    }
                    match &edit.value {
                        None => Link::Extension(extension),
                        Some(value) => self.split_extension(*extension, &prefix, &suffix, value),
                    }
                }
                Link::Leaf(leaf) => self.edit_leaf(leaf, &prefix, &suffix, edit.value.as_ref()),
                Link::Empty | Link::Stored(_) => match &edit.value {
                    None => Link::Empty,
                    Some(value) => Link::leaf(suffix, value.clone()),
                },
            };
            edits = rest;
        }
        Ok(link)
    }

    /// Reads a stored node; `path` is where it stands.
    fn load(&self, link: Link, path: &Nibbles) -> Result<Link, TrieError> {
        let Link::Stored(reference) = link else { return Ok(link) };
        load(self.source, self.owner, path, reference)
    }

    /// Marks a node at `path` as changed.
    fn touch(&mut self, origin: &mut Origin, path: &Nibbles) {
        if let Some(Reference::Hash(hash)) = origin.take() {
            self.outdated.push((*path, hash));
        }
    }

    fn edit_leaf(
        &mut self,
        mut leaf: Box<Leaf>,
        prefix: &Nibbles,
        suffix: &Nibbles,
        value: Option<&Bytes>,
    ) -> Link {
        let is_same = leaf.path == *suffix;
        match value {
            None if is_same => {
                self.touch(&mut leaf.origin, prefix);
                Link::Empty
            }
            None => Link::Leaf(leaf),
            Some(value) if is_same => {
                if leaf.value != *value {
                    self.touch(&mut leaf.origin, prefix);
                    leaf.value = value.clone();
                }
                Link::Leaf(leaf)
            }
            Some(value) => {
                self.touch(&mut leaf.origin, prefix);
                let shared = leaf.path.common_prefix_length(suffix);
                let mut branch = Branch::default();
                branch.place(&leaf.path.slice(shared..), leaf.value);
                branch.place(&suffix.slice(shared..), value.clone());
                behind(suffix.slice(..shared), Link::Branch(Box::new(branch)))
            }
        }
    }

    /// Inserts a key that leaves an extension before its end.
    fn split_extension(
        &mut self,
        mut extension: Extension,
        prefix: &Nibbles,
        suffix: &Nibbles,
        value: &Bytes,
    ) -> Link {
        self.touch(&mut extension.origin, prefix);
        let Extension { path, child, .. } = extension;
        let shared = path.common_prefix_length(suffix);
        let mut branch = Branch::default();
        if let Some(slot) = branch.child(&path, shared) {
            *slot = behind(path.slice(shared + 1..), child);
        }
        branch.place(&suffix.slice(shared..), value.clone());
        behind(path.slice(..shared), Link::Branch(Box::new(branch)))
    }

    /// Applies edits that all pass through an extension.
    fn edit_below(
        &mut self,
        mut extension: Box<Extension>,
        depth: usize,
        edits: &[Edit],
    ) -> Result<Link, TrieError> {
        let Some(first) = edits.first() else { return Ok(Link::Extension(extension)) };
        let (prefix, end) = (first.key.slice(..depth), depth + extension.path.len());
        let child = self.apply(std::mem::take(&mut extension.child), end, edits)?;
        if child.unchanged().is_some() {
            extension.child = child;
            return Ok(Link::Extension(extension));
        }
        self.touch(&mut extension.origin, &prefix);
        Ok(self.merge(&prefix, &extension.path, child))
    }

    /// Puts `path` before a loaded child that stands at `prefix || path`.
    fn merge(&mut self, prefix: &Nibbles, path: &Nibbles, child: Link) -> Link {
        let place = prefix.join(path);
        match child {
            Link::Leaf(mut leaf) => {
                self.touch(&mut leaf.origin, &place);
                leaf.path = path.join(&leaf.path);
                Link::Leaf(leaf)
            }
            Link::Extension(mut extension) => {
                self.touch(&mut extension.origin, &place);
                extension.path = path.join(&extension.path);
                Link::Extension(extension)
            }
            Link::Empty => Link::Empty,
            branch @ (Link::Branch(_) | Link::Stored(_)) => Link::extension(*path, branch),
        }
    }

    fn edit_branch(
        &mut self,
        mut branch: Box<Branch>,
        depth: usize,
        mut edits: &[Edit],
    ) -> Result<Link, TrieError> {
        let Some(first) = edits.first() else { return Ok(Link::Branch(branch)) };
        let prefix = first.key.slice(..depth);
        let mut is_changed = false;
        if first.key.len() == depth {
            is_changed = branch.value != first.value;
            branch.value.clone_from(&first.value);
            edits = edits.get(1..).unwrap_or_default();
        }
        is_changed |= if edits.len() >= PARALLEL_KEYS {
            self.edit_children_in_parallel(&mut branch, depth, edits)?
        } else {
            self.edit_children(&mut branch, depth, edits)?
        };
        if !is_changed {
            return Ok(Link::Branch(branch));
        }
        self.touch(&mut branch.origin, &prefix);
        self.normalise(branch, &prefix)
    }

    fn edit_children(
        &mut self,
        branch: &mut Branch,
        depth: usize,
        edits: &[Edit],
    ) -> Result<bool, TrieError> {
        let mut is_changed = false;
        for group in edits.chunk_by(|a, b| a.key.get(depth) == b.key.get(depth)) {
            let Some(slot) = group.first().and_then(|edit| branch.child(&edit.key, depth)) else {
                continue;
            };
            let was_empty = slot.is_empty();
            *slot = self.apply(std::mem::take(slot), depth + 1, group)?;
            is_changed |= has_changed(was_empty, slot);
        }
        Ok(is_changed)
    }

    fn edit_children_in_parallel(
        &mut self,
        branch: &mut Branch,
        depth: usize,
        edits: &[Edit],
    ) -> Result<bool, TrieError> {
        let mut tasks = Vec::with_capacity(16);
        for group in edits.chunk_by(|a, b| a.key.get(depth) == b.key.get(depth)) {
            if let Some((edit, slot)) =
                group.first().and_then(|edit| Some((edit, branch.child(&edit.key, depth)?)))
            {
                tasks.push((edit.key, std::mem::take(slot), group));
            }
        }
        let (source, owner) = (self.source, self.owner);
        let done = tasks
            .into_par_iter()
            .map(|(key, link, group)| {
                let mut editor = Editor::new(source, owner);
                let was_empty = link.is_empty();
                let link = editor.apply(link, depth + 1, group)?;
                Ok((key, was_empty, link, editor.outdated))
            })
            .collect::<Result<Vec<_>, TrieError>>()?;
        let mut is_changed = false;
        for (key, was_empty, link, outdated) in done {
            is_changed |= has_changed(was_empty, &link);
            self.outdated.extend(outdated);
            if let Some(slot) = branch.child(&key, depth) {
                *slot = link;
            }
        }
        Ok(is_changed)
    }

    /// Restores the form of a changed branch that may have fewer than two entries left.
    fn normalise(&mut self, mut branch: Box<Branch>, prefix: &Nibbles) -> Result<Link, TrieError> {
        let mut live = (0_u8..).zip(&mut branch.children).filter(|(_, child)| !child.is_empty());
        match (live.next(), live.next().is_some(), branch.value.take()) {
            (None, _, None) => Ok(Link::Empty),
            (None, _, Some(value)) => Ok(Link::leaf(Nibbles::new(), value)),
            (Some((nibble, child)), false, None) => {
                let child = std::mem::take(child);
                let path = Nibbles::from_nibbles([nibble]);
                let child = self.load(child, &prefix.join(&path))?;
                Ok(self.merge(prefix, &path, child))
            }
            (Some(_), _, value) => {
                branch.value = value;
                Ok(Link::Branch(branch))
            }
        }
    }
}

impl Branch {
    /// The slot that a key takes at `depth`.
    fn child(&mut self, key: &Nibbles, depth: usize) -> Option<&mut Link> {
        self.children.get_mut(usize::from(key.get(depth)?))
    }

    /// Stores a value under a path that nothing here shares yet.
    fn place(&mut self, path: &Nibbles, value: Bytes) {
        match self.child(path, 0) {
            None => self.value = Some(value),
            Some(slot) => *slot = Link::leaf(path.slice(1..), value),
        }
    }
}

/// Reads the node a reference names.
pub(super) fn load(
    source: &impl NodeSource,
    owner: Option<B256>,
    path: &Nibbles,
    reference: Reference,
) -> Result<Link, TrieError> {
    let encoding = match &reference {
        Reference::Hash(hash) => source.node(owner, path, *hash)?,
        Reference::Inline(inline) => Bytes::copy_from_slice(inline.as_slice()),
    };
    Link::decode(&encoding, reference)
}

fn behind(path: Nibbles, link: Link) -> Link {
    if path.is_empty() { link } else { Link::extension(path, link) }
}

fn has_changed(was_empty: bool, now: &Link) -> bool {
    if now.is_empty() { !was_empty } else { now.unchanged().is_none() }
}
