//! A naive model of the market, and random afternoons that the rules must follow to the unit.

use super::stall::{
    LISTING_FEE, act, asset, entrust, item, leased, listing, pay, send, sign, state_of,
};
use crate::{
    Failure,
    channels::tests::world::{Actor, World},
    licenses::tests::town,
};
use alloy_primitives::{Address, Bytes, U256};
use proptest::prelude::*;
use sahara_abi::{
    ASSETS, COIN, IAssets, ICoin, ILicenses,
    IMarket::{self, Item, Listing},
    INCENTIVE_POOL, LICENSES, MARKET,
};
use sahara_primitives::{Amount, AssetId};
use std::collections::{BTreeMap, BTreeSet};

/// What may happen. Numbers choose among actors, things, listings and what waits; an actor past three
/// is whoever may.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Publish {
        by: usize,
        thing: usize,
        price: u128,
        fall: u128,
        referral: u16,
        refund: u32,
        buyer: usize,
        is_published: bool,
    },
    Buy {
        by: usize,
        listing: usize,
        referrer: usize,
        short: u128,
    },
    Cancel {
        by: usize,
        listing: usize,
    },
    Raise {
        by: usize,
        floor: u64,
    },
    Offer {
        by: usize,
        thing: usize,
        price: u128,
        seconds: u64,
    },
    CancelOffer {
        by: usize,
        number: usize,
    },
    Accept {
        by: usize,
        number: usize,
    },
    Open {
        by: usize,
        thing: usize,
        reserve: u128,
        seconds: u64,
    },
    Bid {
        by: usize,
        number: usize,
        raise: u128,
    },
    CancelAuction {
        by: usize,
        number: usize,
    },
    Settle {
        by: usize,
        number: usize,
    },
    Return {
        by: usize,
        number: usize,
    },
    Release {
        by: usize,
        number: usize,
    },
    Give {
        by: usize,
        thing: usize,
        to: usize,
    },
    Act {
        thing: usize,
    },
    Take {
        thing: usize,
    },
    Renew {
        by: usize,
    },
    Wait {
        seconds: u64,
    },
}

/// Random afternoons.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, thing, any_of) = (0..8_usize, 0..THINGS, 0..16_usize);
    let price = prop_oneof![0..5_u128, 900..1_100_u128, 10_u128.pow(18)..2 * 10_u128.pow(18)];
    let seconds = prop_oneof![1..20_u64, 100..700_u64, 600..700_u64];
    let sold = prop_oneof![2 => thing.clone(), 1 => Just(LICENSE)];
    let publish = (who.clone(), sold, price.clone(), 0..1_200_u128, 0..4_u16, 0..3_u32);
    let step = prop_oneof![
        8 => (publish, 0..20_usize, any::<bool>()).prop_map(
            |((by, thing, price, fall, referral, refund), buyer, is_published)| Step::Publish {
                by, thing, price, fall, referral: referral * 333, refund: refund * 300, buyer, is_published,
            }),
        8 => (0..4_usize, 0..4_usize, 0..8_usize, prop_oneof![4 => Just(0_u128), 1 => 1..3_u128])
            .prop_map(|(by, listing, referrer, short)| Step::Buy { by, listing, referrer, short }),
        1 => (who.clone(), any_of.clone()).prop_map(|(by, listing)| Step::Cancel { by, listing }),
        1 => (0..4_usize, 0..3_u64).prop_map(|(by, floor)| Step::Raise { by, floor }),
        3 => (0..4_usize, thing.clone(), price.clone(), seconds.clone())
            .prop_map(|(by, thing, price, seconds)| Step::Offer { by, thing, price, seconds }),
        1 => (who.clone(), any_of.clone()).prop_map(|(by, number)| Step::CancelOffer { by, number }),
        3 => (who.clone(), any_of.clone()).prop_map(|(by, number)| Step::Accept { by, number }),
        3 => (who.clone(), thing.clone(), price, seconds.clone())
            .prop_map(|(by, thing, reserve, seconds)| Step::Open { by, thing, reserve, seconds }),
        6 => (0..4_usize, any_of.clone(), 0..1_000_u128)
            .prop_map(|(by, number, raise)| Step::Bid { by, number, raise }),
        1 => (who.clone(), any_of.clone()).prop_map(|(by, number)| Step::CancelAuction { by, number }),
        3 => (0..4_usize, any_of.clone()).prop_map(|(by, number)| Step::Settle { by, number }),
        4 => (who.clone(), any_of.clone()).prop_map(|(by, number)| Step::Return { by, number }),
        2 => (0..4_usize, any_of).prop_map(|(by, number)| Step::Release { by, number }),
        1 => (who, thing, 0..4_usize).prop_map(|(by, thing, to)| Step::Give { by, thing, to }),
        1 => (0..3_usize).prop_map(|thing| Step::Act { thing }),
        1 => (0..3_usize).prop_map(|thing| Step::Take { thing }),
        1 => (0..8_usize).prop_map(|by| Step::Renew { by }),
        3 => seconds.prop_map(|seconds| Step::Wait { seconds }),
    ];
    prop::collection::vec(step, 30..80)
}

