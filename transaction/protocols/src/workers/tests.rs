//! Behaviours, one sentence each; the invariants by number over random calls against a naive model.

use super::{MAX_ENDPOINT_BYTES, MAX_PRICE, MINIMUM_BOND, NOTICE_SECONDS};
use crate::Failure;
use crate::channels::tests::world::{Actor, COIN, World};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolCall;
use proptest::prelude::*;
use sahara_abi::{IWorkers, WORKERS};
use sahara_primitives::{Amount, Bill, FeeRates, Prices, Usage};
use std::collections::{BTreeMap, BTreeSet};

const BOND: u128 = 1_000 * COIN;

fn send<C: SolCall>(world: &mut World, from: Actor, call: C) -> Result<(), Failure> {
    world.call(from, WORKERS, call).map(drop)
}

fn register_worker(world: &mut World, from: Actor, bond: u128) -> Result<(), Failure> {
    let call = IWorkers::registerWorkerCall { endpoint: "http://worker".into() };
    world.pay(from, WORKERS, bond, call).map(drop)
}

fn register_gateway(world: &mut World, from: Actor, bond: u128, fee: u16) -> Result<(), Failure> {
    let call = IWorkers::registerGatewayCall { endpoint: "http://gateway".into(), fee };
    world.pay(from, WORKERS, bond, call).map(drop)
}

fn list(world: &mut World, asset: u64) -> Vec<Address> {
    let call = IWorkers::workersOfCall { asset, start: U256::ZERO, count: U256::MAX };
    let page = world.call(world.stranger, WORKERS, call).unwrap();
    assert_eq!(U256::from(page.workers.len()), page.total);
    page.workers
}

fn worker(world: &mut World, account: Address) -> IWorkers::Worker {
    world.call(world.stranger, WORKERS, IWorkers::workerCall { account }).unwrap()
}

fn gateway(world: &mut World, account: Address) -> IWorkers::Gateway {
    world.call(world.stranger, WORKERS, IWorkers::gatewayCall { account }).unwrap()
}

#[test]
fn the_least_bond_is_a_thousand_coins() {
    assert_eq!(MINIMUM_BOND, Amount::from_coins(1_000));
    let mut world = World::new();
    let someone = world.stranger;
    let refused: Failure =
        IWorkers::BondTooSmall { bond: U256::from(BOND - 1), least: MINIMUM_BOND.base_units() }
            .into();
    assert_eq!(register_worker(&mut world, someone, BOND - 1), Err(refused.clone()));
    assert_eq!(register_gateway(&mut world, someone, BOND - 1, 0), Err(refused));
    register_worker(&mut world, someone, BOND + 1).unwrap();
    assert_eq!(worker(&mut world, someone.address).bond, U256::from(BOND + 1));
}

#[test]
fn an_account_has_each_role_once() {
    let mut world = World::new();
    let someone = world.stranger;
    register_worker(&mut world, someone, BOND).unwrap();
    register_gateway(&mut world, someone, 2 * BOND, 100).unwrap();
    let refused: Failure = IWorkers::AlreadyRegistered { account: someone.address }.into();
    assert_eq!(register_worker(&mut world, someone, BOND), Err(refused.clone()));
    assert_eq!(register_gateway(&mut world, someone, BOND, 100), Err(refused));
    assert_eq!(gateway(&mut world, someone.address).fee, 100);
    assert_eq!(world.balance(someone.address), 7_000 * COIN);
}

#[test]
fn a_gateways_fee_is_at_most_five_percent() {
    let mut world = World::new();
    let someone = world.stranger;
    for fee in [501, 10_000, 10_001, u16::MAX] {
        let refused = IWorkers::GatewayFeeTooHigh { fee, most: 500 };
        assert_eq!(register_gateway(&mut world, someone, BOND, fee), Err(refused.into()));
    }
    register_gateway(&mut world, someone, BOND, 500).unwrap();
}

