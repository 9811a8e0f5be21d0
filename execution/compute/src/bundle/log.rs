//! [`LogProof`]: from a claim up to the usage log that is an asset.

use super::{Bundle, BundleError, ChainProof, Trusted};
use alloy_primitives::B256;
use alloy_sol_types::SolEvent;
use sahara_abi::{
    ASSETS,
    IAssets::{self, Kind, Relation},
    IChannels,
};
use sahara_primitives::{
    AssetId, ChannelId, LoggedClaim, ReceiptSeq, Timestamp, UsageLog, merkle::MerkleProof,
};
use serde::{Deserialize, Serialize};

/// Why a claim is part of a usage log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct LogProof {
    /// The log's asset.
    pub log: AssetId,
    /// Its period's first second.
    pub from: Timestamp,
    /// The second after its period's last.
    pub to: Timestamp,
    /// Root over its claims.
    pub claims_root: B256,
    /// The claim's place in it.
    pub inclusion: MerkleProof,
    /// The place of the log's `Registered` among the transaction's logs.
    pub log_index: u64,
    /// Why the log was registered.
    pub chain: ChainProof,
}

impl LogProof {
    /// L3: the log holds the claim, is its gateway's, and is linked to the asset that was used.
    pub(super) fn verify(
        &self,
        trusted: Trusted,
        bundle: &Bundle,
        claim: (&IChannels::Collected, Timestamp),
    ) -> Result<AssetId, BundleError> {
        let wrong = |why| BundleError::NotLogged { log: self.log, why };
        let (collected, settled) = claim;
        let header = self.chain.header(trusted)?;
        let found = self.chain.logs(header.header().receipts_root, self.log_index)?;
        let (logs, index) = found.ok_or_else(|| wrong("it has no such event"))?;
        let event = logs.get(index).filter(|event| event.address == ASSETS);
        let registered = event.and_then(|event| IAssets::Registered::decode_log(event).ok());
        let registered = registered.ok_or_else(|| wrong("the event registers no asset"))?;
        let is_its = registered.asset == self.log.0
            && registered.kind == Kind::UsageLog
            && registered.creator == bundle.gateway;
        if !is_its {
            return Err(wrong("it was not registered as a usage log by the receipt's gateway"));
        }
        let log = UsageLog {
            chain_id: bundle.receipt.chain_id,
            gateway: bundle.gateway,
            asset: bundle.receipt.asset,
            from: self.from,
            to: self.to,
        };
        if !log.covers(settled) {
            return Err(wrong("the claim was settled outside of its period"));
        }
        let leaf = LoggedClaim {
            channel: ChannelId(collected.channelId),
            from: ReceiptSeq(collected.seqFrom.to()),
            to: ReceiptSeq(collected.seqTo.to()),
            receipts_root: collected.receiptsRoot,
        };
        if !self.inclusion.verify(self.claims_root, leaf.hash())
            || log.root(self.claims_root) != registered.contentHash
        {
            return Err(wrong("the claim is not at its place under the log's content hash"));
        }
        let is_linked = logs.iter().filter(|event| event.address == ASSETS).any(|event| {
            IAssets::Linked::decode_log(event).is_ok_and(|edge| {
                (edge.asset, edge.parent, edge.relation)
                    == (self.log.0, log.asset.0, Relation::Records)
            })
        });
        if is_linked { Ok(self.log) } else { Err(wrong("it is not linked to the asset used")) }
    }
}
