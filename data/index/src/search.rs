//! Search and ranking of assets.
//!
//! Results are as of one block: the first page's. A cursor carries that block and the last row's
//! place, so the pages together are one list, whatever changes meanwhile (see `apply/standing.rs`).
//!
//! With words, assets come in four classes (the whole name; every word in the name; every word in
//! name or tags; every word anywhere), inside a class by the order asked for. Text scores of the two
//! databases differ, and change when others publish; classes do neither.

use crate::{
    apply::KEPT_BLOCKS,
    cursor::{Cursor, CursorError},
    database::{Database, Dialect, Read as _, Sql, Value, integer, money},
    error::IndexError,
    words::{Field, Question},
};
use alloy_primitives::Address;
use sqlx::any::AnyRow;

/// In which order assets come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Sort {
    /// What strangers paid in fees for using it; see the specification.
    #[default]
    Quality,
    /// What its pool took.
    Revenue,
    /// Requests.
    Uses,
    /// The newest first.
    Newest,
    /// The cheapest first, by the larger of its two prices.
    Cheapest,
    /// The dearest first.
    Dearest,
}

impl Sort {
    const fn column(self) -> &'static str {
        match self {
            Self::Quality => "quality",
            Self::Revenue => "revenue",
            Self::Uses => "uses",
            Self::Newest => "asset",
            Self::Cheapest | Self::Dearest => "price",
        }
    }

    /// Whether the column holds numbers.
    const fn is_number(self) -> bool {
        matches!(self, Self::Uses | Self::Newest)
    }
}

/// Which assets are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Filter {
    pub(crate) question: Option<Question>,
    pub(crate) kinds: Vec<String>,
    pub(crate) owner: Option<Address>,
    pub(crate) least_price: Option<u128>,
    pub(crate) most_price: Option<u128>,
    pub(crate) least_uses: Option<u64>,
    pub(crate) least_revenue: Option<u128>,
    pub(crate) descends_from: Option<u64>,
    pub(crate) is_ancestor_of: Option<u64>,
    pub(crate) sort: Sort,
}

/// A page of results: ids in order, and where the next page begins.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Found {
    pub(crate) assets: Vec<u64>,
    pub(crate) next: Option<String>,
}