#[test]
fn an_endpoint_has_at_most_256_bytes() {
    let mut world = World::new();
    let someone = world.stranger;
    let long = "x".repeat(MAX_ENDPOINT_BYTES + 1);
    let refused: Failure =
        IWorkers::EndpointTooLong { bytes_: U256::from(257), most: U256::from(256) }.into();
    let call = IWorkers::registerWorkerCall { endpoint: long.clone() };
    assert_eq!(world.pay(someone, WORKERS, BOND, call).map(drop), Err(refused.clone()));
    let call = IWorkers::registerGatewayCall { endpoint: long.clone(), fee: 0 };
    assert_eq!(world.pay(someone, WORKERS, BOND, call).map(drop), Err(refused));
    let call = IWorkers::registerWorkerCall { endpoint: long[1..].into() };
    world.pay(someone, WORKERS, BOND, call).unwrap();
    assert_eq!(worker(&mut world, someone.address).endpoint, long[1..]);
}

#[test]
fn a_worker_serves_what_exists_at_a_price_that_fits() {
    let mut world = World::new();
    let (served, stranger) = (world.workers[0], world.stranger);
    let serve = |asset, price| IWorkers::serveCall { asset, inputPrice: 5, outputPrice: price };
    let refused: Failure = IWorkers::NotRegistered { account: stranger.address }.into();
    assert_eq!(send(&mut world, stranger, serve(1, 7)), Err(refused));
    for asset in [0, 4, u64::MAX] {
        let refused: Failure = IWorkers::UnknownServedAsset { asset }.into();
        assert_eq!(send(&mut world, served, serve(asset, 7)), Err(refused));
    }
    let price = MAX_PRICE.0 + 1;
    let refused: Failure = IWorkers::WorkerPriceTooHigh { price, most: MAX_PRICE.0 }.into();
    assert_eq!(send(&mut world, served, serve(1, price)), Err(refused));

    send(&mut world, served, serve(1, MAX_PRICE.0)).unwrap();
    let offer = IWorkers::offerCall { worker: served.address, asset: 1 };
    let shown = world.call(stranger, WORKERS, offer).unwrap();
    assert_eq!((shown.inputPrice, shown.outputPrice, shown.isServed), (5, MAX_PRICE.0, true));
    assert_eq!(list(&mut world, 1), world.workers.map(|worker| worker.address));
}

#[test]
fn the_dearest_answer_fits_a_channels_deposit() {
    let prices = Prices { input: MAX_PRICE, output: MAX_PRICE };
    let usage = Usage { prompt_tokens: u32::MAX, completion_tokens: u32::MAX };
    let part = prices.charge(usage).unwrap();
    let most = crate::Parameters::MOST;
    let rates = FeeRates { protocol: most.protocol_fee, gateway: most.max_gateway_fee };
    let total = Bill::new(rates, Amount::ZERO, part, part).unwrap().total().unwrap();
    assert!(total.base_units().bit_len() <= 96);
}

#[test]
fn the_list_is_read_page_by_page() {
    let mut world = World::new();
    let [first, second] = world.workers.map(|worker| worker.address);
    let mut page = |start: u64, count: u64| {
        let call = IWorkers::workersOfCall {
            asset: 1,
            start: U256::from(start),
            count: U256::from(count),
        };
        world.call(world.stranger, WORKERS, call).unwrap()
    };
    assert_eq!(page(0, 1).workers, [first]);
    assert_eq!(page(1, 5).workers, [second]);
    assert_eq!(page(2, 5).workers, Vec::<Address>::new());
    assert_eq!(page(u64::MAX, u64::MAX).total, U256::from(2));
}

#[test]
fn a_worker_that_was_moved_in_the_list_still_finds_its_place() {
    let mut world = World::new();
    let [first, second] = world.workers;
    send(&mut world, first, IWorkers::unserveCall { asset: 1 }).unwrap();
    assert_eq!(list(&mut world, 1), [second.address]);
    world.serve(first, 1).unwrap();
    send(&mut world, second, IWorkers::unserveCall { asset: 1 }).unwrap();
    assert_eq!(list(&mut world, 1), [first.address]);
    send(&mut world, first, IWorkers::unserveCall { asset: 1 }).unwrap();
    assert_eq!(list(&mut world, 1), Vec::<Address>::new());
}

