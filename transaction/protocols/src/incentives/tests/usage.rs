//! Rounds by settled usage, over channels that really settle.

use super::*;
use crate::{
    Call,
    channels::tests::world::{Actor, COIN as ONE, World},
    undo::Dice,
};
use sahara_abi::{ASSETS, IAssets, IChannels, IRoyalties};

const PERIOD: u64 = 10 * DAY;

/// A world with a programme of 100 SAHARA that its stranger manages.
fn funded() -> World {
    let mut world = World::new();
    let ends_at = world.now() + 3_650 * DAY;
    world.state.fund(INCENTIVES, Amount::from_coins(100));
    receive(&mut world.state, Amount::from_coins(100)).unwrap();
    let manager = world.stranger.address;
    let (budget, terms) = (U256::from(100 * COIN), B256::ZERO);
    let open = IIncentives::openProgrammeCall { manager, budget, endsAt: ends_at, terms };
    let request = Call {
        caller: GOVERNANCE,
        value: Amount::ZERO,
        data: &open.abi_encode(),
        is_static: false,
    };
    world.state.call(INCENTIVES, request).unwrap();
    books(&world);
    world
}

fn books(world: &World) {
    let owed = liabilities_total(INCENTIVES, world.state.slots_of(INCENTIVES)).unwrap();
    assert_eq!(owed, U256::from(world.balance(INCENTIVES)));
}

fn tell<C: SolCall>(world: &mut World, who: Actor, call: C) -> Result<C::Return, Failure> {
    let answer = world.call(who, INCENTIVES, call);
    books(world);
    answer
}

/// A round of so much, counted for ten days and open for ten more.
fn open(world: &mut World, total: u128) -> u64 {
    let now = world.now();
    let call = IIncentives::openUsageRoundCall {
        programme: 1,
        total: U256::from(total),
        countUntil: now + PERIOD,
        closesAt: now + 2 * PERIOD,
        terms: B256::ZERO,
    };
    tell(world, world.stranger, call).unwrap()
}

/// A channel of a payer at the gateway that takes nothing, opened with the default fee of 1 %.
fn channel(world: &mut World, payer: Actor, nonce: u64) -> B256 {
    let reservation =
        IChannels::Reservation { payer: payer.address, nonce, ..world.reservation(0, 1_000 * ONE) };
    world.state.fund(payer.address, Amount::from_coins(2_000));
    world.fund(payer, 1_000 * ONE);
    world.open(&reservation).unwrap()
}

fn settle(world: &mut World, id: B256, asset: u64, worker: usize, parts: (u128, u128)) {
    let line = world.line(id, asset, worker, parts);
    let claim = world.claim(id, vec![line]);
    world.collect(&[claim]).unwrap();
}

fn count(
    world: &mut World,
    who: Actor,
    (round, asset): (u64, u64),
    named: &[(B256, usize)],
) -> Result<u128, Failure> {
    let served = named.iter().map(|(channel, worker)| IIncentives::Served {
        channelId: *channel,
        worker: world.workers[*worker].address,
    });
    let call = IIncentives::countUsageCall { round, asset, served: served.collect() };
    tell(world, who, call).map(|fees| fees.to())
}

fn award(world: &mut World, round: u64, asset: u64) -> Result<u128, Failure> {
    let call = IIncentives::awardUsageCall { round, asset };
    tell(world, world.payers[1], call).map(|amount| amount.to())
}

#[test]
fn an_asset_gets_its_part_of_a_round_by_the_fees_that_strangers_paid() {
    let mut world = funded();
    let (first, second) = (world.payers[0], world.payers[1]);
    let (one, two) = (channel(&mut world, first, 1), channel(&mut world, second, 1));
    settle(&mut world, one, 1, 0, (100 * ONE, 200 * ONE));
    settle(&mut world, two, 2, 1, (0, 100 * ONE));
    // Fees of 3 and of 1 SAHARA compete for 2.
    let round = open(&mut world, 2 * ONE);
    let creator = world.creator;
    let refused = count(&mut world, first, (round, 1), &[(one, 0)]);
    let not_owner = IAssets::NotOwner { asset: 1, owner: creator.address, caller: first.address };
    assert_eq!(refused, Err(not_owner.into()));
    assert_eq!(count(&mut world, creator, (round, 1), &[(one, 0), (one, 0)]), Ok(3 * ONE));
    assert_eq!(count(&mut world, creator, (round, 2), &[(two, 1), (two, 0)]), Ok(ONE));
    let again = count(&mut world, creator, (round, 1), &[(one, 0)]);
    assert_eq!(again, Err(IIncentives::NothingToCount { round, asset: 1 }.into()));
    let early = award(&mut world, round, 1);
    let from = world.now() + PERIOD;
    assert_eq!(early, Err(IIncentives::TooEarly { from }.into()));
    world.wait(PERIOD);
    let before = world.balance(creator.address);
    assert_eq!(award(&mut world, round, 1), Ok(3 * ONE / 2));
    assert_eq!(award(&mut world, round, 2), Ok(ONE / 2));
    assert_eq!(world.balance(creator.address) - before, 2 * ONE);
    let nothing = award(&mut world, round, 1);
    assert_eq!(nothing, Err(IIncentives::NothingToAward { round, asset: 1 }.into()));
    // More was settled: the rest alone counts, in another round, which has more than enough.
    settle(&mut world, one, 1, 0, (100 * ONE, 250 * ONE));
    let round = open(&mut world, 50 * ONE);
    assert_eq!(count(&mut world, creator, (round, 1), &[(one, 0)]), Ok(ONE / 2));
    world.wait(PERIOD);
    assert_eq!(award(&mut world, round, 1), Ok(ONE / 2), "never more than the fees");
    world.wait(PERIOD);
    let close = IIncentives::closeUsageRoundCall { round };
    tell(&mut world, second, close).unwrap();
    let programme = IIncentives::programmeCall { programme: 1 };
    let left = tell(&mut world, second, programme).unwrap().left;
    assert_eq!(left, U256::from(98 * ONE - ONE / 2));
}

