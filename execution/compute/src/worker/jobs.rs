//! Running a job: admission, the stream, the meter.

use super::{Worker, ledger::JobRecord};
use crate::{EngineError, Event, Job, Limits, Meter, Piece, Problem, ProblemCode, Run};
use alloy_primitives::{Address, B256};
use bytes::Bytes;
use futures::{Stream, StreamExt, stream};
use std::sync::Arc;
use tokio::{sync::OwnedSemaphorePermit, task::JoinHandle, time::timeout};

/// Stops are compared at every token; more or longer ones are no use to anyone.
const MAX_STOPS: usize = 16;

impl Worker {
    /// Admits a job and starts it (W3), or says why not.
    pub(super) async fn start(
        self: &Arc<Self>,
        job: Job,
        gateway: Address,
    ) -> Result<impl Stream<Item = Bytes> + Send + use<>, Problem> {
        let (served, card) = self.served(job.asset)?;
        if job.worker_prices.input < served.prices.input
            || job.worker_prices.output < served.prices.output
        {
            return Err(Problem::new(
                ProblemCode::PriceTooLow,
                format!(
                    "expected at least {} and {} base units per 1,000,000 tokens read and written",
                    served.prices.input.0, served.prices.output.0
                ),
            ));
        }
        if job.max_tokens == 0 || job.stop.len() > MAX_STOPS {
            return Err(invalid(format!(
                "expected max_tokens of at least 1 and at most {MAX_STOPS} stop texts"
            )));
        }
        if self.ledger.job(job.id)?.is_some() {
            return Err(invalid("a job with this id was accepted before".into()));
        }
        self.bonds.check(gateway).await?;
        let place = self.place().await?;
        self.purge();
        let input = served.complete(job.input.clone());
        let limits = Limits {
            max_tokens: job.max_tokens,
            is_flexible: job.is_flexible,
            max_prompt_tokens: job.max_prompt_tokens,
        };
        let run = served
            .engine
            .start(&input, limits, job.sampling, &job.stop)
            .await
            .map_err(|error| problem(&error))?;
        let engine = (card.class, card.model_root, self.clock.now());
        let record = JobRecord::new(&job, gateway, run.prompt_tokens, engine);
        self.ledger.write_job(job.id, &record)?;
        let ledger = self.ledger.clone();
        let synced = tokio::task::spawn_blocking(move || ledger.sync());
        let running = Running {
            worker: Arc::clone(self),
            id: job.id,
            meter: Meter::new(run.prompt_tokens),
            _place: place,
        };
        Ok(running.stream(run, synced))
    }

    /// A place to work in, at once or after a short wait.
    async fn place(&self) -> Result<OwnedSemaphorePermit, Problem> {
        let busy = || {
            let message = format!("all {} places are taken: expected a retry later", self.max_jobs);
            Problem::new(ProblemCode::Busy, message)
        };
        if let Ok(place) = Arc::clone(&self.places).try_acquire_owned() {
            return Ok(place);
        }
        let _waits = self.queue.try_acquire().map_err(|_| busy())?;
        let place = Arc::clone(&self.places).acquire_owned();
        timeout(self.max_wait, place).await.ok().and_then(Result::ok).ok_or_else(busy)
    }
}

/// A job that runs; dropping it ends the work (W4) and writes the meter's count down.
struct Running {
    worker: Arc<Worker>,
    id: B256,
    meter: Meter,
    _place: OwnedSemaphorePermit,
}

impl Running {
    /// The events. The first token waits for the job's record to be on the disk, which it is by the
    /// time that a prompt is read.
    fn stream(
        self,
        run: Run,
        synced: JoinHandle<Result<(), Problem>>,
    ) -> impl Stream<Item = Bytes> + Send {
        let accepted = line(&Event::Accepted { prompt_tokens: run.prompt_tokens });
        let rest = stream::unfold(Some((self, run, Some(synced))), |state| async move {
            let (mut running, mut run, mut synced) = state?;
            let piece = run.pieces.next().await;
            if let Some(synced) = synced.take()
                && !matches!(synced.await, Ok(Ok(())))
            {
                let message = "the worker's ledger failed".to_owned();
                return Some((line(&Event::Failed { message }), None));
            }
            match piece {
                Some(Ok(Piece::Token(text))) => {
                    running.meter.count();
                    Some((line(&Event::Token { text }), Some((running, run, None))))
                }
                Some(Ok(Piece::End(finish_reason))) => {
                    let usage = running.meter.usage();
                    Some((line(&Event::Ended { finish_reason, usage }), None))
                }
                Some(Err(error)) => {
                    Some((line(&Event::Failed { message: error.to_string() }), None))
                }
                None => {
                    let message = "the engine ended without an end".to_owned();
                    Some((line(&Event::Failed { message }), None))
                }
            }
        });
        stream::once(async move { accepted }).chain(rest)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let counted = self.meter.usage().completion_tokens;
        if let Err(error) = self.worker.ledger.write_job_end(self.id, counted) {
            tracing::error!(%error, job = %self.id, "the meter's count was not written");
        }
    }
}

fn line(event: &Event) -> Bytes {
    let mut text = serde_json::to_vec(event).unwrap_or_default();
    text.push(b'\n');
    text.into()
}

fn invalid(message: String) -> Problem {
    Problem::new(ProblemCode::InvalidJob, message)
}

fn problem(error: &EngineError) -> Problem {
    let code = match error {
        EngineError::TooLong { .. } => ProblemCode::ContextLengthExceeded,
        EngineError::InvalidInput(_) | EngineError::PromptTooLong { .. } => ProblemCode::InvalidJob,
        EngineError::Busy => ProblemCode::Busy,
        EngineError::Failed(_) => ProblemCode::Internal,
    };
    Problem::new(code, error.to_string())
}