#[test]
fn a_worker_leaves_after_its_last_asset() {
    let mut world = World::new();
    let leaving = world.workers[0];
    let refused: Failure = IWorkers::StillServing { worker: leaving.address, assets: 3 }.into();
    assert_eq!(send(&mut world, leaving, IWorkers::leaveCall {}), Err(refused));
    for asset in 1..=3 {
        send(&mut world, leaving, IWorkers::unserveCall { asset }).unwrap();
    }
    let refused: Failure = IWorkers::NotServed { worker: leaving.address, asset: 1 }.into();
    assert_eq!(send(&mut world, leaving, IWorkers::unserveCall { asset: 1 }), Err(refused));
    send(&mut world, leaving, IWorkers::leaveCall {}).unwrap();
    let leaving_at = world.now() + NOTICE_SECONDS;
    let refused: Failure =
        IWorkers::AccountLeaving { account: leaving.address, leavingAt: leaving_at }.into();
    assert_eq!(world.serve(leaving, 1), Err(refused.clone()));
    assert_eq!(send(&mut world, leaving, IWorkers::leaveCall {}), Err(refused));
}

#[test]
fn a_bond_returns_once_after_the_notice() {
    let mut world = World::new();
    let leaving = world.gateways[0];
    let withdraw = IWorkers::withdrawBondCall {};
    let locked = |until| -> Failure { IWorkers::BondLocked { until }.into() };
    assert_eq!(send(&mut world, leaving, withdraw.clone()), Err(locked(u64::MAX)));
    send(&mut world, leaving, IWorkers::leaveCall {}).unwrap();
    let until = world.now() + NOTICE_SECONDS;
    world.wait(NOTICE_SECONDS - 1);
    assert_eq!(send(&mut world, leaving, withdraw.clone()), Err(locked(until)));
    assert_eq!(
        register_gateway(&mut world, leaving, BOND, 0),
        Err(IWorkers::AlreadyRegistered { account: leaving.address }.into())
    );
    world.wait(1);
    send(&mut world, leaving, withdraw.clone()).unwrap();
    assert_eq!(world.balance(leaving.address), 10_000 * COIN);
    let refused: Failure = IWorkers::NotRegistered { account: leaving.address }.into();
    assert_eq!(send(&mut world, leaving, withdraw), Err(refused.clone()));
    assert_eq!(send(&mut world, leaving, IWorkers::leaveCall {}), Err(refused));
    assert_eq!(gateway(&mut world, leaving.address).endpoint, "");
    register_gateway(&mut world, leaving, BOND, 500).unwrap();
    assert_eq!(gateway(&mut world, leaving.address).leavingAt, 0);
}

#[test]
fn each_role_has_its_own_notice() {
    let mut world = World::new();
    let both = world.stranger;
    register_worker(&mut world, both, BOND).unwrap();
    send(&mut world, both, IWorkers::leaveCall {}).unwrap();
    world.wait(10);
    register_gateway(&mut world, both, 2 * BOND, 0).unwrap();
    send(&mut world, both, IWorkers::leaveCall {}).unwrap();
    world.wait(NOTICE_SECONDS - 10);
    send(&mut world, both, IWorkers::withdrawBondCall {}).unwrap();
    assert_eq!(world.balance(both.address), 8_000 * COIN);
    let locked: Failure = IWorkers::BondLocked { until: world.now() + 10 }.into();
    assert_eq!(send(&mut world, both, IWorkers::withdrawBondCall {}), Err(locked));
    world.wait(10);
    send(&mut world, both, IWorkers::withdrawBondCall {}).unwrap();
    assert_eq!(world.balance(both.address), 10_000 * COIN);
}

