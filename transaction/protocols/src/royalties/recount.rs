//! What the royalties' words say they owe.

use super::{
    pool::Accumulator,
    storage::{Commitment, FLOWS, Flow, MEMBERS, Member, Seat, Terms},
};
use crate::{liabilities::RawSlot, state::Failure, storage::Value};
use alloy_primitives::U256;
use std::collections::BTreeMap;

/// A pool owes what went in and did not go out.
pub(crate) fn liability(slot: RawSlot, word: U256) -> Result<U256, Failure> {
    if slot.number != FLOWS.number() || slot.index != 0 {
        return Ok(U256::ZERO);
    }
    let flow = Flow::unpack(&[word])?;
    U256::from(flow.deposited)
        .checked_sub(U256::from(flow.paid))
        .ok_or_else(|| Failure::Fatal("a pool paid more than was deposited".into()))
}

/// Everything in a pool's holders' words.
#[derive(Default)]
struct Holders {
    number: u64,
    units: U256,
    paid: U256,
    owed: U256,
}

impl Holders {
    fn add(&mut self, accumulator: Accumulator, units: u128, paid: u128) -> Option<()> {
        self.units = self.units.checked_add(U256::from(units))?;
        self.paid = self.paid.checked_add(U256::from(paid))?;
        self.owed = self.owed.checked_add(accumulator.owed_scaled(units, paid)?)?;
        Some(())
    }
}

/// Checks I1 for every pool, from the words of its members.
pub(crate) fn check_pools(slots: &BTreeMap<RawSlot, U256>) -> Result<(), Failure> {
    let mut members = BTreeMap::<u64, Vec<Member>>::new();
    for (_, word) in slots.iter().filter(|(slot, _)| slot.number == MEMBERS.number()) {
        let member = Member::unpack(&[*word])?;
        members.entry(member.asset).or_default().push(member);
    }
    let pools = slots.iter().filter(|(slot, _)| slot.number == FLOWS.number());
    let mut keys: Vec<[u8; 30]> = pools.map(|(slot, _)| slot.key).collect();
    keys.dedup();
    for key in keys {
        let word = |index: u8| {
            let slot = RawSlot { number: FLOWS.number(), key, index };
            slots.get(&slot).copied().unwrap_or_default()
        };
        let (flow, terms) = (Flow::unpack(&[word(0)])?, Terms::unpack(&[word(1)])?);
        let seat = Seat::unpack(&[word(2), word(3)])?;
        let committed = Commitment::unpack(&[word(4), word(5)])?;
        let members = members.remove(&terms.asset).unwrap_or_default();
        check_pool(&flow, &terms, (&seat, &committed), &members).ok_or_else(|| {
            Failure::Fatal(format!("the pool of asset {} does not add up", terms.asset))
        })?;
    }
    match members.keys().next() {
        None => Ok(()),
        Some(asset) => Err(Failure::Fatal(format!("members of asset {asset} have no pool"))),
    }
}

fn check_pool(
    flow: &Flow,
    terms: &Terms,
    (seat, committed): (&Seat, &Commitment),
    members: &[Member],
) -> Option<()> {
    let accumulator = Accumulator::after(flow.deposited, terms.units);
    let mut holders = Holders::default();
    for member in members {
        holders.add(accumulator, member.units, member.paid)?;
        holders.number = holders.number.checked_add(1)?;
    }
    if terms.is_closed {
        holders.add(accumulator, seat.units, seat.paid)?;
        holders.add(accumulator, committed.waiting(), 0)?;
    }
    let scaled = |amount: u128| U256::from(amount).wrapping_shl(128);
    let sum = scaled(flow.paid).checked_add(holders.owed)?.checked_add(accumulator.rem)?;
    let holds = scaled(flow.deposited) == sum
        && holders.paid == U256::from(flow.paid)
        && holders.units == U256::from(terms.units)
        && holders.number == u64::from(terms.members)
        && (terms.is_closed || flow.deposited == 0)
        && committed.activated_units <= committed.units
        && committed.activated <= committed.count;
    holds.then_some(())
}
