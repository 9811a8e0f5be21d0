//! Who leads when: each seat once in every round of turns, in an order that the epoch's seed
//! shuffles anew for each round.
//!
//! The seed is the randomness of the block before the epoch. Seats are apportioned by stake and each
//! has its own keys, so turns per seat are turns by stake.

use alloy_primitives::{B256, keccak256};
use commonware_consensus::{
    simplex::elector::{Config, Elector, Scheduled, Terms},
    types::{Participant, Round},
};
use commonware_utils::ordered::Set;
use sahara_finality::{NetworkPublicKey, Scheme};

/// The leader schedule of one epoch, before its validators are known to it.
#[derive(Clone, Copy, Debug)]
pub struct Leaders {
    /// The randomness of the block before the epoch.
    pub seed: B256,
}

/// The leader schedule of one epoch.
#[derive(Clone, Debug)]
pub struct Schedule {
    seed: B256,
    seats: u64,
}

impl Config<Scheme> for Leaders {
    type Elector = Schedule;

    fn build(self, participants: &Set<NetworkPublicKey>) -> Schedule {
        self.schedule(participants.len())
    }
}

impl Elector<Scheme> for Schedule {
    type Mode = Scheduled;

    fn terms(&self) -> Terms {
        Terms::rotating()
    }

    fn elect(&self, round: Round, (): ()) -> Participant {
        let leader = self.leader(round.view().get());
        Participant::new(u32::try_from(leader).unwrap_or_default())
    }
}

impl Leaders {
    /// The schedule of a number of seats, in the order of their set.
    #[must_use]
    pub fn schedule(self, seats: usize) -> Schedule {
        let seats = u64::try_from(seats).unwrap_or(u64::MAX);
        Schedule { seed: self.seed, seats: seats.max(1) }
    }
}

impl Schedule {
    /// The place of a view's leader in the set.
    #[must_use]
    pub fn leader(&self, view: u64) -> usize {
        let turn = view.saturating_sub(1);
        let (cycle, place) = (turn.div_euclid(self.seats), turn.rem_euclid(self.seats));
        usize::try_from(self.seat(cycle, place)).unwrap_or_default()
    }

    /// The seat at `place` in the shuffled order of `cycle`.
    ///
    /// A swap-or-not shuffle (Hoang, Morris, Rogaway 2012): every place is computed by itself, in
    /// 24 hashes, without writing the order down.
    fn seat(&self, cycle: u64, place: u64) -> u64 {
        (0..ROUNDS).fold(place, |place, round| {
            let pivot = self.draw(cycle, round, None).rem_euclid(self.seats);
            let mirror =
                pivot.saturating_add(self.seats).saturating_sub(place).rem_euclid(self.seats);
            let higher = place.max(mirror);
            if self.draw(cycle, round, Some(higher)) & 1 == 1 { mirror } else { place }
        })
    }

    fn draw(&self, cycle: u64, round: u8, place: Option<u64>) -> u64 {
        let mut bytes = [b"SAHARA_LEADERS".as_slice(), self.seed.as_slice()].concat();
        bytes.extend(cycle.to_be_bytes());
        bytes.push(round);
        bytes.extend(place.map(u64::to_be_bytes).into_iter().flatten());
        let mut word = [0; 8];
        word.iter_mut().zip(keccak256(bytes)).for_each(|(to, from)| *to = from);
        u64::from_be_bytes(word)
    }
}

/// Rounds of the shuffle. For up to 512 seats more would change nothing that can be measured.
const ROUNDS: u8 = 24;
