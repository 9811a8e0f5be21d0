use super::world::{COIN, World, twin};
use crate::Failure;
use alloy_primitives::{
    B256, Bytes, U256,
    aliases::{U24, U96},
};
use alloy_sol_types::SolEvent;
use sahara_abi::{ASSETS, CHANNELS, IAssets, IChannels, INCENTIVE_POOL, IWorkers, WORKERS};

const DAY: u64 = 86_400;

/// A world with one channel of 10 SAHARA at the gateway that takes 250 basis points.
fn opened() -> (World, B256) {
    let mut world = World::new();
    world.fund(world.payers[0], 100 * COIN);
    let id = world.open(&world.reservation(1, 10 * COIN)).unwrap();
    (world, id)
}

fn one_line(world: &mut World, id: B256) -> IChannels::Claim {
    let line = world.line(id, 1, 0, (COIN, 2 * COIN));
    world.claim(id, vec![line])
}

fn refuses(world: &mut World, claim: &IChannels::Claim, refused: impl Into<Failure>) {
    assert_eq!(world.collect(std::slice::from_ref(claim)), Err(refused.into()));
}

#[test]
fn one_claim_pays_everyone_it_names() {
    let (mut world, id) = opened();
    let before = world.clone();
    let gained = |world: &World, account| world.balance(account) - before.balance(account);
    let lines = vec![
        world.line(id, 1, 0, (COIN, 2 * COIN)),
        world.line(id, 2, 0, (3, 4)),
        world.line(id, 1, 1, (5, 0)),
    ];
    let claim = world.claim(id, lines);
    world.collect(std::slice::from_ref(&claim)).unwrap();

    let base = 3 * COIN + 12;
    assert_eq!(gained(&world, world.workers[0].address), COIN + 3);
    assert_eq!(gained(&world, world.workers[1].address), 5);
    assert_eq!(gained(&world, world.creator.address), 2 * COIN + 4);
    assert_eq!(gained(&world, INCENTIVE_POOL), base / 100);
    assert_eq!(gained(&world, world.gateways[1].address), base * 25 / 1_000);
    let channel = world.channel(id).unwrap();
    assert_eq!(channel.settled, claim.cumulative);
    assert_eq!(channel.base, U96::from(base));
    assert_eq!(channel.seq, U24::from(1));
    let call = IChannels::earningCall { channelId: id, asset: 1, worker: world.workers[0].address };
    let earned = world.call(world.stranger, CHANNELS, call).unwrap();
    assert_eq!((earned.cumulativeWorker, earned.cumulativeAsset), (COIN, 2 * COIN));
}

#[test]
fn a_claim_is_logged_line_by_line() {
    let (mut world, id) = opened();
    let lines = vec![world.line(id, 1, 0, (COIN, 2)), world.line(id, 2, 1, (0, 4))];
    let claim = world.claim(id, lines);
    let logged = world.state.logs.len();
    world.collect(std::slice::from_ref(&claim)).unwrap();
    let logs: Vec<_> =
        world.state.logs[logged..].iter().filter(|log| log.address == CHANNELS).collect();
    let earned: Vec<_> = logs
        .iter()
        .filter_map(|log| IChannels::Earned::decode_log(log).ok())
        .map(|log| (log.asset, log.worker, log.workerAmount, log.assetAmount))
        .collect();
    let [first, second] = world.workers.map(|worker| worker.address);
    assert_eq!(
        earned,
        [(1, first, U256::from(COIN), U256::from(2)), (2, second, U256::ZERO, U256::from(4))]
    );
    let collected = logs.iter().find_map(|log| IChannels::Collected::decode_log(log).ok()).unwrap();
    assert_eq!(collected.amount, claim.cumulative);
    assert_eq!(collected.receiptsRoot, claim.receiptsRoot);
    let fees = logs.iter().find_map(|log| IChannels::FeesPaid::decode_log(log).ok()).unwrap();
    let parts = U256::from(COIN + 6) + fees.protocolFee + fees.gatewayFee;
    assert_eq!(parts, U256::from(claim.cumulative));
}

#[test]
fn many_small_claims_pay_what_one_claim_pays() {
    let (mut world, id) = opened();
    let mut once = world.clone();
    for step in 1..=25_u128 {
        let line = world.line(id, 1, 0, (step * 33, step * 7));
        let claim = world.claim(id, vec![line]);
        world.collect(&[claim]).unwrap();
    }
    let line = once.line(id, 1, 0, (25 * 33, 25 * 7));
    let claim = once.claim(id, vec![line]);
    once.collect(&[claim]).unwrap();
    assert_eq!(world.state.balances, once.state.balances);
}

