//! I8: no page reads a table from end to end, by the databases' own query plans.

#[path = "../tests/index/postgres.rs"]
mod postgres;

use crate::{
    api::{sales_statement, statements},
    cursor::Cursor,
    database::{Database, Dialect, Sql, Value, find_many},
    sales::{SaleFilter, SaleSort},
    search::{Filter, Moment, Sort, TermsFilter, statement},
    words::Question,
};
use alloy_primitives::Address;
use sqlx::Row as _;

/// As of a block at which most standings began.
const NOW: Moment = Moment { block: 18_000, time: 18_000 };
const SORTS: [Sort; 6] =
    [Sort::Quality, Sort::Revenue, Sort::Uses, Sort::Newest, Sort::Cheapest, Sort::Dearest];

/// Statements by name; whether their order must come from an index.
fn pages(dialect: Dialect) -> Vec<(String, String, Vec<Value>, bool)> {
    let mut pages: Vec<_> =
        statements().into_iter().map(|(name, sql, values)| (name, sql, values, true)).collect();
    for sort in SORTS {
        let filter = Filter { sort, ..Filter::default() };
        let key = match sort {
            Sort::Uses | Sort::Newest => Value::Int(7),
            _ => Value::Text("7".into()),
        };
        let cursor = Cursor::new(vec![NOW.block.into(), 0.into(), key, 7.into()]);
        for cursor in [None, Some(&cursor)] {
            let page = statement(dialect, &filter, NOW, (cursor, 20)).unwrap();
            pages.push((format!("assets by {sort:?}"), page.sql, page.values, true));
        }
    }
    let filters = [
        Filter { owner: Some(Address::ZERO), ..Filter::default() },
        Filter { kinds: vec!["model".into()], ..Filter::default() },
        Filter { descends_from: Some(1), ..Filter::default() },
        Filter { is_ancestor_of: Some(1), ..Filter::default() },
        Filter { question: Question::new("smollm2 chat"), ..Filter::default() },
        Filter { derivatives: Some("open"), ..Filter::default() },
        Filter { is_for_sale: true, ..Filter::default() },
        Filter { terms: terms(), ..Filter::default() },
    ];
    for filter in filters {
        let page = statement(dialect, &filter, NOW, (None, 20)).unwrap();
        pages.push((format!("{filter:?}"), page.sql, page.values, false));
    }
    pages.extend(sales(dialect));
    pages
}

fn terms() -> TermsFilter {
    TermsFilter {
        template: Some("commercial"),
        purposes: 8,
        most_price: Some(7),
        ..TermsFilter::default()
    }
}

/// Statements of what is for sale.
fn sales(dialect: Dialect) -> Vec<(String, String, Vec<Value>, bool)> {
    let mut pages = Vec::new();
    let text = || Value::Text("7".into());
    let sorts = [
        (SaleSort::Newest, vec![]),
        (SaleSort::Cheapest, vec![text()]),
        (SaleSort::Dearest, vec![text()]),
        (SaleSort::Ending, vec![text()]),
        (SaleSort::Quality, vec![text(), 7.into()]),
        (SaleSort::Revenue, vec![text(), 7.into()]),
        // In the middle of what `fill` makes: few rows are better sorted than found in order.
        (SaleSort::Uses, vec![9_000.into(), 7.into()]),
    ];
    for (sort, rank) in sorts {
        let filter = SaleFilter { sort, ..SaleFilter::default() };
        let place = [vec![Value::Int(NOW.block)], rank, vec![7.into(), 7.into()]].concat();
        let cursor = Cursor::new(place);
        for cursor in [None, Some(&cursor)] {
            let (sql, values) = sales_statement(dialect, &filter, NOW, (cursor, 20)).unwrap();
            pages.push((format!("sales by {sort:?}"), sql, values, true));
        }
    }
    let filters = [
        SaleFilter { asset: Some(1), ..SaleFilter::default() },
        SaleFilter { seller: Some(Address::ZERO), ..SaleFilter::default() },
        SaleFilter { kinds: vec!["model".into()], ..SaleFilter::default() },
        SaleFilter { way: Some("auction"), ..SaleFilter::default() },
        SaleFilter { descends_from: Some(1), ..SaleFilter::default() },
        SaleFilter { least_uses: Some(1), ..SaleFilter::default() },
        SaleFilter { question: Question::new("smollm2 chat"), ..SaleFilter::default() },
        SaleFilter { terms: terms(), ..SaleFilter::default() },
    ];
    for filter in filters {
        let (sql, values) = sales_statement(dialect, &filter, NOW, (None, 20)).unwrap();
        pages.push((format!("{filter:?}"), sql, values, false));
    }
    pages
}

/// Sales by what their asset is worth come from an index asset by asset; those of one asset, which are few,
/// are sorted among themselves.
fn is_by_asset(name: &str) -> bool {
    ["sales by Quality", "sales by Revenue", "sales by Uses"].contains(&name)
}

