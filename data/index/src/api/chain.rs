//! Blocks, transactions and events.

use super::{
    Api,
    error::ApiError,
    payments::{Payment, SHOW as PAYMENTS},
    shape::{List, Money, Page, Paging, Params, address, hash, number},
};
use crate::{
    database::{Read as _, Sql, Value},
    decode::{self, Decoded},
    error::IndexError,
};
use alloy_primitives::{B256, hex};
use axum::{
    Json,
    extract::{Path, State},
};
use serde::{Deserialize, Serialize};
use sqlx::any::AnyRow;
use utoipa::{IntoParams, ToSchema};

/// The most events, moves and payments inside a transaction's answer.
const MAX_INSIDE: i64 = 500;

pub(super) const BLOCKS: &str = "SELECT number, hash, parent_hash, time, proposer, gas_used, gas_limit, \
    base_fee, size, transactions, events FROM blocks";
const SHOW_BLOCKS: &str = "SELECT b.number, b.hash, b.parent_hash, b.time, b.proposer, b.gas_used, b.gas_limit, \
    b.base_fee, b.size, b.transactions, b.events FROM {page} JOIN blocks b ON b.number = page.number";
/// What is shown of transactions.
const TRANSACTIONS: &str = "SELECT t.block, t.position, t.hash, t.type, t.sender, t.recipient, t.created, \
    t.nonce, t.value, t.method, t.is_success, t.gas_limit, t.gas_used, t.gas_price, t.input, b.time \
    FROM {page} \
    JOIN transactions t ON t.block = page.block AND t.position = page.position \
    JOIN blocks b ON b.number = t.block";
/// What is shown of events.
pub(super) const EVENTS: &str = "SELECT e.block, e.log_index, e.emitter, e.protocol, e.name, e.topics, e.data, \
    t.hash, b.time FROM {page} \
    JOIN events e ON e.block = page.block AND e.log_index = page.log_index \
    JOIN blocks b ON b.number = e.block \
    JOIN transactions t ON t.block = e.block AND t.position = e.position";

/// A final block.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct BlockView {
    number: u64,
    hash: String,
    parent_hash: String,
    /// Unix milliseconds.
    time: u64,
    /// Where the proposer's part of the fees goes.
    proposer: String,
    gas_used: u64,
    gas_limit: u64,
    /// Base units per gas.
    base_fee: u64,
    /// Bytes.
    size: u64,
    transactions: u64,
    events: u64,
}

impl BlockView {
    pub(super) fn read(row: &AnyRow) -> Result<Self, IndexError> {
        Ok(Self {
            number: row.number("number")?,
            hash: row.hash("hash")?.to_string(),
            parent_hash: row.hash("parent_hash")?.to_string(),
            time: row.number("time")?,
            proposer: row.address("proposer")?.to_string(),
            gas_used: row.number("gas_used")?,
            gas_limit: row.number("gas_limit")?,
            base_fee: row.number("base_fee")?,
            size: row.number("size")?,
            transactions: row.number("transactions")?,
            events: row.number("events")?,
        })
    }
}

/// A transaction as lists show it.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct TransactionView {
    hash: String,
    block: u64,
    position: u64,
    /// Unix milliseconds.
    time: u64,
    r#type: u64,
    sender: String,
    recipient: Option<String>,
    /// The contract that it created.
    created: Option<String>,
    nonce: u64,
    value: Money,
    /// The protocol's function.
    method: Option<String>,
    is_success: bool,
    gas_limit: u64,
    gas_used: u64,
    /// Base units.
    gas_price: String,
    fee: Money,
}

impl TransactionView {
    fn read(row: &AnyRow) -> Result<Self, IndexError> {
        let (gas_used, price) = (row.number("gas_used")?, row.money("gas_price")?);
        Ok(Self {
            hash: row.hash("hash")?.to_string(),
            block: row.number("block")?,
            position: row.number("position")?,
            time: row.number("time")?,
            r#type: row.number("type")?,
            sender: row.address("sender")?.to_string(),
            recipient: row.maybe_address("recipient")?.map(|account| account.to_string()),
            created: row.maybe_address("created")?.map(|account| account.to_string()),
            nonce: row.number("nonce")?,
            value: Money::read(row, "value")?,
            method: row.maybe_text("method")?,
            is_success: row.flag("is_success")?,
            gas_limit: row.number("gas_limit")?,
            gas_used,
            gas_price: price.to_string(),
            fee: Money::of(price.saturating_mul(gas_used.into())),
        })
    }
}

