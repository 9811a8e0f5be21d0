//! What an account can spend, as the pool asks it.

use crate::pool::Spendable;
use alloy_consensus::Header;
use alloy_primitives::{Address, KECCAK256_EMPTY, U256};
use sahara_evm::{ParentState, Rules, StateError};
use sahara_primitives::{Amount, Timestamp};
use sahara_protocols::{BlockContext, Failure, Read, royalties};
use std::panic::{AssertUnwindSafe, catch_unwind};
use tracing::warn;

/// What an account could spend if it sent a transaction now: its balance, and what it earned, which
/// is credited before its transaction runs.
///
/// Every final block asks this of those who wait in the pool, so what breaks here would break every node
/// at once: an account whose books the rules cannot read has its balance alone.
pub(super) fn spendable(
    rules: Rules,
    head: &Header,
    state: &impl ParentState,
    address: Address,
) -> Result<Spendable, StateError> {
    let account = state.account(address)?.unwrap_or_default();
    let is_empty = account.code_hash == KECCAK256_EMPTY;
    let is_delegated = !is_empty && is_delegation(&state.code(account.code_hash)?);
    let has_code = !is_empty && !is_delegated;
    let block = BlockContext {
        chain_id: rules.chain_id(),
        number: head.number,
        timestamp: Timestamp(head.timestamp),
        randomness: head.mix_hash,
    };
    let read = || royalties::earned(&mut Books { state, block }, address);
    let earned = match catch_unwind(AssertUnwindSafe(read)) {
        Ok(Ok(earned)) => earned,
        Ok(Err(Failure::Store(reason))) => return Err(StateError(reason)),
        Ok(Err(failure)) => {
            warn!(account = %address, ?failure, "the books of an account are broken");
            Amount::ZERO
        }
        Err(_) => {
            warn!(account = %address, "reading the books of an account panicked");
            Amount::ZERO
        }
    };
    let balance = account.balance.saturating_add(earned.base_units());
    Ok(Spendable { nonce: account.nonce, balance, has_code, is_delegated })
}

/// A state as the protocols' views read it.
pub(super) struct Books<'a, S> {
    pub(super) state: &'a S,
    pub(super) block: BlockContext,
}

impl<S: ParentState> Read for Books<'_, S> {
    fn load(&mut self, address: Address, slot: U256) -> Result<U256, Failure> {
        self.state.storage(address, slot).map_err(|error| Failure::Store(error.0))
    }

    fn balance(&mut self, account: Address) -> Result<Amount, Failure> {
        let account = self.state.account(account).map_err(|error| Failure::Store(error.0))?;
        Ok(Amount::from_base_units(account.unwrap_or_default().balance))
    }

    fn charge(&mut self, _gas: u64) -> Result<(), Failure> {
        Ok(())
    }

    fn block(&self) -> BlockContext {
        self.block
    }
}

/// EIP-7702: an account that delegates to code still sends transactions.
fn is_delegation(code: &[u8]) -> bool {
    code.starts_with(&[0xef, 0x01, 0x00])
}