/// Two assets with a parent, one without, and a licence.
const THINGS: usize = 4;

/// The licence's position.
const LICENSE: usize = 3;

/// Something published or signed.
#[derive(Clone, Debug)]
pub(super) struct Sheet {
    listing: Listing,
    signature: Bytes,
    pub(super) seller: usize,
    thing: usize,
    version: u64,
    own_renewals: u64,
    pub(super) sales: u32,
}

/// Coin that waits.
#[derive(Clone, Debug)]
pub(super) enum Waiting {
    Offer {
        bidder: usize,
        thing: usize,
        version: u64,
        price: u128,
        ends_at: u64,
    },
    Auction {
        seller: usize,
        thing: usize,
        version: u64,
        reserve: u128,
        /// For how long it was put up.
        run: u64,
        ends_at: u64,
        best: Option<(usize, u128)>,
    },
    Sale {
        buyer: usize,
        seller: usize,
        version: u64,
        price: u128,
        until: u64,
        referrer: Option<usize>,
        referral: u128,
    },
}

/// The fee on a price.
fn fee(price: u128) -> u128 {
    price / 100
}

/// The world and the model, which must agree after every step.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) world: World,
    pub(super) actors: [Actor; 5],
    tokens: [(Address, U256); THINGS],
    pub(super) owners: [usize; THINGS],
    /// What listings commit to: transfers, and of an asset what its account did and what others took of it.
    versions: [u64; THINGS],
    /// How often the licence was renewed by who held it; renewals by others change no listing.
    own_renewals: u64,
    /// What somebody else has owned before: its account's allowance ended with that.
    has_moved: [bool; THINGS],
    /// The assets' own accounts, whose coin the fourth actor may take.
    accounts: [Address; LICENSE],
    wallets: [u128; 5],
    pub(super) pool: u128,
    pub(super) sheets: Vec<Sheet>,
    spent: BTreeSet<(usize, u64)>,
    floors: [u64; 5],
    pub(super) waiting: BTreeMap<u64, Waiting>,
    count: u64,
    pub(super) seen: BTreeMap<&'static str, u32>,
}

impl Play {
    pub(super) fn of(steps: &[Step]) -> Self {
        let mut play = Self::new();
        steps.iter().for_each(|step| play.step(step));
        play
    }

