//! Two votes that exclude each other, checked by the consensus library's own rules.

use super::{seat_key::SeatKey, slashing::double_sign, storage::GENESIS, validators::seat_key};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, B256, U256, address, hex};
use sahara_abi::IStaking;
use sahara_finality::{ChainIdentity, ValidatorSet, parse_hex, proven_conflict};

/// Gas of a pairing check with its decompressions: what EIP-2537 asks for two pairs (102,900) and two
/// mappings.
const SIGNATURE_GAS: u64 = 150_000;

/// EIP-2935: in the slot of a block's height, modulo 8,191, its hash.
const HISTORY: Address = address!("0000F90827F1C53a10cb7A02335B175320002935");

/// Heights for which block 0's hash stands in the history.
const HISTORY_BLOCKS: u64 = 8_191;

/// A proven fault.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Fault {
    /// The epoch of the votes.
    pub epoch: u64,
}

/// Who can tell whether votes exclude each other.
pub trait Votes {
    /// The fault that `evidence` proves of the holder of these keys, if it does.
    fn fault(&self, consensus: &[u8; 96], network: B256, evidence: &[u8]) -> Option<Fault>;
}

/// The chain's own consensus.
struct Consensus(ChainIdentity);

impl Votes for Consensus {
    fn fault(&self, consensus: &[u8; 96], network: B256, evidence: &[u8]) -> Option<Fault> {
        let consensus = parse_hex("consensus key", &hex::encode(consensus)).ok()?;
        let network = parse_hex("network key", &hex::encode(network)).ok()?;
        let epoch = proven_conflict(&self.0, &network, &consensus, evidence)?;
        Some(Fault { epoch })
    }
}

/// Stores block 0's hash while the history still has it: validators' signatures name it. Validators
/// of block 0 are there before it has one, so the first block stores it.
pub(super) fn remember_genesis(state: &mut impl Write) -> Result<(), Failure> {
    if !GENESIS.get(state)?.is_zero() || state.block().number > HISTORY_BLOCKS {
        return Ok(());
    }
    let hash = B256::from(state.load(HISTORY, U256::ZERO)?);
    GENESIS.update(state, |genesis| {
        *genesis = hash;
        Ok(())
    })
}

/// Refuses keys that are none, and consensus keys whose holder did not prove to hold them.
pub(super) fn check_key(state: &mut impl Read, key: &SeatKey, index: U256) -> Result<(), Failure> {
    state.charge(SIGNATURE_GAS)?;
    let parsed = || ValidatorSet::new(vec![key.seat(Address::ZERO)?]).ok();
    parsed().map(drop).ok_or_else(|| IStaking::InvalidSeatKey { index }.into())
}

/// Checks the evidence and slashes for it.
pub(super) fn report(
    state: &mut impl Write,
    reporter: Address,
    validator: Address,
    key: u32,
    evidence: &[u8],
) -> Result<(), Failure> {
    state.charge(SIGNATURE_GAS.saturating_mul(2))?;
    let genesis = GENESIS.get(state)?;
    let identity = ChainIdentity { chain_id: state.block().chain_id, genesis };
    report_to(state, reporter, (validator, key), evidence, &Consensus(identity))
}

/// As [`report`], with someone who can tell.
pub(super) fn report_to(
    state: &mut impl Write,
    reporter: Address,
    (validator, key): (Address, u32),
    evidence: &[u8],
    votes: &impl Votes,
) -> Result<(), Failure> {
    let key = seat_key(state, validator, key)?;
    let fault = key.and_then(|key| votes.fault(&key.consensus, key.network, evidence));
    double_sign(state, validator, fault.ok_or(IStaking::InvalidEvidence {})?, reporter)
}
