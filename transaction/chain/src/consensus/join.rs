//! Fetching a state over the network that consensus uses, before there is a ledger.
//!
//! It runs on a thread and a runtime of its own, and ends with the whole state in the directory; the
//! node then starts as after any restart. What peers send for consensus meanwhile is let fall.

use commonware_p2p::authenticated::lookup::Network;
use commonware_runtime::{Handle, Runner as _, Spawner as _, Supervisor as _, tokio as runtime};
use sahara_finality::ChainIdentity;
use tokio::sync::{oneshot, watch};
use tracing::info;

use super::{
    engine::CHANNELS,
    gossip,
    network::{QUOTAS, most_peers},
    node::{ConsensusConfig, ConsensusError, Node, STOP_PATIENCE},
    thread::Thread,
};
use crate::{
    store::SyncStore,
    sync::{self, Join, JoinError, Progress, Trust},
};

/// What a state is fetched into, and what is known before.
#[derive(Debug)]
pub struct StateSource {
    /// The chain.
    pub chain: ChainIdentity,
    /// Knows block 0.
    pub trust: Trust,
    /// Takes the state.
    pub store: SyncStore,
}

/// A state being fetched. Dropping it asks to stop and does not wait; what is here stays.
#[derive(Debug)]
pub struct JoinHandle {
    thread: Thread<bool>,
    progress: watch::Receiver<Progress>,
}

impl JoinHandle {
    /// How far it is.
    #[must_use]
    pub fn progress(&self) -> watch::Receiver<Progress> {
        self.progress.clone()
    }

    /// Resolves when the state is whole and on disk, or when it was stopped before: then with false.
    ///
    /// # Errors
    /// Why it cannot go on.
    pub async fn ended(&mut self) -> Result<bool, ConsensusError> {
        self.thread.ended().await
    }

    /// Asks it to stop and waits. A state that became whole meanwhile is on disk.
    ///
    /// # Errors
    /// If it failed before.
    pub async fn stop(self) -> Result<bool, ConsensusError> {
        self.thread.stop().await
    }
}

/// Fetches a state on its own thread.
///
/// # Errors
/// When the address cannot be had. What goes wrong later, [`JoinHandle::ended`] tells.
pub fn join(config: ConsensusConfig, source: StateSource) -> Result<JoinHandle, ConsensusError> {
    config.prepare()?;
    let seats = source.trust.validators().map_or(0, sahara_finality::ValidatorSet::len);
    let most_peers = most_peers(seats, &config);
    let node = Node { config, chain: source.chain, most_peers, guard: None };
    let (progress_sender, progress) = watch::channel(Progress::default());
    let work = move |stopped| run(&node, source, (stopped, progress_sender));
    Ok(JoinHandle { thread: Thread::start("state sync", work)?, progress })
}

fn run(
    node: &Node,
    source: StateSource,
    (stopped, progress): (oneshot::Receiver<()>, watch::Sender<Progress>),
) -> Result<bool, ConsensusError> {
    let settings = runtime::Config::new()
        .with_storage_directory(&node.config.storage_directory)
        .with_worker_threads(node.config.worker_threads.get());
    runtime::Runner::new(settings).start(move |context| async move {
        let (mut network, oracle) = Network::new(context.child("network"), node.network());
        let idle = CHANNELS.into_iter().zip(QUOTAS).chain([(gossip::CHANNEL, gossip::QUOTA)]);
        for (channel, quota) in idle {
            let (_, receiver) = network.register(channel, quota);
            let _falling = let_fall(&context, receiver);
        }
        let channel = network.register(sync::CHANNEL, sync::QUOTA);
        let mut track = node.track(oracle.clone());
        let mut set = 0_u64;
        let track = Box::new(move |validators: &sahara_finality::ValidatorSet| {
            track(set, validators.as_slice(), &[]);
            set = set.saturating_add(1);
        });
        let running = network.start();
        let StateSource { trust, store, .. } = source;
        let clock = context.child("state");
        let job = Join::new((clock, oracle), channel, (store, trust), track)?;
        let relay = relay(job.progress(), progress);
        let outcome = tokio::select! {
            fetched = job.run() => fetched.map(|()| true),
            _ = stopped => Ok(false),
            () = relay => Err(JoinError::NoNetwork),
        };
        info!(is_whole = ?outcome.as_ref().ok(), "state sync ends");
        running.abort();
        // A part that does not end in time is aborted when the runtime ends.
        let _in_time = context.stop(0, Some(STOP_PATIENCE)).await.is_ok();
        Ok(outcome?)
    })
}

/// A peer that sends on a channel nobody has registered would be cut off.
fn let_fall(context: &runtime::Context, mut receiver: impl commonware_p2p::Receiver) -> Handle<()> {
    context.child("idle").spawn(move |_| async move { while receiver.recv().await.is_ok() {} })
}

/// Passes on how far it is, as long as the job runs.
async fn relay(mut from: watch::Receiver<Progress>, to: watch::Sender<Progress>) {
    loop {
        to.send_replace(*from.borrow_and_update());
        if from.changed().await.is_err() {
            std::future::pending::<()>().await;
        }
    }
}
