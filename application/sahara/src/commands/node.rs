//! `sahara node`: a node with JSON-RPC and metrics. It validates in the epochs whose set its keys
//! belong to, and follows in others.

mod state;

use crate::{
    cli,
    failure::Failure,
    local::dev,
    serve::{guard, serve},
    stop, validator_key,
};
use alloy_primitives::B256;
use bytes::Bytes;
use eyre::{Result, WrapErr, eyre};
use sahara_chain::{
    consensus::{
        ConsensusConfig, ConsensusHandle, ConsensusStatus, LostVotes, Timing, TransactionGossip,
        Verdict, run, transaction_gossip,
    },
    genesis::GenesisFile,
    ledger::NodeLedger,
    pool::{Origin, Pool, PoolError, PooledTransaction},
    store::{Store, StoreOptions},
};
use sahara_finality::{NetworkPublicKey, parse_hex};
use sahara_primitives::LOCAL_CHAIN_ID;
use sahara_rpc::{RpcServer, RpcSettings, monitor_routes};
use std::{
    fmt::Display,
    fs,
    io::{self, Write},
    net::{IpAddr, SocketAddr},
    num::NonZeroUsize,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    time::Duration,
};
use tokio::{
    net::TcpListener,
    sync::{broadcast::error::RecvError, mpsc},
    time::MissedTickBehavior,
};
use tracing::{debug, error, info, warn};

/// Transactions on their way to all peers, and from each.
const GOSSIP_CAPACITY: usize = 16_384;

/// After so many seconds a transaction that no block took is sent to peers again, as often.
const RESEND_SECONDS: u64 = 4;
/// The most that are sent again at a time.
const MOST_RESENT: usize = 1_024;

/// How long open requests may take when the node stops.
const RPC_PATIENCE: Duration = Duration::from_secs(2);

/// How the node calls itself.
const VERSION: &str = concat!("sahara/v", env!("CARGO_PKG_VERSION"));

/// Bytes written to see whether a disk takes any: more than the rest of a block of a full one.
const PROBE_BYTES: usize = 64 << 10;

/// Runs a node until it is asked to stop or breaks.
pub(crate) async fn run_node(node: &cli::Node) -> Result<()> {
    let ended = live(node).await;
    ended.map_err(|error| match unwritable(&node.directory) {
        Some(cause) => error.wrap_err(format!(
            "cannot write to {}: {cause}; mend the disk and start the node again: what is final is kept",
            node.directory.display()
        )),
        None => error,
    })
}

/// Why nothing can be written to a directory. What fails first when a disk is full or read-only need
/// not know it.
fn unwritable(directory: &Path) -> Option<io::Error> {
    let probe = directory.join("probe");
    let write = || {
        fs::create_dir_all(directory)?;
        let mut file = fs::File::create(&probe)?;
        file.write_all(&[0; PROBE_BYTES])?;
        file.sync_all()
    };
    let failed = write().err();
    drop(fs::remove_file(&probe));
    failed
}

async fn live(node: &cli::Node) -> Result<()> {
    let file = fs::read(&node.genesis)
        .wrap_err_with(|| format!("could not read {}", node.genesis.display()))?;
    let unusable = |error: &dyn Display| {
        Failure::usage(format!("{} makes no chain: {error}", node.genesis.display()))
    };
    let file = GenesisFile::parse(&file).map_err(|error| unusable(&error))?;
    refuse_public_keys(&file, node)?;
    let genesis = file.build().map_err(|error| unusable(&error))?;
    let hash = genesis.block.hash();
    let cache = node.cache.saturating_mul(1 << 20);
    let options = StoreOptions::with_cache(cache, node.history);
    let consensus = ConsensusConfig {
        keys: validator_key::open(&node.key)?,
        listen: node.peer_listen,
        peers: node.peers.iter().map(|peer| parse_peer(peer)).collect::<Result<_>>()?,
        allow_private_addresses: is_private(node.peer_listen.ip()),
        storage_directory: node.directory.join("consensus"),
        guard_file: guard_file(&node.key.file, hash),
        lost_votes: lost_votes(node.lost_votes),
        timing: Timing::default(),
        worker_threads: NonZeroUsize::MIN,
    };
    let directory = node.directory.join("chain");
    if node.sync == cli::SyncMode::State
        && !state::fetch(node, (&file, &genesis), (&directory, options), &consensus).await?
    {
        info!("the node has stopped before the state was whole; it goes on where it was");
        return Ok(());
    }
    let store = Store::open(&directory, options, &genesis)?;
    let ledger = NodeLedger::new(&file, &genesis, store);
    let (gossip, wire) = transaction_gossip(GOSSIP_CAPACITY);
    let handle = run(consensus, ledger.clone(), wire)?;
    let again = Duration::from_secs(RESEND_SECONDS);
    let relay = tokio::spawn(relay_transactions(ledger.pool().clone(), gossip, again));
    let rpc = serve_rpc(node, &file, &ledger, handle.status()).await?;
    info!(genesis = %hash, height = ledger.store().head().number, rpc = %node.rpc_listen, "the node is running");
    let ended = watch(node, &ledger, handle).await;
    relay.abort();
    rpc.stop();
    // A client that keeps its connection open does not keep the node.
    drop(tokio::time::timeout(RPC_PATIENCE, rpc.stopped()).await);
    info!("the node has stopped");
    ended
}

