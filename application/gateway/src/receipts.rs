//! `GET /v1/receipts/{id}`: what was used, who was paid, and the proof.

use crate::{
    account::Account,
    error::ApiError,
    gateway::Gateway,
    logs::LogRow,
    openai::Total,
    rows::{ClaimRow, ReceiptRow, RequestRow, StoredAnswer, parse_receipt_id, receipt_id, seq_key},
    store::{get, list},
};
use alloy_primitives::{Address, B256, Bytes};
use sahara_compute::{Bundle, LogProof, Opening, Payment};
use sahara_primitives::{
    AssetId, BlockNumber, ChannelId, LoggedClaim, Receipt, ReceiptSeq, merkle,
};
use serde::Serialize;
use serde_json::{Value, json};

/// A payment as shown.
#[derive(Serialize)]
struct Payee<'a> {
    #[serde(flatten)]
    payment: &'a Payment,
    /// Of a pool.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<Address>,
    amount_sahara: String,
    amount_base_units: String,
    transaction: B256,
}

/// What is answered. Not through `serde_json::Value`: prices pass 2^64.
#[derive(Debug, Serialize)]
pub(crate) struct ReceiptAnswer {
    object: &'static str,
    id: String,
    state: &'static str,
    receipt: Receipt,
    usage: Value,
    gateway: Address,
    gateway_signature: Bytes,
    worker_signature: Bytes,
    earning_signature: Bytes,
    transaction: Option<B256>,
    block: Option<BlockNumber>,
    /// The claim's first receipt, and the one after its last.
    claim_covers: Option<[ReceiptSeq; 2]>,
    payees: Vec<Value>,
    opening: Option<Opening>,
    bundle: Option<Bundle>,
    bundle_error: Option<String>,
}

impl Gateway {
    /// A receipt; with the opened request and answer for the one who paid. Its proof has the handovers
    /// from block `since` on.
    pub(crate) async fn receipt(
        &self,
        id: &str,
        since: BlockNumber,
        reader: Option<&Account>,
    ) -> Result<ReceiptAnswer, ApiError> {
        let unknown = || ApiError::not_found(format!("there is no receipt {id}"));
        let (prefix, seq) = parse_receipt_id(id).ok_or_else(unknown)?;
        let channel = self.channel_with(&prefix)?.ok_or_else(unknown)?;
        let row = get::<ReceiptRow>(&self.store().receipts, &seq_key(channel, seq))?;
        let row = row.ok_or_else(unknown)?;
        let claim = self.claim_of(channel, seq)?;
        let opening = match reader.is_some_and(|reader| reader.channel == channel) {
            true => self.opening(&row)?,
            false => None,
        };
        let bundle = match &claim {
            Some(claim) => self.bundle(&row, claim, (opening.clone(), since)).await.map(Some),
            None => Ok(None),
        };
        let (bundle, bundle_error) = match bundle {
            Ok(bundle) => (bundle, None),
            Err(error) => (None, Some(error.message)),
        };
        let charged = row.receipt.bill.total().map_err(ApiError::internal)?;
        let total =
            Total { usage: row.receipt.usage, cost: charged, receipt: receipt_id(channel, seq) };
        let payees = match &claim {
            Some(claim) => self.payees(claim).await,
            None => Vec::new(),
        };
        Ok(ReceiptAnswer {
            object: "receipt",
            id: receipt_id(channel, seq),
            state: if claim.is_some() { "settled" } else { "pending" },
            usage: total.json(),
            gateway: self.address(),
            gateway_signature: row.gateway_signature,
            worker_signature: row.worker.receipt,
            earning_signature: row.worker.earning,
            receipt: row.receipt,
            transaction: claim.as_ref().map(|claim| claim.transaction),
            block: claim.as_ref().map(|claim| claim.block),
            claim_covers: claim.map(|claim| [claim.from, claim.to]),
            payees,
            opening,
            bundle,
            bundle_error,
        })
    }

    fn channel_with(&self, prefix: &[u8]) -> Result<Option<ChannelId>, ApiError> {
        let Some(guard) = self.store().channels.prefix(prefix).next() else { return Ok(None) };
        let key = guard.key().map_err(ApiError::internal)?;
        Ok(B256::try_from(key.as_ref()).map(ChannelId).ok())
    }

    /// The claim that covers a receipt.
    fn claim_of(&self, channel: ChannelId, seq: ReceiptSeq) -> Result<Option<ClaimRow>, ApiError> {
        let range = seq_key(channel, ReceiptSeq(0))..=seq_key(channel, seq);
        let Some(guard) = self.store().claims.range(range).next_back() else { return Ok(None) };
        let value = guard.value().map_err(ApiError::internal)?;
        let claim: ClaimRow = serde_json::from_slice(&value).map_err(ApiError::internal)?;
        Ok(Some(claim).filter(|claim| seq < claim.to))
    }

