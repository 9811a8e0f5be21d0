//! From a decoded call to its rule.

use super::{
    NAME, SYMBOL, accounts,
    ownership::{self, TOKENS, approved, royalty_info},
    record::Edge,
    registration::{self, Registration},
    versions, views,
};
use crate::{
    dispatch::Call,
    royalties::Share,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Bytes, FixedBytes, U256, fixed_bytes};
use sahara_abi::{
    IAssets::{self, Derivatives, IAssetsCalls as Calls, Kind},
    IProtocol,
};
use sahara_primitives::{Amount, AssetId, BasisPoints, Price, Prices};

/// What `supportsInterface` affirms: ERC-165, ERC-721, ERC-721 metadata, ERC-2981.
const INTERFACES: [FixedBytes<4>; 4] = [
    fixed_bytes!("01ffc9a7"),
    fixed_bytes!("80ac58cd"),
    fixed_bytes!("5b5e139f"),
    fixed_bytes!("2a55205a"),
];

/// Answers a call.
pub(crate) fn call(state: &mut impl Write, call: &Call<'_>) -> Result<Bytes, Failure> {
    let caller = call.caller;
    match call.decode()? {
        Calls::register(c) => call.change(c, |c| {
            Ok(registration::register(state, caller, &registration_of(c.registration)?)?.0)
        }),
        Calls::addMembers(c) => call.change(c, |c| {
            registration::add_members(state, caller, AssetId(c.asset), &shares(&c.members))
                .map(Into::into)
        }),
        Calls::seal(c) => {
            call.change(c, |c| registration::seal(state, caller, AssetId(c.asset)).map(Into::into))
        }
        Calls::setPrices(c) => call.change(c, |c| {
            let prices = prices_of(c.inputPrice, c.outputPrice);
            registration::set_prices(state, caller, AssetId(c.asset), prices).map(Into::into)
        }),
        Calls::approveDerivative(c) => call.change(c, |c| {
            let approval = (c.creator, c.isApproved);
            registration::approve_derivative(state, caller, AssetId(c.parent), approval)
                .map(Into::into)
        }),
        Calls::approve(c) => {
            call.change(c, |c| ownership::approve(state, caller, c.to, c.tokenId).map(Into::into))
        }
        Calls::setApprovalForAll(c) => call.change(c, |c| {
            ownership::set_approval_for_all(state, caller, c.operator, c.approved).map(Into::into)
        }),
        Calls::transferFrom(c) => call.change(c, |c| {
            ownership::transfer_from(state, caller, (c.from, c.to), c.tokenId).map(Into::into)
        }),
        Calls::safeTransferFrom_0(c) => call.change(c, |_| Err(Failure::CallsOut)),
        Calls::safeTransferFrom_1(c) => call.change(c, |_| Err(Failure::CallsOut)),
        Calls::transferFor(c) => call.change(c, |c| {
            let path = (c.from, c.to);
            ownership::transfer_for(state, caller, c.operator, path, c.tokenId).map(Into::into)
        }),
        other => view(state, call, other),
    }
}

