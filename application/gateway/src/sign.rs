//! From what was delivered to a receipt that both parties signed.
//!
//! The worker signs before a receipt exists: it gets its number, and the payer's money moves, with
//! the signatures. So a worker that stays away holds up nobody's settlement. What a stream was
//! handed and its worker does not sign for is *owed*: its money stays held while the worker is
//! asked again, and is the payer's again after [`OWED_MILLISECONDS`].

use crate::{
    account::{Account, Books, Delivery, MOST_UNSETTLED},
    error::ApiError,
    gateway::Gateway,
    progress::{Delivered, Progress},
    rights::Holds,
    rows::{Earned, Outcome, RequestRow, WorkerSignatures},
    run::count,
    store::get,
};
use alloy_primitives::{Address, B256};
use sahara_compute::{Problem, SignRequest, WorkerClient, WorkerError, earning_hash, recover};
use sahara_primitives::{ChannelId, Milliseconds, Receipt, ReceiptSeq, Usage};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, MissedTickBehavior, interval, timeout};

/// How long a worker is asked to sign for what was delivered: a restart takes seconds, and a grant
/// that ends meanwhile is collectable for an hour.
pub(crate) const OWED_MILLISECONDS: u64 = 600_000;
/// How long a worker that did not sign is not asked again by requests that end.
const SILENT_FOR: Duration = Duration::from_secs(15);
/// How often owed answers are looked at.
const ASK_EVERY: Duration = Duration::from_secs(1);
/// Proposals for one receipt: a worker that knows a later number tells it once.
const PROPOSALS: usize = 2;

/// What was delivered and is not signed for.
#[derive(Debug)]
pub(crate) struct Owed {
    pub(crate) account: Arc<Account>,
    pub(crate) row: RequestRow,
    since: Milliseconds,
    holds: Holds,
}

impl Gateway {
    /// Has the worker sign for what was delivered, and writes the charge down.
    pub(crate) async fn charge(
        &self,
        account: &Arc<Account>,
        id: B256,
        row: &RequestRow,
        delivery: Delivery,
    ) -> Result<Outcome, ApiError> {
        if self.is_silent(row.worker) {
            return Err(unsigned());
        }
        let _turn = account.signing.lock().await;
        let worker = self.worker(row.worker).await?;
        for _ in 0..PROPOSALS {
            self.know_earned(account, row).await?;
            let receipt = account.propose(row, &delivery)?;
            let request = SignRequest { job: row.job, receipt };
            let error = match self.signatures(&worker, &request).await {
                Ok(signatures) => {
                    let signed = (request.receipt.hash(), signatures);
                    return self.write_charge(account, (id, row), delivery, signed).await;
                }
                Err(error) => error,
            };
            tracing::warn!(%error, channel = %account.channel, worker = %row.worker, "a worker does not sign");
            let Some(last) = later(&error, &request.receipt) else {
                if !matches!(error, WorkerError::Refused(_)) {
                    self.silent.lock().insert(row.worker, Instant::now() + SILENT_FOR);
                }
                return Err(unsigned());
            };
            account.skip_to(self.store(), ReceiptSeq(last.0.saturating_add(1)))?;
        }
        Err(unsigned())
    }

    async fn write_charge(
        &self,
        account: &Arc<Account>,
        request: (B256, &RequestRow),
        delivery: Delivery,
        signed: (B256, WorkerSignatures),
    ) -> Result<Outcome, ApiError> {
        let (account, store) = (Arc::clone(account), self.store().clone());
        let (id, row) = (request.0, request.1.clone());
        let (key, now) = (self.config.key.clone(), self.now());
        let charge = move || {
            let books = Books { store: &store, key: &key, now };
            account.charge(books, (id, &row), delivery, signed)
        };
        tokio::task::spawn_blocking(charge).await.map_err(ApiError::internal)?
    }

    async fn worker(&self, address: Address) -> Result<WorkerClient, ApiError> {
        match self.catalog.worker(address) {
            Some(worker) => Ok(worker),
            None => Ok(self.catalog.worker_on_chain(self.chain(), address).await?),
        }
    }

    async fn signatures(
        &self,
        worker: &WorkerClient,
        request: &SignRequest,
    ) -> Result<WorkerSignatures, WorkerError> {
        let signing = timeout(self.config.patience.sign, worker.sign(request, self.now()));
        let silent = |_| WorkerError::Unreachable("it does not sign".into());
        let signed = signing.await.map_err(silent)??;
        let is_by = |hash, signature: &[u8]| recover(hash, signature) == Ok(worker.address());
        let earning = earning_hash(&request.receipt);
        if is_by(request.receipt.hash(), &signed.receipt)
            && earning.is_some_and(|hash| is_by(hash, &signed.earning))
        {
            Ok(WorkerSignatures { receipt: signed.receipt, earning: signed.earning })
        } else {
            Err(WorkerError::Malformed("the worker's signatures are not its own".into()))
        }
    }

