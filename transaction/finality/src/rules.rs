//! What must hold between a block, its parent and the validators: the one place where it is
//! written, for those who propose, those who vote and those who come later.
//!
//! What needs execution (gas, roots of state and receipts, base fee) is the ledger's part.

use std::num::NonZeroU64;

use alloy_consensus::{
    Header,
    constants::{EMPTY_OMMER_ROOT_HASH, EMPTY_WITHDRAWALS},
};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{Address, B64, B256, Bytes, U256};

use crate::{
    block::{Block, header_milliseconds, transactions_root},
    seal::{ChainIdentity, RoundSeal, Seal},
    validators::ValidatorSet,
};

/// How far a block's time may be ahead of a voter's clock. A voter waits rather than refuses, so
/// clocks that differ by less cost nothing.
pub const MAX_CLOCK_DRIFT_MILLISECONDS: u64 = 500;

const MILLISECONDS_PER_SECOND: u64 = 1000;

/// A rule a block breaks.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum RuleViolation {
    /// A field that has one permitted value has another.
    #[error("header field {0} does not have its fixed value")]
    FixedField(&'static str),
    /// Seconds and milliseconds disagree.
    #[error("timestamp {seconds} s does not fit {milliseconds} ms in the nonce")]
    Milliseconds {
        /// The header's timestamp.
        seconds: u64,
        /// The header's nonce.
        milliseconds: u64,
    },
    /// Only block 0 has a genesis seal.
    #[error("block {0} has the wrong kind of seal")]
    SealKind(u64),
    /// The header does not commit to the seal.
    #[error("the header's extra data does not commit to the seal")]
    SealCommitment,
    /// Not the next height.
    #[error("expected block number {expected}, got {got}")]
    Number {
        /// Parent's plus one.
        expected: u64,
        /// The header's.
        got: u64,
    },
    /// Another parent.
    #[error("expected parent {expected}, got {got}")]
    Parent {
        /// The parent's hash.
        expected: B256,
        /// The header's.
        got: B256,
    },
    /// Time went back.
    #[error("time went back from {parent} ms to {got} ms")]
    TimeWentBack {
        /// The parent's.
        parent: u64,
        /// The block's.
        got: u64,
    },
    /// The round is of another epoch than the height.
    #[error("expected a round of epoch {expected}, got epoch {got}")]
    Epoch {
        /// The epoch of the height.
        expected: u64,
        /// The seal's.
        got: u64,
    },
    /// The seal names the next validators where it must not, does not where it must, or names others.
    #[error("expected the seal to name the next validators as {expected:?}, got {got:?}")]
    NextValidators {
        /// What the state says.
        expected: Option<B256>,
        /// The seal's.
        got: Option<B256>,
    },
    /// The leader is not in the validator set.
    #[error("the leader is not a validator")]
    UnknownLeader,
    /// The randomness is not the leader's signature for this height.
    #[error("the randomness is not the leader's signature")]
    Randomness,
    /// `prevrandao` does not follow from parent and randomness.
    #[error("prevrandao does not follow from the parent's and the randomness")]
    Prevrandao,
    /// Fees go to another address than the leader's.
    #[error("expected beneficiary {expected}, got {got}")]
    Beneficiary {
        /// The leader's fee address.
        expected: Address,
        /// The header's.
        got: Address,
    },
}

/// What of the epoch decides about a block: epoch `e` has the blocks `e * length` to
/// `(e + 1) * length - 1`.
#[derive(Clone, Copy, Debug)]
pub struct EpochRules<'a> {
    /// Blocks in an epoch.
    pub length: NonZeroU64,
    /// The validators of the block's epoch.
    pub validators: &'a ValidatorSet,
    /// For the last block of an epoch: the hash of the set that the state after its parent names for
    /// the next epoch. None for every other block.
    pub next_validators: Option<B256>,
}

/// The epoch of a block.
#[must_use]
pub const fn epoch_of(number: u64, length: NonZeroU64) -> u64 {
    number.div_euclid(length.get())
}

/// Whether a block is the last of its epoch.
#[must_use]
pub const fn closes_epoch(number: u64, length: NonZeroU64) -> bool {
    number.rem_euclid(length.get()) == length.get().saturating_sub(1)
}

/// A header for a child of `parent` with everything set that does not come from execution. The
/// ledger adds gas limit, base fee, gas used, bloom and the three roots.
#[must_use]
pub fn header_template(
    parent: &Block,
    milliseconds: u64,
    seal: &RoundSeal,
    beneficiary: Address,
) -> Header {
    let mut header = Header {
        parent_hash: parent.hash(),
        number: parent.header.number.saturating_add(1),
        beneficiary,
        mix_hash: seal.prevrandao(parent.header.mix_hash),
        extra_data: commitment(&Seal::Round(seal.clone())),
        ..Header::default()
    };
    set_milliseconds(&mut header, milliseconds);
    set_fixed_fields(&mut header);
    header
}

/// Block 0: takes gas limit, base fee, state root, time (in the nonce) and `mix_hash` from
/// `header` and sets everything else. `validators` are whom the chain starts with; whoever knows
/// the hash of this block knows them.
#[must_use]
pub fn genesis_block(mut header: Header, chain_id: u64, validators: &ValidatorSet) -> Block {
    let seal = Seal::Genesis { chain_id, validators: validators.hash() };
    let milliseconds = header_milliseconds(&header);
    header.parent_hash = B256::ZERO;
    header.number = 0;
    header.transactions_root = transactions_root(&[]);
    header.extra_data = commitment(&seal);
    set_milliseconds(&mut header, milliseconds);
    set_fixed_fields(&mut header);
    Block { header, seal, transactions: Vec::new() }
}

