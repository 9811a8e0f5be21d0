//! Following the chain without running it: who trusts one hash can check everything else.
//!
//! ```text
//! genesis hash -> genesis header -> extra data -> seal (chain id, validator set hash)
//!              -> validator set -> certificate of a header -> its roots -> accounts, logs
//!              -> certificate of an epoch's last header -> seal -> next validator set -> ...
//! ```
//!
//! # Which epochs have to be shown
//! Those that end with *another* set. A set is trusted from the epoch after its [`Handover`] until
//! the next one shown. Leaving one out gains nothing: who signs headers of epochs after its own is a
//! quorum of a former set, and that quorum could as well have signed another end of its last epoch.
//!
//! # Starting later
//! Who knows the hash of an epoch's last header by other ways than a former quorum's word (it was
//! verified before, or several sources agree) trusts that ([`LightClient::trusting`]): of all handovers
//! only those after it are needed, and nothing that an older set may still sign is believed.

use std::collections::BTreeMap;

use alloy_consensus::Header;
use alloy_primitives::{B256, Bytes};
use serde::{Deserialize, Serialize};

use crate::{
    block::{BlockError, decode_header},
    certificate::{CertificateError, Scheme, certificate_epoch, verifier, verify_with},
    rules::{RuleViolation, check_header},
    seal::{ChainIdentity, Seal, SealError},
    validators::ValidatorSet,
};

/// The longest run of headers between a header and the certified one above it. A block without a
/// certificate of its own is final through a descendant, nearly always the next.
pub const MAX_DESCENDANTS: usize = 1024;

/// Verifies headers, trusting the hash of block 0 and nothing else.
#[derive(Clone, Debug)]
pub struct LightClient {
    chain: ChainIdentity,
    /// By the first epoch of each set.
    sets: BTreeMap<u64, Known>,
}

/// A set that is believed, and since when: one value, so that nothing can fall between.
#[derive(Clone, Debug)]
struct Known {
    /// The block whose header named it: the last before its first epoch, or block 0.
    end: u64,
    validators: ValidatorSet,
    scheme: Scheme,
}

/// The validators that a [`Handover`] names, proven and not yet believed. Only [`LightClient`] makes
/// one.
#[derive(Clone, Debug)]
pub struct Succession {
    chain: ChainIdentity,
    /// Their first.
    epoch: u64,
    known: Known,
}

/// The end of an epoch after which other validators follow: its last header with certificate, and
/// whom its seal names.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Handover {
    /// RLP of the last header of the epoch.
    pub header: Bytes,
    /// The seal that the header commits to.
    pub seal: Bytes,
    /// The header's own certificate.
    pub certificate: Bytes,
    /// Whom the seal names.
    pub validators: ValidatorSet,
}

/// A header that a quorum of the validators finalised. Only [`LightClient`] makes one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedHeader {
    header: Header,
    hash: B256,
}

