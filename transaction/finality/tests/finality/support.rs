//! A small chain, signed.

use alloy_consensus::{
    Header, SignableTransaction as _, TxEip1559, TxEip2930, TxEip7702, TxLegacy,
};
use alloy_eips::eip2930::AccessList;
use alloy_primitives::{Address, B64, B256, Bytes, Log, LogData, Signature, TxKind, U256};
use commonware_consensus::{
    CertifiableBlock as _,
    simplex::types::{Context, Finalization, Finalize, Proposal},
    types::{Epoch, Round, View},
};
use commonware_cryptography::keccak256::Digest;
use commonware_parallel::Sequential;
use commonware_utils::non_empty;
use proptest::{collection::vec, prelude::*};
use sahara_finality::{
    Block, ChainIdentity, EthereumTransaction, RoundSeal, Seal, SystemTransaction, Transaction,
    TxReceipt, Validator, ValidatorKeys, ValidatorSet, encode_finalization, genesis_block,
    header_template, signer, transactions_root,
};

pub(crate) const CHAIN_ID: u64 = 724_272;

/// Validators and a genesis that names them.
pub(crate) struct Network {
    pub(crate) keys: Vec<ValidatorKeys>,
    pub(crate) validators: ValidatorSet,
    pub(crate) genesis: Block,
    pub(crate) chain: ChainIdentity,
}

pub(crate) fn keys(seed: u8) -> ValidatorKeys {
    ValidatorKeys::from_secret(&[seed; 32]).unwrap()
}

pub(crate) fn validator(seed: u8) -> Validator {
    keys(seed).validator(Address::repeat_byte(seed))
}

impl Network {
    pub(crate) fn new(count: u8) -> Self {
        let validators = ValidatorSet::new((1..=count).map(validator).collect()).unwrap();
        let header = Header {
            gas_limit: 30_000_000,
            base_fee_per_gas: Some(1_000_000_000),
            state_root: B256::repeat_byte(1),
            nonce: B64::new(1_700_000_000_123_u64.to_be_bytes()),
            ..Header::default()
        };
        let genesis = genesis_block(header, CHAIN_ID, &validators);
        let chain = ChainIdentity { chain_id: CHAIN_ID, genesis: genesis.hash() };
        Self { keys: (1..=count).map(keys).collect(), validators, genesis, chain }
    }

    /// The same chain with other validators.
    pub(crate) fn handed_to(&self, seeds: &[u8]) -> Self {
        let set = seeds.iter().map(|seed| validator(*seed)).collect();
        Self {
            keys: seeds.iter().map(|seed| keys(*seed)).collect(),
            validators: ValidatorSet::new(set).unwrap(),
            genesis: self.genesis.clone(),
            chain: self.chain,
        }
    }

    /// A child of `parent` proposed by validator `leader` (by its place in `keys`).
    pub(crate) fn child(
        &self,
        parent: &Block,
        leader: usize,
        transactions: Vec<Transaction>,
    ) -> Block {
        self.child_in(parent, leader, (0, None), transactions)
    }

    /// The same in another epoch; the last block of an epoch names who follows.
    pub(crate) fn child_in(
        &self,
        parent: &Block,
        leader: usize,
        (epoch, next): (u64, Option<&ValidatorSet>),
        transactions: Vec<Transaction>,
    ) -> Block {
        let keys = &self.keys[leader];
        let me = keys.validator(Address::ZERO).network_key;
        let view = parent.header.number + 1;
        let context = Context {
            round: Round::new(Epoch::new(epoch), View::new(view)),
            leader: me.clone(),
            parent: (View::new(view - 1), Digest(parent.hash().0)),
        };
        let seal = RoundSeal::sign(&context, view, &self.chain, &keys.consensus);
        let seal = match next {
            Some(next) => seal.closing(next.hash()),
            None => seal,
        };
        let beneficiary = self.validators.find(&me).unwrap().fee_address;
        let mut header = header_template(parent, parent.milliseconds() + 250, &seal, beneficiary);
        header.gas_limit = parent.header.gas_limit;
        header.base_fee_per_gas = parent.header.base_fee_per_gas;
        header.transactions_root = transactions_root(&transactions);
        Block { header, seal: Seal::Round(seal), transactions }
    }

