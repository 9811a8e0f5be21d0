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
use sahara_abi::purpose;
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
    /// The asset's policy on derivatives.
    pub(crate) derivatives: Option<&'static str>,
    /// Some licence on such terms is offered.
    pub(crate) terms: TermsFilter,
    /// Its ownership is for sale.
    pub(crate) is_for_sale: bool,
    pub(crate) sort: Sort,
}

/// Which terms are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct TermsFilter {
    pub(crate) template: Option<&'static str>,
    pub(crate) pricing: Option<&'static str>,
    /// All of these bits are granted.
    pub(crate) purposes: u8,
    pub(crate) least_price: Option<u128>,
    pub(crate) most_price: Option<u128>,
}

impl TermsFilter {
    pub(crate) fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// Conditions on terms `t`.
    pub(crate) fn conditions(&self, statement: &mut Statement) -> Vec<String> {
        let mut all = Vec::new();
        for (column, name) in [("template", self.template), ("pricing", self.pricing)] {
            if let Some(name) = name {
                all.push(format!("t.{column} = {}", statement.bind(name)));
            }
        }
        if self.purposes != 0 {
            // All sums that have these bits: an index finds values, not bits.
            let sums = (0..=purpose::ALL).filter(|sum| sum & self.purposes == self.purposes);
            let sums: Vec<_> = sums.map(|sum| statement.bind(i64::from(sum))).collect();
            all.push(format!("t.purposes IN ({})", sums.join(", ")));
        }
        for (sign, price) in [(">=", self.least_price), ("<=", self.most_price)] {
            if let Some(price) = price {
                all.push(format!("t.price {sign} {}", statement.bind(money(price))));
            }
        }
        all
    }
}

/// The block that answers are as of, and its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    pub(crate) block: i64,
    /// Unix seconds.
    pub(crate) time: i64,
}

impl Moment {
    /// Of a block that a search may be continued from; none in an empty index.
    pub(crate) async fn of(
        sql: &mut Sql<'_>,
        cursor: Option<&Cursor>,
    ) -> Result<Option<Self>, SearchError> {
        let Some(head) = crate::apply::head(sql).await? else { return Ok(None) };
        let head = integer(head.number)?;
        let block = cursor.map_or(Ok(head), |cursor| cursor.number(0))?;
        if block > head || block.saturating_add(KEPT_BLOCKS) <= head {
            return Err(CursorError::Expired.into());
        }
        let row = sql.row("SELECT time FROM blocks WHERE number = $1", &[block.into()]).await?;
        let time = row.map_or(Ok(0), |row| row.int("time"))?;
        Ok(Some(Self { block, time: time.checked_div(1_000).unwrap_or_default() }))
    }
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
    pub(crate) fn bind(&mut self, value: impl Into<Value>) -> String {
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
    let name = format!("search {filter:?}");
    let cursor = cursor.map(|text| Cursor::read(text, &name)).transpose()?;
    let moment = Moment::of(&mut sql, cursor.as_ref()).await?;
    let Some(moment) = moment else { return Ok(Found { assets: Vec::new(), next: None }) };
    let block = moment.block;
    let statement = statement(database.dialect(), filter, moment, (cursor.as_ref(), limit))?;
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
    moment: Moment,
    (cursor, limit): (Option<&Cursor>, usize),
) -> Result<Statement, SearchError> {
    let mut statement = Statement::default();
    let (column, is_ascending) = (filter.sort.column(), filter.sort == Sort::Cheapest);
    let class = filter.question.as_ref().map(|question| class(&mut statement, dialect, question));
    let conditions = conditions(&mut statement, dialect, filter, moment)?;
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
pub(crate) fn matching(
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
    moment: Moment,
) -> Result<String, IndexError> {
    let mut all = vec![as_of(statement, "s", moment.block)];
    if let Some(question) = &filter.question {
        all.push(matching(statement, dialect, question, Field::Anywhere));
    }
    if let Some(kinds) = of_kinds(statement, &filter.kinds) {
        all.push(kinds);
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
    all.extend(related(statement, filter.descends_from, filter.is_ancestor_of)?);
    if let Some(policy) = filter.derivatives {
        let policy = statement.bind(policy);
        all.push(format!("s.asset IN (SELECT asset FROM assets WHERE derivatives = {policy})"));
    }
    if !filter.terms.is_empty() {
        let is_now = as_of(statement, "x", moment.block);
        let terms = filter.terms.conditions(statement).join(" AND ");
        all.push(format!(
            "s.asset IN (SELECT x.asset FROM for_sale x JOIN terms t ON t.terms = x.terms \
             WHERE x.way = 'license' AND {is_now} AND {terms})"
        ));
    }
    if filter.is_for_sale {
        let is_now = is_on_sale(statement, "x", moment);
        all.push(format!(
            "s.asset IN (SELECT x.asset FROM for_sale x \
             WHERE x.way IN ('listing', 'auction') AND x.thing = 'asset' AND {is_now})"
        ));
    }
    Ok(all.join(" AND "))
}

/// Whether a row stands at a block.
pub(crate) fn as_of(statement: &mut Statement, table: &str, block: i64) -> String {
    let (since, until) = (statement.bind(block), statement.bind(block));
    // The plus keeps SQLite from searching by the end of a row, which nearly all share.
    format!("{table}.since <= {since} AND +{table}.until > {until}")
}

/// Whether something can be bought at a moment.
pub(crate) fn is_on_sale(statement: &mut Statement, table: &str, moment: Moment) -> String {
    let time = u128::try_from(moment.time).unwrap_or_default();
    let is_now = as_of(statement, table, moment.block);
    let (begun, left) = (statement.bind(money(time)), statement.bind(money(time)));
    format!("{is_now} AND {table}.starts_at <= {begun} AND {table}.ends_at || '' > {left}")
}

pub(crate) fn of_kinds(statement: &mut Statement, kinds: &[String]) -> Option<String> {
    let kinds: Vec<_> = kinds.iter().map(|kind| statement.bind(kind.as_str())).collect();
    (!kinds.is_empty()).then(|| format!("s.kind IN ({})", kinds.join(", ")))
}

/// Whether an asset stands below one, and above another.
pub(crate) fn related(
    statement: &mut Statement,
    descends_from: Option<u64>,
    is_ancestor_of: Option<u64>,
) -> Result<Vec<String>, IndexError> {
    let mut all = Vec::new();
    if let Some(ancestor) = descends_from {
        let ancestor = statement.bind(integer(ancestor)?);
        all.push(format!("s.asset IN (SELECT asset FROM ancestors WHERE ancestor = {ancestor})"));
    }
    if let Some(asset) = is_ancestor_of {
        let asset = statement.bind(integer(asset)?);
        all.push(format!("s.asset IN (SELECT ancestor FROM ancestors WHERE asset = {asset})"));
    }
    Ok(all)
}
