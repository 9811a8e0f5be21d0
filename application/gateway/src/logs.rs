//! Usage logs: what was settled in a period becomes an asset, for each asset that was used.
//!
//! ```text
//! chain's events -> claims of a closed period, by asset -> registered (a Records edge) -> given to the asset's owner -> row
//! ```
//!
//! Everything is read from the chain, in its order: the same claims make the same root whoever adds
//! them up. A kill between two steps is found on chain by the content hash: no log is registered
//! twice, and none is forgotten.

use crate::{
    chain::{ChainError, Mined},
    error::ApiError,
    gateway::Gateway,
    store::{get, put},
};
use alloy_primitives::{Address, B256, U256, aliases::U96};
use alloy_sol_types::{SolCall, SolEvent};
use sahara_abi::{
    ASSETS, CHANNELS,
    IAssets::{self, Derivatives, Kind, Member, Relation},
    IChannels,
};
use sahara_client::Log;
use sahara_primitives::{
    Amount, AssetId, ChannelId, LoggedClaim, ReceiptSeq, Timestamp, UsageLog, merkle,
};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::{MissedTickBehavior, interval};

/// How often it is looked whether a period has ended.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// Blocks of one question for events.
const BLOCKS: u64 = 5_000;
/// Units that go with the log's ownership: half, for the owner of what was used.
const OWNER_UNITS: u64 = 5_000_000;
/// Units of the payers, by what they paid: it is their use.
const PAYER_UNITS: u64 = 4_000_000;
/// Units of the gateway, which keeps the receipts and pays for the registration.
const GATEWAY_UNITS: u64 = 1_000_000;
/// Payers that get units, those who paid most first: 200 members fit in one transaction.
const MOST_PAYERS: usize = 150;
/// What a descendant pays to the log, basis points: as a dataset in the middle of the range.
const ROYALTY: u16 = 500;

/// Up to where the chain's claims are in logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Cursor {
    /// Claims before this time are.
    pub(crate) until: Timestamp,
    /// No claim after it is in an earlier block.
    pub(crate) block: u64,
}

/// A registered log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct LogRow {
    /// Its asset.
    pub(crate) log: AssetId,
    pub(crate) covers: UsageLog,
    pub(crate) claims: Vec<LoggedClaim>,
    pub(crate) transaction: B256,
    /// Place of `Registered` among the transaction's logs.
    pub(crate) log_index: u64,
}

/// The key of a log: those of an asset in the order of their ends.
pub(crate) fn log_key(asset: AssetId, to: Timestamp) -> Vec<u8> {
    [asset.0.to_be_bytes(), to.0.to_be_bytes()].concat()
}

const CURSOR: &[u8] = b"logs";

/// What was used of one asset in one period.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Used {
    claims: Vec<LoggedClaim>,
    /// Worker and asset parts by payer.
    paid: BTreeMap<Address, Amount>,
}

/// The chain's events, sorted by period and asset.
#[derive(Debug)]
struct Reading {
    gateway: Address,
    seconds: u64,
    used: BTreeMap<((Timestamp, Timestamp), AssetId), Used>,
    /// Usage logs of this gateway by content hash.
    registered: BTreeMap<B256, B256>,
    /// Lines of a channel whose claim has not been read yet.
    lines: BTreeMap<B256, BTreeMap<AssetId, Amount>>,
    /// Blocks of claims, by their period.
    first_blocks: BTreeMap<Timestamp, u64>,
}

impl Reading {
    fn read(&mut self, log: &Log) {
        let (at, block) = (log.block_timestamp, log.block_number);
        let (Some(at), Some(block)) = (at.map(Timestamp), block) else { return };
        let hash = log.transaction_hash.unwrap_or_default();
        let log = &log.inner;
        if log.address == ASSETS {
            if let Ok(event) = IAssets::Registered::decode_log(log)
                && event.creator == self.gateway
                && event.kind == Kind::UsageLog
            {
                self.registered.insert(event.contentHash, hash);
            }
        } else if let Ok(event) = IChannels::Earned::decode_log(log) {
            let amount = event.workerAmount.saturating_add(event.assetAmount);
            let lines = self.lines.entry(event.channelId).or_default();
            let sum = lines.entry(AssetId(event.asset)).or_default();
            *sum = Amount::from_base_units(sum.base_units().saturating_add(amount));
        } else if let Ok(event) = IChannels::Collected::decode_log(log) {
            let lines = self.lines.remove(&event.channelId).unwrap_or_default();
            if event.gateway == self.gateway {
                self.claim(&event, lines, (at, block));
            }
        }
    }

