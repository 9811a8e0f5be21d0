//! What is for sale: new licences of assets, and what is listed or auctioned.
//!
//! As in a search of assets, a list goes on as of the block of its first page (`apply/for_sale.rs`).

use crate::{
    cursor::Cursor,
    database::{Dialect, Read as _, Value, integer, money},
    error::IndexError,
    search::{
        Moment, SearchError, Statement, TermsFilter, as_of, is_on_sale, matching, of_kinds, related,
    },
    words::{Field, Question},
};
use alloy_primitives::Address;
use sqlx::any::AnyRow;

/// In which order sales come.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, serde::Deserialize, utoipa::ToSchema)]
#[serde(rename_all = "snake_case")]
pub(crate) enum SaleSort {
    /// What came last on the market, as it stands, first.
    #[default]
    Newest,
    /// The cheapest first.
    Cheapest,
    /// The dearest first.
    Dearest,
    /// What can be bought the shortest first.
    Ending,
}

impl SaleSort {
    /// The column before the key, if any.
    const fn column(self) -> Option<&'static str> {
        match self {
            Self::Newest => None,
            Self::Cheapest | Self::Dearest => Some("price"),
            Self::Ending => Some("ends_at"),
        }
    }

    const fn is_ascending(self) -> bool {
        matches!(self, Self::Cheapest | Self::Ending)
    }
}

/// Which sales are looked for.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct SaleFilter {
    pub(crate) question: Option<Question>,
    /// Ownership of assets, or licences.
    pub(crate) is_license: Option<bool>,
    pub(crate) way: Option<&'static str>,
    pub(crate) kinds: Vec<String>,
    pub(crate) asset: Option<u64>,
    pub(crate) seller: Option<Address>,
    pub(crate) least_price: Option<u128>,
    pub(crate) most_price: Option<u128>,
    pub(crate) terms: TermsFilter,
    pub(crate) descends_from: Option<u64>,
    pub(crate) is_ancestor_of: Option<u64>,
    pub(crate) least_uses: Option<u64>,
    pub(crate) least_revenue: Option<u128>,
    pub(crate) sort: SaleSort,
}

impl SaleFilter {
    /// The question whose answers a cursor continues.
    pub(crate) fn name(&self) -> String {
        format!("sales {self:?}")
    }

    /// Where the list goes on after a row.
    pub(crate) fn place(&self, moment: Moment, row: &AnyRow) -> Result<Cursor, IndexError> {
        let mut place = vec![Value::Int(moment.block)];
        if let Some(column) = self.sort.column() {
            let shown = if column == "price" { "asked" } else { column };
            place.push(row.text(shown)?.into());
        }
        place.extend([row.int("since")?.into(), row.int("place")?.into()]);
        Ok(Cursor::new(place))
    }

    /// The query of the keys of a page's rows, and the order they come in, of a table `{}`.
    pub(crate) fn page(
        &self,
        dialect: Dialect,
        moment: Moment,
        (cursor, limit): (Option<&Cursor>, usize),
    ) -> Result<(Statement, String), SearchError> {
        let mut statement = Statement::default();
        let mut conditions = self.conditions(&mut statement, dialect, moment)?;
        let columns: Vec<_> = self.sort.column().into_iter().chain(["since", "place"]).collect();
        let (order, way) = if self.sort.is_ascending() { ("ASC", ">") } else { ("DESC", "<") };
        if let Some(cursor) = cursor {
            let mut after = Vec::new();
            let keys = usize::from(self.sort.column().is_some());
            if keys == 1 {
                after.push(statement.bind(cursor.text(1)?));
            }
            for number in [keys.saturating_add(1), keys.saturating_add(2)] {
                after.push(statement.bind(cursor.number(number)?));
            }
            let places: Vec<_> = columns.iter().map(|column| format!("s.{column}")).collect();
            conditions.push(format!("({}) {way} ({})", places.join(", "), after.join(", ")));
        }
        let limit = statement.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        let by: Vec<_> = columns.iter().map(|column| format!("{{}}.{column} {order}")).collect();
        let by = by.join(", ");
        statement.sql = format!(
            "SELECT {} FROM for_sale s WHERE {} ORDER BY {} LIMIT {limit}",
            columns.iter().map(|column| format!("s.{column}")).collect::<Vec<_>>().join(", "),
            conditions.join(" AND "),
            by.replace("{}", "s")
        );
        Ok((statement, by))
    }

    fn conditions(
        &self,
        statement: &mut Statement,
        dialect: Dialect,
        moment: Moment,
    ) -> Result<Vec<String>, IndexError> {
        let mut all = vec![is_on_sale(statement, "s", moment)];
        if let Some(question) = &self.question {
            all.push(matching(statement, dialect, question, Field::Anywhere));
        }
        match self.is_license {
            Some(true) => all.push("(s.way = 'license' OR s.thing = 'license')".into()),
            Some(false) => all.push("s.way <> 'license' AND s.thing = 'asset'".into()),
            None => {}
        }
        if let Some(way) = self.way {
            all.push(format!("s.way = {}", statement.bind(way)));
        }
        all.extend(of_kinds(statement, &self.kinds));
        if let Some(asset) = self.asset {
            all.push(format!("s.asset = {}", statement.bind(integer(asset)?)));
        }
        if let Some(seller) = self.seller {
            all.push(format!("s.seller = {}", statement.bind(seller)));
        }
        for (sign, price) in [(">=", self.least_price), ("<=", self.most_price)] {
            if let Some(price) = price {
                all.push(format!("s.price {sign} {}", statement.bind(money(price))));
            }
        }
        if !self.terms.is_empty() {
            let terms = self.terms.conditions(statement).join(" AND ");
            all.push(format!("EXISTS (SELECT 1 FROM terms t WHERE t.terms = s.terms AND {terms})"));
        }
        all.extend(related(statement, self.descends_from, self.is_ancestor_of)?);
        if self.least_uses.is_some() || self.least_revenue.is_some() {
            let mut standing = vec![as_of(statement, "n", moment.block)];
            if let Some(uses) = self.least_uses {
                standing.push(format!("n.uses >= {}", statement.bind(integer(uses)?)));
            }
            if let Some(revenue) = self.least_revenue {
                standing.push(format!("n.revenue >= {}", statement.bind(money(revenue))));
            }
            all.push(format!(
                "EXISTS (SELECT 1 FROM standings n WHERE n.asset = s.asset AND {})",
                standing.join(" AND ")
            ));
        }
        Ok(all)
    }
}
