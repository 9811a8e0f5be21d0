//! Validators as a node runs them: threads, files, sockets and the real clock.

use std::{
    net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream},
    num::{NonZeroU64, NonZeroUsize},
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use alloy_primitives::Address;
use bytes::Bytes;
use sahara_chain::consensus::{
    ConsensusConfig, ConsensusError, ConsensusHandle, GuardError, LostVotes, Timing,
    TransactionGossip, run, transaction_gossip,
};
use sahara_finality::{Block, MAX_TRANSACTION_BYTES, ValidatorKeys, ValidatorSet};
use tempfile::TempDir;

use crate::ledger::{MemoryLedger, Pool};

/// Nothing here takes this long; a test that would hang fails instead.
const PATIENCE: Duration = Duration::from_secs(60);

type Running = (ConsensusHandle, TransactionGossip);

struct Network {
    directory: TempDir,
    keys: Vec<ValidatorKeys>,
    addresses: Vec<SocketAddr>,
    ledgers: Vec<MemoryLedger>,
    /// How many validate in epoch 0; only they are in everybody's configuration.
    first: usize,
    heartbeat: Duration,
}

impl Network {
    fn new(count: u8, pool: &Arc<Pool>) -> Self {
        Self::with_epochs((count, usize::from(count)), 10_000, pool)
    }

    fn with_epochs((count, first): (u8, usize), length: u64, pool: &Arc<Pool>) -> Self {
        let keys: Vec<_> =
            (1..=count).map(|seed| ValidatorKeys::from_secret(&[seed; 32]).unwrap()).collect();
        let set = keys[..first].iter().map(|one| one.validator(Address::repeat_byte(9))).collect();
        let validators = ValidatorSet::new(set).unwrap();
        // Taken together, so that they differ.
        let listeners: Vec<_> =
            (0..count).map(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap()).collect();
        let addresses = listeners.iter().map(|one| one.local_addr().unwrap()).collect();
        let length = NonZeroU64::new(length).unwrap();
        let ledger = || MemoryLedger::with_epochs(&validators, Arc::clone(pool), length);
        let ledgers = (0..count).map(|_| ledger()).collect();
        let directory = TempDir::new().unwrap();
        let heartbeat = Timing::default().heartbeat;
        Self { directory, keys, addresses, ledgers, first, heartbeat }
    }

    /// For tests that wait for blocks without work.
    fn with_fast_heartbeats(self) -> Self {
        Self { heartbeat: Duration::from_millis(100), ..self }
    }

    /// A set with addresses.
    fn set(&self, members: std::ops::Range<usize>) -> ValidatorSet {
        let member = |index: usize| {
            let mut validator = self.keys[index].validator(Address::repeat_byte(9));
            validator.address = Some(self.addresses[index]);
            validator
        };
        ValidatorSet::new(members.map(member).collect()).unwrap()
    }

    fn config(&self, index: usize) -> ConsensusConfig {
        let peer = |(keys, address): (&ValidatorKeys, &SocketAddr)| {
            (keys.validator(Address::ZERO).network_key, *address)
        };
        ConsensusConfig {
            keys: self.keys[index].clone(),
            listen: self.addresses[index],
            peers: self.keys.iter().zip(&self.addresses).take(self.first).map(peer).collect(),
            allow_private_addresses: true,
            storage_directory: self.directory(index).into(),
            guard_file: self.guard_file(index),
            lost_votes: LostVotes::Refuse,
            timing: Timing { heartbeat: self.heartbeat, ..Timing::default() },
            worker_threads: NonZeroUsize::MIN,
        }
    }

    fn directory(&self, index: usize) -> impl AsRef<Path> + Into<std::path::PathBuf> {
        self.directory.path().join(index.to_string())
    }

    fn guard_file(&self, index: usize) -> PathBuf {
        self.directory.path().join(format!("{index}.guard"))
    }

    fn start(&self, index: usize) -> Running {
        let (node, wire) = transaction_gossip(1024);
        let ledger = self.ledgers[index].restarted();
        (run(self.config(index), ledger, wire).unwrap(), node)
    }

    fn start_all(&self) -> Vec<Running> {
        (0..self.keys.len()).map(|index| self.start(index)).collect()
    }
}