/// Why something is not part of the chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LightError {
    /// The genesis header does not have the trusted hash.
    #[error("the genesis header has hash {got}, expected {expected}")]
    OtherGenesis {
        /// The trusted hash.
        expected: B256,
        /// The hash of what was given.
        got: B256,
    },
    /// The genesis header does not commit to this chain id and these validators.
    #[error("the genesis header does not commit to this chain id and validator set")]
    OtherValidators,
    /// The header of a handover does not have the trusted hash.
    #[error("the header that hands over has hash {got}, expected {expected}")]
    OtherEnd {
        /// The trusted hash.
        expected: B256,
        /// The hash of what was given.
        got: B256,
    },
    /// Of an epoch before the first that is trusted.
    #[error("the validators of epoch {0} are not known: it is from before what is trusted")]
    UnknownEpoch(u64),
    /// The seal of a handover is malformed.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The header of a handover does not commit to its seal, or the seal not to its validators.
    #[error("header {0} does not hand over to these validators")]
    NoHandover(u64),
    /// A header is malformed.
    #[error(transparent)]
    Header(#[from] BlockError),
    /// A header breaks a rule.
    #[error(transparent)]
    Rule(#[from] RuleViolation),
    /// The certificate does not hold.
    #[error(transparent)]
    Certificate(#[from] CertificateError),
    /// A header does not name the one before as its parent.
    #[error("header {0} does not have the one before it as parent")]
    BrokenPath(u64),
    /// More headers than [`MAX_DESCENDANTS`].
    #[error("a path has at most {MAX_DESCENDANTS} headers, got {0}")]
    PathTooLong(usize),
}

impl LightClient {
    /// Starts from the trusted hash: checks that `genesis_header` has it and commits to the chain
    /// id and validators given.
    ///
    /// # Errors
    /// See [`LightError`].
    pub fn new(
        trusted: B256,
        genesis_header: &[u8],
        chain_id: u64,
        validators: ValidatorSet,
    ) -> Result<Self, LightError> {
        let header = decode_header(genesis_header)?;
        let got = header.hash_slow();
        if got != trusted {
            return Err(LightError::OtherGenesis { expected: trusted, got });
        }
        check_header(&header)?;
        let seal = Seal::Genesis { chain_id, validators: validators.hash() };
        if header.number != 0 || header.extra_data.as_ref() != seal.commitment().as_slice() {
            return Err(LightError::OtherValidators);
        }
        let chain = ChainIdentity { chain_id, genesis: trusted };
        let scheme = verifier(&chain, &validators);
        Ok(Self { chain, sets: BTreeMap::from([(0, Known { end: 0, validators, scheme })]) })
    }

    /// Begins again at the end of an epoch, trusting the hash of its last header as that of block 0 is
    /// trusted: its certificate is not looked at. What is certified by older sets is refused from now on.
    ///
    /// # Errors
    /// When the header is another, or does not hand over to these validators.
    pub fn trusting(self, trusted: B256, end: &Handover) -> Result<Self, LightError> {
        let header = decode_header(&end.header)?;
        check_header(&header)?;
        let got = header.hash_slow();
        if got != trusted {
            return Err(LightError::OtherEnd { expected: trusted, got });
        }
        let Succession { chain, epoch, known } = self.successors(&header, end)?;
        Ok(Self { chain, sets: BTreeMap::from([(epoch, known)]) })
    }

    /// Follows `handovers`, which come in order. Those from before the newest set that is known are passed
    /// over: what is believed is not replaced.
    ///
    /// # Errors
    /// See [`LightError`].
    pub fn following<'a>(
        mut self,
        handovers: impl IntoIterator<Item = &'a Handover>,
    ) -> Result<Self, LightError> {
        for handover in handovers {
            let newest = self.sets.last_key_value().map_or(0, |(epoch, _)| *epoch);
            if certificate_epoch(&handover.certificate)? >= newest {
                self.hand_over(handover)?;
            }
        }
        Ok(self)
    }

    /// Learns the validators who follow upon an epoch. The epoch's own must be known; returns the
    /// first epoch of the new ones.
    ///
    /// # Errors
    /// See [`LightError`].
    pub fn hand_over(&mut self, handover: &Handover) -> Result<u64, LightError> {
        let proven = self.prove(handover)?;
        let epoch = proven.epoch;
        self.believe(proven);
        Ok(epoch)
    }

    /// As [`Self::hand_over`] without believing it yet: for who has to keep it first.
    ///
    /// # Errors
    /// See [`LightError`].
    pub fn prove(&self, handover: &Handover) -> Result<Succession, LightError> {
        let verified = self.verify(&handover.header, &handover.certificate)?;
        let proven = self.successors(verified.header(), handover)?;
        let epoch = certificate_epoch(&handover.certificate)?;
        if epoch.checked_add(1) == Some(proven.epoch) {
            Ok(proven)
        } else {
            Err(LightError::NoHandover(verified.header().number))
        }
    }

    /// Believes what was proven; nothing of another chain.
    pub fn believe(&mut self, proven: Succession) {
        let Succession { chain, epoch, known } = proven;
        if chain == self.chain {
            self.sets.insert(epoch, known);
        }
    }

    /// Whom a header names, if it hands over to the validators given.
    fn successors(&self, header: &Header, handover: &Handover) -> Result<Succession, LightError> {
        let Handover { seal, validators, .. } = handover;
        let seal = Seal::decode_exact(seal)?;
        let commits = header.extra_data.as_ref() == seal.commitment().as_slice();
        let next = seal.as_round().and_then(|round| {
            let names = round.next_validators == Some(validators.hash());
            round.epoch.checked_add(1).filter(|_| names)
        });
        let epoch = next.filter(|_| commits).ok_or(LightError::NoHandover(header.number))?;
        let scheme = verifier(&self.chain, validators);
        let known = Known { end: header.number, validators: validators.clone(), scheme };
        Ok(Succession { chain: self.chain, epoch, known })
    }

    /// The block that named the newest validators known: handovers above it are news. 0 for none.
    #[must_use]
    pub fn last_end(&self) -> u64 {
        self.sets.last_key_value().map_or(0, |(_, known)| known.end)
    }

    /// The chain followed.
    #[must_use]
    pub const fn chain(&self) -> &ChainIdentity {
        &self.chain
    }

    /// The validators of an epoch, as far as handovers were shown.
    #[must_use]
    pub fn validators(&self, epoch: u64) -> Option<&ValidatorSet> {
        self.sets.range(..=epoch).next_back().map(|(_, known)| &known.validators)
    }

    fn check(&self, block: B256, certificate: &[u8]) -> Result<(), LightError> {
        let epoch = certificate_epoch(certificate)?;
        let known = self.sets.range(..=epoch).next_back();
        let (_, Known { scheme, .. }) = known.ok_or(LightError::UnknownEpoch(epoch))?;
        verify_with((epoch, scheme), block, certificate)?;
        Ok(())
    }

    /// Verifies a header with its own certificate.
    ///
    /// # Errors
    /// See [`LightError`].
    pub fn verify(&self, header: &[u8], certificate: &[u8]) -> Result<VerifiedHeader, LightError> {
        let header = decode_header(header)?;
        check_header(&header)?;
        let hash = header.hash_slow();
        self.check(hash, certificate)?;
        Ok(VerifiedHeader { header, hash })
    }

    /// Verifies a header that is final through a descendant: `path` holds the headers above it,
    /// lowest first, and `certificate` is of the last of them.
    ///
    /// # Errors
    /// See [`LightError`].
    pub fn verify_through(
        &self,
        header: &[u8],
        path: &[impl AsRef<[u8]>],
        certificate: &[u8],
    ) -> Result<VerifiedHeader, LightError> {
        if path.len() > MAX_DESCENDANTS {
            return Err(LightError::PathTooLong(path.len()));
        }
        let header = decode_header(header)?;
        check_header(&header)?;
        let hash = header.hash_slow();
        let mut tip = (header.number, hash);
        for bytes in path {
            let next = decode_header(bytes.as_ref())?;
            check_header(&next)?;
            if next.parent_hash != tip.1 || Some(next.number) != tip.0.checked_add(1) {
                return Err(LightError::BrokenPath(next.number));
            }
            tip = (next.number, next.hash_slow());
        }
        self.check(tip.1, certificate)?;
        Ok(VerifiedHeader { header, hash })
    }
}

impl Succession {
    /// The block whose header names them.
    #[must_use]
    pub const fn end(&self) -> u64 {
        self.known.end
    }
}

impl VerifiedHeader {
    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Its hash.
    #[must_use]
    pub const fn hash(&self) -> B256 {
        self.hash
    }
}
