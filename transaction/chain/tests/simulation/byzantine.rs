//! One of four validators lies, in the ways the consensus library knows: the others agree on one
//! chain, go on, and accuse nobody else.

use std::{sync::Arc, time::Duration};

use alloy_primitives::B256;
use commonware_consensus::{
    simplex::mocks,
    types::{Epoch, ViewDelta},
};
use commonware_cryptography::Keccak256;
use commonware_glue::simulate::{engine::ChannelPair, plan::PlanResult};
use commonware_p2p::{simulated::Link, utils::mux::Muxer};
use commonware_runtime::{Handle, Supervisor as _, deterministic::Context};
use commonware_utils::probability;
use sahara_chain::consensus::{Evidence, Fault, Leaders};
use sahara_finality::{NetworkPublicKey, Scheme};

use crate::{
    ledger::Pool,
    simulated::{Network, assert_one_chain, plan, run, seeds},
};

/// Who lies in these tests.
const LIAR: usize = 2;

/// How a validator deviates.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deviation {
    /// It proposes one thing to one and another to the others.
    Equivocates,
    /// It votes for what it is shown and for something else.
    Conflicts,
    /// It votes to skip a view and to finalize it.
    Nullifies,
    /// It votes again for what is long past.
    IsOutdated,
}

/// Starts the library's actor in place of a validator, in epoch 0.
pub(crate) async fn deviate(
    deviation: Deviation,
    context: &Context,
    scheme: Scheme,
    channels: Vec<ChannelPair<NetworkPublicKey>>,
) -> Handle<()> {
    let mut channels = channels.into_iter();
    let context = context.child("deviator");
    let mut divided = Vec::new();
    for (sender, receiver) in channels.by_ref().take(2) {
        let (mux, mut epochs) = Muxer::new(context.child("mux"), sender, receiver);
        mux.start();
        divided.push(epochs.register(0).await.unwrap());
    }
    let [votes, certificates] = <[_; 2]>::try_from(divided).ok().unwrap();
    match deviation {
        Deviation::Equivocates => {
            let config = mocks::equivocator::Config {
                scheme,
                // The genesis block of these tests has no randomness.
                elector: Leaders { seed: B256::ZERO },
                epoch: Epoch::zero(),
                relay: Arc::new(mocks::relay::Relay::new()),
            };
            mocks::equivocator::Equivocator::<_, _, _, Keccak256>::new(context, config)
                .start(votes, certificates)
        }
        Deviation::Conflicts => {
            let config = mocks::conflicter::Config { scheme };
            mocks::conflicter::Conflicter::<_, _, Keccak256>::new(context, config).start(votes)
        }
        Deviation::Nullifies => {
            let config = mocks::nuller::Config { scheme };
            mocks::nuller::Nuller::<_, _, Keccak256>::new(context, config).start(votes)
        }
        Deviation::IsOutdated => {
            let config = mocks::outdated::Config { scheme, view_delta: ViewDelta::new(3) };
            mocks::outdated::Outdated::<_, _, Keccak256>::new(context, config).start(votes)
        }
    }
}

/// Runs a network with a liar, and returns it with what the honest ones hold against anybody.
fn outcome(deviation: Deviation, seed: u64) -> (PlanResult<Network>, Vec<Evidence>) {
    let mut network = Network::new(4, &Pool::with(20));
    network.deviator = Some((LIAR, deviation));
    // Uneven links, so that votes arrive in many orders.
    let link = Link {
        latency: Duration::from_millis(20),
        jitter: Duration::from_millis(15),
        success_rate: probability!(0.98),
    };
    let result = run(plan(&network, 12).seed(seed).link(link));
    assert_one_chain(&network);
    let ledgers = network.ledgers.lock();
    let evidence = ledgers.iter().flat_map(|one| one.disk.lock().evidence.clone()).collect();
    (result, evidence)
}

/// Safety and liveness under a deviation, and evidence against the liar alone.
fn survive(deviation: Deviation) -> Vec<Evidence> {
    let mut all = Vec::new();
    for seed in seeds(11, 2) {
        let (_, evidence) = outcome(deviation, seed);
        all.extend(evidence);
    }
    let liar = u32::try_from(LIAR).unwrap();
    assert!(all.iter().all(|one| one.signer == liar), "an honest validator is accused: {all:?}");
    all
}

#[test]
fn i7_an_equivocating_leader_makes_no_fork() {
    survive(Deviation::Equivocates);
}

#[test]
fn i7_i11_conflicting_votes_make_no_fork_and_are_proven() {
    let evidence = survive(Deviation::Conflicts);
    let faults: Vec<Fault> = evidence.iter().map(|one| one.fault).collect();
    assert!(faults.contains(&Fault::ConflictingNotarize), "{faults:?}");
}

#[test]
fn i7_i11_votes_to_skip_and_to_finalize_make_no_fork_and_are_proven() {
    let evidence = survive(Deviation::Nullifies);
    assert!(evidence.iter().any(|one| one.fault == Fault::NullifyFinalize), "{evidence:?}");
}

#[test]
fn i7_outdated_votes_make_no_fork() {
    survive(Deviation::IsOutdated);
}

#[test]
fn the_same_seed_gives_the_same_run_with_a_liar() {
    let [first, again, other] = [5, 5, 6].map(|seed| outcome(Deviation::Conflicts, seed));
    assert_eq!((first.0.state, first.1), (again.0.state.clone(), again.1));
    assert_ne!(again.0.state, other.0.state);
}