/// What a block's sums are added to, many at once, by table.
fn sums() -> Vec<(&'static str, String, Vec<Value>)> {
    let (bytes, text, number) = (Value::Bytes(vec![7; 20]), Value::Text("7".into()), Value::Int(7));
    let of = |table: &'static str, key: &[&str], sum: &str, values: Vec<Value>| {
        (table, find_many(table, (key, &[sum]), 24), vec![values; 24].concat())
    };
    let statement = ["account", "asset", "period", "reason"];
    let by_reason = vec![bytes.clone(), number.clone(), text.clone(), text.clone()];
    let by_measure = vec![number, text.clone(), text.clone()];
    vec![
        of("statements", &statement, "amount", by_reason),
        of("asset_periods", &["asset", "period", "measure"], "amount", by_measure),
        of("chain_periods", &["period", "measure"], "amount", vec![text.clone(), text]),
        of("accounts", &["account"], "transactions", vec![bytes]),
    ]
}

async fn plan(database: &Database, explain: &str, sql: &str, values: &[Value]) -> Vec<String> {
    let mut connection = database.acquire().await.unwrap();
    let rows = Sql(&mut connection).rows(&format!("{explain} {sql}"), values).await.unwrap();
    let column = if database.dialect() == Dialect::Postgres { "QUERY PLAN" } else { "detail" };
    rows.iter().map(|row| row.get::<String, _>(column)).collect()
}

/// `PostgreSQL` plans by what tables hold: every table gets 20,000 different rows.
async fn fill(database: &Database) {
    let mut transaction = database.begin().await.unwrap();
    let mut sql = Sql(&mut transaction);
    let columns = "SELECT CAST(table_name AS text) AS table_name, \
        string_agg(CASE data_type WHEN 'bigint' THEN 'g' \
            WHEN 'bytea' THEN 'decode(lpad(to_hex(g), 64, ''0''), ''hex'')' \
            WHEN 'tsvector' THEN 'to_tsvector(''simple'', CAST(g AS text))' \
            ELSE 'lpad(CAST(g AS text), 39, ''0'')' END, ', ' ORDER BY ordinal_position) AS row \
        FROM information_schema.columns WHERE table_schema = 'public' GROUP BY table_name";
    for row in sql.rows(columns, &[]).await.unwrap() {
        let (table, row) = (row.get::<String, _>("table_name"), row.get::<String, _>("row"));
        if table != "schema_version" {
            let fill = format!("INSERT INTO {table} SELECT {row} FROM generate_series(1, 20000) g");
            sql.run(&fill, &[]).await.unwrap();
        }
    }
    transaction.commit().await.unwrap();
    let mut connection = database.acquire().await.unwrap();
    Sql(&mut connection).run("ANALYZE", &[]).await.unwrap();
}

#[tokio::test]
async fn i8_no_page_reads_a_whole_table_in_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open_file(&directory.path().join("index.db")).await.unwrap();
    for (name, sql, values, is_ordered) in pages(database.dialect()) {
        let plan = plan(&database, "EXPLAIN QUERY PLAN", &sql, &values).await;
        // A page itself is read whole, and two halves of one are sorted together.
        let is_union = sql.contains("UNION ALL");
        for step in &plan {
            let scans = step.starts_with("SCAN ") && !step.contains(" USING ");
            let own = ["SCAN page", "SCAN found", "SCAN part", "SCAN words VIRTUAL TABLE"];
            let is_own = own.iter().any(|own| step.starts_with(own))
                || (is_union && step.starts_with("SCAN (subquery"))
                || (is_union && step == "SCAN x");
            assert!(!scans || is_own, "{name}: {step}: {plan:#?}\n{sql}");
            let sorts = step.contains("TEMP B-TREE")
                && !(is_by_asset(&name) && step.contains(" FOR LAST "));
            assert!(!sorts || !is_ordered || is_union, "{name}: {plan:#?}\n{sql}");
        }
    }
    for (table, sql, values) in sums() {
        let plan = plan(&database, "EXPLAIN QUERY PLAN", &sql, &values).await;
        let finds = format!("SEARCH {table} USING ");
        assert!(plan.iter().any(|step| step.starts_with(&finds)), "{plan:#?}\n{sql}");
    }
}

#[tokio::test]
async fn i8_no_page_reads_a_whole_table_in_postgres() {
    let database = Database::open(&postgres::database()).await.unwrap();
    fill(&database).await;
    for (name, sql, values, is_ordered) in pages(database.dialect()) {
        let plan = plan(&database, "EXPLAIN", &sql, &values).await;
        assert!(!plan.iter().any(|step| step.contains("Seq Scan")), "{name}: {plan:#?}\n{sql}");
        // The rows of a page may be sorted, what the page is taken from may not.
        let inside = plan.iter().skip_while(|step| !step.contains("Limit"));
        let (mut sorts, mut presorted) = (0, 0);
        for step in inside {
            sorts += usize::from(step.contains(" Sort Key:"));
            presorted += usize::from(step.contains("Presorted Key:") && is_by_asset(&name));
        }
        sorts -= presorted;
        let is_union = sql.contains("UNION ALL");
        assert!(sorts == 0 || !is_ordered || is_union, "{name}: {plan:#?}\n{sql}");
    }
    for (table, sql, values) in sums() {
        let plan = plan(&database, "EXPLAIN", &sql, &values).await;
        assert!(!plan.iter().any(|step| step.contains("Seq Scan")), "{table}: {plan:#?}\n{sql}");
    }
}
