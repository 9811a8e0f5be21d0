//! What a peer says on the channels of consensus, decoded as the library does it inside of its actors:
//! for whoever watches a wire or tries it with strange bytes.
//!
//! ```text
//! channel 0, 1   epoch (varint) | vote, certificate      one sub-channel for each epoch
//! channel 2      epoch (varint) | id | request or certificate
//! channel 3      id | request for a block, or block with certificate
//! ```

use commonware_codec::{Copying, Decode as _, Encode as _};
use commonware_consensus::{
    marshal::resolver::handler::Key,
    simplex::types::{Activity, Certificate, Vote},
};
use commonware_cryptography::keccak256::Digest;
use sahara_finality::{MAX_VALIDATORS, Scheme, is_proven};

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

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_primitives::{Address, B256};
    use commonware_consensus::{
        simplex::types::{Finalization, Finalize, Notarize, Nullify, Proposal},
        types::{Epoch, Height, Round, View},
    };
    use commonware_parallel::Sequential;
    use commonware_utils::non_empty;
    use sahara_finality::{ChainIdentity, ValidatorKeys, ValidatorSet, signer, verifier};

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
}
