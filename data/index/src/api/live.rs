//! Events as they become final, as a page to look through and as a stream of server-sent events.
//!
//! The tables are the queue: a stream reads every event after the last one it sent, so one that
//! reconnects with `Last-Event-ID` misses nothing, however long it was away.

use super::{
    Api,
    chain::{BLOCKS, BlockView, EVENTS, EventView},
    error::ApiError,
    shape::{List, Page, Paging, Params, Way, address, number},
};
use crate::{
    database::{Read as _, Sql, Value, integer},
    error::IndexError,
};
use axum::{
    Json,
    extract::{FromRequestParts as _, State},
    http::{HeaderMap, header},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures::{Stream, StreamExt as _, stream};
use sahara_abi::PROTOCOLS;
use serde::Deserialize;
use std::{convert::Infallible, sync::Arc};
use tokio::sync::{OwnedSemaphorePermit, watch};
use utoipa::IntoParams;

/// Rows read at once for a stream.
const STEP: usize = 200;
/// The longest name of an event worth looking for: three times the longest of ours.
const MAX_NAME: usize = 64;
/// Blocks read at once for a stream.
const BLOCK_STEP: usize = 200;

/// Which events.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventQuery {
    /// Events that name this account.
    pub(super) account: Option<String>,
    /// Events that name this asset.
    pub(super) asset: Option<u64>,
    /// Events of this protocol.
    pub(super) protocol: Option<String>,
    /// Of the protocol's events, those with this name, as `Slashed`.
    pub(super) event: Option<String>,
}

/// Which page of which events.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
pub(super) struct EventPageQuery {
    /// Events that name this account.
    account: Option<String>,
    /// Events that name this asset.
    asset: Option<u64>,
    /// Events of this protocol.
    protocol: Option<String>,
    /// Of the protocol's events, those with this name, as `Slashed`.
    event: Option<String>,
    /// Rows on a page, 1 to 100.
    #[param(default = 20, minimum = 1, maximum = 100)]
    limit: Option<usize>,
    /// `next` of the page before.
    cursor: Option<String>,
}

impl EventQuery {
    pub(super) fn list(&self) -> Result<List, ApiError> {
        let asked = (self.account.as_deref(), self.asset, self.protocol.as_deref());
        if self.event.is_some() && self.protocol.is_none() {
            return Err(ApiError::invalid("event", "expected a protocol beside the event's name"));
        }
        let (keys, value) = match asked {
            (Some(account), None, None) => {
                let account = address("account", account)?;
                ("event_accounts x WHERE x.account = $1", account.into())
            }
            (None, Some(asset), None) => {
                ("event_assets x WHERE x.asset = $1", number("asset", asset)?)
            }
            (None, None, Some(protocol)) => {
                let known = PROTOCOLS.iter().find(|known| known.name == protocol);
                let names: Vec<_> = PROTOCOLS.iter().map(|known| known.name).collect();
                let expected = format!("expected {}", names.join(", "));
                let known = known.ok_or_else(|| ApiError::invalid("protocol", expected))?;
                ("events x WHERE x.protocol = $1", known.name.into())
            }
            (None, None, None) => ("events x WHERE x.block >= $1", Value::Int(0)),
            _ => {
                let expected = "expected one of account, asset and protocol";
                return Err(ApiError::invalid("account", expected));
            }
        };
        let (mut keys, mut values) = (keys.to_owned(), vec![value]);
        if let Some(event) = &self.event {
            if !is_name(event) {
                let expected = "expected an event's name, letters and digits only";
                return Err(ApiError::invalid("event", expected));
            }
            keys.push_str(" AND x.name = $2");
            values.push(event.clone().into());
        }
        let name = format!("{keys} {values:?}");
        let order = &["block", "log_index"];
        Ok(List { name, keys, values, order, either: &[], show: EVENTS })
    }
}