/// Checks what a header must be by itself.
///
/// # Errors
/// [`RuleViolation::FixedField`] and [`RuleViolation::Milliseconds`].
pub fn check_header(header: &Header) -> Result<(), RuleViolation> {
    let mut fixed = header.clone();
    set_fixed_fields(&mut fixed);
    if let Some(field) = first_difference(header, &fixed) {
        return Err(RuleViolation::FixedField(field));
    }
    if header.base_fee_per_gas.is_none() {
        return Err(RuleViolation::FixedField("baseFeePerGas"));
    }
    let milliseconds = header_milliseconds(header);
    if header.timestamp != milliseconds / MILLISECONDS_PER_SECOND {
        return Err(RuleViolation::Milliseconds { seconds: header.timestamp, milliseconds });
    }
    Ok(())
}

/// Checks everything about `block` that follows from `parent`, the chain and the epoch,
/// without executing it.
///
/// # Errors
/// The first [`RuleViolation`] found.
pub fn check_child(
    parent: &Block,
    block: &Block,
    chain: &ChainIdentity,
    epoch: &EpochRules<'_>,
) -> Result<(), RuleViolation> {
    let header = &block.header;
    check_header(header)?;
    check_link(parent, header)?;
    let Seal::Round(seal) = &block.seal else {
        return Err(RuleViolation::SealKind(header.number));
    };
    if header.extra_data != commitment(&block.seal) {
        return Err(RuleViolation::SealCommitment);
    }
    check_epoch(header.number, seal, epoch)?;
    let leader = epoch.validators.find(&seal.leader).ok_or(RuleViolation::UnknownLeader)?;
    if header.beneficiary != leader.fee_address {
        return Err(RuleViolation::Beneficiary {
            expected: leader.fee_address,
            got: header.beneficiary,
        });
    }
    if header.mix_hash != seal.prevrandao(parent.header.mix_hash) {
        return Err(RuleViolation::Prevrandao);
    }
    if !seal.verify(header.number, chain, &leader.consensus_key) {
        return Err(RuleViolation::Randomness);
    }
    Ok(())
}

fn check_epoch(number: u64, seal: &RoundSeal, rules: &EpochRules<'_>) -> Result<(), RuleViolation> {
    let expected = epoch_of(number, rules.length);
    if seal.epoch != expected {
        return Err(RuleViolation::Epoch { expected, got: seal.epoch });
    }
    let closes = closes_epoch(number, rules.length);
    let got = seal.next_validators;
    if got.is_some() == closes && got == rules.next_validators {
        Ok(())
    } else {
        Err(RuleViolation::NextValidators { expected: rules.next_validators, got })
    }
}

fn check_link(parent: &Block, header: &Header) -> Result<(), RuleViolation> {
    let expected = parent.header.number.saturating_add(1);
    if header.number != expected {
        return Err(RuleViolation::Number { expected, got: header.number });
    }
    let hash = parent.hash();
    if header.parent_hash != hash {
        return Err(RuleViolation::Parent { expected: hash, got: header.parent_hash });
    }
    let (before, now) = (parent.milliseconds(), header_milliseconds(header));
    if now < before {
        return Err(RuleViolation::TimeWentBack { parent: before, got: now });
    }
    Ok(())
}

fn commitment(seal: &Seal) -> Bytes {
    Bytes::copy_from_slice(seal.commitment().as_slice())
}

const fn set_milliseconds(header: &mut Header, milliseconds: u64) {
    header.timestamp = milliseconds / MILLISECONDS_PER_SECOND;
    header.nonce = B64::new(milliseconds.to_be_bytes());
}

/// No proof of work, no ommers, no withdrawals, no blobs, no beacon chain, no requests: the
/// fields exist so that Ethereum's tools read the header as one of Osaka.
const fn set_fixed_fields(header: &mut Header) {
    header.ommers_hash = EMPTY_OMMER_ROOT_HASH;
    header.difficulty = U256::ZERO;
    header.withdrawals_root = Some(EMPTY_WITHDRAWALS);
    header.blob_gas_used = Some(0);
    header.excess_blob_gas = Some(0);
    header.parent_beacon_block_root = Some(B256::ZERO);
    header.requests_hash = Some(EMPTY_REQUESTS_HASH);
    header.block_access_list_hash = None;
    header.slot_number = None;
}

fn first_difference(header: &Header, fixed: &Header) -> Option<&'static str> {
    let equal = [
        ("sha3Uncles", header.ommers_hash == fixed.ommers_hash),
        ("difficulty", header.difficulty == fixed.difficulty),
        ("withdrawalsRoot", header.withdrawals_root == fixed.withdrawals_root),
        ("blobGasUsed", header.blob_gas_used == fixed.blob_gas_used),
        ("excessBlobGas", header.excess_blob_gas == fixed.excess_blob_gas),
        (
            "parentBeaconBlockRoot",
            header.parent_beacon_block_root == fixed.parent_beacon_block_root,
        ),
        ("requestsHash", header.requests_hash == fixed.requests_hash),
        ("blockAccessListHash", header.block_access_list_hash == fixed.block_access_list_hash),
        ("slotNumber", header.slot_number == fixed.slot_number),
    ];
    equal.iter().find(|(_, same)| !same).map(|(field, _)| *field)
}
