//! Payments for use, their parts, and credits.

use super::{Apply, Payment, Place, Reason, read};
use crate::{database::coin, error::IndexError};
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
            .await
    }

    async fn deposited(
        &mut self,
        place: Place<'_>,
        event: &IRoyalties::Deposited,
    ) -> Result<(), IndexError> {
        let amount = coin(event.amount)?;
        let change = self.tally.asset(event.asset);
        change.revenue = change.revenue.saturating_add(amount);
        let (asset, source) = (Some(event.asset), Some(event.source));
        self.payment(place, Payment { kind: "part", asset, source, amount, ..Payment::default() })
            .await
    }

    async fn settled(
        &mut self,
        place: Place<'_>,
        event: &IRoyalties::Settled,
    ) -> Result<(), IndexError> {
        let amount = coin(event.amount)?;
        self.tally.account(event.account, Some(event.asset), Reason::Royalty, amount)?;
        self.tally.chain("royalties", amount)?;
        let (asset, payee) = (Some(event.asset), Some(event.account));
        self.payment(place, Payment { kind: "royalty", payee, asset, amount, ..Payment::default() })
            .await
    }
}