/// A transaction with everything it did.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct TransactionDetail {
    #[serde(flatten)]
    transaction: TransactionView,
    /// The call's data, hexadecimal.
    input: String,
    /// The call in words, to a protocol.
    call: Option<Decoded>,
    /// What it logged, at most 500.
    events: Vec<EventView>,
    /// Coin and tokens that it moved, at most 500. Moves inside contracts log nothing and are not here.
    moves: Vec<MoveView>,
    /// What protocols paid in it, at most 500.
    payments: Vec<Payment>,
}

/// A log.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct EventView {
    /// `block-index`, where a stream of events can be resumed.
    pub(super) id: String,
    block: u64,
    log_index: u64,
    transaction: String,
    /// Unix milliseconds.
    time: u64,
    emitter: String,
    /// In words, of a protocol.
    pub(super) event: Option<Decoded>,
    topics: Vec<String>,
    data: String,
}

impl EventView {
    pub(super) fn read(row: &AnyRow) -> Result<Self, IndexError> {
        let (block, log_index) = (row.number("block")?, row.number("log_index")?);
        let (emitter, data) = (row.address("emitter")?, row.bytes("data")?);
        let topics = row.bytes("topics")?;
        let topics: Vec<_> = topics.chunks_exact(32).map(B256::from_slice).collect();
        Ok(Self {
            id: format!("{block}-{log_index}"),
            block,
            log_index,
            transaction: row.hash("hash")?.to_string(),
            time: row.number("time")?,
            emitter: emitter.to_string(),
            event: decode::event(emitter, &topics, &data),
            topics: topics.iter().map(B256::to_string).collect(),
            data: hex::encode_prefixed(data),
        })
    }
}

/// Coin or a token that changed hands.
#[derive(Clone, Debug, Serialize, ToSchema)]
pub(super) struct MoveView {
    /// `coin`, `erc20` or `erc721`.
    kind: String,
    /// The token's contract.
    token: Option<String>,
    sender: String,
    recipient: String,
    /// Base units, or the number of an ERC-721 token.
    value: String,
    /// Of coin, in SAHARA.
    amount: Option<String>,
}

impl MoveView {
    fn read(row: &AnyRow) -> Result<Self, IndexError> {
        let (kind, value) = (row.text("kind")?, row.text("value")?);
        Ok(Self {
            amount: (kind == "coin").then(|| Money::raw(&value).amount),
            kind,
            token: row.maybe_address("token")?.map(|token| token.to_string()),
            sender: row.address("sender")?.to_string(),
            recipient: row.address("recipient")?.to_string(),
            value,
        })
    }
}

pub(super) fn block_list() -> List {
    List {
        name: "blocks".into(),
        keys: "blocks x WHERE x.number >= 0".into(),
        values: Vec::new(),
        order: &["number"],
        either: &[],
        show: SHOW_BLOCKS,
    }
}

/// Blocks, newest first.
#[utoipa::path(get, path = "/blocks", tag = "chain", params(Paging),
    responses((status = 200, body = Page<BlockView>), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn blocks(
    State(api): State<Api>,
    Params(paging): Params<Paging>,
) -> Result<Json<Page<BlockView>>, ApiError> {
    let list = block_list();
    let mut connection = api.database().acquire().await?;
    Ok(Json(list.page(&mut Sql(&mut connection), &paging, BlockView::read).await?))
}

/// One block, by number or hash.
#[utoipa::path(get, path = "/blocks/{block}", tag = "chain",
    params(("block" = String, Path, description = "its number, or its hash")),
    responses((status = 200, body = BlockView), (status = 404, body = super::error::ErrorBody)))]
pub(super) async fn block(
    State(api): State<Api>,
    Path(id): Path<String>,
) -> Result<Json<BlockView>, ApiError> {
    let (column, value) = match id.parse::<u64>() {
        Ok(id) => ("number", number("block", id)?),
        Err(_) => ("hash", Value::from(hash("block", &id)?)),
    };
    let mut connection = api.database().acquire().await?;
    let sql = format!("{BLOCKS} WHERE {column} = $1");
    let row = Sql(&mut connection).row(&sql, &[value]).await?;
    let row = row.ok_or_else(|| ApiError::not_found(format!("there is no block {id} yet")))?;
    Ok(Json(BlockView::read(&row)?))
}