    pub(super) fn new() -> Self {
        let mut world = town::world();
        let actors =
            [world.payers[0], world.payers[1], world.workers[0], world.stranger, world.creator];
        let creator = actors[4];
        actors[..4].iter().for_each(|actor| entrust(&mut world, *actor));
        let parent = town::register(&mut world, creator, town::model()).unwrap();
        let children = [0, 1].map(|actor| {
            town::register(&mut world, actors[actor], town::child_of(parent)).unwrap()
        });
        let single = asset(&mut world, actors[2]);
        let license = leased(&mut world, creator, actors[3]);
        let token = |asset: u64| (ASSETS, U256::from(asset));
        let tokens = [token(children[0]), token(children[1]), token(single), (LICENSES, license)];
        let accounts = [children[0], children[1], single].map(|asset| {
            let state = &mut world.state;
            let account = crate::assets::account_of(state, AssetId(asset)).unwrap();
            state.fund(account, Amount::from_u128(1_000));
            crate::coin::approve(state, account, actors[3].address, U256::MAX).unwrap();
            account
        });
        let wallets = actors.map(|actor| world.balance(actor.address));
        let pool = world.balance(INCENTIVE_POOL);
        Self {
            world,
            actors,
            tokens,
            owners: [0, 1, 2, 3],
            versions: [0; THINGS],
            own_renewals: 0,
            has_moved: [false; THINGS],
            accounts,
            wallets,
            pool,
            sheets: vec![],
            spent: BTreeSet::new(),
            floors: [0; 5],
            waiting: BTreeMap::new(),
            count: 0,
            seen: BTreeMap::new(),
        }
    }

    fn now(&self) -> u64 {
        self.world.now()
    }

    /// Plays a step on both sides and compares every coin and every owner.
    pub(super) fn step(&mut self, step: &Step) {
        let (name, expected, got) = self.both(step);
        assert_eq!(got.is_ok(), expected, "{step:?}: {got:?}");
        if expected {
            *self.seen.entry(name).or_default() += 1;
        }
        for (actor, wallet) in self.actors.iter().zip(self.wallets) {
            assert_eq!(self.world.balance(actor.address), wallet, "{step:?}");
        }
        assert_eq!(self.world.balance(INCENTIVE_POOL), self.pool, "{step:?}");
        for (thing, owner) in self.owners.into_iter().enumerate() {
            assert_eq!(self.owner_of(thing), self.actors[owner].address, "{step:?}");
        }
    }

    fn owner_of(&mut self, thing: usize) -> Address {
        let (collection, token) = self.tokens[thing];
        let state = &mut self.world.state;
        if collection == ASSETS {
            crate::assets::owner_of(state, token).unwrap()
        } else {
            crate::licenses::owner_of(state, token).unwrap()
        }
    }

    fn both(&mut self, step: &Step) -> (&'static str, bool, Result<(), Failure>) {
        match *step {
            Step::Publish { .. } => self.publish(step),
            Step::Buy { by, listing, referrer, short } => self.buy(by, listing, referrer, short),
            Step::Cancel { by, listing } => {
                let sheet = self.sheets.get(listing % self.sheets.len().max(1));
                let (seller, nonce) =
                    sheet.map_or((by % 4, 0), |sheet| (sheet.seller, sheet.listing.nonce));
                let by = if by < 4 { by } else { seller };
                self.spent.insert((by, nonce));
                (
                    "cancel",
                    true,
                    send(&mut self.world, self.actors[by], IMarket::cancelCall { nonce }),
                )
            }
            Step::Raise { by, floor } => {
                self.floors[by] = floor.max(self.floors[by]);
                let call = IMarket::cancelBelowCall { floor };
                ("raise", true, send(&mut self.world, self.actors[by], call))
            }
            Step::Offer { by, thing, price, seconds } => self.offer(by, thing, price, seconds),
            Step::Open { by, thing, reserve, seconds } => self.open(by, thing, reserve, seconds),
            Step::Give { by, thing, to } => self.give(by, thing, to),
            Step::Act { thing } => {
                self.versions[thing] += 1;
                act(&mut self.world, self.tokens[thing].1.to());
                ("act", true, Ok(()))
            }
            Step::Take { thing } => self.take(thing),
            Step::Renew { by } => self.renew(by),
            Step::Wait { seconds } => {
                self.world.wait(seconds);
                ("wait", true, Ok(()))
            }
            _ => self.both_waiting(step),
        }
    }

