//! After a kill: nothing delivered is forgotten, nothing else is charged.

use crate::{
    error::ApiError, gateway::Gateway, progress::Progress, rights::Holds, rows::RequestRow,
    run::count, store::get,
};
use alloy_primitives::B256;
use sahara_primitives::Usage;

impl Gateway {
    /// After a kill: what was delivered of streams is owed, the rest forgotten.
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
            let completion_tokens = count(&delivered.tokens);
            let usage = Usage { prompt_tokens: delivered.prompt_tokens, completion_tokens };
            let prices = (row.terms.worker_prices, row.asset_prices());
            let worst = account.worst(account.row().rates, prices, usage)?;
            tracing::info!(request = %id, tokens = completion_tokens, "owed from before the kill");
            let hold = account.hold_again(worst);
            let uses = self.rights.hold_again(row.right, row.right.uses(usage));
            self.owe(id, &account, &row, Holds { money: hold, uses });
        }
        let owed: Vec<_> = self.owed.lock().values().map(|owed| owed.row.job).collect();
        for job in self.store().progress_ids().into_iter().filter(|job| !owed.contains(job)) {
            Progress::remove(&self.store().progress_path(job));
        }
        Ok(())
    }
}
