//! Channels as a child would keep them: numbers in maps, nothing packed, nothing shared with the rules.

use super::{
    steps::{CHANNELS_KNOWN, DAY, HOUR, Step, Trick, Who},
    world::{Actor, COIN, FEES, World, twin},
};
use crate::{Failure, channels};
use alloy_primitives::{
    Address, B256, Bytes, U256,
    aliases::{U24, U96},
};
use alloy_sol_types::SolCall;
use sahara_abi::{CHANNELS, IChannels, INCENTIVE_POOL, ROYALTIES, signing};
use sahara_primitives::{ChannelId, LOCAL_CHAIN_ID};
use std::collections::{BTreeMap, BTreeSet};

/// What a payer signed.
#[derive(Clone, Debug)]
pub(super) enum Signed {
    Reservation(IChannels::Reservation),
    Grant(IChannels::KeyGrant),
}

/// A channel in the model.
#[derive(Clone, Debug, Default)]
pub(super) struct Tab {
    pub(super) settled: u128,
    pub(super) deposit: u128,
    pub(super) base: u128,
    pub(super) seq: u32,
    pub(super) close_requested_at: Option<u64>,
    pub(super) is_closed: bool,
    pub(super) largest_voucher: u128,
    pub(super) by_day: BTreeMap<u64, u128>,
    earned: BTreeMap<(u64, usize), (u128, u128)>,
}

/// The rules and the model side by side.
pub(super) struct Play {
    pub(super) world: World,
    pub(super) signed: Vec<Signed>,
    ids: Vec<B256>,
    pub(super) free: [u128; 2],
    pub(super) tabs: BTreeMap<usize, Tab>,
    revoked: BTreeMap<usize, u64>,
    gained: BTreeMap<Address, i128>,
    before: BTreeMap<Address, i128>,
    /// Accepted calls that must never be accepted again.
    pub(super) once: Vec<(Actor, Bytes)>,
    /// Channels in the state in which they were closed.
    pub(super) closed: BTreeMap<usize, IChannels::Channel>,
}

impl Play {
    /// Plays the steps; after each the rules and the model must agree on everything.
    pub(super) fn of(steps: &[Step]) -> Self {
        let mut play = Self::new();
        steps.iter().for_each(|step| play.step(step));
        play
    }

    /// Plays one step and compares.
    pub(super) fn step(&mut self, step: &Step) {
        self.play(step);
        self.compare(step);
    }

    fn new() -> Self {
        let world = World::new();
        let valid_until = world.now() + DAY;
        let reservation = |payer: usize, gateway: usize, nonce| {
            Signed::Reservation(IChannels::Reservation {
                payer: world.payers[payer].address,
                nonce,
                validUntil: valid_until,
                ..world.reservation(gateway, 9 * COIN)
            })
        };
        let grant = |payer: usize, assets: Vec<u64>| {
            Signed::Grant(IChannels::KeyGrant {
                payer: world.payers[payer].address,
                assets,
                validUntil: valid_until + DAY,
                ..world.grant(30 * COIN, 8 * COIN)
            })
        };
        let signed = vec![
            reservation(0, 0, 1),
            reservation(0, 2, 2),
            reservation(1, 1, 3),
            grant(0, vec![]),
            grant(1, vec![2]),
        ];
        let id = |signed: &Signed| match signed {
            Signed::Reservation(reservation) => {
                signing::reservation_channel(LOCAL_CHAIN_ID, reservation)
            }
            Signed::Grant(grant) => signing::grant_channel(LOCAL_CHAIN_ID, grant),
        };
        let mut play = Self {
            ids: signed.iter().map(id).collect(),
            world,
            signed,
            free: [0; 2],
            tabs: BTreeMap::new(),
            revoked: BTreeMap::new(),
            gained: BTreeMap::new(),
            before: BTreeMap::new(),
            once: Vec::new(),
            closed: BTreeMap::new(),
        };
        play.before = play.holdings();
        for payer in 0..2 {
            play.step(&Step::Fund { payer, amount: 40 * COIN });
        }
        play.step(&Step::Open { channel: 0 });
        play.step(&Step::Open { channel: 3 });
        play
    }

