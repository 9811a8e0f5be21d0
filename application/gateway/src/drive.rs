//! Driving a request from admission to its receipt.
//!
//! ```text
//! begin -> admitted (money held, final) -> reserved (on disk) -> running -> charged (on disk) -> told
//!             |                               |                    |
//!             refused: nothing happened       killed: forgotten    killed: charged for what was delivered
//! ```

use crate::{
    account::{Account, Delivery},
    admit::{Admission, Wanted, admit},
    catalog::{Model, Offer},
    error::ApiError,
    gateway::Gateway,
    listen::{Listened, is_taken, listen, refusal},
    openai::Ask,
    progress::Progress,
    repeat::{Identity, Reply},
    rights::{Counts, Holds, Right, UsesHold},
    rows::{Outcome, RequestRow, fingerprint},
    run::{Run, count},
    store::encode,
};
use alloy_primitives::{Address, B256};
use sahara_compute::{Event, Job, JobStream, Limits, Sampling, Terms, WorkerError};
use sahara_primitives::{TokenCount, Usage};
use sahara_telemetry::{TRACE, traceparent};
use std::sync::Arc;
use tokio::time::timeout;
use tracing::{Instrument as _, Span, debug_span};

/// A request that is understood and authorised.
#[derive(Clone, Debug)]
pub(crate) struct Call {
    pub(crate) account: Arc<Account>,
    pub(crate) model: Arc<Model>,
    pub(crate) ask: Ask,
    pub(crate) url: String,
    pub(crate) body_hash: B256,
    /// What the client says it is for, as bits of `ILicenses`.
    pub(crate) purpose: u8,
    pub(crate) identity: Identity,
    /// For payments, whose request names them.
    pub(crate) salt: B256,
}

/// A job that a worker accepted.
struct Started {
    row: RequestRow,
    stream: JobStream,
    prompt_tokens: TokenCount,
    /// Tokens of the answer that money is held for.
    most: TokenCount,
}

impl Gateway {
    /// Joins, repeats or starts a request: one id, one charge (G4).
    pub(crate) fn begin(self: &Arc<Self>, call: Call) -> Result<Reply, ApiError> {
        let owner = call.account.row().authority.owner(call.account.channel);
        let body = fingerprint(call.body_hash, call.purpose);
        let mut runs = self.runs.lock();
        if let Some(reply) = self.again_among(&runs, (owner, body), &call.identity)? {
            return Ok(reply);
        }
        let id = match call.identity {
            Identity::Named(id) => id,
            Identity::Retry | Identity::Fresh => random(),
        };
        let most = self.config.bounds.parallel;
        if runs.of(call.account.channel) >= most {
            return Err(ApiError::busy(format!(
                "{most} requests of this key run now: expected fewer at a time"
            )));
        }
        let face = (self.now(), call.model.name.clone());
        let ids = (id, owner, body);
        let run = Run::new(ids, call.account.channel, call.ask.is_stream, face);
        runs.by_id.insert(id, Arc::clone(&run));
        runs.twins.insert((owner, body), id);
        drop(runs);
        let reader = run.reader();
        let gateway = Arc::clone(self);
        let span =
            debug_span!(target: TRACE, "gateway.answer", request = %id, asset = call.model.asset.0);
        tokio::spawn(async move { gateway.drive(run, call).await }.instrument(span));
        Ok(Reply::Live(reader))
    }

    async fn drive(self: Arc<Self>, run: Arc<Run>, call: Call) {
        let trace = traceparent(&Span::current());
        call.account.set_trace(trace.clone());
        let end = sahara_client::traced(trace, self.attempt(&run, &call)).await;
        if let Ok(outcome) = &end {
            self.metrics.charged(outcome);
            tracing::debug!(request = %run.id, seq = outcome.seq.0, "charged");
        }
        self.leave(&run);
        run.finish(end);
    }

    /// Nobody joins a run any more. Before its end is told, so that who heard of a refusal and asks again
    /// does not hear of the same one once more; what was charged is in the store by now.
    fn leave(&self, run: &Run) {
        let mut runs = self.runs.lock();
        runs.by_id.remove(&run.id);
        let twin = (run.owner, run.body);
        if runs.twins.get(&twin) == Some(&run.id) {
            runs.twins.remove(&twin);
        }
    }

