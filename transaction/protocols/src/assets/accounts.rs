//! An asset's own account (ERC-6551): where it is, and why nothing ever owns itself.
//!
//! The account's address follows from the asset's id; its code is a proxy of ten lines that anyone may
//! place there with the registry, before or after coin and assets arrive. What it holds moves with the
//! asset.

use super::{
    ownership::transfers_of,
    record::Title,
    storage::{ACCOUNTS, TAKEN, TITLES},
    views::title,
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, B256, Keccak256, U256};
use sahara_abi::{ACCOUNT_REGISTRY, ASSET_ACCOUNT, ASSETS, IAssets};
use sahara_primitives::AssetId;

/// Accounts that own each other stand at most so deep: an agent's dataset's part and a few more, and
/// 16 look-ups of at most 2,100 gas twice.
pub const MAX_NESTING: usize = 16;

/// Gas for the two hashes of an address: of 183 and of 85 bytes.
const ADDRESS_GAS: u64 = 90;

/// ERC-1167: before the implementation, and after it.
const PROXY: ([u8; 20], [u8; 15]) = (
    alloy_primitives::hex!("3d60ad80600a3d3981f3363d3d373d3d3d363d73"),
    alloy_primitives::hex!("5af43d82803e903d91602b57fd5bf3"),
);

/// Where the account of an id is, by ERC-6551's rule with salt 0.
fn place(state: &mut impl Read, id: AssetId) -> Result<Address, Failure> {
    state.charge(ADDRESS_GAS)?;
    let word = |number: U256| number.to_be_bytes::<32>();
    let chain = word(U256::from(state.block().chain_id));
    let code = [
        &PROXY.0[..],
        ASSET_ACCOUNT.as_slice(),
        &PROXY.1,
        B256::ZERO.as_slice(),
        &chain,
        ASSETS.into_word().as_slice(),
        &word(id.into()),
    ]
    .concat();
    Ok(ACCOUNT_REGISTRY.create2_from_code(B256::ZERO, code))
}

/// The asset's own account.
///
/// # Errors
/// `UnknownAsset`.
pub fn account_of(state: &mut impl Read, id: AssetId) -> Result<Address, Failure> {
    title(state, id)?;
    place(state, id)
}

/// The asset whose own account this is; 0 for any other address.
///
/// # Errors
/// Those of the state.
pub fn asset_of(state: &mut impl Read, account: Address) -> Result<AssetId, Failure> {
    ACCOUNTS.get(state, account)
}

/// Notes the account of a new asset.
pub(super) fn found(state: &mut impl Write, id: AssetId) -> Result<(), Failure> {
    let account = place(state, id)?;
    ACCOUNTS.set(state, account, &id)
}

/// Refuses an owner that is the asset's own account or stands below it, where nobody could ever act
/// for either.
pub(super) fn refuse_cycle(state: &mut impl Read, id: AssetId, to: Address) -> Result<(), Failure> {
    let mut owner = to;
    for _ in 0..MAX_NESTING {
        let above = asset_of(state, owner)?;
        if above == id {
            return Err(IAssets::OwnershipCycle { asset: id.0, to }.into());
        }
        if above.0 == 0 {
            return Ok(());
        }
        let Title { owner: next, .. } = TITLES.get(state, above)?;
        owner = next;
    }
    Err(IAssets::OwnershipTooDeep { to, most: U256::from(MAX_NESTING) }.into())
}

/// Counts that `operator` took something out of `account` by its leave: an allowance, an operator or an
/// approval. If that is an asset's account, it and all accounts above it stand differently now; what an
/// account does itself is counted by its own code.
///
/// Nothing owns itself, so the way up ends; each step is paid for.
///
/// # Errors
/// Those of the state.
pub(crate) fn count_taken(
    state: &mut impl Write,
    operator: Address,
    account: Address,
) -> Result<(), Failure> {
    if operator == account {
        return Ok(());
    }
    let mut holder = account;
    loop {
        let id = asset_of(state, holder)?;
        if id.0 == 0 {
            return Ok(());
        }
        count(state, id)?;
        holder = TITLES.get(state, id)?.owner;
    }
}

/// Counts that the owner gave somebody leave to derive from the asset, or took a right to it itself: a
/// derivative, or the next version. Whoever is buying the asset has not agreed to that.
///
/// # Errors
/// Those of the state.
pub(super) fn count_given(state: &mut impl Write, id: AssetId) -> Result<(), Failure> {
    count(state, id)
}

/// Counts that a complaint about the asset was upheld: what it earns is divided otherwise from now on, or it is
/// no longer sold. Whoever is buying it has not agreed to that.
///
/// # Errors
/// Those of the state.
pub(crate) fn count_corrected(state: &mut impl Write, id: AssetId) -> Result<(), Failure> {
    count(state, id)
}

fn count(state: &mut impl Write, id: AssetId) -> Result<(), Failure> {
    TAKEN.update(state, id, |taken| {
        *taken = taken.saturating_add(1);
        Ok(())
    })
}

/// Gas for the hash of a name: of 16 bytes for each asset.
const NAME_GAS: u64 = 60;

/// The name under which leave that an account gives is kept: its address, but of an asset's own account
/// another one after each transfer of the asset or of one above it. So nothing that was allowed before a
/// sale is allowed after it.
///
/// # Errors
/// Those of the state.
pub(crate) fn giver(state: &mut impl Read, account: Address) -> Result<Address, Failure> {
    let (mut holder, mut above) = (account, Vec::new());
    loop {
        let id = asset_of(state, holder)?;
        if id.0 == 0 {
            break;
        }
        let title = TITLES.get(state, id)?;
        above.push((id, transfers_of(state, id, &title)?));
        holder = title.owner;
    }
    if above.iter().all(|(_, transfers)| *transfers == 0) {
        return Ok(account);
    }
    let mut hasher = Keccak256::new();
    for (id, transfers) in above {
        state.charge(NAME_GAS)?;
        hasher.update(id.0.to_be_bytes());
        hasher.update(transfers.to_be_bytes());
    }
    Ok(Address::from_word(hasher.finalize()))
}

/// How often others took something out of the asset's own account, and its owner rights to the asset.
///
/// # Errors
/// Those of the state.
pub(crate) fn taken_of(state: &mut impl Read, id: AssetId) -> Result<u64, Failure> {
    TAKEN.get(state, id)
}