#[test]
fn several_channels_and_turns_are_claimed_in_one_call() {
    let (mut world, id) = opened();
    let other = IChannels::Reservation { nonce: 2, ..world.reservation(1, 10 * COIN) };
    let other = world.open(&other).unwrap();
    let line = world.line(id, 1, 0, (COIN, 0));
    let first = world.claim(id, vec![line]);
    let mut ahead = world.clone();
    ahead.collect(std::slice::from_ref(&first)).unwrap();
    let line = world.line(id, 1, 0, (2 * COIN, 0));
    let second = ahead.claim(id, vec![line]);
    let third = one_line(&mut world, other);

    let before = world.balance(world.workers[0].address);
    let mut reversed = world.clone();
    world.collect(&[first.clone(), third.clone(), second.clone()]).unwrap();
    assert_eq!(world.balance(world.workers[0].address), before + 3 * COIN);
    assert!(reversed.collect(&[second, first, third]).is_err(), "claims have an order");
}

#[test]
fn i8_one_bad_claim_refuses_the_whole_call() {
    let (mut world, id) = opened();
    let other = IChannels::Reservation { nonce: 2, ..world.reservation(1, 10 * COIN) };
    let other = world.open(&other).unwrap();
    let good = one_line(&mut world, id);
    let mut bad = one_line(&mut world, other);
    bad.cumulative += U96::from(1);
    assert!(world.collect(&[good.clone(), bad]).is_err());
    assert_eq!(world.channel(id).unwrap().settled, U96::ZERO);
    world.collect(&[good]).unwrap();
}

#[test]
fn the_same_claim_is_paid_once() {
    let (mut world, id) = opened();
    let claim = one_line(&mut world, id);
    world.collect(std::slice::from_ref(&claim)).unwrap();
    let (seq, seq_from) = (U24::from(1), U24::ZERO);
    let stale = IChannels::StaleClaim { channelId: id, seq, seqFrom: seq_from };
    refuses(&mut world, &claim, stale);
    assert!(world.collect(&[claim.clone(), claim.clone()]).is_err());

    let renumbered =
        IChannels::Claim { seqFrom: U24::from(1), seqTo: U24::from(2), ..claim.clone() };
    refuses(&mut world, &renumbered, IChannels::NothingToCollect { channelId: id });
    let mut more = renumbered;
    more.cumulative += U96::from(1);
    let stale_line = IChannels::StaleLine { asset: 1, worker: world.workers[0].address };
    refuses(&mut world, &more, stale_line);
}

#[test]
fn only_the_channels_gateway_claims() {
    let (mut world, id) = opened();
    let claim = one_line(&mut world, id);
    let gateway = world.gateways[1].address;
    for other in [world.gateways[0], world.payers[0], world.workers[0], world.stranger] {
        let refused = IChannels::NotGateway { caller: other.address, gateway };
        assert_eq!(world.collect_as(other, std::slice::from_ref(&claim)), Err(refused.into()));
    }
    let unknown = IChannels::Claim { channelId: B256::ZERO, ..claim };
    let refused = IChannels::UnknownChannel { channelId: B256::ZERO };
    assert_eq!(world.collect_as(world.gateways[1], &[unknown]), Err(refused.into()));
}

#[test]
fn receipts_are_claimed_in_order_without_gaps() {
    let (mut world, id) = opened();
    let claim = one_line(&mut world, id);
    let range = |from: u32, to: u32| IChannels::Claim {
        seqFrom: U24::from(from),
        seqTo: U24::from(to),
        ..claim.clone()
    };
    let (zero, one) = (U24::ZERO, U24::from(1));
    refuses(
        &mut world,
        &range(1, 2),
        IChannels::StaleClaim { channelId: id, seq: zero, seqFrom: one },
    );
    refuses(&mut world, &range(0, 0), IChannels::EmptyRange { seqFrom: zero, seqTo: zero });
    world.collect(&[range(0, 0xff_ffff)]).unwrap();
    assert_eq!(world.channel(id).unwrap().seq, U24::from(0xff_ffff));
    let line = world.line(id, 1, 0, (2 * COIN, 2 * COIN));
    let mut full = world.claim(id, vec![line]);
    full.seqTo = full.seqFrom;
    let last = U24::from(0xff_ffff);
    refuses(&mut world, &full, IChannels::EmptyRange { seqFrom: last, seqTo: last });
}