/// Whether a node that listens at this address lives in a private network, and so do its peers.
const fn is_private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => address.is_loopback() || address.is_private(),
        IpAddr::V6(address) => address.is_loopback() || address.is_unique_local(),
    }
}

/// Serves metrics until the node is asked to stop or a part of it ends.
async fn watch(node: &cli::Node, ledger: &NodeLedger, mut handle: ConsensusHandle) -> Result<()> {
    let listener = TcpListener::bind(node.metrics_listen).await;
    let listener = listener
        .wrap_err_with(|| format!("cannot listen on {} for metrics", node.metrics_listen))?;
    let router =
        guard(&listener, monitor_routes(ledger.clone(), Some(handle.status())), Vec::new())?;
    let metrics = tokio::spawn(serve(listener, router, std::future::pending()));
    let mut stop = std::pin::pin!(stop::asked(node.follow_parent));
    let ended = tokio::select! {
        () = &mut stop => None,
        reason = ledger.broken() => Some(eyre!("the node is broken: {reason}")),
        ended = handle.ended() => {
            Some(ended.err().map_or_else(|| eyre!("consensus ended"), Into::into))
        }
    };
    metrics.abort();
    match ended {
        Some(error) => Err(error),
        None => Ok(handle.stop().await?),
    }
}

/// The public test keys may hold coin on a local chain only, reachable from this machine only.
fn refuse_public_keys(file: &GenesisFile, node: &cli::Node) -> Result<()> {
    let beneficiaries = file.config.sale.iter().chain(&file.config.liquidity);
    let public = dev::accounts();
    let Some(known) =
        beneficiaries.map(|part| part.account).find(|account| public.contains(account))
    else {
        return Ok(());
    };
    if file.config.chain_id != LOCAL_CHAIN_ID {
        return Err(Failure::usage(format!(
            "{known} belongs to the public test mnemonic; it may hold coin on chain {LOCAL_CHAIN_ID} only"
        )));
    }
    let listeners = [node.rpc_listen, node.metrics_listen, node.peer_listen];
    if let Some(open) = listeners.iter().find(|address| !address.ip().is_loopback()) {
        return Err(Failure::usage(format!(
            "{open} is not loopback, and {known} belongs to the public test mnemonic: anyone could spend its coin"
        )));
    }
    Ok(())
}

/// Beside the key, one for each network.
pub(super) fn guard_file(key_file: &Path, genesis: B256) -> PathBuf {
    let network = alloy_primitives::hex::encode(genesis.get(..4).unwrap_or_default());
    key_file.with_extension(format!("guard-{network}.json"))
}

const fn lost_votes(flag: cli::LostVotes) -> LostVotes {
    match flag {
        cli::LostVotes::Refuse => LostVotes::Refuse,
        cli::LostVotes::SitOut => LostVotes::SitOut,
        cli::LostVotes::SignAnyway => LostVotes::SignAnyway,
    }
}

fn parse_peer(text: &str) -> Result<(NetworkPublicKey, SocketAddr)> {
    let (key, address) = text
        .split_once('@')
        .ok_or_else(|| eyre!("`{text}` is no peer: expected KEY@ADDRESS:PORT"))?;
    let address =
        address.parse().wrap_err_with(|| format!("`{address}` is no address: expected IP:PORT"))?;
    Ok((parse_hex("network key", key)?, address))
}

