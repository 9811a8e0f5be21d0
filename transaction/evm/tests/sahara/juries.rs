//! What drawing a jury costs at its worst.

use crate::world::{COIN, Draft, World, account};
use alloy_primitives::{Address, B256, U256, aliases::U96};
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{
    ASSETS, DISPUTES, IAssets,
    IDisputes::{self, Ground},
    IStaking, STAKING,
};
use sahara_evm::BlockOutcome;
use sahara_protocols::disputes::{DRAW_GAS, MAX_PLACES, Windows};

/// As many as an account may stand behind.
const VALIDATORS: u8 = 32;
/// As many as are counted for one jury.
const JURORS: u8 = 16;

const fn validator(number: u8) -> u8 {
    100 + number
}

const fn juror(number: u8) -> u8 {
    140 + number
}

fn coins(coins: u64) -> U256 {
    COIN * U256::from(coins)
}

/// Gas of the system transaction, which is the block's last.
fn system_gas(outcome: &BlockOutcome) -> u64 {
    let mut receipts = outcome.receipts.iter().rev();
    let last = receipts.next().map_or(0, |receipt| receipt.cumulative_gas_used);
    last - receipts.next().map_or(0, |receipt| receipt.cumulative_gas_used)
}

fn all_succeed(world: &mut World, drafts: &[Draft]) {
    let outcome = world.block(drafts);
    assert!(outcome.receipts.iter().all(|receipt| receipt.status));
}

fn call<C: SolCall>(world: &World, key: u8, ahead: u64, to: Address, call: &C) -> Draft {
    Draft::call(key, world.nonce(key) + ahead, to, call.abi_encode())
}

/// Sixteen jurors with sixteen places each, each behind thirty-two validators, and a complaint.
fn crowd() -> World {
    let mut world = World::new();
    let funded = (0..VALIDATORS).map(|number| (validator(number), 1_100));
    let funded = funded.chain((0..JURORS).map(|number| (juror(number), 16_100)));
    let transfers: Vec<_> = (0..)
        .zip(funded)
        .map(|(nonce, (key, amount))| Draft::transfer(1, nonce, account(key), coins(amount)))
        .collect();
    all_succeed(&mut world, &transfers);
    for number in 0..VALIDATORS {
        let key = validator(number);
        let create = IStaking::createValidatorCall {
            commission: 0,
            feeAddress: account(key),
            keys: Vec::new(),
        };
        let draft = Draft { value: coins(1_000), ..call(&world, key, 0, STAKING, &create) };
        all_succeed(&mut world, &[draft]);
    }
    for number in 0..JURORS {
        let key = juror(number);
        let join = |place: u8| {
            let join = IStaking::delegateCall { validator: account(validator(place)) };
            Draft { value: coins(500), ..call(&world, key, place.into(), STAKING, &join) }
        };
        let mut drafts: Vec<_> = (0..VALIDATORS).map(join).collect();
        let enlist = IDisputes::enlistCall { places: MAX_PLACES };
        drafts.push(call(&world, key, VALIDATORS.into(), DISPUTES, &enlist));
        all_succeed(&mut world, &drafts);
    }
    complain(&mut world);
    world
}

fn complain(world: &mut World) {
    let registration = IAssets::Registration {
        kind: IAssets::Kind::Dataset,
        contentHash: B256::repeat_byte(3),
        metadataURI: "data:,".into(),
        inputPrice: 1,
        outputPrice: 1,
        derivativeRoyalty: 0,
        derivatives: IAssets::Derivatives::Open,
        edges: Vec::new(),
        members: Vec::new(),
        ownerUnits: U96::ZERO,
        isOpen: false,
    };
    let register = IAssets::registerCall { registration };
    let draft = call(world, 1, 0, ASSETS, &register);
    all_succeed(world, &[draft]);
    let file = IDisputes::fileCall {
        asset: 1,
        ground: Ground::StolenData,
        evidence: B256::ZERO,
        isDelisting: false,
        shares: Vec::new(),
    };
    let draft = Draft { value: coins(100), ..call(world, 2, 0, DISPUTES, &file) };
    all_succeed(world, &[draft]);
}

/// The seats that were drawn within eight blocks, and the most that a block cost beyond an idle one.
fn draw(world: &mut World) -> (Vec<Address>, u64) {
    let idle = system_gas(&world.block(&[]));
    world.env.timestamp += Windows::DEFAULT.answer;
    let (mut jurors, mut most) = (Vec::new(), 0);
    for _ in 0..8 {
        let outcome = world.block(&[]);
        most = most.max(system_gas(&outcome).saturating_sub(idle));
        let logs = outcome.receipts.iter().flat_map(|receipt| &receipt.logs);
        let logs = logs.filter(|log| log.address == DISPUTES);
        for drawn in logs.filter_map(|log| IDisputes::JuryDrawn::decode_log(log).ok()) {
            jurors.extend(drawn.data.jurors);
        }
    }
    (jurors, most)
}

#[test]
fn a_draw_is_paid_for_however_many_jurors_have_left() {
    // Those who can be drawn, and how many of sixteen no longer have the stake that their places need.
    for stale in [0, 8, 11, 16] {
        let mut world = crowd();
        for number in 0..stale {
            let leave = IStaking::undelegateCall { validator: account(validator(0)), amount: COIN };
            let draft = call(&world, juror(number), 0, STAKING, &leave);
            all_succeed(&mut world, &[draft]);
        }
        let (jurors, gas) = draw(&mut world);
        eprintln!("{stale} of 16 jurors stale: {} seats, {gas} gas of {DRAW_GAS}", jurors.len());
        assert!(gas > 0 && gas < DRAW_GAS, "{gas}");
        let may_sit: Vec<_> = (stale..JURORS).map(|number| account(juror(number))).collect();
        assert!(jurors.iter().all(|juror| may_sit.contains(juror)));
        // Five may sit when eleven of sixteen have left: enough for a jury.
        assert_eq!(jurors.len(), if may_sit.is_empty() { 0 } else { 7 }, "{stale} are stale");
    }
}