#[test]
fn parts_that_do_not_add_up_are_refused() {
    let (mut world, id) = opened();
    let honest = one_line(&mut world, id);
    let expected = U256::from(honest.cumulative);
    let payer = world.payers[0].address;
    for wrong in [1_u128, honest.cumulative.to::<u128>() - 1, honest.cumulative.to::<u128>() + 1] {
        let mut claim = IChannels::Claim { cumulative: U96::from(wrong), ..honest.clone() };
        world.vouch(&mut claim, payer, wrong);
        let cumulative = U256::from(wrong);
        refuses(&mut world, &claim, IChannels::PartsDoNotAddUp { expected, cumulative });
    }
    let empty = IChannels::Claim { lines: vec![], ..honest };
    let cumulative = U256::from(empty.cumulative);
    refuses(&mut world, &empty, IChannels::PartsDoNotAddUp { expected: U256::ZERO, cumulative });
}

#[test]
fn a_voucher_bounds_what_is_collected() {
    let (mut world, id) = opened();
    let honest = one_line(&mut world, id);
    let payer = world.payers[0];
    let cumulative: u128 = honest.cumulative.to();
    let mut older = honest.clone();
    world.vouch(&mut older, payer.address, cumulative - 1);
    refuses(
        &mut world,
        &older,
        IChannels::VoucherTooSmall {
            cumulative: U256::from(cumulative),
            voucherAmount: U256::from(cumulative - 1),
        },
    );
    let mut inflated = older;
    inflated.voucherAmount = cumulative;
    refuses(&mut world, &inflated, IChannels::InvalidSignature { expected: payer.address });
    let mut larger = honest;
    world.vouch(&mut larger, payer.address, u128::MAX);
    world.collect(&[larger]).unwrap();
    assert_eq!(world.channel(id).unwrap().settled, U96::from(cumulative));
}

#[test]
fn a_voucher_above_the_deposit_collects_the_deposit_at_most() {
    let (mut world, id) = opened();
    let line = world.line(id, 1, 0, (10 * COIN, 0));
    let claim = world.claim(id, vec![line]);
    refuses(
        &mut world,
        &claim,
        IChannels::DepositExceeded {
            cumulative: U256::from(claim.cumulative),
            deposit: U256::from(10 * COIN),
        },
    );
}

#[test]
fn a_voucher_is_the_payers_for_this_channel_on_this_chain() {
    let (mut world, id) = opened();
    let honest = one_line(&mut world, id);
    let payer = world.payers[0];
    let amount: u128 = honest.voucherAmount;
    let voucher = IChannels::Voucher { channelId: id, cumulativeAmount: amount };
    let elsewhere =
        IChannels::Voucher { channelId: B256::repeat_byte(1), cumulativeAmount: amount };
    let forged: [Bytes; 6] = [
        world.payers[1].sign(&voucher),
        world.gateways[1].sign(&voucher),
        payer.sign(&elsewhere),
        payer.sign_on(1, &voucher),
        twin(&honest.voucherSignature),
        Bytes::new(),
    ];
    for signature in forged {
        let claim = IChannels::Claim { voucherSignature: signature, ..honest.clone() };
        refuses(&mut world, &claim, IChannels::InvalidSignature { expected: payer.address });
    }
}

#[test]
fn a_line_is_the_workers_for_this_channel_asset_and_amount() {
    let (mut world, id) = opened();
    let other = IChannels::Reservation { nonce: 2, ..world.reservation(1, 10 * COIN) };
    let other = world.open(&other).unwrap();
    let honest = one_line(&mut world, id);
    let worker = world.workers[0];
    let parts = (COIN, 2 * COIN);
    let earning = IChannels::Earning {
        channelId: id,
        asset: 1,
        cumulativeWorker: parts.0,
        cumulativeAsset: parts.1,
    };
    let forged: [Bytes; 7] = [
        world.line(id, 1, 1, parts).signature,
        world.line(other, 1, 0, parts).signature,
        world.line(id, 2, 0, parts).signature,
        world.line(id, 1, 0, (2 * COIN, COIN)).signature,
        worker.sign_on(1, &earning),
        twin(&honest.lines[0].signature),
        Bytes::new(),
    ];
    for signature in forged {
        let mut claim = honest.clone();
        claim.lines[0].signature = signature;
        refuses(&mut world, &claim, IChannels::InvalidSignature { expected: worker.address });
    }
}

#[test]
fn a_line_only_grows() {
    let (mut world, id) = opened();
    let claim = one_line(&mut world, id);
    world.collect(&[claim]).unwrap();
    let worker = world.workers[0].address;
    for parts in [(COIN, 2 * COIN), (COIN - 1, 3 * COIN), (2 * COIN, 2 * COIN - 1)] {
        let mut claim = world.claim(id, vec![]);
        claim.cumulative = U96::from(9 * COIN);
        claim.lines = vec![world.line(id, 1, 0, parts)];
        refuses(&mut world, &claim, IChannels::StaleLine { asset: 1, worker });
    }
    let line = world.line(id, 1, 0, (COIN, 2 * COIN + 1));
    let claim = world.claim(id, vec![line]);
    world.collect(&[claim]).unwrap();
}

