//! A small chain to test on.

use crate::support::MemoryState;
use alloy_consensus::{SignableTransaction, TxEip1559};
use alloy_primitives::{Address, B256, Bytes, Signature, TxKind, U256};
use sahara_evm::{
    BlockBuilder, BlockEnv, BlockOutcome, GenesisConfig, RecoveredTransaction, Refusal, Rules,
    genesis, recover_transaction,
};
use sahara_finality::EthereumTransaction;
use secp256k1::{Message, SECP256K1, SecretKey};

pub(crate) const CHAIN_ID: u64 = 724_272;
pub(crate) const GWEI: u64 = 1_000_000_000;
pub(crate) const COIN: U256 = U256::from_limbs([1_000_000_000_000_000_000, 0, 0, 0]);
pub(crate) const LEADER: Address = Address::repeat_byte(0x1e);
pub(crate) const OTHER: Address = Address::repeat_byte(0x2e);
pub(crate) const STRANGER: Address = Address::repeat_byte(0x57);

/// A chain after genesis.
pub(crate) struct World {
    pub(crate) state: MemoryState,
    pub(crate) env: BlockEnv,
    pub(crate) rules: Rules,
}

/// A signed transaction to be.
#[derive(Clone, Default)]
pub(crate) struct Draft {
    pub(crate) key: u8,
    pub(crate) nonce: u64,
    pub(crate) to: Option<Address>,
    pub(crate) value: U256,
    pub(crate) data: Bytes,
    pub(crate) gas: u64,
    pub(crate) tip: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        Self::of(|_| ())
    }

    /// With another genesis than the local one.
    pub(crate) fn of(edit: impl FnOnce(&mut GenesisConfig)) -> Self {
        let mut config = GenesisConfig::local(CHAIN_ID, 1_000_000, &[account(1), account(2)]);
        edit(&mut config);
        let (diff, header) = genesis(&config).unwrap();
        let mut state = MemoryState::default();
        state.apply(&diff);
        let env = BlockEnv {
            number: 1,
            timestamp: 1_001,
            parent_hash: header.hash_slow(),
            beneficiary: LEADER,
            gas_limit: header.gas_limit,
            base_fee: GWEI,
            prevrandao: B256::repeat_byte(7),
            recipients: vec![LEADER, OTHER, OTHER],
            ..BlockEnv::default()
        };
        Self { state, env, rules: Rules::sahara(CHAIN_ID) }
    }

    pub(crate) fn builder(&self) -> BlockBuilder<&MemoryState> {
        BlockBuilder::new(self.rules, &self.state, self.env.clone()).unwrap()
    }

    /// Executes a block, checks that verifying it gives the same and that no coin was made or
    /// lost, and goes on to the next.
    pub(crate) fn block(&mut self, drafts: &[Draft]) -> BlockOutcome {
        let transactions: Vec<_> = drafts.iter().map(Draft::sign).collect();
        let mut builder = self.builder();
        for transaction in &transactions {
            if let Err(refusal) = builder.try_transaction(transaction).unwrap() {
                panic!("refused: {refusal}");
            }
        }
        let outcome = builder.finish().unwrap();
        let system = outcome.system_transaction.as_ref();
        let again = sahara_evm::execute_block(
            self.rules,
            &self.state,
            self.env.clone(),
            &transactions,
            system,
        );
        assert_eq!(again.unwrap(), outcome, "verifying differs from proposing");
        self.state.apply(&outcome.diff);
        assert_eq!(self.state.supply(), sahara_protocols::GENESIS_SUPPLY.base_units());
        self.env.number += 1;
        self.env.timestamp += 1;
        outcome
    }

    /// Deploys code and returns its address.
    pub(crate) fn deploy(&mut self, key: u8, code: &str, value: U256) -> Address {
        let nonce = self.nonce(key);
        let data = hex(code);
        let draft = Draft { key, nonce, value, data, gas: 5_000_000, ..Draft::default() };
        let outcome = self.block(&[draft]);
        assert!(outcome.receipts[0].status);
        outcome.executions[0].contract_address.unwrap()
    }

    pub(crate) fn nonce(&self, key: u8) -> u64 {
        self.state.accounts.get(&account(key)).map_or(0, |account| account.nonce)
    }

    pub(crate) fn refusal(&self, draft: &Draft) -> Refusal {
        let mut builder = self.builder();
        let refused = builder.try_transaction(&draft.sign()).unwrap().map(|_| ()).unwrap_err();
        let outcome = builder.finish().unwrap();
        assert!(outcome.receipts.is_empty(), "a refused transaction changed the block");
        refused
    }
}

impl Draft {
    pub(crate) fn transfer(key: u8, nonce: u64, to: Address, value: U256) -> Self {
        Self { key, nonce, to: Some(to), value, gas: 21_000, ..Self::default() }
    }

    pub(crate) fn call(key: u8, nonce: u64, to: Address, data: impl Into<Bytes>) -> Self {
        Self { key, nonce, to: Some(to), data: data.into(), gas: 5_000_000, ..Self::default() }
    }

    pub(crate) fn sign(&self) -> RecoveredTransaction {
        let tip = u128::from(self.tip);
        let transaction = TxEip1559 {
            chain_id: CHAIN_ID,
            nonce: self.nonce,
            gas_limit: self.gas,
            max_fee_per_gas: u128::from(GWEI) + tip,
            max_priority_fee_per_gas: tip,
            to: self.to.map_or(TxKind::Create, TxKind::Call),
            value: self.value,
            input: self.data.clone(),
            ..TxEip1559::default()
        };
        let signature = sign(self.key, transaction.signature_hash());
        recover_transaction(EthereumTransaction::Eip1559(transaction.into_signed(signature)))
            .unwrap()
    }
}

fn secret(key: u8) -> SecretKey {
    SecretKey::from_byte_array([key; 32]).unwrap()
}

pub(crate) fn account(key: u8) -> Address {
    let public = secret(key).public_key(SECP256K1).serialize_uncompressed();
    Address::from_raw_public_key(&public[1..])
}

pub(crate) fn sign(key: u8, hash: B256) -> Signature {
    let signed = SECP256K1.sign_ecdsa_recoverable(Message::from_digest(hash.0), &secret(key));
    let (id, bytes) = signed.serialize_compact();
    Signature::from_bytes_and_parity(&bytes, i32::from(id) == 1)
}

pub(crate) fn hex(text: &str) -> Bytes {
    alloy_primitives::hex::decode(text.trim()).unwrap().into()
}
