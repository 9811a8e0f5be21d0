//! What consensus adds to an Ethereum header.

use std::sync::LazyLock;

use alloy_primitives::{B256, keccak256};
use alloy_rlp::{BufMut, Decodable, Encodable, Header as RlpHeader};
use commonware_codec::{Copying, Decode, Encode};
use commonware_consensus::{
    simplex::types::Context,
    types::{Epoch, Round, View},
};
use commonware_cryptography::{
    Signer as _,
    bls12381::primitives::ops::{sign_message, verify_message},
    keccak256::Digest,
};

use crate::keys::{
    ConsensusPrivateKey, ConsensusPublicKey, ConsensusSignature, NetworkPrivateKey,
    NetworkPublicKey, Pairing,
};

/// What consensus knows when it asks for a proposal: round, leader, parent.
pub type RoundContext = Context<Digest, NetworkPublicKey>;

/// The longest encoding of a [`Seal`]; a round's takes at most 153 bytes.
pub const MAX_SEAL_BYTES: usize = 256;

const RANDOMNESS_NAMESPACE: &[u8] = b"SAHARA_RANDOMNESS";
const GENESIS_TAG: u8 = 0;
const ROUND_TAG: u8 = 1;
const CLOSING_TAG: u8 = 2;

/// Which network a signature belongs to. The genesis hash alone would do (its seal names the
/// chain id); both stand here so that a signature can be recomputed from what people know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ChainIdentity {
    /// The EIP-155 chain id.
    pub chain_id: u64,
    /// The hash of block 0.
    pub genesis: B256,
}

impl ChainIdentity {
    /// Prefixes everything validators sign, so that no signature is valid on two networks, even
    /// if they share chain id and keys as local ones do.
    #[must_use]
    pub fn namespace(&self) -> Vec<u8> {
        [b"SAHARA_CONSENSUS".as_slice(), &self.chain_id.to_be_bytes(), self.genesis.as_slice()]
            .concat()
    }
}

/// The part of a block that consensus needs and Ethereum's header has no field for. The header
/// commits to it: `extra_data` is [`Seal::commitment`].
#[derive(Clone, Debug, PartialEq, Eq)]
#[expect(clippy::large_enum_variant, reason = "all blocks but one have the large variant")]
pub enum Seal {
    /// Block 0: no one proposed it; it names who may propose and vote.
    Genesis {
        /// The EIP-155 chain id.
        chain_id: u64,
        /// [`ValidatorSet::hash`](crate::ValidatorSet::hash) of the first set.
        validators: B256,
    },
    /// Every other block: the round it was proposed in.
    Round(RoundSeal),
}

/// The round a block was proposed in, and its leader's randomness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RoundSeal {
    /// The epoch, during which the validator set does not change.
    pub epoch: u64,
    /// The view within the epoch.
    pub view: u64,
    /// The view the parent was proposed in.
    pub parent_view: u64,
    /// Who proposed.
    pub leader: NetworkPublicKey,
    /// The leader's signature over chain, epoch and height: unique, so unpredictable for others
    /// and without choice for the leader. Feeds `prevrandao`.
    pub randomness: ConsensusSignature,
    /// In the last block of an epoch, and only there: [`ValidatorSet::hash`] of the set of the next
    /// epoch. What the light client follows the sets by.
    ///
    /// [`ValidatorSet::hash`]: crate::ValidatorSet::hash
    pub next_validators: Option<B256>,
}

/// Why bytes are not a seal.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed seal: {0}")]
pub struct SealError(String);

impl Seal {
    /// The keccak of the encoding, which stands in the header's `extra_data`.
    #[must_use]
    pub fn commitment(&self) -> B256 {
        keccak256(self.encoded())
    }

    /// The encoding: `rlp([tag, fields...])`.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        alloy_rlp::encode(self)
    }

    /// Decodes an encoding; the whole input is one seal.
    ///
    /// # Errors
    /// When the bytes are not exactly one canonical seal.
    pub fn decode_exact(bytes: &[u8]) -> Result<Self, SealError> {
        let seal =
            alloy_rlp::decode_exact::<Self>(bytes).map_err(|error| SealError(error.to_string()))?;
        if seal.encoded() != bytes {
            return Err(SealError("not encoded canonically".into()));
        }
        Ok(seal)
    }

    /// The round, unless it is genesis.
    #[must_use]
    pub const fn as_round(&self) -> Option<&RoundSeal> {
        match self {
            Self::Genesis { .. } => None,
            Self::Round(round) => Some(round),
        }
    }

    /// The context consensus proposed the block in.
    #[must_use]
    pub fn context(&self, parent_hash: B256) -> RoundContext {
        match self {
            Self::Genesis { .. } => Context {
                round: Round::new(Epoch::zero(), View::zero()),
                leader: NOBODY.clone(),
                parent: (View::zero(), Digest(parent_hash.0)),
            },
            Self::Round(round) => Context {
                round: Round::new(Epoch::new(round.epoch), View::new(round.view)),
                leader: round.leader.clone(),
                parent: (View::new(round.parent_view), Digest(parent_hash.0)),
            },
        }
    }
}