    /// One unit out of an asset's own account, by an allowance of its first owner's.
    fn take(&mut self, thing: usize) -> (&'static str, bool, Result<(), Failure>) {
        let is_allowed = !self.has_moved[thing];
        if is_allowed {
            self.versions[thing] += 1;
            self.wallets[3] += 1;
        }
        let (from, to) = (self.accounts[thing], self.actors[3].address);
        let call = ICoin::transferFromCall { from, to, value: U256::ONE };
        ("take", is_allowed, self.world.call(self.actors[3], COIN, call).map(drop))
    }

    /// One more hour of the licence, which anybody may pay.
    fn renew(&mut self, by: usize) -> (&'static str, bool, Result<(), Failure>) {
        let by = if by < 4 { by } else { self.owners[LICENSE] };
        if self.owners[LICENSE] == by {
            self.own_renewals += 1;
        }
        let license = self.tokens[LICENSE].1;
        ("renew", true, town::renew(&mut self.world, self.actors[by], license, 1))
    }

    fn publish(&mut self, step: &Step) -> (&'static str, bool, Result<(), Failure>) {
        let Step::Publish { by, thing, price, fall, referral, refund, buyer, is_published } = *step
        else {
            unreachable!("only called for this step")
        };
        let seller = if by < 4 { by } else { self.owners[thing] };
        let (collection, token) = self.tokens[thing];
        let first = item(&mut self.world, collection, token, price);
        let first = Item { endPrice: price.saturating_sub(fall), ..first };
        let actor = self.actors[seller];
        let nonce = u64::try_from(self.sheets.len() / 4).unwrap();
        let listing = Listing {
            referral,
            refundSeconds: if thing == LICENSE { refund } else { 0 },
            buyer: self.actors.get(buyer).map_or(Address::ZERO, |actor| actor.address),
            nonce,
            ..listing(&self.world, actor, first)
        };
        let mut signature = sign(actor, &listing);
        let (mut expected, mut got) = (true, Ok(()));
        if is_published {
            expected = self.is_unspent(seller, nonce);
            signature = if expected { Bytes::new() } else { signature };
            let call = IMarket::listCall { data: listing.clone() };
            got = pay(&mut self.world, actor, LISTING_FEE, call).map(drop);
            if expected {
                self.wallets[seller] -= LISTING_FEE;
                self.pool += LISTING_FEE;
            }
        }
        let (version, own_renewals) = (self.versions[thing], self.own_renewals);
        let sheet = Sheet { listing, signature, seller, thing, version, own_renewals, sales: 0 };
        self.sheets.push(sheet);
        ("publish", expected, got)
    }

    fn is_unspent(&self, seller: usize, nonce: u64) -> bool {
        !self.spent.contains(&(seller, nonce)) && nonce >= self.floors[seller]
    }

    fn buy(
        &mut self,
        by: usize,
        listing: usize,
        referrer: usize,
        short: u128,
    ) -> (&'static str, bool, Result<(), Failure>) {
        if self.sheets.is_empty() {
            return ("nothing", true, Ok(()));
        }
        // Mostly what was published last.
        let index = self.sheets.len() - 1 - listing % self.sheets.len().min(4);
        let sheet = self.sheets[index].clone();
        let (terms, now) = (&sheet.listing, self.now());
        let passed = u128::from((now - terms.startsAt).min(1_000));
        let first = &terms.items[0];
        let price = first.price - (first.price - first.endPrice) * passed / 1_000;
        let total = price + fee(price);
        let sent = (total + 1) - 2 * short.min(total.div_ceil(2));
        let expected = now < terms.endsAt
            && (terms.buyer.is_zero() || terms.buyer == self.actors[by].address)
            && self.is_unspent(sheet.seller, terms.nonce)
            && self.owners[sheet.thing] == sheet.seller
            && self.versions[sheet.thing] == sheet.version
            && (sheet.thing != LICENSE || self.own_renewals == sheet.own_renewals)
            && sent >= total;
        let referrer = (referrer < 4).then_some(referrer);
        let call = IMarket::buyCall {
            data: terms.clone(),
            signature: sheet.signature.clone(),
            recipient: self.actors[by].address,
            referrer: referrer.map_or(Address::ZERO, |actor| self.actors[actor].address),
        };
        let got = pay(&mut self.world, self.actors[by], sent, call).map(drop);
        if expected {
            self.sheets[index].sales += 1;
            self.spent.insert((sheet.seller, terms.nonce));
            self.wallets[by] -= total;
            let referral = u128::from(terms.referral);
            if terms.refundSeconds == 0 {
                self.divide((sheet.seller, sheet.thing), price, referrer, referral);
                self.hand_over(sheet.thing, by);
            } else {
                self.hand_over(LICENSE, by);
                let (seller, version) = (sheet.seller, self.versions[LICENSE]);
                let until = now + u64::from(terms.refundSeconds);
                let sale =
                    Waiting::Sale { buyer: by, seller, version, price, until, referrer, referral };
                self.wait_for(sale);
            }
        }
        ("buy", expected, got)
    }

