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
    /// By what strangers paid in fees for using the asset.
    Quality,
    /// By what the asset's pool took.
    Revenue,
    /// By the asset's requests.
    Uses,
}

impl SaleSort {
    /// The column before the key, if any: of the sale `s`, or of its asset's standing `n`.
    const fn column(self) -> Option<&'static str> {
        match self {
            Self::Newest => None,
            Self::Cheapest | Self::Dearest => Some("s.price"),
            Self::Ending => Some("s.ends_at"),
            Self::Quality => Some("n.quality"),
            Self::Revenue => Some("n.revenue"),
            Self::Uses => Some("n.uses"),
        }
    }

    const fn is_by_standing(self) -> bool {
        matches!(self, Self::Quality | Self::Revenue | Self::Uses)
    }

    /// What rows are ordered by: the names of the columns, and where they stand.
    fn columns(self) -> Vec<(&'static str, &'static str)> {
        let column = self.column().map(|column| ("ranked", column));
        let asset = self.is_by_standing().then_some(("asset", "n.asset"));
        let key = [("since", "s.since"), ("place", "s.place")];
        column.into_iter().chain(asset).chain(key).collect()
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
        for (name, _) in self.sort.columns() {
            place.push(if name == "ranked" && self.sort != SaleSort::Uses {
                row.text(name)?.into()
            } else {
                row.int(name)?.into()
            });
        }
        Ok(Cursor::new(place))
    }

    /// The query of the keys of a page's rows, and the order they come in, of a table `page`.
    pub(crate) fn page(
        &self,
        dialect: Dialect,
        moment: Moment,
        (cursor, limit): (Option<&Cursor>, usize),
    ) -> Result<(Statement, String), SearchError> {
        let mut statement = Statement::default();
        let mut conditions = self.conditions(&mut statement, dialect, moment)?;
        let columns = self.sort.columns();
        let (order, way) = if self.sort.is_ascending() { ("ASC", ">") } else { ("DESC", "<") };
        if let Some(cursor) = cursor {
            let mut after = Vec::new();
            for (number, (name, _)) in (1..).zip(&columns) {
                after.push(if *name == "ranked" && self.sort != SaleSort::Uses {
                    statement.bind(cursor.text(number)?)
                } else {
                    statement.bind(cursor.number(number)?)
                });
            }
            let places: Vec<_> = columns.iter().map(|(_, place)| *place).collect();
            conditions.push(format!("({}) {way} ({})", places.join(", "), after.join(", ")));
            // Of two tables together no index is; of the first column alone one is.
            if let (true, [(_, first), ..], [key, ..]) =
                (self.sort.is_by_standing(), columns.as_slice(), after.as_slice())
            {
                conditions.push(format!("{first} {way}= {key}"));
            }
        }
        let limit = statement.bind(i64::try_from(limit).unwrap_or(i64::MAX));
        // The rows come in the order of the standings' index, and each asset's sales with it.
        let from = if self.sort.is_by_standing() {
            conditions.push(as_of(&mut statement, "n", moment.block));
            conditions.push("s.asset = n.asset".into());
            "standings n CROSS JOIN for_sale s"
        } else {
            "for_sale s"
        };
        let join = |text: &dyn Fn(&(&str, &str)) -> String| {
            columns.iter().map(text).collect::<Vec<_>>().join(", ")
        };
        statement.sql = format!(
            "SELECT {} FROM {from} WHERE {} ORDER BY {} LIMIT {limit}",
            join(&|(name, place)| format!("{place} AS {name}")),
            conditions.join(" AND "),
            join(&|(_, place)| format!("{place} {order}")),
        );
        Ok((statement, join(&|(name, _)| format!("page.{name} {order}"))))
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
            let mut standing = vec![as_of(statement, "o", moment.block)];
            if let Some(uses) = self.least_uses {
                standing.push(format!("o.uses >= {}", statement.bind(integer(uses)?)));
            }
            if let Some(revenue) = self.least_revenue {
                standing.push(format!("o.revenue >= {}", statement.bind(money(revenue))));
            }
            all.push(format!(
                "EXISTS (SELECT 1 FROM standings o WHERE o.asset = s.asset AND {})",
                standing.join(" AND ")
            ));
        }
        Ok(all)
    }
}
