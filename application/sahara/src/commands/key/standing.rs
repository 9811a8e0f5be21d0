//! [`Standing`]: what finalised state says about a key, and what it can still cost.

use super::Record;
use crate::{
    output::{from_now, now, utc},
    refusal::refused,
};
use eyre::Result;
use sahara_abi::{CHANNELS, IChannels};
use sahara_client::ChainClient;
use sahara_primitives::{Amount, Timestamp};
use serde::Serialize;

/// Where a key stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(super) enum State {
    /// Nothing was set aside yet.
    Unused,
    /// Its gateway holds a part of the deposit.
    Active,
    /// Its time is over; what is set aside waits for `sahara key revoke`.
    Expired,
    /// Revoked before anything was set aside.
    Revoked,
    /// The rest returns when the delay is over.
    Closing,
    /// The delay is over: `sahara key close` returns the rest.
    Closable,
    /// The rest was returned.
    Closed,
}

impl State {
    /// For people.
    pub(super) const fn text(self) -> &'static str {
        match self {
            Self::Unused => "not used yet",
            Self::Active => "active",
            Self::Expired => "expired",
            Self::Revoked => "revoked",
            Self::Closing => "revoked, closing",
            Self::Closable => "revoked, to be closed",
            Self::Closed => "closed",
        }
    }
}

/// What the chain knows of a key.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Standing {
    pub(super) state: State,
    /// The gateway collected so much, everyone's part together.
    pub(super) collected: Amount,
    pub(super) collected_today: Amount,
    /// Set aside and not collected.
    pub(super) set_aside: Amount,
    /// What the payer's deposit holds besides.
    pub(super) free_deposit: Amount,
    /// The most that a thief or a lying gateway can take from now on.
    pub(super) at_risk: Amount,
    /// The most of it on this day.
    pub(super) at_risk_today: Amount,
    /// From when on `sahara key close` returns the rest.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) closable_at: Option<u64>,
}

/// What is read from the chain.
#[derive(Clone, Debug)]
struct Facts {
    /// `None` before the first opening.
    channel: Option<IChannels::Channel>,
    usage: IChannels::GrantUse,
    free: Amount,
    delay: u64,
    now: Timestamp,
}

impl Standing {
    /// Asks a node.
    pub(super) async fn read(client: &ChainClient, record: &Record) -> Result<Self> {
        let id = record.channel();
        let call = IChannels::channelCall { channelId: id };
        let channel = match client.call(CHANNELS, &call).await {
            Ok(channel) => Some(channel),
            Err(error) if error.revert().is_some_and(|r| r.is::<IChannels::UnknownChannel>()) => {
                None
            }
            Err(error) => return Err(refused(error)),
        };
        let usage = IChannels::grantUseCall { channelId: id };
        let usage = client.call(CHANNELS, &usage).await.map_err(refused)?;
        let free = IChannels::depositOfCall { payer: record.grant.payer };
        let free = Amount::from_base_units(client.call(CHANNELS, &free).await.map_err(refused)?);
        let delay = client.call(CHANNELS, &IChannels::closeDelayCall {}).await.map_err(refused)?;
        Ok(Self::of(&record.grant, &Facts { channel, usage, free, delay, now: now() }))
    }

    fn of(grant: &IChannels::KeyGrant, facts: &Facts) -> Self {
        let amount = |units: alloy_primitives::aliases::U96| Amount::from_u128(units.to());
        let (collected, deposit) = facts
            .channel
            .as_ref()
            .map_or((Amount::ZERO, Amount::ZERO), |c| (amount(c.settled), amount(c.deposit)));
        let set_aside = deposit.saturating_sub(collected);
        let closable_at = facts.channel.as_ref().filter(|c| c.closeRequestedAt > 0);
        let closable_at =
            closable_at.map(|c| u64::from(c.closeRequestedAt).saturating_add(facts.delay));
        let state = state(grant, facts, closable_at);
        // Only a living grant sets more aside; an ended one still pays for work done before.
        let more = match state {
            State::Unused | State::Active => {
                amount(grant.maxTotal).saturating_sub(deposit).min(facts.free)
            }
            _ => Amount::ZERO,
        };
        let at_risk = match state {
            State::Closed => Amount::ZERO,
            _ => set_aside.checked_add(more).unwrap_or(set_aside),
        };
        let collected_today = amount(facts.usage.today);
        let left_today = amount(grant.maxPerDay).saturating_sub(collected_today);
        Self {
            state,
            collected,
            collected_today,
            set_aside,
            free_deposit: facts.free,
            at_risk,
            at_risk_today: at_risk.min(left_today),
            closable_at,
        }
    }

    /// The sentence that stands wherever a key is shown.
    pub(super) fn risk(&self) -> String {
        if self.at_risk.is_zero() {
            return String::from("Nobody can take anything with this key any more.");
        }
        let until = match self.state {
            State::Unused | State::Active => {
                "until the key ends or `sahara key revoke` ends it; what is set aside by then, for one more hour"
            }
            _ => "until its channel is closed",
        };
        format!(
            "At risk: at most {} SAHARA, {} of it today (UTC). A thief of the key could take it in answers, a lying gateway together with a worker in coin, {until}.",
            self.at_risk, self.at_risk_today
        )
    }

