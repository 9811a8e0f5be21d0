//! Seats by stake. Pure; no state. Who has more seats leads more often: the turns of an epoch are each seat's once
//! in a round.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

/// A candidate for seats.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Base units behind it, below 2^96.
    pub stake: u128,
    /// The most seats it can fill: it needs a key for each.
    pub keys: u32,
}

/// A candidate's claim to its next seat: `stake / (seats + 1)`.
#[derive(PartialEq, Eq)]
struct Claim {
    stake: u128,
    next: u32,
    index: usize,
}

impl Ord for Claim {
    /// By quotient; equal quotients by stake, so that parts of a stake never win a tie that the whole
    /// would lose; equal stakes in the order of the list.
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        // Stakes are below 2^96 and seats below 2^32: the products fit.
        let left = self.stake.saturating_mul(u128::from(other.next));
        let right = other.stake.saturating_mul(u128::from(self.next));
        left.cmp(&right)
            .then(self.stake.cmp(&other.stake))
            .then(Reverse(self.index).cmp(&Reverse(other.index)))
    }
}

impl PartialOrd for Claim {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// Apportions `seats` by highest quotients (D'Hondt): each seat goes to the largest
/// `stake / (seats it has + 1)`. Of 100 seats, stakes of 60, 30 and 10 get 60, 30 and 10. Splitting a
/// stake gains nothing. Seats stay empty when there are too few keys; no stake, no seat.
pub fn apportion(candidates: &[Candidate], seats: u32) -> Vec<u32> {
    let mut won = vec![0_u32; candidates.len()];
    let enters = |(index, candidate): (usize, &Candidate)| {
        let stands = candidate.stake > 0 && candidate.keys > 0;
        stands.then_some(Claim { stake: candidate.stake, next: 1, index })
    };
    let mut claims: BinaryHeap<Claim> = candidates.iter().enumerate().filter_map(enters).collect();
    for _ in 0..seats {
        let Some(claim) = claims.pop() else { break };
        let keys = candidates.get(claim.index).map_or(0, |candidate| candidate.keys);
        if let Some(count) = won.get_mut(claim.index) {
            *count = claim.next;
        }
        if claim.next < keys {
            claims.push(Claim { next: claim.next.saturating_add(1), ..claim });
        }
    }
    won
}

/// As [`apportion`], for candidates with as many keys as they could need.
pub fn seats(stakes: &[u128], n: u32) -> Vec<u32> {
    let candidates: Vec<_> =
        stakes.iter().map(|stake| Candidate { stake: *stake, keys: u32::MAX }).collect();
    apportion(&candidates, n)
}
