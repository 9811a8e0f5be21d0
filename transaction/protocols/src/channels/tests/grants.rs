use super::world::{COIN, World};
use crate::Failure;
use alloy_primitives::{B256, U256, aliases::U96};
use sahara_abi::{CHANNELS, IChannels, IWorkers, WORKERS};

const HOUR: u64 = 3_600;
const DAY: u64 = 86_400;

/// A world whose first payer has 100 SAHARA and has granted 50, at most 20 a day; 40 are set aside.
fn granted() -> (World, IChannels::KeyGrant, B256) {
    let mut world = World::new();
    world.fund(world.payers[0], 100 * COIN);
    let grant = world.grant(50 * COIN, 20 * COIN);
    let id = world.open_grant(&grant, 40 * COIN).unwrap();
    (world, grant, id)
}

/// Collects a charge whose worker part is `worker` in all.
fn charge(world: &mut World, id: B256, worker: u128) -> Result<(), Failure> {
    let line = world.line(id, 1, 0, (worker, 0));
    let claim = world.claim(id, vec![line]);
    world.collect(&[claim])
}

fn revoke(world: &mut World, grant: &IChannels::KeyGrant) -> Result<(), Failure> {
    let payer = world.actor(grant.payer);
    world.call(payer, CHANNELS, IChannels::revokeCall { grant: grant.clone() }).map(drop)
}

fn usage(world: &mut World, id: B256) -> IChannels::GrantUse {
    world.call(world.stranger, CHANNELS, IChannels::grantUseCall { channelId: id }).unwrap()
}

#[test]
fn a_top_up_counts_once_and_never_passes_the_total() {
    let (mut world, grant, id) = granted();
    assert_eq!(world.free(world.payers[0]), 60 * COIN);
    assert_eq!(world.open_grant(&grant, 4 * COIN), Ok(id));
    assert_eq!(world.free(world.payers[0]), 56 * COIN);
    assert_eq!(world.channel(id).unwrap().deposit, U96::from(44 * COIN));
    let refused = IChannels::GrantTotalExceeded {
        total: U256::from(50 * COIN + 1),
        maxTotal: U256::from(50 * COIN),
    };
    assert_eq!(world.open_grant(&grant, 6 * COIN + 1), Err(refused.into()));
    assert_eq!(world.open_grant(&grant, 6 * COIN), Ok(id));
}

#[test]
fn a_top_up_needs_a_free_deposit() {
    let mut world = World::new();
    world.fund(world.payers[0], COIN);
    let grant = world.grant(50 * COIN, 20 * COIN);
    let refused = IChannels::InsufficientDeposit {
        payer: grant.payer,
        free: U256::from(COIN),
        needed: U256::from(2 * COIN),
    };
    assert_eq!(world.open_grant(&grant, 2 * COIN), Err(refused.into()));
}

#[test]
fn another_grant_opens_nothing_with_this_signature() {
    let (mut world, grant, _) = granted();
    let signature = world.payers[0].sign(&grant);
    let wider = IChannels::KeyGrant { maxTotal: U96::from(90 * COIN), ..grant.clone() };
    let later = IChannels::KeyGrant { validUntil: grant.validUntil + 1, ..grant.clone() };
    let refused: Failure = IChannels::InvalidSignature { expected: grant.payer }.into();
    let listed = IChannels::KeyGrant { assets: vec![1], ..grant };
    for grant in [wider, later, listed] {
        let (signature, amount) = (signature.clone(), U96::from(COIN));
        let call = IChannels::openGrantCall { grant, signature, amount };
        assert_eq!(world.call(world.gateways[1], CHANNELS, call).map(drop).unwrap_err(), refused);
    }
}

#[test]
fn a_day_has_its_cap_and_midnight_renews_it() {
    let (mut world, _, id) = granted();
    world.state.block.timestamp.0 = world.now() / DAY * DAY + DAY - 1;
    let a_day = 20 * COIN * 10_000 / 10_350;
    charge(&mut world, id, a_day).unwrap();
    let today = usage(&mut world, id);
    assert!(today.today > U96::from(20 * COIN - 3) && today.today <= U96::from(20 * COIN));
    let refused = |world: &mut World| {
        let failure = charge(world, id, a_day + 100).unwrap_err();
        let Failure::Revert(data) = failure else { return false };
        data.starts_with(&<IChannels::GrantDayExceeded as alloy_sol_types::SolError>::SELECTOR)
    };
    assert!(refused(&mut world));
    world.wait(1);
    let tomorrow = usage(&mut world, id);
    assert_eq!((tomorrow.today, tomorrow.day), (U96::ZERO, today.day + 1));
    assert_eq!(tomorrow.total, today.total);
    charge(&mut world, id, a_day + 100).unwrap();
    world.wait(DAY - 1);
    charge(&mut world, id, 2 * a_day).unwrap();
}

#[test]
fn a_grant_that_lists_assets_pays_no_other() {
    let mut world = World::new();
    world.fund(world.payers[0], 10 * COIN);
    let grant = IChannels::KeyGrant { assets: vec![2], ..world.grant(5 * COIN, 5 * COIN) };
    let id = world.open_grant(&grant, 5 * COIN).unwrap();
    assert_eq!(charge(&mut world, id, COIN), Err(IChannels::AssetNotGranted { asset: 1 }.into()));
    let line = world.line(id, 2, 0, (COIN, COIN));
    let claim = world.claim(id, vec![line]);
    world.collect(&[claim]).unwrap();
}

