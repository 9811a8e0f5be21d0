//! The engine's own thread: admits jobs while memory lasts and computes one step for all of them at a time.
//!
//! A step is one pass through the network with one row for every conversation that is speaking and up to
//! `prefill_chunk` rows of prompts that are being read. Turns rotate, so a long prompt holds nobody up.

use crate::cache::Cache;
use crate::engine::EngineOptions;
use crate::forward::{Machine, Segment};
use crate::generation::Nudge;
use crate::job::Job;
use crate::model::Model;
use parking_lot::{Condvar, Mutex};
use std::collections::VecDeque;
use std::sync::Arc;

/// What callers leave for the engine's thread.
#[derive(Debug, Default)]
struct Inbox {
    waiting: VecDeque<Job>,
    /// Something changed that may let a job run or end.
    is_nudged: bool,
    is_closing: bool,
}

/// The meeting place of callers and the engine's thread.
#[derive(Debug, Default)]
pub(crate) struct Desk {
    inbox: Mutex<Inbox>,
    changed: Condvar,
}

impl Desk {
    /// Leaves a job; false if `most` are already waiting.
    pub(crate) fn submit(&self, job: Job, most: usize) -> bool {
        let mut inbox = self.inbox.lock();
        if inbox.waiting.len() >= most || inbox.is_closing {
            return false;
        }
        inbox.waiting.push_back(job);
        drop(inbox);
        self.changed.notify_one();
        true
    }

    pub(crate) fn close(&self) {
        self.inbox.lock().is_closing = true;
        self.changed.notify_one();
    }
}

impl Nudge for Desk {
    fn nudge(&self) {
        self.inbox.lock().is_nudged = true;
        self.changed.notify_one();
    }
}

/// An admitted job with its memory.
#[derive(Debug)]
struct Active {
    job: Job,
    cache: Arc<Cache>,
    bytes: usize,
}

#[derive(Debug)]
pub(crate) struct Scheduler {
    pub(crate) model: Arc<Model>,
    pub(crate) machine: Machine,
    pub(crate) options: EngineOptions,
    pub(crate) desk: Arc<Desk>,
    active: VecDeque<Active>,
}

impl Scheduler {
    pub(crate) const fn new(
        model: Arc<Model>,
        machine: Machine,
        options: EngineOptions,
        desk: Arc<Desk>,
    ) -> Self {
        Self { model, machine, options, desk, active: VecDeque::new() }
    }

    /// Works until the desk closes. Jobs that are left then report that the engine stopped.
    pub(crate) fn run(mut self) {
        while self.admit() {
            self.end_cancelled();
            self.step();
        }
        self.desk.inbox.lock().waiting.clear();
    }

    /// Waits for something to do and takes in what memory allows, in order of arrival; false when closing.
    fn admit(&mut self) -> bool {
        let desk = Arc::clone(&self.desk);
        let mut inbox = desk.inbox.lock();
        loop {
            if inbox.is_closing {
                return false;
            }
            inbox.waiting.retain_mut(|job| {
                let is_cancelled = job.is_cancelled();
                if is_cancelled {
                    job.cancel();
                }
                !is_cancelled
            });
            let before = self.active.len();
            while let Some(job) = inbox.waiting.pop_front_if(|job| self.has_memory(job)) {
                let bytes = self.model.cache_bytes(job.positions());
                let cache = Arc::new(self.model.shape.cache().build(job.positions()));
                self.active.push_back(Active { job, cache, bytes });
            }
            let is_nudged = std::mem::take(&mut inbox.is_nudged);
            if self.active.len() > before
                || is_nudged
                || self.active.iter().any(|active| active.job.has_room())
            {
                return true;
            }
            desk.changed.wait(&mut inbox);
        }
    }

    fn has_memory(&self, job: &Job) -> bool {
        let used: usize = self.active.iter().map(|active| active.bytes).sum();
        let needed = self.model.cache_bytes(job.positions());
        self.active.len() < self.options.max_active
            && used.saturating_add(needed) <= self.options.kv_memory_bytes
    }

    fn end_cancelled(&mut self) {
        self.active.retain_mut(|active| {
            let is_cancelled = active.job.is_cancelled();
            if is_cancelled {
                active.job.cancel();
            }
            !is_cancelled
        });
    }

    /// Chooses how many tokens of each job to feed: one of those that speak, a shared chunk of those that read.
    fn lengths(&self) -> Vec<usize> {
        let mut chunk = self.options.prefill_chunk;
        let length = |active: &Active| {
            if !active.job.has_room() {
                return 0;
            }
            match active.job.backlog() {
                1 => 1,
                backlog => {
                    let length = backlog.min(chunk);
                    chunk -= length;
                    length
                }
            }
        };
        self.active.iter().map(length).collect()
    }

    fn step(&mut self) {
        let lengths = self.lengths();
        let chosen = || self.active.iter().zip(&lengths).filter(|(_, length)| **length > 0);
        let segments: Vec<Segment> =
            chosen().map(|(active, length)| active.job.segment(&active.cache, *length)).collect();
        if segments.is_empty() {
            return;
        }
        let logits = self.machine.forward(&self.model, &segments);
        let vocabulary = self.model.vocab_size();
        let mut rest = logits.as_slice();
        let mut wanted = segments
            .iter()
            .map(|segment| (segment.tokens.len() - segment.logits_from) * vocabulary);
        let (model, mut lengths) = (&self.model, lengths.into_iter());
        self.active.retain_mut(|active| {
            let Some(length) = lengths.next().filter(|length| *length > 0) else { return true };
            let (own, others) = rest.split_at(wanted.next().unwrap_or(0));
            rest = others;
            !active.job.advance(length, own, model.tokenizer(), vocabulary)
        });
        // whoever read first now reads last
        if let Some(first) = self.active.pop_front() {
            self.active.push_back(first);
        }
    }
}
