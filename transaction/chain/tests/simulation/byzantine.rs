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
    /// It votes in another's name.
    Impersonates,
    /// It votes to skip every view.
    NullifiesOnly,
    /// It votes as if in the epoch that follows.
    Anticipates,
}

/// A validator that does not keep to the protocol.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Deviator {
    /// Its place among the nodes.
    pub(crate) index: usize,
    /// What it does.
    pub(crate) deviation: Deviation,
    /// When. In others it is silent.
    pub(crate) epoch: u64,
}

/// Starts the library's actor in place of a validator.
pub(crate) async fn deviate(
    Deviator { deviation, epoch, .. }: Deviator,
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
        divided.push(epochs.register(epoch).await.unwrap());
    }
    let [votes, certificates] = <[_; 2]>::try_from(divided).ok().unwrap();
    match deviation {
        Deviation::Equivocates => {
            let config = mocks::equivocator::Config {
                scheme,
                // The genesis block of these tests has no randomness; it equivocates in epoch 0.
                elector: Leaders { seed: B256::ZERO },
                epoch: Epoch::new(epoch),
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
        Deviation::Impersonates => {
            let config = mocks::impersonator::Config { scheme };
            mocks::impersonator::Impersonator::<_, _, Keccak256>::new(context, config).start(votes)
        }
        Deviation::NullifiesOnly => {
            let config = mocks::nullify_only::Config { scheme };
            mocks::nullify_only::NullifyOnly::<_, _, Keccak256>::new(context, config).start(votes)
        }
        Deviation::Anticipates => {
            let config = mocks::reconfigurer::Config { scheme };
            mocks::reconfigurer::Reconfigurer::<_, _, Keccak256>::new(context, config).start(votes)
        }
    }
}

/// Runs a network with a liar, and returns it with what the honest ones hold against anybody.
fn outcome(deviation: Deviation, seed: u64) -> (PlanResult<Network>, Vec<Evidence>) {
    let network = Network::new(4, &Pool::with(20));
    outcome_of(network, (deviation, 0), seed)
}

/// As [`outcome`], with a network and an epoch in which the liar lies.
fn outcome_of(
    mut network: Network,
    (deviation, epoch): (Deviation, u64),
    seed: u64,
) -> (PlanResult<Network>, Vec<Evidence>) {
    network.deviator = Some(Deviator { index: LIAR, deviation, epoch });
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
    assert_only_the_liar_is_accused(&all);
    all
}

fn assert_only_the_liar_is_accused(all: &[Evidence]) {
    let liar = u32::try_from(LIAR).unwrap();
    assert!(all.iter().all(|one| one.signer == liar), "an honest validator is accused: {all:?}");
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

/// What proves nothing: a signature that does not hold, or votes that do not contradict each other.
fn accuse_nobody(deviation: Deviation) {
    for seed in seeds(11, 1) {
        let (_, evidence) = outcome(deviation, seed);
        assert!(evidence.is_empty(), "seed {seed}: {evidence:?}");
    }
}

#[test]
fn i7_i11_votes_in_anothers_name_make_no_fork_and_accuse_nobody() {
    accuse_nobody(Deviation::Impersonates);
}

#[test]
fn i7_i8_votes_to_skip_every_view_make_no_fork_and_stop_nobody() {
    accuse_nobody(Deviation::NullifiesOnly);
}

#[test]
fn i7_i11_votes_of_an_epoch_to_come_make_no_fork_and_accuse_nobody() {
    accuse_nobody(Deviation::Anticipates);
}

#[test]
fn i7_i11_lies_in_a_later_epoch_make_no_fork_and_are_proven() {
    for seed in seeds(11, 1) {
        let network = Network::with_epochs(4, &[0, 1, 2, 3], 5, &Pool::with(20));
        let (_, evidence) = outcome_of(network, (Deviation::Conflicts, 1), seed);
        assert_only_the_liar_is_accused(&evidence);
        assert!(!evidence.is_empty(), "seed {seed}");
        assert!(evidence.iter().all(|one| one.epoch == 1), "seed {seed}: {evidence:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run_with_a_liar() {
    let [first, again, other] = [5, 5, 6].map(|seed| outcome(Deviation::Conflicts, seed));
    assert_eq!((first.0.state, first.1), (again.0.state.clone(), again.1));
    assert_ne!(again.0.state, other.0.state);
}
