//! [`MemoryState`]: a state in maps, for tests of the rules and of who builds on them.

use crate::{
    dispatch::{Call, call},
    state::{BlockContext, Cost, Failure, Read, Write},
};
use alloy_primitives::{Address, B256, Bytes, Log, U256};
use sahara_abi::ICoin;
use sahara_primitives::{Amount, Timestamp};
use std::collections::BTreeMap;

/// A state in maps. It counts what a call touches and never runs out of gas.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MemoryState {
    /// Words by protocol and slot; zeros are absent.
    pub words: BTreeMap<(Address, U256), U256>,
    /// Coin by account; zeros are absent.
    pub balances: BTreeMap<Address, Amount>,
    /// Logs since the beginning.
    pub logs: Vec<Log>,
    /// The block in which rules run.
    pub block: BlockContext,
    /// What was done since the beginning.
    pub count: Count,
    /// What every call is said to have cost.
    pub cost: Cost,
}

/// What rules did, as the EVM would count it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Count {
    /// Words read.
    pub loads: u64,
    /// Words written.
    pub stores: u64,
    /// Words written that were zero before.
    pub fresh_stores: u64,
    /// Transfers of coin.
    pub transfers: u64,
    /// Gas charged for hashing and recovery.
    pub gas: u64,
}

impl Default for MemoryState {
    fn default() -> Self {
        Self {
            words: BTreeMap::new(),
            balances: BTreeMap::new(),
            logs: Vec::new(),
            block: BlockContext {
                chain_id: sahara_primitives::LOCAL_CHAIN_ID,
                number: 1,
                timestamp: Timestamp(1_800_000_000),
                randomness: B256::ZERO,
            },
            count: Count::default(),
            cost: Cost::default(),
        }
    }
}

impl MemoryState {
    /// Sets an account's coin, out of nothing.
    pub fn fund(&mut self, account: Address, amount: Amount) {
        if amount.is_zero() {
            self.balances.remove(&account);
        } else {
            self.balances.insert(account, amount);
        }
    }

    /// Runs `work` and takes everything back when it fails.
    ///
    /// # Errors
    /// Those of `work`.
    pub fn atomically<R>(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<R, Failure>,
    ) -> Result<R, Failure> {
        let before = self.clone();
        work(self).inspect_err(|_| *self = before)
    }

    /// Calls a protocol as the EVM does: the coin goes first, a failure takes everything back.
    ///
    /// # Errors
    /// Those of [`call`].
    pub fn call(&mut self, protocol: Address, request: Call<'_>) -> Result<Bytes, Failure> {
        self.atomically(|state| {
            state.move_coin(request.caller, protocol, request.value)?;
            call(protocol, state, request)
        })
    }

    /// The words of one protocol, for [`crate::liabilities_total`].
    pub fn slots_of(&self, protocol: Address) -> impl Iterator<Item = (U256, U256)> {
        self.words
            .iter()
            .filter(move |((owner, _), _)| *owner == protocol)
            .map(|((_, s), w)| (*s, *w))
    }
}

impl Read for MemoryState {
    fn load(&mut self, address: Address, slot: U256) -> Result<U256, Failure> {
        self.count.loads = self.count.loads.saturating_add(1);
        Ok(self.words.get(&(address, slot)).copied().unwrap_or_default())
    }

    fn balance(&mut self, account: Address) -> Result<Amount, Failure> {
        Ok(self.balances.get(&account).copied().unwrap_or_default())
    }

    fn charge(&mut self, gas: u64) -> Result<(), Failure> {
        self.count.gas = self.count.gas.saturating_add(gas);
        Ok(())
    }

    fn block(&self) -> BlockContext {
        self.block
    }

    fn cost(&self) -> Cost {
        self.cost
    }
}

impl Write for MemoryState {
    fn store(&mut self, address: Address, slot: U256, value: U256) -> Result<(), Failure> {
        let before = if value.is_zero() {
            self.words.remove(&(address, slot))
        } else {
            self.words.insert((address, slot), value)
        };
        if before.unwrap_or_default() != value {
            self.count.stores = self.count.stores.saturating_add(1);
            self.count.fresh_stores =
                self.count.fresh_stores.saturating_add(u64::from(before.is_none()));
        }
        Ok(())
    }

    fn move_coin(&mut self, from: Address, to: Address, amount: Amount) -> Result<(), Failure> {
        if amount.is_zero() {
            return Ok(());
        }
        self.count.transfers = self.count.transfers.saturating_add(1);
        let balance = self.balance(from)?;
        let rest = balance.checked_sub(amount).map_err(|_| ICoin::ERC20InsufficientBalance {
            sender: from,
            balance: balance.base_units(),
            needed: amount.base_units(),
        })?;
        self.fund(from, rest);
        let sum = self.balance(to)?.checked_add(amount).map_err(crate::state::overflow)?;
        self.fund(to, sum);
        Ok(())
    }

    fn log(&mut self, log: Log) -> Result<(), Failure> {
        self.logs.push(log);
        Ok(())
    }

    fn attempt<R>(
        &mut self,
        _: u64,
        work: impl FnOnce(&mut Self) -> Result<R, Failure>,
    ) -> Result<Result<R, Failure>, Failure> {
        let before = self.clone();
        match work(self) {
            Ok(result) => Ok(Ok(result)),
            Err(failure @ Failure::Store(_)) => Err(failure),
            Err(failure) => {
                *self = Self { count: self.count, ..before };
                Ok(Err(failure))
            }
        }
    }
}
