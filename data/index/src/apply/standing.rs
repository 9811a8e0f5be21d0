//! Standings: what search filters and sorts by, kept as of every recent block.
//!
//! A page of results continues as of the block of the first page, so that nothing is seen twice or
//! missed while prices, owners and sums change underneath. Rows that ended more than [`KEPT_BLOCKS`]
//! blocks ago are removed.

use super::Apply;
use crate::{
    database::{Read as _, Value, integer},
    error::IndexError,
};

/// For how many blocks a search can be continued: at one block a second, an hour.
pub(crate) const KEPT_BLOCKS: i64 = 3_600;
/// The end of a standing that has none yet.
const FOREVER: i64 = i64::MAX;

const NOW: &str = "SELECT kind, owner, revenue, uses, quality, \
    CASE WHEN input_price > output_price THEN input_price ELSE output_price END AS price \
    FROM assets WHERE asset = $1";
const LAST: &str = "SELECT since, owner, price, revenue, uses, quality FROM standings \
    WHERE asset = $1 AND until = $2";

impl Apply<'_> {
    pub(super) async fn standings(&mut self) -> Result<(), IndexError> {
        for asset in std::mem::take(&mut self.touched) {
            self.standing(integer(asset)?).await?;
        }
        let ended = self.block.saturating_sub(KEPT_BLOCKS);
        self.sql.run("DELETE FROM standings WHERE until <= $1", &[ended.into()]).await.map(drop)
    }

    async fn standing(&mut self, asset: i64) -> Result<(), IndexError> {
        let Some(now) = self.sql.row(NOW, &[asset.into()]).await? else { return Ok(()) };
        let last = self.sql.row(LAST, &[asset.into(), FOREVER.into()]).await?;
        let changing = ["price", "revenue", "quality"];
        if let Some(last) = last {
            let mut is_same = last.int("uses")? == now.int("uses")?
                && last.address("owner")? == now.address("owner")?;
            for column in changing {
                is_same &= last.text(column)? == now.text(column)?;
            }
            if is_same {
                return Ok(());
            }
            let sql = "UPDATE standings SET until = $1 WHERE asset = $2 AND until = $3";
            let values = [self.block.into(), Value::Int(asset), FOREVER.into()];
            self.sql.run(sql, &values).await?;
        }
        let mut row = vec![
            ("asset", Value::Int(asset)),
            ("since", self.block.into()),
            ("until", FOREVER.into()),
            ("kind", now.text("kind")?.into()),
            ("owner", now.address("owner")?.into()),
            ("uses", now.int("uses")?.into()),
        ];
        for column in changing {
            row.push((column, now.text(column)?.into()));
        }
        self.sql.insert("standings", &row).await
    }
}
