//! A small economy in memory, whose laws are checked after every call.

use crate::{Call, Failure, MemoryState, liabilities_change, liabilities_total};
use alloy_primitives::{
    Address, B256, Bytes, U256,
    aliases::{U24, U96},
    keccak256,
};
use alloy_sol_types::{SolCall, SolStruct};
use sahara_abi::{ASSETS, CHANNELS, IAssets, IChannels, IWorkers, ROYALTIES, WORKERS, signing};
use sahara_primitives::{Amount, LOCAL_CHAIN_ID};
use secp256k1::{Message, SECP256K1, SecretKey};
use std::collections::BTreeMap;
use std::sync::LazyLock;

/// One SAHARA.
pub(crate) const COIN: u128 = 1_000_000_000_000_000_000;

/// Someone with a key.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Actor {
    key: SecretKey,
    /// Its account.
    pub(crate) address: Address,
}

impl Actor {
    /// The actor whose key consists of this byte.
    pub(crate) fn new(byte: u8) -> Self {
        let key = SecretKey::from_byte_array([byte; 32]).unwrap();
        let [_, point @ ..] = key.public_key(SECP256K1).serialize_uncompressed();
        Self { key, address: Address::from_word(keccak256(point)) }
    }

    /// `r || s || v` over a hash.
    pub(crate) fn sign_hash(&self, hash: B256) -> Bytes {
        let message = Message::from_digest(hash.0);
        let (id, compact) =
            SECP256K1.sign_ecdsa_recoverable(message, &self.key).serialize_compact();
        let v = 27 + u8::try_from(i32::from(id)).unwrap();
        [compact.as_slice(), &[v]].concat().into()
    }

    /// A signature of a message on the local chain.
    pub(crate) fn sign(&self, message: &impl SolStruct) -> Bytes {
        self.sign_on(LOCAL_CHAIN_ID, message)
    }

    /// A signature of a message on another chain.
    pub(crate) fn sign_on(&self, chain_id: u64, message: &impl SolStruct) -> Bytes {
        self.sign_hash(message.eip712_signing_hash(&signing::channels_domain(chain_id)))
    }
}

/// The other signature of the same hash: `(r, n - s)`.
pub(crate) fn twin(signature: &Bytes) -> Bytes {
    let order = U256::from_be_bytes(secp256k1::constants::CURVE_ORDER);
    let s = order - U256::from_be_slice(&signature[32..64]);
    [&signature[..32], &s.to_be_bytes::<32>(), &[55 - signature[64]]].concat().into()
}

/// The economy: payers, gateways with fees of 0, 250 and 500 basis points, workers, and assets 1 and
/// 2 (sealed) and 3 (open), which both workers serve.
#[derive(Clone, Debug)]
pub(crate) struct World {
    pub(crate) state: MemoryState,
    pub(crate) payers: [Actor; 2],
    pub(crate) gateways: [Actor; 3],
    pub(crate) workers: [Actor; 2],
    pub(crate) creator: Actor,
    pub(crate) stranger: Actor,
}

/// Fees of the three gateways.
pub(crate) const FEES: [u16; 3] = [0, 250, 500];

impl World {
    /// Everyone registered, nothing funded.
    pub(crate) fn new() -> Self {
        static WORLD: LazyLock<World> = LazyLock::new(World::build);
        WORLD.clone()
    }

    fn build() -> Self {
        let actors: Vec<Actor> = (1..=9).map(Actor::new).collect();
        let mut world = Self {
            state: MemoryState::default(),
            payers: [actors[0], actors[1]],
            gateways: [actors[2], actors[3], actors[4]],
            workers: [actors[5], actors[6]],
            creator: actors[7],
            stranger: actors[8],
        };
        for actor in &actors {
            world.state.fund(actor.address, Amount::from_coins(10_000));
        }
        for is_open in [false, false, true] {
            world.register_asset(is_open);
        }
        for (gateway, fee) in world.gateways.into_iter().zip(FEES) {
            let call = IWorkers::registerGatewayCall { endpoint: "http://gateway".into(), fee };
            world.pay(gateway, WORKERS, 1_000 * COIN, call).unwrap();
        }
        for worker in world.workers {
            let call = IWorkers::registerWorkerCall { endpoint: "http://worker".into() };
            world.pay(worker, WORKERS, 1_000 * COIN, call).unwrap();
            for asset in 1..=3 {
                world.serve(worker, asset).unwrap();
            }
        }
        world
    }

