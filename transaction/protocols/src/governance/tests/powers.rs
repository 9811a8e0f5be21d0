//! Random use of what governance may do to the whole chain, against a book kept by hand from the specs: the
//! economy's parameters and what gas costs, by a vote and without; upgrades by height; pauses and their end.

use super::*;
use sahara_abi::{ISystem, MARKET, PROTOCOLS, SYSTEM};
use std::collections::BTreeMap;

const GUARDIANS: [Address; 3] =
    [Address::ZERO, Address::repeat_byte(0x61), Address::repeat_byte(0x62)];

/// Seconds of every delay of the network.
const QUICK: u32 = 5;

/// A change that a proposal can make.
#[derive(Clone, Debug)]
enum Change {
    Economy(ISystem::Parameters),
    Floor(u64),
}

/// What a reader of the specs expects.
struct Book {
    economy: ISystem::Parameters,
    floor: u64,
    settings: IGovernance::Settings,
    /// By the height from which on they are needed.
    versions: BTreeMap<u64, u32>,
    paused: BTreeMap<Address, u64>,
    rests: u64,
}

impl Book {
    fn until(&self, protocol: Address, now: u64) -> u64 {
        self.paused.get(&protocol).copied().filter(|until| *until > now).unwrap_or_default()
    }

    fn needed(&self, height: u64) -> u32 {
        self.versions.range(..=height).next_back().map_or(1, |(_, version)| *version)
    }

    fn allows(&self, change: &Change) -> bool {
        match change {
            Change::Economy(shown) => {
                let fees = [shown.protocolFee, shown.licenseFee, shown.marketFee];
                fees.iter().all(|fee| *fee <= 1_000)
                    && shown.maxGatewayFee <= 1_000
                    && shown.listingFee <= 5 << 64
                    && shown.maxReferral <= 2_000
                    && shown.maxDerivativeRoyalty <= 5_000
                    && shown.maxResaleRoyalty <= 5_000
                    && (1..=9_000).contains(&shown.maxLineageRoyalty)
                    && shown.maxDerivativeRoyalty <= shown.maxLineageRoyalty
            }
            Change::Floor(floor) => {
                let (before, after) = (u128::from(self.floor), u128::from(*floor));
                (100_000_000..=10_000_000_000_000).contains(floor)
                    && after <= 10 * before
                    && before <= 10 * after
            }
        }
    }

    fn apply(&mut self, change: Change) {
        match change {
            Change::Economy(parameters) => self.economy = parameters,
            Change::Floor(floor) => self.floor = floor,
        }
    }
}

impl Change {
    fn action(&self) -> (Address, Vec<u8>) {
        let data = match self {
            Self::Economy(parameters) => {
                ISystem::setParametersCall { parameters: parameters.clone() }.abi_encode()
            }
            Self::Floor(floor) => {
                let parameters = ISystem::GasParameters { baseFeeFloor: *floor };
                ISystem::setGasParametersCall { parameters }.abi_encode()
            }
        };
        (SYSTEM, data)
    }
}

struct Play {
    world: Undo,
    dice: Dice,
    book: Book,
    proposals: u32,
    /// What was done, by kind.
    done: BTreeMap<&'static str, u32>,
}

/// Mostly below the most, sometimes that, one more, or nothing.
fn near(dice: &mut Dice, most: u64) -> u64 {
    match dice.below(24) {
        0 => most,
        1 => most + 1,
        2 => 0,
        _ => dice.below(most + 1),
    }
}

impl Play {
    fn new(seed: u64) -> Self {
        let mut world = world(1, 2);
        let setup = quick(QUICK, GUARDIANS[1]);
        world.atomically(|state| found(state, &setup).map(|()| Bytes::new())).unwrap();
        pass(&mut world, DAY);
        let book = Book {
            economy: crate::Parameters::DEFAULT.into(),
            floor: 1_000_000_000,
            settings: setup.settings,
            versions: BTreeMap::new(),
            paused: BTreeMap::new(),
            rests: 0,
        };
        Self { world, dice: Dice(seed), book, proposals: 0, done: BTreeMap::new() }
    }

    fn count(&mut self, what: &'static str) {
        *self.done.entry(what).or_default() += 1;
    }

    /// Whoever could think that it may.
    fn caller(&mut self) -> Address {
        match self.dice.below(8) {
            0 => STRANGER,
            1 | 2 => GUARDIANS[1],
            3 => GUARDIANS[2],
            _ => GOVERNANCE,
        }
    }

