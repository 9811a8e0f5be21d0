//! What a peer says on the channels of consensus, decoded as the library does it inside of its actors:
//! for whoever watches a wire or tries it with strange bytes.
//!
//! ```text
//! channel 0, 1   epoch (varint) | vote, certificate      one sub-channel for each epoch
//! channel 2      epoch (varint) | id | request or certificate
//! channel 3      id | request for a block, or block with certificate
//! channel 4      block
//! ```
//! Channels 2 and 3 belong to resolvers of the library, whose envelope is private to it: [`Envelope`] reads
//! the same bytes with the library's own readers.

use bytes::Bytes;
use commonware_codec::{Copying, Decode as _, Encode, Read, ReadExt as _, varint::UInt};
use commonware_consensus::{
    marshal::resolver::handler::Key,
    simplex::types::{Activity, Certificate, Finalization, Notarization, Vote},
};
use commonware_cryptography::keccak256::Digest;
use commonware_utils::sequence::U64;
use sahara_finality::{Block, MAX_VALIDATORS, Scheme, is_proven};

/// A vote or a certificate, as it was understood. Whether anybody signed it is not checked yet.
#[derive(Clone, Debug)]
pub struct Said {
    encoded: Vec<u8>,
    activity: Activity<Scheme, Digest>,
}

impl Said {
    /// What a message on the channel of votes says, after its epoch.
    #[must_use]
    pub fn vote(message: &[u8]) -> Option<Self> {
        let vote = Vote::<Scheme, Digest>::decode_cfg(Copying(message), &()).ok()?;
        let encoded = vote.encode().to_vec();
        let activity = match vote {
            Vote::Notarize(one) => Activity::Notarize(one),
            Vote::Nullify(one) => Activity::Nullify(one),
            Vote::Finalize(one) => Activity::Finalize(one),
        };
        Some(Self { encoded, activity })
    }

    /// What a certificate says that so many validators may have signed: a message on its channel, or
    /// the answer to a request for one that was missed.
    #[must_use]
    pub fn certificate(message: &[u8], validators: usize) -> Option<Self> {
        let most = validators.min(MAX_VALIDATORS);
        let certificate =
            Certificate::<Scheme, Digest>::decode_cfg(Copying(message), &most).ok()?;
        let encoded = certificate.encode().to_vec();
        let activity = match certificate {
            Certificate::Notarization(one) => Activity::Notarization(one),
            Certificate::Nullification(one) => Activity::Nullification(one),
            Certificate::Finalization(one) => Activity::Finalization(one),
        };
        Some(Self { encoded, activity })
    }

    /// The encoding of what was understood.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }

    /// Whether the validators of this scheme signed it.
    #[must_use]
    pub fn is_signed(&self, scheme: &Scheme) -> bool {
        is_proven(scheme, &self.activity)
    }
}

/// The encoding of the block that a request on the channel of missed blocks names, as it was understood.
#[must_use]
pub fn requested_block(message: &[u8]) -> Option<Vec<u8>> {
    let key = Key::<Digest>::decode_cfg(Copying(message), &()).ok()?;
    Some(key.encode().to_vec())
}

/// What was asked for on the channel of missed blocks, and so what an answer to it is made of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Missed {
    /// A block by its hash: the block alone, as in a proposal.
    Block,
    /// The final block of a height: the certificate that it is final, then the block.
    Finalized,
    /// What was notarised in a round: the certificate of that, then the block.
    Notarized,
}

impl Missed {
    /// All of them, in the order of the library's bytes for them.
    pub const ALL: [Self; 3] = [Self::Block, Self::Finalized, Self::Notarized];
}

/// An answer on the channel of missed blocks, as it was understood. Whether the certificate is the
/// block's, and anybody signed it, is not checked yet.
#[derive(Clone, Debug)]
pub struct MissedBlock {
    certificate: Option<Said>,
    block: Block,
    encoded: Vec<u8>,
}

impl MissedBlock {
    /// What the answer to such a request says, of a block that so many validators may have signed.
    #[must_use]
    pub fn read(asked: Missed, answer: &[u8], validators: usize) -> Option<Self> {
        let most = validators.min(MAX_VALIDATORS);
        let mut rest = Copying(answer);
        let certificate = match asked {
            Missed::Block => None,
            Missed::Finalized => {
                let one = Finalization::<Scheme, Digest>::read_cfg(&mut rest, &most).ok()?;
                Some(Said { encoded: one.encode().to_vec(), activity: Activity::Finalization(one) })
            }
            Missed::Notarized => {
                let one = Notarization::<Scheme, Digest>::read_cfg(&mut rest, &most).ok()?;
                Some(Said { encoded: one.encode().to_vec(), activity: Activity::Notarization(one) })
            }
        };
        let block = Block::decode_cfg(rest, &()).ok()?;
        let certified = certificate.as_ref().map(Said::encoded).unwrap_or_default();
        let encoded = certified.iter().copied().chain(block.encode()).collect();
        Some(Self { certificate, block, encoded })
    }

