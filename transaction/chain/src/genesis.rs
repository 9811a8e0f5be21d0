//! The genesis file: everything that nodes of one chain must agree on before block 1.

use crate::store::{Genesis, StoreError, genesis_root};
use alloy_primitives::U256;
use sahara_abi::VALIDATORS;
use sahara_evm::{GenesisConfig, GenesisError, StateDiff, genesis};
use sahara_finality::{ValidatorSet, genesis_block};
use sahara_protocols::{
    MemoryState,
    validators::{Founding, found},
};
use serde::{Deserialize, Serialize};
use std::num::NonZeroU64;

/// Blocks in an epoch unless the file says otherwise: 10,000. With one heartbeat a second that is
/// just under three hours, with 50 blocks a second 200 seconds.
pub const DEFAULT_EPOCH_LENGTH: NonZeroU64 = NonZeroU64::new(10_000).unwrap();

/// What a chain begins with; written as JSON, equal on every node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisFile {
    /// Chain id, time, gas, fees, and who holds the coin.
    pub config: GenesisConfig,
    /// The first validators; block 0 commits to them.
    pub validators: ValidatorSet,
    /// Blocks in an epoch, at least 2; validators change only between epochs.
    #[serde(default = "default_epoch_length")]
    pub epoch_length: NonZeroU64,
}

const fn default_epoch_length() -> NonZeroU64 {
    DEFAULT_EPOCH_LENGTH
}

/// Why a genesis file makes no chain.
#[derive(Debug, thiserror::Error)]
pub enum GenesisFileError {
    /// The file is no JSON of the expected shape.
    #[error("the genesis file is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The configuration contradicts itself.
    #[error(transparent)]
    Config(#[from] GenesisError),
    /// An epoch has a first and a last block.
    #[error("an epoch has {0} block, expected at least 2")]
    EpochLength(NonZeroU64),
    /// The validators cannot be written into the state.
    #[error("the validators cannot be written into the state: {0}")]
    Validators(String),
    /// The state's root could not be computed.
    #[error(transparent)]
    State(#[from] StoreError),
}

impl GenesisFile {
    /// Reads a file's content.
    ///
    /// # Errors
    /// [`GenesisFileError::Malformed`].
    pub fn parse(json: &[u8]) -> Result<Self, GenesisFileError> {
        Ok(serde_json::from_slice(json)?)
    }

    /// Block 0 and its state.
    ///
    /// # Errors
    /// See [`GenesisFileError`].
    pub fn build(&self) -> Result<Genesis, GenesisFileError> {
        if self.epoch_length.get() < 2 {
            return Err(GenesisFileError::EpochLength(self.epoch_length));
        }
        let (mut state, mut header) = genesis(&self.config)?;
        header.state_root = genesis_root(&state)?;
        // Two networks that differ in anything but their validators differ in this.
        let founding = Founding {
            epoch_length: self.epoch_length.get(),
            origin: header.hash_slow(),
            validators: &self.validators,
        };
        place_validators(&mut state, &founding)?;
        header.state_root = genesis_root(&state)?;
        let block = genesis_block(header, self.config.chain_id, &self.validators);
        Ok(Genesis { chain_id: self.config.chain_id, block, state })
    }
}

/// Runs what the protocol writes into block 0, on a state that holds nothing else.
fn place_validators(diff: &mut StateDiff, founding: &Founding<'_>) -> Result<(), GenesisFileError> {
    let mut state = MemoryState::default();
    let failed = |failure| GenesisFileError::Validators(format!("{failure:?}"));
    found(&mut state, founding).map_err(failed)?;
    let account = diff.accounts.entry(VALIDATORS).or_default();
    let words = state.words.into_iter().map(|((_, slot), word)| (slot, (U256::ZERO, word)));
    account.storage.extend(words);
    Ok(())
}
