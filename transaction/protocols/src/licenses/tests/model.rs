//! A naive model of licences, and random afternoons that the rules must follow step by step.

use super::town::{ask, hourly, model, offer, register, remix, renew, send, world};
use crate::{
    Failure,
    channels::tests::world::{Actor, World},
    licenses::{
        self,
        purpose::{ALL, COMMERCIAL, DERIVATIVE, INFERENCE, TRAINING},
        templates,
    },
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolCall;
use proptest::prelude::*;
use sahara_abi::{
    IAssets::{self, Derivatives, Kind, Relation},
    ILicenses::{self, Missing, Pricing, Purchase, Terms},
};
use sahara_primitives::AssetId;
use std::collections::{BTreeMap, BTreeSet};

/// What may happen. Numbers choose among actors, assets, terms and licences.
#[derive(Clone, Debug)]
pub(super) enum Step {
    Offer { by: usize, asset: usize, terms: usize },
    Withdraw { by: usize, asset: usize, terms: usize },
    Buy { by: usize, user: usize, asset: usize, terms: usize, quantity: u32 },
    Renew { by: usize, license: usize, quantity: u32 },
    Assign { by: usize, license: usize, account: usize },
    Free { by: usize, license: usize, account: usize },
    Meter { by: usize, meter: usize, is_allowed: bool },
    Count { by: usize, license: usize, account: usize, count: u64 },
    Revoke { by: usize, license: usize },
    Transfer { by: usize, license: usize, to: usize },
    Approve { by: usize, asset: usize, account: usize },
    Derive { by: usize, asset: usize },
    Wait { seconds: u64 },
}

/// Random afternoons. Actors 0 and 1 own the assets 0 and 1; actors 2 and 3 own nothing. A number past
/// its range is a hint that [`Play::resolve`] follows: who may, what is offered.
pub(super) fn steps() -> impl Strategy<Value = Vec<Step>> {
    let (who, asset, terms, license) = (0..12_usize, 0..2_usize, 0..3 * TERMS, 0..8_usize);
    let step = prop_oneof![
        3 => (who.clone(), asset.clone(), terms.clone())
            .prop_map(|(by, asset, terms)| Step::Offer { by, asset, terms }),
        1 => (who.clone(), asset.clone(), terms.clone())
            .prop_map(|(by, asset, terms)| Step::Withdraw { by, asset, terms }),
        6 => (0..4_usize, 0..8_usize, asset.clone(), terms, 1..4_u32).prop_map(
            |(by, user, asset, terms, quantity)| Step::Buy { by, user, asset, terms, quantity }),
        2 => (who.clone(), license.clone(), 0..4_u32)
            .prop_map(|(by, license, quantity)| Step::Renew { by, license, quantity }),
        3 => (who.clone(), license.clone(), 0..4_usize)
            .prop_map(|(by, license, account)| Step::Assign { by, license, account }),
        2 => (who.clone(), license.clone(), who.clone())
            .prop_map(|(by, license, account)| Step::Free { by, license, account }),
        1 => (0..4_usize, 0..4_usize, any::<bool>())
            .prop_map(|(by, meter, is_allowed)| Step::Meter { by, meter, is_allowed }),
        3 => (who.clone(), license.clone(), who.clone(), 0..4_u64)
            .prop_map(|(by, license, account, count)| Step::Count { by, license, account, count }),
        2 => (who.clone(), license.clone()).prop_map(|(by, license)| Step::Revoke { by, license }),
        2 => (who.clone(), license, 0..4_usize)
            .prop_map(|(by, license, to)| Step::Transfer { by, license, to }),
        1 => (who, asset.clone(), 0..4_usize)
            .prop_map(|(by, asset, account)| Step::Approve { by, asset, account }),
        3 => (0..4_usize, asset).prop_map(|(by, asset)| Step::Derive { by, asset }),
        2 => prop_oneof![1..5_u64, Just(50), Just(100), Just(3_600), Just(DAY)]
            .prop_map(|seconds| Step::Wait { seconds }),
    ];
    prop::collection::vec(step, 20..50)
}

/// For how long a gateway counts what it has served.
const DAY: u64 = 86_400;

/// Number of terms in [`catalogue`].
const TERMS: usize = 7;

/// Terms of every kind.
fn catalogue() -> [Terms; TERMS] {
    let free = |terms: Terms| Terms { derivativeRoyalty: 500, ..terms };
    [
        free(templates::OPEN_USE),
        free(templates::NON_COMMERCIAL),
        Terms { duration: 100, price: 1_000, ..templates::COMMERCIAL_USE },
        Terms {
            useCap: 3,
            seatWindow: 10,
            seatCap: 2,
            isRevocable: true,
            isTransferable: false,
            resaleRoyalty: 0,
            ..hourly(70)
        },
        Terms {
            pricing: Pricing::PerSeat,
            seatCap: 3,
            seatWindow: 50,
            purposes: INFERENCE | TRAINING,
            derivativeRoyalty: 0,
            ..remix(11)
        },
        Terms { pricing: Pricing::PerUse, useCap: 6, needsApproval: true, ..remix(7) },
        Terms { pricing: Pricing::PerMillionTokens, isReciprocal: true, ..remix(1_000_003) },
    ]
}

/// A licence as anyone would write it down.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) asset: usize,
    pub(super) terms: usize,
    pub(super) holder: usize,
    pub(super) seats: usize,
    /// Who sits, and until when each seat is locked.
    pub(super) sitting: BTreeMap<usize, u64>,
    pub(super) locked_until: u64,
    pub(super) expires_at: Option<u64>,
    pub(super) limit: Option<u64>,
    pub(super) uses: u64,
    pub(super) is_revoked: bool,
}

