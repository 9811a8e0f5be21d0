//! One of four validators lies, in the ways the consensus library knows: the others agree on one
//! chain, go on, and accuse nobody else.
//!
//! A liar that nobody hears would pass for a crashed node. So each test says what the others took from the
//! network of it, on the subchannel where their engines listen, and who of them blocked it for that.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::B256;
use commonware_consensus::{
    Epochable as _, Viewable as _,
    simplex::{
        mocks,
        types::{Attributable as _, Vote},
    },
    types::{Epoch, ViewDelta},
};
use commonware_cryptography::{Keccak256, keccak256::Digest};
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
/// Who does not.
const HONEST: [usize; 3] = [0, 1, 3];
/// By how many views outdated votes are late.
const LATE: u64 = 3;

/// How a validator deviates.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Deviation {
    /// It proposes one thing to one and another to the others. The library's actor hands both blocks to a
    /// relay of its own and to nobody else: what the others get is two hashes, of which none is ever found.
    /// Two blocks that everybody gets are those of a validator that runs twice (`twins`).
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
            let config = mocks::outdated::Config { scheme, view_delta: ViewDelta::new(LATE) };
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

/// What came of a network with a liar.
struct Outcome {
    result: PlanResult<Network>,
    /// What the honest ones hold against anybody.
    evidence: Vec<Evidence>,
    /// The liar's votes, each with who took it from the network; never none.
    votes: Vec<(usize, Vote<Scheme, Digest>)>,
    /// Who has blocked the liar.
    deaf: BTreeSet<usize>,
}

impl Outcome {
    /// Each heard what shows the lie, and hears no more of the liar.
    fn assert_blocked_by_all(&self) {
        assert_eq!(self.deaf, BTreeSet::from(HONEST), "not all block it");
    }

    /// What proves nothing: a signature that does not hold, or votes that do not contradict each other.
    fn assert_nobody_is_accused(&self) {
        assert!(self.evidence.is_empty(), "{:?}", self.evidence);
    }
}

fn outcome(deviation: Deviation, seed: u64) -> Outcome {
    let network = Network::new(4, &Pool::with(20));
    outcome_of(network, (deviation, 0), seed)
}

/// As [`outcome`], with a network and an epoch in which the liar lies.
fn outcome_of(mut network: Network, (deviation, epoch): (Deviation, u64), seed: u64) -> Outcome {
    network.deviator = Some(Deviator { index: LIAR, deviation, epoch });
    network.listens_to = Some(LIAR);
    // Uneven links, so that votes arrive in many orders.
    let link = Link {
        latency: Duration::from_millis(20),
        jitter: Duration::from_millis(15),
        success_rate: probability!(0.98),
    };
    let result = run(plan(&network, 12).seed(seed).link(link));
    assert_one_chain(&network);
    let votes = network.heard_votes(epoch);
    assert!(!votes.is_empty(), "nobody heard the liar, seed {seed}");
    let ledgers = network.ledgers.lock();
    let evidence: Vec<_> =
        ledgers.iter().flat_map(|one| one.disk.lock().evidence.clone()).collect();
    assert_only_the_liar_is_accused(&evidence);
    let blocked = network.blocked.lock().clone();
    let liar = network.key(LIAR);
    assert!(blocked.iter().all(|(_, key)| *key == liar), "an honest validator is blocked");
    let deaf = blocked.into_iter().map(|(by, _)| by).collect();
    Outcome { result, evidence, votes, deaf }
}

fn assert_only_the_liar_is_accused(all: &[Evidence]) {
    let liar = u32::try_from(LIAR).unwrap();
    assert!(all.iter().all(|one| one.signer == liar), "an honest validator is accused: {all:?}");
}

/// Safety and liveness under a deviation, and what else came of it.
fn survive(deviation: Deviation, count: u64) -> Vec<Outcome> {
    seeds(11, count).map(|seed| outcome(deviation, seed)).collect()
}

/// In whose name a vote is.
fn signer(vote: &Vote<Scheme, Digest>) -> usize {
    usize::from(match vote {
        Vote::Notarize(vote) => vote.signer(),
        Vote::Nullify(vote) => vote.signer(),
        Vote::Finalize(vote) => vote.signer(),
    })
}

