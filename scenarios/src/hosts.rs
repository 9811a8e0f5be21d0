//! [`Hosts`]: machines of a network, each a network namespace with one cable, and what lies between.
//!
//! Every cable ends in the namespace of the test, which has everybody's address and carries each
//! connection on to its host, after a delay: a kernel need not be able to delay packets for that.

use crate::{isolated::run, testnet::Place};
use eyre::{Result, ensure};
use std::{
    fs,
    io::ErrorKind,
    net::{IpAddr, Ipv4Addr, SocketAddr},
    process::{Child, Command, Stdio},
    sync::Arc,
    time::{Duration, Instant},
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpSocket, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    task::JoinSet,
};

/// The port of every node.
const PORT: u16 = 9700;

/// Bytes on their way over one link, in pieces of [`PIECE`].
const IN_FLIGHT: usize = 256;

/// Bytes read at a time.
const PIECE: usize = 64 << 10;

/// What lies between any two hosts.
#[derive(Clone, Debug, Default)]
struct Between {
    /// How long a byte takes, one way.
    delay: Duration,
    /// Hosts of different groups do not hear each other; nothing is lost, as when a cable is mended
    /// before anybody gives up.
    groups: Vec<u8>,
}

impl Between {
    fn is_open(&self, from: usize, to: usize) -> bool {
        self.groups.get(from) == self.groups.get(to)
    }
}

/// Hosts with a link between any two; dropping it takes them away. For use inside of
/// [`crate::isolated`].
#[derive(Debug)]
pub struct Hosts {
    /// Each holds a network namespace open.
    holders: Vec<Child>,
    between: watch::Sender<Between>,
    /// Ends with the hosts.
    _relays: JoinSet<()>,
}

impl Hosts {
    /// Lays cables to `count` hosts.
    ///
    /// # Errors
    /// When the system refuses.
    pub async fn new(count: u8) -> Result<Self> {
        let mut holders = Vec::new();
        for host in 0..count {
            holders.push(lay(host)?);
        }
        let (between, _) = watch::channel(Between::default());
        let mut relays = JoinSet::new();
        for host in 0..count {
            let listener = TcpListener::bind((public(host), PORT)).await?;
            relays.spawn(relay(listener, host, between.clone()));
        }
        Ok(Self { holders, between, _relays: relays })
    }

    /// Where the host's node is, and how to start it.
    pub fn places(&self) -> Vec<Place> {
        let place = |(host, holder): (u8, &Child)| {
            let at = |port| SocketAddr::from((inside(host), port));
            Place {
                public: SocketAddr::from((public(host), PORT)),
                peer: at(PORT),
                rpc: at(8545),
                metrics: at(9615),
                enter: ["nsenter", "--net", "--target", &holder.id().to_string(), "--"]
                    .map(str::to_owned)
                    .to_vec(),
            }
        };
        (0..).zip(&self.holders).map(place).collect()
    }

    /// From now on a byte takes so long, one way, between any two hosts.
    pub fn delay(&self, delay: Duration) {
        self.between.send_modify(|between| between.delay = delay);
    }

    /// From now on hosts of different groups do not hear each other, a group number for each host; an
    /// empty list mends everything. Bytes on their way wait.
    pub fn part(&self, groups: &[u8]) {
        self.between.send_modify(|between| between.groups = groups.to_vec());
    }

    /// Pulls or plugs a host's cable.
    ///
    /// # Errors
    /// When the system refuses.
    pub fn plug(&self, host: u8, is_in: bool) -> Result<()> {
        run("ip", &["link", "set", &format!("hub{host}"), if is_in { "up" } else { "down" }])
    }
}

impl Drop for Hosts {
    fn drop(&mut self) {
        for holder in &mut self.holders {
            drop(holder.kill());
            drop(holder.wait());
        }
    }
}

/// The address under which others know a host.
const fn public(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 0, 0, host.saturating_add(1))
}

/// The host's end of its cable.
const fn inside(host: u8) -> Ipv4Addr {
    Ipv4Addr::new(10, 1, host, 2)
}

