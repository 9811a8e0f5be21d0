//! What gateways and workers send each other, receipts shown to strangers, and model files.

use alloy_primitives::B256;
use sahara_compute::{Bundle, Card, Event, Job, Problem, SignRequest, Signed};
use sahara_engine::{LoadOptions, Model};
use serde_json::from_slice;

pub(crate) fn worker_messages(data: &[u8]) {
    drop(from_slice::<Job>(data));
    drop(from_slice::<Event>(data));
    drop(from_slice::<Card>(data));
    drop(from_slice::<SignRequest>(data));
    drop(from_slice::<Signed>(data));
    drop(from_slice::<Problem>(data));
}

/// Whatever a bundle says, it does not verify under a genesis that nobody knows.
pub(crate) fn bundle(data: &[u8]) {
    if let Ok(bundle) = from_slice::<Bundle>(data) {
        assert!(bundle.verify(B256::repeat_byte(1)).is_err(), "verified under an unknown genesis");
    }
}

/// A creator's file is a stranger's file.
pub(crate) fn model_file(data: &[u8]) {
    drop(Model::from_bytes(data, &LoadOptions::default()));
}
