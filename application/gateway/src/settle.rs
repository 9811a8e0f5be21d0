//! Settling: from signed receipts to everyone's balance.
//!
//! One round at a time: workers sign what is unsigned, everything ready goes into one `claimBatch`,
//! and the next round starts when it is final. A channel whose claim is refused rests a while, so
//! that it does not hold up the others. What became of a claim is read from the channel's `seq` on
//! chain, whoever sent it and whenever.

use crate::{
    account::Account,
    chain::{ChainError, Mined},
    error::ApiError,
    gateway::Gateway,
    rows::{Authority, ClaimRow, ReceiptRow, RequestRow, WorkerSignatures, seq_key},
    store::{get, put},
};
use alloy_primitives::{
    Address, Bytes, Log,
    aliases::{U24, U96},
};
use alloy_sol_types::SolEvent;
use futures::future::join_all;
use sahara_abi::{CHANNELS, IChannels};
use sahara_client::Log as RpcLog;
use sahara_compute::{SignRequest, earning_hash, payments, recover};
use sahara_primitives::{Amount, AssetId, BlockNumber, ChannelId, ReceiptSeq, merkle};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval};

/// Channels in one transaction: at about 100,000 gas a claim, three million.
const MOST_CLAIMS: usize = 32;
/// Receipts in one claim; a backlog takes several rounds.
const MOST_RECEIPTS: u32 = 256;
/// Lines in one claim; the protocol takes 64.
const MOST_LINES: usize = 64;
/// How often what could not be settled is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// How long a refused channel rests.
const REST: Duration = Duration::from_secs(15);

/// How long a channel rests that lacks a signature: less than a retry, so that it is looked at with
/// every one, and others have its place until then.
const SHORT_REST: Duration = Duration::from_millis(900);

/// A claim that is ready.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    account: Arc<Account>,
    pub(crate) claim: IChannels::Claim,
}

/// Channels whose claims were refused, until when they rest.
type Resting = HashMap<ChannelId, Instant>;

