//! What a node counts and measures, in the text format of Prometheus (`OpenMetrics`).
//!
//! Counters and histograms are fed where things happen; gauges of the chain, pool and store are read
//! when someone asks. Others (the RPC) add their own with [`NodeMetrics::register`].

mod supply;

use self::supply::SupplyGauges;
use crate::{pool::Pool, store::Store, upgrade};
use alloy_primitives::U256;
use parking_lot::Mutex;
use prometheus_client::{
    encoding::{EncodeLabelSet, EncodeLabelValue, text::encode_registry},
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
    },
    registry::{Registry, Unit},
};
use sahara_finality::Block;
use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
};

/// The metrics of one node. Clones share them.
#[derive(Clone)]
pub struct NodeMetrics {
    registry: Arc<Mutex<Registry>>,
    pub(crate) build_seconds: Histogram,
    pub(crate) execute_seconds: Histogram,
    pub(crate) commit_seconds: Histogram,
    pub(crate) banished: Counter,
    pub(crate) evidence: Counter,
    transactions: Counter,
    gas_used: Counter,
    supply_checks: Family<SupplyLabels, Counter>,
    recovered: Counter,
    recovered_units: Counter<f64, AtomicU64>,
    gauges: Arc<Gauges>,
}

#[derive(Debug, Default)]
struct Gauges {
    height: Gauge,
    timestamp: Gauge,
    first_block: Gauge,
    missing_past: Gauge,
    missing_upgrade: Gauge,
    block_gas_used: Gauge,
    base_fee: Gauge,
    pool_pending: Gauge,
    pool_queued: Gauge,
    pool_bytes: Gauge,
    store_bytes: Family<StoreLabels, Gauge>,
    disk_free: Gauge,
    supply: SupplyGauges,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct SupplyLabels {
    outcome: SupplyCheck,
}

#[derive(Clone, Debug, PartialEq, Eq, Hash, EncodeLabelSet)]
struct StoreLabels {
    keyspace: &'static str,
}

/// How a block stands against the supply law.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, EncodeLabelValue)]
pub(crate) enum SupplyCheck {
    /// It keeps it.
    Kept,
    /// It breaks it, and was not taken.
    Broken,
}

impl fmt::Debug for NodeMetrics {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("NodeMetrics").field("gauges", &self.gauges).finish_non_exhaustive()
    }
}

/// From a tenth of a millisecond to about 26 seconds.
fn seconds() -> Histogram {
    Histogram::new(exponential_buckets(0.0001, 2.0, 19))
}

impl Default for NodeMetrics {
    fn default() -> Self {
        Self::new()
    }
}

impl NodeMetrics {
    /// Metrics at zero.
    #[must_use]
    pub fn new() -> Self {
        let new = Self {
            registry: Arc::new(Mutex::new(Registry::with_prefix("sahara"))),
            build_seconds: seconds(),
            execute_seconds: seconds(),
            commit_seconds: seconds(),
            banished: Counter::default(),
            evidence: Counter::default(),
            transactions: Counter::default(),
            gas_used: Counter::default(),
            supply_checks: Family::default(),
            recovered: Counter::default(),
            recovered_units: Counter::default(),
            gauges: Arc::default(),
        };
        // Shown at zero from the beginning, so that an alert has something to compare with.
        for outcome in [SupplyCheck::Kept, SupplyCheck::Broken] {
            drop(new.supply_checks.get_or_create(&SupplyLabels { outcome }));
        }
        new.register(|registry| {
            new.register_work(registry);
            new.gauges.register(registry);
        });
        new
    }

    /// Lets others add metrics to the same page. Names begin with `sahara_` by themselves.
    pub fn register(&self, add: impl FnOnce(&mut Registry)) {
        add(&mut self.registry.lock());
    }

    fn register_work(&self, to: &mut Registry) {
        let second = || Unit::Seconds;
        let (build, execute) = (self.build_seconds.clone(), self.execute_seconds.clone());
        to.register_with_unit(
            "block_build",
            "Time to build a block from the pool",
            second(),
            build,
        );
        to.register_with_unit("block_execute", "Time to execute a peer's block", second(), execute);
        let commit = self.commit_seconds.clone();
        to.register_with_unit("block_commit", "Time to write a final block", second(), commit);
        let transactions = self.transactions.clone();
        to.register("transactions", "Transactions in blocks that became final here", transactions);
        to.register("gas_used", "Gas of blocks that became final here", self.gas_used.clone());
        let checks = self.supply_checks.clone();
        to.register("supply_checks", "Executed blocks held against the supply law", checks);
        let help = "Times that coin no books know of went to the incentive pool";
        to.register("recovered", help, self.recovered.clone());
        let units = self.recovered_units.clone();
        to.register("recovered_base_units", "Coin no books know of, in base units", units);
        let help = "Transactions left out because executing them breaks this node's rules";
        to.register("banished_transactions", help, self.banished.clone());
        let help = "Proofs that a validator contradicted itself, kept in the store";
        to.register("evidence", help, self.evidence.clone());
    }

