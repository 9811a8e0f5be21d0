//! The genesis file: everything that nodes of one chain must agree on before block 1.

use crate::store::{Genesis, StoreError, genesis_root};
use alloy_consensus::Header;
use alloy_primitives::{Address, U256};
use sahara_abi::{IStaking, STAKING};
use sahara_evm::{GenesisConfig, GenesisError, StateDiff, genesis};
use sahara_finality::{ValidatorSet, genesis_block};
use sahara_primitives::{Amount, Timestamp};
use sahara_protocols::{
    BlockContext, MemoryState,
    staking::{self, Founder, KeyBytes},
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
    /// The stakes of the first validators: then staking decides who follows. Without, a quorum of the
    /// validators does, by signatures.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub staking: Option<GenesisStaking>,
}

/// Staking in block 0. Who pays the fees of a seat to an operator holds the seat for it.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisStaking {
    /// The first validators' stakes, each out of its operator's coin.
    pub stakes: Vec<GenesisStake>,
    /// What governance may change later.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<IStaking::Parameters>,
}

/// A stake in block 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisStake {
    /// The validator's account.
    pub operator: Address,
    /// Base units.
    pub stake: Amount,
    /// In basis points.
    pub commission: u16,
    /// Receives the commission.
    pub fee_address: Address,
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
    /// Stakes and seats do not fit.
    #[error(
        "the stakes give other validators than the file names: each seat pays its fees to the operator whose stake it is of, and there are no more seats than the parameters have"
    )]
    Seats,
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
            by_stake: self.staking.is_some(),
        };
        self.place(&mut state, &header, &founding)?;
        header.state_root = genesis_root(&state)?;
        let block = genesis_block(header, self.config.chain_id, &self.validators);
        Ok(Genesis { chain_id: self.config.chain_id, block, state })
    }

    /// Runs what the protocols of consensus write into block 0, on a state that holds nothing but the
    /// operators' coin.
    fn place(
        &self,
        diff: &mut StateDiff,
        header: &Header,
        founding: &Founding<'_>,
    ) -> Result<(), GenesisFileError> {
        let block = BlockContext {
            chain_id: self.config.chain_id,
            number: 0,
            timestamp: Timestamp(header.timestamp),
            randomness: header.mix_hash,
        };
        let mut state = MemoryState { block, ..MemoryState::default() };
        let failed = |failure| GenesisFileError::Validators(format!("{failure:?}"));
        found(&mut state, founding).map_err(failed)?;
        if let Some(staking) = &self.staking {
            for stake in &staking.stakes {
                let held = diff.accounts.get(&stake.operator).and_then(|account| account.after);
                let held = held.map(|account| account.balance).unwrap_or_default();
                state.balances.insert(stake.operator, Amount::from_base_units(held));
            }
            let parameters = staking.parameters.clone().map(Into::into).unwrap_or_default();
            let seated =
                staking::found(&mut state, parameters, &self.founders(staking)).map_err(failed)?;
            if seated != self.validators {
                return Err(GenesisFileError::Seats);
            }
            let moved = staking.stakes.iter().map(|stake| stake.operator).chain([STAKING]);
            for address in moved {
                let account = diff.accounts.entry(address).or_default();
                let held = state.balances.get(&address).copied().unwrap_or_default();
                account.after.get_or_insert_default().balance = held.base_units();
            }
        }
        for ((address, slot), word) in state.words {
            let account = diff.accounts.entry(address).or_default();
            account.storage.insert(slot, (U256::ZERO, word));
        }
        Ok(())
    }

    fn founders(&self, staking: &GenesisStaking) -> Vec<Founder> {
        let seats = self.validators.as_slice();
        let founder = |stake: &GenesisStake| {
            let GenesisStake { operator, stake, commission, fee_address } = *stake;
            let own = seats.iter().filter(|seat| seat.fee_address == operator);
            let keys = own.map(KeyBytes::of).collect();
            Founder { operator, stake, commission, fee_address, keys }
        };
        staking.stakes.iter().map(founder).collect()
    }
}