    fn opening(&self, row: &ReceiptRow) -> Result<Option<Opening>, ApiError> {
        let request = get::<RequestRow>(&self.store().requests, row.request.as_slice())?;
        let answer = self.store().result::<StoredAnswer>(row.request, row.job)?;
        Ok(request.zip(answer).map(|(request, answer)| Opening {
            request: request.terms,
            text: answer.tokens.concat(),
        }))
    }

    async fn bundle(
        &self,
        row: &ReceiptRow,
        claim: &ClaimRow,
        (opening, since): (Option<Opening>, BlockNumber),
    ) -> Result<Bundle, ApiError> {
        let channel = row.receipt.channel;
        let mut leaves = Vec::new();
        for seq in claim.from.0..claim.to.0 {
            let key = seq_key(channel, ReceiptSeq(seq));
            let leaf = get::<ReceiptRow>(&self.store().receipts, &key)?;
            // A number that was given to no receipt has an empty leaf.
            leaves.push(leaf.map_or(B256::ZERO, |leaf| leaf.receipt.hash()));
        }
        let index = row.receipt.seq.0.saturating_sub(claim.from.0);
        let index = usize::try_from(index).map_err(ApiError::internal)?;
        let inclusion = merkle::prove(&leaves, index);
        let inclusion =
            inclusion.ok_or_else(|| ApiError::internal("a receipt is not in its claim"))?;
        let chain = self.chain().0.receipt_proof(claim.transaction, since).await?;
        Ok(Bundle {
            receipt: row.receipt.clone(),
            gateway: self.address(),
            gateway_signature: row.gateway_signature.clone(),
            worker_signature: row.worker.receipt.clone(),
            inclusion,
            log_index: claim.log_index,
            chain,
            opening,
            log: self.log_proof(row, claim, (leaves.as_slice(), since)).await?,
        })
    }

    /// Why the claim is part of a usage log; none before its period is closed.
    async fn log_proof(
        &self,
        row: &ReceiptRow,
        claim: &ClaimRow,
        (receipts, since): (&[B256], BlockNumber),
    ) -> Result<Option<LogProof>, ApiError> {
        let Some(found) = self.log_of(row.receipt.asset, claim.settled)? else { return Ok(None) };
        let logged = LoggedClaim {
            channel: row.receipt.channel,
            from: claim.from,
            to: claim.to,
            receipts_root: merkle::root(receipts),
        };
        let Some((claims_root, inclusion)) = found.prove(&logged) else { return Ok(None) };
        Ok(Some(LogProof {
            log: found.log,
            from: found.covers.from,
            to: found.covers.to,
            claims_root,
            inclusion,
            log_index: found.log_index,
            chain: self.chain().0.receipt_proof(found.transaction, since).await?,
        }))
    }

    /// A usage log: what it covers and its claims, which are on chain; with the receipts for who
    /// owns it or holds a licence. What was asked and answered stays a hash.
    pub(crate) async fn usage_log(
        &self,
        log: AssetId,
        reader: Option<&Account>,
    ) -> Result<Value, ApiError> {
        let rows = list::<LogRow>(&self.store().logs, &[]);
        let row = rows?.into_iter().find_map(|(_, row)| (row.log == log).then_some(row));
        let unknown = || ApiError::not_found(format!("there is no usage log {log} here"));
        let row = row.ok_or_else(unknown)?;
        let receipts = match reader {
            Some(reader) => {
                self.may_read(log, reader.row().authority.payer()).await?;
                Some(self.logged_receipts(&row)?)
            }
            None => None,
        };
        Ok(json!({
            "object": "usage_log",
            "log": row.log,
            "covers": row.covers,
            "content_hash": row.covers.root_of(&row.claims),
            "transaction": row.transaction,
            "claims": row.claims,
            "receipts": receipts,
        }))
    }

    fn logged_receipts(&self, row: &LogRow) -> Result<Vec<Receipt>, ApiError> {
        let mut receipts = Vec::new();
        for claim in &row.claims {
            for seq in claim.from.0..claim.to.0 {
                let key = seq_key(claim.channel, ReceiptSeq(seq));
                let found = get::<ReceiptRow>(&self.store().receipts, &key)?;
                let of_asset = |one: &ReceiptRow| one.receipt.asset == row.covers.asset;
                receipts.extend(found.filter(of_asset).map(|one| one.receipt));
            }
        }
        Ok(receipts)
    }

    /// Who was paid by the claim: with the owner of each pool, and the transaction.
    async fn payees(&self, claim: &ClaimRow) -> Vec<Value> {
        let pool = |payment: &Payment| match payment {
            Payment::Pool { asset, .. } => Some(*asset),
            _ => None,
        };
        let pools: Vec<_> = claim.payments.iter().filter_map(pool).collect();
        let owners = self.chain().owners(&pools).await;
        let payee = |payment| Payee {
            payment,
            owner: pool(payment).and_then(|asset| owners.get(&asset).copied()),
            amount_sahara: payment.amount().to_string(),
            amount_base_units: payment.amount().base_units().to_string(),
            transaction: claim.transaction,
        };
        claim.payments.iter().map(|payment| json!(payee(payment))).collect()
    }
}
