//! What is to be done to a file, in as few steps as have the same end.

use std::collections::BTreeMap;

use commonware_runtime::{Blob, Error, IoBuf, WriteOptions};

/// Steps for one file. Writes that touch or overlap are one, the later byte wins. Archives append a few dozen
/// bytes at a time, and each write to a disk is a switch of threads, beside the votes that a block waits for.
#[derive(Default)]
pub(super) struct Joined {
    /// Before `writes`.
    steps: Vec<Step>,
    /// Writes since the last resize, none of which touches another.
    writes: BTreeMap<u64, Vec<u8>>,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step {
    Write(u64, Vec<u8>),
    Resize(u64),
}

impl Joined {
    pub(super) fn write(&mut self, at: u64, bytes: &[u8]) {
        let end = end_of(at, bytes);
        let before = self.writes.range(..=at).next_back();
        let before = before.filter(|(start, written)| end_of(**start, written) >= at);
        let start = before.map_or(at, |(start, _)| *start);
        let mut joined = self.writes.remove(&start).unwrap_or_default();
        overlay(&mut joined, index(at, start), bytes);
        // What it reaches: their ends stay, if they are beyond.
        while let Some((next, written)) = self.reached(start, end) {
            let rest = index(end, next);
            joined.extend(written.into_iter().skip(rest).skip(joined.len() - index(end, start)));
        }
        self.writes.insert(start, joined);
    }

    pub(super) fn resize(&mut self, length: u64) {
        self.flush();
        self.steps.push(Step::Resize(length));
    }
}