/// Why a page cannot be shown.
#[derive(Debug, thiserror::Error)]
pub(crate) enum SearchError {
    #[error(transparent)]
    Index(#[from] IndexError),
    #[error(transparent)]
    Cursor(#[from] CursorError),
}

/// A statement while it is put together.
#[derive(Debug, Default)]
pub(crate) struct Statement {
    pub(crate) sql: String,
    pub(crate) values: Vec<Value>,
}

impl Statement {
    fn bind(&mut self, value: impl Into<Value>) -> String {
        self.values.push(value.into());
        format!("${}", self.values.len())
    }
}

/// One page of at most `limit` assets.
pub(crate) async fn search(
    database: &Database,
    filter: &Filter,
    cursor: Option<&str>,
    limit: usize,
) -> Result<Found, SearchError> {
    let mut connection = database.acquire().await?;
    let mut sql = Sql(&mut connection);
    let head = crate::apply::head(&mut sql).await?;
    let Some(head) = head else { return Ok(Found { assets: Vec::new(), next: None }) };
    let head = integer(head.number)?;
    let name = format!("search {filter:?}");
    let cursor = cursor.map(|text| Cursor::read(text, &name)).transpose()?;
    let block = cursor.as_ref().map_or(Ok(head), |cursor| cursor.number(0))?;
    if block > head || block.saturating_add(KEPT_BLOCKS) <= head {
        return Err(CursorError::Expired.into());
    }
    let statement = statement(database.dialect(), filter, block, (cursor.as_ref(), limit))?;
    let rows = sql.rows(&statement.sql, &statement.values).await?;
    let assets =
        rows.iter().take(limit).map(|row| row.number("asset")).collect::<Result<_, _>>()?;
    let last = limit.checked_sub(1).and_then(|last| rows.get(last)).filter(|_| rows.len() > limit);
    let next = last.map(|row| place(filter, block, row).map(|place| place.write(&name)));
    Ok(Found { assets, next: next.transpose()? })
}

fn place(filter: &Filter, block: i64, row: &AnyRow) -> Result<Cursor, IndexError> {
    let class = if filter.question.is_some() { row.int("class")? } else { 0 };
    let key = if filter.sort.is_number() {
        Value::Int(row.int("place")?)
    } else {
        Value::Text(row.text("place")?)
    };
    Ok(Cursor::new(vec![block.into(), class.into(), key, row.int("asset")?.into()]))
}

/// The query of a page; one row more than asked for says whether there is a next one.
pub(crate) fn statement(
    dialect: Dialect,
    filter: &Filter,
    block: i64,
    (cursor, limit): (Option<&Cursor>, usize),
) -> Result<Statement, SearchError> {
    let mut statement = Statement::default();
    let (column, is_ascending) = (filter.sort.column(), filter.sort == Sort::Cheapest);
    let class = filter.question.as_ref().map(|question| class(&mut statement, dialect, question));
    let conditions = conditions(&mut statement, dialect, filter, block)?;
    let after = cursor.map(|cursor| after(&mut statement, filter, cursor)).transpose()?;
    let (order, way) = if is_ascending { ("ASC", ">") } else { ("DESC", "<") };
    let limit = i64::try_from(limit).unwrap_or(i64::MAX).saturating_add(1);
    let limit = statement.bind(limit);
    // The number alone is an order already; named twice, it would be sorted.
    let place = if filter.sort == Sort::Newest { "asset" } else { "place" };
    statement.sql = match class {
        None => {
            let after = after.map(|(_, key, asset)| {
                format!(" AND (s.{column}, s.asset) {way} ({key}, {asset})")
            });
            let by = if filter.sort == Sort::Newest {
                format!("s.asset {order}")
            } else {
                format!("s.{column} {order}, s.asset {order}")
            };
            format!(
                "SELECT s.asset AS asset, s.{column} AS place FROM standings s WHERE {conditions}{} \
                 ORDER BY {by} LIMIT {limit}",
                after.unwrap_or_default()
            )
        }
        Some(class) => {
            let after = after.map(|(class, key, asset)| {
                format!(
                    " WHERE (class < {class} OR (class = {class} AND ({place}, asset) {way} ({key}, {asset})))"
                )
            });
            format!(
                "SELECT * FROM (SELECT s.asset AS asset, s.{column} AS place, {class} AS class \
                 FROM standings s JOIN assets a ON a.asset = s.asset WHERE {conditions}) AS found{} \
                 ORDER BY class DESC, {place} {order}, asset {order} LIMIT {limit}",
                after.unwrap_or_default()
            )
        }
    };
    Ok(statement)
}

/// The places of a cursor's class, key and asset.
fn after(
    statement: &mut Statement,
    filter: &Filter,
    cursor: &Cursor,
) -> Result<(String, String, String), CursorError> {
    let class = statement.bind(cursor.number(1)?);
    let key = if filter.sort.is_number() {
        statement.bind(cursor.number(2)?)
    } else {
        statement.bind(cursor.text(2)?)
    };
    Ok((class, key, statement.bind(cursor.number(3)?)))
}

/// Whether the words stand in an asset, as a condition that finds such assets.
fn matching(
    statement: &mut Statement,
    dialect: Dialect,
    question: &Question,
    field: Field,
) -> String {
    let pattern = statement.bind(question.pattern(dialect, field));
    match dialect {
        Dialect::Sqlite => {
            format!("s.asset IN (SELECT rowid FROM words WHERE words MATCH {pattern})")
        }
        // Of assets that are found already: looked at one by one.
        Dialect::Postgres if field != Field::Anywhere => format!(
            "(SELECT w.words FROM words w WHERE w.asset = s.asset) @@ CAST({pattern} AS tsquery)"
        ),
        Dialect::Postgres => format!(
            "s.asset IN (SELECT asset FROM words WHERE words @@ CAST({pattern} AS tsquery))"
        ),
    }
}

fn class(statement: &mut Statement, dialect: Dialect, question: &Question) -> String {
    let name = statement.bind(question.joined());
    let in_name = matching(statement, dialect, question, Field::Name);
    let in_tags = matching(statement, dialect, question, Field::NameOrTags);
    format!(
        "CASE WHEN a.name_words = {name} THEN 4 WHEN {in_name} THEN 3 WHEN {in_tags} THEN 2 ELSE 1 END"
    )
}

fn conditions(
    statement: &mut Statement,
    dialect: Dialect,
    filter: &Filter,
    block: i64,
) -> Result<String, IndexError> {
    // The plus keeps SQLite from searching by the end of a standing, which nearly all share.
    let (since, until) = (statement.bind(block), statement.bind(block));
    let mut all = vec![format!("s.since <= {since}"), format!("+s.until > {until}")];
    if let Some(question) = &filter.question {
        all.push(matching(statement, dialect, question, Field::Anywhere));
    }
    if !filter.kinds.is_empty() {
        let kinds: Vec<_> = filter.kinds.iter().map(|kind| statement.bind(kind.as_str())).collect();
        all.push(format!("s.kind IN ({})", kinds.join(", ")));
    }
    if let Some(owner) = filter.owner {
        all.push(format!("s.owner = {}", statement.bind(owner)));
    }
    let amounts = [
        ("price >=", filter.least_price),
        ("price <=", filter.most_price),
        ("revenue >=", filter.least_revenue),
    ];
    for (condition, amount) in amounts {
        if let Some(amount) = amount {
            all.push(format!("s.{condition} {}", statement.bind(money(amount))));
        }
    }
    if let Some(uses) = filter.least_uses {
        all.push(format!("s.uses >= {}", statement.bind(integer(uses)?)));
    }
    if let Some(ancestor) = filter.descends_from {
        let ancestor = statement.bind(integer(ancestor)?);
        all.push(format!("s.asset IN (SELECT asset FROM ancestors WHERE ancestor = {ancestor})"));
    }
    if let Some(asset) = filter.is_ancestor_of {
        let asset = statement.bind(integer(asset)?);
        all.push(format!("s.asset IN (SELECT ancestor FROM ancestors WHERE asset = {asset})"));
    }
    Ok(all.join(" AND "))
}
