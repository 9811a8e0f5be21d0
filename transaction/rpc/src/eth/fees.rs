//! What gas costs.

use crate::{error::Failure, node::Node};
use alloy_consensus::Transaction as _;
use alloy_eips::BlockNumberOrTag;
use alloy_primitives::{U64, U128};
use alloy_rpc_types_eth::FeeHistory;
use jsonrpsee::proc_macros::rpc;

/// The most blocks of one fee history, as go-ethereum.
const MAX_HISTORY: u64 = 1_024;
/// The most percentiles of one fee history, as go-ethereum.
const MAX_PERCENTILES: usize = 100;
/// How many blocks a suggested tip looks back.
const TIP_BLOCKS: u64 = 20;
/// What is suggested when nobody competes: a thousandth of a gwei, so that a replacement's tenth
/// more is something.
const QUIET_TIP: u128 = 1_000_000;
/// EIP-4844: what a unit of blob gas costs at least.
const MIN_BLOB_FEE: u64 = 1;

#[rpc(server, namespace = "eth")]
pub(crate) trait FeesApi {
    #[method(name = "gasPrice")]
    fn gas_price(&self) -> Result<U128, Failure>;
    #[method(name = "maxPriorityFeePerGas")]
    fn max_priority_fee(&self) -> Result<U128, Failure>;
    #[method(name = "baseFee")]
    fn base_fee(&self) -> Result<U64, Failure>;
    /// There is no blob space: the least there can be, as on other chains without.
    #[method(name = "blobBaseFee")]
    fn blob_base_fee(&self) -> Result<U64, Failure>;
    #[method(name = "feeHistory")]
    async fn fee_history(
        &self,
        count: U64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> Result<FeeHistory, Failure>;
}

#[derive(Debug)]
pub(crate) struct Fees(pub(crate) Node);

#[jsonrpsee::core::async_trait]
impl FeesApiServer for Fees {
    fn gas_price(&self) -> Result<U128, Failure> {
        let base_fee = self.0.next_base_fee(&self.0.store().head().header)?;
        Ok(U128::from(suggested_tip(&self.0)?.saturating_add(base_fee.into())))
    }

    fn max_priority_fee(&self) -> Result<U128, Failure> {
        Ok(U128::from(suggested_tip(&self.0)?))
    }

    fn base_fee(&self) -> Result<U64, Failure> {
        Ok(U64::from(self.0.next_base_fee(&self.0.store().head().header)?))
    }

    fn blob_base_fee(&self) -> Result<U64, Failure> {
        Ok(U64::from(MIN_BLOB_FEE))
    }