/// Whether a text can be the name of an event: nothing that a database refuses as text is.
fn is_name(text: &str) -> bool {
    text.len() <= MAX_NAME && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// `/events` as what the client accepts: a page, or a stream.
pub(super) async fn page_or_stream(
    api: State<Api>,
    headers: HeaderMap,
    request: axum::extract::Request,
) -> Result<Response, ApiError> {
    let accepts = headers.get(header::ACCEPT).and_then(|accepts| accepts.to_str().ok());
    let wants_stream = accepts.is_some_and(|accepts| accepts.contains("text/event-stream"));
    let (mut parts, _) = request.into_parts();
    if wants_stream || headers.contains_key("last-event-id") {
        let query = Params::from_request_parts(&mut parts, &api.0).await?;
        return live(api, headers, query).await;
    }
    let query = Params::from_request_parts(&mut parts, &api.0).await?;
    Ok(events(api, query).await?.into_response())
}

/// Events of protocols and contracts, newest first; a client that accepts `text/event-stream` gets the
/// stream of `/events/live`.
#[utoipa::path(get, path = "/events", tag = "events", params(EventPageQuery),
    responses((status = 200, body = Page<EventView>), (status = 400, body = super::error::ErrorBody)))]
pub(super) async fn events(
    State(api): State<Api>,
    Params(query): Params<EventPageQuery>,
) -> Result<Json<Page<EventView>>, ApiError> {
    let EventPageQuery { account, asset, protocol, event, limit, cursor } = query;
    let list = EventQuery { account, asset, protocol, event }.list()?;
    let mut connection = api.database().acquire().await?;
    let paging = Paging { limit, cursor };
    Ok(Json(list.page(&mut Sql(&mut connection), &paging, EventView::read).await?))
}

/// Events as they become final (server-sent events), oldest first. `event:` is the event's name
/// (`log` for a contract's), `id:` goes into `Last-Event-ID` to resume; without it the stream begins
/// with the next block. Without filters every block follows its events as `block`.
#[utoipa::path(get, path = "/events/live", tag = "events",
    params(EventQuery, ("last-event-id" = Option<String>, Header, description = "the last `id` seen")),
    responses((status = 200, content_type = "text/event-stream", body = EventView),
        (status = 400, body = super::error::ErrorBody),
        (status = 503, description = "too many streams", body = super::error::ErrorBody)))]
pub(super) async fn live(
    State(api): State<Api>,
    headers: HeaderMap,
    Params(query): Params<EventQuery>,
) -> Result<Response, ApiError> {
    let list = query.list()?;
    let permit = Arc::clone(&api.streams).try_acquire_owned();
    let permit = permit.map_err(|_| ApiError::busy("too many streams: try again"))?;
    let heads = api.index.heads();
    let after = match headers.get("last-event-id") {
        Some(id) => resume(id.to_str().unwrap_or_default())?,
        None => (head(&api).await?, i64::MAX),
    };
    let is_all = matches!(query, EventQuery { account: None, asset: None, protocol: None, .. });
    let feed = Feed { api, list, is_all, heads, after, _permit: permit };
    let keep_alive = KeepAlive::default();
    let mut response = Sse::new(feed.stream()).keep_alive(keep_alive).into_response();
    let buffering = axum::http::HeaderValue::from_static("no");
    response.headers_mut().insert("x-accel-buffering", buffering);
    Ok(response)
}

/// The place that an id names; `12` is the whole block 12.
fn resume(id: &str) -> Result<(i64, i64), ApiError> {
    let (block, index) = id.split_once('-').unwrap_or((id, "9223372036854775807"));
    let number = |text: &str| text.parse::<i64>().ok().filter(|number| *number >= 0);
    let expected = || ApiError::invalid("last-event-id", "expected an id of this stream, as 12-3");
    number(block).zip(number(index)).ok_or_else(expected)
}

