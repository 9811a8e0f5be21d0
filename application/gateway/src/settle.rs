//! Settling: from signed receipts to everyone's balance.
//!
//! One round at a time: everything signed that the payers' limits take goes into one `claimBatch`,
//! and the next round starts when it is final. What does not fit goes in parts. A channel whose claim is
//! refused rests a while, so that it does not hold up the others. What became of a claim is read from the
//! channel's `seq` on chain, whoever sent it and whenever.

use crate::{
    account::Account,
    chain::{ChainError, Mined},
    error::ApiError,
    gateway::Gateway,
    rows::{Authority, ChannelRow, ClaimRow, ReceiptRow, seq_key},
    store::{get, put},
    sums::collectable,
};
use alloy_primitives::{
    Address, B256, Bytes, Log,
    aliases::{U24, U96},
};
use alloy_sol_types::SolEvent;
use sahara_abi::{CHANNELS, IChannels};
use sahara_client::Log as RpcLog;
use sahara_compute::payments;
use sahara_primitives::{
    Amount, AssetId, BlockNumber, ChannelId, LicenseId, ReceiptSeq, Timestamp, merkle,
};
use sahara_telemetry::{TRACE, follow, traceparent};
use std::{
    collections::{BTreeMap, HashMap},
    sync::Arc,
    time::Duration,
};
use tokio::time::{Instant, MissedTickBehavior, interval};
use tracing::{Instrument as _, debug_span};

/// Channels in one transaction: at about 100,000 gas a claim, three million. Where assets have many
/// ancestors it is more than a transaction may have, and fewer are taken.
const MOST_CLAIMS: usize = 32;
/// Receipts in one claim; a backlog takes several rounds.
const MOST_RECEIPTS: usize = 256;
/// Lines in one claim; the protocol takes 64.
const MOST_LINES: usize = 64;
/// How often what could not be settled is tried again.
const RETRY_EVERY: Duration = Duration::from_secs(1);
/// How long a refused channel rests.
const REST: Duration = Duration::from_secs(15);

/// How long a channel rests of which nothing can be claimed now, as at a daily cap: less than a
/// retry, so that it is looked at with every one, and others have its place until then.
const SHORT_REST: Duration = Duration::from_millis(900);

