//! Random calls of everything that moves coin, against plain maps.

use super::*;
use crate::{Call, channels::tests::world::Actor};
use alloy_sol_types::SolCall;
use proptest::{strategy::ValueTree, test_runner::TestRunner};
use sahara_abi::{
    ASSETS, COIN,
    signing::{CancelAuthorization, ReceiveWithAuthorization, TransferWithAuthorization},
};
use std::collections::{BTreeMap, BTreeSet};

/// Who has coin and keys; the number after them is the zero address, the next a protocol.
const PEOPLE: usize = 3;

/// What may be tried. `signer` signs for whoever is named; what is `late`, `early` or `ahead` is so by as much.
#[derive(Clone, Debug)]
enum Step {
    Send { by: usize, to: usize, units: u128 },
    Approve { by: usize, spender: usize, limit: Option<u128> },
    Take { by: usize, from: usize, to: usize, units: u128 },
    Permit { owner: usize, signer: usize, spender: usize, units: u128, ahead: u64, late: u64 },
    Authorize { by: usize, signer: usize, slip: Slip, says_receive: bool, is_receive: bool },
    Cancel { of: usize, signer: usize, nonce: u8 },
}

/// What an authorization names.
#[derive(Clone, Copy, Debug)]
struct Slip {
    from: usize,
    to: usize,
    units: u128,
    nonce: u8,
    early: u64,
    late: u64,
}

fn step() -> impl Strategy<Value = Step> {
    let (who, anyone) = (|| 0..PEOPLE, || prop_oneof![8 => 0..PEOPLE, 1 => PEOPLE..PEOPLE + 2]);
    let units = || prop_oneof![Just(0_u128), 1..40_u128, 90..130_u128];
    let seldom = || prop_oneof![5 => Just(0_u64), 1 => 1..3_u64];
    // Mostly the right signature.
    let signer = || prop_oneof![6 => Just(None::<usize>), 1 => (0..PEOPLE).prop_map(Some)];
    let slip = (who(), anyone(), units(), 0..6_u8, seldom(), seldom());
    let slip = slip.prop_map(|(from, to, units, nonce, early, late)| Slip {
        from,
        to,
        units,
        nonce,
        early,
        late,
    });
    prop_oneof![
        2 => (who(), anyone(), units()).prop_map(|(by, to, units)| Step::Send { by, to, units }),
        2 => (who(), anyone(), proptest::option::weighted(0.8, units()))
            .prop_map(|(by, spender, limit)| Step::Approve { by, spender, limit }),
        4 => (who(), who(), anyone(), units())
            .prop_map(|(by, from, to, units)| Step::Take { by, from, to, units }),
        2 => (who(), signer(), anyone(), units(), seldom(), seldom()).prop_map(
            |(owner, signer, spender, units, ahead, late)| Step::Permit {
                owner, signer: signer.unwrap_or(owner), spender, units, ahead, late,
            }),
        4 => (who(), signer(), slip, any::<bool>(), prop_oneof![8 => Just(true), 1 => Just(false)]).prop_map(
            |(by, signer, slip, says_receive, is_meant)| Step::Authorize {
                by,
                signer: signer.unwrap_or(slip.from),
                slip,
                says_receive,
                is_receive: says_receive == is_meant,
            }),
        1 => (who(), signer(), 0..6_u8)
            .prop_map(|(of, signer, nonce)| Step::Cancel { of, signer: signer.unwrap_or(of), nonce }),
    ]
}

/// The protocol and the maps, which must agree after every step.
struct Play {
    state: MemoryState,
    people: [Actor; PEOPLE],
    wallets: [u128; PEOPLE],
    allowances: BTreeMap<(usize, usize), U256>,
    permits: [u64; PEOPLE],
    used: BTreeSet<(usize, u8)>,
    seen: BTreeSet<(&'static str, bool)>,
}

impl Play {
    fn new() -> Self {
        let mut state = MemoryState::default();
        let people = [21, 22, 23].map(Actor::new);
        people.iter().for_each(|person| state.fund(person.address, amount(100)));
        Self {
            state,
            people,
            wallets: [100; PEOPLE],
            allowances: BTreeMap::new(),
            permits: [0; PEOPLE],
            used: BTreeSet::new(),
            seen: BTreeSet::new(),
        }
    }