    async fn fee_history(
        &self,
        count: U64,
        newest: BlockNumberOrTag,
        percentiles: Option<Vec<f64>>,
    ) -> Result<FeeHistory, Failure> {
        check_percentiles(percentiles.as_deref().unwrap_or_default())?;
        self.0.compute(move |node| history(node, count.to(), newest, percentiles.as_deref())).await
    }
}

/// The median tip of the recent blocks' transactions when they compete for room; a token one
/// otherwise.
pub(crate) fn suggested_tip(node: &Node) -> Result<u128, Failure> {
    let head = node.store().head();
    let mut tips = Vec::new();
    for number in head.number.saturating_sub(TIP_BLOCKS)..=head.number {
        let Some(one) = node.store().header(number)? else { continue };
        // Less than half full: whoever pays the base fee gets in.
        if one.header.gas_used < one.header.gas_limit / 2 {
            continue;
        }
        let Some(block) = node.store().block(number)? else { continue };
        let base_fee = one.header.base_fee_per_gas.unwrap_or_default();
        let signed = block.transactions.iter().filter_map(|one| one.as_ethereum());
        tips.extend(signed.filter_map(|one| one.effective_tip_per_gas(base_fee)));
    }
    tips.sort_unstable();
    Ok(tips.get(tips.len() / 2).copied().unwrap_or_default().max(QUIET_TIP))
}

fn check_percentiles(percentiles: &[f64]) -> Result<(), Failure> {
    if percentiles.len() > MAX_PERCENTILES {
        let text = format!("over the query limit {MAX_PERCENTILES}");
        return Err(Failure::Parameters(text));
    }
    let is_ordered = percentiles.is_sorted_by(|left, right| left < right);
    if !is_ordered || !percentiles.iter().all(|one| (0.0..=100.0).contains(one)) {
        return Err(Failure::Parameters(
            "invalid reward percentile: expected rising numbers from 0 to 100".into(),
        ));
    }
    Ok(())
}

fn history(
    node: &Node,
    count: u64,
    newest: BlockNumberOrTag,
    percentiles: Option<&[f64]>,
) -> Result<FeeHistory, Failure> {
    let newest = node.number(newest.into())?.ok_or(Failure::UnknownBlock)?;
    let count = count.min(MAX_HISTORY).min(newest.saturating_add(1));
    let mut result = FeeHistory::default();
    if count == 0 {
        return Ok(result);
    }
    // What a node that joined by state has not is left out, as what was before the genesis.
    let first = node.store().first_block().min(newest);
    result.oldest_block = newest.saturating_add(1).saturating_sub(count).max(first);
    let mut rewards = Vec::new();
    for number in result.oldest_block..=newest {
        let header = node.store().header(number)?.ok_or(Failure::UnknownBlock)?.header;
        let base_fee = header.base_fee_per_gas.unwrap_or_default();
        result.base_fee_per_gas.push(base_fee.into());
        result.gas_used_ratio.push(ratio(header.gas_used, header.gas_limit));
        result.base_fee_per_blob_gas.push(MIN_BLOB_FEE.into());
        result.blob_gas_used_ratio.push(0.0);
        if let Some(percentiles) = percentiles {
            rewards.push(block_rewards(node, number, base_fee, percentiles)?);
        }
    }
    let next = match node.store().header(newest.saturating_add(1))? {
        Some(next) => next.header.base_fee_per_gas.unwrap_or_default(),
        None => node.next_base_fee(&node.store().head().header)?,
    };
    result.base_fee_per_gas.push(next.into());
    result.base_fee_per_blob_gas.push(MIN_BLOB_FEE.into());
    result.reward = percentiles.is_some().then_some(rewards);
    Ok(result)
}

/// The tips at the given percentiles of the block's gas; system transactions pay none and are left
/// out.
fn block_rewards(
    node: &Node,
    number: u64,
    base_fee: u64,
    percentiles: &[f64],
) -> Result<Vec<u128>, Failure> {
    let Some(full) = node.full_block(number)? else { return Err(Failure::UnknownBlock) };
    let (mut paid, mut before, mut total) = (Vec::new(), 0, 0_u64);
    for (transaction, receipt) in full.block.transactions.iter().zip(full.receipts.iter()) {
        let gas = receipt.cumulative_gas_used.saturating_sub(before);
        before = receipt.cumulative_gas_used;
        if let Some(signed) = transaction.as_ethereum() {
            paid.push((signed.effective_tip_per_gas(base_fee).unwrap_or_default(), gas));
            total = total.saturating_add(gas);
        }
    }
    paid.sort_unstable();
    let (mut rewards, mut sum, mut rest) = (Vec::new(), 0_u64, paid.iter().peekable());
    for percentile in percentiles {
        let threshold = share(total, *percentile);
        while let Some((_, gas)) = rest.peek()
            && sum.saturating_add(*gas) < threshold
        {
            sum = sum.saturating_add(*gas);
            rest.next();
        }
        let tip = rest.peek().or(paid.last().as_ref()).map_or(0, |(tip, _)| *tip);
        rewards.push(tip);
    }
    Ok(rewards)
}

#[expect(clippy::cast_precision_loss, reason = "a ratio for display")]
fn ratio(part: u64, whole: u64) -> f64 {
    if whole == 0 { 0.0 } else { part as f64 / whole as f64 }
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "the percentile is checked to be from 0 to 100, gas is far below 2^53"
)]
fn share(total: u64, percentile: f64) -> u64 {
    (total as f64 * percentile / 100.0) as u64
}
