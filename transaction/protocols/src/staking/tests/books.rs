//! The books of the model: everything by hand, in plain numbers.

use super::*;

#[derive(Clone, Debug, Default)]
pub(super) struct Held {
    pub(super) shares: u128,
    pub(super) owed: u128,
    pub(super) frac: U256,
}

#[derive(Clone, Debug)]
pub(super) struct Out {
    pub(super) amount: u128,
    pub(super) created: u64,
}

#[derive(Clone, Debug)]
pub(super) struct Moved {
    pub(super) source: usize,
    pub(super) created: u64,
    pub(super) seen: usize,
    pub(super) shares: u128,
}

#[derive(Clone, Debug, Default)]
pub(super) struct House {
    pub(super) stake: u128,
    pub(super) shares: u128,
    pub(super) unpaid: u128,
    pub(super) rem: U256,
    pub(super) slashes: Vec<(u64, u16)>,
    /// Holders: people, then the operator.
    pub(super) held: Vec<Held>,
    pub(super) out: Vec<[Option<Out>; 7]>,
    pub(super) moved: Vec<[Option<Moved>; 7]>,
}

/// `ceil(a * b / c)` and `floor`, by division and rest.
fn up(a: u128, b: u128, c: u128) -> u128 {
    let (product, c) = (U256::from(a) * U256::from(b), U256::from(c));
    (product / c + U256::from(u8::from(!(product % c).is_zero()))).to()
}

fn down(a: u128, b: u128, c: u128) -> u128 {
    (U256::from(a) * U256::from(b) / U256::from(c)).to()
}

impl House {
    pub(super) fn value(&self, shares: u128) -> u128 {
        if self.shares == 0 { 0 } else { down(shares, self.stake, self.shares) }
    }

    pub(super) fn join(&mut self, who: usize, amount: u128) -> Option<u128> {
        let bought = match (self.stake, self.shares) {
            (_, 0) => amount,
            (0, _) => return None,
            (stake, shares) => down(amount, shares, stake),
        };
        self.stake += amount;
        self.shares += bought;
        self.held[who].shares += bought;
        (bought > 0 && self.stake < 1 << 96 && self.shares < 1 << 112).then_some(bought)
    }

    /// Everything that is asked for, or more for the last one.
    pub(super) fn part(&mut self, who: usize, amount: u128, locked: u128) -> Option<u128> {
        let free = self.held[who].shares - locked;
        let available = self.value(free);
        if amount == 0 || amount > available {
            return None;
        }
        let sold = if amount == available { free } else { up(amount, self.shares, self.stake) };
        Some(self.sell(who, sold, amount))
    }

    pub(super) fn sell(&mut self, who: usize, sold: u128, amount: u128) -> u128 {
        let amount = if sold == self.shares { self.stake } else { amount };
        self.stake -= amount;
        self.shares -= sold;
        self.held[who].shares -= sold;
        if sold > 0 && self.held[who].shares == 0 {
            self.rem += std::mem::take(&mut self.held[who].frac);
        }
        amount
    }

    /// Divides a reward and settles everyone.
    pub(super) fn reward(&mut self, amount: u128) {
        let scaled: U256 = (U256::from(amount) << 128) + self.rem;
        let (each, rest) = scaled.div_rem(U256::from(self.shares));
        self.rem = rest;
        self.unpaid += amount;
        for holder in &mut self.held {
            let owed = each * U256::from(holder.shares) + holder.frac;
            holder.owed += (owed >> 128_usize).to::<u128>();
            holder.frac = owed & U256::from(u128::MAX);
        }
    }
}

#[derive(Clone, Debug)]
pub(super) struct Books {
    pub(super) now: u64,
    pub(super) houses: Vec<House>,
    pub(super) wallets: Vec<u128>,
    pub(super) incentive: u128,
}

