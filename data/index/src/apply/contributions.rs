//! Contributors that were committed to by the root of a tree, and became members one by one.

use super::{Apply, read};
use crate::{
    database::{Read as _, Value, integer, money},
    error::IndexError,
};
use alloy_sol_types::SolEvent;
use sahara_abi::IContributions;
use sahara_client::Log;

impl Apply<'_> {
    pub(super) async fn contributions_log(&mut self, log: &Log) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(IContributions::Committed::SIGNATURE_HASH) => {
                let Some(event) = read::<IContributions::Committed>(log) else { return Ok(()) };
                let sql = "UPDATE assets SET committed = $2, committed_units = $3 WHERE asset = $1";
                let values = [
                    Value::Int(integer(event.asset)?),
                    i64::from(event.count).into(),
                    money(event.units.to()),
                ];
                self.sql.run(sql, &values).await.map(drop)
            }
            Some(IContributions::Activated::SIGNATURE_HASH) => {
                let Some(event) = read::<IContributions::Activated>(log) else { return Ok(()) };
                self.activated(&event).await
            }
            _ => Ok(()),
        }
    }

    /// One account may have many contributions to an asset; here they are one sum.
    async fn activated(&mut self, event: &IContributions::Activated) -> Result<(), IndexError> {
        let key = [Value::Int(integer(event.asset)?), event.contributor.into()];
        let sql = "SELECT units FROM members WHERE asset = $1 AND account = $2";
        let before = self.sql.row(sql, &key).await?.map_or(Ok(0), |row| row.money("units"))?;
        let [asset, account] = key.clone();
        let units = money(before.saturating_add(event.units.to()));
        let row = [("asset", asset), ("account", account), ("units", units)];
        self.sql.put("members", 2, &row).await?;
        let sql = "UPDATE assets SET members = members + 1 WHERE asset = $1";
        let [asset, _] = key;
        self.sql.run(sql, &[asset]).await.map(drop)
    }
}
