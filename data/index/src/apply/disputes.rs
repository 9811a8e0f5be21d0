//! What complaints do to income: what waits for a ruling, what goes where an upheld complaint said, and
//! what jurors are paid. What waited and is given back comes as a part of the asset's pool.

use super::{Apply, Payment, Place, Reason, for_sale::Thing, read};
use crate::{
    database::{Read as _, Value, coin, integer},
    error::IndexError,
};
use alloy_primitives::Address;
use alloy_sol_types::SolEvent;
use sahara_abi::{
    DISPUTES,
    IDisputes::{self, Ruling},
};
use sahara_client::Log;

impl Apply<'_> {
    pub(super) async fn disputes_log(
        &mut self,
        place: Place<'_>,
        log: &Log,
    ) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(IDisputes::Held::SIGNATURE_HASH) => {
                let Some(event) = read::<IDisputes::Held>(log) else { return Ok(()) };
                let (asset, amount) = (Some(event.asset), coin(event.amount)?);
                self.payment(place, Payment { kind: "held", asset, amount, ..Payment::default() })
                    .await
            }
            Some(IDisputes::Redirected::SIGNATURE_HASH) => {
                let Some(event) = read::<IDisputes::Redirected>(log) else { return Ok(()) };
                let (asset, amount) = (Some(event.asset), coin(event.amount)?);
                self.corrected(place, (event.account, asset), amount).await
            }
            Some(IDisputes::JurorPaid::SIGNATURE_HASH) => {
                let Some(event) = read::<IDisputes::JurorPaid>(log) else { return Ok(()) };
                let (payee, amount) = (Some(event.juror), coin(event.amount)?);
                self.tally.account(event.juror, None, Reason::Jury, amount)?;
                self.payment(place, Payment { kind: "jury", payee, amount, ..Payment::default() })
                    .await
            }
            Some(IDisputes::Corrected::SIGNATURE_HASH) => {
                let Some(event) = read::<IDisputes::Corrected>(log) else { return Ok(()) };
                // What governance restores is sold again, by listings of its own time.
                if event.complaint == 0 && !event.isDelisted {
                    return Ok(());
                }
                self.end_listings(Thing::asset(integer(event.asset)?)).await
            }
            Some(IDisputes::Closed::SIGNATURE_HASH) => {
                let Some(event) = read::<IDisputes::Closed>(log) else { return Ok(()) };
                self.dispute_closed(place, &event).await
            }
            _ => Ok(()),
        }
    }

    /// Income of an asset that an upheld complaint gave to somebody.
    async fn corrected(
        &mut self,
        place: Place<'_>,
        (account, asset): (Address, Option<u64>),
        amount: u128,
    ) -> Result<(), IndexError> {
        self.tally.account(account, asset, Reason::Correction, amount)?;
        let payee = Some(account);
        let payment = Payment { kind: "correction", payee, asset, amount, ..Payment::default() };
        self.payment(place, payment).await
    }

    /// Upheld, what waited is the complainant's.
    async fn dispute_closed(
        &mut self,
        place: Place<'_>,
        event: &IDisputes::Closed,
    ) -> Result<(), IndexError> {
        let amount = coin(event.held)?;
        if event.ruling != Ruling::Upheld || amount == 0 {
            return Ok(());
        }
        let Some(complainant) = self.complainant(event.asset, event.complaint).await? else {
            return Ok(());
        };
        self.corrected(place, (complainant, Some(event.asset)), amount).await
    }

    /// Who filed a complaint, from the event that says so.
    async fn complainant(
        &mut self,
        asset: u64,
        complaint: u64,
    ) -> Result<Option<Address>, IndexError> {
        let number = Address::left_padding_from(&complaint.to_be_bytes()).into_word();
        let found = "SELECT e.topics FROM event_assets a \
            JOIN events e ON e.block = a.block AND e.log_index = a.log_index \
            WHERE a.asset = $1 AND e.emitter = $2 AND e.name = $3 \
            ORDER BY e.block, e.log_index";
        let key = [Value::Int(integer(asset)?), DISPUTES.into(), "Filed".into()];
        // It may have been filed in this block.
        self.flush().await?;
        for row in self.sql.rows(found, &key).await? {
            // Topics: the event's hash, the complaint, the asset, the complainant.
            let topics = row.bytes("topics")?;
            if topics.get(32..64) == Some(number.as_slice()) {
                return Ok(topics.get(108..128).map(Address::from_slice));
            }
        }
        Ok(None)
    }
}