/// One thing that one of three accounts tries.
#[derive(Clone, Debug)]
enum Step {
    RegisterWorker(usize, u128),
    RegisterGateway(usize, u128),
    Serve(usize, u64),
    Unserve(usize, u64),
    Leave(usize),
    WithdrawBond(usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let who = || 0usize..3;
    let bond = || prop_oneof![1 => Just(BOND - 1), 4 => BOND..3 * BOND];
    let step = prop_oneof![
        2 => (who(), bond()).prop_map(|(who, bond)| Step::RegisterWorker(who, bond)),
        2 => (who(), bond()).prop_map(|(who, bond)| Step::RegisterGateway(who, bond)),
        6 => (who(), 1u64..=4).prop_map(|(who, asset)| Step::Serve(who, asset)),
        5 => (who(), 1u64..=3).prop_map(|(who, asset)| Step::Unserve(who, asset)),
        2 => who().prop_map(Step::Leave),
        2 => who().prop_map(Step::WithdrawBond),
        2 => prop_oneof![Just(1), Just(NOTICE_SECONDS / 2), Just(NOTICE_SECONDS)]
            .prop_map(Step::Wait),
    ];
    proptest::collection::vec(step, 10..60)
}

/// The registry as a child would keep it: per account and role, bond and end of notice.
struct Play {
    world: World,
    accounts: [Actor; 3],
    roles: BTreeMap<(usize, bool), (u128, Option<u64>)>,
    served: BTreeSet<(u64, usize)>,
    wallets: [u128; 3],
}

impl Play {
    fn of(steps: &[Step]) -> Self {
        let world = World::new();
        let accounts = [21, 22, 23].map(Actor::new);
        let wallets = [5 * BOND; 3];
        let mut play =
            Self { world, accounts, roles: BTreeMap::new(), served: BTreeSet::new(), wallets };
        for account in accounts {
            play.world.state.fund(account.address, Amount::from_u128(5 * BOND));
        }
        let registrations = (0..3).map(|who| Step::RegisterWorker(who, BOND));
        for step in registrations.collect::<Vec<_>>().iter().chain(steps) {
            play.play(step);
            play.compare(step);
        }
        play
    }

    fn play(&mut self, step: &Step) {
        let now = self.world.now();
        match *step {
            Step::RegisterWorker(who, bond) => {
                let result = register_worker(&mut self.world, self.accounts[who], bond);
                self.register((who, true), bond, result.is_ok());
            }
            Step::RegisterGateway(who, bond) => {
                let result = register_gateway(&mut self.world, self.accounts[who], bond, 0);
                self.register((who, false), bond, result.is_ok());
            }
            Step::Serve(who, asset) => {
                let expected = asset <= 3
                    && self.roles.get(&(who, true)).is_some_and(|(_, leaving)| leaving.is_none());
                let result = self.world.serve(self.accounts[who], asset);
                assert_eq!(result.is_ok(), expected, "{step:?}: {result:?}");
                if expected {
                    self.served.insert((asset, who));
                }
            }
            Step::Unserve(who, asset) => {
                let call = IWorkers::unserveCall { asset };
                let result = send(&mut self.world, self.accounts[who], call);
                assert_eq!(result.is_ok(), self.served.remove(&(asset, who)), "{step:?}");
            }
            Step::Leave(who) => {
                let serves = self.served.iter().any(|(_, server)| *server == who);
                let staying: Vec<_> = self
                    .roles
                    .iter_mut()
                    .filter(|((owner, _), (_, leaving))| *owner == who && leaving.is_none())
                    .collect();
                let expected = !serves && !staying.is_empty();
                let result = send(&mut self.world, self.accounts[who], IWorkers::leaveCall {});
                assert_eq!(result.is_ok(), expected, "{step:?}: {result:?}");
                for (_, (_, leaving)) in staying.into_iter().filter(|_| expected) {
                    *leaving = Some(now + NOTICE_SECONDS);
                }
            }
            Step::WithdrawBond(who) => self.withdraw_bond(who, now),
            Step::Wait(seconds) => self.world.wait(seconds),
        }
    }

