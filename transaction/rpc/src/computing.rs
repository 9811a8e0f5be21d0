//! Work that computes or reads much: on threads of its own, and so much at once.
//!
//! A place belongs to the work, not to the request. Whoever asks and hangs up leaves the work running, since a
//! thread cannot be ended; were its place free at once, one client could have as many threads as it sends
//! requests, and consensus none.

use crate::error::Failure;
use std::sync::Arc;
use tokio::{sync::Semaphore, task::spawn_blocking};

/// Places for work. Clones share them.
#[derive(Clone, Debug)]
pub(crate) struct Computing(Arc<Semaphore>);

impl Computing {
    pub(crate) fn new(places: usize) -> Self {
        Self(Arc::new(Semaphore::new(places)))
    }

    /// Waits for a place, then for the work.
    pub(crate) async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> Result<T, Failure> + Send + 'static,
    ) -> Result<T, Failure> {
        let place = Arc::clone(&self.0).acquire_owned().await.map_err(Failure::internal)?;
        let work = move || {
            let done = work();
            drop(place);
            done
        };
        spawn_blocking(work).await.map_err(Failure::internal)?
    }
}

#[cfg(test)]
mod tests {
    use super::Computing;
    use crate::error::Failure;
    use std::sync::mpsc;
    use tokio::sync::oneshot;

    #[tokio::test]
    async fn whoever_hangs_up_leaves_its_place_taken_until_the_work_is_done() {
        let computing = Computing::new(1);
        let (end, wait) = mpsc::channel::<()>();
        let (tell, begun) = oneshot::channel::<()>();
        let work = move || {
            tell.send(()).unwrap();
            wait.recv().map_err(Failure::internal)
        };
        let first = tokio::spawn({
            let computing = computing.clone();
            async move { computing.run(work).await }
        });
        begun.await.unwrap();
        first.abort();
        assert!(first.await.unwrap_err().is_cancelled());
        assert_eq!(computing.0.available_permits(), 0, "the work goes on");
        end.send(()).unwrap();
        assert_eq!(computing.run(|| Ok(7)).await.unwrap(), 7, "its place is free when it is done");
    }

    #[tokio::test]
    async fn work_that_panics_gives_its_place_back() {
        let computing = Computing::new(1);
        let broken = computing.run::<()>(|| panic!("broken")).await.unwrap_err();
        assert!(matches!(broken, Failure::Internal(_)));
        assert!(computing.run(|| Ok(())).await.is_ok());
    }
}
