//! A payment and its parts.

use super::{
    DUST, pool, queue,
    storage::{FLOWS, Flow},
};
use crate::{
    assets::{
        self,
        lineage::{Row, split},
    },
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
        let (payee, source) = (row.asset, asset.0);
        let event = IRoyalties::Deposited { asset: payee.0, source, amount: part.base_units() };
        state.emit(ROYALTIES, event)?;
        if row.has_members {
            pooled = pooled.checked_add(part).map_err(overflow)?;
            deposit(state, payee, part)?;
        } else {
            let owner =
                if payee == asset { title.owner } else { assets::title(state, payee)?.owner };
            credit(state, from, (payee, owner), part)?;
        }
    }
    if from == ROYALTIES { Ok(()) } else { state.move_coin(from, ROYALTIES, pooled) }
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
fn deposit(state: &mut impl Write, asset: AssetId, part: Amount) -> Result<(), Failure> {
    let flow = FLOWS.get(state, asset)?;
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
