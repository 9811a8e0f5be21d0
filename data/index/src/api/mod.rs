//! The app API: what web pages and programs ask, as JSON.
//!
//! Everything is read only and public. Amounts are decimal text in SAHARA beside base units; times are
//! Unix milliseconds unless said otherwise; lists have a `limit` and go on with `next`.

mod accounts;
mod asset;
mod assets;
mod cache;
mod chain;
mod error;
mod licenses;
mod live;
mod market;
mod payments;
mod rate;
mod sales;
mod shape;
mod stats;

use crate::{database::Database, index::Index};
use axum::{
    Json, Router,
    http::{Method, Uri},
    middleware,
    routing::get,
};
use error::ApiError;
use rate::Limiter;
pub use rate::{Rate, client, limited};
use std::sync::Arc;
use tokio::sync::Semaphore;
use utoipa::OpenApi;

/// The most streams of events at once.
const MAX_STREAMS: usize = 512;

/// What every handler sees.
#[derive(Clone, Debug)]
struct Api {
    index: Arc<Index>,
    streams: Arc<Semaphore>,
}

impl Api {
    fn database(&self) -> &Database {
        self.index.database()
    }
}

#[derive(OpenApi)]
#[openapi(
    info(
        title = "Sahara app API",
        description = "Search, activity, earnings and the explorer, from the index of final blocks. Nothing shown is ever taken back. \
            Every answer says how many requests its address has left, in `RateLimit-Policy` and `RateLimit`; one too many is 429 with `Retry-After`.",
        license(name = "MIT OR Apache-2.0")
    ),
    servers((url = "/api/v1")),
    paths(
        assets::assets,
        asset::asset,
        market::market,
        sales::sales,
        accounts::account,
        accounts::earnings,
        accounts::statement,
        chain::blocks,
        chain::block,
        chain::transactions,
        chain::transaction,
        payments::payments,
        licenses::licenses,
        live::events,
        live::live,
        stats::stats,
        stats::operators,
        stats::find,
    )
)]
struct Document;

impl Index {
    /// The routes of the app API, to be mounted under `/api/v1`.
    pub fn router(self: &Arc<Self>) -> Router {
        self.router_within(Rate::default())
    }

    /// The routes, for clients that ask no more than this. Whose request it is says the extension
    /// `ConnectInfo<SocketAddr>`; requests without it are one client's.
    pub fn router_within(self: &Arc<Self>, rate: Rate) -> Router {
        let api = Api { index: Arc::clone(self), streams: Arc::new(Semaphore::new(MAX_STREAMS)) };
        Router::new()
            .route("/assets", get(assets::assets))
            .route("/assets/{asset}", get(asset::asset))
            .route("/assets/{asset}/market", get(market::market))
            .route("/market", get(sales::sales))
            .route("/accounts/{address}", get(accounts::account))
            .route("/accounts/{address}/earnings", get(accounts::earnings))
            .route("/accounts/{address}/statement", get(accounts::statement))
            .route("/blocks", get(chain::blocks))
            .route("/blocks/{block}", get(chain::block))
            .route("/transactions", get(chain::transactions))
            .route("/transactions/{hash}", get(chain::transaction))
            .route("/payments", get(payments::payments))
            .route("/licenses", get(licenses::licenses))
            .route("/events", get(live::page_or_stream))
            .route("/events/live", get(live::live))
            .route("/stats", get(stats::stats))
            .route("/operators", get(stats::operators))
            .route("/search", get(stats::find))
            .route("/openapi.json", get(openapi))
            .fallback(unknown_path)
            .method_not_allowed_fallback(unknown_method)
            .layer(middleware::from_fn(cache::cache))
            .layer(middleware::from_fn_with_state(Limiter::new(rate), rate::limit))
            .with_state(api)
    }

    /// The `OpenAPI` document of [`Self::router`].
    ///
    /// # Errors
    /// Never for the document that was compiled in.
    pub fn openapi() -> Result<String, serde_json::Error> {
        Document::openapi().to_pretty_json()
    }
}

#[cfg(test)]
pub(crate) use sales::statement as sales_statement;

/// The statements of every list, after a cursor: (name, SQL, values).
#[cfg(test)]
pub(crate) fn statements() -> Vec<(String, String, Vec<crate::database::Value>)> {
    use chain::TransactionQuery;
    use licenses::LicenseQuery;
    use live::EventQuery;
    use payments::PaymentQuery;
    use shape::Way;
    let account = alloy_primitives::Address::ZERO;
    let (text, hash) = (account.to_string(), alloy_primitives::B256::ZERO.to_string());
    let payments = [
        PaymentQuery::default(),
        PaymentQuery { payer: Some(text.clone()), ..PaymentQuery::default() },
        PaymentQuery { payee: Some(text.clone()), ..PaymentQuery::default() },
        PaymentQuery { asset: Some("1".into()), ..PaymentQuery::default() },
        PaymentQuery { channel: Some(hash), ..PaymentQuery::default() },
        PaymentQuery { kind: Some("charge".into()), ..PaymentQuery::default() },
    ];
    let transactions = [
        TransactionQuery::default(),
        TransactionQuery { account: Some(text.clone()), ..TransactionQuery::default() },
        TransactionQuery { block: Some(1), ..TransactionQuery::default() },
        TransactionQuery { system: Some(false), ..TransactionQuery::default() },
    ];
    let events = [
        EventQuery::default(),
        EventQuery { account: Some(text), ..EventQuery::default() },
        EventQuery { asset: Some(1), ..EventQuery::default() },
        EventQuery { protocol: Some("assets".into()), ..EventQuery::default() },
        EventQuery {
            protocol: Some("staking".into()),
            event: Some("Slashed".into()),
            ..EventQuery::default()
        },
    ];
    let licenses = [
        LicenseQuery::default(),
        LicenseQuery { holder: Some(account.to_string()), ..LicenseQuery::default() },
        LicenseQuery { seat: Some(account.to_string()), ..LicenseQuery::default() },
        LicenseQuery { asset: Some("1".into()), ..LicenseQuery::default() },
    ];
    let lists = payments.iter().map(PaymentQuery::list);
    let lists = lists.chain(transactions.iter().map(TransactionQuery::list));
    let lists = lists.chain(licenses.iter().map(LicenseQuery::list));
    let lists = lists.chain(events.iter().map(EventQuery::list)).map(Result::unwrap);
    let lists = lists.chain([chain::block_list(), accounts::statement_list(account)]);
    let statements = lists.flat_map(|list| {
        let place = vec![crate::database::Value::Int(7); list.order.len()];
        let pages = [
            (Way::NewestFirst, None),
            (Way::NewestFirst, Some(&place)),
            (Way::OldestFirst, Some(&place)),
        ];
        pages.map(|(way, after)| {
            let (sql, values) = list.statement(way, after.cloned(), 20);
            (list.name.clone(), sql, values)
        })
    });
    statements.collect()
}

async fn openapi() -> Json<utoipa::openapi::OpenApi> {
    Json(Document::openapi())
}

async fn unknown_path(uri: Uri) -> ApiError {
    ApiError::not_found(format!("there is nothing at {}", uri.path()))
}

async fn unknown_method(method: Method, uri: Uri) -> ApiError {
    ApiError::unknown_method(format!("{} does not answer {method}", uri.path()))
}
