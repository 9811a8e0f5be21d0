//! Collecting: from what was earned to everyone's balance, in one call.

use super::open::{bonded, check_signer};
use super::storage::{ALLOWANCES, BALANCES, EARNINGS, GRANTED, PROGRESS, TERMS};
use super::views::{check_closable, known};
use super::words::{Balance, Earning, Progress, Terms};
use super::{CLAIM_GRACE_SECONDS, MAX_LINES};
use crate::state::{Failure, Read, Write, overflow};
use crate::{licenses, royalties, workers};
use alloy_primitives::{Address, U256, aliases::U96};
use alloy_sol_types::SolStruct;
use sahara_abi::{CHANNELS as ADDRESS, IChannels, INCENTIVE_POOL, signing};
use sahara_primitives::{Amount, AssetId, Bill, ChannelId, Overflow, Timestamp};
use std::collections::BTreeMap;

/// Gas of an EIP-712 signing hash of a voucher or an earning.
const TYPED_HASH_GAS: u64 = 300;

/// Collects what receipts say and pays everyone they name; only the channels' gateway.
///
/// # Errors
/// [`IChannels::UnknownChannel`], [`IChannels::NotGateway`], [`IChannels::ChannelClosed`],
/// [`IChannels::StaleClaim`], [`IChannels::EmptyRange`], [`IChannels::TooManyLines`],
/// [`IChannels::NothingToCollect`], those of its lines, [`IChannels::PartsDoNotAddUp`],
/// [`IChannels::DepositExceeded`], those of the voucher or of the grant's caps, and those of
/// [`royalties::pay_from`].
pub fn claim_batch(
    state: &mut impl Write,
    caller: Address,
    claims: &[IChannels::Claim],
) -> Result<(), Failure> {
    let mut payouts = Payouts::default();
    for claim in claims {
        collect(state, caller, claim, &mut payouts)?;
    }
    payouts.pay(state, caller)
}

/// Collects, and counts what the receipts used of the payers' licences: in one call, so that neither
/// happens without the other and no receipt is counted twice.
///
/// # Errors
/// Those of [`claim_batch`], [`IChannels::NotClaimed`] for a channel that is not among the claims.
pub fn claim_and_count(
    state: &mut impl Write,
    caller: Address,
    claims: &[IChannels::Claim],
    uses: &[IChannels::Use],
) -> Result<(), Failure> {
    claim_batch(state, caller, claims)?;
    for one in uses {
        let channel_id = one.channelId;
        if !claims.iter().any(|claim| claim.channelId == channel_id) {
            return Err(IChannels::NotClaimed { channelId: channel_id }.into());
        }
        let payer = TERMS.get(state, ChannelId(channel_id))?.payer;
        licenses::count_served(state, caller, (one.license, payer), one.count)?;
    }
    Ok(())
}

/// What one call owes to whom; sums, so that each payee is paid once.
#[derive(Debug, Default)]
struct Payouts {
    workers: BTreeMap<Address, Amount>,
    assets: BTreeMap<(AssetId, Address), Amount>,
    protocol_fee: Amount,
    gateway_fee: Amount,
}

impl Payouts {
    fn add(
        &mut self,
        payer: Address,
        line: &IChannels::Line,
        delta: Earning,
    ) -> Result<(), Overflow> {
        let worker = self.workers.entry(line.worker).or_default();
        *worker = worker.checked_add(Amount::from_u128(delta.worker))?;
        let asset = self.assets.entry((AssetId(line.asset), payer)).or_default();
        *asset = asset.checked_add(Amount::from_u128(delta.asset))?;
        Ok(())
    }

    fn add_fees(&mut self, bill: &Bill) -> Result<(), Overflow> {
        self.protocol_fee = self.protocol_fee.checked_add(bill.protocol_fee)?;
        self.gateway_fee = self.gateway_fee.checked_add(bill.gateway_fee)?;
        Ok(())
    }

    fn pay(self, state: &mut impl Write, gateway: Address) -> Result<(), Failure> {
        let fees = [(INCENTIVE_POOL, self.protocol_fee), (gateway, self.gateway_fee)];
        for (payee, amount) in self.workers.into_iter().chain(fees) {
            if !amount.is_zero() {
                state.move_coin(ADDRESS, payee, amount)?;
            }
        }
        for ((asset, payer), amount) in self.assets {
            if !amount.is_zero() {
                royalties::pay_from(state, ADDRESS, payer, asset, amount)?;
            }
        }
        Ok(())
    }
}

