//! Handovers that a state sync learned and kept.

use crate::{store::StoreError, sync::wire::HandoverParts};
use alloy_rlp::Decodable as _;
use sahara_finality::{Handover, ValidatorSet};

/// Reads one. It was verified before it was kept.
pub(super) fn decode(kept: &[u8]) -> Result<Handover, StoreError> {
    let damaged = |reason: String| StoreError::Damaged { what: "handover", reason };
    let parts = HandoverParts::decode(&mut &*kept).map_err(|error| damaged(error.to_string()))?;
    let HandoverParts { header, seal, certificate, validators } = parts;
    let validators =
        ValidatorSet::decode_proven(&validators).map_err(|error| damaged(error.to_string()))?;
    Ok(Handover { header, seal, certificate, validators })
}
