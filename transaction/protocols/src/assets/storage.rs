//! The slots.

use super::{
    record::{PriceWord, Title},
    versions::Version,
};
use crate::{
    erc721::Approval,
    storage::{List, Map, Slot, Text, storage},
};
use alloy_primitives::{Address, B256};
use sahara_abi::ASSETS;
use sahara_primitives::AssetId;

storage! { ASSETS:
    /// Assets registered so far: the last id.
    COUNT: Slot<u64> = 0;
    /// What a payment needs to know of an asset, in one word.
    TITLES: Map<AssetId, Title> = 1;
    /// Hash of the content.
    CONTENTS: Map<AssetId, B256> = 1, 1;
    /// Who registered it.
    CREATORS: Map<AssetId, Address> = 1, 2;
    /// What its owner asks.
    PRICES: Map<AssetId, PriceWord> = 1, 3;
    /// ERC-721: who may move it once.
    APPROVED: Map<AssetId, Approval> = 1, 4;
    /// Metadata URI.
    METADATA: Text<AssetId> = 2;
    /// Nine bytes an edge: parent, relation.
    EDGES: Text<AssetId> = 3;
    /// Ten bytes an ancestor, see `lineage::Row`.
    ANCESTORS: Text<AssetId> = 4;
    /// ERC-721: assets held, by owner.
    HOLDINGS: Map<Address, u64> = 5;
    /// ERC-721: by the owner's name (`accounts::giver`) and the operator.
    OPERATORS: Map<(Address, Address), bool> = 6;
    /// Who may derive, by `(parent, its owner's name, creator)`: a new owner starts without promises.
    DERIVERS: Map<(AssetId, Address, Address), bool> = 7;
    /// The asset behind an asset's own account.
    ACCOUNTS: Map<Address, AssetId> = 8;
    /// Where an asset stands in its line of versions; nothing for a first one.
    VERSIONS: Map<AssetId, Version> = 9;
    /// Later versions, by the first.
    LINES: List<AssetId, AssetId> = 10;
    /// How often others took something out of an asset's own account, by leave that the account gave, and its
    /// owner rights to the asset.
    TAKEN: Map<AssetId, u64> = 11;
    /// Turns of an asset's transfers that its title no longer counts, see `record::TURN`.
    TURNS: Map<AssetId, u64> = 12;
}