    fn address(&self, who: usize) -> Address {
        let special = if who == PEOPLE { Address::ZERO } else { ASSETS };
        self.people.get(who).map_or(special, |person| person.address)
    }

    fn now(&self) -> u64 {
        self.state.block.timestamp.0
    }

    /// Signs a message of the coin's domain: recovery number, `r`, `s`, and all bytes.
    fn sign(&self, signer: usize, message: &impl SolStruct) -> (u8, B256, B256, Vec<u8>) {
        let hash = message.eip712_signing_hash(&coin_domain(self.state.block.chain_id));
        let bytes = self.people[signer].sign_hash(hash).to_vec();
        let [r, s] = [&bytes[..32], &bytes[32..64]].map(B256::from_slice);
        (bytes[64], r, s, bytes)
    }

    fn call<C: SolCall>(&mut self, by: usize, call: &C) -> bool {
        let (caller, data) = (self.people[by].address, call.abi_encode());
        let request = Call { caller, value: Amount::ZERO, data: &data, is_static: false };
        self.state.call(COIN, request).is_ok()
    }

    fn ask<C: SolCall>(&mut self, call: &C) -> C::Return {
        let data = call.abi_encode();
        let request = Call { caller: CAROL, value: Amount::ZERO, data: &data, is_static: true };
        C::abi_decode_returns(&self.state.call(COIN, request).unwrap()).unwrap()
    }

    /// Moves coin in the maps, if it can be.
    fn moves(&mut self, from: usize, to: usize, units: u128) -> bool {
        let may = to < PEOPLE && self.wallets[from] >= units;
        if may {
            self.wallets[from] -= units;
            self.wallets[to] += units;
        }
        may
    }

    fn step(&mut self, step: &Step) {
        let (name, expected, got) = match *step {
            Step::Send { by, to, units } => {
                let expected = self.moves(by, to, units);
                let (to, value) = (self.address(to), U256::from(units));
                ("send", expected, self.call(by, &ICoin::transferCall { to, value }))
            }
            Step::Approve { by, spender, limit } => {
                let value = limit.map_or(U256::MAX, U256::from);
                let expected = spender != PEOPLE;
                if expected {
                    self.allowances.insert((by, spender), value);
                }
                let spender = self.address(spender);
                ("approve", expected, self.call(by, &ICoin::approveCall { spender, value }))
            }
            Step::Take { by, from, to, units } => self.take(by, (from, to), units),
            Step::Permit { .. } => self.permit(step),
            Step::Authorize { by, signer, slip, says_receive, is_receive } => {
                self.authorize((by, signer), slip, (says_receive, is_receive))
            }
            Step::Cancel { of, signer, nonce } => self.cancel(of, signer, nonce),
        };
        assert_eq!(got, expected, "{step:?}");
        self.seen.insert((name, got));
        self.compare();
    }

    fn take(
        &mut self,
        by: usize,
        (from, to): (usize, usize),
        units: u128,
    ) -> (&'static str, bool, bool) {
        let value = U256::from(units);
        let allowed = self.allowances.get(&(from, by)).copied().unwrap_or_default();
        let expected = allowed >= value && self.moves(from, to, units);
        if expected && allowed != U256::MAX {
            self.allowances.insert((from, by), allowed - value);
        }
        let (from, to) = (self.address(from), self.address(to));
        ("take", expected, self.call(by, &ICoin::transferFromCall { from, to, value }))
    }

    fn permit(&mut self, step: &Step) -> (&'static str, bool, bool) {
        let Step::Permit { owner, signer, spender, units, ahead, late } = *step else {
            unreachable!("only called for this step")
        };
        let expected = signer == owner && ahead == 0 && late <= 1 && spender != PEOPLE;
        let (value, nonce) = (U256::from(units), U256::from(self.permits[owner] + ahead));
        let deadline = U256::from(self.now() + 1 - late);
        if expected {
            self.permits[owner] += 1;
            self.allowances.insert((owner, spender), value);
        }
        let (from, spender) = (self.address(owner), self.address(spender));
        let message = Permit { owner: from, spender, value, nonce, deadline };
        let (v, r, s, _) = self.sign(signer, &message);
        let call = ICoin::permitCall { owner: from, spender, value, deadline, v, r, s };
        ("permit", expected, self.call((owner + 1) % PEOPLE, &call))
    }

