//! The assets that are paid for, registered by the rules themselves and put into genesis.

use crate::Fault;
use alloy_primitives::{Address, B256, U256};
use sahara_abi::IAssets::{Derivatives, Kind, Relation};
use sahara_evm::{Account, AccountDiff, StateDiff};
use sahara_primitives::{AssetId, BasisPoints, Prices, merkle_sum::SumRoot};
use sahara_protocols::{
    MemoryState,
    assets::{self, Edge, Registration},
    contributions,
    royalties::Share,
};

/// Royalty at which a line of 64 fits: 64 * 78 = 4,992 basis points.
const ROYALTY: u16 = 78;

/// Who earns from an asset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Earns {
    /// Its owner alone.
    Owner,
    /// A member beside its owner.
    Pool,
    /// So many contributors, committed to by a root.
    Contributors(u32),
}

#[derive(Debug, Default)]
pub(crate) struct Town {
    state: MemoryState,
    people: u64,
}

impl Town {
    /// Someone new, who exists already.
    pub(crate) fn person(&mut self) -> Address {
        self.people += 1;
        let hash = alloy_primitives::keccak256(self.people.to_be_bytes());
        let person = Address::from_word(hash);
        self.state.fund(person, sahara_primitives::Amount::from_u128(1));
        person
    }

    /// Assets from the oldest to the youngest, each derived from the one before.
    pub(crate) fn line(&mut self, ancestors: usize, earns: Earns) -> Result<AssetId, Fault> {
        let mut last = self.asset(&[], ROYALTY, earns)?;
        for _ in 0..ancestors {
            last = self.asset(&[last], ROYALTY, earns)?;
        }
        Ok(last)
    }

    /// An asset with so many parents that derive from nothing.
    pub(crate) fn family(&mut self, parents: usize, earns: Earns) -> Result<AssetId, Fault> {
        let parents = (0..parents).map(|_| self.asset(&[], ROYALTY, earns));
        let parents = parents.collect::<Result<Vec<_>, _>>()?;
        self.asset(&parents, ROYALTY, earns)
    }

    pub(crate) fn asset(
        &mut self,
        parents: &[AssetId],
        royalty: u16,
        earns: Earns,
    ) -> Result<AssetId, Fault> {
        let owner = self.person();
        let account = self.person();
        let edge = |parent: &AssetId| Edge { parent: *parent, relation: Relation::DerivedFrom };
        let asset = Registration {
            kind: Kind::Dataset,
            content_hash: B256::repeat_byte(1),
            metadata: String::new(),
            prices: Prices::default(),
            derivative_royalty: BasisPoints::new(royalty)?,
            derivatives: Derivatives::Open,
            edges: parents.iter().map(edge).collect(),
            members: (earns == Earns::Pool)
                .then_some(Share { account, units: 3 })
                .into_iter()
                .collect(),
            owner_units: if earns == Earns::Pool { 1 } else { 0 },
            is_open: matches!(earns, Earns::Contributors(_)),
        };
        let fault = |failure| format!("the town could not be built: {failure:?}");
        let id = assets::register(&mut self.state, owner, &asset).map_err(fault)?;
        if let Earns::Contributors(count) = earns {
            let root = SumRoot { root: B256::repeat_byte(7), units: u128::from(count), count };
            contributions::commit(&mut self.state, owner, id, &root).map_err(fault)?;
            assets::seal(&mut self.state, owner, id).map_err(fault)?;
        }
        Ok(id)
    }

    /// Everything as a change of the empty state.
    pub(crate) fn into_diff(self) -> StateDiff {
        let mut diff = StateDiff::default();
        for (address, amount) in self.state.balances {
            let account = Account { balance: amount.base_units(), ..Account::default() };
            diff.accounts
                .insert(address, AccountDiff { after: Some(account), ..AccountDiff::default() });
        }
        for ((address, slot), word) in self.state.words {
            let account = diff.accounts.entry(address).or_default();
            account.storage.insert(slot, (U256::ZERO, word));
        }
        diff
    }
}