    fn claim(
        &mut self,
        event: &IChannels::Collected,
        lines: BTreeMap<AssetId, Amount>,
        (at, block): (Timestamp, u64),
    ) {
        let claim = LoggedClaim {
            channel: ChannelId(event.channelId),
            from: ReceiptSeq(event.seqFrom.to()),
            to: ReceiptSeq(event.seqTo.to()),
            receipts_root: event.receiptsRoot,
        };
        let period = at.period(self.seconds);
        self.first_blocks.entry(period.0).or_insert(block);
        for (asset, amount) in lines {
            let used = self.used.entry((period, asset)).or_default();
            used.claims.push(claim);
            let paid = used.paid.entry(event.payer).or_default();
            *paid = paid.checked_add(amount).unwrap_or(*paid);
        }
    }
}

/// The members of a log's pool beside its owner: payers by what they paid, and the gateway.
fn members(paid: &BTreeMap<Address, Amount>, gateway: Address) -> (Vec<Member>, U96) {
    let mut payers: Vec<_> = paid.iter().map(|(payer, paid)| (*paid, *payer)).collect();
    payers.sort_unstable_by(|one, other| other.cmp(one));
    payers.truncate(MOST_PAYERS);
    let total = payers.iter().fold(U256::ZERO, |sum, one| sum.saturating_add(one.0.base_units()));
    let mut left = PAYER_UNITS;
    let mut members = vec![Member { account: gateway, units: U96::from(GATEWAY_UNITS) }];
    for (paid, payer) in payers {
        let units = paid.base_units().saturating_mul(U256::from(PAYER_UNITS)).checked_div(total);
        let units = units.unwrap_or_default().saturating_to::<u64>();
        if units > 0 && payer != gateway {
            left = left.saturating_sub(units);
            members.push(Member { account: payer, units: U96::from(units) });
        }
    }
    // What division leaves goes with ownership.
    (members, U96::from(OWNER_UNITS.saturating_add(left)))
}

impl Gateway {
    /// Closes periods for ever.
    pub(crate) async fn log_loop(&self) {
        let mut looks = interval(LOOK_EVERY);
        looks.set_missed_tick_behavior(MissedTickBehavior::Delay);
        loop {
            looks.tick().await;
            if let Err(error) = self.close_periods().await {
                tracing::warn!(%error, "usage logs wait");
            }
        }
    }

    /// Registers the logs of all periods that have ended on chain (L1 to L4).
    pub(crate) async fn close_periods(&self) -> Result<(), ApiError> {
        let seconds = self.config.log_period;
        let cursor = get::<Cursor>(&self.store().marks, CURSOR)?.unwrap_or_default();
        if self.now().timestamp().period(seconds).0 <= cursor.until {
            return Ok(());
        }
        // In this order: a claim of an ended period is in a block that is read.
        let (current, _) = self.chain().0.time().await?.period(seconds);
        if current <= cursor.until {
            return Ok(());
        }
        let head = self.chain().0.head().await?;
        let reading = self.read_claims((cursor.block, head)).await?;
        for ((period, asset), used) in &reading.used {
            if period.0 >= cursor.until && period.1 <= current {
                self.close(*asset, *period, (used, &reading.registered)).await?;
            }
        }
        let next = reading.first_blocks.range(current..).next().map(|(_, block)| *block);
        let block = next.unwrap_or_else(|| head.saturating_add(1));
        put(&self.store().marks, CURSOR, &Cursor { until: current, block })
    }

    async fn read_claims(&self, (from, to): (u64, u64)) -> Result<Reading, ApiError> {
        let mut reading = Reading {
            gateway: self.address(),
            seconds: self.config.log_period,
            used: BTreeMap::new(),
            registered: BTreeMap::new(),
            lines: BTreeMap::new(),
            first_blocks: BTreeMap::new(),
        };
        let mut next = from;
        while next <= to {
            let last = next.saturating_add(BLOCKS.saturating_sub(1)).min(to);
            let logs = self.chain().0.logs((next, last), vec![ASSETS, CHANNELS], None).await?;
            logs.iter().for_each(|log| reading.read(log));
            next = last.saturating_add(1);
        }
        Ok(reading)
    }

    /// Registers one log, unless it is registered, and gives it to the owner of what was used.
    async fn close(
        &self,
        asset: AssetId,
        (from, to): (Timestamp, Timestamp),
        (used, registered): (&Used, &BTreeMap<B256, B256>),
    ) -> Result<(), ApiError> {
        let key = log_key(asset, to);
        if get::<LogRow>(&self.store().logs, &key)?.is_some() {
            return Ok(());
        }
        let covers =
            UsageLog { chain_id: self.chain_id(), gateway: self.address(), asset, from, to };
        let root = covers.root_of(&used.claims);
        let mined = match registered.get(&root) {
            Some(hash) => self.chain().0.mined(*hash).await?,
            None => self.register_log(&covers, used, root).await?,
        };
        let Some(mined) = mined else { return Ok(()) };
        let Some((log_index, log)) = found(&mined, root) else {
            return Err(ApiError::internal("a usage log's registration is not where it was"));
        };
        self.give(log, asset).await?;
        let (claims, transaction) = (used.claims.clone(), mined.hash);
        put(&self.store().logs, &key, &LogRow { log, covers, claims, transaction, log_index })?;
        tracing::info!(%log, %asset, claims = used.claims.len(), "registered a usage log");
        Ok(())
    }

