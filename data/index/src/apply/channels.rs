//! Deposits, channels and claims.

use super::{Apply, Payment, Place, Reason, read};
use crate::{
    database::{Read as _, Value, coin, integer, money},
    error::IndexError,
};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::SolEvent;
use sahara_abi::{IChannels, INCENTIVE_POOL};
use sahara_client::Log;

/// A line of a claim. Lines come first, then the sum, then the fees.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) channel: B256,
    pub(super) asset: u64,
    pub(super) worker: Address,
    /// What worker and asset got.
    pub(super) amount: u128,
    pub(super) claim: Option<Claim>,
}

/// What `Collected` says of the claim.
#[derive(Clone, Copy, Debug)]
pub(super) struct Claim {
    pub(super) payer: Address,
    pub(super) gateway: Address,
    pub(super) requests: u64,
}

impl Apply<'_> {
    pub(super) async fn channels_log(
        &mut self,
        place: Place<'_>,
        log: &Log,
    ) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(IChannels::Earned::SIGNATURE_HASH) => {
                let Some(event) = read(log) else { return Ok(()) };
                self.earned(&event)?;
                self.write_earned(place, &event).await
            }
            Some(IChannels::Collected::SIGNATURE_HASH) => {
                let Some(event) = read(log) else { return Ok(()) };
                self.collected(place, &event).await
            }
            Some(IChannels::FeesPaid::SIGNATURE_HASH) => {
                let Some(event) = read(log) else { return Ok(()) };
                self.fees_paid(place, &event).await
            }
            Some(IChannels::Funded::SIGNATURE_HASH) => {
                let Some(event) = read(log) else { return Ok(()) };
                self.funded(place, &event).await
            }
            Some(IChannels::Withdrawn::SIGNATURE_HASH) => {
                let Some(event) = read::<IChannels::Withdrawn>(log) else { return Ok(()) };
                let (payee, amount) = (Some(event.payer), coin(event.amount)?);
                let kind = "withdrawal";
                self.payment(place, Payment { kind, payee, amount, ..Payment::default() }).await
            }
            _ => self.channel_state(place, log).await,
        }
    }

    /// Opening, topping up and closing.
    async fn channel_state(&mut self, place: Place<'_>, log: &Log) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(IChannels::Opened::SIGNATURE_HASH) => {
                let Some(event) = read(log) else { return Ok(()) };
                self.opened(place, &event).await
            }
            Some(IChannels::ToppedUp::SIGNATURE_HASH) => {
                let Some(event) = read::<IChannels::ToppedUp>(log) else { return Ok(()) };
                self.add(event.channelId, "deposit", event.amount.to()).await
            }
            Some(IChannels::CloseRequested::SIGNATURE_HASH) => {
                let Some(event) = read::<IChannels::CloseRequested>(log) else { return Ok(()) };
                let values = [event.channelId.into(), Value::Int(integer(event.closableAt)?)];
                let sql = "UPDATE channels SET closable_at = $2 WHERE channel = $1";
                self.sql.run(sql, &values).await.map(drop)
            }
            Some(IChannels::Closed::SIGNATURE_HASH) => {
                let Some(event) = read::<IChannels::Closed>(log) else { return Ok(()) };
                let sql = "UPDATE channels SET is_closed = 1, deposit = settled WHERE channel = $1";
                self.sql.run(sql, &[event.channelId.into()]).await.map(drop)
            }
            _ => Ok(()),
        }
    }

    async fn funded(
        &mut self,
        place: Place<'_>,
        event: &IChannels::Funded,
    ) -> Result<(), IndexError> {
        self.tally.funds(event.payer, event.from, place.position);
        let amount = coin(event.amount)?;
        self.tally.chain("deposited", amount)?;
        let (payer, payee) = (Some(event.from), Some(event.payer));
        let kind = "deposit";
        self.payment(place, Payment { kind, payer, payee, amount, ..Payment::default() }).await
    }

    async fn opened(
        &mut self,
        place: Place<'_>,
        event: &IChannels::Opened,
    ) -> Result<(), IndexError> {
        let row = [
            ("channel", Value::from(event.channelId)),
            ("payer", event.payer.into()),
            ("gateway", event.gateway.into()),
            ("is_grant", event.isGrant.into()),
            ("deposit", money(event.amount.to())),
            ("settled", money(0)),
            ("requests", 0.into()),
            ("is_closed", false.into()),
            ("block", self.block.into()),
            ("log_index", place.log_index.into()),
        ];
        self.tally.chain("channels", 1)?;
        self.sql.insert("channels", &row).await
    }

    /// Adds to a sum of a channel.
    async fn add(&mut self, channel: B256, column: &str, amount: u128) -> Result<(), IndexError> {
        let sql = format!("SELECT {column} FROM channels WHERE channel = $1");
        let Some(row) = self.sql.row(&sql, &[channel.into()]).await? else { return Ok(()) };
        let sum = row.money(column)?.saturating_add(amount);
        let sql = format!("UPDATE channels SET {column} = $2 WHERE channel = $1");
        self.sql.run(&sql, &[channel.into(), money(sum)]).await.map(drop)
    }

    fn earned(&mut self, event: &IChannels::Earned) -> Result<(), IndexError> {
        let worker_amount = coin(event.workerAmount)?;
        let amount = worker_amount.saturating_add(coin(event.assetAmount)?);
        let (channel, asset, worker) = (event.channelId, event.asset, event.worker);
        self.lines.push(Line { channel, asset, worker, amount, claim: None });
        if worker_amount > 0 {
            self.tally.account(worker, Some(asset), Reason::Worker, worker_amount)?;
            self.tally.chain("work", worker_amount)?;
        }
        Ok(())
    }

    async fn write_earned(
        &mut self,
        place: Place<'_>,
        event: &IChannels::Earned,
    ) -> Result<(), IndexError> {
        let payment = Payment {
            kind: "work",
            payee: Some(event.worker),
            asset: Some(event.asset),
            channel: Some(event.channelId),
            amount: coin(event.workerAmount)?,
            ..Payment::default()
        };
        self.payment(place, payment).await
    }

    async fn collected(
        &mut self,
        place: Place<'_>,
        event: &IChannels::Collected,
    ) -> Result<(), IndexError> {
        let amount = event.amount.to::<u128>();
        let requests = event.seqTo.to::<u64>().saturating_sub(event.seqFrom.to());
        let (payer, gateway) = (event.payer, event.gateway);
        for line in self.lines.iter_mut().filter(|line| line.channel == event.channelId) {
            line.claim = Some(Claim { payer, gateway, requests });
        }
        self.tally.account(payer, None, Reason::Spent, amount)?;
        self.tally.chain("charged", amount)?;
        self.tally.chain("requests", requests.into())?;
        self.add(event.channelId, "settled", amount).await?;
        let sql = "UPDATE channels SET requests = requests + $2 WHERE channel = $1";
        self.sql.run(sql, &[event.channelId.into(), integer(requests)?.into()]).await?;
        let payment = Payment {
            kind: "charge",
            payer: Some(payer),
            payee: Some(gateway),
            channel: Some(event.channelId),
            amount,
            ..Payment::default()
        };
        self.payment(place, payment).await
    }

    async fn fees_paid(
        &mut self,
        place: Place<'_>,
        event: &IChannels::FeesPaid,
    ) -> Result<(), IndexError> {
        let channel = event.channelId;
        let (lines, others) =
            std::mem::take(&mut self.lines).into_iter().partition(|line| line.channel == channel);
        self.lines = others;
        let lines: Vec<Line> = lines;
        let Some(claim) = lines.first().and_then(|line| line.claim) else { return Ok(()) };
        let protocol = coin(event.protocolFee)?;
        let parts = [
            (INCENTIVE_POOL, "protocol_fee", Reason::ProtocolFee, protocol),
            (claim.gateway, "gateway_fee", Reason::GatewayFee, coin(event.gatewayFee)?),
        ];
        for (part, (payee, kind, reason, amount)) in (0..).zip(parts) {
            if amount == 0 {
                continue;
            }
            self.tally.account(payee, None, reason, amount)?;
            self.tally.chain(kind, amount)?;
            let payment = Payment {
                kind,
                part,
                payer: Some(claim.payer),
                payee: Some(payee),
                channel: Some(channel),
                amount,
                ..Payment::default()
            };
            self.payment(place, payment).await?;
        }
        self.count_use(&lines, claim, protocol).await
    }

    /// Divides the protocol fee among the claim's lines, by what they are worth, rounded down: what
    /// remains counts for nobody.
    async fn count_use(
        &mut self,
        lines: &[Line],
        claim: Claim,
        fee: u128,
    ) -> Result<(), IndexError> {
        let worth: U256 = lines.iter().map(|line| U256::from(line.amount)).sum();
        for line in lines {
            let part = U256::from(fee).saturating_mul(U256::from(line.amount)).checked_div(worth);
            let part = coin(part.unwrap_or_default())?;
            // The chain says how many requests a claim has, not of which asset.
            let uses = if lines.len() == 1 { claim.requests } else { 1 };
            let change = self.tally.asset(line.asset);
            change.uses = change.uses.saturating_add(uses);
            change.fees = change.fees.saturating_add(part);
            let served_by = [line.worker, claim.gateway];
            self.credit_quality(line.asset, claim.payer, &served_by, part).await?;
        }
        Ok(())
    }
}
