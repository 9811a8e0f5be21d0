//! The next nonce of each account, counted here so that transactions can follow each other
//! without asking.

use alloy_primitives::Address;
use std::{collections::BTreeMap, sync::Arc};
use tokio::sync::{Mutex, MutexGuard};

/// One account's next nonce; `None` when the node has to be asked.
#[derive(Clone, Debug, Default)]
pub(crate) struct Nonce(Arc<Mutex<Option<u64>>>);

#[derive(Debug, Default)]
pub(crate) struct Nonces {
    accounts: std::sync::Mutex<BTreeMap<Address, Nonce>>,
}

impl Nonces {
    pub(crate) fn of(&self, account: Address) -> Nonce {
        let mut accounts = self.accounts.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        accounts.entry(account).or_default().clone()
    }
}

impl Nonce {
    pub(crate) async fn lock(&self) -> MutexGuard<'_, Option<u64>> {
        self.0.lock().await
    }
}