    fn wait_for(&mut self, what: Waiting) {
        self.count += 1;
        self.waiting.insert(self.count, what);
    }

    fn hand_over(&mut self, thing: usize, to: usize) {
        self.owners[thing] = to;
        self.versions[thing] += 1;
        self.has_moved[thing] = true;
    }

    /// Pays a price out while the seller still owns the thing.
    fn divide(
        &mut self,
        (seller, thing): (usize, usize),
        price: u128,
        referrer: Option<usize>,
        referral: u128,
    ) {
        self.pool += fee(price);
        let royalty = if thing == LICENSE { price / 10 } else { price / 20 };
        let to_creator = match thing {
            0 | 1 => royalty / 20,
            LICENSE => royalty,
            _ => 0,
        };
        self.wallets[4] += to_creator;
        self.wallets[seller] += royalty - to_creator;
        let referred = referrer.map_or(0, |_| price * referral / 10_000);
        if let Some(referrer) = referrer {
            self.wallets[referrer] += referred;
        }
        self.wallets[seller] += price - royalty - referred;
    }

    fn offer(
        &mut self,
        by: usize,
        thing: usize,
        price: u128,
        seconds: u64,
    ) -> (&'static str, bool, Result<(), Failure>) {
        let (collection, token) = self.tokens[thing];
        let ends_at = self.now() + seconds;
        let state = state_of(&mut self.world, collection, token);
        let call =
            IMarket::makeOfferCall { collection, tokenId: token, price, endsAt: ends_at, state };
        let got = pay(&mut self.world, self.actors[by], price + fee(price), call).map(drop);
        self.wallets[by] -= price + fee(price);
        let version = self.versions[thing];
        self.wait_for(Waiting::Offer { bidder: by, thing, version, price, ends_at });
        ("offer", true, got)
    }

    fn open(
        &mut self,
        by: usize,
        thing: usize,
        reserve: u128,
        seconds: u64,
    ) -> (&'static str, bool, Result<(), Failure>) {
        let by = if by < 4 { by } else { self.owners[thing] };
        let (collection, token) = self.tokens[thing];
        let ends_at = self.now() + seconds;
        let state = state_of(&mut self.world, collection, token);
        let call = IMarket::openAuctionCall {
            collection,
            tokenId: token,
            reserve,
            endsAt: ends_at,
            state,
        };
        let got = send(&mut self.world, self.actors[by], call);
        let expected = self.owners[thing] == by;
        if expected {
            let version = self.versions[thing];
            let best = None;
            let run = seconds;
            self.wait_for(Waiting::Auction {
                seller: by,
                thing,
                version,
                reserve,
                run,
                ends_at,
                best,
            });
        }
        ("open", expected, got)
    }

    fn give(
        &mut self,
        by: usize,
        thing: usize,
        to: usize,
    ) -> (&'static str, bool, Result<(), Failure>) {
        let by = if by < 4 { by } else { self.owners[thing] };
        let (from, target) = (self.actors[by].address, self.actors[to].address);
        let token = self.tokens[thing].1;
        let got = if thing == LICENSE {
            let call = ILicenses::transferFromCall { from, to: target, tokenId: token };
            town::send(&mut self.world, self.actors[by], call)
        } else {
            let call = IAssets::transferFromCall { from, to: target, tokenId: token };
            self.world.call(self.actors[by], ASSETS, call).map(drop)
        };
        let expected = self.owners[thing] == by;
        if expected {
            self.hand_over(thing, to);
        }
        ("give", expected, got)
    }