/// Sends what strangers submit here to the other validators, and takes what they send. A message may be
/// lost, and who got it may be started again; a node that does not validate proposes nothing itself. So what
/// waits is sent again.
async fn relay_transactions(pool: Pool, mut gossip: TransactionGossip, again: Duration) {
    let mut arrivals = pool.subscribe();
    let mut again = tokio::time::interval(again);
    again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    // A full mailbox loses it until the next time.
    let send = |outgoing: &mpsc::Sender<Bytes>, pooled: &PooledTransaction| {
        drop(outgoing.try_send(Bytes::from(pooled.encoded())));
    };
    loop {
        tokio::select! {
            arrival = arrivals.recv() => match arrival {
                Ok(pooled) if pooled.origin() == Origin::Local => send(&gossip.outgoing, &pooled),
                Ok(_) => {}
                Err(RecvError::Lagged(missed)) => warn!(missed, "transactions were not sent to peers"),
                Err(RecvError::Closed) => return,
            },
            received = gossip.incoming.recv() => match received {
                Some(received) => {
                    let verdict = take(&pool, &received.bytes);
                    gossip.incoming.judge(&received.peer, verdict);
                }
                None => return,
            },
            _ = again.tick() => {
                for pooled in pool.overdue(RESEND_SECONDS, MOST_RESENT) {
                    send(&gossip.outgoing, &pooled);
                }
            }
        }
    }
}

/// What a peer sends reaches every node: where it breaks one, that must cost the transaction and no more.
fn take(pool: &Pool, bytes: &[u8]) -> Verdict {
    let add = || pool.add_encoded(bytes, Origin::Peer).map(drop);
    match catch_unwind(AssertUnwindSafe(add)) {
        Ok(Ok(())) => Verdict::Accepted,
        Ok(Err(error)) => {
            debug!(%error, "a peer's transaction was refused");
            match error {
                PoolError::Transaction(_) | PoolError::InvalidSignature => Verdict::Invalid,
                _ => Verdict::Refused,
            }
        }
        Err(_) => {
            error!("looking at a peer's transaction panicked; it is left out");
            Verdict::Refused
        }
    }
}

async fn serve_rpc(
    node: &cli::Node,
    file: &GenesisFile,
    ledger: &NodeLedger,
    status: ConsensusStatus,
) -> Result<RpcServer> {
    let peers = Box::new(move || status.peers());
    let node_view = sahara_rpc::Node::new(ledger, file, peers, VERSION);
    let hosts = node.rpc_hosts.clone();
    let settings = RpcSettings { hosts, ..RpcSettings::new(node.rpc_listen) };
    Ok(RpcServer::start(node_view, settings).await?)
}

#[cfg(test)]
mod tests {
    use super::take;
    use alloy_consensus::TxEip1559;
    use alloy_primitives::{Address, TxKind};
    use sahara_chain::{
        consensus::Verdict,
        pool::{Head, Pool, PoolSettings, Spendable},
    };
    use sahara_client::SigningKey;
    use sahara_evm::StateError;
    use sahara_finality::Transaction;
    use std::sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    };

    #[test]
    fn a_peers_transaction_that_panics_is_left_out_and_the_next_is_taken() {
        let asked = Arc::new(AtomicUsize::new(0));
        let times = Arc::clone(&asked);
        let accounts = move |_: Address| -> Result<Spendable, StateError> {
            assert!(times.fetch_add(1, Ordering::SeqCst) > 0, "an injected panic");
            Ok(Spendable { balance: alloy_primitives::U256::MAX, ..Spendable::default() })
        };
        let head = Head {
            number: 1,
            timestamp: 1_000_000,
            base_fee: 1,
            base_fee_floor: 1,
            gas_limit: 30_000_000,
        };
        let pool = Pool::new(PoolSettings::new(7), accounts, head);
        let sent = || {
            let transaction = TxEip1559 {
                chain_id: 7,
                gas_limit: 21_000,
                max_fee_per_gas: 1_000,
                max_priority_fee_per_gas: 1_000,
                to: TxKind::Call(Address::repeat_byte(9)),
                ..TxEip1559::default()
            };
            Transaction::from(SigningKey::random().sign_transaction(transaction)).encoded()
        };
        assert_eq!(take(&pool, &sent()), Verdict::Refused, "nobody is blamed");
        assert_eq!((asked.load(Ordering::SeqCst), pool.status().pending), (1, 0));
        let good = sent();
        assert_eq!(take(&pool, &good), Verdict::Accepted);
        assert_eq!(pool.status().pending, 1, "the pool works on");
        // What an honest peer may send is told from what none sends.
        assert_eq!(take(&pool, &good), Verdict::Refused);
        let mut unsigned = sent();
        if let Some(last) = unsigned.last_chunk_mut::<32>() {
            *last = [0xff; 32];
        }
        for invalid in [&unsigned[..], &[2, 0xc0], &[]] {
            assert_eq!(take(&pool, invalid), Verdict::Invalid, "{invalid:?}");
        }
    }
}