    pub(super) fn payer(&self, channel: usize) -> usize {
        let payer = match &self.signed[channel] {
            Signed::Reservation(reservation) => reservation.payer,
            Signed::Grant(grant) => grant.payer,
        };
        usize::from(payer == self.world.payers[1].address)
    }

    fn gateway(&self, channel: usize) -> usize {
        let gateway = match &self.signed[channel] {
            Signed::Reservation(reservation) => reservation.gateway,
            Signed::Grant(grant) => grant.gateway,
        };
        self.world.gateways.iter().position(|actor| actor.address == gateway).unwrap()
    }

    pub(super) fn id(&self, channel: usize) -> B256 {
        self.ids[channel]
    }

    fn play(&mut self, step: &Step) {
        match step.clone() {
            Step::Fund { payer, amount } => self.fund(payer, amount),
            Step::Withdraw { payer, amount } => self.withdraw(payer, amount),
            Step::Open { channel } => self.open(channel, 5 * COIN),
            Step::TopUp { channel, amount } => self.open(channel, amount),
            Step::Revoke { channel } => self.revoke(channel),
            Step::Claim { channel, lines, trick } => self.claim(channel, &lines, trick),
            Step::RequestClose { channel, by_payer } => self.request_close(channel, by_payer),
            Step::Close { channel, by } => self.close(channel, by),
            Step::Wait { seconds } => self.world.wait(seconds),
        }
    }

    /// Sends a call that must be accepted or refused as expected.
    fn send<C: SolCall>(&mut self, from: Actor, value: u128, call: C, expected: bool) {
        let data: Bytes = call.abi_encode().into();
        let result = self.world.pay(from, CHANNELS, value, call).map(drop);
        assert!(!matches!(result, Err(Failure::Fatal(_))), "{result:?}");
        assert_eq!(result.is_ok(), expected, "{} by {}: {result:?}", C::SIGNATURE, from.address);
        let is_repeatable = [IChannels::fundCall::SELECTOR, IChannels::withdrawCall::SELECTOR];
        if expected && !is_repeatable.contains(&C::SELECTOR) {
            self.once.push((from, data));
        }
    }

    fn gain(&mut self, account: Address, amount: i128) {
        *self.gained.entry(account).or_default() += amount;
    }

    fn fund(&mut self, payer: usize, amount: u128) {
        let actor = self.world.payers[payer];
        let expected = self.world.balance(actor.address) >= amount;
        self.send(actor, amount, IChannels::fundCall { payer: actor.address }, expected);
        if expected {
            self.free[payer] += amount;
            self.gain(actor.address, -i128::try_from(amount).unwrap());
        }
    }

    fn withdraw(&mut self, payer: usize, amount: u128) {
        let actor = self.world.payers[payer];
        let expected = self.free[payer] >= amount;
        let call = IChannels::withdrawCall { amount: U256::from(amount) };
        self.send(actor, 0, call, expected);
        if expected {
            self.free[payer] -= amount;
            self.gain(actor.address, i128::try_from(amount).unwrap());
        }
    }

