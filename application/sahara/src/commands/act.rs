//! Sending one call to a protocol, or only trying it.

use crate::{cli::Signer, output::Format, refusal::refused, session::Session};
use alloy_sol_types::SolCall;
use eyre::Result;
use sahara_client::TxOutcome;
use sahara_primitives::{Address, Amount};
use serde_json::json;

/// What a call comes with.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Act<'a> {
    /// Where to.
    pub(crate) protocol: Address,
    /// Coin.
    pub(crate) value: Amount,
    /// Whether it is only tried.
    pub(crate) dry_run: bool,
    /// Who signs.
    pub(crate) signer: &'a Signer,
}

impl Act<'_> {
    /// Sends the call, or has the node try it: then there is no outcome, and what it answers was printed.
    pub(crate) async fn perform<C: SolCall>(
        self,
        session: &Session,
        call: &C,
        format: Format,
    ) -> Result<Option<TxOutcome>> {
        let key = session.key(self.signer).await?;
        let client = session.client()?;
        if self.dry_run {
            client
                .simulate(key.address(), self.protocol, self.value, call)
                .await
                .map_err(refused)?;
            let tried = json!({"would_be_taken": true, "from": key.address()});
            format
                .print(&tried, |_| String::from("the chain would take it now; nothing was sent"))?;
            return Ok(None);
        }
        let sent = client.send(&key, self.protocol, self.value, call).await;
        sent.map(Some).map_err(refused)
    }

    /// Sends the call and says where it stands, or has the node try it.
    pub(crate) async fn report<C: SolCall>(
        self,
        session: &Session,
        call: &C,
        format: Format,
    ) -> Result<()> {
        let Some(outcome) = self.perform(session, call, format).await? else { return Ok(()) };
        let (block, hash, fee) = (outcome.block_number, outcome.hash, outcome.fee());
        format.print(&json!({"transaction": hash, "block": block, "fee": fee}), |_| {
            format!("final in block {block}: {hash} (fee {fee} SAHARA)")
        })
    }
}
