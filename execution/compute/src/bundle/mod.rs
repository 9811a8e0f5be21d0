//! [`Bundle`]: a receipt with everything a stranger needs to check it, trusting one hash.
//!
//! ```text
//! genesis hash -> validators -> (handover -> validators ->)* certificate -> header -> receipts root -> claim's log
//!              -> receiptsRoot -> receipt -> signatures, prices times tokens
//! ```
//!
//! # Size
//! A few kilobytes and the handovers up to the claim's epoch: of each about 2 KB, and 520 bytes a seat. A
//! year in which four seats change in every one of 3,000 epochs is 12 MB, of a hundred seats 160 MB. So who
//! trusts the end of a later epoch asks for those from there on, and starts there ([`Bundle::verify_since`]).

mod log;
mod payment;
#[cfg(test)]
mod tests;

pub use log::LogProof;
pub use payment::{Payment, payments};

use crate::{SignatureError, Terms, recover};
use alloy_primitives::{Address, B256, Bytes, Log, U256, keccak256};
use alloy_sol_types::SolEvent;
use sahara_abi::{CHANNELS, IChannels, ILicenses, LICENSES};
use sahara_finality::{
    Handover, LightClient, LightError, LogClaim, ProofError, ReceiptError, TxReceipt, ValidatorSet,
    VerifiedHeader, verify_log,
};
use sahara_primitives::{
    AssetId, BlockNumber, LicenseId, Prices, Receipt, Timestamp, merkle::MerkleProof,
};
use serde::{Deserialize, Serialize};

/// Why a transaction's receipt is part of the chain.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ChainProof {
    /// EIP-155 id.
    pub chain_id: u64,
    /// RLP of block 0's header; its hash is what is trusted.
    pub genesis_header: Bytes,
    /// The validators block 0 commits to.
    pub validators: ValidatorSet,
    /// The ends of epochs after which other validators followed, up to the block's epoch: from the first
    /// on, or from where whoever asked starts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub handovers: Vec<Handover>,
    /// RLP of the block's header.
    pub header: Bytes,
    /// RLP of the headers above it up to the certified one; mostly none.
    #[serde(default)]
    pub descendants: Vec<Bytes>,
    /// The finalisation certificate of the last of them.
    pub certificate: Bytes,
    /// The transaction's place in the block.
    pub transaction_index: u64,
    /// The transaction's receipt, EIP-2718.
    pub receipt: Bytes,
    /// Trie nodes from the receipts root down.
    pub receipt_proof: Vec<Bytes>,
}

/// What the salted hashes of a receipt stand for. For the payer's eyes: whoever holds a bundle with
/// its opening knows the salt.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Opening {
    /// What was asked.
    pub request: Terms,
    /// The delivered text.
    pub text: String,
}

/// A receipt and its proof.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Bundle {
    /// The usage record.
    pub receipt: Receipt,
    /// Who sold; the channel's gateway.
    pub gateway: Address,
    /// The gateway's signature over the receipt's hash.
    pub gateway_signature: Bytes,
    /// The worker's signature over the receipt's hash.
    pub worker_signature: Bytes,
    /// The receipt's place in the claim.
    pub inclusion: MerkleProof,
    /// The place of the claim's `Collected` among the transaction's logs.
    pub log_index: u64,
    /// Why the claim happened.
    pub chain: ChainProof,
    /// What the hashes stand for, if the holder may know.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub opening: Option<Opening>,
    /// Why the claim is part of a usage log, once its period is closed.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub log: Option<LogProof>,
}

/// What a verified bundle proves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Verified {
    /// The block that settled it.
    pub block: BlockNumber,
    /// Its hash.
    pub block_hash: B256,
    /// Its time.
    pub timestamp: Timestamp,
    /// The transaction's place in it.
    pub transaction_index: u64,
    /// Who paid.
    pub payer: Address,
    /// Everything the claim paid, to whom; it may cover more receipts of the channel.
    pub payments: Vec<Payment>,
    /// Whether request and answer were opened and fit.
    pub is_opened: bool,
    /// The licence under which the asset was used; 0: none was needed.
    pub license: LicenseId,
    /// Uses (or tokens) of that licence which the claim counted, for all its receipts together.
    pub counted: u64,
    /// The usage log that holds the receipt, if the bundle proves one.
    pub log: Option<AssetId>,
}

/// Whom a verifier believes.
#[derive(Clone, Copy, Debug)]
struct Trusted {
    /// The hash of block 0.
    genesis: B256,
    /// The hash of the last block of an epoch after which others validated: nothing before it counts.
    end: Option<B256>,
}

