//! [`TestNode`]: a chain of the protocols' own rules.

use crate::{ChainError, Mined, Node};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use alloy_sol_types::SolCall;
use futures::{FutureExt, future::BoxFuture};
use parking_lot::Mutex;
use sahara_abi::{CHANNELS, DISPUTES, IChannels, IDisputes, IWorkers, WORKERS};
use sahara_client::Log;
use sahara_compute::{ChainProof, ChainSilent, WorkerChain};
use sahara_primitives::{Amount, AssetId, BlockNumber, ChannelId, Milliseconds, Timestamp};
use sahara_protocols::{Call, Failure, MemoryState};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

/// The rules, without consensus: every transaction is a final block.
#[derive(Debug)]
pub(crate) struct TestNode {
    pub(crate) state: Mutex<MemoryState>,
    mined: Mutex<Vec<Mined>>,
    /// Who sends for the gateway.
    pub(crate) sender: Address,
    now: Arc<AtomicU64>,
    /// Transactions are made and their outcome withheld.
    pub(crate) is_deaf: std::sync::atomic::AtomicBool,
    /// Words that a transaction may write, as gas bounds them.
    pub(crate) most_stores: AtomicU64,
    /// How long it takes until a transaction is final.
    pub(crate) block_milliseconds: AtomicU64,
}

impl TestNode {
    pub(crate) fn new(sender: Address, now: &Arc<AtomicU64>) -> Self {
        Self {
            state: Mutex::new(MemoryState::default()),
            mined: Mutex::default(),
            sender,
            now: Arc::clone(now),
            is_deaf: false.into(),
            most_stores: u64::MAX.into(),
            block_milliseconds: 0.into(),
        }
    }

    pub(crate) fn transact(
        &self,
        caller: Address,
        to: Address,
        value: Amount,
        input: &[u8],
    ) -> Result<Mined, ChainError> {
        let mut state = self.state.lock();
        let timestamp = Milliseconds(self.now.load(Ordering::SeqCst)).timestamp();
        state.block.timestamp = timestamp;
        let before = state.logs.len();
        let untouched = state.clone();
        let call = Call { caller, value, data: input, is_static: false };
        state.call(to, call).map_err(refused)?;
        if state.count.stores - untouched.count.stores > self.most_stores.load(Ordering::SeqCst) {
            *state = untouched;
            return Err(ChainError::TooMuch("out of gas".into()));
        }
        let mut all = self.mined.lock();
        let number = u64::try_from(all.len()).unwrap() + 1;
        let hash = keccak256(number.to_be_bytes());
        let logs = state.logs[before..].iter().map(|log| Log {
            inner: log.clone(),
            block_number: Some(number),
            block_timestamp: Some(timestamp.0),
            transaction_hash: Some(hash),
            ..Log::default()
        });
        let mined = Mined { hash, block: number, logs: logs.collect() };
        all.push(mined.clone());
        Ok(mined)
    }

    pub(crate) fn view<C: SolCall>(&self, to: Address, call: &C) -> C::Return {
        let input = call.abi_encode();
        let call =
            Call { caller: Address::ZERO, value: Amount::ZERO, data: &input, is_static: true };
        C::abi_decode_returns(&self.state.lock().call(to, call).unwrap()).unwrap()
    }

    /// Calls with coin.
    pub(crate) fn pay_as<C: SolCall>(
        &self,
        caller: Address,
        to: Address,
        value: Amount,
        call: &C,
    ) -> Mined {
        self.transact(caller, to, value, &call.abi_encode()).unwrap()
    }

    pub(crate) fn send_as(&self, caller: Address, to: Address, input: &[u8]) {
        self.transact(caller, to, Amount::ZERO, input).unwrap();
    }

    pub(crate) fn channel(&self, id: ChannelId) -> IChannels::Channel {
        self.view(CHANNELS, &IChannels::channelCall { channelId: id.0 })
    }

    /// The asset loses a dispute, without one: its standing (specs/0019-disputes.md, map 2) has 32, 64 and 64 bits
    /// before the one that says so.
    pub(crate) fn delist(&self, asset: u64) {
        let key = keccak256([&[2_u8][..], &asset.to_be_bytes()].concat());
        let mut slot = [0_u8; 32];
        slot[0] = 2;
        slot[1..31].copy_from_slice(&key[..30]);
        let place = (DISPUTES, U256::from_be_bytes(slot));
        self.state.lock().words.insert(place, U256::ONE << 95);
        assert!(self.view(DISPUTES, &IDisputes::standingCall { asset }).isDelisted);
    }