    /// When the rest returns, in words.
    pub(super) fn return_text(&self) -> Option<String> {
        let at = Timestamp(self.closable_at?);
        Some(match self.state {
            State::Closing => format!("{} ({})", utc(at), from_now(at, now())),
            State::Closable => String::from("now, with `sahara key close`"),
            _ => return None,
        })
    }
}

const fn state(grant: &IChannels::KeyGrant, facts: &Facts, closable_at: Option<u64>) -> State {
    let is_expired = facts.now.0 > grant.validUntil;
    match &facts.channel {
        Some(channel) if channel.isClosed => State::Closed,
        Some(_) => match closable_at {
            Some(at) if facts.now.0 >= at => State::Closable,
            Some(_) => State::Closing,
            None if is_expired => State::Expired,
            None => State::Active,
        },
        None if facts.usage.isRevoked => State::Revoked,
        None if is_expired => State::Expired,
        None => State::Unused,
    }
}

#[cfg(test)]
mod tests {
    use super::{Facts, Standing, State};
    use alloy_primitives::{
        Address, B256,
        aliases::{U24, U96},
    };
    use sahara_abi::IChannels;
    use sahara_primitives::{Amount, Timestamp};

    fn grant() -> IChannels::KeyGrant {
        IChannels::KeyGrant {
            payer: Address::repeat_byte(1),
            gateway: Address::repeat_byte(2),
            keyId: B256::ZERO,
            maxTotal: U96::from(100),
            maxPerDay: U96::from(30),
            assets: Vec::new(),
            validUntil: 10_000,
            nonce: 1,
        }
    }

    fn facts(settled: u64, deposit: u64, free: u64) -> Facts {
        let channel = IChannels::Channel {
            payer: Address::repeat_byte(1),
            gateway: Address::repeat_byte(2),
            settled: U96::from(settled),
            deposit: U96::from(deposit),
            base: U96::ZERO,
            seq: U24::ZERO,
            closeRequestedAt: 0,
            isClosed: false,
            isGrant: true,
            protocolFee: 100,
            gatewayFee: 200,
        };
        let usage = IChannels::GrantUse {
            total: U96::from(settled),
            today: U96::from(settled),
            day: 0,
            isRevoked: false,
        };
        let free = Amount::from_u128(free.into());
        Facts { channel: Some(channel), usage, free, delay: 3_600, now: Timestamp(5_000) }
    }

    fn units(amount: Amount) -> u128 {
        amount.to_u128().unwrap()
    }

    #[test]
    fn at_risk_is_what_is_set_aside_and_what_the_cap_and_the_deposit_still_allow() {
        let standing = Standing::of(&grant(), &facts(10, 25, 1_000));
        assert_eq!(standing.state, State::Active);
        assert_eq!(units(standing.at_risk), 15 + 75, "the cap of 100 binds");
        assert_eq!(units(standing.at_risk_today), 20, "10 of 30 were collected today");
        let standing = Standing::of(&grant(), &facts(10, 25, 8));
        assert_eq!(units(standing.at_risk), 15 + 8, "the free deposit binds");
        assert!(standing.risk().contains("at most 0.000000000000000023 SAHARA"));
    }

    #[test]
    fn a_revoked_key_risks_what_is_set_aside_until_it_is_closed() {
        let mut facts = facts(10, 25, 1_000);
        facts.usage.isRevoked = true;
        facts.channel.as_mut().unwrap().closeRequestedAt = 4_000;
        let standing = Standing::of(&grant(), &facts);
        assert_eq!((standing.state, units(standing.at_risk)), (State::Closing, 15));
        assert_eq!(standing.closable_at, Some(7_600));
        facts.now = Timestamp(7_600);
        assert_eq!(Standing::of(&grant(), &facts).state, State::Closable);
        let channel = facts.channel.as_mut().unwrap();
        (channel.isClosed, channel.deposit) = (true, channel.settled);
        let standing = Standing::of(&grant(), &facts);
        assert_eq!((standing.state, units(standing.at_risk)), (State::Closed, 0));
        assert_eq!(standing.risk(), "Nobody can take anything with this key any more.");
    }

    #[test]
    fn a_key_that_set_nothing_aside_is_unused_revoked_or_expired() {
        let mut facts = Facts { channel: None, ..facts(0, 0, 50) };
        let standing = Standing::of(&grant(), &facts);
        assert_eq!((standing.state, units(standing.at_risk)), (State::Unused, 50));
        facts.usage.isRevoked = true;
        let standing = Standing::of(&grant(), &facts);
        assert_eq!((standing.state, units(standing.at_risk)), (State::Revoked, 0));
        (facts.usage.isRevoked, facts.now) = (false, Timestamp(10_001));
        assert_eq!(Standing::of(&grant(), &facts).state, State::Expired);
    }
}
