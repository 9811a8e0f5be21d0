//! [`Ledger`]: what the worker did and what it signed for it, on disk.

use super::StartError;
use crate::{Job, Problem, ProblemCode, Signed, earning_hash, sign};
use alloy_primitives::{Address, B256};
use fjall::{Database, Keyspace, KeyspaceCreateOptions, PersistMode};
use sahara_client::SigningKey;
use sahara_primitives::{
    Amount, AssetId, ChannelId, DeterminismClass, Milliseconds, Prices, Receipt, ReceiptSeq,
    TokenCount,
};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError},
};

/// The version of what is written here.
const FORMAT: u64 = 1;

/// Where [`FORMAT`] stands in `meta`.
const FORMAT_ROW: &str = "format";

/// A job as it stands in the ledger.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct JobRecord {
    pub(super) channel: ChannelId,
    pub(super) asset: AssetId,
    pub(super) gateway: Address,
    pub(super) class: DeterminismClass,
    pub(super) model_root: B256,
    pub(super) worker_prices: Prices,
    pub(super) asset_prices: Prices,
    pub(super) prompt_tokens: TokenCount,
    /// What the meter counted; while the job runs, and if the worker was killed, the job's limit.
    pub(super) most_tokens: TokenCount,
    /// The receipt signed for it.
    pub(super) receipt: Option<B256>,
    /// When it was accepted.
    pub(super) started: Milliseconds,
}

impl JobRecord {
    pub(super) const fn new(
        job: &Job,
        gateway: Address,
        prompt_tokens: TokenCount,
        engine: (DeterminismClass, B256, Milliseconds),
    ) -> Self {
        Self {
            channel: job.channel,
            asset: job.asset,
            gateway,
            class: engine.0,
            model_root: engine.1,
            worker_prices: job.worker_prices,
            asset_prices: job.asset_prices,
            prompt_tokens,
            most_tokens: job.max_tokens,
            receipt: None,
            started: engine.2,
        }
    }
}

/// Everything signed on one channel for one asset.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Earned {
    worker: Amount,
    asset: Amount,
    /// The last receipt's.
    seq: Option<ReceiptSeq>,
    /// The last receipt's job, and what was signed before it.
    last: Option<Last>,
}

/// The last step, which a receipt may take the place of.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
struct Last {
    job: B256,
    worker: Amount,
    asset: Amount,
}

/// What the chain says a worker and an asset have collected on a channel.
pub(super) type Collected = (Amount, Amount);

/// The worker's memory.
#[derive(Clone)]
pub(super) struct Ledger {
    database: Database,
    jobs: Keyspace,
    earned: Keyspace,
    /// Held from reading to writing: signing and a job's end change the same rows.
    writing: Arc<Mutex<()>>,
}

impl std::fmt::Debug for Ledger {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Ledger").finish_non_exhaustive()
    }
}

impl Ledger {
    pub(super) fn open(path: &Path) -> Result<Self, StartError> {
        let database = Database::builder(path).open()?;
        check_format(&database.keyspace("meta", KeyspaceCreateOptions::default)?)?;
        let jobs = database.keyspace("jobs", KeyspaceCreateOptions::default)?;
        let earned = database.keyspace("earned", KeyspaceCreateOptions::default)?;
        Ok(Self { database, jobs, earned, writing: Arc::default() })
    }

    pub(super) fn job(&self, id: B256) -> Result<Option<JobRecord>, Problem> {
        read(&self.jobs, id.as_slice())
    }

    /// Waits until everything written is on the disk. Blocks: some milliseconds.
    pub(super) fn sync(&self) -> Result<(), Problem> {
        self.database.persist(PersistMode::SyncData).map_err(internal)
    }

    /// Forgets jobs accepted before a time; what was signed on their channels stays.
    pub(super) fn purge(&self, before: Milliseconds) -> Result<(), Problem> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut batch = self.database.batch();
        for guard in self.jobs.iter() {
            let (key, value) = guard.into_inner().map_err(internal)?;
            let record: JobRecord = serde_json::from_slice(&value).map_err(internal)?;
            if record.started < before {
                batch.remove(&self.jobs, key);
            }
        }
        batch.commit().map_err(internal)
    }

    /// Remembers a job; survives a kill.
    pub(super) fn write_job(&self, id: B256, record: &JobRecord) -> Result<(), Problem> {
        self.jobs.insert(id.as_slice(), encode(record)?).map_err(internal)
    }

    /// Writes down what the meter counted.
    pub(super) fn write_job_end(&self, id: B256, most_tokens: TokenCount) -> Result<(), Problem> {
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        match self.job(id)? {
            Some(record) => self.write_job(id, &JobRecord { most_tokens, ..record }),
            None => Ok(()),
        }
    }

    /// Checks a receipt against the job and everything signed before, and signs it. What is signed
    /// is on disk first.
    pub(super) fn sign(
        &self,
        id: B256,
        receipt: &Receipt,
        by: (&SigningKey, Option<Collected>),
    ) -> Result<Signed, Problem> {
        let (key, collected) = by;
        let _writing = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        let mut job = self.job(id)?.ok_or_else(|| contradiction("this job was not done here"))?;
        let hash = receipt.hash();
        let earning = earning_hash(receipt).ok_or_else(|| contradiction("amounts above 2^128"))?;
        if job.receipt != Some(hash) {
            if job.receipt.is_some() {
                return Err(contradiction("another receipt was signed for this job"));
            }
            check_terms(&job, receipt)?;
            let account = [receipt.channel.0.as_slice(), &receipt.asset.0.to_be_bytes()].concat();
            let before: Earned = read(&self.earned, &account)?.unwrap_or_default();
            let (after, replaced) = before.add(id, receipt, collected)?;
            job.receipt = Some(hash);
            let mut batch = self.database.batch().durability(Some(PersistMode::SyncAll));
            if let Some(replaced) = replaced
                && let Some(record) = self.job(replaced)?
            {
                let record = JobRecord { receipt: None, ..record };
                batch.insert(&self.jobs, replaced.as_slice(), encode(&record)?);
            }
            batch.insert(&self.jobs, id.as_slice(), encode(&job)?);
            batch.insert(&self.earned, account, encode(&after)?);
            batch.commit().map_err(internal)?;
        }
        Ok(Signed { worker: key.address(), receipt: sign(key, hash), earning: sign(key, earning) })
    }
}

