//! Which chain's rules a block follows.

use revm::{context::CfgEnv, primitives::hardfork::SpecId};

/// A hard fork of Ethereum.
pub use revm::primitives::hardfork::SpecId as Fork;

/// The fork Sahara's chain follows.
pub const SAHARA_FORK: Fork = SpecId::OSAKA;

/// What differs between this chain and Ethereum, in one value that the one code path asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rules {
    chain_id: u64,
    fork: Fork,
    is_native: bool,
    blobs: Option<BlobSchedule>,
    version: u32,
}

/// EIP-7840: how many blobs a transaction may carry and how their price moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BlobSchedule {
    /// The most blobs a block may hold.
    pub max: u64,
    /// Denominator of the price's exponent.
    pub base_fee_update_fraction: u64,
}

impl Rules {
    /// The chain: Osaka, native protocols, nothing burned.
    pub const fn sahara(chain_id: u64) -> Self {
        let version = sahara_protocols::governance::PROTOCOL_VERSION;
        Self { chain_id, fork: SAHARA_FORK, is_native: true, blobs: None, version }
    }

    /// Ethereum at `fork`: the base fee is burned, no protocols, rewards and withdrawals as they
    /// were. For conformance data.
    pub const fn ethereum(chain_id: u64, fork: Fork) -> Self {
        Self { chain_id, fork, is_native: false, blobs: None, version: 0 }
    }

    /// With another blob schedule than the fork's first.
    #[must_use]
    pub const fn with_blobs(mut self, blobs: BlobSchedule) -> Self {
        self.blobs = Some(blobs);
        self
    }

    /// With another version of the protocols than this program's.
    #[must_use]
    pub const fn with_version(mut self, version: u32) -> Self {
        self.version = version;
        self
    }

    /// The newest version of the protocols that these rules know.
    pub const fn version(&self) -> u32 {
        self.version
    }

    /// EIP-155 chain id.
    pub const fn chain_id(&self) -> u64 {
        self.chain_id
    }

    /// The fork.
    pub const fn fork(&self) -> Fork {
        self.fork
    }

    /// Whether the native protocols exist and fees go to their accounts.
    pub const fn is_native(&self) -> bool {
        self.is_native
    }

    /// Whether `fork` or a later one is active.
    pub const fn is_active(&self, fork: Fork) -> bool {
        self.fork.is_enabled_in(fork)
    }

    pub(crate) fn configuration(&self) -> CfgEnv {
        let mut cfg = CfgEnv::new_with_spec(self.fork).with_chain_id(self.chain_id);
        if let Some(blobs) = self.blobs {
            cfg.blob_base_fee_update_fraction = Some(blobs.base_fee_update_fraction);
        }
        cfg.max_blobs_per_tx = Some(self.blobs_per_transaction());
        cfg
    }

    /// A block's worth until Osaka, which says 6 (EIP-7594).
    const fn blobs_per_transaction(&self) -> u64 {
        match self.blobs {
            _ if self.is_active(SpecId::OSAKA) => 6,
            Some(blobs) => blobs.max,
            None if self.is_active(SpecId::PRAGUE) => 9,
            None => 6,
        }
    }

    pub(crate) const fn blob_fraction(&self) -> u64 {
        use revm::primitives::eip4844::{
            BLOB_BASE_FEE_UPDATE_FRACTION_CANCUN, BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE,
        };
        match self.blobs {
            Some(blobs) => blobs.base_fee_update_fraction,
            None if self.is_active(SpecId::PRAGUE) => BLOB_BASE_FEE_UPDATE_FRACTION_PRAGUE,
            None => BLOB_BASE_FEE_UPDATE_FRACTION_CANCUN,
        }
    }
}