    fn register(&mut self, role: (usize, bool), bond: u128, is_accepted: bool) {
        let expected =
            bond >= BOND && !self.roles.contains_key(&role) && self.wallets[role.0] >= bond;
        assert_eq!(is_accepted, expected);
        if expected {
            self.wallets[role.0] -= bond;
            self.roles.insert(role, (bond, None));
        }
    }

    fn withdraw_bond(&mut self, who: usize, now: u64) {
        let is_due = |leaving: &Option<u64>| leaving.is_some_and(|until| now >= until);
        let due: Vec<_> = [true, false]
            .map(|role| (who, role))
            .into_iter()
            .filter(|role| self.roles.get(role).is_some_and(|(_, leaving)| is_due(leaving)))
            .collect();
        let call = IWorkers::withdrawBondCall {};
        let result = send(&mut self.world, self.accounts[who], call);
        assert_eq!(result.is_ok(), !due.is_empty(), "{result:?}");
        for role in due {
            self.wallets[who] += self.roles.remove(&role).unwrap().0;
        }
    }

    fn compare(&mut self, step: &Step) {
        for who in 0..3 {
            let account = self.accounts[who].address;
            assert_eq!(self.world.balance(account), self.wallets[who], "after {step:?}");
            let role = |is_worker| self.roles.get(&(who, is_worker)).copied().unwrap_or_default();
            let (worker_role, gateway_role) = (role(true), role(false));
            let state = &mut self.world.state;
            let shown = super::worker(state, account).unwrap();
            let leaving = worker_role.1.unwrap_or_default();
            assert_eq!((shown.bond.to(), shown.leavingAt), (worker_role.0, leaving));
            let shown = super::gateway(state, account).unwrap();
            let leaving = gateway_role.1.unwrap_or_default();
            assert_eq!((shown.bond.to(), shown.leavingAt), (gateway_role.0, leaving));
        }
    }

    fn listed(&mut self, asset: u64) -> Vec<Address> {
        let old = self.world.workers.map(|worker| worker.address);
        let mut listed = list(&mut self.world, asset);
        listed.retain(|account| !old.contains(account));
        listed.sort();
        listed
    }
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 10,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn i1_the_balance_is_the_sum_of_bonds(steps in steps()) {
        let play = Play::of(&steps);
        let others = 5 * BOND;
        let bonds: u128 = play.roles.values().map(|(bond, _)| bond).sum();
        prop_assert_eq!(play.world.balance(WORKERS), others + bonds);
    }

    #[test]
    fn i2_i4_bonds_and_records_follow_their_accounts_own_calls(steps in steps()) {
        let play = Play::of(&steps);
        for (who, wallet) in play.wallets.iter().enumerate() {
            let bonds: u128 =
                play.roles.iter().filter(|((owner, _), _)| *owner == who).map(|(_, b)| b.0).sum();
            prop_assert_eq!(wallet + bonds, 5 * BOND);
        }
    }

    #[test]
    fn i3_an_assets_list_is_exactly_who_serves_it(steps in steps()) {
        let mut play = Play::of(&steps);
        for asset in 1..=3 {
            let mut expected: Vec<Address> = play
                .served
                .iter()
                .filter(|(served, _)| *served == asset)
                .map(|(_, who)| play.accounts[*who].address)
                .collect();
            expected.sort();
            prop_assert_eq!(play.listed(asset), expected);
        }
    }

    #[test]
    fn i5_who_leaves_serves_nothing(steps in steps()) {
        let mut play = Play::of(&steps);
        for who in 0..3 {
            let account = play.accounts[who].address;
            if worker(&mut play.world, account).leavingAt > 0 {
                for asset in 1..=3 {
                    prop_assert!(!play.listed(asset).contains(&account));
                }
            }
        }
    }
}
