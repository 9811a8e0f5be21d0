//! Payments for use, their parts, and credits.

use super::{Apply, Payment, Place, Reason, read};
use crate::{database::coin, error::IndexError};
use alloy_primitives::Address;
use alloy_sol_types::SolEvent;
use sahara_abi::IRoyalties;
use sahara_client::Log;

impl Apply<'_> {
    pub(super) async fn royalties_log(
        &mut self,
        place: Place<'_>,
        log: &Log,
    ) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(IRoyalties::Paid::SIGNATURE_HASH) => {
                let Some(event) = read::<IRoyalties::Paid>(log) else { return Ok(()) };
                self.paid(place, &event).await
            }
            Some(IRoyalties::Deposited::SIGNATURE_HASH) => {
                let Some(event) = read::<IRoyalties::Deposited>(log) else { return Ok(()) };
                self.deposited(place, &event).await
            }
            Some(IRoyalties::Settled::SIGNATURE_HASH) => {
                let Some(event) = read::<IRoyalties::Settled>(log) else { return Ok(()) };
                self.settled(place, &event).await
            }
            _ => Ok(()),
        }
    }

    async fn paid(&mut self, place: Place<'_>, event: &IRoyalties::Paid) -> Result<(), IndexError> {
        let amount = coin(event.amount)?;
        let change = self.tally.asset(event.asset);
        change.paid = change.paid.saturating_add(amount);
        self.tally.chain("paid", amount)?;
        let (asset, payer) = (Some(event.asset), Some(event.payer));
        self.payment(place, Payment { kind: "use", payer, asset, amount, ..Payment::default() })
            .await?;
        for (part, place_in_log) in event.parts.iter().zip((1_i64..).step_by(2)) {
            let share = (part.asset, event.asset, coin(part.amount)?);
            self.took(place, place_in_log, share).await?;
            if !part.account.is_zero() {
                let credit = (part.asset, part.account, coin(part.amount)?);
                self.credited(place, place_in_log.saturating_add(1), credit).await?;
            }
        }
        Ok(())
    }

    async fn deposited(
        &mut self,
        place: Place<'_>,
        event: &IRoyalties::Deposited,
    ) -> Result<(), IndexError> {
        self.took(place, 0, (event.asset, event.source, coin(event.amount)?)).await
    }

    async fn settled(
        &mut self,
        place: Place<'_>,
        event: &IRoyalties::Settled,
    ) -> Result<(), IndexError> {
        self.credited(place, 0, (event.asset, event.account, coin(event.amount)?)).await
    }

    /// An asset took its part of what was paid for another, or for itself.
    async fn took(
        &mut self,
        place: Place<'_>,
        part: i64,
        (asset, source, amount): (u64, u64, u128),
    ) -> Result<(), IndexError> {
        let change = self.tally.asset(asset);
        change.revenue = change.revenue.saturating_add(amount);
        let (asset, source) = (Some(asset), Some(source));
        let payment = Payment { kind: "part", part, asset, source, amount, ..Payment::default() };
        self.payment(place, payment).await
    }

    /// An account was credited with what it earned.
    async fn credited(
        &mut self,
        place: Place<'_>,
        part: i64,
        (asset, account, amount): (u64, Address, u128),
    ) -> Result<(), IndexError> {
        self.tally.account(account, Some(asset), Reason::Royalty, amount)?;
        self.tally.chain("royalties", amount)?;
        let (asset, payee) = (Some(asset), Some(account));
        let payment = Payment { kind: "royalty", part, payee, asset, amount, ..Payment::default() };
        self.payment(place, payment).await
    }
}