    fn open(&mut self, channel: usize, amount: u128) {
        let payer = self.payer(channel);
        let gateway = self.world.gateways[self.gateway(channel)];
        let tab = self.tabs.get(&channel).cloned();
        match self.signed[channel].clone() {
            Signed::Reservation(reservation) => {
                let amount: u128 = reservation.amount.to();
                let expected = tab.is_none()
                    && self.world.now() <= reservation.validUntil
                    && self.free[payer] >= amount;
                let signature = self.world.payers[payer].sign(&reservation);
                let call = IChannels::openCall { reservation, signature };
                self.send(gateway, 0, call, expected);
                self.set_aside(channel, amount, expected);
            }
            Signed::Grant(grant) => {
                let tab = tab.unwrap_or_default();
                let expected = self.world.now() <= grant.validUntil
                    && !self.revoked.contains_key(&channel)
                    && !tab.is_closed
                    && tab.close_requested_at.is_none()
                    && self.free[payer] >= amount
                    && tab.deposit + amount <= grant.maxTotal.to();
                let signature = self.world.payers[payer].sign(&grant);
                let amount_96 = U96::from(amount);
                let call = IChannels::openGrantCall { grant, signature, amount: amount_96 };
                self.send(gateway, 0, call, expected);
                if expected {
                    self.once.pop();
                }
                self.set_aside(channel, amount, expected);
            }
        }
    }

    fn set_aside(&mut self, channel: usize, amount: u128, is_opened: bool) {
        if is_opened {
            self.free[self.payer(channel)] -= amount;
            self.tabs.entry(channel).or_default().deposit += amount;
        }
    }

    fn revoke(&mut self, channel: usize) {
        let Signed::Grant(grant) = self.signed[channel].clone() else { return };
        let expected = !self.revoked.contains_key(&channel);
        let payer = self.world.payers[self.payer(channel)];
        self.send(payer, 0, IChannels::revokeCall { grant }, expected);
        let now = self.world.now();
        self.revoked.entry(channel).or_insert(now);
        if let Some(tab) = self.tabs.get_mut(&channel).filter(|tab| expected && !tab.is_closed) {
            tab.close_requested_at.get_or_insert(now);
        }
    }

    fn request_close(&mut self, channel: usize, by_payer: bool) {
        let tab = self.tabs.get(&channel);
        let expected =
            by_payer && tab.is_some_and(|tab| !tab.is_closed && tab.close_requested_at.is_none());
        let payer = self.world.payers[self.payer(channel)];
        let from = if by_payer { payer } else { self.world.stranger };
        let call = IChannels::requestCloseCall { channelId: self.id(channel) };
        self.send(from, 0, call, expected);
        if expected {
            self.tabs.get_mut(&channel).unwrap().close_requested_at = Some(self.world.now());
        }
    }

    fn close(&mut self, channel: usize, by: Who) {
        let now = self.world.now();
        let expected = self.tabs.get(&channel).is_some_and(|tab| {
            let is_due = tab.close_requested_at.is_some_and(|asked| now >= asked + HOUR);
            !tab.is_closed && (by == Who::Gateway || is_due)
        });
        let from = match by {
            Who::Payer => self.world.payers[self.payer(channel)],
            Who::Gateway => self.world.gateways[self.gateway(channel)],
            Who::Stranger => self.world.stranger,
        };
        let id = self.id(channel);
        self.send(from, 0, IChannels::closeCall { channelId: id }, expected);
        if expected {
            let payer = self.payer(channel);
            let tab = self.tabs.get_mut(&channel).unwrap();
            self.free[payer] += tab.deposit - tab.settled;
            tab.deposit = tab.settled;
            tab.is_closed = true;
            self.closed.insert(channel, self.world.channel(id).unwrap());
        }
    }