    /// Tries the offers in turn, until one accepts.
    async fn attempt(&self, run: &Arc<Run>, call: &Call) -> Result<Outcome, ApiError> {
        let mut last = ApiError::model_not_found(&call.model.name);
        let payer = call.account.row().authority.payer();
        let right = self.right(&call.model, payer, call.purpose).await?;
        for offer in &call.model.offers {
            let asset_prices = right.asset_prices(call.model.prices);
            let wanted = Wanted { asset: call.model.asset, asset_prices, offer, ask: &call.ask };
            let mut admission = admit(self, &call.account, wanted).await?;
            let uses = self.admit_uses(call, payer, right, &mut admission.limits).await?;
            let row = self.reserve(run, call, offer, right);
            let job = job(self, call, offer, &row, &admission);
            match self.start(run, offer, &row, &job).await {
                Ok((stream, prompt_tokens)) => {
                    let most = job.max_tokens;
                    let started = Started { row, stream, prompt_tokens, most };
                    let holds = Holds { money: admission.hold, uses };
                    return self.run_job(run, call, started, holds).await;
                }
                Err(error) => {
                    self.forget(run.id)?;
                    let is_final = error.status < 500 && error.status != 429;
                    last = error;
                    if is_final {
                        break;
                    }
                }
            }
        }
        Err(last)
    }

    /// Holds what the request may use of a counted licence; a client that named no limit gets as
    /// many tokens as are left.
    async fn admit_uses(
        &self,
        call: &Call,
        payer: Address,
        right: Right,
        limits: &mut Limits,
    ) -> Result<Option<UsesHold>, ApiError> {
        let worst = |completion_tokens| {
            let prompt_tokens = limits.max_prompt_tokens;
            right.uses(Usage { prompt_tokens, completion_tokens })
        };
        let most = worst(limits.max_tokens);
        let least = if limits.is_flexible { worst(1) } else { most };
        let question = (payer, call.model.asset, call.purpose);
        let held = self.hold_uses(&call.model, question, (right, least, most)).await?;
        if let Some(hold) = held.as_ref().filter(|_| right.counts == Counts::Tokens) {
            let written = hold.amount().saturating_sub(u64::from(limits.max_prompt_tokens));
            let written = TokenCount::try_from(written).unwrap_or(TokenCount::MAX);
            limits.max_tokens = limits.max_tokens.min(written);
        }
        Ok(held)
    }

    fn reserve(&self, run: &Run, call: &Call, offer: &Offer, right: Right) -> RequestRow {
        RequestRow {
            chain_id: self.chain_id(),
            channel: run.channel,
            job: random(),
            terms: Terms {
                method: "POST".into(),
                url: call.url.clone(),
                body_hash: call.body_hash,
                asset: call.model.asset,
                purpose: call.purpose,
                worker_prices: offer.prices,
                asset_prices: call.model.prices,
                request_id: run.id,
                salt: call.salt,
            },
            right,
            worker: offer.worker.address(),
            model_root: offer.card.model_root,
            class: offer.card.class,
            model: call.model.name.clone(),
            created: run.created,
            is_stream: run.is_stream,
            is_named: matches!(call.identity, Identity::Named(_)),
            outcome: None,
        }
    }

