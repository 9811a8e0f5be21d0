//! [`Account`]: one channel's money, and the only place where it is charged.
//!
//! ```text
//! deposit  >=  spent + held            G1, at every step
//! spent     =  sum of the charges of receipts 0..next_seq
//! held      =  the worst that running requests may come to; not stored, gone with the process
//! ```

use crate::{
    error::ApiError,
    progress::Progress,
    rows::{
        Authority, ChannelRow, Earned, Outcome, ReceiptRow, RequestRow, StoredAnswer, TwinRow,
        Voucher, seq_key, twin_key,
    },
    store::{Store, encode, put},
};
use alloy_primitives::B256;
use parking_lot::Mutex;
use sahara_abi::IChannels;
use sahara_client::SigningKey;
use sahara_compute::{FinishReason, sign};
use sahara_primitives::{
    Amount, BasisPoints, Bill, ChannelId, FeeRates, Milliseconds, Prices, Receipt, ReceiptSeq,
    Usage,
};
use std::sync::Arc;

/// Fees are rounded on the channel's running base: each of the two may come one unit higher.
const ROUNDING: u128 = 2;

/// One channel.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) channel: ChannelId,
    state: Mutex<State>,
    /// Held while the deposit is raised, so that requests in parallel raise it once.
    pub(crate) raising: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    row: ChannelRow,
    held: Amount,
}

/// Money held for a running request; let go when dropped.
#[derive(Debug)]
pub(crate) struct Hold {
    account: Arc<Account>,
    pub(crate) amount: Amount,
}

impl Drop for Hold {
    fn drop(&mut self) {
        let mut state = self.account.state.lock();
        state.held = state.held.saturating_sub(self.amount);
    }
}

/// Why nothing can be held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Shortage {
    /// The deposit must be raised by so much.
    Deposit(Amount),
    /// The payer signed, or allows, only so much more.
    Limit {
        /// What is left.
        left: Amount,
        /// Of what.
        of: &'static str,
    },
    /// The payer closes the channel, or it has ended.
    Closed,
}

/// What was delivered.
#[derive(Debug)]
pub(crate) struct Delivery {
    pub(crate) usage: Usage,
    pub(crate) tokens: Vec<String>,
    pub(crate) finish: Option<FinishReason>,
}

/// What a charge is written with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Books<'a> {
    pub(crate) store: &'a Store,
    pub(crate) key: &'a SigningKey,
    pub(crate) now: Milliseconds,
}

impl Account {
    pub(crate) fn new(channel: ChannelId, row: ChannelRow) -> Arc<Self> {
        let state = Mutex::new(State { row, held: Amount::ZERO });
        Arc::new(Self { channel, state, raising: tokio::sync::Mutex::new(()) })
    }

    /// A channel that was never opened.
    pub(crate) fn fresh(channel: ChannelId, authority: Authority) -> Arc<Self> {
        Self::new(
            channel,
            ChannelRow {
                authority,
                deposit: Amount::ZERO,
                rates: FeeRates::default(),
                is_open: false,
                is_closing: false,
                spent: Amount::ZERO,
                base: Amount::ZERO,
                next_seq: ReceiptSeq(0),
                previous: B256::ZERO,
                earned: Vec::new(),
                voucher: None,
                day: (0, Amount::ZERO),
                settled_seq: ReceiptSeq(0),
                settled: Amount::ZERO,
            },
        )
    }

    /// A copy of what is stored.
    pub(crate) fn row(&self) -> ChannelRow {
        self.state.lock().row.clone()
    }

    /// Changes the row and stores it.
    pub(crate) fn update<T>(
        &self,
        store: &Store,
        change: impl FnOnce(&mut ChannelRow) -> T,
    ) -> Result<T, ApiError> {
        let mut state = self.state.lock();
        let outcome = change(&mut state.row);
        put(&store.channels, self.channel.0.as_slice(), &state.row)?;
        Ok(outcome)
    }

    /// Takes over what the chain says about the channel.
    pub(crate) fn follow(&self, store: &Store, chain: &IChannels::Channel) -> Result<(), ApiError> {
        let points = |points| BasisPoints::new(points).map_err(ApiError::internal);
        let rates =
            FeeRates { protocol: points(chain.protocolFee)?, gateway: points(chain.gatewayFee)? };
        self.update(store, |row| {
            row.deposit = Amount::from_u128(chain.deposit.to());
            row.rates = rates;
            row.is_open = true;
            row.is_closing |= chain.isClosed || chain.closeRequestedAt > 0;
        })
    }