impl RoundSeal {
    /// Seals a proposal of `height` in `context` with the leader's key.
    #[must_use]
    pub fn sign(
        context: &RoundContext,
        height: u64,
        chain: &ChainIdentity,
        key: &ConsensusPrivateKey,
    ) -> Self {
        let epoch = context.round.epoch().get();
        let message = randomness_message(chain, epoch, height);
        Self {
            epoch,
            view: context.round.view().get(),
            parent_view: context.parent.0.get(),
            leader: context.leader.clone(),
            randomness: sign_message::<Pairing>(key, RANDOMNESS_NAMESPACE, &message),
            next_validators: None,
        }
    }

    /// The seal of an epoch's last block, which names the next epoch's validators.
    #[must_use]
    pub const fn closing(mut self, next_validators: B256) -> Self {
        self.next_validators = Some(next_validators);
        self
    }

    /// Whether the randomness is the signature of `key` for `height`.
    #[must_use]
    pub fn verify(&self, height: u64, chain: &ChainIdentity, key: &ConsensusPublicKey) -> bool {
        let message = randomness_message(chain, self.epoch, height);
        verify_message::<Pairing>(key, RANDOMNESS_NAMESPACE, &message, &self.randomness).is_ok()
    }

    /// The block's `prevrandao`: `keccak("SAHARA_PREVRANDAO" | parent's | signature)`.
    #[must_use]
    pub fn prevrandao(&self, parent: B256) -> B256 {
        let signature = self.randomness.encode();
        keccak256([b"SAHARA_PREVRANDAO".as_slice(), parent.as_slice(), &signature].concat())
    }
}

/// The view is left out on purpose: a leader who is asked twice for one height would otherwise
/// have two draws to choose from.
fn randomness_message(chain: &ChainIdentity, epoch: u64, height: u64) -> Vec<u8> {
    [chain.namespace().as_slice(), &epoch.to_be_bytes(), &height.to_be_bytes()].concat()
}

/// The library wants a leader in every context; nobody led genesis, and no one holds this key's
/// place in a validator set.
static NOBODY: LazyLock<NetworkPublicKey> =
    LazyLock::new(|| NetworkPrivateKey::from_seed(0).public_key());

impl Encodable for Seal {
    fn encode(&self, out: &mut dyn BufMut) {
        match self {
            Self::Genesis { chain_id, validators } => {
                encode_fields(&[&GENESIS_TAG, chain_id, validators], out);
            }
            Self::Round(round) => {
                let (leader, randomness) = (round.leader.encode(), round.randomness.encode());
                let (leader, randomness) = (leader.as_ref(), randomness.as_ref());
                let tag = if round.next_validators.is_some() { CLOSING_TAG } else { ROUND_TAG };
                let mut fields: Vec<&dyn Encodable> =
                    vec![&tag, &round.epoch, &round.view, &round.parent_view];
                fields.extend([&leader as &dyn Encodable, &randomness]);
                fields.extend(round.next_validators.as_ref().map(|next| next as &dyn Encodable));
                encode_fields(&fields, out);
            }
        }
    }
}

impl Decodable for Seal {
    fn decode(buffer: &mut &[u8]) -> alloy_rlp::Result<Self> {
        let mut fields = RlpHeader::decode_bytes(buffer, true)?;
        let seal = match u8::decode(&mut fields)? {
            GENESIS_TAG => Self::Genesis {
                chain_id: u64::decode(&mut fields)?,
                validators: B256::decode(&mut fields)?,
            },
            tag @ (ROUND_TAG | CLOSING_TAG) => Self::Round(RoundSeal {
                epoch: u64::decode(&mut fields)?,
                view: u64::decode(&mut fields)?,
                parent_view: u64::decode(&mut fields)?,
                leader: decode_value(&mut fields, "leader key")?,
                randomness: decode_value(&mut fields, "randomness signature")?,
                next_validators: match tag {
                    CLOSING_TAG => Some(B256::decode(&mut fields)?),
                    _ => None,
                },
            }),
            _ => return Err(alloy_rlp::Error::Custom("unknown seal tag")),
        };
        if fields.is_empty() { Ok(seal) } else { Err(alloy_rlp::Error::UnexpectedLength) }
    }
}

fn encode_fields(fields: &[&dyn Encodable], out: &mut dyn BufMut) {
    let payload_length = fields.iter().map(|field| field.length()).sum();
    RlpHeader { list: true, payload_length }.encode(out);
    for field in fields {
        field.encode(out);
    }
}

fn decode_value<T: Decode<Cfg = ()>>(
    buffer: &mut &[u8],
    what: &'static str,
) -> alloy_rlp::Result<T> {
    let bytes = RlpHeader::decode_bytes(buffer, false)?;
    T::decode_cfg(Copying(bytes), &()).map_err(|_| alloy_rlp::Error::Custom(what))
}