    /// After a loss of records the chain knows what a pair has earned, and the store does not.
    async fn know_earned(&self, account: &Account, row: &RequestRow) -> Result<(), ApiError> {
        let channel = account.row();
        let is_same = |one: &Earned| one.asset == row.terms.asset && one.worker == row.worker;
        if !channel.is_adopted || channel.earned.iter().any(is_same) {
            return Ok(());
        }
        let paid = self.chain().earned(account.channel, row.terms.asset, row.worker).await?;
        account.update(self.store(), |channel| channel.earned.push(paid))
    }

    fn is_silent(&self, worker: Address) -> bool {
        let mut silent = self.silent.lock();
        silent.retain(|_, until| *until > Instant::now());
        silent.contains_key(&worker)
    }

    /// Remembers what a client got and no worker has signed for.
    pub(crate) fn owe(&self, id: B256, account: &Arc<Account>, row: &RequestRow, holds: Holds) {
        let (account, row, since) = (Arc::clone(account), row.clone(), self.now());
        self.owed.lock().insert(id, Owed { account, row, since, holds });
    }

    /// Channels with something owed.
    pub(crate) fn owing_channels(&self) -> Vec<ChannelId> {
        self.owed.lock().values().map(|owed| owed.account.channel).collect()
    }

    /// Asks again for ever.
    pub(crate) async fn owed_loop(&self) {
        let mut ticks = interval(ASK_EVERY);
        ticks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            ticks.tick().await;
            self.charge_owed().await;
        }
    }

    /// Charges what is owed and signed for by now, and gives up what was owed too long.
    pub(crate) async fn charge_owed(&self) {
        let owed: Vec<_> = {
            let owed = self.owed.lock();
            let copy = |(id, one): (&B256, &Owed)| {
                (*id, Arc::clone(&one.account), one.row.clone(), one.since)
            };
            owed.iter().map(copy).collect()
        };
        for (id, account, row, since) in owed {
            match self.charge_one_owed(id, &account, &row).await {
                Ok(seq) => {
                    tracing::info!(request = %id, ?seq, "charged what was delivered before");
                    let owed = self.owed.lock().remove(&id);
                    if let (Some(owed), Some((_, uses))) = (owed, seq) {
                        owed.holds.keep(uses);
                    }
                    self.wants_settlement(account.channel);
                }
                Err(_) if self.now().0.saturating_sub(since.0) >= OWED_MILLISECONDS => {
                    self.give_up(id, &row);
                }
                Err(error) => tracing::debug!(%error, request = %id, "still owed"),
            }
        }
    }

    async fn charge_one_owed(
        &self,
        id: B256,
        account: &Arc<Account>,
        row: &RequestRow,
    ) -> Result<Option<(ReceiptSeq, u64)>, ApiError> {
        let stored = get::<RequestRow>(&self.store().requests, id.as_slice())?;
        if let Some(outcome) = stored.and_then(|row| row.outcome) {
            return Ok(Some((outcome.seq, row.right.uses(outcome.usage))));
        }
        let Some(delivered) = Progress::read(self.store(), row.job) else {
            self.forget(id)?;
            return Ok(None);
        };
        // Whether it is there at all is found out before others of the channel have to wait.
        let worker = self.worker(row.worker).await?;
        if self.is_silent(row.worker) || worker.cards().await.is_err() {
            return Err(unsigned());
        }
        let Delivered { prompt_tokens, tokens } = delivered;
        let usage = Usage { prompt_tokens, completion_tokens: count(&tokens) };
        let delivery = Delivery { usage, tokens, finish: None };
        Ok(Some((self.charge(account, id, row, delivery).await?.seq, row.right.uses(usage))))
    }

    /// What nobody signed for in time is not charged: the payer's money is free again.
    fn give_up(&self, id: B256, row: &RequestRow) {
        tracing::warn!(request = %id, worker = %row.worker, "given up: its worker did not sign for it");
        if let Err(error) = self.forget(id) {
            tracing::error!(%error, "an unsigned request was not forgotten");
            return;
        }
        Progress::remove(&self.store().progress_path(row.job));
        self.owed.lock().remove(&id);
    }
}

/// The number that the worker knows and this store does not. A worker cannot make a channel skip
/// more than records can be lost.
fn later(error: &WorkerError, proposed: &Receipt) -> Option<ReceiptSeq> {
    let WorkerError::Refused(Problem { last: Some(last), .. }) = error else { return None };
    let is_later = *last >= proposed.seq;
    (is_later && last.0.saturating_sub(proposed.seq.0) < MOST_UNSETTLED).then_some(*last)
}

fn unsigned() -> ApiError {
    ApiError::worker_failed(
        "the worker has not signed for its answer: what was delivered is charged only if it does within ten minutes",
    )
}
