//! [`Undo`]: a state in maps that takes back a failed call without copying everything, for long
//! random sequences; and the numbers that choose them.

use crate::{
    dispatch::{Call, call},
    memory::MemoryState,
    state::{BlockContext, Cost, Failure, Read, Write},
};
use alloy_primitives::{Address, Bytes, Log, U256};
use alloy_sol_types::SolCall;
use sahara_primitives::Amount;

/// Operations of a random sequence; built with `SAHARA_SOAK` set, a hundred times as many.
pub(crate) const OPERATIONS: u64 =
    if option_env!("SAHARA_SOAK").is_some() { 1_000_000 } else { 10_000 };

/// A state that remembers what the running call changed.
#[derive(Debug, Default)]
pub(crate) struct Undo {
    pub(crate) state: MemoryState,
    words: Vec<((Address, U256), U256)>,
    balances: Vec<(Address, Amount)>,
    /// What [`Write::keeps_books`] is to find out.
    pub(crate) is_broken: bool,
}

impl Undo {
    /// Calls a protocol as the EVM does; a failure takes everything back.
    pub(crate) fn call<C: SolCall>(
        &mut self,
        caller: Address,
        protocol: Address,
        value: u128,
        request: &C,
    ) -> Result<C::Return, Failure> {
        let data = request.abi_encode();
        let value = Amount::from_u128(value);
        let answer = self.atomically(|state| {
            state.move_coin(caller, protocol, value)?;
            call(protocol, state, Call { caller, value, data: &data, is_static: false })
        })?;
        Ok(C::abi_decode_returns(&answer).unwrap())
    }

    pub(crate) fn atomically(
        &mut self,
        work: impl FnOnce(&mut Self) -> Result<Bytes, Failure>,
    ) -> Result<Bytes, Failure> {
        self.words.clear();
        self.balances.clear();
        self.state.logs.clear();
        work(self).inspect_err(|failure| {
            assert!(!matches!(failure, Failure::Fatal(_) | Failure::Store(_)), "{failure:?}");
            self.take_back(0, 0);
        })
    }

    fn take_back(&mut self, words: usize, balances: usize) {
        for ((address, slot), word) in self.words.split_off(words).into_iter().rev() {
            self.state.store(address, slot, word).unwrap();
        }
        for (account, balance) in self.balances.split_off(balances).into_iter().rev() {
            self.state.fund(account, balance);
        }
    }

    pub(crate) fn held(&self, account: Address) -> u128 {
        let balance = self.state.balances.get(&account).copied().unwrap_or_default();
        balance.to_u128().unwrap()
    }
}

impl Read for Undo {
    fn load(&mut self, address: Address, slot: U256) -> Result<U256, Failure> {
        self.state.load(address, slot)
    }

    fn balance(&mut self, account: Address) -> Result<Amount, Failure> {
        self.state.balance(account)
    }

    fn charge(&mut self, gas: u64) -> Result<(), Failure> {
        self.state.charge(gas)
    }

    fn block(&self) -> BlockContext {
        self.state.block
    }

    fn cost(&self) -> Cost {
        self.state.cost
    }
}

impl Write for Undo {
    fn store(&mut self, address: Address, slot: U256, value: U256) -> Result<(), Failure> {
        let before = self.state.load(address, slot)?;
        self.words.push(((address, slot), before));
        self.state.store(address, slot, value)
    }

    fn move_coin(&mut self, from: Address, to: Address, amount: Amount) -> Result<(), Failure> {
        for account in [from, to] {
            let before = self.state.balance(account)?;
            self.balances.push((account, before));
        }
        self.state.move_coin(from, to, amount)
    }

    fn log(&mut self, log: Log) -> Result<(), Failure> {
        self.state.log(log)
    }

    fn keeps_books(&mut self) -> Result<bool, Failure> {
        Ok(!self.is_broken)
    }

    fn attempt<R>(
        &mut self,
        _: u64,
        work: impl FnOnce(&mut Self) -> Result<R, Failure>,
    ) -> Result<Result<R, Failure>, Failure> {
        let (words, balances) = (self.words.len(), self.balances.len());
        let logs = self.state.logs.len();
        match work(self) {
            Ok(result) => Ok(Ok(result)),
            Err(failure @ Failure::Store(_)) => Err(failure),
            Err(failure) => {
                self.take_back(words, balances);
                self.state.logs.truncate(logs);
                Ok(Err(failure))
            }
        }
    }
}

/// Numbers from a seed (`SplitMix64`).
#[derive(Clone, Debug)]
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// Below `bound`.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.roll() % bound.max(1)
    }

    /// An amount of any size up to `most`, small ones as likely as large ones.
    pub(crate) fn amount(&mut self, most: u128) -> u128 {
        let bits = self.below(u64::from(128 - most.leading_zeros()) + 1);
        let mask = if bits == 0 { 0 } else { u128::MAX >> (128 - bits) };
        let wide = (u128::from(self.roll()) << 64) | u128::from(self.roll());
        (wide & mask).min(most)
    }
}