    fn claim(&mut self, channel: usize, parts: &[(u64, usize, u128, u128)], trick: Trick) {
        let tab = self.tabs.get(&channel).cloned().unwrap_or_default();
        let mut after = tab.clone();
        let mut lines = Vec::new();
        let mut are_newer = true;
        for (asset, worker, worker_part, asset_part) in parts {
            let earned = after.earned.entry((*asset, *worker)).or_default();
            *earned = (earned.0 + worker_part, earned.1 + asset_part);
            are_newer &= worker_part + asset_part > 0;
            after.base += worker_part + asset_part;
            lines.push(self.world.line(self.id(channel), *asset, *worker, *earned));
        }
        let fee = |rate: u16, base: u128| base * u128::from(rate) / 10_000;
        let rate = FEES[self.gateway(channel)];
        after.settled = after.base + fee(100, after.base) + fee(rate, after.base);
        after.seq += 1;
        let mut claim = self.honest(channel, &tab, after.settled, lines);
        let is_tricked = self.trick(channel, &mut claim, trick);
        let expected = self.tabs.contains_key(&channel)
            && !is_tricked
            && !tab.is_closed
            && are_newer
            && after.settled <= tab.deposit
            && self.is_within_caps(channel, &tab, after.settled, parts);
        let index = (self.gateway(channel) + usize::from(trick == Trick::AnotherGateway)) % 3;
        let from = self.world.gateways[index];
        self.send(from, 0, IChannels::claimBatchCall { claims: vec![claim] }, expected);
        if expected {
            self.pay(channel, &tab, &after, parts);
            let charged = after.settled - tab.settled;
            *after.by_day.entry(self.world.now() / DAY).or_default() += charged;
            after.largest_voucher = after.settled;
            self.tabs.insert(channel, after);
        }
    }

    fn honest(
        &self,
        channel: usize,
        tab: &Tab,
        cumulative: u128,
        lines: Vec<IChannels::Line>,
    ) -> IChannels::Claim {
        let mut claim = IChannels::Claim {
            channelId: self.id(channel),
            cumulative: U96::from(cumulative),
            seqFrom: U24::from(tab.seq),
            seqTo: U24::from(tab.seq + 1),
            receiptsRoot: B256::ZERO,
            voucherAmount: 0,
            voucherSignature: Bytes::new(),
            lines,
        };
        let payer = self.world.payers[self.payer(channel)];
        self.world.vouch(&mut claim, payer.address, cumulative);
        claim
    }

    /// Spoils a claim and says whether it is spoiled: vouchers do not matter under a grant.
    fn trick(&self, channel: usize, claim: &mut IChannels::Claim, trick: Trick) -> bool {
        let has_vouchers = matches!(self.signed[channel], Signed::Reservation(_));
        let payer = self.world.payers[self.payer(channel)];
        let line = claim.lines[0].clone();
        let worker = self.world.actor(line.worker);
        let earning = |channel_id| IChannels::Earning {
            channelId: channel_id,
            asset: line.asset,
            cumulativeWorker: line.cumulativeWorker,
            cumulativeAsset: line.cumulativeAsset,
        };
        match trick {
            Trick::None => return false,
            Trick::MoreThanItsParts => claim.cumulative += U96::from(1),
            Trick::LessThanItsParts => {
                claim.cumulative = claim.cumulative.saturating_sub(U96::from(1));
            }
            Trick::VoucherTooSmall => {
                self.world.vouch(claim, payer.address, claim.voucherAmount.saturating_sub(1));
                return has_vouchers;
            }
            Trick::VoucherForged => {
                self.world.vouch(claim, worker.address, claim.voucherAmount);
                return has_vouchers;
            }
            Trick::VoucherMalleable => {
                claim.voucherSignature = twin(&claim.voucherSignature);
                return has_vouchers;
            }
            Trick::LineForged => claim.lines[0].signature = payer.sign(&earning(claim.channelId)),
            Trick::LineMalleable => claim.lines[0].signature = twin(&line.signature),
            Trick::LineOfAnotherChannel => {
                let other = self.id((channel + 1) % CHANNELS_KNOWN);
                claim.lines[0].signature = worker.sign(&earning(other));
            }
            Trick::LineOfAnotherChain => {
                claim.lines[0].signature = worker.sign_on(1, &earning(claim.channelId));
            }
            Trick::LineTwice => claim.lines.push(claim.lines[claim.lines.len() - 1].clone()),
            Trick::SkipsReceipts => claim.seqFrom += U24::from(1),
            Trick::RepeatsReceipts => claim.seqTo = claim.seqFrom,
            Trick::AnotherGateway => {}
        }
        true
    }

