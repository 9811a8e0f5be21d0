//! A payment and its parts.

use super::{
    DUST, pool, queue,
    storage::{FLOWS, Flow},
};
use crate::{
    assets::{
        self, Title,
        lineage::{Row, split},
    },
    disputes,
    state::{Failure, Write, overflow},
};
use alloy_primitives::Address;
use sahara_abi::{IAssets, IProtocol, IRoyalties, ROYALTIES};
use sahara_primitives::{Amount, AssetId, BasisPoints};

/// Divides `amount`, which `from` holds, among those who made `asset` possible; `payer` is named in
/// the log. Coin goes straight to owners who alone earn, the rest to the royalties' account.
///
/// # Errors
/// `UnknownAsset`, `NotSealed`, `PoolFull`; `ERC20InsufficientBalance` when `from` holds less.
pub fn pay_from(
    state: &mut impl Write,
    from: Address,
    payer: Address,
    asset: AssetId,
    amount: Amount,
) -> Result<(), Failure> {
    let title = assets::title(state, asset)?;
    if !title.is_sealed {
        return Err(IAssets::NotSealed { asset: asset.0 }.into());
    }
    if amount.is_zero() {
        return Ok(());
    }
    let event = IRoyalties::Paid { asset: asset.0, payer, amount: amount.base_units() };
    state.emit(ROYALTIES, event)?;
    let rows = assets::ancestors(state, asset)?;
    let (mut parts, own) = split(&rows, amount)?;
    let own_row = Row { asset, share: BasisPoints::ZERO, has_members: title.has_members };
    parts.push((own_row, own));
    let mut pooled = Amount::ZERO;
    for (row, part) in parts.into_iter().filter(|(_, part)| !part.is_zero()) {
        let way = (from, asset);
        if row.has_members {
            let part = pay_pool(state, way, row.asset, part)?;
            pooled = pooled.checked_add(part).map_err(overflow)?;
        } else {
            let title = if row.asset == asset { title } else { assets::title(state, row.asset)? };
            pay_owner(state, way, (row.asset, title), part)?;
        }
    }
    if from == ROYALTIES { Ok(()) } else { state.move_coin(from, ROYALTIES, pooled) }
}

fn log_deposit(
    state: &mut impl Write,
    payee: AssetId,
    source: AssetId,
    part: Amount,
) -> Result<(), Failure> {
    let (asset, source) = (payee.0, source.0);
    let event = IRoyalties::Deposited { asset, source, amount: part.base_units() };
    state.emit(ROYALTIES, event)
}

/// Puts a part into a pool; returns what is left of it after what disputes take.
fn pay_pool(
    state: &mut impl Write,
    (from, source): (Address, AssetId),
    payee: AssetId,
    part: Amount,
) -> Result<Amount, Failure> {
    let flow = FLOWS.get(state, payee)?;
    let rest = if flow.is_disputed { disputes::divert(state, from, payee, part)? } else { part };
    if rest.is_zero() {
        return Ok(rest);
    }
    log_deposit(state, payee, source, rest)?;
    deposit(state, payee, flow, rest)?;
    Ok(rest)
}

/// Pays a part to an owner who alone earns, after what disputes take.
fn pay_owner(
    state: &mut impl Write,
    (from, source): (Address, AssetId),
    (payee, title): (AssetId, Title),
    part: Amount,
) -> Result<(), Failure> {
    let rest = if title.is_disputed { disputes::divert(state, from, payee, part)? } else { part };
    if rest.is_zero() {
        return Ok(());
    }
    log_deposit(state, payee, source, rest)?;
    credit(state, from, (payee, title.owner), rest)
}

/// Pays what a dispute held to those who earned it.
///
/// # Errors
/// `UnknownAsset`, `PoolFull`.
pub(crate) fn give_back(
    state: &mut impl Write,
    from: Address,
    asset: AssetId,
    amount: Amount,
) -> Result<(), Failure> {
    if amount.is_zero() {
        return Ok(());
    }
    let title = assets::title(state, asset)?;
    log_deposit(state, asset, asset, amount)?;
    if !title.has_members {
        return credit(state, from, (asset, title.owner), amount);
    }
    let flow = FLOWS.get(state, asset)?;
    deposit(state, asset, flow, amount)?;
    state.move_coin(from, ROYALTIES, amount)
}

/// Says in the pool's own word whether a dispute has a claim on what comes in.
pub(crate) fn mark(
    state: &mut impl Write,
    asset: AssetId,
    is_disputed: bool,
) -> Result<(), Failure> {
    FLOWS.update(state, asset, |flow| {
        flow.is_disputed = is_disputed;
        Ok(())
    })
}

/// Pays an owner who alone earns.
fn credit(
    state: &mut impl Write,
    from: Address,
    (asset, account): (AssetId, Address),
    part: Amount,
) -> Result<(), Failure> {
    if from != account {
        state.move_coin(from, account, part)?;
    }
    let event = IRoyalties::Settled { asset: asset.0, account, amount: part.base_units() };
    state.emit(ROYALTIES, event)
}

/// Puts a part into a pool with members: one word, and a place in the queue if it has none.
fn deposit(
    state: &mut impl Write,
    asset: AssetId,
    flow: Flow,
    part: Amount,
) -> Result<(), Failure> {
    let deposited = part.to_u128().and_then(|part| flow.deposited.checked_add(part));
    let deposited = deposited
        .filter(|deposited| *deposited < pool::CAPACITY)
        .ok_or(IRoyalties::PoolFull { asset: asset.0 })?;
    // Members that the sweep has passed in this round need another one.
    let is_dirty = flow.is_dirty || (flow.is_queued && flow.cursor > 0);
    let mut flow = Flow { deposited, is_dirty, ..flow };
    if !flow.is_queued && Amount::from_u128(flow.waiting()) >= DUST {
        flow.is_queued = queue::push(state, asset)?;
    }
    FLOWS.set(state, asset, &flow)
}

/// Pays coin that came with a call.
///
/// # Errors
/// As [`pay_from`]; `Overflow` never.
pub(super) fn pay(
    state: &mut impl Write,
    payer: Address,
    asset: AssetId,
    amount: Amount,
) -> Result<(), Failure> {
    if amount.to_u128().is_none() {
        return Err(IProtocol::Overflow {}.into());
    }
    pay_from(state, ROYALTIES, payer, asset, amount)
}