impl Entry {
    fn is_live(&self, now: u64) -> bool {
        !self.is_revoked
            && self.expires_at.is_none_or(|end| now < end)
            && self.limit.is_none_or(|limit| self.uses < limit)
    }
}

/// The world and the model, which must agree after every step.
#[derive(Debug)]
pub(super) struct Play {
    pub(super) world: World,
    pub(super) actors: [Actor; 4],
    pub(super) assets: [u64; 2],
    catalogue: [Terms; TERMS],
    ids: [B256; TERMS],
    pub(super) entries: Vec<Entry>,
    /// Where accounts were seated, by account and asset.
    lists: BTreeMap<(usize, usize), Vec<usize>>,
    offers: BTreeSet<(usize, usize)>,
    licensed: BTreeSet<usize>,
    meters: BTreeSet<(usize, usize)>,
    /// Until when a holder's gateways count what they have served, after the last was withdrawn.
    notices: BTreeMap<usize, u64>,
    approved: BTreeSet<(usize, usize)>,
    /// Children linked, with the terms that each must carry.
    pub(super) children: Vec<(u64, Option<usize>)>,
    pub(super) fees: u128,
    /// How often each step succeeded.
    pub(super) seen: BTreeMap<&'static str, u32>,
}

impl Play {
    pub(super) fn of(steps: &[Step]) -> Self {
        let mut play = Self::new();
        steps.iter().for_each(|step| play.step(step));
        play
    }

    pub(super) fn new() -> Self {
        let mut world = world();
        let actors = [world.creator, world.workers[0], world.payers[0], world.payers[1]];
        let dataset = IAssets::Registration { kind: Kind::Dataset, ..model() };
        let guarded = IAssets::Registration { derivatives: Derivatives::Approval, ..model() };
        let assets = [
            register(&mut world, actors[0], dataset).unwrap(),
            register(&mut world, actors[1], guarded).unwrap(),
        ];
        let catalogue = catalogue();
        let ids = catalogue
            .clone()
            .map(|data| ask(&mut world, actors[0], ILicenses::registerTermsCall { data }).unwrap());
        Self {
            world,
            actors,
            assets,
            catalogue,
            ids,
            entries: vec![],
            lists: BTreeMap::new(),
            offers: BTreeSet::new(),
            licensed: BTreeSet::new(),
            meters: BTreeSet::new(),
            notices: BTreeMap::new(),
            approved: BTreeSet::new(),
            children: vec![],
            fees: 0,
            seen: BTreeMap::new(),
        }
    }