#[test]
fn a_line_sent_twice_in_one_claim_is_refused() {
    let (mut world, id) = opened();
    let mut claim = one_line(&mut world, id);
    claim.lines.push(claim.lines[0].clone());
    let worker = world.workers[0].address;
    refuses(&mut world, &claim, IChannels::StaleLine { asset: 1, worker });
}

#[test]
fn a_claim_has_at_most_64_lines() {
    let (mut world, id) = opened();
    let mut claim = one_line(&mut world, id);
    claim.lines = vec![claim.lines[0].clone(); 65];
    let refused = IChannels::TooManyLines { lines: U256::from(65), most: U256::from(64) };
    refuses(&mut world, &claim, refused);
    let lines = (1..=64).map(|step| world.line(id, 1, 0, (step, 0))).collect::<Vec<_>>();
    let mut claim = world.claim(id, lines[63..].to_vec());
    claim.lines = lines;
    world.collect(&[claim]).unwrap();
    assert_eq!(world.channel(id).unwrap().base, U96::from(64));
}

#[test]
fn only_workers_that_serve_the_asset_are_paid() {
    let (mut world, id) = opened();
    let stranger = world.stranger;
    let mut claim = one_line(&mut world, id);
    let earning = IChannels::Earning {
        channelId: id,
        asset: 1,
        cumulativeWorker: COIN,
        cumulativeAsset: 2 * COIN,
    };
    claim.lines[0].worker = stranger.address;
    claim.lines[0].signature = stranger.sign(&earning);
    let refused = IChannels::WorkerNotRegistered { worker: stranger.address, asset: 1 };
    refuses(&mut world, &claim, refused);

    let claim = one_line(&mut world, id);
    let unserve = |asset| IWorkers::unserveCall { asset };
    world.call(world.workers[0], WORKERS, unserve(1)).unwrap();
    world.wait(DAY);
    let mut late = world.clone();
    late.wait(1);
    let worker = world.workers[0];
    let refused = IChannels::WorkerNotRegistered { worker: worker.address, asset: 1 };
    refuses(&mut late, &claim, refused.clone());
    late.serve(worker, 1).unwrap();
    late.collect(std::slice::from_ref(&claim)).unwrap();
    world.collect(&[claim]).unwrap();

    let other = IChannels::Reservation { nonce: 2, ..world.reservation(1, COIN) };
    let other = world.open(&other).unwrap();
    let line = world.line(other, 1, 0, (1, 1));
    let never_served = world.claim(other, vec![line]);
    refuses(&mut world, &never_served, refused);
}

#[test]
fn a_worker_that_left_is_paid_until_its_notice_ends() {
    let (mut world, id) = opened();
    let worker = world.workers[0];
    let claim = one_line(&mut world, id);
    for asset in 1..=3 {
        world.call(worker, WORKERS, IWorkers::unserveCall { asset }).unwrap();
    }
    world.call(worker, WORKERS, IWorkers::leaveCall {}).unwrap();
    world.wait(DAY - 1);
    let mut late = world.clone();
    world.collect(std::slice::from_ref(&claim)).unwrap();
    late.wait(1);
    let refused = IChannels::WorkerNotRegistered { worker: worker.address, asset: 1 };
    refuses(&mut late, &claim, refused);
}

#[test]
fn an_unsealed_asset_earns_nothing() {
    let (mut world, id) = opened();
    let line = world.line(id, 3, 0, (COIN, COIN));
    let claim = world.claim(id, vec![line]);
    refuses(&mut world, &claim, IAssets::NotSealed { asset: 3 });
    world.call(world.creator, ASSETS, IAssets::sealCall { asset: 3 }).unwrap();
    world.collect(&[claim]).unwrap();
}

#[test]
fn a_worker_may_be_the_payer_and_gains_nothing() {
    let mut world = World::new();
    let payer = world.workers[0];
    world.fund(payer, 10 * COIN);
    let reservation =
        IChannels::Reservation { payer: payer.address, ..world.reservation(1, 10 * COIN) };
    let id = world.open(&reservation).unwrap();
    let before = world.balance(payer.address) + world.free(payer);
    let claim = one_line(&mut world, id);
    let others = 2 * COIN + 3 * COIN / 100 + 3 * COIN * 25 / 1_000;
    world.collect(&[claim]).unwrap();
    world.call(world.gateways[1], CHANNELS, IChannels::closeCall { channelId: id }).unwrap();
    let after = world.balance(payer.address) + world.free(payer);
    assert_eq!(after, before + 10 * COIN - others);
}