    fn change(&mut self) -> Change {
        let (dice, before) = (&mut self.dice, self.book.floor);
        if dice.below(2) == 0 {
            return Change::Floor(match dice.below(8) {
                0 => before * 10,
                1 => before * 10 + 1,
                2 => before / 10,
                3 => before / 10 + 1,
                4 => 100_000_000,
                5 => 10_000_000_000_000,
                6 => dice.roll(),
                _ => 100_000_000 + dice.below(20 * before),
            });
        }
        let listing = match dice.below(8) {
            0 => 5 << 64,
            1 => (5 << 64) + 1,
            _ => dice.amount(5 << 64),
        };
        let mut ratio = |most| u16::try_from(near(dice, most)).unwrap();
        Change::Economy(ISystem::Parameters {
            protocolFee: ratio(1_000),
            licenseFee: ratio(1_000),
            marketFee: ratio(1_000),
            listingFee: listing,
            maxReferral: ratio(2_000),
            maxDerivativeRoyalty: ratio(5_000),
            maxLineageRoyalty: ratio(9_000),
            maxResaleRoyalty: ratio(5_000),
            maxGatewayFee: ratio(1_000),
        })
    }

    fn step(&mut self) {
        match self.dice.below(16) {
            0..3 => self.set(),
            3 => self.propose(false),
            4 => self.propose(true),
            5 => self.settle_rules(),
            6 | 7 => self.schedule(),
            8 => self.cancel(),
            9 | 10 => self.pause(),
            11 => self.unpause(),
            12 | 13 => self.enter(),
            _ => {
                let seconds = match self.dice.below(3) {
                    0 => 1,
                    1 => self.dice.below(3_600),
                    _ => self.dice.below(6 * DAY),
                };
                self.world.state.block.number += self.dice.below(8);
                pass(&mut self.world, seconds);
            }
        }
    }

    fn set(&mut self) {
        let (caller, change) = (self.caller(), self.change());
        let may = caller == GOVERNANCE && self.book.allows(&change);
        let (to, data) = change.action();
        let done = self.world.atomically(|state| {
            let value = Amount::ZERO;
            crate::call(to, state, crate::Call { caller, value, data: &data, is_static: false })
        });
        assert_eq!(done.is_ok(), may, "{change:?} by {caller}: {done:?}");
        if may {
            self.count("set");
            self.book.apply(change);
        }
    }

    /// What could not be set is refused when it is proposed; what can be is not done by proposing.
    fn propose(&mut self, is_lived: bool) {
        let change = self.change();
        deposit(&mut self.world, person(0), 100 * COIN);
        self.proposals += 1;
        let name = self.proposals.to_string();
        let made = propose(&mut self.world, person(0), &[change.action()], &name);
        assert_eq!(made.is_ok(), self.book.allows(&change), "{change:?}: {made:?}");
        self.check();
        if let (Ok(id), true) = (made, is_lived) {
            self.live(id, change);
        }
    }

    fn live(&mut self, id: U256, change: Change) {
        open(&mut self.world, id);
        vote(&mut self.world, operator(0), id, IN_FAVOUR).unwrap();
        close(&mut self.world, id);
        // The chain may be first, as the settings stand.
        drop(queue(&mut self.world, id));
        self.check();
        pass(&mut self.world, QUICK.into());
        drop(execute(&mut self.world, id));
        assert_eq!(standing(&mut self.world, id), ProposalState::Executed);
        self.count("voted");
        self.book.apply(change);
    }

    fn settle_rules(&mut self) {
        let (caller, dice) = (self.caller(), &mut self.dice);
        let mut seconds = |most: u64| u32::try_from(near(dice, most)).unwrap();
        let settings = IGovernance::Settings {
            patience: seconds(7 * DAY),
            grace: seconds(56 * DAY),
            pauseFor: seconds(14 * DAY),
            pauseRest: seconds(30 * DAY),
            guardian: Address::ZERO,
            proposalVotes: U256::ZERO,
        };
        let guardian = GUARDIANS[usize::try_from(dice.below(3)).unwrap()];
        let settings = IGovernance::Settings { guardian, ..settings };
        let may = caller == GOVERNANCE
            && u64::from(settings.patience) <= 7 * DAY
            && settings.grace > settings.patience
            && u64::from(settings.grace) <= 56 * DAY
            && (1..=14 * DAY).contains(&u64::from(settings.pauseFor))
            && settings.pauseRest >= settings.pauseFor;
        let call = IGovernance::setSettingsCall { settings: settings.clone() };
        let done = self.world.call(caller, GOVERNANCE, 0, &call).is_ok();
        assert_eq!(done, may, "{settings:?} by {caller}");
        if may {
            self.count("settings");
            self.book.settings = settings;
        }
    }

    fn schedule(&mut self) {
        let (caller, now) = (self.caller(), self.world.state.block.number);
        let height = (now + self.dice.below(30)).saturating_sub(5);
        let version = self.book.needed(now) + u32::try_from(self.dice.below(3)).unwrap();
        // As many blocks of notice as the timelock of upgrades has seconds.
        let is_known = height >= now + u64::from(QUICK);
        let may = caller == GOVERNANCE && is_known && version > self.book.needed(now);
        let call = IGovernance::scheduleUpgradeCall { version, height };
        assert_eq!(self.world.call(caller, GOVERNANCE, 0, &call).is_ok(), may);
        if may {
            self.count("scheduled");
            self.book.versions.retain(|from, _| *from <= now);
            self.book.versions.insert(height, version);
        }
    }