    /// The number of something that waits and is of the step's kind, if there is any.
    fn pick(&self, number: usize, is_meant: impl Fn(&Waiting) -> bool) -> u64 {
        let all: Vec<_> = self.waiting.iter().filter(|(_, what)| is_meant(what)).collect();
        let all = if number > 11 { all[all.len().saturating_sub(1)..].to_vec() } else { all };
        all.get(number % all.len().max(1)).map_or(self.count + 1, |(number, _)| **number)
    }

    fn both_waiting(&mut self, step: &Step) -> (&'static str, bool, Result<(), Failure>) {
        let is_offer = |what: &Waiting| matches!(what, Waiting::Offer { .. });
        let is_auction = |what: &Waiting| matches!(what, Waiting::Auction { .. });
        let is_sale = |what: &Waiting| matches!(what, Waiting::Sale { .. });
        match *step {
            Step::CancelOffer { by, number } => self.cancel_offer(by, self.pick(number, is_offer)),
            Step::Accept { by, number } => self.accept(by, self.pick(number, is_offer)),
            Step::Bid { by, number, raise } => self.bid(by, self.pick(number, is_auction), raise),
            Step::CancelAuction { by, number } => {
                self.cancel_auction(by, self.pick(number, is_auction))
            }
            Step::Settle { by, number } => {
                let ended = self.pick(number, |what| match what {
                    Waiting::Auction { ends_at, .. } => *ends_at <= self.now(),
                    _ => false,
                });
                let any = self.pick(number, is_auction);
                self.settle(by, if self.waiting.contains_key(&ended) { ended } else { any })
            }
            Step::Return { by, number } => self.give_back(by, self.pick(number, is_sale)),
            Step::Release { by, number } => self.release(by, self.pick(number, is_sale)),
            _ => unreachable!("the other steps were played before"),
        }
    }

    fn cancel_offer(&mut self, by: usize, offer: u64) -> (&'static str, bool, Result<(), Failure>) {
        let (mut expected, mut caller) = (false, by % 4);
        if let Some(Waiting::Offer { bidder, price, ends_at, .. }) =
            self.waiting.get(&offer).cloned()
        {
            caller = if by < 4 { by } else { bidder };
            expected = caller == bidder || self.now() >= ends_at;
            if expected {
                self.wallets[bidder] += price + fee(price);
                self.waiting.remove(&offer);
            }
        }
        let call = IMarket::cancelOfferCall { offer };
        ("cancel offer", expected, send(&mut self.world, self.actors[caller], call))
    }

    fn accept(&mut self, by: usize, offer: u64) -> (&'static str, bool, Result<(), Failure>) {
        let (mut expected, mut caller) = (false, by % 4);
        if let Some(Waiting::Offer { bidder, thing, version, price, ends_at }) =
            self.waiting.get(&offer).cloned()
        {
            caller = if by < 4 { by } else { self.owners[thing] };
            let is_owner = self.owners[thing] == caller;
            expected = is_owner && self.now() < ends_at && self.versions[thing] == version;
            if expected {
                self.waiting.remove(&offer);
                self.divide((caller, thing), price, None, 0);
                self.hand_over(thing, bidder);
            }
        }
        let call = IMarket::acceptOfferCall { offer };
        ("accept", expected, send(&mut self.world, self.actors[caller], call))
    }

    fn bid(
        &mut self,
        by: usize,
        auction: u64,
        raise: u128,
    ) -> (&'static str, bool, Result<(), Failure>) {
        let now = self.now();
        let (mut expected, mut price) = (false, raise);
        if let Some(Waiting::Auction { reserve, run, ends_at, best, .. }) =
            self.waiting.get_mut(&auction)
        {
            let least = best.map_or(*reserve, |(_, top)| top + (top / 20).max(1));
            price = (least + raise).saturating_sub(10);
            expected = now < *ends_at && price >= least;
            if expected {
                if let Some((outbid, top)) = *best {
                    self.wallets[outbid] += top + fee(top);
                }
                *best = Some((by, price));
                *ends_at = (*ends_at).max(now + 600.min(*run));
                self.wallets[by] -= price + fee(price);
            }
        }
        let call = IMarket::bidCall { auction, price };
        let got = pay(&mut self.world, self.actors[by], price + fee(price), call).map(drop);
        ("bid", expected, got)
    }

