//! A page of handovers: `sahara_getHandovers`.

use sahara_finality::Handover;

/// The most in an answer.
pub(crate) const MAX_HANDOVERS: usize = 1_024;

/// An answer ends with the handover that reaches so many seats, of about 520 bytes each: with what stands
/// beside them it stays under 6 MiB, and whoever checks it is done in seconds (a proof of possession takes
/// a millisecond). Sets of 4 fill 1,024 handovers with it, sets of 100 as many as 41.
pub(crate) const MAX_SEATS: usize = 4_096;

/// The first of these ends of epochs, at most `most`, each as `find` shows it; at least one if there is
/// one, so that an empty page means that there are no more.
pub(crate) fn page<E>(
    ends: impl Iterator<Item = u64>,
    most: Option<u64>,
    find: impl Fn(u64) -> Result<Handover, E>,
) -> Result<Vec<Handover>, E> {
    let most = most.and_then(|most| usize::try_from(most).ok()).unwrap_or(MAX_HANDOVERS);
    let (mut page, mut seats) = (Vec::new(), 0_usize);
    for end in ends.take(most.clamp(1, MAX_HANDOVERS)) {
        let handover = find(end)?;
        seats = seats.saturating_add(handover.validators.len());
        page.push(handover);
        if seats >= MAX_SEATS {
            break;
        }
    }
    Ok(page)
}

#[cfg(test)]
mod tests {
    use super::{MAX_HANDOVERS, MAX_SEATS, page};
    use alloy_primitives::{Address, Bytes};
    use sahara_finality::{Handover, MAX_HEADER_BYTES, ValidatorKeys, ValidatorSet};
    use std::convert::Infallible;

    fn set(seats: u64) -> ValidatorSet {
        let seat = |seed: u64| {
            let mut secret = [1; 32];
            secret[..8].copy_from_slice(&seed.to_be_bytes());
            ValidatorKeys::from_secret(&secret).unwrap().validator(Address::ZERO)
        };
        ValidatorSet::of_proven((0..seats).map(seat).collect()).unwrap()
    }

    /// The ends that a page of these has.
    fn ends_of(
        validators: &ValidatorSet,
        ends: impl Iterator<Item = u64>,
        most: Option<u64>,
    ) -> Vec<u64> {
        let show = |end: u64| {
            let (seal, certificate) = (Bytes::new(), Bytes::new());
            let header = Bytes::copy_from_slice(&end.to_be_bytes());
            let validators = validators.clone();
            Ok::<_, Infallible>(Handover { header, seal, certificate, validators })
        };
        let page = page(ends, most, show).unwrap();
        page.iter().map(|one| u64::from_be_bytes(one.header[..].try_into().unwrap())).collect()
    }

    #[test]
    fn a_page_is_bounded_by_handovers_and_pages_are_all_of_them_in_order() {
        let one = set(1);
        let all = || (1..=2_500_u64).map(|end| end * 10);
        assert_eq!(ends_of(&one, all(), None).len(), MAX_HANDOVERS);
        assert_eq!(ends_of(&one, all(), Some(u64::MAX)).len(), MAX_HANDOVERS);
        for most in [None, Some(700)] {
            let (mut got, mut pages) = (Vec::new(), 0);
            loop {
                let above = got.last().copied().unwrap_or(0);
                let page = ends_of(&one, all().filter(|end| *end > above), most);
                if page.is_empty() {
                    break;
                }
                got.extend(page);
                pages += 1;
            }
            assert!(got.into_iter().eq(all()), "{most:?}");
            assert_eq!(pages, if most.is_some() { 4 } else { 3 });
        }
    }

    #[test]
    fn a_page_is_bounded_by_seats_and_has_one_whatever_is_asked_for() {
        let many = set(100);
        let length = ends_of(&many, 0..500, None).len();
        assert_eq!(length, MAX_SEATS.div_ceil(100));
        assert_eq!(
            ends_of(&many, 7..500, Some(0)),
            [7],
            "an empty page means that there are no more"
        );
        assert_eq!(ends_of(&many, 7..500, Some(2)), [7, 8]);
        assert!(ends_of(&many, 0..0, None).is_empty());
    }

    #[test]
    fn the_largest_pages_are_within_their_bytes() {
        for seats in [4, 512] {
            let validators = set(seats);
            let show = |_: u64| {
                // Longer than any seal or certificate, and the longest header.
                let [seal, certificate] = [0; 2].map(|_| Bytes::from(vec![0xff; 256]));
                let header = Bytes::from(vec![0xff; MAX_HEADER_BYTES]);
                let validators = validators.clone();
                Ok::<_, Infallible>(Handover { header, seal, certificate, validators })
            };
            let bytes = serde_json::to_vec(&page(0..9_999, None, show).unwrap()).unwrap().len();
            assert!(bytes < 6 << 20, "{bytes} with sets of {seats}");
        }
    }
}