    fn cancel(&mut self) {
        let (caller, now) = (self.caller(), self.world.state.block.number);
        let may = caller == GOVERNANCE && self.book.versions.keys().any(|from| *from > now);
        let call = IGovernance::cancelUpgradeCall {};
        assert_eq!(self.world.call(caller, GOVERNANCE, 0, &call).is_ok(), may);
        if may {
            self.count("cancelled");
            self.book.versions.retain(|from, _| *from <= now);
        }
    }

    fn protocols(&mut self) -> Vec<Address> {
        match self.dice.below(8) {
            0 => Vec::new(),
            1 => vec![MARKET, SYSTEM],
            2..5 => vec![STAKING],
            5 | 6 => vec![STAKING, MARKET],
            _ => vec![MARKET],
        }
    }

    fn pause(&mut self) {
        let (caller, protocols) = (self.caller(), self.protocols());
        let (now, most) = (now(&self.world), u64::from(self.book.settings.pauseFor));
        let duration = near(&mut self.dice, most);
        let is_guardian = caller == self.book.settings.guardian;
        let may = (caller == GOVERNANCE || is_guardian && self.book.rests <= now)
            && !protocols.is_empty()
            && !protocols.contains(&SYSTEM)
            && (1..=most).contains(&duration);
        let call = IGovernance::pauseCall { protocols: protocols.clone(), duration };
        let done = self.world.call(caller, GOVERNANCE, 0, &call).is_ok();
        assert_eq!(done, may, "{protocols:?} for {duration} by {caller}");
        if !may {
            return;
        }
        self.count(if is_guardian { "paused by the guardian" } else { "paused by a vote" });
        if is_guardian {
            self.book.rests = now + duration + u64::from(self.book.settings.pauseRest);
        }
        self.book.paused.extend(protocols.into_iter().map(|one| (one, now + duration)));
    }

    fn unpause(&mut self) {
        let (caller, protocols) = (self.caller(), self.protocols());
        let may = (caller == GOVERNANCE || caller == self.book.settings.guardian)
            && !protocols.is_empty()
            && !protocols.contains(&SYSTEM);
        let call = IGovernance::unpauseCall { protocols: protocols.clone() };
        assert_eq!(self.world.call(caller, GOVERNANCE, 0, &call).is_ok(), may);
        if may {
            self.count("ended early");
            self.book.paused.retain(|one, _| !protocols.contains(one));
        }
    }

    fn enter(&mut self) {
        let until = self.book.until(STAKING, now(&self.world));
        let call = IStaking::delegateCall { validator: operator(0) };
        let joined = self.world.call(person(1), STAKING, COIN, &call).map(drop);
        let paused = IGovernance::EntriesPaused { protocol: STAKING, until };
        assert_eq!(joined, if until == 0 { Ok(()) } else { Err(paused.into()) });
        self.count(if until == 0 { "entered" } else { "kept out" });
    }

    fn check(&mut self) {
        let economy = self.world.call(STRANGER, SYSTEM, 0, &ISystem::parametersCall {}).unwrap();
        assert_eq!(economy, self.book.economy);
        let gas = self.world.call(STRANGER, SYSTEM, 0, &ISystem::gasParametersCall {}).unwrap();
        assert_eq!(gas.baseFeeFloor, self.book.floor);
        assert_eq!(ask(&mut self.world, &IGovernance::settingsCall {}), self.book.settings);
        let rests = ask(&mut self.world, &IGovernance::guardianRestsUntilCall {});
        assert_eq!(rests, self.book.rests);
        let now = now(&self.world);
        for protocol in PROTOCOLS.iter().map(|protocol| protocol.address) {
            let until = ask(&mut self.world, &IGovernance::pausedUntilCall { protocol });
            assert_eq!(until, self.book.until(protocol, now), "{protocol}");
        }
        let word = self.world.state.words.get(&(GOVERNANCE, upgrade_slot())).copied();
        let height = self.world.state.block.number;
        for height in height..height + 32 {
            let needed = needed_version(word.unwrap_or_default(), height).unwrap();
            assert_eq!(needed, self.book.needed(height), "at {height}");
        }
    }
}

#[test]
fn i8_i9_what_governance_may_set_pause_and_schedule_is_what_a_book_by_hand_says() {
    let mut done: BTreeMap<&str, u32> = BTreeMap::new();
    for chapter in 0..OPERATIONS / 500 {
        let mut play = Play::new(chapter);
        for _ in 0..500 {
            play.step();
            play.check();
        }
        check_books(&play.world);
        for (what, count) in play.done {
            *done.entry(what).or_default() += count;
        }
    }
    assert_eq!(done.len(), 10, "{done:?}");
    assert!(done.values().all(|count| u64::from(*count) * 1_000 > OPERATIONS), "{done:?}");
}