async fn reach(handle: &ConsensusHandle, height: u64) {
    let mut heights = handle.heights();
    let reached = heights.wait_for(|heights| heights.applied >= height);
    tokio::time::timeout(PATIENCE, reached).await.expect("the height is reached").unwrap();
}

async fn all_reach(running: &[Running], height: u64) {
    for (handle, _) in running {
        reach(handle, height).await;
    }
}

async fn stop_all(running: Vec<Running>) {
    for (handle, _) in running {
        handle.stop().await.unwrap();
    }
}

/// Waits until a validator says that it has so many peers.
async fn reach_peers(handle: &ConsensusHandle, count: usize) {
    let status = handle.status();
    let mut heights = status.heights();
    let counted = heights.wait_for(|_| status.peers() == count);
    tokio::time::timeout(PATIENCE, counted).await.expect("the peers are counted").unwrap();
}

#[tokio::test]
async fn one_validator_finalises_work_at_once_stops_and_resumes() {
    let pool = Pool::with(0);
    let network = Network::new(1, &pool);
    let (handle, _gossip) = network.start(0);
    reach(&handle, 1).await;
    for round in 0..10 {
        let before = network.ledgers[0].tip().header.number;
        pool.add([round]);
        reach(&handle, before + 1).await;
    }
    let tip = network.ledgers[0].tip();
    // Ten blocks with work do not wait for ten heartbeats.
    let started = network.ledgers[0].disk.lock().blocks[0].milliseconds();
    assert!(tip.milliseconds() - started < 8_000, "{} ms", tip.milliseconds() - started);
    assert!(handle.metrics().contains("finalized_height"), "metrics are served");
    handle.stop().await.unwrap();

    let (handle, _gossip) = network.start(0);
    reach(&handle, tip.header.number + 1).await;
    handle.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn four_validators_over_tcp_lose_one_go_on_and_take_it_back() {
    let pool = Pool::with(0);
    let network = Network::new(4, &pool);
    let mut running = network.start_all();
    all_reach(&running, 3).await;

    reach_peers(&running[0].0, 3).await;

    let sent = [Bytes::from_static(b"one"), Bytes::from(vec![2; MAX_TRANSACTION_BYTES])];
    let too_long = Bytes::from(vec![3; MAX_TRANSACTION_BYTES + 1]);
    for bytes in [&too_long, &sent[0], &sent[1]] {
        running[0].1.outgoing.send(bytes.clone()).await.unwrap();
    }
    for (_, gossip) in &mut running[1..] {
        for bytes in &sent {
            let received = tokio::time::timeout(PATIENCE, gossip.incoming.recv()).await;
            assert_eq!(received.unwrap().unwrap().bytes, *bytes);
        }
    }

    let (stopped, _) = running.remove(3);
    stopped.stop().await.unwrap();
    reach_peers(&running[0].0, 2).await;
    let height = network.ledgers[0].tip().header.number;
    all_reach(&running, height + 4).await;
    let (back, _gossip) = network.start(3);
    reach(&back, height + 4).await;
    running.push((back, _gossip));
    stop_all(running).await;
    let chains: Vec<_> = network.ledgers.iter().map(|one| one.disk.lock().blocks.clone()).collect();
    let shared = chains.iter().map(Vec::len).min().unwrap();
    assert!(chains.iter().all(|one| one[..shared] == chains[0][..shared]), "i7: there is a fork");
}

/// Sockets that say nothing, at each validator: handshakes that have begun and do not end.
const SILENT: usize = 100;

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn sockets_that_say_nothing_keep_no_validator_out_and_blocks_go_on() {
    let pool = Pool::with(0);
    let network = Network::new(4, &pool).with_fast_heartbeats();
    let mut running = network.start_all();
    all_reach(&running, 3).await;
    let (stopped, _) = running.remove(3);
    stopped.stop().await.unwrap();
    for (handle, _) in &running {
        reach_peers(handle, 2).await;
    }
    let mut silent = Vec::new();
    for address in &network.addresses[..3] {
        silent.extend((0..SILENT).map(|_| TcpStream::connect(address).unwrap()));
    }

    // Nobody knows where it listens now: it gets in at the ports of the others or not at all.
    let elsewhere = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap();
    let config = ConsensusConfig { listen: elsewhere, ..network.config(3) };
    let back = run(config, network.ledgers[3].restarted(), transaction_gossip(8).1).unwrap();
    reach_peers(&back, 3).await;
    let height = network.ledgers[0].tip().header.number;
    all_reach(&running, height + 4).await;
    reach(&back, height + 4).await;
    assert_eq!(silent.len(), 3 * SILENT, "they are held to the end");
    stop_all(running).await;
    back.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn i14_a_stranger_is_refused_until_a_quorum_lets_it_validate() {
    let pool = Pool::with(0);
    let network = Network::with_epochs((5, 4), 10, &pool).with_fast_heartbeats();
    let running = network.start_all();
    all_reach(&running[..4], 6).await;
    // It knows where the others are and asks all the time; they do not know its key.
    assert_eq!(running[4].0.heights().borrow().applied, 0, "an unknown key is let in");
    assert_eq!(running[4].0.status().peers(), 0, "an unknown key is let in");

    pool.change(&network.set(1..5));
    all_reach(&running, 45).await;
    let blocks = network.ledgers[4].disk.lock().blocks.clone();
    let key = |index: usize| network.keys[index].validator(Address::ZERO).network_key;
    let led = |index: usize, blocks: &[Arc<Block>]| {
        blocks.iter().any(|block| block.seal.as_round().unwrap().leader == key(index))
    };
    assert!(led(0, &blocks[..9]) && !led(4, &blocks[..9]), "epoch 0 is led by the first four");
    assert!(led(4, &blocks[25..]) && !led(0, &blocks[25..]), "later ones by the last four");
    stop_all(running).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn i15_a_validator_that_lost_its_votes_is_refused_and_may_sit_out() {
    let pool = Pool::with(0);
    let network = Network::with_epochs((4, 4), 20, &pool).with_fast_heartbeats();
    let mut running = network.start_all();
    all_reach(&running, 3).await;
    let (stopped, _) = running.remove(3);
    stopped.stop().await.unwrap();
    std::fs::remove_dir_all(network.directory(3).as_ref()).unwrap();

    let start = |lost_votes| {
        let ledger = network.ledgers[3].restarted();
        let config = ConsensusConfig { lost_votes, ..network.config(3) };
        run(config, ledger, transaction_gossip(8).1)
    };
    let refused = start(LostVotes::Refuse).unwrap_err();
    assert!(matches!(refused, ConsensusError::Guard(GuardError::LostVotes { .. })), "{refused}");
    let back = start(LostVotes::SitOut).unwrap();
    // It follows at once, and leads again in a later epoch.
    reach(&back, 90).await;
    let key = network.keys[3].validator(Address::ZERO).network_key;
    let blocks = network.ledgers[3].disk.lock().blocks.clone();
    let leads = |block: &&Arc<Block>| block.seal.as_round().unwrap().leader == key;
    assert!(blocks[60..].iter().any(|block| leads(&block)), "it leads again");
    stop_all(running).await;
    back.stop().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 1)]
async fn i8_a_seat_without_address_keeps_nobody_from_starting() {
    let pool = Pool::with(0);
    let network = Network::new(4, &pool).with_fast_heartbeats();
    let missing = network.keys[3].validator(Address::ZERO).network_key;
    let start = |index: usize| {
        let mut config = network.config(index);
        config.timing.leader_timeout = Duration::from_millis(300);
        config.peers.retain(|(key, _)| *key != missing);
        let (node, wire) = transaction_gossip(8);
        (run(config, network.ledgers[index].restarted(), wire).unwrap(), node)
    };
    let running: Vec<_> = (0..3).map(start).collect();
    all_reach(&running, 6).await;
    stop_all(running).await;
}

#[tokio::test]
async fn a_wrong_configuration_is_refused_with_the_reason() {
    let pool = Pool::with(0);
    let network = Network::new(2, &pool);
    let start = |config: ConsensusConfig| {
        let ledger = network.ledgers[0].restarted();
        run(config, ledger, transaction_gossip(8).1).unwrap_err()
    };
    let mut config = network.config(0);
    config.keys.consensus = ValidatorKeys::from_secret(&[9; 32]).unwrap().consensus;
    assert!(matches!(start(config), ConsensusError::NotAValidator(_)));
    let mut config = network.config(0);
    config.peers.clear();
    assert!(matches!(start(config), ConsensusError::UnknownAddress(_)));
    let taken = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
    let mut config = network.config(0);
    config.listen = taken.local_addr().unwrap();
    assert!(matches!(start(config), ConsensusError::Listen { .. }));
}