/// A channel during a claim.
struct Open {
    id: ChannelId,
    balance: Balance,
    progress: Progress,
    terms: Terms,
    now: Timestamp,
    chain_id: u64,
}

fn collect(
    state: &mut impl Write,
    caller: Address,
    claim: &IChannels::Claim,
    payouts: &mut Payouts,
) -> Result<(), Failure> {
    let mut channel = Open::load(state, caller, claim)?;
    let bill = channel.earn(state, &claim.lines, payouts)?;
    channel.check_sum(claim, &bill)?;
    channel.authorise(state, claim)?;

    channel.balance.settled = claim.cumulative.saturating_to();
    channel.balance.seq = claim.seqTo.saturating_to();
    let base = bill.base().map_err(overflow)?.base_units();
    channel.progress.base = U256::from(channel.progress.base).saturating_add(base).saturating_to();
    BALANCES.set(state, channel.id, &channel.balance)?;
    PROGRESS.set(state, channel.id, &channel.progress)?;
    payouts.add_fees(&bill).map_err(overflow)?;
    channel.announce(state, claim, &bill)
}

impl Open {
    /// The channel, when it is the caller's turn to claim these receipts.
    fn load(
        state: &mut impl Read,
        caller: Address,
        claim: &IChannels::Claim,
    ) -> Result<Self, Failure> {
        let id = ChannelId(claim.channelId);
        let progress = known(state, id)?;
        let gateway = progress.gateway;
        if caller != gateway {
            return Err(IChannels::NotGateway { caller, gateway }.into());
        }
        let balance = BALANCES.get(state, id)?;
        check_closable(&balance, id)?;
        check_range(&balance, claim)?;
        let block = state.block();
        let terms = TERMS.get(state, id)?;
        let (now, chain_id) = (block.timestamp, block.chain_id);
        Ok(Self { id, balance, progress, terms, now, chain_id })
    }

    /// Takes every line and bills their sum on the channel's running base.
    fn earn(
        &self,
        state: &mut impl Write,
        lines: &[IChannels::Line],
        payouts: &mut Payouts,
    ) -> Result<Bill, Failure> {
        if lines.len() > MAX_LINES {
            let (lines, most) = (U256::from(lines.len()), U256::from(MAX_LINES));
            return Err(IChannels::TooManyLines { lines, most }.into());
        }
        let (mut worker, mut asset) = (Amount::ZERO, Amount::ZERO);
        for line in lines {
            let delta = self.earn_line(state, line)?;
            payouts.add(self.terms.payer, line, delta).map_err(overflow)?;
            worker = worker.checked_add(Amount::from_u128(delta.worker)).map_err(overflow)?;
            asset = asset.checked_add(Amount::from_u128(delta.asset)).map_err(overflow)?;
        }
        let base = Amount::from_u128(self.progress.base);
        Bill::new(self.terms.rates, base, worker, asset).map_err(overflow)
    }

    fn earn_line(
        &self,
        state: &mut impl Write,
        line: &IChannels::Line,
    ) -> Result<Earning, Failure> {
        let (asset, worker) = (AssetId(line.asset), line.worker);
        let key = (self.id, asset, worker);
        let newer = Earning { worker: line.cumulativeWorker, asset: line.cumulativeAsset };
        let delta = EARNINGS.get(state, key)?.delta(newer);
        let delta = delta.ok_or(IChannels::StaleLine { asset: asset.0, worker })?;
        if self.balance.is_restricted && !GRANTED.get(state, (self.id, asset))? {
            return Err(IChannels::AssetNotGranted { asset: asset.0 }.into());
        }
        if !workers::may_earn(state, worker, asset, Timestamp(self.terms.opened_at))? {
            return Err(IChannels::WorkerNotRegistered { worker, asset: asset.0 }.into());
        }
        let earning = IChannels::Earning {
            channelId: self.id.0,
            asset: asset.0,
            cumulativeWorker: newer.worker,
            cumulativeAsset: newer.asset,
        };
        self.check_signed(state, &earning, &line.signature, worker)?;
        EARNINGS.set(state, key, &newer)?;
        state.emit(
            ADDRESS,
            IChannels::Earned {
                channelId: self.id.0,
                asset: asset.0,
                worker,
                workerAmount: U256::from(delta.worker),
                assetAmount: U256::from(delta.asset),
            },
        )?;
        Ok(delta)
    }