    fn now(&self) -> u64 {
        self.world.now()
    }

    pub(super) fn address(&self, actor: usize) -> Address {
        self.actors[actor].address
    }

    fn free_terms(&self, asset: usize) -> Option<usize> {
        [0, 1].into_iter().find(|terms| self.offers.contains(&(asset, *terms)))
    }

    /// The step with its hints followed.
    fn resolve(&self, step: &Step) -> Step {
        let mut step = step.clone();
        match &mut step {
            Step::Offer { by, asset, terms } | Step::Withdraw { by, asset, terms } => {
                *by = if *by < 4 { *by } else { *asset };
                *terms %= TERMS;
            }
            Step::Buy { by, user, asset, terms, .. } => {
                *user = if *user < 4 { *user } else { *by };
                let offered: Vec<_> = self.offers.iter().filter(|(of, _)| of == asset).collect();
                let hint = terms.checked_sub(TERMS).map(|hint| hint % offered.len().max(1));
                *terms = match hint.and_then(|hint| offered.get(hint)) {
                    Some((_, terms)) => *terms,
                    None => *terms % TERMS,
                };
            }
            Step::Approve { by, asset, .. } => *by = if *by < 4 { *by } else { *asset },
            Step::Renew { by, license, .. }
            | Step::Assign { by, license, .. }
            | Step::Transfer { by, license, .. } => {
                *by = self.by(license, *by, |entry| entry.holder);
            }
            Step::Revoke { by, license } => *by = self.by(license, *by, |entry| entry.asset),
            Step::Free { by, license, account } | Step::Count { by, license, account, .. } => {
                *by = self.by(license, *by, |entry| entry.holder);
                let sitting = |entry: &Entry| *entry.sitting.keys().next().unwrap_or(&entry.holder);
                *account = self.by(license, *account, sitting);
            }
            Step::Meter { .. } | Step::Derive { .. } | Step::Wait { .. } => {}
        }
        step
    }

    /// The actor meant by a number, for a licence that is made to exist if any does.
    fn by(&self, license: &mut usize, who: usize, hint: impl Fn(&Entry) -> usize) -> usize {
        *license %= self.entries.len().max(1);
        let meant = if who < 4 { None } else { self.entries.get(*license) };
        meant.map_or(who % 4, hint)
    }

    /// Plays one step on both sides and compares what comes of it.
    pub(super) fn step(&mut self, step: &Step) {
        let step = &self.resolve(step);
        let before = self.entries.clone();
        let (name, expected, got) = self.both(step);
        assert_eq!(got.is_ok(), expected, "{step:?}: {got:?}");
        if expected {
            *self.seen.entry(name).or_default() += 1;
        } else {
            self.entries = before;
        }
        self.compare();
    }