impl Gateway {
    /// Settles for ever.
    pub(crate) async fn settle_loop(&self) {
        let mut resting = Resting::new();
        let mut retry = interval(RETRY_EVERY);
        retry.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            tokio::select! {
                () = self.settle.notified() => {}
                _ = retry.tick() => {}
            }
            while self.settle_round(&mut resting).await {}
        }
    }

    /// Settles what is ready, as before a stop.
    pub async fn settle_now(&self) {
        let mut resting = Resting::new();
        while self.settle_round(&mut resting).await {}
    }

    /// One round; whether it settled anything.
    async fn settle_round(&self, resting: &mut Resting) -> bool {
        let now = Instant::now();
        resting.retain(|_, until| *until > now);
        let channels: Vec<_> = self.unsettled.lock().iter().copied().collect();
        let accounts: Vec<_> = channels
            .into_iter()
            .filter(|channel| !resting.contains_key(channel))
            .filter_map(|channel| self.known_account(channel))
            .take(MOST_CLAIMS)
            .collect();
        join_all(accounts.iter().map(|account| self.collect_signatures(account))).await;
        let mut ready = Vec::new();
        for account in &accounts {
            match self.prepare(account) {
                Ok(Some(prepared)) => {
                    ready.push(prepared);
                    continue;
                }
                Ok(None) => {}
                Err(error) => tracing::error!(%error, "a claim cannot be prepared"),
            }
            resting.insert(account.channel, now + SHORT_REST);
        }
        if ready.is_empty() {
            // Those behind them have their turn; with none left, the round is over.
            return !accounts.is_empty();
        }
        match self.submit(&ready).await {
            Ok(()) => true,
            Err(ChainError::Refused { .. }) if ready.len() > 1 => {
                let mut any = false;
                for one in &ready {
                    any |= self.submit_alone(one, resting).await;
                }
                any
            }
            Err(error) => {
                tracing::warn!(%error, "a claim did not go through");
                let mut any = false;
                for one in &ready {
                    any |= self.resolve(one, resting).await;
                }
                any
            }
        }
    }

    async fn submit(&self, ready: &[Prepared]) -> Result<(), ChainError> {
        let claims = ready.iter().map(|one| one.claim.clone()).collect();
        let mined = self.chain().claim(claims).await?;
        for one in ready {
            if let Err(error) = self.settled(&one.account, &mined) {
                tracing::error!(%error, "a settled claim was not written down");
            }
        }
        Ok(())
    }

    async fn submit_alone(&self, one: &Prepared, resting: &mut Resting) -> bool {
        match self.submit(std::slice::from_ref(one)).await {
            Ok(()) => true,
            Err(error) => {
                tracing::warn!(%error, channel = %one.account.channel, "a claim did not go through");
                self.resolve(one, resting).await
            }
        }
    }

    /// Finds out what became of a claim whose outcome is unknown or that was refused: perhaps it,
    /// or an earlier one, is settled already.
    async fn resolve(&self, one: &Prepared, resting: &mut Resting) -> bool {
        let account = &one.account;
        match self.adopt(account).await {
            Ok(true) => true,
            Ok(false) => {
                resting.insert(account.channel, Instant::now() + REST);
                false
            }
            Err(error) => {
                tracing::warn!(%error, "the outcome of a claim is still unknown");
                resting.insert(account.channel, Instant::now() + RETRY_EVERY);
                false
            }
        }
    }

    /// Takes over claims that are on chain and not in the store; whether there were any.
    async fn adopt(&self, account: &Arc<Account>) -> Result<bool, ApiError> {
        let Some(channel) = self.chain().channel(account.channel).await? else { return Ok(false) };
        account.follow(self.store(), &channel)?;
        if channel.seq.to::<u32>() <= account.row().settled_seq.0 {
            return Ok(false);
        }
        let head = self.chain().0.head().await?;
        let logs = self.chain().0.logs((0, head), vec![CHANNELS], Some(account.channel.0)).await?;
        for log in logs {
            let is_claim = log.topic0() == Some(&IChannels::Collected::SIGNATURE_HASH);
            let Some(hash) = log.transaction_hash.filter(|_| is_claim) else { continue };
            if let Some(mined) = self.chain().0.mined(hash).await? {
                self.settled(account, &mined)?;
            }
        }
        Ok(true)
    }

    /// Writes down a channel's claim in a final transaction; once, in order.
    fn settled(&self, account: &Account, mined: &Mined) -> Result<(), ApiError> {
        let logs: Vec<Log> = mined.logs.iter().map(|log: &RpcLog| log.inner.clone()).collect();
        let collected = logs.iter().enumerate().find_map(|(index, log)| {
            let event = IChannels::Collected::decode_log(log).ok()?;
            (log.address == CHANNELS && event.channelId == account.channel.0)
                .then_some((index, event))
        });
        let Some((index, event)) = collected else { return Ok(()) };
        let (from, to) = (ReceiptSeq(event.seqFrom.to()), ReceiptSeq(event.seqTo.to()));
        let row = ClaimRow {
            from,
            to,
            transaction: mined.hash,
            block: BlockNumber(mined.block),
            log_index: u64::try_from(index).map_err(ApiError::internal)?,
            payments: payments(&logs, account.channel, self.address()),
        };
        put(&self.store().claims, &seq_key(account.channel, from), &row)?;
        let is_done = account.update(self.store(), |channel| {
            if channel.settled_seq == from {
                channel.settled_seq = to;
                let amount = Amount::from_u128(event.amount.to());
                channel.settled = channel.settled.checked_add(amount).unwrap_or(channel.settled);
            }
            channel.settled_seq >= channel.next_seq
        })?;
        if is_done {
            let mut unsettled = self.unsettled.lock();
            let row = account.row();
            if row.settled_seq >= row.next_seq {
                unsettled.remove(&account.channel);
            }
        }
        tracing::debug!(channel = %account.channel, from = from.0, to = to.0, "settled");
        Ok(())
    }

    /// Has the workers sign the channel's receipts, oldest first.
    pub(crate) async fn collect_signatures(&self, account: &Account) {
        let row = account.row();
        for seq in row.settled_seq.0..row.next_seq.0 {
            if let Err(error) = self.collect_signature(account.channel, ReceiptSeq(seq)).await {
                tracing::warn!(%error, channel = %account.channel, seq, "a receipt waits for its worker");
                return;
            }
        }
    }

    async fn collect_signature(&self, channel: ChannelId, seq: ReceiptSeq) -> Result<(), ApiError> {
        let key = seq_key(channel, seq);
        let Some(row) = get::<ReceiptRow>(&self.store().receipts, &key)? else {
            return Err(ApiError::internal("a receipt is missing"));
        };
        if row.worker.is_some() {
            return Ok(());
        }
        let address = row.receipt.worker;
        let worker = match self.catalog.worker(address) {
            Some(worker) => worker,
            None => self.catalog.worker_on_chain(self.chain(), address).await?,
        };
        let request = SignRequest { job: row.job, receipt: row.receipt.clone() };
        let signed = worker.sign(&request, self.now()).await;
        let signed = signed.map_err(|error| ApiError::worker_failed(error.to_string()))?;
        let is_by = |hash, signature: &[u8]| recover(hash, signature) == Ok(address);
        let earning = earning_hash(&row.receipt);
        if !is_by(row.receipt.hash(), &signed.receipt)
            || !earning.is_some_and(|hash| is_by(hash, &signed.earning))
        {
            return Err(ApiError::worker_failed("the worker's signatures are not its own"));
        }
        let worker = Some(WorkerSignatures { receipt: signed.receipt, earning: signed.earning });
        put(&self.store().receipts, &key, &ReceiptRow { worker, ..row })
    }

    /// The channel's next claim (G6): the signed receipts that follow what is settled.
    pub(crate) fn prepare(&self, account: &Arc<Account>) -> Result<Option<Prepared>, ApiError> {
        let channel = account.row();
        let from = channel.settled_seq;
        let mut receipts = Vec::new();
        for seq in from.0..channel.next_seq.0.min(from.0.saturating_add(MOST_RECEIPTS)) {
            let key = seq_key(account.channel, ReceiptSeq(seq));
            let row = get::<ReceiptRow>(&self.store().receipts, &key)?;
            let Some(row) = row.filter(|row| row.worker.is_some()) else { break };
            receipts.push(row);
        }
        // More pairs of worker and asset than a claim has lines for: fewer receipts.
        while lines(&receipts).len() > MOST_LINES {
            receipts.pop();
        }
        let Some(last) = receipts.last() else { return Ok(None) };
        if last.receipt.cumulative <= channel.settled {
            return Ok(None);
        }
        let units = |amount: Amount| amount.to_u128().ok_or_else(|| ApiError::internal("overflow"));
        let leaves: Vec<_> = receipts.iter().map(|row| row.receipt.hash()).collect();
        let voucher = match &channel.authority {
            Authority::Grant(_) => None,
            Authority::Reservation { .. } => channel.voucher,
        };
        let claim = IChannels::Claim {
            channelId: account.channel.0,
            cumulative: U96::saturating_from(units(last.receipt.cumulative)?),
            seqFrom: U24::saturating_from(from.0),
            seqTo: U24::saturating_from(last.receipt.seq.0.saturating_add(1)),
            receiptsRoot: merkle::root(&leaves),
            voucherAmount: voucher.as_ref().map_or(0, |voucher| voucher.amount),
            voucherSignature: voucher.map_or_else(Bytes::new, |voucher| voucher.signature),
            lines: lines(&receipts),
        };
        Ok(Some(Prepared { account: Arc::clone(account), claim }))
    }

    /// Forgets the answers of requests that ended a day ago. Who was charged for what stays.
    pub(crate) fn purge_results(&self) -> Result<(), ApiError> {
        const DAY_MILLISECONDS: u64 = 86_400_000;
        let store = self.store();
        let mut batch = store.batch();
        for guard in store.results.iter() {
            let key = guard.key().map_err(ApiError::internal)?;
            let row = get::<RequestRow>(&store.requests, &key)?;
            let ended = row.and_then(|row| row.outcome).map_or(0, |outcome| outcome.ended.0);
            if self.now().0.saturating_sub(ended) > DAY_MILLISECONDS {
                batch.remove(&store.results, key);
            }
        }
        batch.commit().map_err(ApiError::internal)
    }
}

/// One line for each pair of asset and worker that earned something: its newest earning.
fn lines(receipts: &[ReceiptRow]) -> Vec<IChannels::Line> {
    let mut lines: BTreeMap<(AssetId, Address), IChannels::Line> = BTreeMap::new();
    for row in receipts {
        let receipt = &row.receipt;
        let Some(worker) = &row.worker else { continue };
        if receipt.bill.worker.is_zero() && receipt.bill.asset.is_zero() {
            continue;
        }
        lines.insert(
            (receipt.asset, receipt.worker),
            IChannels::Line {
                asset: receipt.asset.0,
                worker: receipt.worker,
                cumulativeWorker: receipt.cumulative_worker.to_u128().unwrap_or(u128::MAX),
                cumulativeAsset: receipt.cumulative_asset.to_u128().unwrap_or(u128::MAX),
                signature: worker.earning.clone(),
            },
        );
    }
    lines.into_values().collect()
}