#[test]
fn who_has_a_part_in_the_asset_or_served_it_is_no_stranger() {
    let mut world = funded();
    let payers = [world.creator, world.workers[0], world.payers[0]];
    let channels: Vec<_> = payers.into_iter().map(|payer| channel(&mut world, payer, 7)).collect();
    for id in &channels {
        settle(&mut world, *id, 1, 0, (0, 100 * ONE));
    }
    let round = open(&mut world, 50 * ONE);
    let creator = world.creator;
    for (index, is_related) in [true, true, false].into_iter().enumerate() {
        let served =
            IIncentives::Served { channelId: channels[index], worker: world.workers[0].address };
        let call = IIncentives::countableCall { asset: 1, served };
        let shown = tell(&mut world, creator, call).unwrap();
        assert_eq!(shown.fees, U256::from(ONE));
        assert_eq!((shown.payer, shown.isRelated), (payers[index].address, is_related));
    }
    let named: Vec<_> = channels.iter().map(|id| (*id, 0)).collect();
    assert_eq!(count(&mut world, creator, (round, 1), &named), Ok(ONE), "one of three");
}

#[test]
fn the_owner_of_an_ancestor_and_a_member_are_no_strangers() {
    let mut world = funded();
    let (member, other) = (world.payers[0], world.payers[1]);
    let registration = IAssets::Registration {
        kind: IAssets::Kind::Model,
        contentHash: keccak256("child"),
        metadataURI: String::new(),
        inputPrice: 1,
        outputPrice: 1,
        derivativeRoyalty: 1_000,
        derivatives: IAssets::Derivatives::Open,
        edges: vec![],
        members: vec![IAssets::Member {
            account: member.address,
            units: 5_u64.try_into().unwrap(),
        }],
        ownerUnits: 5_u64.try_into().unwrap(),
        isOpen: false,
    };
    let parent = registration.clone();
    let call = IAssets::registerCall { registration: parent };
    let parent = world.call(other, ASSETS, call).unwrap();
    let edges = vec![IAssets::Edge { parent, relation: IAssets::Relation::FinetunedFrom }];
    let registration =
        IAssets::Registration { edges, contentHash: keccak256("grandchild"), ..registration };
    let owner = world.creator;
    let asset = world.call(owner, ASSETS, IAssets::registerCall { registration }).unwrap();
    world.serve(world.workers[0], asset).unwrap();
    let stranger = world.gateways[1];
    let ids: Vec<_> =
        [member, other, stranger].into_iter().map(|payer| channel(&mut world, payer, 3)).collect();
    for id in &ids {
        settle(&mut world, *id, asset, 0, (0, 100 * ONE));
    }
    let round = open(&mut world, 50 * ONE);
    let named: Vec<_> = ids.iter().map(|id| (*id, 0)).collect();
    assert_eq!(count(&mut world, owner, (round, asset), &named), Ok(ONE));
    // The award is income: the ancestor has its tenth, members have their units.
    world.wait(PERIOD);
    let call = IRoyalties::poolCall { asset: parent };
    let before = world.call(other, sahara_abi::ROYALTIES, call.clone()).unwrap().deposited;
    assert_eq!(award(&mut world, round, asset), Ok(ONE));
    let after = world.call(other, sahara_abi::ROYALTIES, call).unwrap().deposited;
    assert_eq!(after - before, U256::from(ONE / 10));
}

