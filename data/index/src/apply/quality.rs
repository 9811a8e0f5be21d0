//! Quality: what strangers paid in fees.
//!
//! An asset's quality is the sum, over payers and months, of the protocol fees that the payer's use of
//! it cost, each at most [`PATRON_CAP`]. The fee is lost to whoever pays it, so a unit of quality
//! costs at least a unit of coin, however it is divided among accounts; and one rich payer counts no
//! more than many small ones. Fees of related payers count nothing: see [`Apply::is_related`].

use super::Apply;
use crate::{
    database::{Read as _, Value, integer, money},
    error::IndexError,
};
use alloy_primitives::Address;

/// The most that one payer's use of one asset adds in a month: 10 SAHARA of fees, which is 1,000 SAHARA
/// of use at the fee of 1 %.
pub(crate) const PATRON_CAP: u128 = 10_000_000_000_000_000_000;

impl Apply<'_> {
    /// Counts a fee that `payer` paid for using or licensing an asset; `served_by` are those who were
    /// paid beside the asset.
    pub(super) async fn credit_quality(
        &mut self,
        id: u64,
        payer: Address,
        served_by: &[Address],
        fee: u128,
    ) -> Result<(), IndexError> {
        let asset = integer(id)?;
        if fee == 0 || served_by.contains(&payer) || self.is_related(asset, payer).await? {
            return Ok(());
        }
        let month = self.periods.month.clone();
        let key = [Value::Int(asset), payer.into()];
        let sql = "SELECT month, fees FROM patrons WHERE asset = $1 AND payer = $2";
        let rows = self.sql.rows(sql, &key).await?;
        let mut before = 0_u128;
        for row in &rows {
            if row.text("month")? == month {
                before = row.money("fees")?;
            }
        }
        let after = before.saturating_add(fee);
        let row = [
            ("asset", Value::Int(asset)),
            ("payer", payer.into()),
            ("month", month.into()),
            ("fees", money(after)),
        ];
        self.sql.put("patrons", 3, &row).await?;
        let change = self.tally.asset(id);
        let counted = after.min(PATRON_CAP).saturating_sub(before.min(PATRON_CAP));
        change.quality = change.quality.saturating_add(counted);
        change.patrons = change.patrons.saturating_add(u64::from(rows.is_empty()));
        Ok(())
    }

    /// Whether a payer, or who first gave it coin, or whom it first gave coin, has a part in the asset:
    /// its owner, creator, own account, members, and the owners of ancestors that take a share.
    async fn is_related(&mut self, asset: i64, payer: Address) -> Result<bool, IndexError> {
        let sql = "SELECT funder FROM accounts WHERE account = $1";
        let funder = match self.sql.row(sql, &[payer.into()]).await? {
            Some(row) => row.maybe_address("funder")?,
            None => self.tally.funder(payer),
        };
        let stranger = funder.unwrap_or(payer);
        let sql = "SELECT 1 AS found FROM assets WHERE asset = $1 \
              AND (owner IN ($2, $3) OR creator IN ($2, $3) OR account IN ($2, $3)) \
            UNION ALL SELECT 1 FROM members WHERE asset = $1 AND account IN ($2, $3) \
            UNION ALL SELECT 1 FROM ancestors JOIN assets ON assets.asset = ancestors.ancestor \
              WHERE ancestors.asset = $1 AND ancestors.share > 0 AND assets.owner IN ($2, $3) \
            UNION ALL SELECT 1 FROM assets JOIN accounts ON accounts.account = assets.owner \
              WHERE assets.asset = $1 AND accounts.funder = $2 \
            LIMIT 1";
        let values = [Value::Int(asset), payer.into(), stranger.into()];
        Ok(self.sql.row(sql, &values).await?.is_some())
    }
}