/// Nobody has both proposals of a view, so nobody can prove it.
#[test]
fn i7_an_equivocating_leader_makes_no_fork() {
    for outcome in survive(Deviation::Equivocates, 2) {
        let mut proposals = BTreeMap::<_, BTreeSet<_>>::new();
        for (_, vote) in &outcome.votes {
            let Vote::Notarize(vote) = vote else { panic!("{vote:?}") };
            proposals.entry(vote.view()).or_default().insert(vote.proposal.payload);
        }
        assert!(proposals.values().any(|one| one.len() == 2), "no view has two: {proposals:?}");
        outcome.assert_nobody_is_accused();
        assert!(outcome.deaf.is_empty(), "{:?}", outcome.deaf);
    }
}

#[test]
fn i7_i11_conflicting_votes_make_no_fork_and_are_proven() {
    for outcome in survive(Deviation::Conflicts, 2) {
        let faults: Vec<Fault> = outcome.evidence.iter().map(|one| one.fault).collect();
        assert!(faults.contains(&Fault::ConflictingNotarize), "{faults:?}");
        outcome.assert_blocked_by_all();
    }
}

#[test]
fn i7_i11_votes_to_skip_and_to_finalize_make_no_fork_and_are_proven() {
    for outcome in survive(Deviation::Nullifies, 2) {
        let Outcome { evidence, .. } = &outcome;
        assert!(evidence.iter().any(|one| one.fault == Fault::NullifyFinalize), "{evidence:?}");
        outcome.assert_blocked_by_all();
    }
}

/// They say nothing that was not true once.
#[test]
fn i7_outdated_votes_make_no_fork() {
    for outcome in survive(Deviation::IsOutdated, 2) {
        let views: BTreeSet<_> = outcome.votes.iter().map(|(_, vote)| vote.view()).collect();
        assert!(views.len() > 1, "{views:?}");
        outcome.assert_nobody_is_accused();
        assert!(outcome.deaf.is_empty(), "{:?}", outcome.deaf);
    }
}

#[test]
fn i7_i11_votes_in_anothers_name_make_no_fork_and_accuse_nobody() {
    for outcome in survive(Deviation::Impersonates, 1) {
        assert!(outcome.votes.iter().all(|(_, vote)| signer(vote) != LIAR));
        outcome.assert_nobody_is_accused();
        outcome.assert_blocked_by_all();
    }
}

#[test]
fn i7_i8_votes_to_skip_every_view_make_no_fork_and_stop_nobody() {
    for outcome in survive(Deviation::NullifiesOnly, 1) {
        let is_skip = |(_, vote): &(usize, Vote<_, _>)| matches!(vote, Vote::Nullify(_));
        assert!(outcome.votes.iter().all(is_skip));
        let heard: BTreeSet<_> = outcome.votes.iter().map(|(by, _)| *by).collect();
        assert_eq!(heard, BTreeSet::from(HONEST));
        outcome.assert_nobody_is_accused();
        // It may say so.
        assert!(outcome.deaf.is_empty(), "{:?}", outcome.deaf);
    }
}

#[test]
fn i7_i11_votes_of_an_epoch_to_come_make_no_fork_and_accuse_nobody() {
    for outcome in survive(Deviation::Anticipates, 1) {
        assert!(outcome.votes.iter().all(|(_, vote)| vote.epoch() == Epoch::new(1)));
        outcome.assert_nobody_is_accused();
        outcome.assert_blocked_by_all();
    }
}

#[test]
fn i7_i11_lies_in_a_later_epoch_make_no_fork_and_are_proven() {
    for seed in seeds(11, 1) {
        let network = Network::with_epochs(4, &[0, 1, 2, 3], 5, &Pool::with(20));
        let Outcome { evidence, .. } = outcome_of(network, (Deviation::Conflicts, 1), seed);
        assert!(!evidence.is_empty(), "seed {seed}");
        assert!(evidence.iter().all(|one| one.epoch == 1), "seed {seed}: {evidence:?}");
    }
}

#[test]
fn the_same_seed_gives_the_same_run_with_a_liar() {
    let [first, again, other] = [5, 5, 6].map(|seed| outcome(Deviation::Conflicts, seed));
    assert_eq!((first.result.state, first.evidence), (again.result.state.clone(), again.evidence));
    assert_ne!(again.result.state, other.result.state);
}