    fn cancel_auction(
        &mut self,
        by: usize,
        auction: u64,
    ) -> (&'static str, bool, Result<(), Failure>) {
        let (mut expected, mut caller) = (false, by % 4);
        if let Some(Waiting::Auction { seller, best, .. }) = self.waiting.get(&auction).cloned() {
            caller = if by < 4 { by } else { seller };
            expected = caller == seller && best.is_none();
            if expected {
                self.waiting.remove(&auction);
            }
        }
        let call = IMarket::cancelAuctionCall { auction };
        ("cancel auction", expected, send(&mut self.world, self.actors[caller], call))
    }

    pub(super) fn settle(
        &mut self,
        by: usize,
        auction: u64,
    ) -> (&'static str, bool, Result<(), Failure>) {
        let (mut expected, mut name) = (false, "settle");
        if let Some(Waiting::Auction { seller, thing, version, ends_at, best, .. }) =
            self.waiting.get(&auction).cloned()
        {
            expected = self.now() >= ends_at;
            if expected {
                self.waiting.remove(&auction);
                let is_there = self.owners[thing] == seller && self.versions[thing] == version;
                match best {
                    Some((bidder, price)) if is_there => {
                        name = "settle with a sale";
                        self.divide((seller, thing), price, None, 0);
                        self.hand_over(thing, bidder);
                    }
                    Some((bidder, price)) => {
                        name = "settle with the bid given back";
                        self.wallets[bidder] += price + fee(price);
                    }
                    None => {}
                }
            }
        }
        let call = IMarket::settleAuctionCall { auction };
        (name, expected, send(&mut self.world, self.actors[by], call))
    }

    fn give_back(&mut self, by: usize, sale: u64) -> (&'static str, bool, Result<(), Failure>) {
        let (mut expected, mut caller) = (false, by % 4);
        if let Some(Waiting::Sale { buyer, seller, version, price, until, .. }) =
            self.waiting.get(&sale).cloned()
        {
            caller = if by < 4 { by } else { buyer };
            let is_there = self.owners[LICENSE] == buyer && self.versions[LICENSE] == version;
            expected = caller == buyer && self.now() < until && is_there;
            if expected {
                self.waiting.remove(&sale);
                self.wallets[buyer] += price + fee(price);
                self.hand_over(LICENSE, seller);
            }
        }
        let call = IMarket::returnLicenseCall { sale };
        ("return", expected, send(&mut self.world, self.actors[caller], call))
    }

    fn release(&mut self, by: usize, sale: u64) -> (&'static str, bool, Result<(), Failure>) {
        let mut expected = false;
        if let Some(Waiting::Sale { seller, price, until, referrer, referral, .. }) =
            self.waiting.get(&sale).cloned()
        {
            expected = self.now() >= until;
            if expected {
                self.waiting.remove(&sale);
                self.divide((seller, LICENSE), price, referrer, referral);
            }
        }
        let call = IMarket::releaseCall { sale };
        ("release", expected, send(&mut self.world, self.actors[by], call))
    }

    /// All coin that waits.
    pub(super) fn held(&self) -> u128 {
        let total = |price: u128| price + fee(price);
        let waits = self.waiting.values().map(|what| match what {
            Waiting::Offer { price, .. } | Waiting::Sale { price, .. } => total(*price),
            Waiting::Auction { best, .. } => best.map_or(0, |(_, price)| total(price)),
        });
        waits.sum()
    }

    /// The market's own coin.
    pub(super) fn balance(&self) -> u128 {
        self.world.balance(MARKET)
    }
}