async fn head(api: &Api) -> Result<i64, ApiError> {
    let head = api.index.head().await?;
    Ok(head.and_then(|head| i64::try_from(head).ok()).unwrap_or(-1))
}

struct Feed {
    api: Api,
    list: List,
    is_all: bool,
    heads: watch::Receiver<Option<u64>>,
    after: (i64, i64),
    _permit: OwnedSemaphorePermit,
}

impl Feed {
    fn stream(self) -> impl Stream<Item = Result<Event, Infallible>> {
        let steps = stream::unfold(self, |mut feed| async move {
            match feed.step().await {
                Ok(events) => Some((events, feed)),
                Err(error) => {
                    tracing::warn!(%error, "a stream of events ended");
                    None
                }
            }
        });
        steps.flat_map(|events| stream::iter(events.into_iter().map(Ok)))
    }

    /// What comes next; waits for a block when there is nothing.
    async fn step(&mut self) -> Result<Vec<Event>, IndexError> {
        loop {
            self.heads.borrow_and_update();
            let events = self.read().await?;
            if !events.is_empty() {
                return Ok(events);
            }
            if self.heads.changed().await.is_err() {
                return Err(IndexError::malformed("the index", &"it has stopped"));
            }
        }
    }

    async fn read(&mut self) -> Result<Vec<Event>, IndexError> {
        let api = self.api.clone();
        let mut connection = api.database().acquire().await?;
        let mut sql = Sql(&mut connection);
        // Blocks are shown up to here only: the events of a later one may not have been read.
        let head = crate::apply::head(&mut sql).await?.map_or(0, |head| head.number);
        let head = integer(head)?.saturating_add(1);
        let after = vec![self.after.0.into(), self.after.1.into()];
        let (text, values) = self.list.statement(Way::OldestFirst, Some(after), STEP);
        let rows = sql.rows(&text, &values).await?;
        let is_whole = rows.len() < STEP;
        let mut places = Vec::new();
        for row in &rows {
            let view = EventView::read(row)?;
            let name = view.event.as_ref().map_or("log", |event| event.name.as_str());
            let event = sse(name, &view.id, &view)?;
            places.push(((row.int("block")?, row.int("log_index")?), event));
        }
        if self.is_all {
            let last = places.last().map_or(0, |(place, _)| place.0);
            let blocks = self.blocks(&mut sql, if is_whole { head } else { last }).await?;
            if blocks.len() == BLOCK_STEP {
                let end = blocks.last().map_or(0, |(place, _)| place.0);
                places.retain(|(place, _)| place.0 <= end);
            }
            places.extend(blocks);
            places.sort_by_key(|(place, _)| *place);
        }
        if let Some((place, _)) = places.last() {
            self.after = *place;
        }
        Ok(places.into_iter().map(|(_, event)| event).collect())
    }

    /// Blocks that end before `last`. A block's own place is behind all of its events.
    async fn blocks(
        &self,
        sql: &mut Sql<'_>,
        last: i64,
    ) -> Result<Vec<((i64, i64), Event)>, IndexError> {
        let first =
            if self.after.1 == i64::MAX { self.after.0.saturating_add(1) } else { self.after.0 };
        let limit = i64::try_from(BLOCK_STEP).unwrap_or(i64::MAX);
        let text = format!("{BLOCKS} WHERE number >= $1 AND number < $2 ORDER BY number LIMIT $3");
        let rows = sql.rows(&text, &[first.into(), last.into(), limit.into()]).await?;
        let mut blocks = Vec::new();
        for row in rows {
            let number = row.int("number")?;
            let event = sse("block", &number.to_string(), &BlockView::read(&row)?)?;
            blocks.push(((number, i64::MAX), event));
        }
        Ok(blocks)
    }
}

fn sse(name: &str, id: &str, data: &impl serde::Serialize) -> Result<Event, IndexError> {
    let event = Event::default().event(name).id(id).json_data(data);
    event.map_err(|error| IndexError::malformed("an event", &error))
}