/// Answers a function that only reads.
fn view(state: &mut impl Read, call: &Call<'_>, function: Calls) -> Result<Bytes, Failure> {
    match function {
        Calls::assetCount(c) => call.view(c, |_| views::count(state)),
        Calls::asset(c) => call.view(c, |c| views::asset(state, AssetId(c.asset))),
        Calls::edges(c) => call.view(c, |c| {
            let edges = views::edges(state, AssetId(c.asset))?.into_iter();
            let edge = |e: Edge| IAssets::Edge { parent: e.parent.0, relation: e.relation };
            Ok(edges.map(edge).collect())
        }),
        Calls::ancestors(c) => call.view(c, |c| {
            views::title(state, AssetId(c.asset))?;
            let rows = views::ancestors(state, AssetId(c.asset))?.into_iter();
            Ok(rows
                .map(|r| IAssets::Ancestor { asset: r.asset.0, share: r.share.points() })
                .collect())
        }),
        Calls::preview(c) => call.view(c, |c| {
            let (edges, royalty) = (edges_of(&c.edges)?, ratio(c.derivativeRoyalty)?);
            let amount = Amount::from_base_units(c.amount);
            let (parts, room) = views::preview(state, &edges, royalty, amount)?;
            Ok(IAssets::previewReturn { parts, room })
        }),
        Calls::balanceOf(c) => {
            call.view(c, |c| Ok(U256::from(ownership::balance_of(state, c.owner)?)))
        }
        Calls::ownerOf(c) => call.view(c, |c| ownership::owner_of(state, c.tokenId)),
        Calls::getApproved(c) => call.view(c, |c| approved(state, c.tokenId)),
        Calls::isApprovedForAll(c) => {
            call.view(c, |c| TOKENS.is_operator(state, c.owner, c.operator))
        }
        Calls::accountOf(c) => call.view(c, |c| accounts::account_of(state, AssetId(c.asset))),
        Calls::assetOf(c) => call.view(c, |c| Ok(accounts::asset_of(state, c.account)?.0)),
        Calls::versionOf(c) => call.view(c, |c| {
            let standing = versions::version_of(state, AssetId(c.asset))?;
            let (first, number, latest) = (standing.first.0, standing.number, standing.latest.0);
            Ok(IAssets::versionOfReturn { first, number, latest })
        }),
        Calls::history(c) => call.view(c, |c| {
            let (versions, total) = versions::history(state, AssetId(c.asset), c.start, c.count)?;
            Ok(IAssets::historyReturn { versions, total: U256::from(total) })
        }),
        Calls::name(c) => call.view(c, |_| Ok(NAME.into())),
        Calls::symbol(c) => call.view(c, |_| Ok(SYMBOL.into())),
        Calls::tokenURI(c) => call.view(c, |c| {
            ownership::owner_of(state, c.tokenId)?;
            views::metadata(state, AssetId(u64::try_from(c.tokenId).unwrap_or_default()))
        }),
        Calls::supportsInterface(c) => call.view(c, |c| Ok(INTERFACES.contains(&c.interfaceId))),
        Calls::royaltyInfo(c) => call.view(c, |c| {
            let (receiver, amount) = royalty_info(state, c.tokenId, c.salePrice)?;
            Ok(IAssets::royaltyInfoReturn { receiver, royaltyAmount: amount })
        }),
        _ => Err(IProtocol::InvalidCall {}.into()),
    }
}

fn registration_of(call: IAssets::Registration) -> Result<Registration, Failure> {
    if call.kind == Kind::__Invalid || call.derivatives == Derivatives::__Invalid {
        return Err(IProtocol::InvalidCall {}.into());
    }
    Ok(Registration {
        kind: call.kind,
        content_hash: call.contentHash,
        prices: prices_of(call.inputPrice, call.outputPrice),
        derivative_royalty: ratio(call.derivativeRoyalty)?,
        derivatives: call.derivatives,
        edges: edges_of(&call.edges)?,
        members: shares(&call.members),
        owner_units: call.ownerUnits.to(),
        is_open: call.isOpen,
        metadata: call.metadataURI,
    })
}

fn ratio(points: u16) -> Result<BasisPoints, Failure> {
    let most = BasisPoints::ONE.points();
    BasisPoints::new(points)
        .map_err(|_| IAssets::RoyaltyTooHigh { derivativeRoyalty: points, most }.into())
}

fn edges_of(edges: &[IAssets::Edge]) -> Result<Vec<Edge>, Failure> {
    edges.iter().map(Edge::try_from).collect()
}

const fn prices_of(input: u128, output: u128) -> Prices {
    Prices { input: Price(input), output: Price(output) }
}

fn shares(members: &[IAssets::Member]) -> Vec<Share> {
    members.iter().map(|m| Share { account: m.account, units: m.units.to() }).collect()
}
