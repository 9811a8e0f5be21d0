//! One of four validators runs twice with one key, both times as honest as the others, as when a second
//! machine takes over while the first goes on: each half hears some of the others, and is heard by them.
//! The others agree on one chain, go on, and hold two votes for one view against it.

use std::{sync::Arc, time::Duration};

use commonware_glue::simulate::engine::InitContext;
use commonware_p2p::{
    Message,
    simulated::{Link, SplitTarget},
};
use commonware_runtime::{Handle, Supervisor as _};
use commonware_utils::probability;
use sahara_chain::consensus::{CHANNELS, Evidence, Fault, Ledger as _};
use sahara_finality::NetworkPublicKey;

use crate::{
    ledger::{MemoryLedger, Pool},
    simulated::{Network, Toward, Wires, assert_one_chain, plan, run, seeds},
};

/// Who runs twice in these tests.
const TWICE: usize = 2;
/// What asks for something and is answered. An answer has its question's number, and each half counts its own.
const QUESTIONS: [u64; 2] = [2, 3];
/// Proposals.
const BLOCKS: u64 = 4;

/// A validator that runs twice.
#[derive(Clone)]
pub(crate) struct Twins {
    /// Its place among the nodes.
    pub(crate) index: usize,
    parts: Parts,
    ledgers: [MemoryLedger; 2],
}

/// Who is connected with which half.
#[derive(Clone)]
struct Parts {
    first: NetworkPublicKey,
    both: NetworkPublicKey,
    second: NetworkPublicKey,
}

impl Parts {
    /// Whom either half reaches.
    fn reached(&self, channel: u64) -> [Vec<NetworkPublicKey>; 2] {
        let Self { first, both, second } = self.clone();
        if QUESTIONS.contains(&channel) {
            return [vec![first, both], vec![second]];
        }
        [vec![first, both.clone()], vec![both, second]]
    }

    /// Which half hears somebody. Proposals reach both, so that both have something to vote for.
    fn hears(&self, channel: u64, sender: &NetworkPublicKey) -> SplitTarget {
        if channel == BLOCKS {
            SplitTarget::Both
        } else if *sender == self.second {
            SplitTarget::Secondary
        } else if *sender == self.first || QUESTIONS.contains(&channel) {
            SplitTarget::Primary
        } else {
            SplitTarget::Both
        }
    }
}

impl Twins {
    /// Connected with others for each seed, and with more work of its own in each half than it ever does.
    fn of(network: &Network, seed: u64) -> Self {
        let mut others: Vec<_> = (0..4).filter(|place| *place != TWICE).collect();
        others.rotate_left(usize::try_from(seed % 3).unwrap());
        let key = |place: usize| network.key(others[place]);
        let length = network.ledgers.lock()[0].epoch_length();
        let ledgers = [1_000, 2_000].map(|number| {
            let pool = Arc::new(Pool::default());
            pool.add(number..number + 100);
            MemoryLedger::with_epochs(&network.validators, pool, length).powered_by(&network.power)
        });
        let parts = Parts { first: key(0), both: key(1), second: key(2) };
        Self { index: TWICE, parts, ledgers }
    }

    /// Starts both halves, which end with the simulation.
    pub(crate) fn start(
        &self,
        network: &Network,
        mut init: InitContext<'_, NetworkPublicKey>,
    ) -> Handle<()> {
        let mut halves = [Wires::new(), Wires::new()];
        let channels = std::mem::take(&mut init.channels);
        for (channel, (sender, receiver)) in CHANNELS.into_iter().zip(channels) {
            let parts = self.parts.clone();
            let heard = move |message: &Message<NetworkPublicKey>| parts.hears(channel, &message.0);
            let (first, second) = receiver.split_with(init.context.child("split"), heard);
            let reached = self.parts.reached(channel).into_iter().zip([first, second]);
            for (half, (some, receiver)) in halves.iter_mut().zip(reached) {
                half.push((Toward::only(some, sender.clone()), receiver));
            }
        }
        let [first, second] = halves;
        let start = |name: &'static str, ledger: &MemoryLedger, channels| {
            let stored = (ledger.clone(), format!("validator-{}-{name}", self.index));
            network.launch(&init, init.context.child(name), stored, channels)
        };
        let [one, other] = &self.ledgers;
        let _second = start("second", other, second);
        start("first", one, first)
    }

    /// What the halves took for final is what the others did.
    fn assert_on_the_chain(&self, network: &Network) {
        let chains = network.chains();
        let longest = chains.iter().max_by_key(|one| one.len()).unwrap();
        for half in &self.ledgers {
            let blocks = half.disk.lock().blocks.clone();
            let is_one = blocks.iter().zip(longest).all(|(ours, theirs)| ours == theirs);
            assert!(is_one, "i7: a half is on a fork");
        }
    }
}

#[test]
fn i7_i8_i11_a_validator_that_runs_twice_makes_no_fork_stops_nobody_and_is_proven() {
    // Uneven links, so that the halves hear of things in many orders.
    let link = Link {
        latency: Duration::from_millis(20),
        jitter: Duration::from_millis(15),
        success_rate: probability!(0.98),
    };
    let mut all = Vec::new();
    for seed in seeds(11, 2) {
        let mut network = Network::new(4, &Pool::with(20));
        let twins = Twins::of(&network, seed);
        network.twins = Some(twins.clone());
        run(plan(&network, 12).seed(seed).link(link.clone()));
        assert_one_chain(&network);
        twins.assert_on_the_chain(&network);
        let ledgers = network.ledgers.lock();
        all.extend(ledgers.iter().flat_map(|one| one.disk.lock().evidence.clone()));
    }
    let twice = u32::try_from(TWICE).unwrap();
    let is_against_it = |one: &Evidence| one.signer == twice && one.epoch == 0;
    assert!(all.iter().all(is_against_it), "somebody else is accused: {all:?}");
    assert!(all.iter().any(|one| one.fault == Fault::ConflictingNotarize), "{all:?}");
}
