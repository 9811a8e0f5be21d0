//! [`SupplyGauges`]: all coin, and what of it lies where the classes lie.

use crate::store::Store;
use prometheus_client::{
    encoding::EncodeLabelSet,
    metrics::{family::Family, gauge::Gauge},
    registry::Registry,
};
use sahara_abi::STAKING;
use sahara_evm::{CLASSES, Holder, ParentState};
use sahara_primitives::{Address, Amount};

/// Whole SAHARA, rounded down: they fit a gauge, base units would not.
#[derive(Debug, Default)]
pub(super) struct SupplyGauges {
    all: Gauge,
    held: Family<HolderLabels, Gauge>,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct HolderLabels {
    holder: &'static str,
}

impl SupplyGauges {
    pub(super) fn register(&self, to: &mut Registry) {
        let help = "All coin in whole SAHARA, the sum that every executed block is held against";
        to.register("supply_coins", help, self.all.clone());
        let help = "Whole SAHARA in the accounts of the classes, and staked";
        to.register("supply_held_coins", help, self.held.clone());
    }

    pub(super) fn read(&self, store: &Store) {
        self.all.set(whole(sahara_protocols::GENESIS_SUPPLY));
        let state = store.state();
        let classes = CLASSES.iter().filter_map(|class| match class.holder {
            Holder::Account(account) => Some((class.name, account)),
            Holder::Sale | Holder::Liquidity => None,
        });
        for (holder, account) in classes.chain([("staking", STAKING)]) {
            // A state that cannot be read leaves the last value; the node says so elsewhere.
            if let Ok(coins) = held(&state, account) {
                self.held.get_or_create(&HolderLabels { holder }).set(whole(coins));
            }
        }
    }
}

fn held(state: &impl ParentState, account: Address) -> Result<Amount, sahara_evm::StateError> {
    let found = state.account(account)?;
    Ok(found.map_or(Amount::ZERO, |account| Amount::from_base_units(account.balance)))
}

fn whole(amount: Amount) -> i64 {
    let coins = amount.div_floor(1_000_000_000_000_000_000).and_then(Amount::to_u128);
    coins.and_then(|coins| i64::try_from(coins).ok()).unwrap_or(i64::MAX)
}
