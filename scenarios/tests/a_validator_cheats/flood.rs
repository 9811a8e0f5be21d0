//! [`Flood`]: someone who has a validator's keys and sends on every channel more than a peer may, and what is no
//! message: nothing, a part of one, noise, and more than any has.

use crate::cheat::{MOST_BYTES, Outgoing, Role, connect};
use alloy_primitives::Bytes;
use commonware_codec::{Encode as _, varint::UInt};
use commonware_p2p::{Receiver, Recipients, Sender as _};
use commonware_runtime::{
    Metrics as _, Quota, Runner as _,
    tokio::{Config as Settings, Context, Runner},
};
use commonware_utils::NZU32;
use eyre::{Result, eyre};
use futures::future::join_all;
use sahara_finality::NetworkPublicKey;
use sahara_scenarios::pass;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::PathBuf,
    sync::{Mutex, PoisonError},
    thread::{self, JoinHandle},
    time::Duration,
};

/// The channels of a node by their numbers, with messages and bytes of each: more messages at once than any
/// burst that `consensus/network.rs` allows there (256 votes or certificates, 64 to 128 of what is larger), in
/// all 122 MiB.
const FLOOD: [(&str, usize, usize); 7] = [
    ("votes", 1_280, 1 << 10),
    ("certificates", 1_280, 1 << 10),
    ("resolver", 192, 128 << 10),
    ("backfill", 192, 128 << 10),
    ("blocks", 192, 128 << 10),
    ("transactions", 192, 128 << 10),
    ("states", 192, 128 << 10),
];

/// So often it floods, babbles, and is cut off for a message that is too long; it is let in again each time.
const ROUNDS: usize = 2;

/// An epoch that nobody reaches: what is said of it contradicts nothing, and whoever says it is not shut out.
const FAR: u64 = u64::MAX >> 1;

/// How often it looks who is connected.
const LOOK: Duration = Duration::from_millis(50);

/// The last message heard on each channel.
type Heard = Mutex<BTreeMap<u64, Vec<u8>>>;

/// A flood under way. It ends by itself when the others have shut it out for good.
#[derive(Debug)]
pub(crate) struct Flood(JoinHandle<()>);

impl Flood {
    /// Numbers and names of the channels, with how many messages at least each is sent.
    pub(crate) fn channels() -> impl Iterator<Item = (u64, &'static str, usize)> {
        (0..)
            .zip(FLOOD)
            .map(|(channel, (name, count, _))| (channel, name, ROUNDS.saturating_mul(count)))
    }

    /// Begins; its runtime keeps files in `directory`.
    pub(crate) fn start(role: Role, directory: PathBuf) -> Result<Self> {
        let work = move || run(&role, directory);
        Ok(Self(thread::Builder::new().name("flood".into()).spawn(work)?))
    }

    /// Whether it is shut out.
    pub(crate) fn is_over(&self) -> bool {
        self.0.is_finished()
    }

    /// Waits for its end.
    pub(crate) fn end(self) -> Result<()> {
        self.0.join().map_err(|_| eyre!("the flood broke"))
    }
}

fn run(role: &Role, directory: PathBuf) {
    let settings = Settings::new().with_storage_directory(directory);
    Runner::new(settings).start(async move |context: Context| {
        // Its own network holds back nothing of a flood.
        let quota = Quota::per_second(NZU32!(65_536)).allow_burst(NZU32!(2_048));
        let (_network, channels) = connect(&context, role, quota);
        let (senders, receivers): (Vec<_>, Vec<_>) = channels.into_iter().unzip();
        let heard = Heard::default();
        let listening =
            (0..).zip(receivers).map(|(channel, receiver)| listen(channel, receiver, &heard));
        let others = role.validators.len().saturating_sub(1);
        let attack = Attack { senders, heard: &heard, context: &context, others };
        tokio::select! {
            _ = join_all(listening) => {}
            () = attack.run() => {}
        }
    });
}

async fn listen(channel: u64, mut receiver: impl Receiver, heard: &Heard) {
    while let Ok((_, message)) = receiver.recv().await {
        let bytes: &[u8] = message.as_ref();
        let mut heard = heard.lock().unwrap_or_else(PoisonError::into_inner);
        heard.insert(channel, bytes.to_vec());
    }
}

