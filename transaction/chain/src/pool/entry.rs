//! A transaction with what the pool computed once.

use super::{
    error::PoolError,
    intrinsic::{floor_gas, intrinsic_gas},
    settings::{Head, PoolSettings},
};
use alloy_consensus::Transaction as _;
use alloy_eips::{eip2718::Encodable2718, eip7702::SignedAuthorization};
use alloy_primitives::{Address, B256, Signature, U256};
use sahara_evm::{recover, recover_signer};
use sahara_finality::{EthereumTransaction, Transaction, transaction_length};

/// EIP-3860.
const MAX_INITCODE_BYTES: usize = 49_152;

/// Where a transaction came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Origin {
    /// This node's JSON-RPC: to be forwarded to the other validators.
    Local,
    /// Another validator, which has forwarded it to all.
    Peer,
}

/// A signed transaction, its sender recovered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PooledTransaction {
    transaction: Transaction,
    hash: B256,
    sender: Address,
    length: usize,
    cost: U256,
    origin: Origin,
    authorities: Vec<(Address, u64)>,
}

impl PooledTransaction {
    /// Recovers the sender and checks all that does not depend on accounts. Its authorisations are still to be
    /// recovered.
    pub(super) fn new(
        transaction: Transaction,
        origin: Origin,
        settings: &PoolSettings,
        head: &Head,
    ) -> Result<Self, PoolError> {
        let signed = transaction.as_ethereum().ok_or(PoolError::System)?;
        check(signed, settings, head)?;
        let sender = recover(signed).map_err(|_| PoolError::InvalidSignature)?;
        let gas =
            U256::from(signed.gas_limit()).saturating_mul(U256::from(signed.max_fee_per_gas()));
        let cost = gas.saturating_add(signed.value());
        let hash = *signed.tx_hash();
        let length = transaction_length(&transaction);
        Ok(Self { transaction, hash, sender, length, cost, origin, authorities: Vec::new() })
    }

    /// As it stands in a block.
    #[must_use]
    pub const fn transaction(&self) -> &Transaction {
        &self.transaction
    }

    /// The signed transaction.
    #[must_use]
    #[expect(clippy::expect_used, reason = "the constructor refused system transactions")]
    pub const fn signed(&self) -> &EthereumTransaction {
        self.transaction.as_ethereum().expect("a pooled transaction is signed")
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> B256 {
        self.hash
    }

    /// Whose it is.
    #[must_use]
    pub const fn sender(&self) -> Address {
        self.sender
    }

    /// Its nonce.
    #[must_use]
    pub fn nonce(&self) -> u64 {
        self.signed().nonce()
    }

    /// Its gas limit.
    #[must_use]
    pub fn gas_limit(&self) -> u64 {
        self.signed().gas_limit()
    }

    /// The bytes it takes in a block.
    #[must_use]
    pub const fn length(&self) -> usize {
        self.length
    }

    /// The most it can cost: `gas limit * max fee + value`.
    #[must_use]
    pub const fn cost(&self) -> U256 {
        self.cost
    }

    /// Where it came from.
    #[must_use]
    pub const fn origin(&self) -> Origin {
        self.origin
    }

    /// Whether it brings authorisations (EIP-7702).
    pub(super) fn has_authorizations(&self) -> bool {
        self.signed().authorization_list().is_some()
    }

    /// Recovers who signed its authorisations: some hundred signatures, each as long to recover as the sender's.
    pub(super) fn recover_authorities(&mut self, chain_id: u64) {
        self.authorities = authorities(self.signed(), chain_id);
    }

    /// The accounts that it may let delegate to code (EIP-7702), each with the nonce it must have for that;
    /// each pair once. None before they are recovered.
    pub(super) fn authorities(&self) -> &[(Address, u64)] {
        &self.authorities
    }

    /// What the proposer earns per gas; `None` below the base fee.
    #[must_use]
    pub fn effective_tip(&self, base_fee: u64) -> Option<u128> {
        self.signed().effective_tip_per_gas(base_fee)
    }

    /// The EIP-2718 encoding.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        self.transaction.encoded_2718()
    }

    /// What eviction compares: the tip it is ready to pay, then its highest fee.
    pub(super) fn price(&self) -> (u128, u128) {
        let signed = self.signed();
        let fee = signed.max_fee_per_gas();
        (signed.priority_fee_or_price().min(fee), fee)
    }
}

/// Whose authorisations it carries, and their nonces, each pair once. Void are those for another chain and those
/// that nobody signed; whether a nonce has passed is asked when it matters.
fn authorities(signed: &EthereumTransaction, chain_id: u64) -> Vec<(Address, u64)> {
    let chain_id = U256::from(chain_id);
    let all = signed.authorization_list().unwrap_or_default().iter();
    let here = all.filter(|one| one.chain_id().is_zero() || *one.chain_id() == chain_id);
    let mut authorities: Vec<(Address, u64)> = here.filter_map(authority).collect();
    authorities.sort_unstable();
    authorities.dedup();
    authorities
}

fn authority(signed: &SignedAuthorization) -> Option<(Address, u64)> {
    if signed.y_parity() > 1 {
        return None;
    }
    let signature = Signature::new(signed.r(), signed.s(), signed.y_parity() == 1);
    let authority = recover_signer(&signature, signed.signature_hash()).ok()?;
    Some((authority, signed.nonce()))
}

/// The rules that need no account, cheapest first.
fn check(
    signed: &EthereumTransaction,
    settings: &PoolSettings,
    head: &Head,
) -> Result<(), PoolError> {
    match signed.chain_id() {
        None => return Err(PoolError::Unprotected),
        Some(have) if have != settings.chain_id => {
            return Err(PoolError::ChainId { have, want: settings.chain_id });
        }
        Some(_) => {}
    }
    if signed.nonce() == u64::MAX {
        return Err(PoolError::NonceMax(signed.nonce()));
    }
    let (max_fee, max_tip) = (signed.max_fee_per_gas(), signed.priority_fee_or_price());
    if max_tip > max_fee {
        return Err(PoolError::TipAboveFee { max_tip, max_fee });
    }
    let floor = head.base_fee_floor;
    if max_fee < u128::from(floor) {
        return Err(PoolError::BelowBaseFee { max_fee, floor });
    }
    if signed.is_create() && signed.input().len() > MAX_INITCODE_BYTES {
        return Err(PoolError::InitcodeSize {
            size: signed.input().len(),
            limit: MAX_INITCODE_BYTES,
        });
    }
    if signed.is_eip7702() && signed.authorization_list().is_none_or(<[_]>::is_empty) {
        return Err(PoolError::EmptyAuthorizations);
    }
    check_gas(signed, settings, head)
}

fn check_gas(
    signed: &EthereumTransaction,
    settings: &PoolSettings,
    head: &Head,
) -> Result<(), PoolError> {
    let gas = signed.gas_limit();
    if gas > head.gas_limit {
        return Err(PoolError::BlockGasLimit { gas, limit: head.gas_limit });
    }
    if gas > settings.max_transaction_gas {
        return Err(PoolError::TransactionGasLimit { gas, cap: settings.max_transaction_gas });
    }
    let minimum = intrinsic_gas(signed);
    if gas < minimum {
        return Err(PoolError::IntrinsicGas { gas, minimum });
    }
    let minimum = floor_gas(signed);
    if gas < minimum {
        return Err(PoolError::FloorGas { gas, minimum });
    }
    Ok(())
}
