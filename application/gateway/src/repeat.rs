//! Repetition: one id, one body, one result (G4).

use crate::{
    account::Account,
    error::ApiError,
    gateway::{Gateway, Runs},
    rows::{Outcome, RequestRow, StoredAnswer, TwinRow, twin_key},
    run::Reader,
    store::get,
};
use alloy_primitives::B256;
use sahara_primitives::domain_hash;

/// How long a stock client's automatic retry finds the answer of its first attempt.
const RETRY_MILLISECONDS: u64 = 60_000;

/// What tells a request from its repetition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// The client named it.
    Named(B256),
    /// A stock client's automatic retry of something.
    Retry,
    /// New.
    Fresh,
}

/// Where an answer comes from.
#[derive(Debug)]
pub(crate) enum Reply {
    /// It is being made.
    Live(Reader),
    /// It was made before.
    Stored(Box<RequestRow>, Outcome, StoredAnswer),
}

impl Gateway {
    /// The id that an `Idempotency-Key` gives a request of this owner.
    pub(crate) fn named(owner: B256, name: &str) -> Identity {
        Identity::Named(domain_hash("sahara/request-id/1", &[owner.as_slice(), name.as_bytes()]))
    }

    /// The answer that is made, or was made, for a request that came before; `body` is its fingerprint.
    pub(crate) fn again(
        &self,
        account: &Account,
        identity: &Identity,
        body: B256,
    ) -> Result<Option<Reply>, ApiError> {
        let owner = account.row().authority.owner(account.channel);
        self.again_among(&self.runs.lock(), (owner, body), identity)
    }

    /// As [`Self::again`], while nobody else starts one.
    pub(crate) fn again_among(
        &self,
        runs: &Runs,
        (owner, body): (B256, B256),
        identity: &Identity,
    ) -> Result<Option<Reply>, ApiError> {
        let id = match identity {
            Identity::Named(id) => Some(*id),
            Identity::Retry => {
                let live = runs.twins.get(&(owner, body)).copied();
                live.or(self.twin(owner, body)?)
            }
            Identity::Fresh => None,
        };
        let Some(id) = id else { return Ok(None) };
        if let Some(run) = runs.by_id.get(&id) {
            return match run.body == body {
                true => Ok(Some(Reply::Live(run.reader()))),
                false => Err(ApiError::other_body()),
            };
        }
        if self.owed.lock().contains_key(&id) {
            return Err(ApiError::pending());
        }
        self.stored(id, body)
    }

    /// The last finished request with this body, if a retry may still join it. Bytes handed to a
    /// connection prove nothing about their arrival: that the client retries does.
    fn twin(&self, owner: B256, body: B256) -> Result<Option<B256>, ApiError> {
        let key = twin_key(owner, body);
        let Some(twin) = get::<TwinRow>(&self.store().twins, &key)? else { return Ok(None) };
        let row = get::<RequestRow>(&self.store().requests, twin.id.as_slice())?;
        let outcome = row.and_then(|row| row.outcome).filter(|outcome| outcome.finish.is_some());
        let is_recent =
            |outcome: &Outcome| self.now().0.saturating_sub(outcome.ended.0) <= RETRY_MILLISECONDS;
        Ok(outcome.filter(is_recent).map(|_| twin.id))
    }

    fn stored(&self, id: B256, body: B256) -> Result<Option<Reply>, ApiError> {
        let Some(row) = get::<RequestRow>(&self.store().requests, id.as_slice())? else {
            return Ok(None);
        };
        if row.fingerprint() != body {
            return Err(ApiError::other_body());
        }
        let Some(outcome) = row.outcome else { return Ok(None) };
        let answer = self.store().result(id, row.job)?.ok_or_else(|| {
            ApiError::not_found(
                "this request was answered and charged once; its answer is kept for 24 hours only",
            )
        })?;
        Ok(Some(Reply::Stored(Box::new(row), outcome, answer)))
    }
}