    pub(crate) fn blocks(&self) -> Vec<Mined> {
        self.mined.lock().clone()
    }

    pub(crate) fn balance(&self, account: Address) -> Amount {
        self.state.lock().balances.get(&account).copied().unwrap_or_default()
    }
}

fn refused(failure: Failure) -> ChainError {
    match failure {
        Failure::Revert(data) => {
            let revert = sahara_client::Revert::from_data(data);
            ChainError::Refused { name: revert.name.clone(), text: revert.text }
        }
        other => ChainError::Unknown(format!("{other:?}")),
    }
}

impl Node for TestNode {
    fn head(&self) -> BoxFuture<'_, Result<u64, ChainError>> {
        async { Ok(u64::try_from(self.mined.lock().len()).unwrap()) }.boxed()
    }

    fn time(&self) -> BoxFuture<'_, Result<Timestamp, ChainError>> {
        async { Ok(Milliseconds(self.now.load(Ordering::SeqCst)).timestamp()) }.boxed()
    }

    fn call(&self, to: Address, input: Bytes) -> BoxFuture<'_, Result<Bytes, ChainError>> {
        async move {
            // Expiry is by the block's time, as on a chain with heartbeats.
            let timestamp = Milliseconds(self.now.load(Ordering::SeqCst)).timestamp();
            self.state.lock().block.timestamp = timestamp;
            let call =
                Call { caller: Address::ZERO, value: Amount::ZERO, data: &input, is_static: true };
            self.state.lock().call(to, call).map_err(refused)
        }
        .boxed()
    }

    fn send(&self, to: Address, input: Bytes) -> BoxFuture<'_, Result<Mined, ChainError>> {
        async move {
            let mined = self.transact(self.sender, to, Amount::ZERO, &input)?;
            self.now.fetch_add(self.block_milliseconds.load(Ordering::SeqCst), Ordering::SeqCst);
            match self.is_deaf.load(Ordering::SeqCst) {
                true => Err(ChainError::Unknown("the reply was lost".into())),
                false => Ok(mined),
            }
        }
        .boxed()
    }

    fn logs(
        &self,
        blocks: (u64, u64),
        accounts: Vec<Address>,
        channel: Option<B256>,
    ) -> BoxFuture<'_, Result<Vec<Log>, ChainError>> {
        async move {
            let mined = self.mined.lock();
            let logs = mined.iter().filter(|one| (blocks.0..=blocks.1).contains(&one.block));
            let logs = logs.flat_map(|one| one.logs.clone());
            let wanted = |log: &Log| {
                accounts.contains(&log.inner.address)
                    && channel.is_none_or(|topic| log.inner.topics().get(1) == Some(&topic))
            };
            Ok(logs.filter(wanted).collect())
        }
        .boxed()
    }

    fn mined(&self, hash: B256) -> BoxFuture<'_, Result<Option<Mined>, ChainError>> {
        async move { Ok(self.mined.lock().iter().find(|one| one.hash == hash).cloned()) }.boxed()
    }

    fn receipt_proof(
        &self,
        _: B256,
        _: BlockNumber,
    ) -> BoxFuture<'_, Result<ChainProof, ChainError>> {
        async { Err(ChainError::Unknown("this chain has no blocks to prove".into())) }.boxed()
    }
}

impl WorkerChain for TestNode {
    fn is_bonded(&self, account: Address) -> BoxFuture<'_, Result<bool, ChainSilent>> {
        let gateway = self.view(WORKERS, &IWorkers::gatewayCall { account });
        let least = self.view(WORKERS, &IWorkers::minimumBondCall {});
        async move { Ok(gateway.bond >= least && gateway.leavingAt == 0) }.boxed()
    }

    fn collected(
        &self,
        channel: ChannelId,
        asset: AssetId,
        worker: Address,
    ) -> BoxFuture<'_, Result<(Amount, Amount), ChainSilent>> {
        let call = IChannels::earningCall { channelId: channel.0, asset: asset.0, worker };
        let paid = self.view(CHANNELS, &call);
        let paid = [paid.cumulativeWorker, paid.cumulativeAsset].map(Amount::from_u128);
        async move { Ok((paid[0], paid[1])) }.boxed()
    }
}