/// Makes a namespace, a cable into it, and the ways.
fn lay(host: u8) -> Result<Child> {
    let mut command = Command::new("unshare");
    let holder = command.args(["--net", "sleep", "infinity"]).stdin(Stdio::null()).spawn()?;
    let id = holder.id().to_string();
    let here = fs::read_link("/proc/self/ns/net")?;
    let start = Instant::now();
    while fs::read_link(format!("/proc/{id}/ns/net")).is_ok_and(|there| there == here) {
        ensure!(start.elapsed() < Duration::from_secs(10), "`unshare` made no network namespace");
        std::thread::yield_now();
    }
    let (hub, gate) = (format!("hub{host}"), format!("10.1.{host}.1"));
    run("ip", &["link", "add", &hub, "type", "veth", "peer", "name", "eth0", "netns", &id])?;
    run("ip", &["address", "add", &format!("{gate}/30"), "dev", &hub])?;
    run("ip", &["link", "set", &hub, "up"])?;
    run("ip", &["address", "add", &format!("{}/32", public(host)), "dev", "lo"])?;
    let within = |arguments: &[&str]| {
        run("nsenter", &[&["--net", "--target", &id, "--", "ip"], arguments].concat())
    };
    within(&["link", "set", "lo", "up"])?;
    within(&["address", "add", &format!("{}/30", inside(host)), "dev", "eth0"])?;
    within(&["link", "set", "eth0", "up"])?;
    within(&["route", "add", "default", "via", &gate])?;
    Ok(holder)
}

/// Takes connections for a host and carries them on.
async fn relay(listener: TcpListener, to: u8, between: watch::Sender<Between>) {
    let mut carried = JoinSet::new();
    loop {
        let (stream, peer) = match listener.accept().await {
            Ok(accepted) => accepted,
            Err(error) if error.kind() == ErrorKind::ConnectionAborted => continue,
            Err(_) => return,
        };
        let IpAddr::V4(peer) = peer.ip() else { continue };
        let [_, _, from, _] = peer.octets();
        let between = between.subscribe();
        carried.spawn(async move {
            // Whoever connects sees it end.
            drop(carry(stream, (from, to), between).await);
        });
        while carried.try_join_next().is_some() {}
    }
}

async fn carry(
    stream: TcpStream,
    (from, to): (u8, u8),
    mut between: watch::Receiver<Between>,
) -> Result<()> {
    let (a, b) = (usize::from(from), usize::from(to));
    between.wait_for(|between| between.is_open(a, b)).await?;
    let socket = TcpSocket::new_v4()?;
    socket.set_reuseaddr(true)?;
    // The host sees who calls.
    socket.bind(SocketAddr::from((public(from), 0)))?;
    let onward = socket.connect(SocketAddr::from((inside(to), PORT))).await?;
    stream.set_nodelay(true)?;
    onward.set_nodelay(true)?;
    let ((read, write), (onward_read, onward_write)) = (stream.into_split(), onward.into_split());
    tokio::select! {
        ended = way(read, onward_write, (a, b), between.clone()) => ended,
        ended = way(onward_read, write, (b, a), between.clone()) => ended,
    }
}

/// One way of one connection.
async fn way(
    mut read: OwnedReadHalf,
    mut write: OwnedWriteHalf,
    (from, to): (usize, usize),
    mut between: watch::Receiver<Between>,
) -> Result<()> {
    let (send, mut pieces) = mpsc::channel::<(Instant, Arc<[u8]>)>(IN_FLIGHT);
    let delays = between.clone();
    let reading = async move {
        let mut buffer = vec![0; PIECE];
        loop {
            let count = read.read(&mut buffer).await?;
            let Some(piece) = buffer.get(..count).filter(|piece| !piece.is_empty()) else {
                return eyre::Ok(());
            };
            let due = Instant::now() + delays.borrow().delay;
            send.send((due, piece.into())).await?;
        }
    };
    let writing = async move {
        while let Some((due, piece)) = pieces.recv().await {
            tokio::time::sleep_until(due.into()).await;
            between.wait_for(|between| between.is_open(from, to)).await?;
            write.write_all(&piece).await?;
        }
        eyre::Ok(())
    };
    let ((), ()) = tokio::try_join!(reading, writing)?;
    Ok(())
}
