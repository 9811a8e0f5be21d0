//! I8: no page reads a table from end to end, by the databases' own query plans.

#[path = "../tests/index/postgres.rs"]
mod postgres;

use crate::{
    api::statements,
    cursor::Cursor,
    database::{Database, Dialect, Sql, Value},
    search::{Filter, Sort, statement},
    words::Question,
};
use alloy_primitives::Address;
use sqlx::Row as _;

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
        let cursor = Cursor::new(vec![9.into(), 0.into(), key, 7.into()]);
        for cursor in [None, Some(&cursor)] {
            let page = statement(dialect, &filter, 9, (cursor, 20)).unwrap();
            pages.push((format!("assets by {sort:?}"), page.sql, page.values, true));
        }
    }
    let filters = [
        Filter { owner: Some(Address::ZERO), ..Filter::default() },
        Filter { kinds: vec!["model".into()], ..Filter::default() },
        Filter { descends_from: Some(1), ..Filter::default() },
        Filter { is_ancestor_of: Some(1), ..Filter::default() },
        Filter { question: Question::new("smollm2 chat"), ..Filter::default() },
    ];
    for filter in filters {
        let page = statement(dialect, &filter, 9, (None, 20)).unwrap();
        pages.push((format!("{filter:?}"), page.sql, page.values, false));
    }
    pages
}

async fn plan(database: &Database, explain: &str, sql: &str, values: &[Value]) -> Vec<String> {
    let mut transaction = database.begin().await.unwrap();
    if database.dialect() == Dialect::Postgres {
        // Empty tables are read from end to end gladly; a full one is never to be.
        let mut sql = Sql(&mut transaction);
        sql.run("SET LOCAL enable_seqscan = off", &[]).await.unwrap();
    }
    let rows = Sql(&mut transaction).rows(&format!("{explain} {sql}"), values).await.unwrap();
    let column = if database.dialect() == Dialect::Postgres { "QUERY PLAN" } else { "detail" };
    rows.iter().map(|row| row.get::<String, _>(column)).collect()
}

#[tokio::test]
async fn i8_no_page_reads_a_whole_table_in_sqlite() {
    let directory = tempfile::tempdir().unwrap();
    let database = Database::open_file(&directory.path().join("index.db")).await.unwrap();
    for (name, sql, values, is_ordered) in pages(database.dialect()) {
        let plan = plan(&database, "EXPLAIN QUERY PLAN", &sql, &values).await;
        for step in &plan {
            let scans = step.starts_with("SCAN ") && !step.contains(" USING ");
            let is_own =
                ["part", "(subquery", "found", "words"].iter().any(|own| step.contains(own));
            assert!(!scans || is_own, "{name}: {plan:#?}\n{sql}");
            let sorts = step.contains("TEMP B-TREE");
            assert!(!sorts || !is_ordered || sql.contains("UNION ALL"), "{name}: {plan:#?}\n{sql}");
        }
    }
}

#[tokio::test]
async fn i8_no_page_reads_a_whole_table_in_postgres() {
    let database = Database::open(&postgres::database()).await.unwrap();
    for (name, sql, values, is_ordered) in pages(database.dialect()) {
        let plan = plan(&database, "EXPLAIN", &sql, &values).await;
        assert!(!plan.iter().any(|step| step.contains("Seq Scan")), "{name}: {plan:#?}\n{sql}");
        let sorts = plan.iter().any(|step| step.contains("Sort Key"));
        assert!(!sorts || !is_ordered || sql.contains("UNION ALL"), "{name}: {plan:#?}\n{sql}");
    }
}