    fn both(&mut self, step: &Step) -> (&'static str, bool, Result<(), Failure>) {
        match *step {
            Step::Offer { by, asset, terms } => {
                let call =
                    ILicenses::offerCall { asset: self.assets[asset], terms: self.ids[terms] };
                let is_blocked = terms < 2 && self.free_terms(asset).is_some();
                let expected = by == asset && !self.offers.contains(&(asset, terms)) && !is_blocked;
                if expected {
                    self.offers.insert((asset, terms));
                    self.licensed.insert(asset);
                }
                ("offer", expected, self.send(by, call))
            }
            Step::Withdraw { by, asset, terms } => {
                let (id, asset_id) = (self.ids[terms], self.assets[asset]);
                let expected = by == asset && self.offers.remove(&(asset, terms));
                let call = ILicenses::withdrawOfferCall { asset: asset_id, terms: id };
                ("withdraw", expected, self.send(by, call))
            }
            Step::Buy { by, user, asset, terms, quantity } => {
                let expected = self.buy((by, user), (asset, terms), quantity);
                ("buy", expected, self.send_buy((by, user), (asset, terms), quantity))
            }
            Step::Renew { by, license, quantity } => {
                let got = renew(&mut self.world, self.actors[by], number(license), quantity);
                ("renew", self.renew(license, quantity), got)
            }
            Step::Meter { by, meter, is_allowed } => {
                let pair = (by, meter);
                if is_allowed {
                    self.meters.insert(pair);
                } else if self.meters.remove(&pair) {
                    self.notices.insert(by, self.now() + DAY);
                }
                let meter = self.address(meter);
                let call = ILicenses::setMeterCall { meter, isAllowed: is_allowed };
                ("meter", true, self.send(by, call))
            }
            Step::Approve { by, asset, account } => {
                let creator = self.address(account);
                let parent = self.assets[asset];
                if by == asset {
                    self.approved.insert((asset, account));
                }
                let call = IAssets::approveDerivativeCall { parent, creator, isApproved: true };
                let got = self.world.call(self.actors[by], sahara_abi::ASSETS, call);
                ("approve", by == asset, got.map(drop))
            }
            Step::Derive { by, asset } => {
                ("derive", self.derive(by, asset), self.send_child(by, asset))
            }
            Step::Wait { seconds } => {
                self.world.wait(seconds);
                ("wait", true, Ok(()))
            }
            _ => self.both_seated(step),
        }
    }

    fn both_seated(&mut self, step: &Step) -> (&'static str, bool, Result<(), Failure>) {
        match *step {
            Step::Assign { by, license, account } => {
                let call = ILicenses::assignSeatCall {
                    license: number(license),
                    account: self.address(account),
                };
                ("assign", self.assign(by, license, account), self.send(by, call))
            }
            Step::Free { by, license, account } => {
                let call = ILicenses::freeSeatCall {
                    license: number(license),
                    account: self.address(account),
                };
                ("free", self.free(by, license, account), self.send(by, call))
            }
            Step::Count { by, license, account, count } => {
                let call = ILicenses::countUsesCall {
                    license: number(license),
                    account: self.address(account),
                    count,
                };
                ("count", self.count(by, license, account, count), self.send(by, call))
            }
            Step::Revoke { by, license } => {
                let call = ILicenses::revokeCall { license: number(license), reason: B256::ZERO };
                let expected = self.entries.get_mut(license).is_some_and(|entry| {
                    let may = by == entry.asset && entry.terms == 3 && !entry.is_revoked;
                    entry.is_revoked |= may;
                    may
                });
                ("revoke", expected, self.send(by, call))
            }
            Step::Transfer { by, license, to } => {
                let call = ILicenses::transferFromCall {
                    from: self.address(by),
                    to: self.address(to),
                    tokenId: number(license),
                };
                ("transfer", self.transfer(by, license, to), self.send(by, call))
            }
            _ => unreachable!("steps without a seat were played before"),
        }
    }

    fn send<C: SolCall>(&mut self, by: usize, call: C) -> Result<(), Failure> {
        send(&mut self.world, self.actors[by], call)
    }

    fn send_buy(
        &mut self,
        (by, user): (usize, usize),
        (asset, terms): (usize, usize),
        quantity: u32,
    ) -> Result<(), Failure> {
        let holder = self.address(by);
        let (asset, terms) = (self.assets[asset], self.ids[terms]);
        let purchase = Purchase { asset, terms, quantity, holder, user: self.address(user) };
        let quote = ILicenses::quoteCall { terms, quantity };
        let value = ask(&mut self.world, self.actors[by], quote)
            .map_or(0, |quote| (quote.price + quote.fee).to());
        let call = ILicenses::buyCall { purchase };
        super::town::pay(&mut self.world, self.actors[by], value, call).map(drop)
    }