    /// The certificate before the block; none where the block was asked for by its hash.
    #[must_use]
    pub const fn certificate(&self) -> Option<&Said> {
        self.certificate.as_ref()
    }

    /// The block.
    #[must_use]
    pub const fn block(&self) -> &Block {
        &self.block
    }

    /// The encoding of what was understood.
    #[must_use]
    pub fn encoded(&self) -> &[u8] {
        &self.encoded
    }
}

/// A message on a channel of what was missed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Envelope {
    /// The epoch whose certificates are asked for; none on the channel of blocks.
    pub epoch: Option<u64>,
    /// Answers have their request's.
    pub id: u64,
    /// What follows.
    pub content: Content,
}

/// What an [`Envelope`] holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// What is asked for, encoded as it was understood: a view, or one of [`Missed`].
    Request(Vec<u8>),
    /// What was asked for, for whoever asked to read.
    Answer(Vec<u8>),
    /// It is not to be had here.
    Refusal,
}

impl Envelope {
    /// A message on the channel of missed certificates.
    #[must_use]
    pub fn of_certificates(message: &[u8]) -> Option<Self> {
        let mut rest = Copying(message);
        let epoch = UInt::<u64>::read(&mut rest).ok()?.0;
        Self::read::<U64>(Some(epoch), rest)
    }

    /// A message on the channel of missed blocks.
    #[must_use]
    pub fn of_blocks(message: &[u8]) -> Option<Self> {
        Self::read::<Key<Digest>>(None, Copying(message))
    }

    fn read<K: Read<Cfg = ()> + Encode>(epoch: Option<u64>, mut rest: Copying<'_>) -> Option<Self> {
        let id = u64::read(&mut rest).ok()?;
        let content = match u8::read(&mut rest).ok()? {
            0 => Content::Request(K::read_cfg(&mut rest, &()).ok()?.encode().to_vec()),
            // The network has bounded the whole message.
            1 => Content::Answer(Bytes::read_cfg(&mut rest, &(..).into()).ok()?.to_vec()),
            2 => Content::Refusal,
            _ => return None,
        };
        rest.0.is_empty().then_some(Self { epoch, id, content })
    }