    /// The most that a usage can cost here.
    pub(crate) fn worst(
        &self,
        rates: FeeRates,
        prices: (Prices, Prices),
        usage: Usage,
    ) -> Result<Amount, ApiError> {
        let state = self.state.lock();
        let rates = if state.row.is_open { state.row.rates } else { rates };
        worst(rates, prices, usage)
    }

    /// Holds the most that a request may come to (G1), or says what is missing.
    pub(crate) fn hold(
        self: &Arc<Self>,
        worst: Amount,
        now: Milliseconds,
    ) -> Result<Hold, Shortage> {
        let mut state = self.state.lock();
        let State { row, held } = &mut *state;
        if row.is_closing || now.timestamp().0 > row.authority.valid_until() {
            return Err(Shortage::Closed);
        }
        let wanted = held.checked_add(worst).unwrap_or(Amount::from_base_units(U256_MAX));
        for (of, limit, used) in limits(row, now) {
            let left = limit.saturating_sub(used).saturating_sub(*held);
            if left < worst {
                return Err(Shortage::Limit { left, of });
            }
        }
        let missing = row.spent.checked_add(wanted).map(|sum| sum.saturating_sub(row.deposit));
        let missing = missing.unwrap_or(Amount::from_base_units(U256_MAX));
        if !missing.is_zero() {
            return Err(Shortage::Deposit(missing));
        }
        *held = wanted;
        Ok(Hold { account: Arc::clone(self), amount: worst })
    }

    /// The newest voucher counts if it is the highest.
    pub(crate) fn accept_voucher(&self, store: &Store, voucher: Voucher) -> Result<(), ApiError> {
        self.update(store, |row| {
            if row.voucher.as_ref().is_none_or(|known| known.amount < voucher.amount) {
                row.voucher = Some(voucher);
            }
        })
    }

    /// Charges a request for what was delivered: receipt, running sums, answer and outcome become
    /// one write (G2). Blocks until it is on the disk, before the answer's end leaves (G3).
    pub(crate) fn charge(
        &self,
        books: Books<'_>,
        request: (B256, &RequestRow),
        delivery: Delivery,
    ) -> Result<(Receipt, Outcome), ApiError> {
        let Books { store, key, now } = books;
        let (id, row) = request;
        let mut state = self.state.lock();
        let mut channel = state.row.clone();
        let text = delivery.tokens.concat();
        let receipt = receipt(&mut channel, self.channel, row, (&delivery, &text))?;
        let charged = receipt.bill.total().map_err(ApiError::internal)?;
        let day = now.timestamp().day();
        let today = if channel.day.0 == day { channel.day.1 } else { Amount::ZERO };
        channel.day = (day, today.checked_add(charged).map_err(ApiError::internal)?);
        let hash = receipt.hash();
        channel.previous = hash;
        let outcome = Outcome {
            ended: now,
            seq: receipt.seq,
            charged,
            usage: delivery.usage,
            finish: delivery.finish,
        };
        let signed = ReceiptRow {
            receipt,
            request: id,
            job: row.job,
            gateway_signature: sign(key, hash),
            worker: None,
        };
        let ended = RequestRow { outcome: Some(outcome), ..row.clone() };
        let answer = StoredAnswer { tokens: delivery.tokens };
        let owner = channel.authority.owner(self.channel);
        let mut batch = store.batch();
        batch.insert(&store.channels, self.channel.0.as_slice(), encode(&channel)?);
        batch.insert(&store.receipts, seq_key(self.channel, signed.receipt.seq), encode(&signed)?);
        batch.insert(&store.requests, id.as_slice(), encode(&ended)?);
        batch.insert(&store.results, id.as_slice(), store.seal_result(row.job, &answer)?);
        batch.insert(&store.twins, twin_key(owner, row.terms.body_hash), encode(&TwinRow { id })?);
        batch.remove(&store.open, id.as_slice());
        batch.commit().map_err(ApiError::internal)?;
        state.row = channel;
        drop(state);
        store.sync()?;
        Progress::remove(&store.progress_path(row.job));
        Ok((signed.receipt, outcome))
    }
}

