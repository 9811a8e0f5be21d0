use super::{words::POOLS, *};
use crate::undo::{Dice, OPERATIONS, Undo};
use alloy_primitives::{Address, B256, keccak256};
use sahara_abi::{
    AIRDROP, ASSETS, COMMUNITY, FEES, IAssets, IMarket, INCENTIVE_POOL, INVESTORS, IVesting,
    MARKET, STAKING, TEAM, VESTING,
};
use sahara_primitives::{Amount, AssetId, BasisPoints, Timestamp};

mod behaviour;
mod curves;
mod model;

const AUTHORITY: Address = Address::repeat_byte(0xaa);
const ALICE: Address = Address::repeat_byte(0xa1);
const BOB: Address = Address::repeat_byte(0xb0);
const COIN: u128 = 1_000_000_000_000_000_000;
const MILLION: u128 = 1_000_000 * COIN;
const NOTICE: u64 = 7 * 86_400;
const WINDOW: u64 = 14 * 86_400;
/// 2026-11-15 12:34:56 UTC.
const START: u64 = 1_794_746_096;
const TOTALS: [u128; 5] =
    [815 * MILLION, 2_075 * MILLION, 3_393 * MILLION, 1_500 * MILLION, 1_975 * MILLION];

fn plan() -> Plan {
    Plan {
        start: Timestamp(START),
        authority: AUTHORITY,
        notice: NOTICE,
        window: WINDOW,
        airdrop_root: B256::ZERO,
        classes: TOTALS.map(Amount::from_u128),
        grants: Vec::new(),
    }
}

fn founded(plan: &Plan) -> Undo {
    let mut world = Undo::default();
    world.state.block.timestamp = Timestamp(START);
    for (pool, total) in POOLS.into_iter().zip(TOTALS) {
        world.state.fund(pool, Amount::from_u128(total));
    }
    found(&mut world, plan).unwrap();
    world
}

fn month(months: u64) -> u64 {
    add_months(Timestamp(START), months).0
}

fn at(world: &mut Undo, time: u64) {
    world.state.block.timestamp = Timestamp(time);
}

/// A list of allocations and its tree, as an issuer would make it.
struct List {
    leaves: Vec<(Address, u128)>,
    levels: Vec<Vec<B256>>,
}

impl List {
    fn new(leaves: Vec<(Address, u128)>) -> Self {
        let hash = |(index, (account, amount)): (usize, &(Address, u128))| {
            let chain = sahara_primitives::LOCAL_CHAIN_ID;
            leaf(chain, index as u64, *account, Amount::from_u128(*amount))
        };
        let mut levels = vec![leaves.iter().enumerate().map(hash).collect::<Vec<_>>()];
        while levels.last().unwrap().len() > 1 {
            let pairs = levels.last().unwrap().chunks(2).map(|pair| match pair {
                [one] => *one,
                [a, b] if a < b => keccak256([a.0, b.0].concat()),
                pair => keccak256([pair[1].0, pair[0].0].concat()),
            });
            let next = pairs.collect();
            levels.push(next);
        }
        Self { leaves, levels }
    }

    fn root(&self) -> B256 {
        self.levels.last().unwrap()[0]
    }

    fn claim(&self, index: usize) -> IVesting::claimCall {
        let (account, amount) = self.leaves[index];
        let mut place = index;
        let mut proof = Vec::new();
        for level in &self.levels {
            proof.extend(level.get(place ^ 1).copied());
            place >>= 1;
        }
        let amount = U256::from(amount);
        IVesting::claimCall { index: index as u64, account, amount, proof }
    }
}