    /// The encoding of what was understood.
    #[must_use]
    pub fn encoded(&self) -> Vec<u8> {
        let epoch = self.epoch.map(|epoch| UInt(epoch).encode().to_vec()).unwrap_or_default();
        let (kind, content) = match &self.content {
            Content::Request(key) => (0, key.clone()),
            Content::Answer(bytes) => (1, Bytes::copy_from_slice(bytes).encode().to_vec()),
            Content::Refusal => (2, Vec::new()),
        };
        [epoch, self.id.to_be_bytes().to_vec(), vec![kind], content].concat()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_consensus::Header;
    use alloy_primitives::{Address, B256};
    use commonware_consensus::{
        simplex::types::{Finalize, Notarize, Nullify, Proposal},
        types::{Epoch, Height, Round, View},
    };
    use commonware_parallel::Sequential;
    use commonware_utils::non_empty;
    use sahara_finality::{
        ChainIdentity, ValidatorKeys, ValidatorSet, genesis_block, signer, verifier,
    };

    const CHAIN: ChainIdentity = ChainIdentity { chain_id: 724_272, genesis: B256::ZERO };

    fn keys(seed: u8) -> ValidatorKeys {
        ValidatorKeys::from_secret(&[seed; 32]).unwrap()
    }

    fn set() -> ValidatorSet {
        let seats = (1..=4).map(|seed| keys(seed).validator(Address::repeat_byte(seed)));
        ValidatorSet::new(seats.collect()).unwrap()
    }

    #[test]
    fn what_validators_say_is_understood_and_nothing_else() {
        let set = set();
        let own = verifier(&CHAIN, &set);
        let foreign = verifier(&ChainIdentity { chain_id: 1, ..CHAIN }, &set);
        let schemes = [1, 2, 3].map(|seed| signer(&CHAIN, &set, keys(seed).consensus).unwrap());
        let round = Round::new(Epoch::new(5), View::new(300));
        let proposal = Proposal::new(round, View::new(299), Digest([7; 32]));
        let finalizes = schemes.iter().map(|one| Finalize::sign(one, proposal.clone()).unwrap());
        let finalizes = finalizes.collect::<Vec<_>>();
        let final_vote = finalizes.first().unwrap().clone();
        let votes: [Vote<Scheme, Digest>; 3] = [
            Vote::Notarize(Notarize::sign(&schemes[0], proposal).unwrap()),
            Vote::Nullify(Nullify::sign::<Digest>(&schemes[1], round).unwrap()),
            Vote::Finalize(final_vote),
        ];
        let final_one =
            Finalization::from_owned_finalizes(&schemes[0], non_empty![@finalizes], &Sequential);
        let certificate: Certificate<Scheme, Digest> =
            Certificate::Finalization(final_one.unwrap());
        let votes = votes.map(|vote| vote.encode().to_vec());
        let understood = votes.iter().map(|bytes| (bytes.clone(), Said::vote(bytes)));
        let bytes = certificate.encode().to_vec();
        let understood = understood.chain([(bytes.clone(), Said::certificate(&bytes, 4))]);
        for (bytes, said) in understood {
            let said = said.unwrap();
            assert_eq!(said.encoded(), bytes);
            assert!(said.is_signed(&own) && !said.is_signed(&foreign));
            let longer = [bytes.as_slice(), &[0]].concat();
            assert!(Said::vote(&longer).is_none() && Said::certificate(&longer, 4).is_none());
        }
        assert!(Said::certificate(&bytes, 3).is_none(), "of more validators than there are");
    }

    #[test]
    fn a_request_names_a_block_in_one_way() {
        let round = Round::new(Epoch::new(1), View::new(9));
        for key in [
            Key::Block(Digest([3; 32])),
            Key::Finalized { height: Height::new(500) },
            Key::Notarized { round },
        ] {
            let bytes = key.encode().to_vec();
            assert_eq!(requested_block(&bytes), Some(bytes.clone()));
            assert_eq!(requested_block(&bytes[..bytes.len() - 1]), None);
        }
    }

    /// Answers are built as the library builds them: a tuple of certificate and block.
    #[test]
    fn an_answer_is_a_block_with_the_certificate_that_was_asked_for() {
        let set = set();
        let header = Header { base_fee_per_gas: Some(1), ..Header::default() };
        let block = genesis_block(header, CHAIN.chain_id, &set);
        let round = Round::new(Epoch::new(5), View::new(300));
        let proposal = Proposal::new(round, View::new(299), Digest(block.hash().0));
        let schemes = [1, 2, 3].map(|seed| signer(&CHAIN, &set, keys(seed).consensus).unwrap());
        let votes = schemes.iter().map(|one| Finalize::sign(one, proposal.clone()).unwrap());
        let votes = votes.collect::<Vec<_>>();
        let certificate =
            Finalization::from_owned_finalizes(&schemes[0], non_empty![@votes], &Sequential);
        let certificate: Finalization<Scheme, Digest> = certificate.unwrap();
        let alone = block.encode().to_vec();
        let both = (certificate, block.clone()).encode().to_vec();
        for (asked, bytes, other) in
            [(Missed::Block, &alone, &both), (Missed::Finalized, &both, &alone)]
        {
            let understood = MissedBlock::read(asked, bytes, 4).unwrap();
            assert_eq!((understood.encoded(), understood.block()), (bytes.as_slice(), &block));
            assert!(MissedBlock::read(asked, other, 4).is_none(), "{asked:?}");
            let longer = [bytes.as_slice(), &[0]].concat();
            assert!(MissedBlock::read(asked, &longer, 4).is_none(), "{asked:?}");
        }
        let said = |asked| MissedBlock::read(asked, &both, 4).unwrap().certificate.unwrap();
        let own = verifier(&CHAIN, &set);
        assert!(said(Missed::Finalized).is_signed(&own));
        assert!(!said(Missed::Notarized).is_signed(&own), "votes of another kind");
        assert!(MissedBlock::read(Missed::Finalized, &both, 3).is_none(), "of more than there are");
    }

    /// The resolver's envelope, byte for byte: the library keeps the type that writes it to itself.
    #[test]
    fn an_envelope_is_a_number_and_a_request_or_its_answer() {
        let of_certificates = |epoch: &[u8], rest: &[u8]| {
            let id = 7_u64.to_be_bytes();
            Envelope::of_certificates(&[epoch, &id, rest].concat())
        };
        let view = [&[0][..], &300_u64.to_be_bytes()].concat();
        let request = of_certificates(&[0xac, 2], &view).unwrap();
        assert_eq!((request.epoch, request.id), (Some(300), 7));
        assert_eq!(request.content, Content::Request(300_u64.to_be_bytes().to_vec()));
        let answer = of_certificates(&[1], &[1, 3, 9, 9, 9]).unwrap();
        assert_eq!(answer.content, Content::Answer(vec![9; 3]));
        assert_eq!(of_certificates(&[1], &[2]).unwrap().content, Content::Refusal);
        for wrong in [&[3][..], &[2, 0], &[1, 3, 9, 9], &view[..8]] {
            assert!(of_certificates(&[1], wrong).is_none(), "{wrong:?}");
        }
        let key = Key::<Digest>::Finalized { height: Height::new(500) }.encode().to_vec();
        let message = [&7_u64.to_be_bytes()[..], &[0], &key].concat();
        let asked = Envelope::of_blocks(&message).unwrap();
        assert_eq!((asked.epoch, &asked.content), (None, &Content::Request(key)));
        for one in [request, answer] {
            assert_eq!(Envelope::of_certificates(&one.encoded()), Some(one));
        }
        assert_eq!(asked.encoded(), message);
    }
}