/// Why a bundle proves nothing.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The header is not part of the chain with this genesis.
    #[error(transparent)]
    Header(#[from] LightError),
    /// It does not start where the verifier does.
    #[error("no handover in it is of block {0}, from which on it is to be verified")]
    StartsElsewhere(B256),
    /// The transaction's receipt is not part of the block.
    #[error(transparent)]
    Proof(#[from] ProofError),
    /// The transaction's receipt cannot be read.
    #[error(transparent)]
    Transaction(#[from] ReceiptError),
    /// The log named is not the claim that covers the receipt.
    #[error("log {0} is not the claim of this channel and gateway that covers the receipt")]
    OtherClaim(u64),
    /// The receipt is not what the claim's root commits to.
    #[error("the receipt is not at its place under the claim's receiptsRoot")]
    NotIncluded,
    /// A signature is missing.
    #[error("the {party}'s signature is not by {expected}")]
    Unsigned {
        /// Who should have signed.
        party: &'static str,
        /// With which address.
        expected: Address,
    },
    /// A signature is malformed.
    #[error("the {party}'s signature: {error}")]
    Signature {
        /// Whose.
        party: &'static str,
        /// What is wrong.
        error: SignatureError,
    },
    /// The receipt is of another chain.
    #[error("the receipt is of chain {0}, the proof of another")]
    OtherChain(u64),
    /// Tokens times prices are not the charge.
    #[error("the {0} of the bill does not follow from tokens and prices")]
    WrongBill(&'static str),
    /// What was asked for is not what was charged.
    #[error("the receipt's prices are not those of the opened request")]
    OtherPrices,
    /// The usage log does not hold the receipt.
    #[error("the usage log {log}: {why}")]
    NotLogged {
        /// The log's asset.
        log: AssetId,
        /// What is wrong.
        why: &'static str,
    },
    /// The opened request or answer has another hash.
    #[error("the opened {0} does not have the receipt's hash")]
    WrongOpening(&'static str),
}

impl Bundle {
    /// W5: checks everything, trusting only the hash of block 0.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn verify(&self, genesis: B256) -> Result<Verified, BundleError> {
        self.verify_trusting(Trusted { genesis, end: None })
    }

    /// As [`Self::verify`], trusting the hash of an epoch's last block as well: handovers before it are
    /// neither needed nor looked at, and nothing that an older set signed since is believed. What was
    /// settled before it is not proven so.
    ///
    /// # Errors
    /// See [`BundleError`].
    pub fn verify_since(&self, genesis: B256, end: B256) -> Result<Verified, BundleError> {
        self.verify_trusting(Trusted { genesis, end: Some(end) })
    }

    fn verify_trusting(&self, trusted: Trusted) -> Result<Verified, BundleError> {
        let chain = &self.chain;
        let header = chain.header(trusted)?;
        if self.receipt.chain_id != chain.chain_id {
            return Err(BundleError::OtherChain(self.receipt.chain_id));
        }
        let (logs, collected) = self.claim(header.header().receipts_root)?;
        self.check_place(&collected)?;
        self.check_signatures()?;
        self.check_bill()?;
        self.check_opening()?;
        let timestamp = Timestamp(header.header().timestamp);
        let log = self.log.as_ref();
        let log = log.map(|log| log.verify(trusted, self, (&collected, timestamp))).transpose()?;
        Ok(Verified {
            block: BlockNumber(header.header().number),
            block_hash: header.hash(),
            timestamp,
            transaction_index: chain.transaction_index,
            payer: collected.payer,
            payments: payments(&logs, self.receipt.channel, self.gateway),
            is_opened: self.opening.is_some(),
            license: self.receipt.license,
            counted: counted(&logs, self.receipt.license, collected.payer),
            log,
        })
    }

    fn claim(&self, receipts_root: B256) -> Result<(Vec<Log>, IChannels::Collected), BundleError> {
        let other = || BundleError::OtherClaim(self.log_index);
        let (logs, index) = self.chain.logs(receipts_root, self.log_index)?.ok_or_else(other)?;
        let log = logs.get(index).ok_or_else(other)?;
        if log.address != CHANNELS {
            return Err(other());
        }
        let collected = IChannels::Collected::decode_log(log).map_err(|_| other())?.data;
        Ok((logs, collected))
    }

    fn check_place(&self, collected: &IChannels::Collected) -> Result<(), BundleError> {
        let (from, to) = (collected.seqFrom.to::<u32>(), collected.seqTo.to::<u32>());
        let seq = self.receipt.seq.0;
        if collected.channelId != self.receipt.channel.0
            || collected.gateway != self.gateway
            || !(from..to).contains(&seq)
        {
            return Err(BundleError::OtherClaim(self.log_index));
        }
        let is_placed = self.inclusion.index == u64::from(seq.saturating_sub(from))
            && self.inclusion.leaves == u64::from(to.saturating_sub(from));
        if is_placed && self.inclusion.verify(collected.receiptsRoot, self.receipt.hash()) {
            Ok(())
        } else {
            Err(BundleError::NotIncluded)
        }
    }

    fn check_signatures(&self) -> Result<(), BundleError> {
        let hash = self.receipt.hash();
        let parties = [
            ("gateway", self.gateway, &self.gateway_signature),
            ("worker", self.receipt.worker, &self.worker_signature),
        ];
        for (party, expected, signature) in parties {
            let signer = recover(hash, signature)
                .map_err(|error| BundleError::Signature { party, error })?;
            if signer != expected {
                return Err(BundleError::Unsigned { party, expected });
            }
        }
        Ok(())
    }

    fn check_bill(&self) -> Result<(), BundleError> {
        let receipt = &self.receipt;
        if receipt.worker_prices.charge(receipt.usage) != Ok(receipt.bill.worker) {
            return Err(BundleError::WrongBill("worker's part"));
        }
        if receipt.asset_prices.charge(receipt.usage) != Ok(receipt.bill.asset) {
            return Err(BundleError::WrongBill("asset's part"));
        }
        Ok(())
    }

    fn check_opening(&self) -> Result<(), BundleError> {
        let Some(opening) = &self.opening else { return Ok(()) };
        if opening.request.hash() != self.receipt.request_hash {
            return Err(BundleError::WrongOpening("request"));
        }
        if opening.request.output_hash(&opening.text) != self.receipt.output_hash {
            return Err(BundleError::WrongOpening("answer"));
        }
        let (receipt, asked) = (&self.receipt, &opening.request);
        // A licence may cover the asset's price; nothing else changes what was asked for.
        let is_covered =
            receipt.license != LicenseId::NONE && receipt.asset_prices == Prices::default();
        if receipt.asset != asked.asset
            || receipt.worker_prices != asked.worker_prices
            || (receipt.asset_prices != asked.asset_prices && !is_covered)
        {
            return Err(BundleError::OtherPrices);
        }
        Ok(())
    }
}

impl ChainProof {
    /// The header, if it is part of the chain that is trusted.
    fn header(&self, trusted: Trusted) -> Result<VerifiedHeader, BundleError> {
        let (header, validators) = (&self.genesis_header, self.validators.clone());
        let light = LightClient::new(trusted.genesis, header, self.chain_id, validators)?;
        let light = match trusted.end {
            Some(end) => {
                let is_it = |handover: &&Handover| keccak256(&handover.header) == end;
                let start = self.handovers.iter().find(is_it);
                light.trusting(end, start.ok_or(BundleError::StartsElsewhere(end))?)?
            }
            None => light,
        };
        let light = light.following(&self.handovers)?;
        Ok(light.verify_through(&self.header, &self.descendants, &self.certificate)?)
    }

    /// The logs of the transaction, which is part of the block, and the place of one of them.
    fn logs(
        &self,
        receipts_root: B256,
        log_index: u64,
    ) -> Result<Option<(Vec<Log>, usize)>, BundleError> {
        let logs = Vec::from(TxReceipt::decode(&self.receipt)?.logs);
        let places = (usize::try_from(self.transaction_index), usize::try_from(log_index));
        let (Ok(transaction_index), Ok(log_index)) = places else { return Ok(None) };
        let Some(log) = logs.get(log_index) else { return Ok(None) };
        let claim = LogClaim { transaction_index, log_index, log };
        verify_log(receipts_root, &claim, &self.receipt, &self.receipt_proof)?;
        Ok(Some((logs, log_index)))
    }
}

/// Uses of a payer's licence that a transaction counted.
fn counted(logs: &[Log], license: LicenseId, payer: Address) -> u64 {
    let counts = logs.iter().filter(|log| log.address == LICENSES).filter_map(|log| {
        let event = ILicenses::UsesCounted::decode_log(log).ok()?;
        let is_ours = event.account == payer && event.license == U256::from(license.0);
        is_ours.then_some(event.count)
    });
    counts.fold(0, u64::saturating_add)
}