    /// Counts a block that became final.
    pub(crate) fn count_block(&self, block: &Block) {
        self.transactions.inc_by(u64::try_from(block.transactions.len()).unwrap_or(u64::MAX));
        self.gas_used.inc_by(block.header.gas_used);
    }

    pub(crate) fn count_supply_check(&self, outcome: SupplyCheck) {
        self.supply_checks.get_or_create(&SupplyLabels { outcome }).inc();
    }

    pub(crate) fn count_recovered(&self, amount: U256) {
        self.recovered.inc();
        self.recovered_units.inc_by(f64::from(amount));
    }

    /// How often coin that no books know of was recovered: zero unless a user forced it.
    #[must_use]
    pub fn recovered(&self) -> u64 {
        self.recovered.get()
    }

    /// How many transactions were banished.
    #[must_use]
    pub fn banished(&self) -> u64 {
        self.banished.get()
    }

    /// Everything, in `OpenMetrics` text without its closing line, after the gauges were read anew.
    #[must_use]
    pub fn encode(&self, store: &Store, pool: &Pool) -> String {
        self.gauges.read(store, pool);
        let mut text = String::new();
        // Writing into memory cannot fail.
        if encode_registry(&mut text, &self.registry.lock()).is_err() {
            text.clear();
        }
        text
    }
}

impl Gauges {
    fn register(&self, to: &mut Registry) {
        to.register("block_height", "Number of the last final block", self.height.clone());
        let timestamp = self.timestamp.clone();
        let help = "Unix time of the last final block";
        to.register_with_unit("block_timestamp", help, Unit::Seconds, timestamp);
        let help = "First block that is here with its receipts; 0 if all are";
        to.register("first_block", help, self.first_block.clone());
        let help = "Blocks from before a state sync that are still to be fetched";
        to.register("missing_past_blocks", help, self.missing_past.clone());
        let help = "First block that needs an upgrade which this program lacks; 0 if there is none";
        to.register("missing_upgrade_block", help, self.missing_upgrade.clone());
        let gas = self.block_gas_used.clone();
        to.register("block_gas_used", "Gas used by the last final block", gas);
        let fee = self.base_fee.clone();
        to.register("base_fee_base_units", "Base fee per gas of the last final block", fee);
        let pending = self.pool_pending.clone();
        to.register("pool_pending_transactions", "Waiting transactions that can run", pending);
        let queued = self.pool_queued.clone();
        to.register("pool_queued_transactions", "Waiting transactions behind a gap", queued);
        let bytes = self.pool_bytes.clone();
        to.register_with_unit("pool", "Size of all waiting transactions", Unit::Bytes, bytes);
        let store = self.store_bytes.clone();
        to.register_with_unit("store", "Size on disk, by keyspace", Unit::Bytes, store);
        let help = "Free on the file system of the data directory; without any the node stops";
        to.register_with_unit("disk_free", help, Unit::Bytes, self.disk_free.clone());
        self.supply.register(to);
    }

    fn read(&self, store: &Store, pool: &Pool) {
        let (head, status) = (store.head(), pool.status());
        set(&self.height, head.number);
        set(&self.timestamp, head.header.timestamp);
        set(&self.first_block, store.first_block());
        set(&self.missing_past, store.missing_past());
        set(&self.missing_upgrade, upgrade::missing(store).map_or(0, |(height, _)| height));
        set(&self.block_gas_used, head.header.gas_used);
        set(&self.base_fee, head.header.base_fee_per_gas.unwrap_or_default());
        set(&self.pool_pending, u64::try_from(status.pending).unwrap_or(u64::MAX));
        set(&self.pool_queued, u64::try_from(status.queued).unwrap_or(u64::MAX));
        set(&self.pool_bytes, u64::try_from(status.bytes).unwrap_or(u64::MAX));
        self.supply.read(store);
        for (keyspace, bytes) in store.sizes() {
            set(&self.store_bytes.get_or_create(&StoreLabels { keyspace }), bytes);
        }
        // Where the system does not say, no alert is to sound.
        set(&self.disk_free, store.free_bytes().unwrap_or(u64::MAX));
    }
}

fn set(gauge: &Gauge, value: u64) {
    gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
}