    fn register_asset(&mut self, is_open: bool) {
        let registration = IAssets::Registration {
            kind: IAssets::Kind::Model,
            contentHash: keccak256("content"),
            metadataURI: String::new(),
            inputPrice: 1,
            outputPrice: 1,
            derivativeRoyalty: 0,
            derivatives: IAssets::Derivatives::Open,
            edges: vec![],
            members: vec![],
            ownerUnits: U96::ZERO,
            isOpen: is_open,
        };
        self.call(self.creator, ASSETS, IAssets::registerCall { registration }).unwrap();
    }

    /// Offers an asset at a price of 1.
    pub(crate) fn serve(&mut self, worker: Actor, asset: u64) -> Result<(), Failure> {
        let call = IWorkers::serveCall { asset, inputPrice: 1, outputPrice: 1 };
        self.call(worker, WORKERS, call).map(drop)
    }

    /// Calls a protocol and checks the laws.
    pub(crate) fn call<C: SolCall>(
        &mut self,
        from: Actor,
        protocol: Address,
        call: C,
    ) -> Result<C::Return, Failure> {
        self.pay(from, protocol, 0, call)
    }

    /// Calls a protocol with coin and checks the laws.
    #[expect(clippy::needless_pass_by_value, reason = "calls are written where they are made")]
    pub(crate) fn pay<C: SolCall>(
        &mut self,
        from: Actor,
        protocol: Address,
        value: u128,
        call: C,
    ) -> Result<C::Return, Failure> {
        let before = self.state.clone();
        let request = Call {
            caller: from.address,
            value: Amount::from_u128(value),
            data: &call.abi_encode(),
            is_static: false,
        };
        let result = self.state.call(protocol, request);
        self.check_laws(&before);
        if result.is_err() {
            assert_eq!(
                (&self.state.words, &self.state.balances, &self.state.logs),
                (&before.words, &before.balances, &before.logs),
                "a refused call left something behind"
            );
        }
        result.map(|bytes| C::abi_decode_returns(&bytes).unwrap())
    }

    fn check_laws(&self, before: &MemoryState) {
        let all = |state: &MemoryState| Amount::sum(state.balances.values().copied()).unwrap();
        assert_eq!(all(before), all(&self.state), "coin was made or lost");
        for protocol in [CHANNELS, WORKERS, ROYALTIES] {
            let held = self.balance(protocol);
            let owed = liabilities_total(protocol, self.state.slots_of(protocol)).unwrap();
            assert_eq!(owed, U256::from(held), "{protocol} does not hold what it owes");
            let (rise, fall) =
                liabilities_change(protocol, self.changes(before, protocol)).unwrap();
            let had = before.balances.get(&protocol).copied().unwrap_or_default().base_units();
            assert_eq!(had + rise, U256::from(held) + fall, "{protocol} changed beside its words");
        }
    }

    fn changes(&self, before: &MemoryState, protocol: Address) -> Vec<(U256, U256, U256)> {
        let mut words: BTreeMap<U256, (U256, U256)> = BTreeMap::new();
        words.extend(before.slots_of(protocol).map(|(slot, word)| (slot, (word, U256::ZERO))));
        for (slot, word) in self.state.slots_of(protocol) {
            words.entry(slot).or_default().1 = word;
        }
        words.into_iter().map(|(slot, (old, new))| (slot, old, new)).collect()
    }

    /// An account's coin in base units.
    pub(crate) fn balance(&self, account: Address) -> u128 {
        self.state.balances.get(&account).copied().unwrap_or_default().to_u128().unwrap()
    }

    /// Now, in seconds.
    pub(crate) fn now(&self) -> u64 {
        self.state.block.timestamp.0
    }

    /// Lets time pass.
    pub(crate) fn wait(&mut self, seconds: u64) {
        self.state.block.timestamp = self.state.block.timestamp.saturating_add(seconds);
    }

    /// Puts coin into a payer's own deposit.
    pub(crate) fn fund(&mut self, payer: Actor, amount: u128) {
        let call = IChannels::fundCall { payer: payer.address };
        self.pay(payer, CHANNELS, amount, call).unwrap();
    }

    /// A payer's free deposit.
    pub(crate) fn free(&mut self, payer: Actor) -> u128 {
        let call = IChannels::depositOfCall { payer: payer.address };
        self.call(payer, CHANNELS, call).unwrap().to()
    }

    /// A reservation of the first payer for a gateway, valid for an hour.
    pub(crate) fn reservation(&self, gateway: usize, amount: u128) -> IChannels::Reservation {
        IChannels::Reservation {
            payer: self.payers[0].address,
            gateway: self.gateways[gateway].address,
            amount: U96::from(amount),
            nonce: 1,
            validUntil: self.now() + 3_600,
        }
    }

