//! Answers on the wire: JSON at once, or server-sent events token by token.

use crate::{
    error::ApiError,
    openai::{Ask, Face, Total, finish_name},
    repeat::Reply,
    rows::{Outcome, StoredAnswer, receipt_id},
    run::{Reader, Step},
};
use alloy_primitives::B256;
use axum::{
    Json,
    body::Body,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use bytes::Bytes;
use futures::{Stream, stream};
use sahara_primitives::ChannelId;
use serde_json::Value;
use std::{convert::Infallible, time::Duration};
use tokio::time::timeout;

/// Silence after which a comment shows proxies and clients that the stream lives.
const PING_EVERY: Duration = Duration::from_secs(5);

fn face(ask: &Ask, id: B256, created: u64, model: String) -> Face {
    let prefix = match ask.endpoint {
        crate::openai::Endpoint::Chat => "chatcmpl",
        crate::openai::Endpoint::Completion => "cmpl",
    };
    let digits = alloy_primitives::hex::encode(id.get(..16).unwrap_or_default());
    Face { endpoint: ask.endpoint, id: format!("{prefix}-{digits}"), created, model }
}

fn total(channel: ChannelId, outcome: &Outcome) -> Total {
    Total { usage: outcome.usage, cost: outcome.charged, receipt: receipt_id(channel, outcome.seq) }
}

/// Turns a reply into a response; waits for the whole answer unless it is streamed.
pub(crate) async fn respond(reply: Reply, ask: &Ask) -> Result<Response, ApiError> {
    match reply {
        Reply::Live(mut reader) => {
            let run = &reader.run;
            let (channel, created) = (run.channel, run.created);
            let face = face(ask, run.id, created.timestamp().0, run.model.clone());
            if !ask.is_stream {
                let (outcome, text) = reader.end().await?;
                return Ok(plain(&face, &text, channel, &outcome));
            }
            reader.accepted().await?;
            let events = Events::new(face, ask.wants_usage, channel);
            Ok(event_stream(live(events, reader)))
        }
        Reply::Stored(row, outcome, answer) => {
            let id = row.terms.request_id;
            let face = face(ask, id, row.created.timestamp().0, row.model.clone());
            if !ask.is_stream {
                return Ok(plain(&face, &answer.tokens.concat(), row.channel, &outcome));
            }
            let events = Events::new(face, ask.wants_usage, row.channel);
            Ok(event_stream(stored(events, &answer, &outcome)))
        }
    }
}

fn plain(face: &Face, text: &str, channel: ChannelId, outcome: &Outcome) -> Response {
    let total = total(channel, outcome);
    let answer = face.answer(text, finish_name(outcome.finish), &total);
    let mut response = Json(answer).into_response();
    if let Ok(value) = HeaderValue::from_str(&total.receipt) {
        response.headers_mut().insert("sahara-receipt", value);
    }
    response
}

fn event_stream(events: impl Stream<Item = Bytes> + Send + 'static) -> Response {
    use futures::StreamExt;
    let mut response = Body::from_stream(events.map(Ok::<_, Infallible>)).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("text/event-stream"));
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    headers.insert("x-accel-buffering", HeaderValue::from_static("no"));
    response
}

/// The events of one stream.
struct Events {
    face: Face,
    wants_usage: bool,
    channel: ChannelId,
    is_first: bool,
}

impl Events {
    const fn new(face: Face, wants_usage: bool, channel: ChannelId) -> Self {
        Self { face, wants_usage, channel, is_first: true }
    }

    fn token(&mut self, text: &str) -> Bytes {
        let event = event(&self.face.chunk(text, self.is_first));
        self.is_first = false;
        event.into()
    }

    /// What follows the last token.
    fn end(&self, outcome: &Outcome) -> Bytes {
        let total = total(self.channel, outcome);
        let mut text = event(&self.face.last_chunk(finish_name(outcome.finish), &total));
        if self.wants_usage {
            text.push_str(&event(&self.face.usage_chunk(&total)));
        }
        text.push_str("data: [DONE]\n\n");
        text.into()
    }
}

fn event(value: &Value) -> String {
    format!("data: {value}\n\n")
}

fn live(events: Events, reader: Reader) -> impl Stream<Item = Bytes> + Send {
    stream::unfold(Some((events, reader)), |state| async move {
        let (mut events, mut reader) = state?;
        match timeout(PING_EVERY, reader.next()).await {
            Err(_) => Some((Bytes::from_static(b": ping\n\n"), Some((events, reader)))),
            Ok(Step::Token(text)) => {
                let token = events.token(&text);
                Some((token, Some((events, reader))))
            }
            Ok(Step::End(outcome)) => Some((events.end(&outcome), None)),
            Ok(Step::Failed(error)) => Some((event(&error.body()).into(), None)),
        }
    })
}

fn stored(
    mut events: Events,
    answer: &StoredAnswer,
    outcome: &Outcome,
) -> impl Stream<Item = Bytes> + use<> {
    let mut all: Vec<_> = answer.tokens.iter().map(|token| events.token(token)).collect();
    all.push(events.end(outcome));
    stream::iter(all)
}