    fn authorize(
        &mut self,
        (by, signer): (usize, usize),
        slip: Slip,
        (says_receive, is_receive): (bool, bool),
    ) -> (&'static str, bool, bool) {
        let Slip { from, to, units, nonce, early, late } = slip;
        let is_right = says_receive == is_receive && signer == from && (!is_receive || by == to);
        let is_open = early == 0 && late == 0 && !self.used.contains(&(from, nonce));
        let expected = is_right && is_open && self.moves(from, to, units);
        if expected {
            self.used.insert((from, nonce));
        }
        let (from, to, value) = (self.address(from), self.address(to), U256::from(units));
        let (after, before) =
            (U256::from(self.now() - 1 + early), U256::from(self.now() + 1 - late));
        let nonce = B256::repeat_byte(nonce);
        let (v, r, s, bytes) = if says_receive {
            let word = ReceiveWithAuthorization {
                from,
                to,
                value,
                validAfter: after,
                validBefore: before,
                nonce,
            };
            self.sign(signer, &word)
        } else {
            let word = TransferWithAuthorization {
                from,
                to,
                value,
                validAfter: after,
                validBefore: before,
                nonce,
            };
            self.sign(signer, &word)
        };
        if is_receive {
            let signature = bytes.into();
            let call = ICoin::receiveWithAuthorization_1Call {
                from,
                to,
                value,
                validAfter: after,
                validBefore: before,
                nonce,
                signature,
            };
            return ("receive", expected, self.call(by, &call));
        }
        let call = ICoin::transferWithAuthorization_0Call {
            from,
            to,
            value,
            validAfter: after,
            validBefore: before,
            nonce,
            v,
            r,
            s,
        };
        ("authorize", expected, self.call(by, &call))
    }

    fn cancel(&mut self, of: usize, signer: usize, nonce: u8) -> (&'static str, bool, bool) {
        let expected = signer == of && self.used.insert((of, nonce));
        let (authorizer, nonce) = (self.address(of), B256::repeat_byte(nonce));
        let (_, _, _, bytes) = self.sign(signer, &CancelAuthorization { authorizer, nonce });
        let signature = bytes.into();
        let call = ICoin::cancelAuthorization_1Call { authorizer, nonce, signature };
        ("cancel", expected, self.call((of + 1) % PEOPLE, &call))
    }

    /// Everything that can be read is what the maps say, and nobody else has coin.
    fn compare(&mut self) {
        for who in 0..PEOPLE {
            let account = self.address(who);
            let held = self.ask(&ICoin::balanceOfCall { account });
            assert_eq!(held, U256::from(self.wallets[who]));
            let nonce = self.ask(&ICoin::noncesCall { owner: account });
            assert_eq!(nonce, U256::from(self.permits[who]));
            for spender in 0..PEOPLE + 2 {
                let call = ICoin::allowanceCall { owner: account, spender: self.address(spender) };
                let expected = self.allowances.get(&(who, spender)).copied().unwrap_or_default();
                assert_eq!(self.ask(&call), expected);
            }
            for nonce in 0..6 {
                let call = ICoin::authorizationStateCall {
                    authorizer: account,
                    nonce: B256::repeat_byte(nonce),
                };
                assert_eq!(self.ask(&call), self.used.contains(&(who, nonce)));
            }
        }
        assert_eq!(Amount::sum(self.state.balances.values().copied()), Ok(amount(300)));
        assert_eq!(self.wallets.iter().sum::<u128>(), 300);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn i1_i2_i3_i4_i5_coin_moves_as_plain_maps_say(steps in proptest::collection::vec(step(), 1..50)) {
        let mut play = Play::new();
        steps.iter().for_each(|step| play.step(step));
    }
}

#[test]
fn every_kind_of_call_is_both_done_and_refused() {
    let mut runner = TestRunner::deterministic();
    let mut seen = BTreeSet::new();
    for _ in 0..40 {
        let steps = proptest::collection::vec(step(), 50).new_tree(&mut runner).unwrap().current();
        let mut play = Play::new();
        steps.iter().for_each(|step| play.step(step));
        seen.extend(play.seen);
    }
    for name in ["send", "approve", "take", "permit", "receive", "authorize", "cancel"] {
        for is_done in [true, false] {
            assert!(seen.contains(&(name, is_done)), "{name}, {is_done}: {seen:?}");
        }
    }
}
