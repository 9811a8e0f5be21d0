use super::*;
use crate::{
    liabilities::liabilities_total,
    state::Failure,
    undo::{Dice, OPERATIONS, Undo},
};
use alloy_primitives::{Address, B256, Bytes, U256, aliases::U96};
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{
    ASSETS, DISPUTES, GOVERNANCE, IAssets,
    IDisputes::{self, Ground, Phase, Ruling},
    INCENTIVE_POOL, IRoyalties, IStaking, ROYALTIES, STAKING,
};
use sahara_primitives::{Amount, Timestamp};

mod behaviour;
mod delisted;
mod escrows;
mod governed;
mod juries;
mod model;
mod windows;

const COIN: u128 = 1_000_000_000_000_000_000;
const START: u64 = 1_800_000_000;
const OWNER: Address = Address::repeat_byte(0x10);
const MEMBER: Address = Address::repeat_byte(0x11);
const VICTIM: Address = Address::repeat_byte(0x12);
const PAYER: Address = Address::repeat_byte(0x13);
const VALIDATOR: Address = Address::repeat_byte(0x14);
const SALT: B256 = B256::repeat_byte(0x5a);

// Seconds after the filing at which a default window ends.
const ANSWER: u64 = Windows::DEFAULT.answer;
const DRAWING: u64 = Windows::DEFAULT.drawing_end();
const COMMIT: u64 = Windows::DEFAULT.commit_end();
const REVEAL: u64 = Windows::DEFAULT.reveal_end();
const APPEAL: u64 = Windows::DEFAULT.appeal_end();
const HOLDING: u64 = Windows::DEFAULT.end();
const JURY_FEE: u128 = 7 * Parameters::DEFAULT.seat_fee;

fn juror(number: usize) -> Address {
    Address::repeat_byte(u8::try_from(number).unwrap() + 0x81)
}

fn ask<C: SolCall>(world: &mut Undo, who: Address, call: &C) -> Result<C::Return, Failure> {
    world.call(who, DISPUTES, 0, call)
}

fn events<E: SolEvent>(world: &Undo) -> Vec<E> {
    world.state.logs.iter().filter_map(|log| E::decode_log(log).ok()).map(|log| log.data).collect()
}

/// Registers an asset of [`OWNER`]; with members, [`MEMBER`] has a unit of two.
fn asset(world: &mut Undo, parents: &[u64], is_shared: bool) -> u64 {
    let members = vec![IAssets::Member { account: MEMBER, units: U96::from(1) }];
    let edge =
        |parent: &u64| IAssets::Edge { parent: *parent, relation: IAssets::Relation::TrainedOn };
    let kind = if parents.is_empty() { IAssets::Kind::Dataset } else { IAssets::Kind::Model };
    let registration = IAssets::Registration {
        kind,
        contentHash: B256::repeat_byte(3),
        metadataURI: "data:,".into(),
        inputPrice: 1,
        outputPrice: 1,
        derivativeRoyalty: 1_000,
        derivatives: IAssets::Derivatives::Open,
        edges: parents.iter().map(edge).collect(),
        members: if is_shared { members } else { Vec::new() },
        ownerUnits: U96::from(1),
        isOpen: false,
    };
    world.call(OWNER, ASSETS, 0, &IAssets::registerCall { registration }).unwrap()
}

fn pay(world: &mut Undo, asset: u64, amount: u128) {
    world.call(PAYER, ROYALTIES, amount, &IRoyalties::payCall { asset }).unwrap();
}

/// What the pool of a shared asset has taken in; [`OWNER`] and [`MEMBER`] have halves of it.
fn deposited(world: &mut Undo, asset: u64) -> u128 {
    let pool = world.call(PAYER, ROYALTIES, 0, &IRoyalties::poolCall { asset }).unwrap();
    pool.deposited.to()
}

/// So many jurors with a place each, and the two parties, who have one as well.
fn world(jurors: usize) -> Undo {
    let mut world = Undo::default();
    world.state.block.timestamp = Timestamp(START);
    for account in [OWNER, VICTIM, PAYER, VALIDATOR].into_iter().chain((0..jurors).map(juror)) {
        world.state.fund(account, Amount::from_u128(1_000_000_000 * COIN));
    }
    let call =
        IStaking::createValidatorCall { commission: 0, feeAddress: VALIDATOR, keys: Vec::new() };
    world.call(VALIDATOR, STAKING, 100_000 * COIN, &call).unwrap();
    for account in [OWNER, VICTIM].into_iter().chain((0..jurors).map(juror)) {
        let join = IStaking::delegateCall { validator: VALIDATOR };
        world.call(account, STAKING, 1_000 * COIN, &join).unwrap();
        ask(&mut world, account, &IDisputes::enlistCall { places: 1 }).unwrap();
    }
    pass(&mut world, 1);
    world
}

