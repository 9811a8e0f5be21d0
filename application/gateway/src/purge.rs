//! Forgetting: answers after a day, requests when nobody can ask for them again.

use crate::{
    error::ApiError,
    gateway::Gateway,
    rows::{Authority, RequestRow, TwinRow, twin_key},
    store::get,
};
use alloy_primitives::B256;
use sahara_primitives::ChannelId;

/// How long an answer is kept.
const ANSWER_MILLISECONDS: u64 = 86_400_000;
/// How long a name keeps its request from being charged again: longer than any client retries.
const NAME_MILLISECONDS: u64 = 30 * ANSWER_MILLISECONDS;

impl Gateway {
    /// Forgets the answers of requests that ended a day ago, and with them requests without a name;
    /// named ones a month later, a payment's not before its reservation ends. Receipts and claims
    /// stay.
    pub(crate) fn purge(&self) -> Result<(), ApiError> {
        let store = self.store();
        let mut batch = store.batch();
        for guard in store.requests.iter() {
            let (key, value) = guard.into_inner().map_err(ApiError::internal)?;
            let row: RequestRow = serde_json::from_slice(&value).map_err(ApiError::internal)?;
            let Some(outcome) = row.outcome else { continue };
            let age = self.now().0.saturating_sub(outcome.ended.0);
            if age <= ANSWER_MILLISECONDS {
                continue;
            }
            batch.remove(&store.results, key.clone());
            if let Some(twin) = self.twin_of(&row, &key)? {
                batch.remove(&store.twins, twin);
            }
            let is_over = age > NAME_MILLISECONDS && !self.is_payable(row.channel);
            if !row.is_named || is_over {
                batch.remove(&store.requests, key);
            }
        }
        batch.commit().map_err(ApiError::internal)
    }

    /// The key under which retries find a request, if it is still the last with its body.
    fn twin_of(&self, row: &RequestRow, id: &[u8]) -> Result<Option<Vec<u8>>, ApiError> {
        let Some(account) = self.known_account(row.channel) else { return Ok(None) };
        let owner: B256 = account.row().authority.owner(row.channel);
        let key = twin_key(owner, row.fingerprint());
        let twin = get::<TwinRow>(&self.store().twins, &key)?;
        Ok(twin.filter(|twin| twin.id.as_slice() == id).map(|_| key))
    }

    /// Whether a payment for a request could be shown again.
    fn is_payable(&self, channel: ChannelId) -> bool {
        let row = self.known_account(channel).map(|account| account.row());
        row.is_some_and(|row| {
            let is_reservation = matches!(row.authority, Authority::Reservation { .. });
            is_reservation && self.now().timestamp().0 <= row.authority.valid_until()
        })
    }
}
