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

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{B256, Bytes, keccak256};
    use sahara_evm::Account;

    /// A state whose every account has this code.
    struct Coded(&'static [u8]);

    impl ParentState for Coded {
        fn account(&self, _: Address) -> Result<Option<Account>, StateError> {
            Ok(Some(Account { code_hash: keccak256(self.0), ..Account::default() }))
        }

        fn storage(&self, _: Address, _: U256) -> Result<U256, StateError> {
            Ok(U256::ZERO)
        }

        fn code(&self, _: B256) -> Result<Bytes, StateError> {
            Ok(Bytes::from_static(self.0))
        }

        fn block_hash(&self, _: u64) -> Result<B256, StateError> {
            Ok(B256::ZERO)
        }
    }

    #[test]
    fn a_delegation_is_told_from_code_and_from_none() {
        let (rules, head) = (Rules::sahara(7), Header::default());
        for (code, has_code, is_delegated) in [
            (&[][..], false, false),
            (&[0xef, 0x01, 0x00, 7, 7][..], false, true),
            (&[0xef, 0x01, 0x01][..], true, false),
            (&[0x60][..], true, false),
        ] {
            let account = Address::repeat_byte(9);
            let found = spendable(rules, &head, &Coded(code), account).unwrap();
            assert_eq!((found.has_code, found.is_delegated), (has_code, is_delegated), "{code:?}");
        }
    }
}
