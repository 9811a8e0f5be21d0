//! [`Receipt`]: what was asked, what came back, what it cost; signed by gateway and worker, chained.

use crate::{Amount, AssetId, Bill, ChannelId, LicenseId, Prices, ReceiptSeq, Usage, domain_hash};
use alloy_primitives::{Address, B256};
use serde::{Deserialize, Serialize};

/// How far an answer can be checked by others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum DeterminismClass {
    /// Bit-exact: anyone with the weights recomputes the answer.
    D1,
    /// Checked by samples and reputation only; never slashed on a bit.
    Statistical,
}

impl DeterminismClass {
    /// The byte that stands for the class in hashes.
    pub const fn byte(self) -> u8 {
        match self {
            Self::D1 => 1,
            Self::Statistical => 255,
        }
    }
}

/// The usage record of one answer.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Receipt {
    /// EIP-155 id of the chain that settles it.
    pub chain_id: u64,
    /// The channel that pays.
    pub channel: ChannelId,
    /// Position in the channel, without gaps.
    pub seq: ReceiptSeq,
    /// Struct hash of the request (see `abi::signing`), salted.
    pub request_hash: B256,
    /// The asset that was used.
    pub asset: AssetId,
    /// The licence under which it was used; [`LicenseId::NONE`] where none is needed.
    pub license: LicenseId,
    /// The worker that computed.
    pub worker: Address,
    /// BLAKE3 of the weights file.
    pub model_root: B256,
    /// How far the answer can be checked.
    pub class: DeterminismClass,
    /// Tokens.
    pub usage: Usage,
    /// What the worker asked.
    pub worker_prices: Prices,
    /// What the asset's owner asked; nothing where a licence's price covers it.
    pub asset_prices: Prices,
    /// Salted hash of the delivered text.
    pub output_hash: B256,
    /// The parts of the charge.
    pub bill: Bill,
    /// Everything charged on the channel up to and including this receipt.
    pub cumulative: Amount,
    /// Everything earned by this worker for this asset on the channel, including this receipt.
    pub cumulative_worker: Amount,
    /// Everything earned by this asset through this worker on the channel, including this receipt.
    pub cumulative_asset: Amount,
    /// Hash of the receipt before it; zero for the first.
    pub previous: B256,
}

/// A receipt's hash: the leaf of a claim's `receiptsRoot`, and what both parties sign.
pub type ReceiptLeaf = B256;

impl Receipt {
    /// Domain of the hash.
    pub const DOMAIN: &'static str = "sahara/receipt/2";

    /// The hash of the one encoding: every field in declaration order, numbers big-endian.
    pub fn hash(&self) -> ReceiptLeaf {
        let amount = |a: Amount| a.base_units().to_be_bytes::<32>();
        let prices = |p: Prices| [p.input.0.to_be_bytes(), p.output.0.to_be_bytes()].concat();
        domain_hash(
            Self::DOMAIN,
            &[
                &self.chain_id.to_be_bytes(),
                self.channel.0.as_slice(),
                &self.seq.0.to_be_bytes(),
                self.request_hash.as_slice(),
                &self.asset.0.to_be_bytes(),
                &self.license.0.to_be_bytes(),
                self.worker.as_slice(),
                self.model_root.as_slice(),
                &[self.class.byte()],
                &self.usage.prompt_tokens.to_be_bytes(),
                &self.usage.completion_tokens.to_be_bytes(),
                &prices(self.worker_prices),
                &prices(self.asset_prices),
                self.output_hash.as_slice(),
                &amount(self.bill.worker),
                &amount(self.bill.asset),
                &amount(self.bill.protocol_fee),
                &amount(self.bill.gateway_fee),
                &amount(self.cumulative),
                &amount(self.cumulative_worker),
                &amount(self.cumulative_asset),
                self.previous.as_slice(),
            ],
        )
    }
}