    /// The certificate of `block` signed by the validators `signers` (by their places in `keys`);
    /// none if they are no quorum.
    pub(crate) fn certify(&self, block: &Block, signers: &[usize]) -> Option<Vec<u8>> {
        let view = block.header.number;
        let round = Round::new(block.context().round.epoch(), View::new(view));
        let proposal = Proposal::new(round, View::new(view - 1), Digest(block.hash().0));
        let mut votes = Vec::new();
        let mut scheme = None;
        for index in signers {
            let key = self.keys[*index].consensus.clone();
            let one = signer(&self.chain, &self.validators, key).unwrap();
            votes.push(Finalize::sign(&one, proposal.clone()).unwrap());
            scheme = Some(one);
        }
        let scheme = scheme?;
        let certificate =
            Finalization::from_owned_finalizes(&scheme, non_empty![@votes], &Sequential);
        certificate.ok().as_ref().map(encode_finalization)
    }
}

pub(crate) fn addresses() -> impl Strategy<Value = Address> {
    any::<[u8; 20]>().prop_map(Address::from)
}

fn signatures() -> impl Strategy<Value = Signature> {
    (any::<[u8; 32]>(), any::<[u8; 32]>(), any::<bool>()).prop_map(|(r, s, parity)| {
        Signature::new(U256::from_be_bytes(r), U256::from_be_bytes(s), parity)
    })
}

pub(crate) fn bytes(limit: usize) -> impl Strategy<Value = Bytes> {
    vec(any::<u8>(), 0..limit).prop_map(Bytes::from)
}

type Fields = (u64, u64, Address, u64, Bytes);

pub(crate) fn transactions() -> impl Strategy<Value = Transaction> {
    let fields = (any::<u64>(), any::<u64>(), addresses(), any::<u64>(), bytes(200));
    (0..KINDS, fields, signatures())
        .prop_map(|(kind, fields, signature)| transaction(kind, fields, signature))
}

/// How many kinds of transactions [`transaction`] makes.
pub(crate) const KINDS: u8 = 5;

pub(crate) fn transaction(
    kind: u8,
    (nonce, fee, to, value, input): Fields,
    signature: Signature,
) -> Transaction {
    let (call, value) = (TxKind::Call(to), U256::from(value));
    let (gas_limit, price) = (21_000, u128::from(fee));
    let dynamic = TxEip1559 {
        chain_id: CHAIN_ID,
        nonce,
        gas_limit,
        max_fee_per_gas: price,
        max_priority_fee_per_gas: price,
        to: call,
        value,
        access_list: AccessList::default(),
        input: input.clone(),
    };
    let signed: EthereumTransaction = match kind {
        0 => TxLegacy {
            chain_id: Some(CHAIN_ID),
            nonce,
            gas_price: price,
            gas_limit,
            to: call,
            value,
            input,
        }
        .into_signed(signature)
        .into(),
        1 => TxEip2930 {
            chain_id: CHAIN_ID,
            nonce,
            gas_price: price,
            gas_limit,
            to: call,
            value,
            access_list: AccessList::default(),
            input,
        }
        .into_signed(signature)
        .into(),
        2 => dynamic.into_signed(signature).into(),
        3 => TxEip7702 {
            chain_id: CHAIN_ID,
            nonce,
            gas_limit,
            max_fee_per_gas: price,
            max_priority_fee_per_gas: price,
            to,
            value,
            access_list: AccessList::default(),
            authorization_list: Vec::new(),
            input,
        }
        .into_signed(signature)
        .into(),
        _ => return system(nonce, input),
    };
    Transaction::Ethereum(signed)
}

fn system(number: u64, input: Bytes) -> Transaction {
    Transaction::System(SystemTransaction {
        chain_id: CHAIN_ID,
        block_number: number,
        index: 3,
        to: Address::repeat_byte(5),
        input,
        gas_limit: 100_000,
    })
}

pub(crate) fn receipts() -> impl Strategy<Value = TxReceipt> {
    let log = (addresses(), vec(any::<[u8; 32]>(), 0..=4), bytes(100)).prop_map(
        |(address, topics, data)| Log {
            address,
            data: LogData::new_unchecked(topics.into_iter().map(B256::from).collect(), data),
        },
    );
    let kind = prop_oneof![Just(0_u8), Just(1), Just(2), Just(4), Just(0x53)];
    (kind, any::<bool>(), any::<u64>(), vec(log, 0..4)).prop_map(
        |(type_byte, status, cumulative_gas_used, logs)| TxReceipt {
            type_byte,
            status,
            cumulative_gas_used,
            logs: logs.into(),
        },
    )
}