    fn is_within_caps(
        &self,
        channel: usize,
        tab: &Tab,
        cumulative: u128,
        parts: &[(u64, usize, u128, u128)],
    ) -> bool {
        let Signed::Grant(grant) = &self.signed[channel] else { return true };
        let now = self.world.now();
        let end = self.revoked.get(&channel).copied().unwrap_or(u64::MAX).min(grant.validUntil);
        let used = tab.by_day.get(&(now / DAY)).copied().unwrap_or_default();
        let listed: BTreeSet<u64> = grant.assets.iter().copied().collect();
        now <= end + HOUR
            && used + cumulative - tab.settled <= grant.maxPerDay.to()
            && (listed.is_empty() || parts.iter().all(|(asset, ..)| listed.contains(asset)))
    }

    fn pay(
        &mut self,
        channel: usize,
        before: &Tab,
        after: &Tab,
        parts: &[(u64, usize, u128, u128)],
    ) {
        let signed = |amount: u128| i128::try_from(amount).unwrap();
        for (_, worker, worker_part, asset_part) in parts {
            self.gain(self.world.workers[*worker].address, signed(*worker_part));
            self.gain(self.world.creator.address, signed(*asset_part));
        }
        let fee = |rate: u16| {
            let of = |base: u128| base * u128::from(rate) / 10_000;
            signed(of(after.base) - of(before.base))
        };
        let gateway = self.gateway(channel);
        self.gain(INCENTIVE_POOL, fee(100));
        self.gain(self.world.gateways[gateway].address, fee(FEES[gateway]));
    }

    /// What everyone holds; what waits in the creator's pools is counted as the creator's.
    fn holdings(&self) -> BTreeMap<Address, i128> {
        let world = &self.world;
        let actors = [&world.payers[..], &world.gateways, &world.workers, &[world.creator]];
        let accounts = actors.concat().into_iter().map(|actor| actor.address);
        let mut holdings: BTreeMap<Address, i128> = accounts
            .chain([INCENTIVE_POOL])
            .map(|account| (account, i128::try_from(world.balance(account)).unwrap()))
            .collect();
        let waiting = i128::try_from(world.balance(ROYALTIES)).unwrap();
        *holdings.get_mut(&world.creator.address).unwrap() += waiting;
        holdings
    }

    fn compare(&mut self, step: &Step) {
        let mut expected = self.before.clone();
        for (account, gained) in &self.gained {
            *expected.entry(*account).or_default() += gained;
        }
        assert_eq!(self.holdings(), expected, "after {step:?}");
        let held: u128 = self.tabs.values().map(|tab| tab.deposit - tab.settled).sum();
        let owed = self.free.iter().sum::<u128>() + held;
        assert_eq!(self.world.balance(CHANNELS), owed, "after {step:?}");
        let state = &mut self.world.state;
        for (payer, free) in self.world.payers.iter().zip(self.free) {
            let shown = channels::deposit_of(state, payer.address).unwrap();
            assert_eq!(shown.to_u128(), Some(free), "after {step:?}");
        }
        for channel in 0..CHANNELS_KNOWN {
            let id = self.id(channel);
            let shown = channels::channel(&mut self.world.state, ChannelId(id));
            let Some(tab) = self.tabs.get(&channel) else {
                assert!(shown.is_err());
                continue;
            };
            let shown = shown.unwrap();
            let asked = tab.close_requested_at.unwrap_or_default();
            assert_eq!(
                (shown.settled.to(), shown.deposit.to(), shown.base.to(), shown.seq.to()),
                (tab.settled, tab.deposit, tab.base, tab.seq),
                "after {step:?}"
            );
            assert_eq!(
                (u64::from(shown.closeRequestedAt), shown.isClosed),
                (asked, tab.is_closed),
                "after {step:?}"
            );
        }
    }
}
