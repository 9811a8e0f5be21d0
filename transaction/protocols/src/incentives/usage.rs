//! Rounds by settled usage: awards computed from what channels settled, without a list that anyone must trust.
//!
//! The channels keep, for every channel, asset and worker, what was earned on it, and with the channel its
//! payer and the protocol fee it was opened with. So the fees that the use of an asset brought the incentive
//! pool are there already: paying for an answer costs nothing more for being counted. The owner names the
//! channels, the chain adds up the fees of unrelated payers that were never counted before, and when
//! counting is over each asset's income is its part of the round, at most what was counted for it.

use super::{
    LONGEST, MOST_SERVED,
    programmes::{give_back, keep, managed, numbered, set_aside},
    storage::{COUNTED, USAGE, USAGE_ROUNDS},
    usage_words::{Usage, UsageRound},
};
use crate::{
    assets,
    channels::{self, ServedUse},
    royalties,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{IAssets, IIncentives, INCENTIVES as ADDRESS};
use sahara_primitives::{Amount, AssetId, BasisPoints, ChannelId};
use std::collections::BTreeSet;

pub(super) fn find(state: &mut impl Read, number: u64) -> Result<UsageRound, Failure> {
    let found = numbered(state, &USAGE_ROUNDS, number)?;
    found.ok_or_else(|| IIncentives::UnknownRound { round: number }.into())
}

/// Opens a round and sets its coin aside.
///
/// # Errors
/// `UnknownProgramme`, `OnlyManager`, `ProgrammeOver`, `InvalidPlan`, `BudgetExceeded`.
pub(super) fn open(
    state: &mut impl Write,
    caller: Address,
    round: UsageRound,
) -> Result<u64, Failure> {
    let programme = managed(state, caller, round.programme)?;
    let UsageRound { total, count_until, closes_at, terms, .. } = round;
    let now = state.block().timestamp.0;
    let is_timed = now < count_until && count_until < closes_at;
    if total == 0 || !is_timed || closes_at > now.saturating_add(LONGEST) {
        return Err(IIncentives::InvalidPlan {}.into());
    }
    set_aside(state, round.programme, programme, total)?;
    let number = USAGE_ROUNDS.push(state, (), &UsageRound { left: total, ..round })?;
    let number = number.saturating_add(1);
    let event = IIncentives::UsageRoundOpened {
        round: number,
        programme: round.programme,
        total: U256::from(total),
        countUntil: count_until,
        closesAt: closes_at,
        terms,
    };
    state.emit(ADDRESS, event)?;
    Ok(number)
}

/// Who has a part in an asset beside its members: its owner, its own account, and the owners of ancestors
/// that take a share.
fn insiders(state: &mut impl Read, asset: AssetId) -> Result<BTreeSet<Address>, Failure> {
    let mut insiders = BTreeSet::from([assets::title(state, asset)?.owner]);
    insiders.insert(assets::account_of(state, asset)?);
    for row in assets::ancestors(state, asset)? {
        if row.share > BasisPoints::ZERO {
            insiders.insert(assets::title(state, row.asset)?.owner);
        }
    }
    Ok(insiders)
}

/// Whether the payer earned from its own use, as far as accounts show it.
fn is_related(
    state: &mut impl Read,
    (asset, worker): (AssetId, Address),
    insiders: &BTreeSet<Address>,
    served: &ServedUse,
) -> Result<bool, Failure> {
    let payer = served.payer;
    let is_known = payer == worker || insiders.contains(&payer);
    Ok(is_known || royalties::units_of(state, asset, payer)? > 0)
}

/// Counts fees that the use of an asset brought; what is related, or was counted before, counts nothing.
/// Returns what it added.
///
/// # Errors
/// `UnknownRound`, `TooLate`, `UnknownAsset`, `NotOwner`, `InvalidPlan` for more than 64 entries,
/// `NothingToCount`.
pub(super) fn count(
    state: &mut impl Write,
    caller: Address,
    (number, asset): (u64, u64),
    entries: &[IIncentives::Served],
) -> Result<u128, Failure> {
    let mut round = find(state, number)?;
    if state.block().timestamp.0 >= round.count_until {
        return Err(IIncentives::TooLate { until: round.count_until }.into());
    }
    let id = AssetId(asset);
    let owner = assets::title(state, id)?.owner;
    if caller != owner {
        return Err(IAssets::NotOwner { asset, owner, caller }.into());
    }
    if entries.len() > MOST_SERVED {
        return Err(IIncentives::InvalidPlan {}.into());
    }
    let insiders = insiders(state, id)?;
    let mut added = 0_u128;
    for entry in entries {
        let (channel, worker) = (ChannelId(entry.channelId), entry.worker);
        let served = channels::served(state, channel, id, worker)?;
        if is_related(state, (id, worker), &insiders, &served)? {
            continue;
        }
        let fees = COUNTED.update(state, (channel, id, worker), |counted| {
            let fresh = U256::from(served.fees).saturating_sub(*counted);
            *counted = U256::from(served.fees).max(*counted);
            Ok(u128::try_from(fresh).unwrap_or_default())
        })?;
        if fees == 0 {
            continue;
        }
        added = added.saturating_add(fees);
        state.emit(
            ADDRESS,
            IIncentives::UsageCounted {
                round: number,
                asset,
                channelId: entry.channelId,
                worker,
                payer: served.payer,
                fees: U256::from(fees),
            },
        )?;
    }
    if added == 0 {
        return Err(IIncentives::NothingToCount { round: number, asset }.into());
    }
    USAGE.update(state, (number, asset), |usage| {
        usage.fees = usage.fees.saturating_add(added);
        Ok(())
    })?;
    round.counted = round.counted.saturating_add(added);
    keep(state, &USAGE_ROUNDS, number, &round)?;
    Ok(added)
}

/// An asset's part of a round: by fees, rounded down, at most the fees.
fn part(round: &UsageRound, fees: u128) -> u128 {
    let share = U256::from(round.total).saturating_mul(U256::from(fees));
    let share = share.checked_div(U256::from(round.counted)).unwrap_or_default();
    u128::try_from(share).unwrap_or(fees).min(fees)
}

/// Pays an asset its part, as income: all who made it possible have their share of it.
///
/// # Errors
/// `UnknownRound`, `TooEarly` while fees are counted, `TooLate`, `NothingToAward`.
pub(super) fn award(state: &mut impl Write, number: u64, asset: u64) -> Result<u128, Failure> {
    let mut round = find(state, number)?;
    let now = state.block().timestamp.0;
    if now < round.count_until {
        return Err(IIncentives::TooEarly { from: round.count_until }.into());
    }
    if now >= round.closes_at {
        return Err(IIncentives::TooLate { until: round.closes_at }.into());
    }
    let fees = USAGE.update(state, (number, asset), |usage| {
        let was_paid = std::mem::replace(&mut usage.is_paid, true);
        Ok(if was_paid { 0 } else { usage.fees })
    })?;
    let amount = part(&round, fees);
    if amount == 0 {
        return Err(IIncentives::NothingToAward { round: number, asset }.into());
    }
    round.left = round.left.saturating_sub(amount);
    keep(state, &USAGE_ROUNDS, number, &round)?;
    let coin = Amount::from_u128(amount);
    royalties::pay_from(state, ADDRESS, ADDRESS, AssetId(asset), coin)?;
    let (fees, shown) = (U256::from(fees), U256::from(amount));
    state.emit(ADDRESS, IIncentives::UsageAwarded { round: number, asset, fees, amount: shown })?;
    Ok(amount)
}

/// Returns what no asset got.
///
/// # Errors
/// `UnknownRound`, `TooEarly`.
pub(super) fn close(state: &mut impl Write, number: u64) -> Result<(), Failure> {
    let mut round = find(state, number)?;
    if state.block().timestamp.0 < round.closes_at {
        return Err(IIncentives::TooEarly { from: round.closes_at }.into());
    }
    let returned = std::mem::take(&mut round.left);
    keep(state, &USAGE_ROUNDS, number, &round)?;
    give_back(state, round.programme, returned)?;
    let returned = U256::from(returned);
    state.emit(ADDRESS, IIncentives::UsageRoundClosed { round: number, returned })
}

pub(super) fn shown(round: &UsageRound) -> IIncentives::UsageRound {
    IIncentives::UsageRound {
        programme: round.programme,
        countUntil: round.count_until,
        closesAt: round.closes_at,
        total: U256::from(round.total),
        left: U256::from(round.left),
        counted: U256::from(round.counted),
        terms: round.terms,
    }
}

/// What was counted for an asset, and what it gets if nothing more is counted for anyone.
pub(super) fn standing(
    state: &mut impl Read,
    number: u64,
    asset: u64,
) -> Result<IIncentives::usageReturn, Failure> {
    let round = find(state, number)?;
    let Usage { fees, is_paid } = USAGE.get(state, (number, asset))?;
    Ok(IIncentives::usageReturn {
        fees: U256::from(fees),
        amount: U256::from(part(&round, fees)),
        isPaid: is_paid,
    })
}

/// What counting an entry would add now.
pub(super) fn countable(
    state: &mut impl Read,
    asset: u64,
    entry: &IIncentives::Served,
) -> Result<IIncentives::countableReturn, Failure> {
    let (id, channel, worker) = (AssetId(asset), ChannelId(entry.channelId), entry.worker);
    let insiders = insiders(state, id)?;
    let served = channels::served(state, channel, id, worker)?;
    let counted = COUNTED.get(state, (channel, id, worker))?;
    Ok(IIncentives::countableReturn {
        payer: served.payer,
        fees: U256::from(served.fees).saturating_sub(counted),
        isRelated: is_related(state, (id, worker), &insiders, &served)?,
    })
}

/// A round to be.
pub(super) const fn planned(call: &IIncentives::openUsageRoundCall, total: u128) -> UsageRound {
    UsageRound {
        programme: call.programme,
        count_until: call.countUntil,
        closes_at: call.closesAt,
        left: 0,
        total,
        counted: 0,
        terms: call.terms,
    }
}
