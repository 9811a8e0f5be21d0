//! [`Cheat`]: someone who has a validator's keys and other software. It connects to the others as the
//! validator would, and votes for what it is shown and for something else.

use commonware_codec::{DecodeExt as _, Encode as _, ReadExt as _, varint::UInt};
use commonware_consensus::{
    Viewable as _,
    simplex::types::{Notarize, Proposal, Vote},
};
use commonware_cryptography::{ChaCha20Poly1305, keccak256::Digest};
use commonware_p2p::{
    AddressableManager as _, Receiver as _, Recipients, Sender as _,
    authenticated::lookup::{self, Config, Network},
};
use commonware_runtime::{
    Handle, IoBuf, Quota, Runner as _, Supervisor as _,
    tokio::{Config as Settings, Context, Runner},
};
use commonware_stream::{
    SakeCups,
    cups::{self, Cups},
    sake::{self, Sake},
};
use commonware_utils::{NZU32, NZUsize, ordered::Map};
use eyre::{ContextCompat, Result, eyre};
use sahara_finality::{
    ChainIdentity, NetworkPrivateKey, NetworkPublicKey, Scheme, ValidatorKeys, ValidatorSet, signer,
};
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
    thread::{self, JoinHandle},
    time::Duration,
};
use tokio::sync::oneshot;

/// Logical channels of a node's network; votes are on the first.
const CHANNELS: u64 = 7;
/// More than any message has.
pub(crate) const MOST_BYTES: u32 = 4 << 20;

/// Where messages of a channel are sent.
pub(crate) type Outgoing = lookup::Sender<NetworkPublicKey, Context>;
/// Where messages of a channel arrive.
pub(crate) type Incoming = lookup::Receiver<NetworkPublicKey>;

/// A cheat at work.
#[derive(Debug)]
pub(crate) struct Cheat {
    stop: oneshot::Sender<()>,
    thread: JoinHandle<()>,
}

/// Whom it pretends to be an honest member of.
#[derive(Debug)]
pub(crate) struct Role {
    /// The validator's keys.
    pub(crate) keys: ValidatorKeys,
    /// The network.
    pub(crate) chain: ChainIdentity,
    /// Who validates; each with its address.
    pub(crate) validators: ValidatorSet,
    /// Where the validator's node listened.
    pub(crate) listen: SocketAddr,
}

impl Cheat {
    /// Begins to cheat; its runtime keeps files in `directory`.
    pub(crate) fn start(role: Role, directory: &Path) -> Result<Self> {
        let scheme = signer(&role.chain, &role.validators, role.keys.consensus.clone());
        let scheme = scheme.wrap_err("the key is a validator's")?;
        let (stop, stopped) = oneshot::channel();
        let directory = directory.to_path_buf();
        let work = move || run(&role, scheme, directory, stopped);
        let thread = thread::Builder::new().name("cheat".into()).spawn(work)?;
        Ok(Self { stop, thread })
    }

    /// Ends it.
    pub(crate) fn end(self) -> Result<()> {
        // It ends by itself only when its network broke, which the join tells.
        let _asked = self.stop.send(()).is_ok();
        self.thread.join().map_err(|_| eyre!("the cheat broke"))
    }
}

fn run(role: &Role, scheme: Scheme, directory: PathBuf, stopped: oneshot::Receiver<()>) {
    let settings = Settings::new().with_storage_directory(directory);
    Runner::new(settings).start(async move |context: Context| {
        let quota = Quota::per_second(NZU32!(4096)).allow_burst(NZU32!(256));
        let (_network, mut channels) = connect(&context, role, quota);
        let (mut sender, mut receiver) = channels.swap_remove(0);
        let cheating = async {
            while let Ok((_, message)) = receiver.recv().await {
                for vote in contradictions(&scheme, message) {
                    sender.send(Recipients::All, vote, true);
                }
            }
        };
        tokio::select! {
            () = cheating => {}
            _ = stopped => {}
        }
    });
}

/// Begins to connect to the others as the validator would; how much it sends itself is up to `quota`.
pub(crate) fn connect(
    context: &Context,
    role: &Role,
    quota: Quota,
) -> (Handle<()>, Vec<(Outgoing, Incoming)>) {
    let (mut network, mut oracle) = Network::new(context.child("network"), config(role));
    let channels = (0..CHANNELS).map(|channel| network.register(channel, quota)).collect();
    let others =
        role.validators.as_slice().iter().filter_map(|validator| {
            Some((validator.network_key.clone(), validator.address?.into()))
        });
    oracle.track(0, Map::from_iter_dedup(others));
    (network.start(), channels)
}

fn config(role: &Role) -> Config<SakeCups<NetworkPrivateKey, ChaCha20Poly1305>> {
    let sake = Sake {
        signer: role.keys.network.clone(),
        synchrony_bound: Duration::from_secs(5),
        max_handshake_age: Duration::from_secs(10),
        version: sake::Version::V1,
    };
    let handshake = Cups::<_, ChaCha20Poly1305>::new(sake, cups::Version::V1);
    let namespace = role.chain.namespace();
    let (most, mailbox) = (NZUsize!(32), NZUsize!(4096));
    let mut config =
        Config::recommended(handshake, &namespace, role.listen, most, MOST_BYTES, mailbox);
    config.allow_private_ips = true;
    config.dial_frequency = Duration::from_millis(100);
    // Who was cut off comes back at once.
    config.peer_connection_cooldown = Duration::from_secs(1);
    config.allowed_handshake_rate_per_ip = Quota::per_second(NZU32!(1024));
    config.allowed_handshake_rate_per_subnet = Quota::per_second(NZU32!(1024));
    config
}

/// For another's vote for a block: one for a block that nobody made, and one for the same.
fn contradictions(scheme: &Scheme, message: IoBuf) -> Vec<Vec<u8>> {
    let mut bytes = message;
    let Ok(epoch) = UInt::<u64>::read(&mut bytes) else { return Vec::new() };
    let Ok(Vote::<Scheme, Digest>::Notarize(shown)) = Vote::decode(bytes) else {
        return Vec::new();
    };
    let mut payload = [0xc4; 32];
    let (_, view) = payload.split_at_mut(24);
    view.copy_from_slice(&shown.view().get().to_be_bytes());
    let other = Proposal::new(shown.proposal.round, shown.proposal.parent, Digest(payload));
    [other, shown.proposal]
        .into_iter()
        .filter_map(|proposal| Notarize::sign(scheme, proposal))
        .map(|vote| {
            let vote = Vote::<Scheme, Digest>::Notarize(vote).encode();
            [epoch.encode().as_ref(), vote.as_ref()].concat()
        })
        .collect()
}