    /// A key grant of the first payer to the second gateway, valid for ten days, for any asset.
    pub(crate) fn grant(&self, max_total: u128, max_per_day: u128) -> IChannels::KeyGrant {
        IChannels::KeyGrant {
            payer: self.payers[0].address,
            gateway: self.gateways[1].address,
            keyId: B256::repeat_byte(1),
            maxTotal: U96::from(max_total),
            maxPerDay: U96::from(max_per_day),
            assets: vec![],
            validUntil: self.now() + 10 * 86_400,
            nonce: 1,
        }
    }

    /// Opens a reservation with its payer's signature.
    pub(crate) fn open(&mut self, reservation: &IChannels::Reservation) -> Result<B256, Failure> {
        let signature = self.actor(reservation.payer).sign(reservation);
        let gateway = self.actor(reservation.gateway);
        let reservation = reservation.clone();
        self.call(gateway, CHANNELS, IChannels::openCall { reservation, signature })
    }

    /// Opens or tops up a grant with its payer's signature.
    pub(crate) fn open_grant(
        &mut self,
        grant: &IChannels::KeyGrant,
        amount: u128,
    ) -> Result<B256, Failure> {
        let signature = self.actor(grant.payer).sign(grant);
        let gateway = self.actor(grant.gateway);
        let (grant, amount) = (grant.clone(), U96::from(amount));
        self.call(gateway, CHANNELS, IChannels::openGrantCall { grant, signature, amount })
    }

    /// A channel's view.
    pub(crate) fn channel(&mut self, id: B256) -> Result<IChannels::Channel, Failure> {
        self.call(self.stranger, CHANNELS, IChannels::channelCall { channelId: id })
    }

    /// The actor of an account.
    pub(crate) fn actor(&self, account: Address) -> Actor {
        let all = [&self.payers[..], &self.gateways, &self.workers, &[self.creator, self.stranger]];
        *all.concat().iter().find(|actor| actor.address == account).unwrap()
    }

    /// A worker's line, signed by it.
    pub(crate) fn line(
        &self,
        channel: B256,
        asset: u64,
        worker: usize,
        cumulative: (u128, u128),
    ) -> IChannels::Line {
        let worker = self.workers[worker];
        let earning = IChannels::Earning {
            channelId: channel,
            asset,
            cumulativeWorker: cumulative.0,
            cumulativeAsset: cumulative.1,
        };
        IChannels::Line {
            asset,
            worker: worker.address,
            cumulativeWorker: cumulative.0,
            cumulativeAsset: cumulative.1,
            signature: worker.sign(&earning),
        }
    }

    /// The honest next claim of a channel: one receipt, the lines' parts with fees, the payer's voucher.
    pub(crate) fn claim(&mut self, id: B256, lines: Vec<IChannels::Line>) -> IChannels::Claim {
        let channel = self.channel(id).unwrap();
        let mut base = channel.base.to::<u128>();
        for line in &lines {
            let call =
                IChannels::earningCall { channelId: id, asset: line.asset, worker: line.worker };
            let before = self.call(self.stranger, CHANNELS, call).unwrap();
            base += line.cumulativeWorker - before.cumulativeWorker;
            base += line.cumulativeAsset - before.cumulativeAsset;
        }
        let fee = |rate: u16| base * u128::from(rate) / 10_000;
        let cumulative = base + fee(channel.protocolFee) + fee(channel.gatewayFee);
        let mut claim = IChannels::Claim {
            channelId: id,
            cumulative: U96::from(cumulative),
            seqFrom: channel.seq,
            seqTo: channel.seq + U24::from(1),
            receiptsRoot: B256::repeat_byte(7),
            voucherAmount: 0,
            voucherSignature: Bytes::new(),
            lines,
        };
        if !channel.isGrant {
            self.vouch(&mut claim, channel.payer, cumulative);
        }
        claim
    }

    /// Puts a payer's voucher on a claim.
    pub(crate) fn vouch(&self, claim: &mut IChannels::Claim, payer: Address, amount: u128) {
        let voucher = IChannels::Voucher { channelId: claim.channelId, cumulativeAmount: amount };
        claim.voucherAmount = amount;
        claim.voucherSignature = self.actor(payer).sign(&voucher);
    }

    /// Sends claims as their first channel's gateway.
    pub(crate) fn collect(&mut self, claims: &[IChannels::Claim]) -> Result<(), Failure> {
        let gateway = self.channel(claims[0].channelId).unwrap().gateway;
        self.collect_as(self.actor(gateway), claims)
    }

    /// Sends claims as anyone.
    pub(crate) fn collect_as(
        &mut self,
        from: Actor,
        claims: &[IChannels::Claim],
    ) -> Result<(), Failure> {
        let call = IChannels::claimBatchCall { claims: claims.to_vec() };
        self.call(from, CHANNELS, call).map(drop)
    }
}