    /// The claim asks for exactly what its parts and fees add up to, and the deposit covers it.
    fn check_sum(&self, claim: &IChannels::Claim, bill: &Bill) -> Result<(), Failure> {
        let settled = Amount::from_u128(self.balance.settled);
        let expected = bill.total().and_then(|total| settled.checked_add(total));
        let expected = expected.map_err(overflow)?.base_units();
        let cumulative = U256::from(claim.cumulative);
        if expected != cumulative {
            return Err(IChannels::PartsDoNotAddUp { expected, cumulative }.into());
        }
        let deposit = U256::from(self.balance.deposit);
        if cumulative > deposit {
            return Err(IChannels::DepositExceeded { cumulative, deposit }.into());
        }
        Ok(())
    }

    /// The payer signed for it, or its grant allows it.
    fn authorise(&self, state: &mut impl Write, claim: &IChannels::Claim) -> Result<(), Failure> {
        if self.balance.is_grant {
            return self.spend_allowance(state, claim.cumulative);
        }
        let (cumulative, signed) = (U256::from(claim.cumulative), U256::from(claim.voucherAmount));
        if cumulative > signed {
            return Err(IChannels::VoucherTooSmall { cumulative, voucherAmount: signed }.into());
        }
        let voucher =
            IChannels::Voucher { channelId: self.id.0, cumulativeAmount: claim.voucherAmount };
        self.check_signed(state, &voucher, &claim.voucherSignature, self.terms.payer)
    }

    fn spend_allowance(&self, state: &mut impl Write, cumulative: U96) -> Result<(), Failure> {
        bonded(state, self.progress.gateway)?;
        let mut allowance = ALLOWANCES.get(state, self.id)?;
        let valid_until = allowance.valid_until;
        if self.now.0 > valid_until.saturating_add(CLAIM_GRACE_SECONDS) {
            let timestamp = self.now.0;
            return Err(IChannels::Expired { validUntil: valid_until, timestamp }.into());
        }
        let settled = Amount::from_u128(self.balance.settled);
        let charged = Amount::from_base_units(U256::from(cumulative)).checked_sub(settled);
        allowance.spend(charged.map_err(overflow)?, self.now)?;
        ALLOWANCES.set(state, self.id, &allowance)
    }

    fn check_signed(
        &self,
        state: &mut impl Read,
        message: &impl SolStruct,
        signature: &[u8],
        signer: Address,
    ) -> Result<(), Failure> {
        state.charge(TYPED_HASH_GAS)?;
        let hash = message.eip712_signing_hash(&signing::channels_domain(self.chain_id));
        check_signer(state, hash, signature, signer)
    }

    fn announce(
        &self,
        state: &mut impl Write,
        claim: &IChannels::Claim,
        bill: &Bill,
    ) -> Result<(), Failure> {
        let total = bill.total().map_err(overflow)?.base_units();
        state.emit(
            ADDRESS,
            IChannels::Collected {
                channelId: self.id.0,
                payer: self.terms.payer,
                gateway: self.progress.gateway,
                amount: total.saturating_to(),
                seqFrom: claim.seqFrom,
                seqTo: claim.seqTo,
                receiptsRoot: claim.receiptsRoot,
            },
        )?;
        state.emit(
            ADDRESS,
            IChannels::FeesPaid {
                channelId: self.id.0,
                protocolFee: bill.protocol_fee.base_units(),
                gatewayFee: bill.gateway_fee.base_units(),
            },
        )
    }
}

fn check_range(balance: &Balance, claim: &IChannels::Claim) -> Result<(), Failure> {
    let (channel_id, seq_from, seq_to) = (claim.channelId, claim.seqFrom, claim.seqTo);
    if seq_from.saturating_to::<u32>() != balance.seq {
        let seq = alloy_primitives::aliases::U24::saturating_from(balance.seq);
        return Err(IChannels::StaleClaim { channelId: channel_id, seq, seqFrom: seq_from }.into());
    }
    if seq_to <= seq_from {
        return Err(IChannels::EmptyRange { seqFrom: seq_from, seqTo: seq_to }.into());
    }
    if claim.cumulative.saturating_to::<u128>() <= balance.settled {
        return Err(IChannels::NothingToCollect { channelId: channel_id }.into());
    }
    Ok(())
}
