//! The machine's journal as the protocols see it, with what each access costs.

use super::prices;
use crate::state::ParentState;
use crate::{handler, machine::MachineContext};
use alloy_primitives::{Address, Log, U256};
use revm::{
    context::result::EVMError,
    context_interface::{
        Block as _, Cfg as _, ContextTr as _, JournalTr as _, Transaction as _, cfg::GasParams,
        journaled_state::TransferError,
    },
    interpreter::SStoreResult,
};
use sahara_abi::{ICoin, IProtocol};
use sahara_primitives::{Amount, Timestamp};
use sahara_protocols::{BlockContext, Cost, Failure, Read, Write};

/// How deep the journal is in a call that a transaction makes itself. A contract that a protocol calls may call
/// it again.
const DIRECT: usize = 1;

/// State access for one call of a protocol, within the call's gas.
///
/// Prices stand in [`prices`], with what they follow from. A balance costs what `BALANCE` costs.
pub(crate) struct Ledger<'a, S: ParentState> {
    context: &'a mut MachineContext<S>,
    gas_limit: u64,
    gas_left: u64,
    /// Gas of access to what exists that is paid for.
    included: u64,
    refund: i64,
    is_static: bool,
    /// Nothing is charged up to and including the first word read.
    is_looking_up: bool,
    /// Whether this call is all that its transaction does.
    is_transaction: bool,
}

impl<'a, S: ParentState> Ledger<'a, S> {
    pub(crate) const fn new(
        context: &'a mut MachineContext<S>,
        gas_limit: u64,
        is_static: bool,
    ) -> Self {
        Self {
            context,
            gas_limit,
            gas_left: gas_limit,
            included: 0,
            refund: 0,
            is_static,
            is_looking_up: false,
            is_transaction: false,
        }
    }

    /// For a call at this address: it is the transaction's own where the transaction is to this address,
    /// since protocols call no contracts. `given` is the call's gas before anything was charged.
    pub(crate) fn called_at(mut self, protocol: Address, given: u64) -> Self {
        self.gas_limit = given;
        self.is_transaction = self.context.tx().kind().to() == Some(&protocol);
        if self.is_transaction && self.context.journaled_state.depth() == DIRECT {
            self.included = prices::INCLUDED;
        }
        self
    }

    /// With the first word, and the way to it, for free: a look-up that mostly finds nothing to do.
    pub(crate) const fn with_free_lookup(mut self) -> Self {
        self.is_looking_up = true;
        self
    }

    pub(crate) const fn gas_left(&self) -> u64 {
        self.gas_left
    }

    pub(crate) const fn refund(&self) -> i64 {
        self.refund
    }

    const fn spend(&mut self, gas: u64) -> Result<(), Failure> {
        if self.is_looking_up {
            return Ok(());
        }
        match self.gas_left.checked_sub(gas) {
            Some(left) => {
                self.gas_left = left;
                Ok(())
            }
            None => {
                self.gas_left = 0;
                Err(Failure::OutOfGas)
            }
        }
    }

    /// Pays for access of what exists, of which a transaction has paid for some.
    const fn access(&mut self, gas: u64) -> Result<(), Failure> {
        if self.is_looking_up {
            return Ok(());
        }
        let included = if gas < self.included { gas } else { self.included };
        self.included = self.included.saturating_sub(included);
        self.spend(gas.saturating_sub(included))
    }

    fn params(&self) -> &GasParams {
        self.context.cfg.gas_params()
    }

    fn account_cost(&self, is_cold: bool) -> u64 {
        let params = self.params();
        let cold = if is_cold { params.cold_account_additional_cost() } else { 0 };
        params.warm_storage_read_cost().saturating_add(cold)
    }

    fn forbid_static(&self) -> Result<(), Failure> {
        if self.is_static { Err(IProtocol::StaticCall {}.into()) } else { Ok(()) }
    }

    /// A word is read and written in an account that the journal holds.
    fn open(&mut self, address: Address) -> Result<(), Failure> {
        self.context.journaled_state.load_account(address).map(|_| ()).map_err(broken)
    }
}

