//! Code that only a state wanted which was given up.
//!
//! Code is needed by hash, and a walk over a newer state passes over what is here already: it does not
//! see again who wanted code, so that none can be dropped when it begins. When all accounts are here,
//! their rows say it.

use std::collections::BTreeSet;

use fjall::Readable as _;

use super::SyncStore;
use crate::store::{StoreError, state::decode_account_row};

impl SyncStore {
    /// Whether nothing is needed any more but code.
    #[must_use]
    pub fn lacks_code_alone(&self) -> bool {
        self.needs.len() > 0 && self.needs.places().next().is_none()
    }

    /// Forgets code that no account has; how many pieces that were. It reads every account, and does
    /// nothing before all of them are here.
    ///
    /// # Errors
    /// When the disk fails.
    pub fn drop_foreign_code(&mut self) -> Result<usize, StoreError> {
        if !self.lacks_code_alone() {
            return Ok(0);
        }
        let mut foreign = self.needs.codes().collect::<BTreeSet<_>>();
        for row in self.database.snapshot().iter(&self.tables.accounts) {
            let (_, record) = decode_account_row(&row.value()?)?;
            foreign.remove(&record.account.code_hash);
            if foreign.is_empty() {
                return Ok(0);
            }
        }
        let mut batch = self.database.batch();
        for hash in &foreign {
            self.needs.drop_code(*hash, &self.tables, &mut batch);
        }
        batch.commit()?;
        Ok(foreign.len())
    }
}
