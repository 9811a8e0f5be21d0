//! Proofs that validators contradicted themselves, kept until someone submits them.

use super::{
    Store, StoreError,
    tables::{Tables, evidence_key, evidence_seat},
};
use crate::consensus::{Evidence, Fault};
use fjall::{Readable, Snapshot};

/// The most proofs kept of one seat in one epoch: one is enough to convict, a few more show a pattern,
/// and more would let it fill the disk.
pub const MAX_EVIDENCE: usize = 16;

/// The most proofs kept, about 2 MB; then those of the oldest epoch make room.
const MAX_KEPT: usize = 8_192;

impl Store {
    /// Keeps a proof, unless it is known or its seat has [`MAX_EVIDENCE`] already; whether it was
    /// kept. Not waited for until it is on disk: a crash may lose it, other nodes have it too.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    pub fn add_evidence(&self, evidence: &Evidence) -> Result<bool, StoreError> {
        let tables = &self.inner.tables;
        let _writer = self.inner.writer.lock();
        let key = evidence_key(evidence);
        let snapshot = self.inner.database.snapshot();
        let seat = evidence_seat(evidence.epoch, evidence.signer);
        let of_signer = snapshot.prefix(&tables.evidence, seat);
        let known = of_signer.take(MAX_EVIDENCE).count();
        if known >= MAX_EVIDENCE || snapshot.get(&tables.evidence, key)?.is_some() {
            return Ok(false);
        }
        let mut batch = self.inner.database.batch();
        batch.insert(&tables.evidence, key, evidence.proof.as_slice());
        if snapshot.iter(&tables.evidence).take(MAX_KEPT).count() >= MAX_KEPT
            && let Some(oldest) = snapshot.iter(&tables.evidence).next()
        {
            batch.remove(&tables.evidence, oldest.into_inner()?.0);
        }
        batch.commit()?;
        self.inner.refresh()?;
        Ok(true)
    }

    /// All proofs, by epoch, seat and view.
    ///
    /// # Errors
    /// When the store cannot be read.
    pub fn evidence(&self) -> Result<Vec<Evidence>, StoreError> {
        read(&self.inner.tables, &self.inner.view().snapshot)
    }

    /// Bytes on disk by keyspace, what is still in memory tables not counted.
    #[must_use]
    pub fn sizes(&self) -> Vec<(&'static str, u64)> {
        let all = self.inner.tables.all();
        all.into_iter().map(|(name, keyspace)| (name, keyspace.disk_space())).collect()
    }
}

fn read(tables: &Tables, snapshot: &Snapshot) -> Result<Vec<Evidence>, StoreError> {
    let parse = |key: &[u8], proof: &[u8]| {
        let (epoch, rest) = key.split_first_chunk::<8>()?;
        let (signer, rest) = rest.split_first_chunk::<4>()?;
        let (view, fault) = rest.split_first_chunk::<8>()?;
        let [fault] = fault else { return None };
        Some(Evidence {
            epoch: u64::from_be_bytes(*epoch),
            signer: u32::from_be_bytes(*signer),
            view: u64::from_be_bytes(*view),
            fault: Fault::from_byte(*fault)?,
            proof: proof.to_vec(),
        })
    };
    let rows = snapshot.iter(&tables.evidence).map(|row| {
        let (key, proof) = row.into_inner()?;
        parse(&key, &proof).ok_or_else(|| StoreError::damaged("evidence", "expected 21 bytes"))
    });
    rows.collect()
}