/// A claim that is ready.
#[derive(Clone, Debug)]
pub(crate) struct Prepared {
    account: Arc<Account>,
    pub(crate) claim: IChannels::Claim,
    /// What its receipts used of licences.
    pub(crate) uses: Vec<IChannels::Use>,
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
        self.charge_owed().await;
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
        self.submit_parts(ready, resting).await
    }

    /// Settles claims together; in halves where one is refused or they take more than a transaction may
    /// have, and one alone with fewer lines. Whether any went through.
    async fn submit_parts(&self, ready: Vec<Prepared>, resting: &mut Resting) -> bool {
        let mut any = false;
        let mut parts = vec![ready];
        while let Some(mut part) = parts.pop() {
            let Err(error) = self.submit(&part).await else {
                any = true;
                continue;
            };
            let is_without_effect =
                matches!(error, ChainError::Refused { .. } | ChainError::TooMuch(_));
            if is_without_effect && part.len() > 1 {
                let rest = part.split_off(part.len().div_euclid(2));
                parts.extend([rest, part]);
                continue;
            }
            if let (ChainError::TooMuch(_), [one]) = (&error, part.as_slice())
                && let Some(less) = self.prepare_less(one)
            {
                parts.push(vec![less]);
                continue;
            }
            tracing::warn!(%error, claims = part.len(), "a claim did not go through");
            for one in &part {
                any |= self.resolve(one, resting).await;
            }
        }
        any
    }

    async fn submit(&self, ready: &[Prepared]) -> Result<(), ChainError> {
        let claims = ready.iter().map(|one| one.claim.clone()).collect();
        let uses = ready.iter().flat_map(|one| one.uses.clone()).collect();
        let span = debug_span!(target: TRACE, "gateway.settle", channels = ready.len());
        if let Some(trace) = ready.iter().find_map(|one| one.account.take_trace()) {
            follow(&span, &trace);
        }
        let claim = sahara_client::traced(traceparent(&span), self.chain().claim(claims, uses));
        let started = Instant::now();
        let mined = claim.instrument(span).await;
        self.metrics.claim(mined.is_ok(), started.elapsed());
        let mined = mined?;
        for one in ready {
            if let Err(error) = self.settled(&one.account, &mined) {
                tracing::error!(%error, "a settled claim was not written down");
            }
        }
        Ok(())
    }

    /// Finds out what became of a claim whose outcome is unknown or that was refused: perhaps it,
    /// or an earlier one, is settled already.
    async fn resolve(&self, one: &Prepared, resting: &mut Resting) -> bool {
        let account = &one.account;
        match self.adopt(account).await {
            Ok(true) => true,
            Ok(false) if self.has_other_day(account).await => true,
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

    /// Whether the chain has collected another amount today than this store believed.
    async fn has_other_day(&self, account: &Account) -> bool {
        let before = account.row().day;
        match self.follow_day(account).await {
            Ok(()) => account.row().day != before,
            Err(error) => {
                tracing::warn!(%error, "the day's use of a key is unknown");
                false
            }
        }
    }

    /// Takes over claims that are on chain and not in the store; whether there were any.
    async fn adopt(&self, account: &Arc<Account>) -> Result<bool, ApiError> {
        let before = account.row().settled_seq;
        if self.follow(account).await?.is_none_or(|seq| seq <= before) {
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
        let settled = mined.logs.first().and_then(|log| log.block_timestamp).map(Timestamp);
        let settled = settled.unwrap_or_else(|| self.now().timestamp());
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
            settled,
            log_index: u64::try_from(index).map_err(ApiError::internal)?,
            payments: payments(&logs, account.channel, self.address()),
        };
        put(&self.store().claims, &seq_key(account.channel, from), &row)?;
        let uses = match self.rights.is_idle() {
            true => BTreeMap::new(),
            false => self.uses_of(account.channel, (from, to))?,
        };
        let mut is_new = false;
        let is_done = account.update(self.store(), |channel| {
            is_new = channel.settled_seq == from;
            if is_new {
                channel.settled_seq = to;
                let amount = Amount::from_u128(event.amount.to());
                add_to_day(channel, settled.day(), amount);
                channel.settled = channel.settled.checked_add(amount).unwrap_or(channel.settled);
            }
            channel.settled_seq >= channel.next_seq
        })?;
        if is_new {
            self.rights.counted(&uses);
        }
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

    /// The channel's next claim (G6): of the receipts that follow what is settled, as many as the
    /// payer's limits take now. The rest follows, under a daily cap on the next day.
    pub(crate) fn prepare(&self, account: &Arc<Account>) -> Result<Option<Prepared>, ApiError> {
        self.prepare_lines(account, MOST_LINES)
    }

    /// A claim again with half its lines: each pays an asset, and what that costs is up to its ancestors.
    fn prepare_less(&self, one: &Prepared) -> Option<Prepared> {
        let most = one.claim.lines.len().div_euclid(2);
        if most == 0 {
            return None;
        }
        let prepared = self.prepare_lines(&one.account, most);
        prepared.inspect_err(|error| tracing::error!(%error, "a claim cannot be prepared")).ok()?
    }

    fn prepare_lines(
        &self,
        account: &Arc<Account>,
        most_lines: usize,
    ) -> Result<Option<Prepared>, ApiError> {
        let channel = account.row();
        let from = channel.settled_seq;
        let most = collectable(&channel, self.now())?;
        let mut receipts: Vec<ReceiptRow> = Vec::new();
        for seq in from.0..channel.next_seq.0 {
            let key = seq_key(account.channel, ReceiptSeq(seq));
            // A number that was left out has no receipt.
            let Some(row) = get::<ReceiptRow>(&self.store().receipts, &key)? else { continue };
            if receipts.len() == MOST_RECEIPTS || row.receipt.cumulative > most {
                break;
            }
            receipts.push(row);
        }
        // More pairs of worker and asset than a claim has lines for: fewer receipts.
        while lines(&receipts).len() > most_lines {
            receipts.pop();
        }
        let Some(last) = receipts.last() else { return Ok(None) };
        if last.receipt.cumulative <= channel.settled {
            return Ok(None);
        }
        let units = |amount: Amount| amount.to_u128().ok_or_else(|| ApiError::internal("overflow"));
        let to = last.receipt.seq.0.saturating_add(1);
        let voucher = match &channel.authority {
            Authority::Grant(_) => None,
            Authority::Reservation { .. } => channel.voucher,
        };
        let claim = IChannels::Claim {
            channelId: account.channel.0,
            cumulative: U96::saturating_from(units(last.receipt.cumulative)?),
            seqFrom: U24::saturating_from(from.0),
            seqTo: U24::saturating_from(to),
            receiptsRoot: merkle::root(&leaves(from.0..to, &receipts)),
            voucherAmount: voucher.as_ref().map_or(0, |voucher| voucher.amount),
            voucherSignature: voucher.map_or_else(Bytes::new, |voucher| voucher.signature),
            lines: lines(&receipts),
        };
        let mut used_licenses = BTreeMap::<LicenseId, u64>::new();
        receipts.iter().for_each(|row| add_uses(&mut used_licenses, row));
        let used = |(license, count): (LicenseId, u64)| IChannels::Use {
            channelId: account.channel.0,
            license: license.into(),
            count,
        };
        let uses = used_licenses.into_iter().map(used).collect();
        Ok(Some(Prepared { account: Arc::clone(account), claim, uses }))
    }

    /// What the receipts of a channel with these numbers used of licences.
    pub(crate) fn uses_of(
        &self,
        channel: ChannelId,
        (from, to): (ReceiptSeq, ReceiptSeq),
    ) -> Result<BTreeMap<LicenseId, u64>, ApiError> {
        let mut uses = BTreeMap::new();
        for seq in from.0..to.0 {
            let row = get(&self.store().receipts, &seq_key(channel, ReceiptSeq(seq)))?;
            row.iter().for_each(|row| add_uses(&mut uses, row));
        }
        Ok(uses)
    }
}

fn add_uses(uses: &mut BTreeMap<LicenseId, u64>, row: &ReceiptRow) {
    if row.uses > 0 {
        let sum = uses.entry(row.receipt.license).or_default();
        *sum = sum.saturating_add(row.uses);
    }
}

/// The chain counts a claim on the day of its block.
fn add_to_day(channel: &mut ChannelRow, day: u64, amount: Amount) {
    let before = if channel.day.0 == day { channel.day.1 } else { Amount::ZERO };
    if channel.day.0 <= day {
        channel.day = (day, before.checked_add(amount).unwrap_or(before));
    }
}

/// The leaf of each number: its receipt, or nothing where it was left out.
fn leaves(range: std::ops::Range<u32>, receipts: &[ReceiptRow]) -> Vec<B256> {
    let hash = |row: &ReceiptRow| (row.receipt.seq.0, row.receipt.hash());
    let hashes: BTreeMap<_, _> = receipts.iter().map(hash).collect();
    range.map(|seq| hashes.get(&seq).copied().unwrap_or_default()).collect()
}

/// One line for each pair of asset and worker that earned something: its newest earning.
fn lines(receipts: &[ReceiptRow]) -> Vec<IChannels::Line> {
    let mut lines: BTreeMap<(AssetId, Address), IChannels::Line> = BTreeMap::new();
    for row in receipts {
        let receipt = &row.receipt;
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
                signature: row.worker.earning.clone(),
            },
        );
    }
    lines.into_values().collect()
}
