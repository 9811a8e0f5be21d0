//! What coin buys the seats that halt the chain, and those that decide alone.

use crate::commands::sim::thresholds;
use sahara_primitives::Amount;
use sahara_protocols::{
    GENESIS_SUPPLY,
    staking::{
        LEAST_STAKE,
        seats::{Candidate, apportion},
    },
};
use serde::Serialize;

/// What one newcomer has to stake beside those who stand now.
#[derive(Debug, Serialize)]
pub(super) struct Costs {
    seats: u32,
    /// Over a third of the seats: without them no quorum comes about.
    to_halt: Cost,
    /// A quorum: over two thirds of the seats.
    to_decide: Cost,
}

#[derive(Debug, Serialize)]
struct Cost {
    seats: u32,
    /// To the base unit; none where all coin there is would not be enough.
    stake: Option<Amount>,
}

impl Costs {
    /// Of a chain with so many seats and these candidates.
    pub(super) fn beside(standing: &[Candidate], seats: u16) -> Self {
        let seats = u32::from(seats);
        let (halt, decide) = thresholds(seats);
        let cost = |wanted| Cost { seats: wanted, stake: least(standing, seats, wanted) };
        Self { seats, to_halt: cost(halt), to_decide: cost(decide) }
    }

    /// In a line.
    pub(super) fn line(&self) -> String {
        let Self { seats, to_halt, to_decide } = self;
        format!(
            "of {seats} seats, {} stop the chain and cost {}; {} decide alone and cost {}: staked by one newcomer beside those who stand",
            to_halt.seats,
            to_halt.price(),
            to_decide.seats,
            to_decide.price()
        )
    }
}

impl Cost {
    fn price(&self) -> String {
        self.stake.map_or_else(
            || String::from("more than all coin there is"),
            |stake| format!("{stake} SAHARA"),
        )
    }
}

/// The least stake with which one newcomer, with as many keys as it needs, is apportioned `wanted` of `seats`
/// by the chain's own function. Of two equal claims it has the later place.
fn least(standing: &[Candidate], seats: u32, wanted: u32) -> Option<Amount> {
    let wins = |stake: u128| {
        let newcomer = Candidate { stake, keys: u32::MAX };
        let won = apportion(&[standing, &[newcomer]].concat(), seats);
        won.last().is_some_and(|won| *won >= wanted)
    };
    let mut high = GENESIS_SUPPLY.to_u128()?;
    if !wins(high) {
        return None;
    }
    // Who stakes more never has fewer seats.
    let mut low = LEAST_STAKE.to_u128()?;
    while low < high {
        let middle = low.midpoint(high);
        if wins(middle) {
            high = middle;
        } else {
            low = middle.saturating_add(1);
        }
    }
    Some(Amount::from_u128(low))
}

#[cfg(test)]
mod tests {
    use super::*;

    const COIN: u128 = 1_000_000_000_000_000_000;

    fn standing(coins: u128) -> Candidate {
        Candidate { stake: coins * COIN, keys: u32::MAX }
    }

    fn price(standing: &[Candidate], wanted: u32) -> Option<u128> {
        least(standing, 100, wanted).map(|stake| stake.to_u128().unwrap())
    }

    #[test]
    fn seats_cost_what_beats_the_last_claim_of_the_others() {
        // The others' 67th seat is the one to be had: 67,000 / 67. An equal claim of the smaller stake loses.
        assert_eq!(price(&[standing(67_000)], 34), Some(34_000 * COIN + 1));
        // And of the larger one wins: 34,000 / 34.
        assert_eq!(price(&[standing(34_000)], 67), Some(67_000 * COIN));
        assert_eq!(price(&[standing(10_000_000_000)], 67), None, "twice of all coin");
    }

    #[test]
    fn seats_that_nobody_has_keys_for_cost_the_least_stake() {
        let least = LEAST_STAKE.to_u128();
        assert_eq!(price(&[], 67), least);
        let few = |keys| Candidate { keys, ..standing(1_000_000) };
        assert_eq!(price(&[few(33)], 67), least);
        assert!(price(&[few(34)], 67) > least);
    }

    #[test]
    fn one_base_unit_less_wins_a_seat_less() {
        let others = [7_777, 31_415, 31_415, 100_003, 1_000].map(standing);
        let limited = others.map(|one| Candidate { keys: 9, ..one });
        for standing in [&others, &limited] {
            let (halt, decide) = thresholds(100);
            for wanted in [1, halt, 50, decide, 100] {
                let stake = price(standing, wanted).unwrap();
                let won = |stake| {
                    let newcomer = Candidate { stake, keys: u32::MAX };
                    apportion(&[standing.as_slice(), &[newcomer]].concat(), 100)[standing.len()]
                };
                assert!(won(stake) >= wanted);
                assert!(won(stake - 1) < wanted || stake == 1_000 * COIN, "{wanted}");
            }
        }
    }

    #[test]
    fn the_line_says_both_prices() {
        let line = Costs::beside(&[standing(34_000)], 100).line();
        let (halt, decide) = line.split_once("; ").unwrap();
        assert!(halt.starts_with("of 100 seats, 34 stop the chain and cost "), "{line}");
        assert!(decide.starts_with("67 decide alone and cost 67000 SAHARA: "), "{line}");
        let none = Costs::beside(&[standing(10_000_000_000)], 100).line();
        assert!(none.contains("67 decide alone and cost more than all coin there is"), "{none}");
        assert_eq!(Costs::beside(&[], 4).to_halt.seats, 2, "three of four are a quorum");
    }
}