const U256_MAX: alloy_primitives::U256 = alloy_primitives::U256::MAX;

/// The most that a usage can cost under these rates and prices (worker's, asset's).
pub(crate) fn worst(
    rates: FeeRates,
    prices: (Prices, Prices),
    usage: Usage,
) -> Result<Amount, ApiError> {
    let bill = || {
        let (worker, asset) = (prices.0.charge(usage)?, prices.1.charge(usage)?);
        let bill = Bill::new(rates, Amount::ZERO, worker, asset)?;
        bill.total()?.checked_add(Amount::from_u128(ROUNDING))
    };
    bill().map_err(ApiError::internal)
}

/// What the payer allows, beyond the deposit: (of what, at most, used).
fn limits(row: &ChannelRow, now: Milliseconds) -> Vec<(&'static str, Amount, Amount)> {
    match &row.authority {
        Authority::Grant(key) => {
            let day = now.timestamp().day();
            let today = if row.day.0 == day { row.day.1 } else { Amount::ZERO };
            let amount = |cap: alloy_primitives::aliases::U96| Amount::from_u128(cap.to());
            vec![
                ("the key's total cap", amount(key.grant.maxTotal), row.spent),
                ("the key's daily cap", amount(key.grant.maxPerDay), today),
            ]
        }
        Authority::Reservation { reservation, .. } => {
            let signed = row.voucher.as_ref().map_or(0, |voucher| voucher.amount);
            vec![
                ("the reservation", Amount::from_u128(reservation.amount.to()), row.spent),
                ("the voucher", Amount::from_u128(signed), row.spent),
            ]
        }
    }
}

/// The channel's next receipt; moves its running sums.
fn receipt(
    channel: &mut ChannelRow,
    id: ChannelId,
    row: &RequestRow,
    delivered: (&Delivery, &str),
) -> Result<Receipt, ApiError> {
    let (delivery, text) = delivered;
    let overflow = ApiError::internal;
    let terms = &row.terms;
    let worker = terms.worker_prices.charge(delivery.usage).map_err(overflow)?;
    let asset = terms.asset_prices.charge(delivery.usage).map_err(overflow)?;
    let bill = Bill::new(channel.rates, channel.base, worker, asset).map_err(overflow)?;
    channel.base = channel.base.checked_add(bill.base().map_err(overflow)?).map_err(overflow)?;
    channel.spent = channel.spent.checked_add(bill.total().map_err(overflow)?).map_err(overflow)?;
    let earned = earned(&mut channel.earned, row);
    earned.for_worker = earned.for_worker.checked_add(worker).map_err(overflow)?;
    earned.for_asset = earned.for_asset.checked_add(asset).map_err(overflow)?;
    let (cumulative_worker, cumulative_asset) = (earned.for_worker, earned.for_asset);
    let seq = channel.next_seq;
    channel.next_seq = seq
        .next()
        .ok_or_else(|| ApiError::unavailable("the channel is full: expected a new key"))?;
    Ok(Receipt {
        chain_id: row.chain_id,
        channel: id,
        seq,
        request_hash: terms.hash(),
        asset: terms.asset,
        worker: row.worker,
        model_root: row.model_root,
        class: row.class,
        usage: delivery.usage,
        worker_prices: terms.worker_prices,
        asset_prices: terms.asset_prices,
        output_hash: terms.output_hash(text),
        bill,
        cumulative: channel.spent,
        cumulative_worker,
        cumulative_asset,
        previous: channel.previous,
    })
}

fn earned<'a>(all: &'a mut Vec<Earned>, row: &RequestRow) -> &'a mut Earned {
    let is_same = |one: &Earned| one.asset == row.terms.asset && one.worker == row.worker;
    let index = all.iter().position(is_same).unwrap_or_else(|| {
        all.push(Earned {
            asset: row.terms.asset,
            worker: row.worker,
            for_worker: Amount::ZERO,
            for_asset: Amount::ZERO,
        });
        all.len().saturating_sub(1)
    });
    #[expect(clippy::indexing_slicing, reason = "found or pushed just above")]
    &mut all[index]
}