    /// The price of `quantity`, per seat that is paid for.
    fn price(&self, terms: usize, quantity: u32, seats: usize) -> u128 {
        let Terms { pricing, price, .. } = self.catalogue[terms];
        let quantity = u128::from(quantity);
        match pricing {
            Pricing::PerMillionTokens => (price * quantity).div_ceil(1_000_000),
            Pricing::PerSeat => price * quantity * u128::try_from(seats).unwrap(),
            _ => price * quantity,
        }
    }

    fn buy(
        &mut self,
        (by, user): (usize, usize),
        (asset, terms): (usize, usize),
        quantity: u32,
    ) -> bool {
        let most = [1, 1, u32::MAX, u32::MAX, 3, 6, u32::MAX][terms];
        if !self.offers.contains(&(asset, terms)) || quantity > most {
            return false;
        }
        let (now, times) = (self.now(), u64::from(quantity));
        let expires_at = match terms {
            2 => Some(now + 100 * times),
            3 => Some(now + 3_600 * times),
            _ => None,
        };
        let limit = match terms {
            3 => Some(3 * times),
            5 | 6 => Some(times),
            _ => None,
        };
        let seats = match terms {
            3 => 2,
            4 => usize::try_from(quantity).unwrap(),
            _ => 1,
        };
        self.entries.push(Entry {
            asset,
            terms,
            holder: by,
            seats,
            sitting: BTreeMap::new(),
            locked_until: 0,
            expires_at,
            limit,
            uses: 0,
            is_revoked: false,
        });
        let license = self.entries.len() - 1;
        if self.enlist(license, user, if by == user { 8 } else { 4 }) {
            self.sit(license, user);
        }
        self.fees += self.price(terms, quantity, 1) / 100;
        true
    }

    fn renew(&mut self, license: usize, quantity: u32) -> bool {
        let now = self.now();
        let Some(entry) = self.entries.get(license).cloned() else { return false };
        let times = u64::from(quantity);
        let is_offered = self.offers.contains(&(entry.asset, entry.terms));
        let expiry = entry.expires_at.map_or(0, |end| end.max(now));
        let next = match entry.terms {
            2 => Entry { expires_at: Some(expiry + 100 * times), ..entry },
            3 => Entry {
                expires_at: Some(expiry + 3_600 * times),
                limit: entry.limit.map(|limit| limit + 3 * times),
                ..entry
            },
            5 | 6 => Entry { limit: entry.limit.map(|limit| limit + times), ..entry },
            _ => return false,
        };
        if !is_offered
            || next.is_revoked
            || quantity == 0
            || next.terms == 5 && next.limit > Some(6)
        {
            return false;
        }
        self.fees += self.price(next.terms, quantity, 1) / 100;
        self.entries[license] = next;
        true
    }

    /// Whether the account finds a place where the licence is looked for.
    fn enlist(&mut self, license: usize, account: usize, places: usize) -> bool {
        let now = self.now();
        let asset = self.entries[license].asset;
        let list = self.lists.entry((account, asset)).or_default();
        if list.contains(&license) {
            return true;
        }
        let mut kept = list.clone();
        if kept.len() >= places {
            kept.retain(|other| {
                let entry = &self.entries[*other];
                entry.is_live(now) && entry.sitting.contains_key(&account)
            });
        }
        if kept.len() >= places {
            return false;
        }
        kept.push(license);
        *list = kept;
        true
    }

    fn sit(&mut self, license: usize, account: usize) {
        let window = u64::from(self.catalogue[self.entries[license].terms].seatWindow);
        let until = self.now() + window;
        let entry = &mut self.entries[license];
        entry.sitting.insert(account, until);
        entry.locked_until = entry.locked_until.max(until);
    }

