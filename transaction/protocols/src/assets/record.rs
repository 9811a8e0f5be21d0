//! [`Title`]: what a payment needs to know of an asset, in one word; and the other packed parts.

use crate::{
    state::Failure,
    storage::{Pack, Unpack, Value},
};
use alloy_primitives::{Address, U256};
use sahara_abi::{
    IAssets::{Derivatives, Kind, Relation},
    IProtocol,
};
use sahara_primitives::{AssetId, BasisPoints, Price, Prices};

/// One word: `owner: 160 | derivative royalty: 16 | kind: 8 | derivatives: 8 | is sealed: 1 |
/// has members: 1 | registered at: 40 | is disputed: 1 | transfers: 21`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Title {
    /// Who owns the asset; zero when it is not registered.
    pub owner: Address,
    /// Part of every descendant's asset income that comes here.
    pub derivative_royalty: BasisPoints,
    /// What it is.
    pub kind: Kind,
    /// Who may derive.
    pub derivatives: Derivatives,
    /// Whether its members are final and it earns.
    pub is_sealed: bool,
    /// Whether its pool has members; otherwise the owner alone earns.
    pub has_members: bool,
    /// Seconds of the block that registered it.
    pub registered_at: u64,
    /// Whether a dispute has a claim on what its owner alone earns.
    pub is_disputed: bool,
    /// How often it changed hands, without whole turns of [`TURN`]; `ownership::transfers_of` has them all.
    pub transfers: u32,
}

/// Bits of [`Title::transfers`], and all of them.
const TRANSFER_BITS: usize = 21;
pub(super) const MOST_TRANSFERS: u32 = 0x001f_ffff;

/// Transfers of a turn. A title counts to twice as many, and from then on this many again and again: a
/// contract moves an asset to and fro for 4,000 gas, so that a number that came back would cost 4 SAHARA.
pub(super) const TURN: u32 = 0x0010_0000;

impl Title {
    /// The title in another's hands, and whether that completes a turn.
    pub(super) const fn passed_to(self, owner: Address) -> (Self, bool) {
        let is_turn = self.transfers >= MOST_TRANSFERS;
        let transfers = if is_turn { TURN } else { self.transfers.saturating_add(1) };
        (Self { owner, transfers, ..self }, is_turn)
    }
}

impl Value for Title {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        Pack::new()
            .address(self.owner)
            .number(16, self.derivative_royalty.points().into())
            .number(8, byte(self.kind.into()))
            .number(8, byte(self.derivatives.into()))
            .flag(self.is_sealed)
            .flag(self.has_members)
            .number(40, self.registered_at.into())
            .flag(self.is_disputed)
            .number(TRANSFER_BITS, self.transfers.into())
            .finish()
            .map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        Ok(Self {
            owner: fields.address(),
            derivative_royalty: BasisPoints::new(fields.number(16)?).map_err(|_| broken())?,
            kind: Kind::try_from(fields.number::<u8>(8)?).map_err(|_| broken())?,
            derivatives: Derivatives::try_from(fields.number::<u8>(8)?).map_err(|_| broken())?,
            is_sealed: fields.flag(),
            has_members: fields.flag(),
            registered_at: fields.number(40)?,
            is_disputed: fields.flag(),
            transfers: fields.number(TRANSFER_BITS)?,
        })
    }
}

/// One word: `input: 128 | output: 128`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct PriceWord(pub(crate) Prices);

impl Value for PriceWord {
    type Words = [U256; 1];

    fn pack(&self) -> Result<Self::Words, Failure> {
        let word = Pack::new().number(128, self.0.input.0).number(128, self.0.output.0);
        word.finish().map(|word| [word])
    }

    fn unpack([word]: &Self::Words) -> Result<Self, Failure> {
        let mut fields = Unpack::new(*word);
        let (input, output) = (Price(fields.number(128)?), Price(fields.number(128)?));
        Ok(Self(Prices { input, output }))
    }
}

/// What a child says of a parent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Edge {
    /// The older asset.
    pub parent: AssetId,
    /// What was done with it.
    pub relation: Relation,
}

impl Edge {
    /// The bytes of a list of edges.
    pub(crate) fn encode(edges: &[Self]) -> Vec<u8> {
        let bytes = edges.iter().map(|edge| {
            let [.., relation] = byte(edge.relation.into()).to_be_bytes();
            (edge.parent.0.to_be_bytes(), relation)
        });
        bytes.flat_map(|(parent, relation)| parent.into_iter().chain([relation])).collect()
    }

    /// The edges that [`Self::encode`] wrote.
    pub(crate) fn decode(bytes: &[u8]) -> Result<Vec<Self>, Failure> {
        let (chunks, rest) = bytes.as_chunks::<9>();
        if !rest.is_empty() {
            return Err(broken());
        }
        let edge = |[parent @ .., relation]: &[u8; 9]| {
            let relation = Relation::try_from(*relation).map_err(|_| broken())?;
            Ok(Self { parent: AssetId(u64::from_be_bytes(*parent)), relation })
        };
        chunks.iter().map(edge).collect()
    }
}

impl TryFrom<&sahara_abi::IAssets::Edge> for Edge {
    type Error = Failure;

    fn try_from(edge: &sahara_abi::IAssets::Edge) -> Result<Self, Failure> {
        if edge.relation == Relation::__Invalid {
            return Err(IProtocol::InvalidCall {}.into());
        }
        Ok(Self { parent: AssetId(edge.parent), relation: edge.relation })
    }
}

fn byte(value: u8) -> u128 {
    value.into()
}

pub(crate) fn broken() -> Failure {
    Failure::Fatal("an asset's record is broken".into())
}