/// Time passes, and a block ends; its randomness is its number's.
fn pass(world: &mut Undo, seconds: u64) {
    world.state.block.timestamp.0 += seconds;
    world.state.block.number += 1;
    world.state.block.randomness = B256::from(U256::from(world.state.block.number));
    let ended =
        world.atomically(|state| crate::end_block(state, VALIDATOR, &[]).map(|()| Bytes::new()));
    ended.unwrap();
}

fn now(world: &Undo) -> u64 {
    world.state.block.timestamp.0
}

/// Goes to so many seconds after the filing of a complaint.
fn until(world: &mut Undo, number: u64, offset: u64) {
    let filed_at = shown(world, number).filedAt;
    let rest = filed_at + offset - now(world);
    pass(world, rest);
}

fn filing(asset: u64, shares: &[(Address, u16)]) -> IDisputes::fileCall {
    let share =
        |(account, share): &(Address, u16)| IDisputes::Share { account: *account, share: *share };
    IDisputes::fileCall {
        asset,
        ground: Ground::StolenData,
        evidence: B256::repeat_byte(1),
        isDelisting: true,
        shares: shares.iter().map(share).collect(),
    }
}

fn file(world: &mut Undo, asset: u64, bond: u128) -> Result<u64, Failure> {
    file_by(world, VICTIM, asset, bond)
}

fn file_by(world: &mut Undo, who: Address, asset: u64, bond: u128) -> Result<u64, Failure> {
    world.call(who, DISPUTES, bond, &filing(asset, &[(VICTIM, 4_000)]))
}

/// One of many who may complain; none of them has a place on the list of jurors.
fn complainant(number: u8) -> Address {
    Address::repeat_byte(0x20 + number)
}

fn give(world: &mut Undo, asset: u64, from: Address, to: Address) -> Result<(), Failure> {
    let call = IAssets::transferFromCall { from, to, tokenId: U256::from(asset) };
    world.call(from, ASSETS, 0, &call).map(drop)
}

fn shown(world: &mut Undo, complaint: u64) -> IDisputes::Complaint {
    ask(world, PAYER, &IDisputes::complaintCall { complaint }).unwrap()
}

fn jury(world: &mut Undo, complaint: u64) -> Vec<IDisputes::Juror> {
    ask(world, PAYER, &IDisputes::juryCall { complaint }).unwrap()
}

fn promise(
    world: &mut Undo,
    complaint: u64,
    juror: Address,
    is_upheld: bool,
) -> Result<(), Failure> {
    let call = IDisputes::commitmentOfCall { complaint, juror, isUpheld: is_upheld, salt: SALT };
    let commitment = ask(world, juror, &call).unwrap();
    ask(world, juror, &IDisputes::commitCall { complaint, commitment }).map(drop)
}

fn reveal(
    world: &mut Undo,
    complaint: u64,
    juror: Address,
    is_upheld: bool,
) -> Result<(), Failure> {
    let call = IDisputes::revealCall { complaint, isUpheld: is_upheld, salt: SALT };
    ask(world, juror, &call).map(drop)
}

/// Takes a complaint to its ruling, everybody on the jury of one mind.
fn rule(world: &mut Undo, complaint: u64, is_upheld: bool) {
    rule_all(world, &[(complaint, is_upheld)]);
}

/// Takes complaints that were filed in the same second to their rulings.
fn rule_all(world: &mut Undo, rulings: &[(u64, bool)]) {
    let first = rulings[0].0;
    until(world, first, ANSWER);
    for _ in rulings {
        // A jury a block.
        pass(world, 0);
    }
    let says = |world: &mut Undo,
                step: fn(&mut Undo, u64, Address, bool) -> Result<(), Failure>| {
        for (complaint, is_upheld) in rulings {
            for juror in jury(world, *complaint) {
                step(world, *complaint, juror.account, *is_upheld).unwrap();
            }
        }
    };
    says(world, promise);
    until(world, first, COMMIT);
    says(world, reveal);
    until(world, first, REVEAL);
}

fn close(world: &mut Undo, complaint: u64) -> Result<(), Failure> {
    ask(world, PAYER, &IDisputes::closeCall { complaint }).map(drop)
}

/// I1, from the words alone.
fn check_books(world: &Undo) {
    let owed = liabilities_total(DISPUTES, world.state.slots_of(DISPUTES)).unwrap();
    assert_eq!(owed, U256::from(world.held(DISPUTES)));
    liabilities_total(ROYALTIES, world.state.slots_of(ROYALTIES)).unwrap();
}
