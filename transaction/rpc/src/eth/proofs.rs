//! Merkle proofs of accounts and words.

use crate::{error::Failure, node::Node};
use alloy_eips::BlockId;
use alloy_primitives::{Address, B256, U256};
use alloy_rpc_types_eth::{EIP1186AccountProofResponse, EIP1186StorageProof};
use jsonrpsee::proc_macros::rpc;
use sahara_chain::store::AccountProof;

/// The most words one proof covers, as go-ethereum.
const MAX_KEYS: usize = 1_024;

#[rpc(server, namespace = "eth")]
pub(crate) trait ProofsApi {
    /// Of the latest block, and of as many before as the node keeps tries of.
    #[method(name = "getProof")]
    async fn proof(
        &self,
        address: Address,
        slots: Vec<StorageSlot>,
        block: Option<BlockId>,
    ) -> Result<EIP1186AccountProofResponse, Failure>;
}

/// A slot as clients write it: a quantity or 32 bytes, and no longer.
#[derive(Clone, Copy, Debug, serde::Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct StorageSlot(pub(crate) U256);

impl TryFrom<String> for StorageSlot {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        let digits = text.strip_prefix("0x").ok_or("expected a storage key that begins with 0x")?;
        if digits.len() > 64 {
            return Err(format!("storage key too long: expected 32 bytes, got {text}"));
        }
        U256::from_str_radix(digits, 16).map(Self).map_err(|error| error.to_string())
    }
}

#[derive(Debug)]
pub(crate) struct Proofs(pub(crate) Node);

#[jsonrpsee::core::async_trait]
impl ProofsApiServer for Proofs {
    async fn proof(
        &self,
        address: Address,
        slots: Vec<StorageSlot>,
        block: Option<BlockId>,
    ) -> Result<EIP1186AccountProofResponse, Failure> {
        if slots.len() > MAX_KEYS {
            let text = format!("too many keys (max {MAX_KEYS}, got {})", slots.len());
            return Err(Failure::Limit(text));
        }
        let slots: Vec<U256> = slots.into_iter().map(|slot| slot.0).collect();
        let work = move |node: &Node| {
            let number = node.number(block.unwrap_or_default())?.ok_or(Failure::UnknownBlock)?;
            let is_named = block.is_some_and(|id| !id.is_latest() && !id.is_pending());
            let proof = if is_named {
                node.store().proof_at(number, address, &slots)?
            } else {
                node.store().proof(address, &slots)?
            };
            Ok(view(proof))
        };
        self.0.compute(work).await
    }
}

fn view(proof: AccountProof) -> EIP1186AccountProofResponse {
    let storage_proof = proof.storage.into_iter().map(|word| {
        let key = B256::from(word.slot).into();
        EIP1186StorageProof { key, value: word.value, proof: word.nodes }
    });
    EIP1186AccountProofResponse {
        address: proof.address,
        balance: proof.account.balance,
        code_hash: proof.account.code_hash,
        nonce: proof.account.nonce,
        storage_hash: proof.storage_root,
        account_proof: proof.nodes,
        storage_proof: storage_proof.collect(),
    }
}