struct Attack<'a> {
    senders: Vec<Outgoing>,
    heard: &'a Heard,
    context: &'a Context,
    /// How many there are to hear it.
    others: usize,
}

impl Attack<'_> {
    async fn run(mut self) {
        for _ in 0..ROUNDS {
            let others = self.is_heard().await;
            self.flood().await;
            self.babble();
            let long = Bytes::from(vec![0xff_u8; usize::try_from(MOST_BYTES).unwrap_or_default()]);
            for channel in 0..self.senders.len() {
                self.say(channel, &long);
            }
            self.is_cut_off(&others).await;
        }
        // Nothing so far shut it out for good. Votes and certificates of this epoch that are none do.
        let others = self.is_heard().await;
        let nonsense = Bytes::from([epoch(0), vec![0xff; 256]].concat());
        for channel in 0..3 {
            if let Some(message) = self.last(channel) {
                self.say(channel, &half(&message));
            }
            self.say(channel, &nonsense);
        }
        self.is_cut_off(&others).await;
    }

    /// More of each than may be sent, for an epoch that never comes.
    async fn flood(&mut self) {
        for (channel, (_, count, bytes)) in FLOOD.into_iter().enumerate() {
            let message = Bytes::from([epoch(FAR), vec![0xff; bytes]].concat());
            for _ in 0..count {
                self.say(channel, &message);
                tokio::task::yield_now().await;
            }
        }
    }

    /// On each channel nothing, the beginning of a number, noise, and half of what was heard there last; not of
    /// votes and certificates, for which it would be shut out already.
    fn babble(&mut self) {
        for channel in 0..self.senders.len() {
            let odd: [Vec<u8>; 4] =
                [Vec::new(), vec![0x80], vec![0xff; 64 << 10], vec![0xff; 1 << 20]];
            for message in odd {
                self.say(channel, &Bytes::from(message));
            }
            if let Some(message) = self.last(channel).filter(|_| channel > 2) {
                self.say(channel, &half(&message));
            }
        }
    }

    fn last(&self, channel: usize) -> Option<Vec<u8>> {
        let channel = u64::try_from(channel).ok()?;
        self.heard.lock().unwrap_or_else(PoisonError::into_inner).get(&channel).cloned()
    }

    /// Says something to all; returns who is there to hear it.
    fn say(&mut self, channel: usize, message: &Bytes) -> Vec<NetworkPublicKey> {
        let sender = self.senders.get_mut(channel);
        sender.map(|to| to.send(Recipients::All, message.0.clone(), false)).unwrap_or_default()
    }

    /// The others who are connected, each with the moment from which on.
    fn connections(&self) -> BTreeMap<String, String> {
        let page = self.context.encode();
        let lines = page.lines().filter(|line| line.contains("_directory_connected{"));
        let parts = lines.filter_map(|line| line.rsplit_once(' '));
        parts.map(|(peer, since)| (peer.to_owned(), since.to_owned())).collect()
    }

    /// Waits until all others hear it, and returns their connections.
    async fn is_heard(&mut self) -> BTreeMap<String, String> {
        loop {
            let hearers = self.say(0, &Bytes::from(epoch(FAR)));
            let connections = self.connections();
            if hearers.len() >= self.others && connections.len() >= self.others {
                return connections;
            }
            pass(LOOK).await;
        }
    }

    /// Waits until each of these connections is over; there may be another one.
    async fn is_cut_off(&self, from: &BTreeMap<String, String>) {
        let mut over = BTreeSet::new();
        while over.len() < from.len() {
            let now = self.connections();
            over.extend(from.keys().filter(|peer| now.get(*peer) != from.get(*peer)).cloned());
            pass(LOOK).await;
        }
    }
}

/// What a message of an epoch begins with on the first three channels.
fn epoch(number: u64) -> Vec<u8> {
    UInt(number).encode().to_vec()
}

fn half(message: &[u8]) -> Bytes {
    let (half, _) = message.split_at(message.len().div_euclid(2));
    Bytes::copy_from_slice(half)
}
