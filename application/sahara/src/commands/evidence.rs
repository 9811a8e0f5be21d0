//! `sahara validators evidence`: what the node keeps of validators that contradicted themselves, and
//! the way of it to the chain.

use crate::{
    cli::Doing,
    output::{Format, table},
    refusal::refused,
    session::Session,
};
use alloy_primitives::{Bytes, U256};
use eyre::Result;
use sahara_abi::{IStaking, STAKING};
use sahara_client::{ChainClient, ClientError, SigningKey};
use sahara_finality::{Validator, to_bytes, to_hex};
use sahara_primitives::{Address, Amount, B256};
use serde::{Deserialize, Serialize};

/// What a node answers.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Accusation {
    validator: Option<Validator>,
    epoch: String,
    view: String,
    fault: String,
    proof: Bytes,
}

/// One proof, and what became of it.
#[derive(Serialize)]
struct Shown {
    network_key: String,
    validator: Option<Address>,
    epoch: String,
    view: String,
    fault: String,
    outcome: String,
    transaction: Option<B256>,
    proof: Bytes,
}

/// Who reports.
struct Reporter<'a> {
    client: &'a ChainClient,
    key: SigningKey,
    /// Whether the node only tries each report.
    is_trying: bool,
}

/// Shows the evidence, and reports it or has the node try that, if somebody is to report.
pub(crate) async fn run(doing: Option<&Doing>, session: &Session, format: Format) -> Result<()> {
    let client = session.client()?;
    let reporter = match doing {
        Some(Doing { dry_run, signer }) => {
            let key = session.key(signer).await?;
            Some(Reporter { client: &client, key, is_trying: *dry_run })
        }
        None => None,
    };
    let kept: Vec<Accusation> = client.request("sahara_evidence", ()).await.map_err(refused)?;
    let mut all = Vec::new();
    for accusation in kept {
        let Accusation { validator, epoch, view, fault, proof } = accusation;
        let mut shown = Shown {
            network_key: validator
                .as_ref()
                .map(|seat| to_hex(&seat.network_key))
                .unwrap_or_default(),
            validator: validator.as_ref().map(|seat| seat.fee_address),
            epoch,
            view,
            fault,
            outcome: "kept".into(),
            transaction: None,
            proof,
        };
        if let (Some(reporter), Some(seat)) = (&reporter, validator) {
            (shown.outcome, shown.transaction) = reporter.report(&seat, &shown.proof).await?;
        }
        all.push(shown);
    }
    format.print(&all, |all| page(all))
}

impl Reporter<'_> {
    /// What becomes of a proof, and the transaction that reports it.
    async fn report(&self, seat: &Validator, proof: &Bytes) -> Result<(String, Option<B256>)> {
        let Some(call) = report_call(self.client, seat, proof).await? else {
            return Ok(("its seat is not one of staking's".into(), None));
        };
        let done = if self.is_trying {
            let tried = self.client.simulate(self.key.address(), STAKING, Amount::ZERO, &call);
            tried.await.map(|_| None)
        } else {
            self.client.send(&self.key, STAKING, Amount::ZERO, &call).await.map(Some)
        };
        match done {
            Ok(Some(outcome)) => Ok(("reported".into(), Some(outcome.hash))),
            Ok(None) => Ok(("would be taken".into(), None)),
            // The chain knows it already, or it is too old: the next may not be.
            Err(ClientError::Reverted(reason)) => Ok((reason.to_string(), None)),
            Err(error) => Err(refused(error)),
        }
    }
}

/// The call that reports it, if staking knows the seat's keys.
async fn report_call(
    client: &ChainClient,
    seat: &Validator,
    proof: &Bytes,
) -> Result<Option<IStaking::reportDoubleSignCall>> {
    let (validator, network) = (seat.fee_address, to_bytes(&seat.network_key));
    let mut key = 0_u32;
    loop {
        let (start, count) = (U256::from(key), U256::from(100));
        let page = IStaking::seatKeysCall { validator, start, count };
        let page = client.call(STAKING, &page).await.map_err(refused)?.keys;
        if page.is_empty() {
            return Ok(None);
        }
        for known in page {
            if known.networkKey.as_slice() == network {
                let evidence = proof.clone();
                return Ok(Some(IStaking::reportDoubleSignCall { validator, key, evidence }));
            }
            key = key.saturating_add(1);
        }
    }
}

fn page(all: &[Shown]) -> String {
    if all.is_empty() {
        return "no validator is known to have contradicted itself".into();
    }
    let mut rows =
        vec![["network key", "epoch", "view", "fault", "outcome"].map(String::from).to_vec()];
    rows.extend(all.iter().map(|one| {
        vec![
            one.network_key.clone(),
            one.epoch.clone(),
            one.view.clone(),
            one.fault.clone(),
            one.outcome.clone(),
        ]
    }));
    table(&rows)
}
