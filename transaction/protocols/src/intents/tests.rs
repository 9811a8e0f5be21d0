use super::actions::ACTIONS;
use crate::{
    liabilities::liabilities_total,
    state::{Cost, Failure},
    undo::{Dice, OPERATIONS, Undo},
};
use alloy_primitives::{Address, B256, Bytes, U256, aliases::U96, keccak256};
use alloy_sol_types::{SolCall, SolStruct, SolValue};
use sahara_abi::{
    CHANNELS, IChannels,
    IIntents::{self, Intent},
    INTENTS, IStaking, PROTOCOLS, STAKING,
    signing::intents_domain,
};
use sahara_primitives::{Amount, LOCAL_CHAIN_ID, Timestamp};
use secp256k1::{Message, SECP256K1, SecretKey};

mod behaviour;
mod model;

const COIN: u128 = 1_000_000_000_000_000_000;
const GWEI: u64 = 1_000_000_000;
const START: u64 = 1_800_000_000;
const RELAYER: Address = Address::repeat_byte(0x2e);
const SPONSOR: Address = Address::repeat_byte(0x50);

/// Someone with a key and, mostly, nothing else.
#[derive(Clone, Copy, Debug)]
struct Earner {
    key: SecretKey,
    account: Address,
}

impl Earner {
    fn new(byte: u8) -> Self {
        let key = SecretKey::from_byte_array([byte; 32]).unwrap();
        let [_, point @ ..] = key.public_key(SECP256K1).serialize_uncompressed();
        Self { key, account: Address::from_word(keccak256(point)) }
    }

    fn sign_on(&self, chain_id: u64, intent: &Intent) -> Bytes {
        let hash = intent.eip712_signing_hash(&intents_domain(chain_id));
        let message = Message::from_digest(hash.0);
        let (id, compact) =
            SECP256K1.sign_ecdsa_recoverable(message, &self.key).serialize_compact();
        let v = 27 + u8::try_from(i32::from(id)).unwrap();
        [compact.as_slice(), &[v]].concat().into()
    }

    fn sign(&self, intent: &Intent) -> Bytes {
        self.sign_on(LOCAL_CHAIN_ID, intent)
    }

    /// Wants so much of its free deposit, for at most a coin.
    fn withdrawal(&self, amount: u128, nonce: u64) -> Intent {
        self.intent("channels.withdraw(uint256)", U256::from(amount).abi_encode(), nonce)
    }

    fn intent(&self, action: &str, arguments: Vec<u8>, nonce: u64) -> Intent {
        Intent {
            account: self.account,
            action: action.into(),
            arguments: arguments.into(),
            value: U256::ZERO,
            maxFee: U256::from(COIN),
            relayer: Address::ZERO,
            nonce: U256::from(nonce),
            validUntil: START + 1_000,
        }
    }
}

/// An earner with a free deposit of ten coins and no coin.
fn world() -> (Undo, Earner) {
    let mut world = Undo::default();
    world.state.block.timestamp = Timestamp(START);
    world.state.cost = Cost { base_fee: GWEI, gas: 80_000, ..Cost::default() };
    let earner = Earner::new(7);
    for account in [SPONSOR, RELAYER] {
        world.state.fund(account, Amount::from_u128(1_000 * COIN));
    }
    earn(&mut world, earner, 10 * COIN);
    (world, earner)
}

fn earn(world: &mut Undo, earner: Earner, amount: u128) {
    let fund = IChannels::fundCall { payer: earner.account };
    world.call(SPONSOR, CHANNELS, amount, &fund).unwrap();
}

fn ask<C: SolCall>(world: &mut Undo, who: Address, call: &C) -> Result<C::Return, Failure> {
    world.call(who, INTENTS, 0, call)
}

fn relay(
    world: &mut Undo,
    who: Address,
    intent: &Intent,
    signature: Bytes,
) -> Result<u128, Failure> {
    let call = IIntents::relayCall { intent: intent.clone(), signature };
    ask(world, who, &call).map(|done| done.fee.to())
}

fn relay_sponsored(
    world: &mut Undo,
    who: Address,
    intent: &Intent,
    signature: Bytes,
) -> Result<(u128, u128), Failure> {
    let call = IIntents::relaySponsoredCall { intent: intent.clone(), signature, sponsor: SPONSOR };
    ask(world, who, &call).map(|done| (done.fee.to(), done.sponsored.to()))
}

fn sponsor(world: &mut Undo, amount: u128, per_intent: u128, per_day: u128) {
    let call = IIntents::sponsorCall {
        relayer: RELAYER,
        perIntent: U96::from(per_intent),
        perDay: U96::from(per_day),
    };
    world.call(SPONSOR, INTENTS, amount, &call).unwrap();
}

fn budget(world: &mut Undo) -> IIntents::Budget {
    ask(world, RELAYER, &IIntents::budgetCall { sponsor: SPONSOR, relayer: RELAYER }).unwrap()
}

fn is_used(world: &mut Undo, account: Address, nonce: u64) -> bool {
    ask(world, RELAYER, &IIntents::isUsedCall { account, nonce: U256::from(nonce) }).unwrap()
}

/// I1, from the words alone.
fn check_books(world: &Undo) {
    let owed = liabilities_total(INTENTS, world.state.slots_of(INTENTS)).unwrap();
    assert_eq!(owed, U256::from(world.held(INTENTS)));
}