    /// None where the registry refuses: then this period of the asset has no log.
    async fn register_log(
        &self,
        covers: &UsageLog,
        used: &Used,
        root: B256,
    ) -> Result<Option<Mined>, ApiError> {
        let (members, owner_units) = members(&used.paid, self.address());
        let registration = IAssets::Registration {
            kind: Kind::UsageLog,
            contentHash: root,
            metadataURI: self.log_card(covers, used),
            inputPrice: 0,
            outputPrice: 0,
            derivativeRoyalty: ROYALTY,
            derivatives: Derivatives::Approval,
            edges: vec![IAssets::Edge { parent: covers.asset.0, relation: Relation::Records }],
            members,
            ownerUnits: owner_units,
            isOpen: false,
        };
        let call = IAssets::registerCall { registration }.abi_encode();
        match self.chain().0.send(ASSETS, call.into()).await {
            Ok(mined) => Ok(Some(mined)),
            Err(ChainError::Refused { text, .. } | ChainError::TooMuch(text)) => {
                tracing::warn!(%text, asset = %covers.asset, "a usage log was refused");
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// What the log's metadata says; nothing that is not on chain already.
    fn log_card(&self, covers: &UsageLog, used: &Used) -> String {
        let name = self.catalog.find(&covers.asset.to_string());
        let name = name.map_or_else(|| format!("asset {}", covers.asset), |one| one.name.clone());
        let receipts = used.claims.iter().map(|one| one.to.0.saturating_sub(one.from.0));
        let card = json!({
            "name": format!("Usage of {name}, {} to {}", covers.from.0, covers.to.0),
            "hash": UsageLog::DOMAIN,
            "covers": covers,
            "claims": used.claims.len(),
            "receipts": receipts.fold(0_u32, u32::saturating_add),
            "payers": used.paid.len(),
        });
        format!("data:application/json,{card}")
    }

    /// L4: the owner of what was used owns the log.
    async fn give(&self, log: AssetId, asset: AssetId) -> Result<(), ApiError> {
        let (from, to) = (self.address(), self.chain().owner(asset).await?);
        if to == from || self.chain().owner(log).await? != from {
            return Ok(());
        }
        let call = IAssets::transferFromCall { from, to, tokenId: log.into() }.abi_encode();
        match self.chain().0.send(ASSETS, call.into()).await {
            Ok(_) => Ok(()),
            Err(ChainError::Refused { text, .. } | ChainError::TooMuch(text)) => {
                tracing::warn!(%text, %log, "a usage log stays with its gateway");
                Ok(())
            }
            Err(error) => Err(error.into()),
        }
    }

    /// The log that holds a claim settled at this time for an asset.
    pub(crate) fn log_of(
        &self,
        asset: AssetId,
        settled: Timestamp,
    ) -> Result<Option<LogRow>, ApiError> {
        let range = log_key(asset, settled.saturating_add(1))..=log_key(asset, Timestamp(u64::MAX));
        let Some(guard) = self.store().logs.range(range).next() else { return Ok(None) };
        let value = guard.value().map_err(ApiError::internal)?;
        let row: LogRow = serde_json::from_slice(&value).map_err(ApiError::internal)?;
        Ok(Some(row).filter(|row| row.covers.covers(settled)))
    }
}

impl LogRow {
    /// Root over its claims, and the place of one of them.
    pub(crate) fn prove(&self, claim: &LoggedClaim) -> Option<(B256, merkle::MerkleProof)> {
        let leaves: Vec<_> = self.claims.iter().map(LoggedClaim::hash).collect();
        let place = self.claims.iter().position(|one| one == claim)?;
        Some((merkle::root(&leaves), merkle::prove(&leaves, place)?))
    }
}

/// Where a transaction registers the asset with this content.
fn found(mined: &Mined, content: B256) -> Option<(u64, AssetId)> {
    let mut logs = mined.logs.iter().enumerate();
    logs.find_map(|(index, log)| {
        let event = IAssets::Registered::decode_log(&log.inner).ok()?;
        let is_it = log.inner.address == ASSETS && event.contentHash == content;
        is_it.then_some((u64::try_from(index).ok()?, AssetId(event.asset)))
    })
}
