//! From a decoded call to its rule.

use super::{NAME, SYMBOL, rules};
use crate::{
    assets,
    dispatch::Call,
    royalties,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, Bytes, FixedBytes, U256, fixed_bytes};
use sahara_abi::{
    IContributions::{self, IContributionsCalls as Calls},
    IProtocol,
};
use sahara_primitives::{
    AssetId,
    merkle_sum::{Contribution, SumNode, SumProof, SumRoot},
};

/// What `supportsInterface` affirms: ERC-165, ERC-721, ERC-721 metadata, ERC-5192.
const INTERFACES: [FixedBytes<4>; 4] = [
    fixed_bytes!("01ffc9a7"),
    fixed_bytes!("80ac58cd"),
    fixed_bytes!("5b5e139f"),
    fixed_bytes!("b45a3c0e"),
];

/// Answers a call.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    match call.decode()? {
        Calls::commit(c) => call.change(c, |c| {
            let root = SumRoot { root: c.root, units: c.units.to(), count: c.count };
            rules::commit(state, call.caller, AssetId(c.asset), &root).map(Into::into)
        }),
        Calls::activate(c) => call.change(c, |c| {
            let activations: Vec<_> = c.activations.iter().map(activation).collect();
            Ok(U256::from(rules::activate(state, AssetId(c.asset), &activations)?))
        }),
        Calls::approve(c) => call.change(c, |c| locked(state, c.tokenId).map(Into::into)),
        Calls::transferFrom(c) => call.change(c, |c| locked(state, c.tokenId).map(Into::into)),
        Calls::safeTransferFrom_0(c) => {
            call.change(c, |c| locked(state, c.tokenId).map(Into::into))
        }
        Calls::safeTransferFrom_1(c) => {
            call.change(c, |c| locked(state, c.tokenId).map(Into::into))
        }
        Calls::setApprovalForAll(c) => call
            .change(c, |_| Err(IContributions::ContributionLocked { tokenId: U256::ZERO }.into())),
        other => view(state, call, other),
    }
}

/// Refuses to move a contribution.
fn locked(state: &mut impl Read, token: U256) -> Result<(), Failure> {
    rules::contribution(state, token)?;
    Err(IContributions::ContributionLocked { tokenId: token }.into())
}

/// Answers a function that only reads.
fn view(state: &mut impl Read, call: &Call<'_>, function: Calls) -> Result<Bytes, Failure> {
    match function {
        Calls::commitment(c) => call.view(c, |c| rules::commitment(state, AssetId(c.asset))),
        Calls::isActivated(c) => {
            call.view(c, |c| rules::is_activated(state, AssetId(c.asset), c.index))
        }
        Calls::dueFor(c) => call.view(c, |c| {
            assets::title(state, AssetId(c.asset))?;
            Ok(royalties::due_for(state, AssetId(c.asset), c.units.to())?.base_units())
        }),
        Calls::contribution(c) => call.view(c, |c| rules::contribution(state, c.tokenId)),
        Calls::locked(c) => call.view(c, |c| rules::contribution(state, c.tokenId).map(|_| true)),
        Calls::balanceOf(c) => call.view(c, |c| Ok(U256::from(rules::balance_of(state, c.owner)?))),
        Calls::ownerOf(c) => {
            call.view(c, |c| Ok(rules::contribution(state, c.tokenId)?.contributor))
        }
        Calls::name(c) => call.view(c, |_| Ok(NAME.into())),
        Calls::symbol(c) => call.view(c, |_| Ok(SYMBOL.into())),
        Calls::tokenURI(c) => call.view(c, |c| {
            let asset = rules::contribution(state, c.tokenId)?.asset;
            assets::metadata(state, AssetId(asset))
        }),
        Calls::supportsInterface(c) => call.view(c, |c| Ok(INTERFACES.contains(&c.interfaceId))),
        Calls::getApproved(c) => {
            call.view(c, |c| rules::contribution(state, c.tokenId).map(|_| Address::ZERO))
        }
        Calls::isApprovedForAll(c) => call.view(c, |_| Ok(false)),
        _ => Err(IProtocol::InvalidCall {}.into()),
    }
}

fn activation(call: &IContributions::Activation) -> (Contribution, SumProof) {
    let sibling = |s: &IContributions::Sibling| SumNode { hash: s.hash, sum: s.sum.to() };
    let leaf = Contribution { contributor: call.contributor, units: call.units.to() };
    (leaf, SumProof { index: call.index, siblings: call.proof.iter().map(sibling).collect() })
}
