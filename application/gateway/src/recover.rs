//! After a kill: nothing delivered is forgotten, nothing else is charged.

use crate::{
    account::{Books, Delivery},
    error::ApiError,
    gateway::Gateway,
    progress::{Delivered, Progress},
    rows::RequestRow,
    run::count,
    store::get,
};
use alloy_primitives::B256;
use sahara_primitives::Usage;

impl Gateway {
    /// After a kill: charges what was delivered of streams, forgets the rest.
    pub(crate) fn recover(&self) -> Result<(), ApiError> {
        let ids: Vec<B256> = self
            .store()
            .open
            .iter()
            .filter_map(|guard| B256::try_from(guard.key().ok()?.as_ref()).ok())
            .collect();
        for id in ids {
            let row = get::<RequestRow>(&self.store().requests, id.as_slice())?;
            let delivered = row.as_ref().and_then(|row| Progress::read(self.store(), row.job));
            let account = row.as_ref().and_then(|row| self.known_account(row.channel));
            let (Some(row), Some(account), Some(delivered)) = (row, account, delivered) else {
                self.forget(id)?;
                continue;
            };
            let Delivered { prompt_tokens, tokens } = delivered;
            let usage = Usage { prompt_tokens, completion_tokens: count(&tokens) };
            let delivery = Delivery { usage, tokens, finish: None };
            let books = Books { store: self.store(), key: &self.config.key, now: self.now() };
            let charged = account.charge(books, (id, &row), delivery)?;
            tracing::info!(request = %id, tokens = usage.completion_tokens, seq = charged.1.seq.0, "charged what was delivered before the kill");
            self.unsettled.lock().insert(account.channel);
        }
        for job in self.store().progress_ids() {
            Progress::remove(&self.store().progress_path(job));
        }
        Ok(())
    }
}
