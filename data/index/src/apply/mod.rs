//! One block becomes rows, in one transaction.
//!
//! Every log is kept and named. Logs of the protocols are then read by the module of their protocol;
//! what cannot be decoded is kept as it is and changes nothing else. Nothing here looks at a clock or
//! at anything outside the block and the tables, so the same blocks give the same rows.

mod assets;
mod channels;
mod contributions;
mod disputes;
mod for_sale;
mod licenses;
mod market;
mod quality;
mod royalties;
mod standing;
mod system;
mod tally;
mod transactions;
mod workers;

use crate::{
    database::{Dialect, Read as _, Sql, Value, integer},
    decode,
    error::IndexError,
    period::Periods,
    source::{BlockData, Header, Transaction},
};
use alloy_primitives::{Address, B256};
use alloy_sol_types::SolEvent;
use sahara_abi::{
    ASSETS, CHANNELS, CONTRIBUTIONS, DISPUTES, LICENSES, MARKET, ROYALTIES, SYSTEM, WORKERS,
};
use sahara_client::Log;
use std::collections::{BTreeMap, BTreeSet};
use tally::Tally;

pub(crate) use standing::KEPT_BLOCKS;
pub(crate) use tally::Reason;

/// A block while it is written.
struct Apply<'c> {
    sql: Sql<'c>,
    dialect: Dialect,
    block: i64,
    periods: Periods,
    tally: Tally,
    /// Assets whose standing may have changed.
    touched: BTreeSet<u64>,
    /// Things of which something else may be for sale.
    things: BTreeSet<for_sale::Thing>,
    /// Lines of claims whose fees are not yet known.
    lines: Vec<channels::Line>,
    waiting: Waiting,
    data: &'c BlockData,
}

/// Rows of a table, with these columns, that are added together.
type Waiting = BTreeMap<(&'static str, Vec<&'static str>), Vec<Vec<Value>>>;

/// Rows of a table that wait at most: a block may have any number.
const MOST_WAITING: usize = 240;

/// Where a log stands, and the transaction that wrote it.
#[derive(Clone, Copy)]
struct Place<'a> {
    position: i64,
    log_index: i64,
    transaction: &'a Transaction,
}

/// The head of the index.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    pub(crate) number: u64,
    pub(crate) hash: B256,
}

/// The last block that was written, if any.
pub(crate) async fn head(sql: &mut Sql<'_>) -> Result<Option<Head>, IndexError> {
    let row = sql.row("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1", &[]).await?;
    row.map(|row| Ok(Head { number: row.number("number")?, hash: row.hash("hash")? })).transpose()
}

/// Writes the block that follows the head. The caller commits.
pub(crate) async fn apply(
    sql: Sql<'_>,
    dialect: Dialect,
    data: &BlockData,
) -> Result<(), IndexError> {
    let block = integer(data.header.number.to())?;
    let mut apply = Apply {
        sql: Sql(&mut *sql.0),
        dialect,
        block,
        periods: Periods::of(data.header.nonce.to()),
        tally: Tally::default(),
        touched: BTreeSet::new(),
        things: BTreeSet::new(),
        lines: Vec::new(),
        waiting: Waiting::new(),
        data,
    };
    apply.check_parent().await?;
    let events = apply.transactions().await?;
    apply.flush().await?;
    apply.header(&data.header, events).await?;
    apply.touched.extend(apply.tally.changed_assets());
    let tally = std::mem::take(&mut apply.tally);
    tally.write(&mut apply.sql, block, &apply.periods).await?;
    apply.standings().await?;
    apply.for_sale().await
}

