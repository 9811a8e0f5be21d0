//! A channel's sums: what a usage can cost, what the payer allows, and the next receipt.

use crate::{
    account::Delivery,
    error::ApiError,
    rows::{Authority, ChannelRow, Earned, RequestRow},
};
use sahara_primitives::{
    Amount, Bill, ChannelId, FeeRates, Milliseconds, Prices, Receipt, ReceiptSeq, Timestamp, Usage,
};

/// Fees are rounded on the channel's running base: each of the two may come one unit higher.
const ROUNDING: u128 = 2;

/// How far the chain's clock may be behind this one, in seconds: until then a day that has begun
/// here may not have begun there.
const CLOCK_SKEW: u64 = 60;

pub(crate) const U256_MAX: alloy_primitives::U256 = alloy_primitives::U256::MAX;

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

/// What the chain has collected on the day it is there, or may still be.
fn collected_today(row: &ChannelRow, now: Milliseconds) -> Amount {
    let today = Timestamp(now.timestamp().0.saturating_sub(CLOCK_SKEW)).day();
    if row.day.0 >= today { row.day.1 } else { Amount::ZERO }
}

/// Up to which cumulative amount the chain takes a claim now.
pub(crate) fn collectable(channel: &ChannelRow, now: Milliseconds) -> Result<Amount, ApiError> {
    let limit = match &channel.authority {
        Authority::Grant(key) => {
            let per_day = Amount::from_u128(key.grant.maxPerDay.to());
            let left = per_day.saturating_sub(collected_today(channel, now));
            channel.settled.checked_add(left).map_err(ApiError::internal)?
        }
        Authority::Reservation { .. } => {
            Amount::from_u128(channel.voucher.as_ref().map_or(0, |voucher| voucher.amount))
        }
    };
    Ok(limit.min(channel.deposit))
}

/// What the payer allows, beyond the deposit: (of what, at most, used).
pub(crate) fn limits(row: &ChannelRow, now: Milliseconds) -> Vec<(&'static str, Amount, Amount)> {
    match &row.authority {
        Authority::Grant(key) => {
            let amount = |cap: alloy_primitives::aliases::U96| Amount::from_u128(cap.to());
            // The chain counts a claim on its own day: what is not collected yet counts for every
            // day on which it may be.
            let unsettled = row.spent.saturating_sub(row.settled);
            let today = collected_today(row, now).checked_add(unsettled);
            vec![
                ("the key's total cap", amount(key.grant.maxTotal), row.spent),
                (
                    "the key's daily cap",
                    amount(key.grant.maxPerDay),
                    today.unwrap_or(Amount::from_base_units(U256_MAX)),
                ),
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
pub(crate) fn receipt(
    channel: &mut ChannelRow,
    id: ChannelId,
    row: &RequestRow,
    delivered: (&Delivery, &str),
) -> Result<Receipt, ApiError> {
    let (delivery, text) = delivered;
    let overflow = ApiError::internal;
    let terms = &row.terms;
    let worker = terms.worker_prices.charge(delivery.usage).map_err(overflow)?;
    let asset_prices = row.asset_prices();
    let asset = asset_prices.charge(delivery.usage).map_err(overflow)?;
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
        license: row.right.license,
        worker: row.worker,
        model_root: row.model_root,
        class: row.class,
        usage: delivery.usage,
        worker_prices: terms.worker_prices,
        asset_prices,
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

/// The next receipt gets this number, if it is not lower than the next.
pub(crate) fn skip_to(row: &mut ChannelRow, next: ReceiptSeq) {
    if next > row.next_seq {
        let from = match row.skipped {
            // Nothing was written since the last time.
            Some((from, to)) if to == row.next_seq && from >= row.settled_seq => from,
            _ => row.next_seq.max(row.settled_seq),
        };
        row.skipped = Some((from, next));
        row.next_seq = next;
    }
}
