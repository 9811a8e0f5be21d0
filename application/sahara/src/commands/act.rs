//! Sending one call to a protocol, or only trying it.

use crate::{
    cli::{Doing, Signer},
    output::Format,
    refusal::refused,
    session::Session,
};
use alloy_sol_types::SolCall;
use eyre::Result;
use sahara_client::{SigningKey, TxOutcome};
use sahara_primitives::{Address, Amount};
use serde_json::json;

/// What a call comes with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act<'a> {
    /// Where to.
    protocol: Address,
    /// Coin.
    value: Amount,
    /// Whether it is only tried.
    dry_run: bool,
    /// Who signs.
    signer: &'a Signer,
}

impl<'a> Act<'a> {
    /// As a command's flags say.
    pub(crate) const fn of(doing: &'a Doing, protocol: Address, value: Amount) -> Self {
        Self { protocol, value, dry_run: doing.dry_run, signer: &doing.signer }
    }

    /// Sends the call, or has the node try it: then there is no outcome, and what it answers was printed.
    pub(crate) async fn perform<C: SolCall>(
        self,
        session: &Session,
        call: &C,
        format: Format,
    ) -> Result<Option<TxOutcome>> {
        let key = session.key(self.signer).await?;
        self.perform_as(&key, session, call, format).await
    }

    /// As [`Self::perform`], with a key that was opened before: its password is asked for once.
    pub(crate) async fn perform_as<C: SolCall>(
        self,
        key: &SigningKey,
        session: &Session,
        call: &C,
        format: Format,
    ) -> Result<Option<TxOutcome>> {
        let client = session.client()?;
        if self.dry_run {
            client
                .simulate(key.address(), self.protocol, self.value, call)
                .await
                .map_err(refused)?;
            tried(key.address(), format)?;
            return Ok(None);
        }
        let sent = client.send(key, self.protocol, self.value, call).await;
        sent.map(Some).map_err(refused)
    }

    /// Sends the call and says where it stands, or has the node try it.
    pub(crate) async fn report<C: SolCall>(
        self,
        session: &Session,
        call: &C,
        format: Format,
    ) -> Result<()> {
        let key = session.key(self.signer).await?;
        self.report_as(&key, session, call, format).await
    }

    /// As [`Self::report`], with a key that was opened before.
    pub(crate) async fn report_as<C: SolCall>(
        self,
        key: &SigningKey,
        session: &Session,
        call: &C,
        format: Format,
    ) -> Result<()> {
        match self.perform_as(key, session, call, format).await? {
            Some(outcome) => done(&outcome, format),
            None => Ok(()),
        }
    }
}

/// Says that a dry run went well.
pub(crate) fn tried(from: Address, format: Format) -> Result<()> {
    tried_by("the chain", from, format)
}

/// Says that a dry run went well, and who it is that would take it.
pub(crate) fn tried_by(taker: &str, from: Address, format: Format) -> Result<()> {
    format.print(&json!({"would_be_taken": true, "from": from}), |_| {
        format!("{taker} would take it now; nothing was sent")
    })
}

/// Says where a transaction stands.
pub(crate) fn done(outcome: &TxOutcome, format: Format) -> Result<()> {
    let (block, hash, fee) = (outcome.block_number, outcome.hash, outcome.fee());
    format.print(&json!({"transaction": hash, "block": block, "fee": fee}), |_| {
        format!("final in block {block}: {hash} (fee {fee} SAHARA)")
    })
}