#[test]
fn a_grant_lists_at_most_32_assets() {
    let mut world = World::new();
    world.fund(world.payers[0], 10 * COIN);
    let grant = |assets: u64| IChannels::KeyGrant {
        assets: (1..=assets).collect(),
        ..world.grant(5 * COIN, 5 * COIN)
    };
    let (longest, longer) = (grant(32), grant(33));
    let refused: Failure =
        IChannels::TooManyAssets { assets: U256::from(33), most: U256::from(32) }.into();
    assert_eq!(world.open_grant(&longer, COIN), Err(refused.clone()));
    assert_eq!(revoke(&mut world, &longer), Err(refused));
    assert!(world.open_grant(&longest, COIN).is_ok());
}

#[test]
fn revoked_grant_opens_nothing() {
    let mut world = World::new();
    world.fund(world.payers[0], 10 * COIN);
    let grant = world.grant(5 * COIN, 5 * COIN);
    let mut revoked = world.clone();
    revoke(&mut revoked, &grant).unwrap();
    let id = sahara_abi::signing::grant_channel(world.state.block.chain_id, &grant);
    let refused: Failure = IChannels::GrantRevoked { grantHash: id }.into();
    assert!(usage(&mut revoked, id).isRevoked);
    assert_eq!(revoked.open_grant(&grant, COIN), Err(refused.clone()));
    assert_eq!(revoke(&mut revoked, &grant), Err(refused.clone()));

    world.open_grant(&grant, COIN).unwrap();
    revoke(&mut world, &grant).unwrap();
    assert_eq!(world.open_grant(&grant, COIN), Err(refused));
}

#[test]
fn only_its_payer_revokes_a_grant() {
    let (mut world, grant, _) = granted();
    for other in [world.gateways[1], world.stranger, world.payers[1]] {
        let refused = IChannels::NotPayer { caller: other.address, payer: grant.payer };
        let call = IChannels::revokeCall { grant: grant.clone() };
        assert_eq!(world.call(other, CHANNELS, call).map(drop), Err(refused.into()));
    }
}

#[test]
fn work_before_a_revocation_is_paid_for_an_hour_and_the_rest_returns() {
    let (mut world, grant, id) = granted();
    revoke(&mut world, &grant).unwrap();
    let revoked_at = world.now();
    world.wait(HOUR);
    charge(&mut world, id, COIN).unwrap();
    world.wait(1);
    let refused = IChannels::Expired { validUntil: revoked_at, timestamp: world.now() };
    assert_eq!(charge(&mut world, id, 2 * COIN), Err(refused.into()));
    world.call(world.stranger, CHANNELS, IChannels::closeCall { channelId: id }).unwrap();
    let settled: u128 = world.channel(id).unwrap().settled.to();
    assert_eq!(world.free(world.payers[0]), 100 * COIN - settled);
}

#[test]
fn a_revocation_does_not_restart_the_delay_of_a_close() {
    let (mut world, grant, id) = granted();
    let request = IChannels::requestCloseCall { channelId: id };
    world.call(world.payers[0], CHANNELS, request).unwrap();
    world.wait(HOUR - 1);
    revoke(&mut world, &grant).unwrap();
    world.wait(1);
    world.call(world.stranger, CHANNELS, IChannels::closeCall { channelId: id }).unwrap();
}

#[test]
fn a_grant_ends_with_an_hour_of_grace_for_claims_only() {
    let (mut world, grant, id) = granted();
    world.wait(10 * DAY);
    assert!(world.open_grant(&grant, COIN).is_ok());
    world.wait(1);
    let refused: Failure =
        IChannels::Expired { validUntil: grant.validUntil, timestamp: world.now() }.into();
    assert_eq!(world.open_grant(&grant, COIN), Err(refused));
    world.wait(HOUR - 1);
    charge(&mut world, id, COIN).unwrap();
    world.wait(1);
    let refused = IChannels::Expired { validUntil: grant.validUntil, timestamp: world.now() };
    assert_eq!(charge(&mut world, id, 2 * COIN), Err(refused.into()));
}

#[test]
fn a_closing_or_closed_grant_takes_no_top_up() {
    let (mut world, grant, id) = granted();
    let request = IChannels::requestCloseCall { channelId: id };
    world.call(world.payers[0], CHANNELS, request).unwrap();
    let closable_at = world.now() + HOUR;
    let refused = IChannels::ChannelClosing { channelId: id, closableAt: closable_at };
    assert_eq!(world.open_grant(&grant, COIN), Err(refused.into()));
    world.call(world.gateways[1], CHANNELS, IChannels::closeCall { channelId: id }).unwrap();
    let refused = IChannels::ChannelClosed { channelId: id };
    assert_eq!(world.open_grant(&grant, COIN), Err(refused.into()));
    assert_eq!(world.free(world.payers[0]), 100 * COIN);
}

#[test]
fn only_a_bonded_gateway_asserts_charges() {
    let (mut world, _, id) = granted();
    let gateway = world.gateways[1];
    world.call(gateway, WORKERS, IWorkers::leaveCall {}).unwrap();
    world.wait(DAY - 1);
    charge(&mut world, id, COIN).unwrap();
    world.wait(1);
    let refused = IChannels::GatewayNotBonded { gateway: gateway.address };
    assert_eq!(charge(&mut world, id, 2 * COIN), Err(refused.into()));
}