impl<S: ParentState> Read for Ledger<'_, S> {
    fn load(&mut self, address: Address, slot: U256) -> Result<U256, Failure> {
        self.open(address)?;
        let word = self.context.journaled_state.sload(address, slot).map_err(broken)?;
        self.access(prices::read(word.is_cold))?;
        self.is_looking_up = false;
        Ok(word.data)
    }

    fn balance(&mut self, account: Address) -> Result<Amount, Failure> {
        let load = self.context.journaled_state.load_account(account).map_err(broken)?;
        let (balance, is_cold) = (load.data.info.balance, load.is_cold);
        let cost = self.account_cost(is_cold);
        self.access(cost)?;
        Ok(Amount::from_base_units(balance))
    }

    fn charge(&mut self, gas: u64) -> Result<(), Failure> {
        self.spend(gas)
    }

    fn block(&self) -> BlockContext {
        let block = self.context.block();
        BlockContext {
            chain_id: self.context.cfg.chain_id(),
            number: block.number().saturating_to(),
            timestamp: Timestamp(block.timestamp().saturating_to()),
            randomness: block.prevrandao().unwrap_or_default(),
        }
    }

    fn cost(&self) -> Cost {
        Cost {
            base_fee: self.context.block().basefee(),
            gas: self.gas_limit.saturating_sub(self.gas_left),
            refund: u64::try_from(self.refund).unwrap_or_default(),
            is_transaction: self.is_transaction,
            included: self.included,
        }
    }
}

impl<S: ParentState> Write for Ledger<'_, S> {
    fn store(&mut self, address: Address, slot: U256, value: U256) -> Result<(), Failure> {
        self.forbid_static()?;
        self.open(address)?;
        let stored = self.context.journaled_state.sstore(address, slot, value).map_err(broken)?;
        let (values, is_cold): (&SStoreResult, bool) = (&stored.data, stored.is_cold);
        let (access, growth) = prices::write(values, is_cold);
        let refund = prices::refund(values);
        self.context.journaled_state.touch_account(address);
        self.refund = self.refund.saturating_add(refund);
        self.access(access)?;
        self.spend(growth)
    }

    fn move_coin(&mut self, from: Address, to: Address, amount: Amount) -> Result<(), Failure> {
        self.forbid_static()?;
        let load = self.context.journaled_state.load_account(to).map_err(broken)?;
        let (is_new, is_cold) = (load.data.is_empty() && !amount.is_zero(), load.is_cold);
        if amount.is_zero() {
            return self.access(self.account_cost(is_cold));
        }
        let (access, growth) = prices::credit(is_cold, is_new);
        self.access(access)?;
        self.spend(growth)?;
        let units = amount.base_units();
        match self.context.journaled_state.transfer(from, to, units).map_err(broken)? {
            None => Ok(()),
            Some(TransferError::OutOfFunds) => Err(ICoin::ERC20InsufficientBalance {
                sender: from,
                balance: self.balance(from)?.base_units(),
                needed: units,
            }
            .into()),
            Some(error) => Err(Failure::Fatal(format!("{amount} cannot move: {error:?}"))),
        }
    }

    fn log(&mut self, log: Log) -> Result<(), Failure> {
        self.forbid_static()?;
        self.spend(prices::log(log.topics().len(), log.data.data.len()))?;
        self.context.journaled_state.log(log);
        Ok(())
    }

    fn keeps_books(&mut self) -> Result<bool, Failure> {
        self.spend(prices::books(handler::books(self.context)))?;
        match handler::check_books(self.context) {
            Ok(()) => Ok(true),
            Err(EVMError::Custom(_)) => Ok(false),
            Err(error) => Err(broken(error)),
        }
    }

    fn attempt<R>(
        &mut self,
        gas: u64,
        work: impl FnOnce(&mut Self) -> Result<R, Failure>,
    ) -> Result<Result<R, Failure>, Failure> {
        let (given, refund) = (self.gas_left.min(gas), self.refund);
        let kept = self.gas_left.saturating_sub(given);
        self.gas_left = given;
        let checkpoint = self.context.journaled_state.checkpoint();
        let outcome = work(self);
        self.gas_left = self.gas_left.saturating_add(kept);
        match outcome {
            Ok(result) => {
                self.context.journaled_state.checkpoint_commit();
                Ok(Ok(result))
            }
            Err(failure @ Failure::Store(_)) => Err(failure),
            Err(failure) => {
                self.context.journaled_state.checkpoint_revert(checkpoint);
                self.refund = refund;
                match failure {
                    Failure::OutOfGas if given < gas => Err(Failure::OutOfGas),
                    failure => Ok(Err(failure)),
                }
            }
        }
    }
}

/// What the journal cannot do: only the store behind it fails.
fn broken(error: impl std::fmt::Display) -> Failure {
    Failure::Store(error.to_string())
}
