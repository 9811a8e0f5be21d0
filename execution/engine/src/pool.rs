//! Threads that stay: the calling thread and its helpers take pieces of a task until none is left.
//!
//! Nobody spins. The caller offers the task to every helper, works itself, and afterwards waits only for pieces that a
//! helper has really begun: a helper that wakes late finds nothing left, and the caller never waits for it. Which
//! thread computes a piece cannot change it, so the result does not depend on the number of threads.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, Sender, SyncSender, channel, sync_channel};
use std::thread::JoinHandle;

/// Work in independent pieces.
pub(crate) trait Work: Send + Sync {
    fn pieces(&self) -> usize;
    fn compute(&self, piece: usize) -> Vec<f32>;
}

/// One task on its way: pieces are claimed by counting up.
struct Offer {
    work: Box<dyn Work>,
    next: AtomicUsize,
    results: Sender<(usize, Vec<f32>)>,
}

impl Offer {
    fn claim(&self) -> Option<usize> {
        let piece = self.next.fetch_add(1, Ordering::Relaxed);
        (piece < self.work.pieces()).then_some(piece)
    }
}

struct Helper {
    offers: SyncSender<Arc<Offer>>,
    thread: Option<JoinHandle<()>>,
}

/// The calling thread's helpers. They end when the pool is dropped.
pub(crate) struct Pool {
    helpers: Vec<Helper>,
}

impl std::fmt::Debug for Pool {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Pool").field("helpers", &self.helpers.len()).finish()
    }
}

impl Pool {
    /// A pool of `threads` threads, the caller's included.
    pub(crate) fn new(threads: usize) -> std::io::Result<Self> {
        let mut helpers = Vec::new();
        for index in 1..threads {
            // one offer may wait: a helper that is behind is left alone
            let (offers, inbox) = sync_channel::<Arc<Offer>>(1);
            let thread = std::thread::Builder::new()
                .name(format!("engine-{index}"))
                .spawn(move || help(&inbox))?;
            helpers.push(Helper { offers, thread: Some(thread) });
        }
        Ok(Self { helpers })
    }

    pub(crate) const fn threads(&self) -> usize {
        self.helpers.len() + 1
    }

    /// Computes every piece; results in order of piece.
    pub(crate) fn run(&self, work: impl Work + 'static) -> Vec<Vec<f32>> {
        let pieces = work.pieces();
        if self.helpers.is_empty() || pieces < 2 {
            return (0..pieces).map(|piece| work.compute(piece)).collect();
        }
        let (sender, results) = channel();
        let offer =
            Arc::new(Offer { work: Box::new(work), next: AtomicUsize::new(0), results: sender });
        for helper in self.helpers.iter().take(pieces - 1) {
            // a full inbox means the helper is still asleep over an older task
            drop(helper.offers.try_send(Arc::clone(&offer)));
        }
        let mut done = vec![Vec::new(); pieces];
        let mut missing = pieces;
        while let Some(piece) = offer.claim() {
            place(&mut done, piece, offer.work.compute(piece));
            missing -= 1;
        }
        collect(&results, &mut done, missing);
        for (piece, values) in done.iter_mut().enumerate() {
            if values.is_empty() {
                // a helper failed over it: fail here, where the engine sees it
                *values = offer.work.compute(piece);
            }
        }
        done
    }
}

fn collect(results: &Receiver<(usize, Vec<f32>)>, done: &mut [Vec<f32>], missing: usize) {
    for (piece, values) in results.iter().take(missing) {
        place(done, piece, values);
    }
}

fn place(done: &mut [Vec<f32>], piece: usize, values: Vec<f32>) {
    if let Some(place) = done.get_mut(piece) {
        *place = values;
    }
}

fn help(inbox: &Receiver<Arc<Offer>>) {
    for offer in inbox {
        while let Some(piece) = offer.claim() {
            // the caller waits for every claimed piece, so a failure is answered too, by nothing
            let values =
                catch_unwind(AssertUnwindSafe(|| offer.work.compute(piece))).unwrap_or_default();
            if offer.results.send((piece, values)).is_err() {
                break;
            }
        }
    }
}

impl Drop for Pool {
    fn drop(&mut self) {
        for helper in self.helpers.drain(..) {
            drop(helper.offers);
            if let Some(thread) = helper.thread {
                drop(thread.join());
            }
        }
    }
}
