//! A payment and its parts.

use super::{
    DUST, pool, queue, settlement,
    storage::{FLOWS, Flow},
};
use crate::{
    assets::{self, Title, lineage::split},
    disputes,
    state::{Failure, Read, Write, overflow},
};
use alloy_primitives::Address;
use sahara_abi::{IAssets, IProtocol, IRoyalties, ROYALTIES};
use sahara_primitives::{Amount, AssetId};

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
    let mut parts = divide(state, (asset, title), amount)?;
    take_disputed(state, from, &mut parts)?;
    let mut pooled = Amount::ZERO;
    for part in parts.iter().filter(|part| part.has_members) {
        deposit(state, part.asset, part.flow, part.amount)?;
        pooled = pooled.checked_add(part.amount).map_err(overflow)?;
    }
    for (account, amount) in credits(&parts)? {
        if account != from {
            state.move_coin(from, account, amount)?;
        }
    }
    if from != ROYALTIES {
        state.move_coin(from, ROYALTIES, pooled)?;
    }
    let amount = amount.base_units();
    let parts = parts.iter().map(Part::event).collect();
    state.emit(ROYALTIES, IRoyalties::Paid { asset: asset.0, payer, amount, parts })
}

/// One asset's part of a payment, with what decides where it goes.
#[derive(Clone, Copy, Debug)]
struct Part {
    asset: AssetId,
    amount: Amount,
    has_members: bool,
    is_disputed: bool,
    /// Who alone earns; of a pool with members zero.
    owner: Address,
    /// Of a pool with members.
    flow: Flow,
}

impl Part {
    fn read(
        state: &mut impl Read,
        (asset, has_members): (AssetId, bool),
        title: Option<Title>,
        amount: Amount,
    ) -> Result<Self, Failure> {
        let (owner, is_disputed, flow) = if has_members {
            let flow = FLOWS.get(state, asset)?;
            (Address::ZERO, flow.is_disputed, flow)
        } else {
            let title = title.map_or_else(|| assets::title(state, asset), Ok)?;
            (title.owner, title.is_disputed, Flow::default())
        };
        Ok(Self { asset, amount, has_members, is_disputed, owner, flow })
    }

    const fn event(&self) -> IRoyalties::Part {
        let (asset, amount) = (self.asset.0, self.amount.base_units());
        IRoyalties::Part { asset, account: self.owner, amount }
    }
}

/// The parts of a payment that do not round to nothing, the asset's own last.
fn divide(
    state: &mut impl Read,
    (asset, title): (AssetId, Title),
    amount: Amount,
) -> Result<Vec<Part>, Failure> {
    let rows = assets::ancestors(state, asset)?;
    let (shares, own) = split(&rows, amount)?;
    let mut parts = Vec::new();
    for (row, part) in shares.into_iter().filter(|(_, part)| !part.is_zero()) {
        parts.push(Part::read(state, (row.asset, row.has_members), None, part)?);
    }
    if !own.is_zero() {
        parts.push(Part::read(state, (asset, title.has_members), Some(title), own)?);
    }
    Ok(parts)
}

/// Leaves of each part what no dispute takes, and of the parts those that are something.
fn take_disputed(
    state: &mut impl Write,
    from: Address,
    parts: &mut Vec<Part>,
) -> Result<(), Failure> {
    if !parts.iter().any(|part| part.is_disputed) {
        return Ok(());
    }
    for part in parts.iter_mut().filter(|part| part.is_disputed) {
        part.amount = disputes::divert(state, from, part.asset, part.amount)?;
    }
    parts.retain(|part| !part.amount.is_zero());
    Ok(())
}

/// What each owner who alone earns is credited with, in the order of the parts: who owns several assets
/// is credited once.
fn credits(parts: &[Part]) -> Result<Vec<(Address, Amount)>, Failure> {
    let mut credits: Vec<(Address, Amount)> = Vec::new();
    for part in parts.iter().filter(|part| !part.has_members) {
        match credits.iter_mut().find(|(account, _)| *account == part.owner) {
            Some((_, sum)) => *sum = sum.checked_add(part.amount).map_err(overflow)?,
            None => credits.push((part.owner, part.amount)),
        }
    }
    Ok(credits)
}

/// Pays what a dispute held to those who earned it: `earner` owned the asset then; zero stands for who owns it
/// now.
///
/// # Errors
/// `UnknownAsset`, `PoolFull`.
pub(crate) fn give_back(
    state: &mut impl Write,
    from: Address,
    (asset, earner): (AssetId, Address),
    amount: Amount,
) -> Result<(), Failure> {
    if amount.is_zero() {
        return Ok(());
    }
    let title = assets::title(state, asset)?;
    let earner = if earner.is_zero() { title.owner } else { earner };
    let event =
        IRoyalties::Deposited { asset: asset.0, source: asset.0, amount: amount.base_units() };
    state.emit(ROYALTIES, event)?;
    if !title.has_members {
        return credit(state, from, (asset, earner), amount);
    }
    let flow = FLOWS.get(state, asset)?;
    let owed = settlement::owed_to_seat(state, asset)?;
    deposit(state, asset, flow, amount)?;
    state.move_coin(from, ROYALTIES, amount)?;
    if earner == title.owner {
        return Ok(());
    }
    settlement::pay_former(state, asset, earner, owed)
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