    fn assign(&mut self, by: usize, license: usize, account: usize) -> bool {
        let Some(entry) = self.entries.get(license).cloned() else { return false };
        if by != entry.holder || entry.is_revoked {
            return false;
        }
        let is_sitting = entry.sitting.contains_key(&account);
        let lists = self.lists.clone();
        if !self.enlist(license, account, if by == account { 8 } else { 4 }) {
            return false;
        }
        if !is_sitting {
            if entry.sitting.len() >= entry.seats {
                self.lists = lists;
                return false;
            }
            self.sit(license, account);
        }
        true
    }

    /// Whether a gateway may still have something to count of a licence.
    fn is_counted(&self, license: usize) -> bool {
        let Some(entry) = self.entries.get(license) else { return false };
        let is_metered = self.meters.iter().any(|(holder, _)| *holder == entry.holder);
        let is_noticed = self.notices.get(&entry.holder).is_some_and(|until| self.now() < *until);
        entry.limit.is_some() && (is_metered || is_noticed)
    }

    fn free(&mut self, by: usize, license: usize, account: usize) -> bool {
        let (now, is_counted) = (self.now(), self.is_counted(license));
        let Some(entry) = self.entries.get_mut(license) else { return false };
        let is_allowed = by == entry.holder || by == account;
        if !is_allowed || entry.sitting.get(&account).is_none_or(|until| now < *until) {
            return false;
        }
        entry.sitting.remove(&account);
        if is_counted {
            entry.locked_until = entry.locked_until.max(now + DAY);
        }
        let asset = entry.asset;
        self.lists.entry((account, asset)).or_default().retain(|other| *other != license);
        true
    }

    fn count(&mut self, by: usize, license: usize, account: usize, count: u64) -> bool {
        let now = self.now();
        let Some(entry) = self.entries.get(license) else { return false };
        let is_allowed = by == account || self.meters.contains(&(entry.holder, by));
        let is_current = entry.expires_at.is_none_or(|end| now < end) && !entry.is_revoked;
        let fits = entry.limit.is_none_or(|limit| entry.uses + count <= limit);
        if !(count > 0 && is_allowed && is_current && fits && entry.sitting.contains_key(&account))
        {
            return false;
        }
        self.entries[license].uses += count;
        self.sit(license, account);
        true
    }

    fn transfer(&mut self, by: usize, license: usize, to: usize) -> bool {
        let (now, is_counted) = (self.now(), self.is_counted(license));
        let Some(entry) = self.entries.get_mut(license) else { return false };
        let is_transferable = self.catalogue[entry.terms].isTransferable;
        if by != entry.holder || !is_transferable || entry.is_revoked || now < entry.locked_until {
            return false;
        }
        if is_counted && !entry.sitting.is_empty() {
            return false;
        }
        entry.holder = to;
        entry.sitting.clear();
        true
    }

    /// What the rules should say: the licence and its terms, or no.
    fn right(&self, account: usize, asset: usize, purpose: u8) -> Option<(u64, Option<usize>)> {
        let is_approved = self.approved.contains(&(asset, account));
        let derives = purpose & DERIVATIVE != 0;
        if account == asset {
            return Some((0, None));
        }
        if !self.licensed.contains(&asset) {
            let is_open = asset == 0 || is_approved;
            return (!derives || is_open).then_some((0, None));
        }
        let grants = |terms: usize| {
            let terms = &self.catalogue[terms];
            terms.purposes & purpose == purpose && (!derives || !terms.needsApproval || is_approved)
        };
        let listed = self.lists.get(&(account, asset)).cloned().unwrap_or_default();
        let mut rights: Vec<(u64, usize)> = listed
            .into_iter()
            .filter(|license| {
                let entry = &self.entries[*license];
                entry.sitting.contains_key(&account)
                    && entry.is_live(self.now())
                    && grants(entry.terms)
            })
            .map(|license| (u64::try_from(license).unwrap() + 1, self.entries[license].terms))
            .collect();
        rights
            .extend(self.free_terms(asset).filter(|terms| grants(*terms)).map(|terms| (0, terms)));
        let unbound = |(_, terms): &&(u64, usize)| !derives || !self.catalogue[*terms].isReciprocal;
        let best = rights.iter().find(unbound).or(rights.first());
        best.map(|(license, terms)| (*license, Some(*terms)))
    }

