//! Crediting what was earned.

use super::{
    DUST, FRUITLESS_LOOKS, MAX_SETTLED_POOLS, POOLS_BEFORE_TRANSACTION, accounts,
    pool::Accumulator,
    storage::{FLOWS, Flow, LISTINGS, MEMBERS, Member, PAST, SEATS, Seat, TERMS},
};
use crate::{
    assets,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{IRoyalties, ROYALTIES};
use sahara_primitives::{Amount, AssetId};

/// What an account has in a pool: as a member, and as the seat's holder.
#[derive(Clone, Copy, Debug)]
pub(super) struct Holding {
    pub(super) flow: Flow,
    pub(super) member: Member,
    pub(super) seat: Seat,
    pub(super) is_owner: bool,
    pub(super) owed_member: u128,
    pub(super) owed_seat: u128,
}

pub(super) fn overpaid() -> Failure {
    Failure::Fatal("a pool paid more than it was due".into())
}

impl Holding {
    /// Reads what `account` has in the pool of `asset`.
    pub(super) fn read(
        state: &mut impl Read,
        account: Address,
        asset: AssetId,
    ) -> Result<Self, Failure> {
        let (flow, terms) = (FLOWS.get(state, asset)?, TERMS.get(state, asset)?);
        let accumulator = Accumulator::after(flow.deposited, terms.units);
        let member = MEMBERS.get(state, (asset, account))?;
        let seat = SEATS.get(state, asset)?;
        let is_owner = seat.units > 0 && assets::title(state, asset)?.owner == account;
        let mut owed_seat = 0;
        if is_owner && terms.is_closed {
            owed_seat = accumulator.owed(seat.units, seat.paid).ok_or_else(overpaid)?;
        }
        let owed_member = accumulator.owed(member.units, member.paid).ok_or_else(overpaid)?;
        Ok(Self { flow, member, seat, is_owner, owed_member, owed_seat })
    }

    /// Everything the account is owed.
    pub(super) fn owed(&self) -> Result<u128, Failure> {
        self.owed_member.checked_add(self.owed_seat).ok_or_else(overpaid)
    }
}

/// Credits an account with what it earned in one pool, if that is at least `least`.
pub(super) fn settle_pool(
    state: &mut impl Write,
    account: Address,
    asset: AssetId,
    least: u128,
) -> Result<Amount, Failure> {
    // Most pools that are looked at have nothing new: one word says so.
    if FLOWS.get(state, asset)?.waiting() < least {
        return Ok(Amount::ZERO);
    }
    let holding = Holding::read(state, account, asset)?;
    let owed = holding.owed()?;
    if owed == 0 || owed < least {
        return Ok(Amount::ZERO);
    }
    let add = |paid: u128, part: u128| paid.checked_add(part).ok_or_else(overpaid);
    if holding.owed_member > 0 {
        let paid = add(holding.member.paid, holding.owed_member)?;
        MEMBERS.set(state, (asset, account), &Member { paid, ..holding.member })?;
    }
    if holding.owed_seat > 0 {
        let paid = add(holding.seat.paid, holding.owed_seat)?;
        SEATS.update(state, asset, |seat| {
            seat.paid = paid;
            Ok(())
        })?;
    }
    let paid = add(holding.flow.paid, owed)?;
    FLOWS.set(state, asset, &Flow { paid, ..holding.flow })?;
    pay_out(state, asset, account, owed)
}

/// What a pool owes the holder of its seat.
pub(super) fn owed_to_seat(state: &mut impl Read, asset: AssetId) -> Result<u128, Failure> {
    let (flow, terms) = (FLOWS.get(state, asset)?, TERMS.get(state, asset)?);
    let seat = SEATS.get(state, asset)?;
    let accumulator = Accumulator::after(flow.deposited, terms.units);
    accumulator.owed(seat.units, seat.paid).ok_or_else(overpaid)
}

/// Pays a former holder of the seat what that is owed beyond `before`: it earned it while it held the seat.
pub(super) fn pay_former(
    state: &mut impl Write,
    asset: AssetId,
    former: Address,
    before: u128,
) -> Result<(), Failure> {
    let due = owed_to_seat(state, asset)?.saturating_sub(before);
    if due == 0 {
        return Ok(());
    }
    let add = |paid: u128| paid.checked_add(due).ok_or_else(overpaid);
    SEATS.update(state, asset, |seat| {
        (seat.paid, seat.paid_before) = (add(seat.paid)?, add(seat.paid_before)?);
        Ok(())
    })?;
    PAST.update(state, (asset, former), |past| {
        *past = past.saturating_add(U256::from(due));
        Ok(())
    })?;
    FLOWS.update(state, asset, |flow| {
        flow.paid = add(flow.paid)?;
        Ok(())
    })?;
    pay_out(state, asset, former, due).map(|_| ())
}

/// Moves what was settled, and says so.
pub(super) fn pay_out(
    state: &mut impl Write,
    asset: AssetId,
    account: Address,
    owed: u128,
) -> Result<Amount, Failure> {
    let amount = Amount::from_u128(owed);
    state.move_coin(ROYALTIES, account, amount)?;
    let event = IRoyalties::Settled { asset: asset.0, account, amount: amount.base_units() };
    state.emit(ROYALTIES, event)?;
    Ok(amount)
}

/// Credits `account` with what it earned in these pools; returns the sum.
///
/// # Errors
/// `TooManyPools`.
pub fn settle(
    state: &mut impl Write,
    account: Address,
    pools: &[AssetId],
) -> Result<Amount, Failure> {
    if pools.len() > MAX_SETTLED_POOLS {
        let (pools, most) = (U256::from(pools.len()), U256::from(MAX_SETTLED_POOLS));
        return Err(IRoyalties::TooManyPools { pools, most }.into());
    }
    let mut sum = Amount::ZERO;
    for asset in pools {
        let amount = settle_pool(state, account, *asset, 1)?;
        sum = sum.checked_add(amount).map_err(crate::state::overflow)?;
    }
    Ok(sum)
}

/// Credits the sender of a transaction with what it earned, before the transaction executes, so that
/// it can be spent in it: up to [`POOLS_BEFORE_TRANSACTION`] pools, round-robin, no dust, until
/// [`FRUITLESS_LOOKS`] in a row had nothing.
///
/// Its work is the sender's gas and stays when the transaction reverts. An account in no pool costs
/// one read.
///
/// # Errors
/// Those of the state; after one nothing of it may stay, the caller rolls back.
pub fn before_transaction(state: &mut impl Write, sender: Address) -> Result<(), Failure> {
    let mut listing = LISTINGS.get(state, sender)?;
    if listing.number == 0 {
        return Ok(());
    }
    let least = DUST.to_u128().unwrap_or(u128::MAX);
    let turns = listing.number.min(POOLS_BEFORE_TRANSACTION);
    let (mut position, mut fruitless) = (listing.cursor, 0_u32);
    for _ in 0..turns {
        if fruitless >= FRUITLESS_LOOKS {
            break;
        }
        let asset = accounts::entry(state, sender, &listing, position)?;
        let paid = settle_pool(state, sender, asset, least)?;
        fruitless = if paid.is_zero() { fruitless.saturating_add(1) } else { 0 };
        position = position.saturating_add(1);
        if position >= listing.number {
            position = 0;
        }
    }
    if position != listing.cursor {
        listing.cursor = position;
        LISTINGS.set(state, sender, &listing)?;
    }
    Ok(())
}
