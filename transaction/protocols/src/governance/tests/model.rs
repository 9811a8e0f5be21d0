//! Random sequences against a list of who said what, counted anew from nothing after every step.

use super::*;
use std::collections::BTreeMap;

const VALIDATORS: usize = 3;
const PEOPLE: usize = 5;

/// A proposal as its observer remembers it.
#[derive(Debug)]
struct Seen {
    id: U256,
    proposer: usize,
    starts_at: u64,
    ends_at: u64,
    said: BTreeMap<Address, u8>,
    last: ProposalState,
    deposit: u128,
    eta: Option<u64>,
    is_canceled: bool,
    is_executed: bool,
    seats: u16,
}

struct Play {
    world: Undo,
    dice: Dice,
    seen: Vec<Seen>,
    free: Vec<u128>,
    seats: u16,
    executed: u32,
}

fn everyone() -> Vec<Address> {
    (0..PEOPLE).map(person).chain((0..VALIDATORS).map(operator)).collect()
}

/// Later states are worth more; from one state only later ones follow.
fn rank(state: ProposalState) -> u8 {
    match state {
        ProposalState::Pending => 0,
        ProposalState::Active => 1,
        ProposalState::Canceled | ProposalState::Defeated | ProposalState::Succeeded => 2,
        ProposalState::Queued => 3,
        ProposalState::Expired | ProposalState::Executed | ProposalState::__Invalid => 4,
    }
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = world(VALIDATORS, PEOPLE);
        for number in 0..PEOPLE {
            join(&mut world, person(number), operator(number % VALIDATORS), 900 * COIN);
        }
        pass(&mut world, DAY);
        let free = vec![100_000 * COIN; PEOPLE];
        let (dice, seats) = (Dice(seed), 100);
        Self { world, dice, seen: Vec::new(), free, seats, executed: 0 }
    }

    fn index(&mut self, below: usize) -> usize {
        usize::try_from(self.dice.below(below as u64)).unwrap()
    }

    fn step(&mut self) {
        let who = self.index(PEOPLE);
        match self.dice.below(16) {
            0..2 => self.propose(who),
            2..8 => self.vote(),
            8 => self.stake(who),
            9 => self.touch(|id| IGovernance::queue_1Call { proposalId: id }),
            10 => self.touch(|id| IGovernance::execute_1Call { proposalId: id }),
            11 => self.cancel(who),
            12 => self.withdraw(who),
            _ => {
                let seconds = match self.dice.below(4) {
                    0 => 1,
                    1 => self.dice.below(3_600),
                    _ => self.dice.below(DAY),
                };
                pass(&mut self.world, seconds);
            }
        }
        self.executions();
    }

    fn propose(&mut self, who: usize) {
        let seats = u16::try_from(1 + self.dice.below(200)).unwrap();
        let action = change(&mut self.world, |parameters| parameters.seats = seats);
        let name = format!("{}", self.seen.len());
        let made = propose(&mut self.world, person(who), &[action], &name);
        assert_eq!(made.is_ok(), self.free[who] >= 5_000 * COIN);
        let Ok(id) = made else { return };
        self.free[who] -= 5_000 * COIN;
        let starts_at = now(&self.world) + DAY;
        self.seen.push(Seen {
            id,
            proposer: who,
            starts_at,
            ends_at: starts_at + 2 * DAY,
            said: BTreeMap::new(),
            last: ProposalState::Pending,
            deposit: 5_000 * COIN,
            eta: None,
            is_canceled: false,
            is_executed: false,
            seats,
        });
    }

    fn vote(&mut self) {
        if self.seen.is_empty() {
            return;
        }
        // Mostly one of the last, on which votes are taken.
        let back = 1 + self.index(6.min(self.seen.len()));
        let place = self.seen.len() - back;
        let voter = everyone()[self.index(PEOPLE + VALIDATORS)];
        let support = match self.dice.below(12) {
            0..7 => IN_FAVOUR,
            7..9 => AGAINST,
            9 => ABSTAIN,
            10 => VETO,
            _ => 4,
        };
        let time = now(&self.world);
        let seen = &mut self.seen[place];
        let is_open = seen.starts_at < time && time <= seen.ends_at;
        let may = is_open && !seen.is_canceled && !seen.said.contains_key(&voter) && support < 4;
        let cast = vote(&mut self.world, voter, seen.id, support);
        assert_eq!(cast.is_ok(), may, "{cast:?}");
        if may {
            seen.said.insert(voter, support);
        }
    }

    fn stake(&mut self, who: usize) {
        let (from, to) = (operator(self.index(VALIDATORS)), operator(self.index(VALIDATORS)));
        let amount = U256::from(1 + self.dice.amount(500 * COIN));
        let result = match self.dice.below(3) {
            0 => {
                join(&mut self.world, person(who), to, 1 + self.dice.amount(500 * COIN));
                return;
            }
            1 => {
                let call = IStaking::undelegateCall { validator: from, amount };
                self.world.call(person(who), STAKING, 0, &call).map(drop)
            }
            _ => {
                let call = IStaking::redelegateCall { source: from, destination: to, amount };
                self.world.call(person(who), STAKING, 0, &call).map(drop)
            }
        };
        // Refusals are staking's affair.
        drop(result);
    }

    fn touch<C: SolCall>(&mut self, call: impl Fn(U256) -> C) {
        let Some(place) = self.seen.len().checked_sub(1) else { return };
        let place = place - self.index(8.min(place + 1));
        drop(self.world.call(STRANGER, GOVERNANCE, 0, &call(self.seen[place].id)));
    }

    fn cancel(&mut self, who: usize) {
        let Some(place) = self.seen.len().checked_sub(1) else { return };
        let seen = &self.seen[place];
        let may = seen.proposer == who && !seen.is_canceled && now(&self.world) <= seen.starts_at;
        let call = IGovernance::cancel_1Call { proposalId: seen.id };
        assert_eq!(self.world.call(person(who), GOVERNANCE, 0, &call).is_ok(), may);
        self.seen[place].is_canceled |= may;
    }

    fn withdraw(&mut self, who: usize) {
        let amount = self.dice.amount(20_000 * COIN);
        let call = IGovernance::withdrawDepositCall { amount: U256::from(amount) };
        let done = self.world.call(person(who), GOVERNANCE, 0, &call).is_ok();
        assert_eq!(done, amount <= self.free[who]);
        if done {
            self.free[who] -= amount;
            deposit(&mut self.world, person(who), amount);
            self.free[who] += amount;
        }
    }

    /// I5: what was executed was queued, for its time, and not executed before.
    fn executions(&mut self) {
        let queued = logged::<IGovernance::ProposalQueued>(&self.world);
        let executed = logged::<IGovernance::ProposalExecuted>(&self.world);
        self.world.state.logs.clear();
        for event in queued {
            let eta = now(&self.world) + DAY;
            assert_eq!(event.etaSeconds, U256::from(eta));
            let seen = self.seen.iter_mut().find(|seen| seen.id == event.proposalId).unwrap();
            assert_eq!(seen.eta.replace(eta), None);
        }
        for event in executed {
            let time = now(&self.world);
            let seen = self.seen.iter_mut().find(|seen| seen.id == event.proposalId).unwrap();
            assert!(!std::mem::replace(&mut seen.is_executed, true) && seen.eta.unwrap() <= time);
            self.seats = seen.seats;
            self.executed += 1;
        }
    }

    /// All that was said about a proposal, counted from nothing.
    fn count(&mut self, place: usize) -> [u128; 4] {
        let mut votes = [0_u128; 4];
        let said = self.seen[place].said.clone();
        let at = tally(&mut self.world, self.seen[place].id).countedAt;
        let at = U256::from(at);
        for (voter, support) in &said {
            let mut weight = 0;
            for house in (0..VALIDATORS).map(operator).filter(|house| house != voter) {
                weight += part(&mut self.world, *voter, house, at);
            }
            let stake = IStaking::getPastStakeCall { validator: *voter, timepoint: at };
            let mut home: u128 = self.world.call(STRANGER, STAKING, 0, &stake).unwrap().to();
            if home > 0 {
                for other in said.keys().filter(|other| *other != voter) {
                    home -= part(&mut self.world, *other, *voter, at);
                }
            }
            votes[usize::from(*support)] += weight + home;
        }
        votes
    }

    fn check(&mut self) {
        let mut behind = 0;
        for place in 0..self.seen.len() {
            self.follow(place);
            behind += self.seen[place].deposit;
        }
        assert_eq!(parameters(&mut self.world).seats, self.seats);
        let free: u128 = self.free.iter().sum();
        assert_eq!(self.world.held(GOVERNANCE), free + behind, "I3");
        check_books(&self.world);
    }

    fn follow(&mut self, place: usize) {
        let seen = &self.seen[place];
        let (id, before, ends_at) = (seen.id, seen.last, seen.ends_at);
        if rank(before) == 4 || seen.deposit == 0 && rank(before) == 2 {
            return;
        }
        let current = standing(&mut self.world, id);
        assert!(current == before || rank(current) > rank(before), "I4: {before:?} {current:?}");
        let votes = self.count(place);
        let shown = tally(&mut self.world, id);
        let counted = [shown.against, shown.inFavour, shown.abstained, shown.vetoed];
        assert_eq!(counted, votes.map(U256::from));
        let (all, cast): (u128, u128) = (shown.all.to(), votes.iter().sum());
        assert!(cast <= all, "I1: {cast} of {all}");
        let [against, in_favour, _, vetoed] = votes;
        let passed = cast * 10_000 >= all * 3_340
            && cast > 0
            && vetoed * 10_000 <= cast * 3_340
            && in_favour * 2 > against + in_favour + vetoed;
        if now(&self.world) > ends_at && current != ProposalState::Canceled {
            assert_eq!(passed, current != ProposalState::Defeated, "I2: {votes:?} of {all}");
        }
        let proposal = storage::PROPOSALS.get(&mut self.world, B256::from(id)).unwrap();
        let seen = &mut self.seen[place];
        seen.last = current;
        seen.deposit = proposal.deposit;
    }
}

fn part(world: &mut Undo, who: Address, validator: Address, timepoint: U256) -> u128 {
    let call = IStaking::getPastDelegationCall { delegator: who, validator, timepoint };
    world.call(STRANGER, STAKING, 0, &call).unwrap().to()
}

#[test]
fn i1_i2_i3_i4_i5_hold_over_random_sequences() {
    let mut executed = 0;
    for chapter in 0..OPERATIONS / 500 {
        let mut play = Play::new(chapter);
        for operation in 0..500 {
            play.step();
            if operation % 10 == 9 {
                play.check();
            }
        }
        executed += play.executed;
    }
    assert!(u64::from(executed) * 500 > OPERATIONS, "{executed} executed");
}