#[test]
fn counting_and_awards_end_to_the_second() {
    let mut world = funded();
    let payer = world.payers[0];
    let id = channel(&mut world, payer, 1);
    settle(&mut world, id, 1, 0, (0, 100 * ONE));
    let creator = world.creator;
    let round = open(&mut world, ONE);
    let until = world.now() + PERIOD;
    world.wait(PERIOD - 1);
    assert_eq!(count(&mut world, creator, (round, 1), &[(id, 0)]), Ok(ONE));
    settle(&mut world, id, 1, 0, (0, 200 * ONE));
    assert_eq!(award(&mut world, round, 1), Err(IIncentives::TooEarly { from: until }.into()));
    world.wait(1);
    let late = count(&mut world, creator, (round, 1), &[(id, 0)]);
    assert_eq!(late, Err(IIncentives::TooLate { until }.into()));
    world.wait(PERIOD - 1);
    let close = IIncentives::closeUsageRoundCall { round };
    let early = tell(&mut world, payer, close.clone()).map(drop);
    assert_eq!(early, Err(IIncentives::TooEarly { from: until + PERIOD }.into()));
    let mut last = world.clone();
    assert_eq!(award(&mut last, round, 1), Ok(ONE), "the last second");
    world.wait(1);
    let late = award(&mut world, round, 1);
    assert_eq!(late, Err(IIncentives::TooLate { until: until + PERIOD }.into()));
    tell(&mut world, payer, close).unwrap();
}

#[test]
fn only_the_manager_opens_a_round_and_only_within_its_budget() {
    let mut world = funded();
    let (now, stranger) = (world.now(), world.stranger);
    let plan = |total: u128, until: u64, closes: u64| IIncentives::openUsageRoundCall {
        programme: 1,
        total: U256::from(total),
        countUntil: until,
        closesAt: closes,
        terms: B256::ZERO,
    };
    let payer = world.payers[0];
    assert!(tell(&mut world, payer, plan(ONE, now + 1, now + 2)).is_err(), "no manager");
    for wrong in [plan(0, now + 1, now + 2), plan(1, now, now + 2), plan(1, now + 2, now + 2)] {
        let refused = tell(&mut world, stranger, wrong).map(drop);
        assert_eq!(refused, Err(IIncentives::InvalidPlan {}.into()));
    }
    assert!(tell(&mut world, stranger, plan(101 * COIN, now + 1, now + 2)).is_err());
    tell(&mut world, stranger, plan(100 * COIN, now + 1, now + 2)).unwrap();
}

/// Whoever pays itself through any accounts, and counts all of it, gets back at most the fees.
#[test]
fn i6_awards_are_at_most_what_strangers_paid_and_paying_oneself_never_gains() {
    for seed in 0..OPERATIONS / 500 {
        let mut dice = Dice(seed);
        let mut world = funded();
        // One person behind everyone: payers, owner, workers, gateway.
        let payers = [world.payers[0], world.payers[1], world.creator, world.workers[0]];
        let ids: Vec<_> = payers.into_iter().map(|payer| channel(&mut world, payer, 1)).collect();
        let pool = |world: &World| world.balance(INCENTIVE_POOL);
        let fees_before = pool(&world);
        let mut earned = std::collections::BTreeMap::<(usize, u64, usize), (u128, u128)>::new();
        let (mut strangers, mut awarded) = (0_u128, 0_u128);
        for _ in 0..3 {
            let round = open(&mut world, 1 + dice.amount(5 * ONE));
            for _ in 0..6 {
                let mut pick = |below| usize::try_from(dice.below(below)).unwrap();
                let (payer, worker) = (pick(4), pick(2));
                let asset = 1 + dice.below(2);
                let sum = earned.entry((payer, asset, worker)).or_default();
                let before = sum.0 + sum.1;
                *sum = (sum.0 + dice.amount(ONE), sum.1 + 1 + dice.amount(9 * ONE));
                let after = *sum;
                settle(&mut world, ids[payer], asset, worker, after);
                // A worker that pays another one is a stranger to it.
                if payer < 2 || (payer == 3 && worker == 1) {
                    strangers += (after.0 + after.1) / 100 - before / 100;
                }
                if dice.below(2) == 0 {
                    let all: Vec<_> = (0..4).flat_map(|id| [(ids[id], 0), (ids[id], 1)]).collect();
                    let creator = world.creator;
                    drop(count(&mut world, creator, (round, asset), &all));
                }
            }
            world.wait(PERIOD);
            for asset in [1, 2, 1] {
                awarded += award(&mut world, round, asset).unwrap_or_default();
            }
            assert!(awarded <= strangers, "seed {seed}: {awarded} of {strangers}");
        }
        let paid = pool(&world) - fees_before;
        assert!(awarded <= paid, "seed {seed}: {awarded} for fees of {paid}");
        assert!(strangers <= paid);
    }
}
