//! What the hash of block 0 proves of what strangers say.

use std::num::NonZeroU64;

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes};
use alloy_rlp::Decodable as _;
use sahara_finality::{
    Block, Handover, LightClient, LightError, Succession, ValidatorSet, certificate_epoch,
    closes_epoch, decode_header, epoch_of,
};

use super::wire::{HandoverParts, MAX_HEADERS};
use crate::store::{Base, Genesis, Pivot};

/// Follows the validator sets from block 0 on.
#[derive(Debug)]
pub struct Trust {
    client: LightClient,
    epoch_length: NonZeroU64,
}

/// Why something is not of this chain. Whoever says it lies.
#[derive(Debug, thiserror::Error)]
pub enum TrustError {
    /// It is not final.
    #[error(transparent)]
    Light(#[from] LightError),
    /// It does not fit what was asked for.
    #[error("{0}")]
    Unfit(&'static str),
    /// It is not what it should be the encoding of.
    #[error("malformed {what}: {reason}")]
    Malformed {
        /// What.
        what: &'static str,
        /// Why not.
        reason: String,
    },
}

impl TrustError {
    fn malformed(what: &'static str, reason: &impl ToString) -> Self {
        Self::Malformed { what, reason: reason.to_string() }
    }
}

/// The headers of a state's block and of what it builds on.
#[derive(Clone, Debug, Default)]
pub struct BaseParts {
    /// See [`Base::block`].
    pub block: Option<Block>,
    /// See [`Base::headers`].
    pub headers: Option<Vec<Bytes>>,
    /// See [`Base::before_epoch`].
    pub before_epoch: Option<(Block, Bytes)>,
}

impl Trust {
    /// Trusts block 0.
    ///
    /// # Errors
    /// When block 0 does not commit to these validators.
    pub fn new(
        genesis: &Genesis,
        validators: ValidatorSet,
        epoch_length: NonZeroU64,
    ) -> Result<Self, TrustError> {
        let header = alloy_rlp::encode(&genesis.block.header);
        let client = LightClient::new(genesis.block.hash(), &header, genesis.chain_id, validators)?;
        Ok(Self { client, epoch_length })
    }

    /// The last block of the last epoch handed over; 0 for none.
    #[must_use]
    pub fn last(&self) -> u64 {
        self.client.last_end()
    }

    /// Who validates in the last epoch known.
    #[must_use]
    pub fn validators(&self) -> Option<&ValidatorSet> {
        self.client.validators(u64::MAX)
    }

    /// Follows to the next set.
    ///
    /// # Errors
    /// When the epoch does not end so.
    pub fn learn(&mut self, parts: &HandoverParts) -> Result<u64, TrustError> {
        let proven = self.prove(parts)?;
        let number = proven.end();
        self.believe(proven);
        Ok(number)
    }

    /// As [`Self::learn`] without following yet: what is not kept on disk must not be passed over as
    /// known.
    ///
    /// # Errors
    /// When the epoch does not end so.
    pub fn prove(&self, parts: &HandoverParts) -> Result<Succession, TrustError> {
        let HandoverParts { header, seal, certificate, validators } = parts.clone();
        let number =
            decode_header(&header).map_err(|error| TrustError::malformed("header", &error))?.number;
        if number <= self.last() || !closes_epoch(number, self.epoch_length) {
            return Err(TrustError::Unfit("a handover is the last block of an epoch, in order"));
        }
        self.check_epoch(number, &certificate)?;
        let validators = ValidatorSet::decode(&validators)
            .map_err(|error| TrustError::malformed("validator set", &error))?;
        Ok(self.client.prove(&Handover { header, seal, certificate, validators })?)
    }

    /// Follows to a set that was proven.
    pub fn believe(&mut self, proven: Succession) {
        self.client.believe(proven);
    }

    /// Reads a handover that was kept.
    ///
    /// # Errors
    /// When it is damaged.
    pub fn recall(&mut self, encoded: &[u8]) -> Result<u64, TrustError> {
        let parts = HandoverParts::decode(&mut &*encoded)
            .map_err(|error| TrustError::malformed("handover", &error))?;
        self.learn(&parts)
    }

    /// The header of a block whose state is offered, and its hash.
    ///
    /// # Errors
    /// When it is not final.
    pub fn pivot(&self, pivot: &Pivot) -> Result<(Header, B256), TrustError> {
        let verified = self.client.verify(&pivot.header, &pivot.certificate)?;
        let header = verified.header().clone();
        self.check_epoch(header.number, &pivot.certificate)?;
        if header.number == 0 {
            return Err(TrustError::Unfit("the state of block 0 is in the genesis file"));
        }
        Ok((header, verified.hash()))
    }

    fn check_epoch(&self, number: u64, certificate: &[u8]) -> Result<(), TrustError> {
        let epoch = certificate_epoch(certificate).map_err(LightError::from)?;
        if epoch == epoch_of(number, self.epoch_length) {
            return Ok(());
        }
        Err(TrustError::Unfit("a certificate is of another epoch than its block"))
    }

    /// The block before the epoch in which the chain goes on after `number`, if it is neither block
    /// 0's nor `number` itself.
    #[must_use]
    pub fn before_epoch(&self, number: u64) -> Option<u64> {
        let epoch = epoch_of(number.saturating_add(1), self.epoch_length);
        let before = epoch.saturating_mul(self.epoch_length.get()).checked_sub(1)?;
        (before < number).then_some(before)
    }

    /// How many headers before `number` are wanted.
    #[must_use]
    pub fn headers_before(number: u64) -> u64 {
        number.min(u64::try_from(MAX_HEADERS).unwrap_or(u64::MAX))
    }

    /// Takes the headers before `target`.
    ///
    /// # Errors
    /// When they are not those.
    pub fn headers(
        &self,
        target: &Header,
        headers: Vec<Bytes>,
        base: &mut BaseParts,
    ) -> Result<(), TrustError> {
        let wanted = Self::headers_before(target.number);
        if u64::try_from(headers.len()).ok() != Some(wanted) {
            return Err(TrustError::Unfit("another number of headers than asked for"));
        }
        let mut above = (target.number, target.parent_hash);
        for bytes in headers.iter().rev() {
            let header =
                decode_header(bytes).map_err(|error| TrustError::malformed("header", &error))?;
            if Some(header.number) != above.0.checked_sub(1) || header.hash_slow() != above.1 {
                return Err(TrustError::Unfit("a header is not the one that its child names"));
            }
            above = (header.number, header.parent_hash);
        }
        base.headers = Some(headers);
        Ok(())
    }

    /// Takes the block of the state, or the one before its epoch.
    ///
    /// # Errors
    /// When it is not the one asked for, or not final.
    pub fn block(
        &self,
        (number, target): (u64, B256),
        (encoded, certificate): (&[u8], Bytes),
        base: &mut BaseParts,
    ) -> Result<(), TrustError> {
        let block =
            Block::decode(encoded).map_err(|error| TrustError::malformed("block", &error))?;
        if block.header.number != number {
            return Err(TrustError::Unfit("another block than asked for"));
        }
        if block.hash() == target {
            base.block = Some(block);
            return Ok(());
        }
        if self.before_epoch_of(number).is_none() {
            return Err(TrustError::Unfit("another block than asked for"));
        }
        let header = alloy_rlp::encode(&block.header);
        self.client.verify(&header, &certificate)?;
        self.check_epoch(number, &certificate)?;
        base.before_epoch = Some((block, certificate));
        Ok(())
    }

    /// The epoch that ends with `number`.
    fn before_epoch_of(&self, number: u64) -> Option<u64> {
        closes_epoch(number, self.epoch_length).then(|| epoch_of(number, self.epoch_length))
    }

    /// All that is needed to go on from `target`, once it is here.
    #[must_use]
    pub fn base(&self, target: &Header, parts: &BaseParts) -> Option<Base> {
        let (block, headers) = (parts.block.clone()?, parts.headers.clone()?);
        let before_epoch = parts.before_epoch.clone();
        if self.before_epoch(target.number).is_some() && before_epoch.is_none() {
            return None;
        }
        Some(Base { block, headers, before_epoch })
    }
}
