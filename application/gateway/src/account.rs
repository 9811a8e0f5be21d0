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
        Voucher, WorkerSignatures, seq_key, twin_key,
    },
    store::{Store, encode, put},
    sums::{U256_MAX, limits, receipt, skip_to, worst},
};
use alloy_primitives::B256;
use parking_lot::Mutex;
use sahara_abi::IChannels;
use sahara_client::SigningKey;
use sahara_compute::{FinishReason, sign};
use sahara_primitives::{
    Amount, BasisPoints, ChannelId, FeeRates, Milliseconds, Prices, Receipt, ReceiptSeq, Usage,
};
use std::sync::Arc;

/// The most receipts of a channel that wait for settlement: at a second each round and 256 a claim,
/// four rounds. It is also how many numbers are left out when records were lost, so that none is
/// given out twice.
pub(crate) const MOST_UNSETTLED: u32 = 1_024;
/// One channel.
#[derive(Debug)]
pub(crate) struct Account {
    pub(crate) channel: ChannelId,
    state: Mutex<State>,
    /// Held while the deposit is raised, so that requests in parallel raise it once.
    pub(crate) raising: tokio::sync::Mutex<()>,
    /// Held from proposing a receipt to its worker until it is written: receipts come one by one.
    pub(crate) signing: tokio::sync::Mutex<()>,
    /// The trace of the last request, which settling goes on with.
    trace: Mutex<Option<String>>,
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
    /// So many receipts wait for their settlement that no more are written.
    Backlog,
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
        Arc::new(Self {
            channel,
            state,
            raising: tokio::sync::Mutex::new(()),
            signing: tokio::sync::Mutex::new(()),
            trace: Mutex::default(),
        })
    }

    /// Notes the trace of a request; settling its receipt becomes a part of it.
    pub(crate) fn set_trace(&self, trace: Option<String>) {
        if trace.is_some() {
            *self.trace.lock() = trace;
        }
    }

    /// The trace of the last request since the last settlement.
    pub(crate) fn take_trace(&self) -> Option<String> {
        self.trace.lock().take()
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
                skipped: None,
                is_adopted: false,
            },
        )
    }

    /// A copy of what is stored.
    pub(crate) fn row(&self) -> ChannelRow {
        self.state.lock().row.clone()
    }

    /// Changes the row and stores it. A reservation is stored once it is open on chain: until then
    /// anybody can sign any number of them.
    pub(crate) fn update<T>(
        &self,
        store: &Store,
        change: impl FnOnce(&mut ChannelRow) -> T,
    ) -> Result<T, ApiError> {
        let mut state = self.state.lock();
        let outcome = change(&mut state.row);
        if state.row.is_open || matches!(state.row.authority, Authority::Grant(_)) {
            put(&store.channels, self.channel.0.as_slice(), &state.row)?;
        }
        Ok(outcome)
    }

    /// Goes on from what the chain knows, when this store knows less: numbers that may have been
    /// given out are left out for good (G6).
    pub(crate) fn adopt(
        &self,
        store: &Store,
        chain: &IChannels::Channel,
        earned: Vec<Earned>,
    ) -> Result<(), ApiError> {
        let seq = ReceiptSeq(chain.seq.to());
        let settled = Amount::from_u128(chain.settled.to());
        self.update(store, |row| {
            (row.settled_seq, row.settled, row.spent) = (seq, settled, settled);
            row.base = Amount::from_u128(chain.base.to());
            row.previous = B256::ZERO;
            row.earned = earned;
            row.is_adopted = true;
            skip_to(row, ReceiptSeq(seq.0.saturating_add(MOST_UNSETTLED)));
        })
    }

    /// Leaves out numbers that a worker has signed and this store does not know.
    pub(crate) fn skip_to(&self, store: &Store, next: ReceiptSeq) -> Result<(), ApiError> {
        self.update(store, |row| {
            row.is_adopted = true;
            skip_to(row, next);
        })
    }

    /// Takes over what the chain says about the channel, but not what it has paid.
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
        if !worst.is_zero() && row.unsettled() >= MOST_UNSETTLED {
            return Err(Shortage::Backlog);
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

    /// What limits and running requests leave.
    pub(crate) fn left(&self, now: Milliseconds) -> Amount {
        let state = self.state.lock();
        let left = limits(&state.row, now)
            .into_iter()
            .map(|(_, limit, used)| limit.saturating_sub(used).saturating_sub(state.held));
        left.min().unwrap_or_default()
    }

    /// The newest voucher counts if it is the highest.
    pub(crate) fn accept_voucher(&self, store: &Store, voucher: Voucher) -> Result<(), ApiError> {
        self.update(store, |row| {
            if row.voucher.as_ref().is_none_or(|known| known.amount < voucher.amount) {
                row.voucher = Some(voucher);
            }
        })
    }

    /// Lets `amount` count as held, whatever is left: it was held when the request was admitted,
    /// before the process ended.
    pub(crate) fn hold_again(self: &Arc<Self>, amount: Amount) -> Hold {
        let mut state = self.state.lock();
        state.held = state.held.checked_add(amount).unwrap_or(state.held);
        Hold { account: Arc::clone(self), amount }
    }

    /// The receipt that a delivery would have now. Under [`Self::signing`] it stays the next.
    pub(crate) fn propose(
        &self,
        row: &RequestRow,
        delivery: &Delivery,
    ) -> Result<Receipt, ApiError> {
        let mut channel = self.row();
        receipt(&mut channel, self.channel, row, (delivery, &delivery.tokens.concat()))
    }

    /// Charges a request for what was delivered: receipt, running sums, answer and outcome become
    /// one write (G2). Blocks until it is on the disk, before the answer's end leaves (G3).
    pub(crate) fn charge(
        &self,
        books: Books<'_>,
        request: (B256, &RequestRow),
        delivery: Delivery,
        signed: (B256, WorkerSignatures),
    ) -> Result<Outcome, ApiError> {
        let Books { store, key, now } = books;
        let ((id, row), (proposed, worker)) = (request, signed);
        let mut state = self.state.lock();
        let mut channel = state.row.clone();
        let text = delivery.tokens.concat();
        let receipt = receipt(&mut channel, self.channel, row, (&delivery, &text))?;
        let hash = receipt.hash();
        if hash != proposed {
            return Err(ApiError::internal("the channel moved on while its receipt was signed"));
        }
        let charged = receipt.bill.total().map_err(ApiError::internal)?;
        channel.previous = hash;
        let outcome = Outcome {
            ended: now,
            seq: receipt.seq,
            charged,
            usage: delivery.usage,
            finish: delivery.finish,
        };
        let gateway_signature = sign(key, hash);
        let signed = ReceiptRow {
            receipt,
            uses: row.right.uses(delivery.usage),
            request: id,
            job: row.job,
            gateway_signature,
            worker,
        };
        let ended = RequestRow { outcome: Some(outcome), ..row.clone() };
        let answer = StoredAnswer { tokens: delivery.tokens };
        let owner = channel.authority.owner(self.channel);
        let mut batch = store.batch();
        batch.insert(&store.channels, self.channel.0.as_slice(), encode(&channel)?);
        batch.insert(&store.receipts, seq_key(self.channel, signed.receipt.seq), encode(&signed)?);
        batch.insert(&store.requests, id.as_slice(), encode(&ended)?);
        batch.insert(&store.results, id.as_slice(), store.seal_result(row.job, &answer)?);
        batch.insert(&store.twins, twin_key(owner, row.fingerprint()), encode(&TwinRow { id })?);
        batch.remove(&store.open, id.as_slice());
        batch.commit().map_err(ApiError::internal)?;
        state.row = channel;
        drop(state);
        store.sync()?;
        Progress::remove(&store.progress_path(row.job));
        Ok(outcome)
    }
}