impl Books {
    pub(super) fn touch(&mut self, who: usize, house: usize) {
        let owed = std::mem::take(&mut self.houses[house].held[who].owed);
        self.houses[house].unpaid -= owed;
        self.wallets[who] += owed;
    }

    /// Applies old faults to what came to a house; whether all are applied.
    pub(super) fn reach(&mut self, who: usize, house: usize) -> bool {
        let mut is_done = true;
        for place in 0..7 {
            let Some(mut moved) = self.houses[house].moved[who][place].take() else { continue };
            let slashes = &self.houses[moved.source].slashes;
            let end = slashes.len().min(moved.seen + 64);
            let mut left = moved.shares;
            for (fault, points) in &slashes[moved.seen..end] {
                if *fault <= moved.created {
                    left -= up(left, (*points).into(), 10_000);
                }
            }
            let all = end == slashes.len() || left == 0;
            moved.seen = end;
            let sold = moved.shares - left;
            if sold > 0 {
                self.touch(who, house);
                let worth = self.houses[house].value(sold);
                self.incentive += self.houses[house].sell(who, sold, worth);
            }
            moved.shares = left;
            is_done &= all;
            let is_mature = self.now >= moved.created + UNBONDING;
            if !(is_mature && all || left == 0) {
                self.houses[house].moved[who][place] = Some(moved);
            }
        }
        is_done
    }

    pub(super) fn locked(&self, who: usize, house: usize) -> u128 {
        let moved = self.houses[house].moved[who].iter().flatten();
        moved.filter(|moved| self.now < moved.created + UNBONDING).map(|moved| moved.shares).sum()
    }

    pub(super) fn join(&mut self, who: usize, house: usize, amount: u128) -> Option<()> {
        if amount == 0 || !self.reach(who, house) {
            return None;
        }
        self.touch(who, house);
        self.wallets[who] -= amount;
        self.houses[house].join(who, amount).map(drop)
    }

    pub(super) fn part(&mut self, who: usize, house: usize, amount: u128) -> Option<u128> {
        if !self.reach(who, house) {
            return None;
        }
        self.touch(who, house);
        let locked = self.locked(who, house);
        self.houses[house].part(who, amount, locked)
    }

    pub(super) fn leave(&mut self, who: usize, house: usize, amount: u128) -> Option<()> {
        let amount = self.part(who, house, amount)?;
        let place = self.houses[house].out[who].iter_mut().find(|place| place.is_none())?;
        *place = Some(Out { amount, created: self.now });
        Some(())
    }

    pub(super) fn go_over(
        &mut self,
        who: usize,
        source: usize,
        to: usize,
        amount: u128,
    ) -> Option<()> {
        if source == to || amount == 0 || !self.reach(who, source) || !self.reach(who, to) {
            return None;
        }
        let amount = self.part(who, source, amount)?;
        self.touch(who, to);
        let shares = self.houses[to].join(who, amount)?;
        let seen = self.houses[source].slashes.len();
        let created = self.now;
        let place = self.houses[to].moved[who].iter_mut().find(|place| place.is_none())?;
        *place = Some(Moved { source, created, seen, shares });
        Some(())
    }

    pub(super) fn withdraw(&mut self, who: usize, house: usize) -> Option<u128> {
        let mut found = None;
        for place in &mut self.houses[house].out[who] {
            if let Some(out) = place.take_if(|out| self.now >= out.created + UNBONDING) {
                found = Some(found.unwrap_or(0) + out.amount);
            }
        }
        self.wallets[who] += found?;
        found
    }

    pub(super) fn slash(&mut self, house: usize, points: u16, fault: u64) {
        let house = &mut self.houses[house];
        let cut = down(house.stake, points.into(), 10_000);
        house.stake -= cut;
        house.slashes.push((fault, points));
        self.incentive += cut;
        for out in house.out.iter_mut().flatten().flatten() {
            if out.created >= fault {
                let cut = up(out.amount, points.into(), 10_000);
                out.amount -= cut;
                self.incentive += cut;
            }
        }
    }
}
