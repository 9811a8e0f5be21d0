//! [`Known`]: what was read from disk and is asked for again and again, by anybody.

use crate::manifest::{Entry, Manifest};
use std::{
    collections::{BTreeMap, VecDeque},
    sync::Arc,
};

/// Bytes of manifests' texts that are kept parsed: 32 of the longest.
const MOST_TEXT: usize = 32 << 20;

/// Parsed manifests, the latest read, and how far each asset is here.
#[derive(Debug, Default)]
pub(crate) struct Known {
    manifests: BTreeMap<u64, Arc<Manifest>>,
    /// In the order in which they were read, with their lengths.
    order: VecDeque<(u64, usize)>,
    text: usize,
    here: BTreeMap<u64, Here>,
}

/// How much of an asset is here.
#[derive(Clone, Debug)]
pub(crate) enum Here {
    Whole,
    /// All files before this one, which is the manifest's n-th.
    Until(usize, Entry),
}

impl Known {
    pub(crate) fn manifest(&self, asset: u64) -> Option<Arc<Manifest>> {
        self.manifests.get(&asset).cloned()
    }

    pub(crate) fn keep(&mut self, asset: u64, manifest: &Arc<Manifest>, length: usize) {
        if self.manifests.insert(asset, Arc::clone(manifest)).is_some() {
            return;
        }
        self.order.push_back((asset, length));
        self.text = self.text.saturating_add(length);
        while self.text > MOST_TEXT {
            let Some((oldest, length)) = self.order.pop_front() else { break };
            self.manifests.remove(&oldest);
            self.text = self.text.saturating_sub(length);
        }
    }

    pub(crate) fn here(&self, asset: u64) -> Option<Here> {
        self.here.get(&asset).cloned()
    }

    pub(crate) fn note(&mut self, asset: u64, here: Here) {
        self.here.insert(asset, here);
    }
}

#[cfg(test)]
mod tests {
    use super::{Known, MOST_TEXT};
    use crate::manifest::Manifest;
    use std::sync::Arc;

    #[test]
    fn so_many_bytes_of_manifests_are_kept_and_no_more() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let manifest = Arc::new(Manifest::of(file.path()).unwrap());
        let mut known = Known::default();
        for asset in 0..10 {
            known.keep(asset, &manifest, MOST_TEXT / 4);
            known.keep(asset, &manifest, MOST_TEXT / 4);
        }
        let kept: Vec<u64> = (0..10).filter(|asset| known.manifest(*asset).is_some()).collect();
        assert_eq!(kept, [6, 7, 8, 9]);
        assert_eq!((known.text, known.order.len()), (MOST_TEXT, 4));
    }
}