    /// Writes the reservation down while the worker starts; both are done before a token leaves.
    async fn start(
        &self,
        run: &Run,
        offer: &Offer,
        row: &RequestRow,
        job: &Job,
    ) -> Result<(JobStream, TokenCount), ApiError> {
        let mut batch = self.store().batch();
        batch.insert(&self.store().requests, run.id.as_slice(), encode(row)?);
        batch.insert(&self.store().open, run.id.as_slice(), []);
        batch.commit().map_err(ApiError::internal)?;
        let store = self.store().clone();
        let synced = tokio::task::spawn_blocking(move || store.sync());
        let started = async {
            let mut stream = offer.worker.start(job, self.now()).await?;
            match stream.next().await? {
                Event::Accepted { prompt_tokens } => Ok((stream, prompt_tokens)),
                other => Err(WorkerError::Malformed(format!("expected `accepted`, got {other:?}"))),
            }
        };
        let silent = |_| Err(WorkerError::Unreachable("it does not accept the job".into()));
        let started = timeout(self.config.patience.accept, started).await.unwrap_or_else(silent);
        synced.await.map_err(ApiError::internal)??;
        let (stream, prompt_tokens) = started.map_err(|error| refusal(&error))?;
        if prompt_tokens > job.max_prompt_tokens {
            return Err(ApiError::worker_failed("the worker counts more tokens than are paid for"));
        }
        run.accept(|| Progress::create(self.store(), row.job, prompt_tokens))?;
        Ok((stream, prompt_tokens))
    }

    /// Follows the worker to the end, then charges for what was delivered.
    async fn run_job(
        &self,
        run: &Arc<Run>,
        call: &Call,
        started: Started,
        holds: Holds,
    ) -> Result<Outcome, ApiError> {
        let Started { row, mut stream, prompt_tokens, most } = started;
        let patience = self.config.patience;
        let end = listen(run, &mut stream, most, patience).await;
        drop(stream);
        let (finish, failure) = match end {
            Listened::Ended(finish) if is_taken(run, patience).await => (Some(finish), None),
            Listened::Ended(_) | Listened::ClientLeft => (None, None),
            Listened::Broken(error) => (None, Some(error)),
        };
        // Of a plain answer that was not completed, nothing was delivered.
        let is_delivered = finish.is_some() || run.is_stream;
        let tokens = if is_delivered { run.close() } else { Vec::new() };
        if finish.is_none() && tokens.is_empty() {
            self.forget_job(run.id, &row)?;
            return Err(failure
                .unwrap_or_else(|| ApiError::worker_failed("the client left before the answer")));
        }
        let is_handed_over = run.is_stream && !tokens.is_empty();
        let usage = Usage { prompt_tokens, completion_tokens: count(&tokens) };
        let delivery = Delivery { usage, tokens, finish };
        match self.charge(&call.account, run.id, &row, delivery).await {
            Ok(outcome) => {
                holds.keep(row.right.uses(usage));
                self.wants_settlement(run.channel);
                failure.map_or(Ok(outcome), Err)
            }
            Err(error) => {
                if is_handed_over {
                    self.owe(run.id, &call.account, &row, holds);
                } else {
                    self.forget_job(run.id, &row)?;
                }
                Err(failure.unwrap_or(error))
            }
        }
    }

    fn forget_job(&self, id: B256, row: &RequestRow) -> Result<(), ApiError> {
        self.forget(id)?;
        Progress::remove(&self.store().progress_path(row.job));
        Ok(())
    }

    /// Takes a reservation back of which nothing was delivered.
    pub(crate) fn forget(&self, id: B256) -> Result<(), ApiError> {
        let mut batch = self.store().batch();
        batch.remove(&self.store().requests, id.as_slice());
        batch.remove(&self.store().open, id.as_slice());
        batch.commit().map_err(ApiError::internal)
    }
}

fn job(
    gateway: &Gateway,
    call: &Call,
    offer: &Offer,
    row: &RequestRow,
    admission: &Admission,
) -> Job {
    let ask = &call.ask;
    Job {
        id: row.job,
        channel: row.channel,
        asset: row.terms.asset,
        input: ask.input.clone(),
        max_tokens: admission.limits.max_tokens,
        is_flexible: admission.limits.is_flexible,
        max_prompt_tokens: admission.limits.max_prompt_tokens,
        sampling: Sampling {
            temperature_milli: ask
                .temperature_milli
                .unwrap_or(gateway.config.default_temperature_milli),
            seed: ask.seed.unwrap_or_else(rand::random),
        },
        stop: ask.stop.clone(),
        worker_prices: offer.prices,
        asset_prices: row.asset_prices(),
    }
}

pub(crate) fn random() -> B256 {
    B256::from(rand::random::<[u8; 32]>())
}
