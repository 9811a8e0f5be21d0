//! [`Account`]: signing without the client, so that a load's own work stays small.

use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_eips::{eip2718::Encodable2718, eip7825::MAX_TX_GAS_LIMIT_OSAKA};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use eyre::{ContextCompat, Result};
use secp256k1::{Message, SECP256K1, SecretKey};

/// A key and its address.
#[derive(Debug)]
pub struct Account {
    key: SecretKey,
    /// Where its coin is.
    pub address: Address,
}

impl Account {
    /// Account 0 of the public test mnemonic: funded on our local chain and on anvil.
    ///
    /// # Errors
    /// Never; the secret is a constant.
    pub fn funder() -> Result<Self> {
        let secret: B256 =
            "ac0974bec39a17e36ba4a6b4d238ff944bacb478cbed5efcae784d7bf4f2ff80".parse()?;
        Self::new(secret.0)
    }

    /// From a secret.
    ///
    /// # Errors
    /// When it is none of secp256k1.
    pub fn new(secret: [u8; 32]) -> Result<Self> {
        let key = SecretKey::from_byte_array(secret)?;
        let public = key.public_key(SECP256K1).serialize_uncompressed();
        let address =
            Address::from_raw_public_key(public.get(1..).wrap_err("a public key has 65 bytes")?);
        Ok(Self { key, address })
    }

    /// A signed transfer.
    ///
    /// # Errors
    /// Never; a key can sign every hash.
    pub fn transfer(&self, chain_id: u64, nonce: u64, to: Address, value: U256) -> Result<Bytes> {
        let (to, gas_limit) = (TxKind::Call(to), 21_000);
        Ok(self.signed(TxEip1559 { chain_id, nonce, gas_limit, to, value, ..priced() }))
    }

    /// A signed creation, which runs `code` with all the gas that a transaction may have.
    ///
    /// # Errors
    /// Never; a key can sign every hash.
    pub fn creation(&self, chain_id: u64, nonce: u64, code: Bytes, value: U256) -> Result<Bytes> {
        let (to, input, gas_limit) = (TxKind::Create, code, MAX_TX_GAS_LIMIT_OSAKA);
        Ok(self.signed(TxEip1559 { chain_id, nonce, gas_limit, to, value, input, ..priced() }))
    }

    fn signed(&self, transaction: TxEip1559) -> Bytes {
        let hash = transaction.signature_hash();
        let (id, compact) = SECP256K1
            .sign_ecdsa_recoverable(Message::from_digest(hash.0), &self.key)
            .serialize_compact();
        let signature = Signature::from_bytes_and_parity(&compact, i32::from(id) == 1);
        transaction.into_signed(signature).encoded_2718().into()
    }
}

/// Pays the dearest base fee that a test meets.
fn priced() -> TxEip1559 {
    TxEip1559 {
        max_fee_per_gas: 100_000_000_000,
        max_priority_fee_per_gas: 1,
        ..TxEip1559::default()
    }
}
