//! Threads of consensus, each with a runtime of its own.

use std::{
    any::Any,
    panic::{AssertUnwindSafe, catch_unwind},
    thread,
};

use tokio::sync::oneshot;

use super::node::ConsensusError;

/// A thread at work. Dropping it asks the work to end and does not wait.
#[derive(Debug)]
pub(super) struct Thread<T> {
    stop: Option<oneshot::Sender<()>>,
    ended: oneshot::Receiver<Result<T, ConsensusError>>,
}

impl<T: Send + 'static> Thread<T> {
    /// Starts a thread. Its work is given what resolves when it should end; a panic in it is an error.
    pub(super) fn start(
        name: &str,
        work: impl FnOnce(oneshot::Receiver<()>) -> Result<T, ConsensusError> + Send + 'static,
    ) -> Result<Self, ConsensusError> {
        let (stop, stopped) = oneshot::channel();
        let (ending, ended) = oneshot::channel();
        thread::Builder::new()
            .name(name.into())
            .spawn(move || {
                let outcome = catch_unwind(AssertUnwindSafe(|| work(stopped)))
                    .unwrap_or_else(|panic| Err(ConsensusError::Panicked(message(&*panic))));
                // Nobody may be listening any more.
                let _heard = ending.send(outcome).is_ok();
            })
            .map_err(ConsensusError::Start)?;
        Ok(Self { stop: Some(stop), ended })
    }

    /// Resolves when the work has ended.
    pub(super) async fn ended(&mut self) -> Result<T, ConsensusError> {
        let vanished = |_| Err(ConsensusError::Panicked("its thread is gone".into()));
        (&mut self.ended).await.unwrap_or_else(vanished)
    }

    /// Asks the work to end and waits until it has.
    pub(super) async fn stop(mut self) -> Result<T, ConsensusError> {
        if let Some(stop) = self.stop.take() {
            // It may have ended already; the outcome says so.
            let _was_running = stop.send(()).is_ok();
        }
        self.ended().await
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned())
        .unwrap_or_else(|| "a panic without message".into())
}

#[cfg(test)]
mod tests {
    use super::Thread;

    #[tokio::test]
    async fn work_ends_when_it_is_asked_to_and_says_how() {
        let asked = Thread::start("asked", |stopped| Ok(stopped.blocking_recv().is_ok())).unwrap();
        assert!(asked.stop().await.unwrap());
    }

    #[tokio::test]
    async fn a_panic_of_the_work_is_told() {
        let mut broken = Thread::<()>::start("broken", |_| panic!("disk 7")).unwrap();
        assert_eq!(broken.ended().await.unwrap_err().to_string(), "consensus stopped: disk 7");
    }
}
