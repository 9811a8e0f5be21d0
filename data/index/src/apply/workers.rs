//! Workers and gateways: bonds, endpoints, served assets.

use super::{Apply, read};
use crate::{
    database::{Read as _, Value, coin, integer, money},
    error::IndexError,
    metadata::clean,
};
use alloy_primitives::{Address, U256};
use alloy_sol_types::SolEvent;
use sahara_abi::IWorkers;
use sahara_client::Log;

const MAX_ENDPOINT: usize = 2_048;

impl Apply<'_> {
    pub(super) async fn workers_log(&mut self, log: &Log) -> Result<(), IndexError> {
        match log.inner.data.topics().first().copied() {
            Some(IWorkers::WorkerRegistered::SIGNATURE_HASH) => {
                let Some(event) = read::<IWorkers::WorkerRegistered>(log) else { return Ok(()) };
                self.operator((event.worker, "worker"), &event.endpoint, event.bond, None).await
            }
            Some(IWorkers::GatewayRegistered::SIGNATURE_HASH) => {
                let Some(event) = read::<IWorkers::GatewayRegistered>(log) else { return Ok(()) };
                let who = (event.gateway, "gateway");
                self.operator(who, &event.endpoint, event.bond, Some(event.fee)).await
            }
            Some(IWorkers::Served::SIGNATURE_HASH) => {
                let Some(event) = read::<IWorkers::Served>(log) else { return Ok(()) };
                let row = [
                    ("worker", Value::from(event.worker)),
                    ("asset", integer(event.asset)?.into()),
                    ("input_price", money(event.inputPrice)),
                    ("output_price", money(event.outputPrice)),
                    ("is_served", true.into()),
                ];
                self.sql.put("offers", 2, &row).await
            }
            Some(IWorkers::Unserved::SIGNATURE_HASH) => {
                let Some(event) = read::<IWorkers::Unserved>(log) else { return Ok(()) };
                let sql = "UPDATE offers SET is_served = 0 WHERE worker = $1 AND asset = $2";
                let values = [event.worker.into(), Value::Int(integer(event.asset)?)];
                self.sql.run(sql, &values).await.map(drop)
            }
            Some(IWorkers::Leaving::SIGNATURE_HASH) => {
                let Some(event) = read::<IWorkers::Leaving>(log) else { return Ok(()) };
                let sql = "UPDATE operators SET leaving_at = $2 \
                    WHERE account = $1 AND has_left = 0 AND leaving_at IS NULL";
                let values = [event.account.into(), Value::Int(integer(event.leavingAt)?)];
                self.sql.run(sql, &values).await.map(drop)
            }
            Some(IWorkers::Left::SIGNATURE_HASH) => {
                let Some(event) = read::<IWorkers::Left>(log) else { return Ok(()) };
                self.left(&event).await
            }
            _ => Ok(()),
        }
    }

    async fn operator(
        &mut self,
        (account, role): (Address, &str),
        endpoint: &str,
        bond: U256,
        fee: Option<u16>,
    ) -> Result<(), IndexError> {
        let mut row = vec![
            ("account", Value::from(account)),
            ("role", role.into()),
            ("endpoint", clean(endpoint, MAX_ENDPOINT).into()),
            ("bond", money(coin(bond)?)),
            ("has_left", false.into()),
            ("block", self.block.into()),
        ];
        if let Some(fee) = fee {
            row.push(("fee", i64::from(fee).into()));
        }
        self.sql.put("operators", 2, &row).await?;
        let sql = "UPDATE operators SET leaving_at = NULL WHERE account = $1 AND role = $2";
        self.sql.run(sql, &[account.into(), role.into()]).await.map(drop)
    }

    /// One call returns the bonds of every role whose notice has ended; the event says their sum.
    async fn left(&mut self, event: &IWorkers::Left) -> Result<(), IndexError> {
        let now = integer(self.data.header.nonce.to::<u64>() / 1_000)?;
        let sql = "SELECT role, bond FROM operators \
            WHERE account = $1 AND has_left = 0 AND leaving_at <= $2 ORDER BY role";
        let rows = self.sql.rows(sql, &[event.account.into(), now.into()]).await?;
        let mut rest = coin(event.bond)?;
        for row in rows {
            let (role, bond) = (row.text("role")?, row.money("bond")?);
            if bond > rest {
                continue;
            }
            rest = rest.saturating_sub(bond);
            let sql = "UPDATE operators SET has_left = 1, bond = $3 \
                WHERE account = $1 AND role = $2";
            self.sql.run(sql, &[event.account.into(), role.into(), money(0)]).await?;
        }
        Ok(())
    }
}