impl Earned {
    /// W1: one step up by exactly this receipt; and the job whose receipt it takes the place of.
    ///
    /// The step is from what was signed last. A gateway that gave up waiting for the last signature
    /// steps from what was signed before it; one that lost its records, from what was collected.
    fn add(
        self,
        job: B256,
        receipt: &Receipt,
        collected: Option<Collected>,
    ) -> Result<(Self, Option<B256>), Problem> {
        let is_from = |(worker, asset): (Amount, Amount)| {
            worker.checked_add(receipt.bill.worker) == Ok(receipt.cumulative_worker)
                && asset.checked_add(receipt.bill.asset) == Ok(receipt.cumulative_asset)
        };
        let (base, replaced) = match self.last {
            _ if is_from((self.worker, self.asset)) => ((self.worker, self.asset), None),
            Some(last) if is_from((last.worker, last.asset)) => {
                ((last.worker, last.asset), Some(last.job))
            }
            _ => match collected.filter(|collected| is_from(*collected)) {
                Some(collected) => (collected, None),
                None => {
                    return Err(self.contradiction(&format!(
                        "expected the receipt to add to {} and {} base units earned on the channel by now",
                        self.worker.base_units(),
                        self.asset.base_units()
                    )));
                }
            },
        };
        if self.seq.is_some_and(|seq| receipt.seq <= seq) {
            return Err(self.contradiction(
                "another receipt with this number, or a later one, was signed before",
            ));
        }
        let after = Self {
            worker: receipt.cumulative_worker,
            asset: receipt.cumulative_asset,
            seq: Some(receipt.seq),
            last: Some(Last { job, worker: base.0, asset: base.1 }),
        };
        Ok((after, replaced))
    }

    fn contradiction(&self, message: &str) -> Problem {
        Problem { last: self.seq, ..contradiction(message) }
    }
}

/// W2: the receipt says what the job was.
fn check_terms(job: &JobRecord, receipt: &Receipt) -> Result<(), Problem> {
    let usage = receipt.usage;
    let equal = [
        ("channel", receipt.channel == job.channel),
        ("asset", receipt.asset == job.asset),
        ("model root", receipt.model_root == job.model_root),
        ("class", receipt.class == job.class),
        ("worker's prices", receipt.worker_prices == job.worker_prices),
        ("asset's prices", receipt.asset_prices == job.asset_prices),
        ("prompt tokens", usage.prompt_tokens == job.prompt_tokens),
        ("completion tokens", usage.completion_tokens <= job.most_tokens),
        ("worker's charge", job.worker_prices.charge(usage) == Ok(receipt.bill.worker)),
        ("asset's charge", job.asset_prices.charge(usage) == Ok(receipt.bill.asset)),
    ];
    match equal.iter().find(|(_, holds)| !holds) {
        Some((field, _)) => {
            Err(contradiction(&format!("the receipt's {field} are not those of the job")))
        }
        None => Ok(()),
    }
}

/// Refuses what a later worker wrote, and says of a ledger without a format which one it has.
fn check_format(meta: &Keyspace) -> Result<(), StartError> {
    let Some(row) = meta.get(FORMAT_ROW)? else {
        return Ok(meta.insert(FORMAT_ROW, FORMAT.to_string())?);
    };
    match serde_json::from_slice(&row) {
        Ok(0) | Err(_) => Err(StartError::Format),
        Ok(found) if found > FORMAT => Err(StartError::NewerFormat { supported: FORMAT, found }),
        Ok(_) => Ok(()),
    }
}

fn contradiction(message: &str) -> Problem {
    Problem::new(ProblemCode::Contradiction, message)
}

fn internal(error: impl std::fmt::Display) -> Problem {
    tracing::error!(%error, "the worker's ledger failed");
    Problem::new(ProblemCode::Internal, "the worker's ledger failed")
}

fn encode(value: &impl Serialize) -> Result<Vec<u8>, Problem> {
    serde_json::to_vec(value).map_err(internal)
}

fn read<T: DeserializeOwned>(keyspace: &Keyspace, key: &[u8]) -> Result<Option<T>, Problem> {
    let Some(bytes) = keyspace.get(key).map_err(internal)? else { return Ok(None) };
    serde_json::from_slice(&bytes).map(Some).map_err(internal)
}

#[cfg(test)]
mod tests;