/// Which transactions.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct TransactionQuery {
    /// In which this account takes part: sends, receives, or is named by an event.
    pub(super) account: Option<String>,
    /// Of this block.
    pub(super) block: Option<u64>,
    /// `false` leaves out those that end blocks, which nobody sends.
    #[param(default = true)]
    pub(super) system: Option<bool>,
    /// Rows on a page, 1 to 100.
    #[param(default = 20, minimum = 1, maximum = 100)]
    pub(super) limit: Option<usize>,
    /// `next` of the page before.
    pub(super) cursor: Option<String>,
}

impl TransactionQuery {
    pub(super) fn list(&self) -> Result<List, ApiError> {
        let (keys, values) = match (&self.account, self.block) {
            (Some(_), Some(_)) => {
                return Err(ApiError::invalid("block", "expected either an account or a block"));
            }
            (None, None) if self.system == Some(false) => {
                ("transactions x WHERE x.block >= 0 AND x.type <> 83", Vec::new())
            }
            _ if self.system == Some(false) => {
                let expected = "expected no account and no block beside false";
                return Err(ApiError::invalid("system", expected));
            }
            (Some(account), None) => {
                let account = address("account", account)?;
                ("activity x WHERE x.account = $1", vec![Value::from(account)])
            }
            (None, Some(block)) => {
                ("transactions x WHERE x.block = $1", vec![number("block", block)?])
            }
            (None, None) => ("transactions x WHERE x.block >= 0", Vec::new()),
        };
        let (name, keys) = (format!("{keys} {values:?}"), keys.to_owned());
        let order = &["block", "position"];
        Ok(List { name, keys, values, order, either: &[], show: TRANSACTIONS })
    }
}

/// Transactions, newest first.
#[utoipa::path(get, path = "/transactions", tag = "chain", params(TransactionQuery),
    responses((status = 200, body = Page<TransactionView>), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn transactions(
    State(api): State<Api>,
    Params(query): Params<TransactionQuery>,
) -> Result<Json<Page<TransactionView>>, ApiError> {
    let list = query.list()?;
    let paging = Paging { limit: query.limit, cursor: query.cursor };
    let mut connection = api.database().acquire().await?;
    Ok(Json(list.page(&mut Sql(&mut connection), &paging, TransactionView::read).await?))
}

/// One transaction: its call, events, moves and payments in words.
#[utoipa::path(get, path = "/transactions/{hash}", tag = "chain",
    params(("hash" = String, Path, description = "its hash")),
    responses((status = 200, body = TransactionDetail), (status = 404, body = super::error::ErrorBody)))]
pub(super) async fn transaction(
    State(api): State<Api>,
    Path(text): Path<String>,
) -> Result<Json<TransactionDetail>, ApiError> {
    let hash = hash("hash", &text)?;
    let mut connection = api.database().acquire().await?;
    let mut sql = Sql(&mut connection);
    let found = "(SELECT block, position FROM transactions WHERE hash = $1) AS page";
    let row = sql.row(&TRANSACTIONS.replace("{page}", found), &[hash.into()]).await?;
    let expected = "no final block has this transaction; it may be waiting, or the index behind";
    let row = row.ok_or_else(|| ApiError::not_found(expected))?;
    let place = [row.int("block")?.into(), row.int("position")?.into(), MAX_INSIDE.into()];
    let inside = |show: &str, key: &str, table: &str| {
        let page = format!(
            "(SELECT block, {key} FROM {table} WHERE block = $1 AND position = $2 \
             ORDER BY {key} LIMIT $3) AS page"
        );
        format!("{} ORDER BY page.log_index", show.replace("{page}", &page))
    };
    let moves = "SELECT kind, token, sender, recipient, value FROM moves \
        WHERE block = $1 AND position = $2 ORDER BY log_index LIMIT $3";
    let events = sql.rows(&inside(EVENTS, "log_index", "events"), &place).await?;
    let moves = sql.rows(moves, &place).await?;
    let payments = inside(PAYMENTS, "log_index, part", "payments");
    let payments = sql.rows(&format!("{payments}, page.part"), &place).await?;
    let input = row.bytes("input")?;
    let call = row.maybe_address("recipient")?.and_then(|to| decode::call(to, &input));
    Ok(Json(TransactionDetail {
        transaction: TransactionView::read(&row)?,
        input: hex::encode_prefixed(input),
        call,
        events: events.iter().map(EventView::read).collect::<Result<_, _>>()?,
        moves: moves.iter().map(MoveView::read).collect::<Result<_, _>>()?,
        payments: payments.iter().map(Payment::read).collect::<Result<_, _>>()?,
    }))
}
