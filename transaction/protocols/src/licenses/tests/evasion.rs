//! Whoever tries to be away whenever uses are counted, against a gateway that serves only what final state
//! grants and claims within the notice.

use super::{
    metering::metered,
    town::{ask, can, license, send},
};
use crate::{
    channels::tests::world::{Actor, World},
    licenses::{self, METER_NOTICE, purpose::INFERENCE},
};
use alloy_primitives::{Address, U256};
use proptest::{prelude::*, strategy::ValueTree, test_runner::TestRunner};
use sahara_abi::ILicenses;
use std::collections::BTreeMap;

/// What may happen; two accounts work together, one of which holds the licence.
#[derive(Clone, Copy, Debug)]
enum Turn {
    Serve { who: usize },
    Claim,
    Meter { who: usize, is_allowed: bool },
    Seat { who: usize, is_taken: bool },
    Pass,
    Wait { seconds: u64 },
}

fn turns() -> impl Strategy<Value = Vec<Turn>> {
    let who = || 0..2_usize;
    let turn = prop_oneof![
        6 => who().prop_map(|who| Turn::Serve { who }),
        1 => Just(Turn::Claim),
        3 => (who(), any::<bool>()).prop_map(|(who, is_allowed)| Turn::Meter { who, is_allowed }),
        4 => (who(), any::<bool>()).prop_map(|(who, is_taken)| Turn::Seat { who, is_taken }),
        2 => Just(Turn::Pass),
        2 => prop_oneof![Just(1), Just(40_000), Just(u64::from(METER_NOTICE))]
            .prop_map(|seconds| Turn::Wait { seconds }),
    ];
    prop::collection::vec(turn, 20..80)
}

/// The gateway's desk, and who stands before it.
struct Desk {
    world: World,
    asset: u64,
    number: U256,
    gateway: Address,
    /// Who was served and when, and is not counted yet.
    pending: Vec<(Address, u64)>,
    served: u64,
    /// How often each turn did something.
    seen: BTreeMap<&'static str, u32>,
}

impl Desk {
    fn open() -> Self {
        let (mut world, id, asset, number) = metered();
        let gateway = world.channel(id).unwrap().gateway;
        Self { world, asset, number, gateway, pending: vec![], served: 0, seen: BTreeMap::new() }
    }

    /// Who holds the licence, and the other.
    fn holder(&mut self) -> [Actor; 2] {
        let [one, other] = self.world.payers;
        let holder = license(&mut self.world, self.number).holder;
        if holder == one.address { [one, other] } else { [other, one] }
    }

    fn turn(&mut self, turn: Turn) {
        let [holder, other] = self.holder();
        let (name, is_done) = match turn {
            Turn::Serve { who } => ("serve", self.serve(self.world.payers[who].address)),
            Turn::Claim => ("claim", self.claim()),
            Turn::Meter { who, is_allowed } => {
                let (who, meter) = (self.world.payers[who], self.gateway);
                let call = ILicenses::setMeterCall { meter, isAllowed: is_allowed };
                ("meter", send(&mut self.world, who, call).is_ok())
            }
            Turn::Seat { who, is_taken } => {
                let (license, account) = (self.number, self.world.payers[who].address);
                if is_taken {
                    let call = ILicenses::assignSeatCall { license, account };
                    ("assign", send(&mut self.world, holder, call).is_ok())
                } else {
                    let call = ILicenses::freeSeatCall { license, account };
                    ("free", send(&mut self.world, holder, call).is_ok())
                }
            }
            Turn::Pass => {
                let (from, to, token) = (holder.address, other.address, self.number);
                let call = ILicenses::transferFromCall { from, to, tokenId: token };
                ("pass", send(&mut self.world, holder, call).is_ok())
            }
            Turn::Wait { seconds } => {
                let now = self.world.now();
                let is_late = |(_, at): &(_, u64)| now + seconds >= at + u64::from(METER_NOTICE);
                if self.pending.first().is_some_and(is_late) {
                    self.claim();
                }
                self.world.wait(seconds);
                ("wait", true)
            }
        };
        *self.seen.entry(name).or_default() += u32::from(is_done);
    }

    /// As a gateway decides: a right, a holder who named it, and uses that are left.
    fn serve(&mut self, account: Address) -> bool {
        let (anyone, shown) = (self.world.stranger, license(&mut self.world, self.number));
        let call = ILicenses::isMeterCall { holder: shown.holder, meter: self.gateway };
        let is_meter = ask(&mut self.world, anyone, call).unwrap();
        let right = can(&mut self.world, account, self.asset, INFERENCE);
        let left = shown.useLimit - shown.uses;
        let waiting = u64::try_from(self.pending.len()).unwrap();
        let is_served = is_meter && right == Ok(self.number.to()) && waiting < left;
        if is_served {
            self.pending.push((account, self.world.now()));
            self.served += 1;
        }
        is_served
    }

    /// Everything that was served is counted.
    fn claim(&mut self) -> bool {
        let pending = std::mem::take(&mut self.pending);
        for (account, _) in &pending {
            let (state, used) = (&mut self.world.state, (self.number, *account));
            licenses::count_served(state, self.gateway, used, 1).unwrap();
        }
        assert_eq!(license(&mut self.world, self.number).uses, self.served);
        !pending.is_empty()
    }
}

fn play(turns: Vec<Turn>) -> Desk {
    let mut desk = Desk::open();
    turns.into_iter().for_each(|turn| desk.turn(turn));
    desk.claim();
    desk
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i9_whoever_evades_the_count_is_served_what_was_bought_and_no_more(turns in turns()) {
        let mut desk = play(turns);
        let bought = license(&mut desk.world, desk.number).useLimit;
        prop_assert!(desk.served <= bought);
    }
}

#[test]
fn evaders_try_everything() {
    let mut runner = TestRunner::deterministic();
    let mut seen: BTreeMap<&str, u32> = BTreeMap::new();
    for _ in 0..40 {
        let desk = play(turns().new_tree(&mut runner).unwrap().current());
        for (name, times) in desk.seen {
            *seen.entry(name).or_default() += times;
        }
    }
    for name in ["serve", "claim", "meter", "assign", "free", "pass", "wait"] {
        assert!(seen.get(name).is_some_and(|times| *times > 5), "{name}: {seen:?}");
    }
}
