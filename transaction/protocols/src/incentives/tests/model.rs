//! Random sequences: every programme adds up from its events.

use super::*;

fn events<E: SolEvent>(world: &Undo) -> impl Iterator<Item = E> {
    world.state.logs.iter().filter_map(|log| E::decode_log(log).ok()).map(|log| log.data)
}

/// What was given to a programme, and what of it left for good.
#[derive(Clone, Debug, Default)]
struct Ledger {
    given: u128,
    paid: u128,
}

struct Play {
    world: Undo,
    dice: Dice,
    programmes: Vec<Ledger>,
    received: u128,
}

impl Play {
    fn index(&mut self, below: u64) -> usize {
        usize::try_from(self.dice.below(below)).unwrap()
    }

    /// A number of something there is, or a little beyond.
    fn number(&mut self, count: u64) -> u64 {
        1 + self.dice.below(count + 1)
    }

    #[expect(clippy::too_many_lines, reason = "one arm for each call")]
    fn step(&mut self) {
        let counts = ask(&mut self.world, MANAGER, &IIncentives::countsCall {}).unwrap();
        let now = self.world.state.block.timestamp.0;
        let (who, days) = (person(self.index(6)), 1 + self.dice.below(20));
        let programme_number = self.number(counts.programmes);
        let (grant_number, hackathon) =
            (self.number(counts.grants), self.number(counts.hackathons));
        let (amount, other) =
            (1 + u128::from(self.dice.below(30)), 1 + u128::from(self.dice.below(30)));
        let is_yes = self.dice.below(3) > 0;
        let world = &mut self.world;
        match self.dice.below(16) {
            0 => {
                arrive(world, amount * COIN);
                self.received += amount * COIN;
            }
            1 => drop(ask(world, GOVERNANCE, &programme(amount * 9 * COIN, now + days * 9 * DAY))),
            2 => {
                let call = IIncentives::closeProgrammeCall { programme: programme_number };
                drop(ask(world, who, &call));
            }
            3 | 4 => {
                let plan = grant(programme_number, &[amount, other], &[days, days + 3], now);
                drop(ask(world, who, &plan));
            }
            5 | 6 => {
                let call =
                    IIncentives::approveGrantCall { grant: grant_number, reviewer: REVIEWER };
                drop(ask(world, MANAGER, &call));
            }
            7 | 8 => {
                let grantee = ask(world, who, &IIncentives::grantCall { grant: grant_number });
                let grantee = grantee.map_or(who, |grant| grant.grantee);
                let call = IIncentives::deliverCall { grant: grant_number, evidence: B256::ZERO };
                drop(ask(world, grantee, &call));
            }
            9 => {
                let reason = B256::ZERO;
                let call =
                    IIncentives::reviewCall { grant: grant_number, isAccepted: is_yes, reason };
                drop(ask(world, REVIEWER, &call));
            }
            10 => drop(ask(world, who, &IIncentives::endGrantCall { grant: grant_number })),
            11 => drop(ask(world, who, &IIncentives::settleReviewCall { grant: grant_number })),
            12 => {
                let call = IIncentives::openHackathonCall {
                    programme: programme_number,
                    judges: vec![person(9)],
                    prizes: coins(&[amount + other, amount]),
                    submitUntil: now + days * DAY,
                    judgeUntil: now + (days + 1) * DAY,
                    terms: B256::ZERO,
                };
                drop(ask(world, MANAGER, &call));
            }
            13 => {
                let (call, work) = (IIncentives::finishCall { hackathon }, B256::ZERO);
                if is_yes {
                    drop(ask(world, who, &IIncentives::submitCall { hackathon, work }));
                } else {
                    let ranking = vec![who];
                    drop(ask(world, person(9), &IIncentives::judgeCall { hackathon, ranking }));
                    self.note();
                    drop(ask(&mut self.world, who, &call));
                }
            }
            _ => pass(world, days * DAY / 4),
        }
        self.note();
    }

    /// Reads off what the last call did.
    fn note(&mut self) {
        for event in events::<IIncentives::ProgrammeOpened>(&self.world) {
            self.programmes.push(Ledger { given: event.budget.to(), paid: 0 });
        }
        let paid: Vec<(u64, u128)> = events::<IIncentives::MilestonePaid>(&self.world)
            .map(|event| (event.grant, event.amount.to()))
            .collect();
        let prizes: Vec<(u64, u128)> = events::<IIncentives::PrizePaid>(&self.world)
            .map(|event| (event.hackathon, event.amount.to()))
            .collect();
        self.world.state.logs.clear();
        for (number, amount) in paid {
            let grant = ask(&mut self.world, MANAGER, &IIncentives::grantCall { grant: number });
            self.pay(grant.unwrap().programme, amount);
        }
        for (number, amount) in prizes {
            let call = IIncentives::hackathonCall { hackathon: number };
            let programme = ask(&mut self.world, MANAGER, &call).unwrap().programme;
            self.pay(programme, amount);
        }
    }

    fn pay(&mut self, programme: u64, amount: u128) {
        self.programmes[usize::try_from(programme).unwrap() - 1].paid += amount;
    }

    fn check(&mut self) {
        check_books(&self.world);
        let world = &mut self.world;
        let counts = ask(world, MANAGER, &IIncentives::countsCall {}).unwrap();
        let mut held: Vec<u128> = Vec::new();
        let mut is_closed = Vec::new();
        for programme in 1..=counts.programmes {
            let shown = ask(world, MANAGER, &IIncentives::programmeCall { programme }).unwrap();
            held.push(shown.left.to());
            is_closed.push(shown.isClosed);
        }
        let place = |programme: u64| usize::try_from(programme).unwrap() - 1;
        for grant in 1..=counts.grants {
            let shown = ask(world, MANAGER, &IIncentives::grantCall { grant }).unwrap();
            held[place(shown.programme)] += shown.left.to::<u128>();
        }
        for hackathon in 1..=counts.hackathons {
            let shown = ask(world, MANAGER, &IIncentives::hackathonCall { hackathon }).unwrap();
            held[place(shown.programme)] += shown.left.to::<u128>();
        }
        let mut returned = 0;
        for (index, ledger) in self.programmes.iter().enumerate() {
            let back = ledger.given - ledger.paid - held[index];
            assert!(back == 0 || is_closed[index], "I2: programme {index} lost {back}");
            returned += back;
        }
        assert_eq!(self.world.held(INCENTIVE_POOL), returned);
        let paid: u128 = self.programmes.iter().map(|ledger| ledger.paid).sum();
        let all = self.world.held(INCENTIVES) + returned + paid;
        assert_eq!(all, self.received);
    }
}

#[test]
fn i1_i2_i3_hold_over_random_sequences() {
    let mut paid = 0;
    for chapter in 0..OPERATIONS / 500 {
        let mut world = Undo::default();
        world.state.block.timestamp = Timestamp(START);
        arrive(&mut world, 2_000 * COIN);
        let received = 2_000 * COIN;
        let mut play = Play { world, dice: Dice(chapter), programmes: Vec::new(), received };
        for operation in 0..500 {
            play.step();
            if operation % 20 == 19 {
                play.check();
            }
        }
        paid += play.programmes.iter().filter(|ledger| ledger.paid > 0).count();
    }
    assert!(paid as u64 * 1_000 > OPERATIONS, "{paid} programmes paid something");
}
