//! Fetching a state over the network that consensus uses, before there is a ledger.
//!
//! It runs on a thread and a runtime of its own, and ends with the whole state in the directory; the
//! node then starts as after any restart. What peers send for consensus meanwhile is let fall.

use std::{net::TcpListener, thread};

use commonware_p2p::authenticated::lookup::Network;
use commonware_runtime::{Handle, Runner as _, Spawner as _, Supervisor as _, tokio as runtime};
use sahara_finality::ChainIdentity;
use tokio::sync::{oneshot, watch};
use tracing::info;

use super::{
    engine::CHANNELS,
    gossip,
    handle::vanished,
    network::{QUOTAS, most_peers},
    node::{ConsensusConfig, ConsensusError, Node, STOP_PATIENCE, message},
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
    stop: Option<oneshot::Sender<()>>,
    ended: oneshot::Receiver<Result<bool, ConsensusError>>,
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
        (&mut self.ended).await.unwrap_or_else(|_| Err(vanished()))
    }

    /// Asks it to stop and waits. A state that became whole meanwhile is on disk.
    ///
    /// # Errors
    /// If it failed before.
    pub async fn stop(mut self) -> Result<bool, ConsensusError> {
        if let Some(stop) = self.stop.take() {
            // It may have ended already; the outcome says so.
            let _was_running = stop.send(()).is_ok();
        }
        self.ended().await
    }
}

/// Fetches a state on its own thread.
///
/// # Errors
/// When the address cannot be had. What goes wrong later, [`JoinHandle::ended`] tells.
pub fn join(config: ConsensusConfig, source: StateSource) -> Result<JoinHandle, ConsensusError> {
    // The library would panic on a taken port, after the thread is on its way.
    let probe = TcpListener::bind(config.listen);
    drop(probe.map_err(|source| ConsensusError::Listen { address: config.listen, source })?);
    std::fs::create_dir_all(&config.storage_directory).map_err(ConsensusError::Start)?;
    let seats = source.trust.validators().map_or(0, sahara_finality::ValidatorSet::len);
    let most_peers = most_peers(seats, &config);
    let node = Node { config, chain: source.chain, most_peers, guard: None };
    let (stop, stopped) = oneshot::channel();
    let (ending, ended) = oneshot::channel();
    let (progress_sender, progress) = watch::channel(Progress::default());
    thread::Builder::new()
        .name("state sync".into())
        .spawn(move || {
            let work =
                std::panic::AssertUnwindSafe(|| run(&node, source, (stopped, progress_sender)));
            let outcome = std::panic::catch_unwind(work)
                .unwrap_or_else(|panic| Err(ConsensusError::Panicked(message(&*panic))));
            // Nobody may be listening any more.
            let _heard = ending.send(outcome).is_ok();
        })
        .map_err(ConsensusError::Start)?;
    Ok(JoinHandle { stop: Some(stop), ended, progress })
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