impl Apply<'_> {
    async fn check_parent(&mut self) -> Result<(), IndexError> {
        let header = &self.data.header;
        let Some(head) = head(&mut self.sql).await? else { return Ok(()) };
        if head.number >= header.number.to::<u64>() {
            return Err(IndexError::Overtaken(header.number.to()));
        }
        if head.hash != header.parent_hash {
            let (number, parent) = (header.number.to(), header.parent_hash);
            return Err(IndexError::BrokenChain { number, parent, held: head.hash });
        }
        Ok(())
    }

    /// Adds a row to a table that nothing reads before [`Self::flush`].
    async fn later(
        &mut self,
        table: &'static str,
        row: impl IntoIterator<Item = (&'static str, Value)>,
    ) -> Result<(), IndexError> {
        let (columns, values): (Vec<_>, Vec<_>) = row.into_iter().unzip();
        let rows = self.waiting.entry((table, columns)).or_default();
        rows.push(values);
        if rows.len() < MOST_WAITING {
            return Ok(());
        }
        self.flush().await
    }

    /// Adds the rows that wait.
    async fn flush(&mut self) -> Result<(), IndexError> {
        for ((table, columns), rows) in std::mem::take(&mut self.waiting) {
            self.sql.insert_all(table, &columns, &rows).await?;
        }
        Ok(())
    }

    async fn header(&mut self, header: &Header, events: i64) -> Result<(), IndexError> {
        let transactions = i64::try_from(self.data.transactions.len()).unwrap_or(i64::MAX);
        let row = [
            ("number", Value::Int(self.block)),
            ("hash", header.hash.into()),
            ("parent_hash", header.parent_hash.into()),
            ("time", integer(header.nonce.to())?.into()),
            ("proposer", header.miner.into()),
            ("gas_used", integer(header.gas_used.to())?.into()),
            ("gas_limit", integer(header.gas_limit.to())?.into()),
            ("base_fee", integer(header.base_fee_per_gas.to())?.into()),
            ("size", integer(header.size.to())?.into()),
            ("transactions", transactions.into()),
            ("events", events.into()),
        ];
        self.tally.chain("blocks", 1)?;
        self.tally.chain("gas", header.gas_used.to())?;
        self.sql.insert("blocks", &row).await
    }

    /// A log of any contract.
    async fn log(&mut self, place: Place<'_>, log: &Log) -> Result<(), IndexError> {
        let (emitter, topics) = (log.inner.address, log.inner.data.topics());
        let decoded = decode::event(emitter, topics, &log.inner.data.data);
        let row = [
            ("block", Value::Int(self.block)),
            ("log_index", place.log_index.into()),
            ("position", place.position.into()),
            ("emitter", emitter.into()),
            ("protocol", decoded.as_ref().map(|decoded| decoded.protocol.to_owned()).into()),
            ("name", decoded.as_ref().map(|decoded| decoded.name.clone()).into()),
            ("topics", topics.concat().into()),
            ("data", log.inner.data.data.to_vec().into()),
        ];
        self.later("events", row).await?;
        self.token_move(place, log).await?;
        self.protocol_log(place, log).await?;
        // Last: an account that is named and funded at once was funded first.
        if let Some(decoded) = &decoded {
            self.subjects(place, decoded).await?;
        }
        Ok(())
    }

    async fn protocol_log(&mut self, place: Place<'_>, log: &Log) -> Result<(), IndexError> {
        match log.inner.address {
            ASSETS => self.assets_log(place, log).await,
            ROYALTIES => self.royalties_log(place, log).await,
            CHANNELS => self.channels_log(place, log).await,
            CONTRIBUTIONS => self.contributions_log(log).await,
            DISPUTES => self.disputes_log(place, log).await,
            LICENSES => self.licenses_log(place, log).await,
            MARKET => self.market_log(place, log).await,
            WORKERS => self.workers_log(log).await,
            SYSTEM => self.system_log(place, log),
            _ => Ok(()),
        }
    }

    /// Whom and what an event is about.
    async fn subjects(
        &mut self,
        place: Place<'_>,
        decoded: &decode::Decoded,
    ) -> Result<(), IndexError> {
        for account in decoded.accounts().collect::<BTreeSet<_>>() {
            self.tally.takes_part(account, place.position);
            let row = [
                ("account", Value::from(account)),
                ("block", self.block.into()),
                ("log_index", place.log_index.into()),
            ];
            self.later("event_accounts", row).await?;
        }
        let assets = decoded.assets().filter_map(|asset| i64::try_from(asset).ok());
        for asset in assets.collect::<BTreeSet<_>>() {
            let row = [
                ("asset", Value::Int(asset)),
                ("block", self.block.into()),
                ("log_index", place.log_index.into()),
            ];
            self.later("event_assets", row).await?;
        }
        Ok(())
    }

    /// A row of `payments`.
    async fn payment(&mut self, place: Place<'_>, payment: Payment) -> Result<(), IndexError> {
        let id = |id: Option<u64>| id.map_or(Ok(Value::NoInt), |id| integer(id).map(Value::Int));
        let row = [
            ("block", Value::Int(self.block)),
            ("log_index", place.log_index.into()),
            ("part", payment.part.into()),
            ("position", place.position.into()),
            ("kind", payment.kind.into()),
            ("payer", payment.payer.into()),
            ("payee", payment.payee.into()),
            ("asset", id(payment.asset)?),
            ("source", id(payment.source)?),
            ("channel", payment.channel.into()),
            ("amount", crate::database::money(payment.amount)),
        ];
        self.later("payments", row).await
    }
}

/// Coin that was moved by a protocol.
#[derive(Default)]
struct Payment {
    kind: &'static str,
    /// Several in one log.
    part: i64,
    payer: Option<Address>,
    payee: Option<Address>,
    asset: Option<u64>,
    source: Option<u64>,
    channel: Option<B256>,
    amount: u128,
}

/// The event, if the log is one of this type.
fn read<E: SolEvent>(log: &Log) -> Option<E> {
    E::decode_log(&log.inner).ok().map(|event| event.data)
}
