//! Registering an asset, and what its owner may do to it later.

use super::{
    MAX_METADATA, MAX_PRICE, accounts,
    lineage::{Line, Row, flatten},
    record::{Edge, PriceWord, Title},
    relations::rule,
    storage::{
        ANCESTORS, CONTENTS, COUNT, CREATORS, DERIVERS, EDGES, HOLDINGS, METADATA, PRICES, TITLES,
    },
    versions,
    views::{ancestors, is_deriver, title},
};
use crate::{
    dispatch::is_reserved,
    disputes, licenses,
    royalties::{self, Share},
    state::{Failure, Read, Write},
    system::parameters,
    workers,
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{
    ASSETS,
    IAssets::{self, Derivatives, Kind, Relation},
    MAX_PARENTS,
};
use sahara_primitives::{AssetId, BasisPoints, Price, Prices};

/// The highest id: stored words have 48 bits for it.
const MAX_ID: u64 = (1 << 48) - 1;

/// Everything that is fixed when an asset is registered, and its first prices.
#[derive(Clone, Debug)]
pub struct Registration {
    /// What it is.
    pub kind: Kind,
    /// Hash of the content.
    pub content_hash: B256,
    /// Where its metadata is.
    pub metadata: String,
    /// First prices.
    pub prices: Prices,
    /// What it asks of descendants.
    pub derivative_royalty: BasisPoints,
    /// Who may derive.
    pub derivatives: Derivatives,
    /// Its parents.
    pub edges: Vec<Edge>,
    /// Holders of units.
    pub members: Vec<Share>,
    /// Units that go with ownership.
    pub owner_units: u128,
    /// Whether more members follow.
    pub is_open: bool,
}

/// Registers an asset owned by `creator`.
///
/// # Errors
/// Every refusal that `IAssets` names for metadata, prices, edges, caps and members;
/// `ERC721InvalidReceiver` for a protocol, whose account would lose what the asset earns.
pub fn register(
    state: &mut impl Write,
    creator: Address,
    asset: &Registration,
) -> Result<AssetId, Failure> {
    if is_reserved(creator) {
        return Err(IAssets::ERC721InvalidReceiver { receiver: creator }.into());
    }
    let caps = parameters(state)?;
    check_terms(asset, caps.max_derivative_royalty)?;
    let predecessor = predecessor(&asset.edges)?;
    let lines = lines(state, &asset.edges, Some((creator, asset.kind)))?;
    let rows = flatten(state, &lines, caps.max_lineage_royalty)?;
    let id = COUNT.update(state, |count| {
        *count = count.saturating_add(1);
        Ok(AssetId(*count))
    })?;
    if id.0 > MAX_ID {
        return Err(Failure::Fatal("no asset id is left".into()));
    }
    accounts::refuse_cycle(state, id, creator)?;
    write(state, creator, id, asset)?;
    accounts::found(state, id)?;
    ANCESTORS.set(state, id, &Row::encode(&rows))?;
    if let Some(parent) = predecessor {
        versions::add(state, parent, id)?;
    }
    log(state, creator, id, asset)?;
    if asset.is_open || !asset.members.is_empty() {
        royalties::found(state, id, asset.owner_units)?;
    }
    enroll(state, id, &asset.members)?;
    if !asset.is_open {
        close(state, id)?;
    }
    licenses::link(state, creator, id, &asset.edges)?;
    count_own(state, creator, &asset.edges)?;
    Ok(id)
}

/// Counts the derivatives and versions that a creator makes of its own assets, for whoever buys one.
fn count_own(state: &mut impl Write, creator: Address, edges: &[Edge]) -> Result<(), Failure> {
    for edge in edges {
        let is_right = rule(edge.relation).is_some_and(|rule| rule.carries_income)
            && !is_record(state, edge.relation, creator)?;
        if is_right && TITLES.get(state, edge.parent)?.owner == creator {
            accounts::count_given(state, edge.parent)?;
        }
    }
    Ok(())
}

/// The asset that a registration continues: at most one.
fn predecessor(edges: &[Edge]) -> Result<Option<AssetId>, Failure> {
    let mut all = edges.iter().filter(|edge| edge.relation == Relation::VersionOf);
    let first = all.next().map(|edge| edge.parent);
    match all.next() {
        None => Ok(first),
        Some(Edge { parent, relation }) => {
            Err(IAssets::InvalidRelation { parent: parent.0, relation: *relation }.into())
        }
    }
}

fn check_terms(asset: &Registration, most: BasisPoints) -> Result<(), Failure> {
    if asset.metadata.len() > MAX_METADATA {
        let bytes_ = U256::from(asset.metadata.len());
        return Err(IAssets::MetadataTooLong { bytes_, most: U256::from(MAX_METADATA) }.into());
    }
    if asset.derivative_royalty > most {
        let (asked, most) = (asset.derivative_royalty.points(), most.points());
        return Err(IAssets::RoyaltyTooHigh { derivativeRoyalty: asked, most }.into());
    }
    check_prices(asset.prices)
}

fn check_prices(prices: Prices) -> Result<(), Failure> {
    let price = prices.input.0.max(prices.output.0);
    if price > MAX_PRICE {
        return Err(IAssets::PriceTooHigh { price, most: MAX_PRICE }.into());
    }
    Ok(())
}

/// The lines of edges. With a child's creator and kind it checks also whether they may be drawn.
pub(super) fn lines(
    state: &mut impl Read,
    edges: &[Edge],
    child: Option<(Address, Kind)>,
) -> Result<Vec<Line>, Failure> {
    if edges.len() > MAX_PARENTS {
        let (parents, most) = (U256::from(edges.len()), U256::from(MAX_PARENTS));
        return Err(IAssets::TooManyParents { parents, most }.into());
    }
    let mut lines = Vec::<Line>::new();
    for (index, edge) in edges.iter().enumerate() {
        let parent = edge.parent;
        if edges.iter().take(index).any(|earlier| earlier.parent == parent) {
            return Err(IAssets::DuplicateEdge { parent: parent.0 }.into());
        }
        let title = TITLES.get(state, parent)?;
        if title.owner.is_zero() {
            return Err(IAssets::UnknownParent { parent: parent.0 }.into());
        }
        if !title.is_sealed {
            return Err(IAssets::NotSealed { asset: parent.0 }.into());
        }
        if let Some((creator, kind)) = child {
            // A bonded gateway's record of use builds on nothing; anybody else's edge is a derivative.
            if !is_record(state, edge.relation, creator)? {
                disputes::check_listed(state, parent)?;
            }
            check_edge(state, edge, &title, (creator, kind))?;
        }
        if !rule(edge.relation).is_some_and(|rule| rule.carries_income) {
            continue;
        }
        let row =
            Row { asset: parent, share: title.derivative_royalty, has_members: title.has_members };
        lines.push(Line { parent: row, rows: ancestors(state, parent)? });
    }
    Ok(lines)
}

/// Whether an edge is a gateway's record of use (spec 0017): not a derivative, so no policy and no
/// licence is asked. A bond stands behind the statement.
pub(crate) fn is_record(
    state: &mut impl Read,
    relation: Relation,
    creator: Address,
) -> Result<bool, Failure> {
    Ok(relation == Relation::Records && workers::gateway_terms(state, creator)?.is_some())
}

fn check_edge(
    state: &mut impl Read,
    edge: &Edge,
    title: &Title,
    (creator, kind): (Address, Kind),
) -> Result<(), Failure> {
    let (parent, policy) = (edge.parent.0, title.derivatives);
    let rule = rule(edge.relation).filter(|rule| rule.holds(kind, title.kind));
    let rule = rule.ok_or(IAssets::InvalidRelation { parent, relation: edge.relation })?;
    if !rule.carries_income || is_record(state, edge.relation, creator)? {
        return Ok(());
    }
    if edge.relation == Relation::VersionOf {
        return versions::check(state, creator, edge.parent, title);
    }
    if licenses::is_licensed(state, edge.parent)? {
        return Ok(()); // its licences decide, see `licenses::link`
    }
    let may_derive = match policy {
        Derivatives::Open => true,
        Derivatives::Approval => {
            creator == title.owner || is_deriver(state, edge.parent, title.owner, creator)?
        }
        Derivatives::None | Derivatives::__Invalid => false,
    };
    if may_derive { Ok(()) } else { Err(IAssets::DerivativesRefused { parent, policy }.into()) }
}

fn write(
    state: &mut impl Write,
    creator: Address,
    id: AssetId,
    asset: &Registration,
) -> Result<(), Failure> {
    let title = Title {
        owner: creator,
        derivative_royalty: asset.derivative_royalty,
        kind: asset.kind,
        derivatives: asset.derivatives,
        is_sealed: false,
        has_members: false,
        registered_at: state.block().timestamp.0,
        is_disputed: false,
        transfers: 0,
    };
    TITLES.set(state, id, &title)?;
    CONTENTS.set(state, id, &asset.content_hash)?;
    CREATORS.set(state, id, &creator)?;
    PRICES.set(state, id, &PriceWord(asset.prices))?;
    METADATA.set(state, id, asset.metadata.as_bytes())?;
    EDGES.set(state, id, &Edge::encode(&asset.edges))?;
    HOLDINGS.update(state, creator, |held| {
        *held = held.saturating_add(1);
        Ok(())
    })
}

fn log(
    state: &mut impl Write,
    creator: Address,
    id: AssetId,
    asset: &Registration,
) -> Result<(), Failure> {
    let registered = IAssets::Registered {
        asset: id.0,
        creator,
        kind: asset.kind,
        contentHash: asset.content_hash,
        metadataURI: asset.metadata.clone(),
    };
    state.emit(ASSETS, registered)?;
    let from = Address::ZERO;
    state.emit(ASSETS, IAssets::Transfer { from, to: creator, tokenId: id.into() })?;
    for edge in &asset.edges {
        let (parent, relation) = (edge.parent.0, edge.relation);
        state.emit(ASSETS, IAssets::Linked { asset: id.0, parent, relation })?;
    }
    log_prices(state, id, asset.prices)
}

fn log_prices(state: &mut impl Write, id: AssetId, prices: Prices) -> Result<(), Failure> {
    let Prices { input: Price(input), output: Price(output) } = prices;
    let event = IAssets::PricesChanged { asset: id.0, inputPrice: input, outputPrice: output };
    state.emit(ASSETS, event)
}

fn enroll(state: &mut impl Write, id: AssetId, members: &[Share]) -> Result<(), Failure> {
    if members.is_empty() {
        return Ok(());
    }
    let units = royalties::enroll(state, id, members)?;
    let (asset, count) = (id.0, U256::from(members.len()));
    state.emit(ASSETS, IAssets::MembersAdded { asset, count, units })
}

/// Makes the members final.
fn close(state: &mut impl Write, id: AssetId) -> Result<(), Failure> {
    let title = title(state, id)?;
    let units = royalties::close(state, id, title.owner)?;
    let closed = Title { is_sealed: true, has_members: !units.is_zero(), ..title };
    TITLES.set(state, id, &closed)?;
    state.emit(ASSETS, IAssets::Sealed { asset: id.0, units })
}

/// The title, if `caller` owns the asset.
fn owned(state: &mut impl Read, caller: Address, id: AssetId) -> Result<Title, Failure> {
    let title = title(state, id)?;
    if title.owner == caller {
        return Ok(title);
    }
    Err(IAssets::NotOwner { asset: id.0, caller, owner: title.owner }.into())
}

/// Refuses who does not own the asset, and an asset whose members are final.
pub(crate) fn require_open(
    state: &mut impl Read,
    caller: Address,
    id: AssetId,
) -> Result<(), Failure> {
    if owned(state, caller, id)?.is_sealed {
        return Err(IAssets::AlreadySealed { asset: id.0 }.into());
    }
    Ok(())
}

/// Adds members to an open asset.
///
/// # Errors
/// `NotOwner`, `AlreadySealed`, `TooManyMembers`, `InvalidMember`, `DuplicateMember`.
pub fn add_members(
    state: &mut impl Write,
    caller: Address,
    id: AssetId,
    members: &[Share],
) -> Result<(), Failure> {
    require_open(state, caller, id)?;
    enroll(state, id, members)
}

/// Closes the list of members for ever; from then on the asset earns.
///
/// # Errors
/// `NotOwner`, `AlreadySealed`.
pub fn seal(state: &mut impl Write, caller: Address, id: AssetId) -> Result<(), Failure> {
    require_open(state, caller, id)?;
    close(state, id)
}

/// Changes prices for future requests.
///
/// # Errors
/// `NotOwner`, `PriceTooHigh`.
pub fn set_prices(
    state: &mut impl Write,
    caller: Address,
    id: AssetId,
    prices: Prices,
) -> Result<(), Failure> {
    owned(state, caller, id)?;
    check_prices(prices)?;
    PRICES.set(state, id, &PriceWord(prices))?;
    log_prices(state, id, prices)
}

/// Lets `creator` derive from an asset whose policy is approval, or no longer.
///
/// # Errors
/// `NotOwner`.
pub fn approve_derivative(
    state: &mut impl Write,
    caller: Address,
    id: AssetId,
    (creator, is_approved): (Address, bool),
) -> Result<(), Failure> {
    owned(state, caller, id)?;
    let name = accounts::giver(state, caller)?;
    DERIVERS.set(state, (id, name, creator), &is_approved)?;
    if is_approved {
        accounts::count_given(state, id)?;
    }
    let event = IAssets::DerivativeApproved { parent: id.0, creator, isApproved: is_approved };
    state.emit(ASSETS, event)
}
