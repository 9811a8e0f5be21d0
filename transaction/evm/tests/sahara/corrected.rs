//! What a payment costs where juries corrected every ancestor.

use crate::{
    governor::view,
    world::{COIN, Draft, World, account},
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{
    ASSETS, DISPUTES, IAssets,
    IDisputes::{self, Ground},
    IRoyalties, IStaking, ROYALTIES, STAKING,
};
use sahara_protocols::disputes::{MAX_SHARES, Windows};

/// As many as a table has rows.
const ANCESTORS: u64 = 64;

/// The most gas of a transaction (EIP-7825).
const TRANSACTION_GAS: u64 = 1 << 24;

const OWNER: u8 = 1;
const COMPLAINANT: u8 = 2;
const VALIDATOR: u8 = 3;
const JURORS: [u8; 5] = [10, 11, 12, 13, 14];
const SALT: B256 = B256::repeat_byte(0x5a);

/// What is called, with how much coin.
type Call = (Address, U256, Vec<u8>);

/// An account that nobody has used.
fn fresh(number: u64) -> Address {
    Address::left_padding_from(&(number + 0x1_0000).to_be_bytes())
}

/// Sends calls of one account, sixteen a block.
fn send(world: &mut World, key: u8, calls: &[Call]) {
    for some in calls.chunks(16) {
        let drafts: Vec<_> = (world.nonce(key)..)
            .zip(some)
            .map(|(nonce, (to, value, data))| Draft {
                value: *value,
                ..Draft::call(key, nonce, *to, data.clone())
            })
            .collect();
        let outcome = world.block(&drafts);
        assert!(outcome.receipts.iter().all(|receipt| receipt.status));
    }
}

fn free<C: SolCall>(to: Address, call: &C) -> Call {
    (to, U256::ZERO, call.abi_encode())
}

/// A line of assets, each with another owner whom nobody has paid yet.
fn line(world: &mut World) {
    let register = |number: u64| {
        let parent = number.checked_sub(1).filter(|parent| *parent > 0);
        let edge = |parent| IAssets::Edge { parent, relation: IAssets::Relation::DerivedFrom };
        let registration = IAssets::Registration {
            derivativeRoyalty: 78,
            edges: parent.map(edge).into_iter().collect(),
            ..crate::native::registration(Vec::new())
        };
        free(ASSETS, &IAssets::registerCall { registration })
    };
    let give = |number: u64| {
        let (from, to) = (account(OWNER), fresh(number));
        free(ASSETS, &IAssets::transferFromCall { from, to, tokenId: U256::from(number) })
    };
    send(world, OWNER, &(1..=ANCESTORS + 1).map(register).collect::<Vec<_>>());
    send(world, OWNER, &(1..=ANCESTORS + 1).map(give).collect::<Vec<_>>());
}

/// Five stakers with a place each.
fn enlist(world: &mut World) {
    let coins = |coins: u64| COIN * U256::from(coins);
    let funded: Vec<_> = (0..)
        .zip(std::iter::once(VALIDATOR).chain(JURORS))
        .map(|(ahead, key)| {
            Draft::transfer(OWNER, world.nonce(OWNER) + ahead, account(key), coins(1_100))
        })
        .collect();
    let outcome = world.block(&funded);
    assert!(outcome.receipts.iter().all(|receipt| receipt.status));
    let fee_address = account(VALIDATOR);
    let create =
        IStaking::createValidatorCall { commission: 0, feeAddress: fee_address, keys: Vec::new() };
    send(world, VALIDATOR, &[(STAKING, coins(1_000), create.abi_encode())]);
    for juror in JURORS {
        let join = IStaking::delegateCall { validator: account(VALIDATOR) };
        let calls = [
            (STAKING, coins(1_000), join.abi_encode()),
            free(DISPUTES, &IDisputes::enlistCall { places: 1 }),
        ];
        send(world, juror, &calls);
    }
}

/// Four of five jurors call about each complaint: they have more than half of its seats in any case.
fn say(world: &mut World, call: impl Fn(&World, u64, Address) -> Call) {
    for juror in JURORS.into_iter().take(4) {
        let who = account(juror);
        let calls: Vec<_> = (1..=ANCESTORS).map(|complaint| call(world, complaint, who)).collect();
        send(world, juror, &calls);
    }
}

/// A complaint about each ancestor is upheld and closed: so many shares of its income go to others, each to
/// another account that nobody has used.
fn correct(world: &mut World) {
    let shares = |asset: u64| {
        let shares = u64::try_from(MAX_SHARES).unwrap();
        (0..shares).map(move |number| IDisputes::Share {
            account: fresh(0x1_0000 + asset * shares + number),
            share: 9_000 / u16::try_from(MAX_SHARES).unwrap(),
        })
    };
    let file = |asset: u64| {
        let file = IDisputes::fileCall {
            asset,
            ground: Ground::StolenData,
            evidence: B256::ZERO,
            isDelisting: false,
            shares: shares(asset).collect(),
        };
        (DISPUTES, COIN * U256::from(100), file.abi_encode())
    };
    send(world, COMPLAINANT, &(1..=ANCESTORS).map(file).collect::<Vec<_>>());
    world.env.timestamp += Windows::DEFAULT.answer;
    // A jury a block.
    for _ in 0..ANCESTORS {
        world.block(&[]);
    }
    say(world, |world, complaint, juror| {
        let asked = IDisputes::commitmentOfCall { complaint, juror, isUpheld: true, salt: SALT };
        let commitment = view(world, DISPUTES, &asked);
        free(DISPUTES, &IDisputes::commitCall { complaint, commitment })
    });
    world.env.timestamp += Windows::DEFAULT.commit;
    say(world, |_, complaint, _| {
        free(DISPUTES, &IDisputes::revealCall { complaint, isUpheld: true, salt: SALT })
    });
    world.env.timestamp += Windows::DEFAULT.reveal + Windows::DEFAULT.appeal;
    let close = |complaint: u64| free(DISPUTES, &IDisputes::closeCall { complaint });
    send(world, COMPLAINANT, &(1..=ANCESTORS).map(close).collect::<Vec<_>>());
}

/// Pays for the youngest asset: the gas, and how many shares were paid.
fn pay(world: &mut World) -> (u64, usize) {
    let data = IRoyalties::payCall { asset: ANCESTORS + 1 }.abi_encode();
    let draft = Draft::call(COMPLAINANT, world.nonce(COMPLAINANT), ROYALTIES, data);
    let outcome = world.block(&[Draft { value: COIN, gas: TRANSACTION_GAS, ..draft }]);
    let receipt = &outcome.receipts[0];
    assert!(receipt.status, "it needs more gas than a transaction has");
    let shares = receipt.logs.iter().filter_map(|log| IDisputes::Redirected::decode_log(log).ok());
    (outcome.executions[0].gas_used, shares.count())
}

#[test]
fn i6_a_payment_fits_a_transaction_though_every_ancestor_was_corrected_for_as_many_as_can_be() {
    let mut world = World::new();
    line(&mut world);
    enlist(&mut world);
    correct(&mut world);
    let ((first, paid), (later, again)) = (pay(&mut world), pay(&mut world));
    eprintln!("64 ancestors with {MAX_SHARES} shares: {first} gas, to known accounts {later}");
    assert_eq!((paid, again), (64 * MAX_SHARES, 64 * MAX_SHARES));
    // The rest is for what pays: a claim on a channel, a sale, a licence.
    assert!(later < first && first < TRANSACTION_GAS / 4 * 3, "{first}, then {later}");
}