    fn derive(&mut self, by: usize, asset: usize) -> bool {
        let purpose = if asset == 0 { DERIVATIVE | TRAINING } else { DERIVATIVE };
        let Some((license, terms)) = self.right(by, asset, purpose) else { return false };
        if let Some(license) = usize::try_from(license).unwrap().checked_sub(1) {
            self.entries[license].uses += 1;
            self.sit(license, by);
        }
        let carried = terms.filter(|terms| self.catalogue[*terms].isReciprocal);
        self.children.push((0, carried));
        true
    }

    fn send_child(&mut self, by: usize, asset: usize) -> Result<(), Failure> {
        let relation = if asset == 0 { Relation::TrainedOn } else { Relation::FinetunedFrom };
        let edges = vec![IAssets::Edge { parent: self.assets[asset], relation }];
        let child = IAssets::Registration { edges, ..model() };
        let id = register(&mut self.world, self.actors[by], child)?;
        self.children.last_mut().unwrap().0 = id;
        Ok(())
    }

    /// Every licence and every right as the model has it.
    fn compare(&mut self) {
        for (index, entry) in self.entries.clone().into_iter().enumerate() {
            let shown = licenses::license(&mut self.world.state, number(index)).unwrap();
            assert_eq!(shown.asset, self.assets[entry.asset]);
            assert_eq!(shown.terms, self.ids[entry.terms]);
            assert_eq!(shown.holder, self.address(entry.holder));
            assert_eq!(shown.expiresAt, entry.expires_at.unwrap_or(0));
            assert_eq!((shown.useLimit, shown.uses), (entry.limit.unwrap_or(0), entry.uses));
            assert_eq!(usize::from(shown.seats), entry.seats);
            assert_eq!(usize::from(shown.seatsTaken), entry.sitting.len());
            assert_eq!(shown.lockedUntil, entry.locked_until);
            assert_eq!(shown.isRevoked, entry.is_revoked);
        }
        for account in 0..4 {
            for asset in 0..2 {
                for purpose in [INFERENCE, TRAINING, DERIVATIVE, INFERENCE | COMMERCIAL, ALL] {
                    let expected = self.right(account, asset, purpose).map(|(license, _)| license);
                    let got = self.can(account, asset, purpose);
                    assert_eq!(got.ok(), expected, "{account} {asset} {purpose}: {got:?}");
                }
            }
        }
    }

    fn can(&mut self, account: usize, asset: usize, purpose: u8) -> Result<u64, Missing> {
        let (account, asset) = (self.address(account), AssetId(self.assets[asset]));
        let answer = licenses::can_use(&mut self.world.state, account, asset, purpose).unwrap();
        answer.map(|right| right.license)
    }
}

/// The id of a licence by its position in the model.
pub(super) fn number(license: usize) -> U256 {
    U256::from(license + 1)
}

/// Terms that are only used by name here.
#[test]
fn the_catalogue_has_every_pricing() {
    let mut world = world();
    let owner = world.creator;
    let asset = register(&mut world, owner, model()).unwrap();
    let pricings: BTreeSet<u8> = catalogue().iter().map(|terms| u8::from(terms.pricing)).collect();
    assert_eq!(pricings.len(), 6);
    for terms in &catalogue()[1..] {
        offer(&mut world, owner, asset, terms);
    }
}
