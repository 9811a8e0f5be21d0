//! The genesis file: everything that nodes of one chain must agree on before block 1.

use crate::store::{Genesis, StoreError, genesis_root};
use sahara_evm::{GenesisConfig, GenesisError, genesis};
use sahara_finality::{ValidatorSet, genesis_block};
use serde::{Deserialize, Serialize};

/// What a chain begins with; written as JSON, equal on every node.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisFile {
    /// Chain id, time, gas, fees, and who holds the coin.
    pub config: GenesisConfig,
    /// The first validators; block 0 commits to them.
    pub validators: ValidatorSet,
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
        let (state, mut header) = genesis(&self.config)?;
        header.state_root = genesis_root(&state)?;
        let block = genesis_block(header, self.config.chain_id, &self.validators);
        Ok(Genesis { chain_id: self.config.chain_id, block, state })
    }
}
