//! [`RemoteEngine`]: an OpenAI-compatible URL. Its answers are of class `Statistical`.

use super::{Engine, EngineCard, EngineError, Limits, Piece, Run};
use crate::{FinishReason, Input, Sampling};
use alloy_primitives::B256;
use bytes::{Buf, Bytes, BytesMut};
use futures::{FutureExt, StreamExt, future::BoxFuture, stream, stream::BoxStream};
use sahara_primitives::{DeterminismClass, TokenCount};
use serde_json::{Value, json};
use std::collections::VecDeque;

/// The longest line of a stream that is read: a chunk of one token has some hundred bytes.
const MAX_LINE: usize = 1 << 20;

/// An engine behind somebody's URL. Nothing proves which model answered; receipts say so.
///
/// Prompts are counted as a quarter of their bytes, rounded down: what the other side reports comes
/// too late to refuse by. Each streamed delta counts as one token.
#[derive(Clone, Debug)]
pub struct RemoteEngine {
    http: reqwest::Client,
    base: String,
    model: String,
    key: Option<String>,
    context_length: TokenCount,
}

impl RemoteEngine {
    /// The engine at `base`, as `http://127.0.0.1:11434/v1`.
    pub fn new(
        base: impl Into<String>,
        model: impl Into<String>,
        key: Option<String>,
        context_length: TokenCount,
    ) -> Self {
        let base: String = base.into();
        Self {
            http: reqwest::Client::new(),
            base: base.trim_end_matches('/').to_owned(),
            model: model.into(),
            key,
            context_length,
        }
    }

    async fn open(&self, body: Value, path: &str) -> Result<Pieces, EngineError> {
        let request = self.http.post(format!("{}{path}", self.base)).json(&body);
        let request = match &self.key {
            Some(key) => request.bearer_auth(key),
            None => request,
        };
        let failed = |error: reqwest::Error| EngineError::Failed(error.to_string());
        let response = request.send().await.map_err(failed)?;
        match response.status().as_u16() {
            200..=299 => {}
            429 | 503 => return Err(EngineError::Busy),
            status => {
                return Err(EngineError::Failed(format!("the engine's URL answered {status}")));
            }
        }
        let bytes = response.bytes_stream().map(move |part| part.map_err(failed)).boxed();
        Ok(Pieces {
            bytes,
            buffer: BytesMut::new(),
            ready: VecDeque::new(),
            finish: None,
            has_ended: false,
        })
    }
}

impl Engine for RemoteEngine {
    fn card(&self) -> EngineCard {
        EngineCard {
            class: DeterminismClass::Statistical,
            model_root: B256::ZERO,
            context_length: self.context_length,
        }
    }

    fn prompt_tokens(&self, input: &Input) -> Result<TokenCount, EngineError> {
        let bytes = match input {
            Input::Chat(messages) => messages.iter().map(|message| message.content.len()).sum(),
            Input::Text(text) => text.len(),
        };
        Ok(TokenCount::try_from(bytes.div_euclid(4)).unwrap_or(TokenCount::MAX))
    }

    fn start<'a>(
        &'a self,
        input: &'a Input,
        limits: Limits,
        sampling: Sampling,
        stop: &'a [String],
    ) -> BoxFuture<'a, Result<Run, EngineError>> {
        async move {
            let prompt_tokens = self.prompt_tokens(input)?;
            let max_tokens = limits.check(prompt_tokens, self.context_length)?;
            let mut body = json!({
                "model": self.model, "max_tokens": max_tokens, "stream": true,
                "temperature": f64::from(sampling.temperature_milli) / 1000.0,
                "seed": sampling.seed,
            });
            let (path, field, value) = match input {
                Input::Chat(messages) => ("/chat/completions", "messages", json!(messages)),
                Input::Text(text) => ("/completions", "prompt", json!(text)),
            };
            if let Some(body) = body.as_object_mut() {
                body.insert(field.to_owned(), value);
                if !stop.is_empty() {
                    body.insert("stop".to_owned(), json!(stop));
                }
            }
            let pieces = self.open(body, path).await?;
            let limited = stream::unfold((pieces, max_tokens), |(mut pieces, left)| async move {
                let piece = pieces.next().await?;
                // A server that ignores the limit is cut off: nobody pays for more than was asked.
                match (&piece, left.checked_sub(1)) {
                    (Ok(Piece::Token(_)), None) => {
                        pieces.has_ended = true;
                        Some((Ok(Piece::End(FinishReason::Length)), (pieces, 0)))
                    }
                    (Ok(Piece::Token(_)), Some(left)) => Some((piece, (pieces, left))),
                    _ => Some((piece, (pieces, left))),
                }
            });
            Ok(Run { prompt_tokens, pieces: limited.boxed() })
        }
        .boxed()
    }
}

/// Server-sent events, taken apart.
struct Pieces {
    bytes: BoxStream<'static, Result<Bytes, EngineError>>,
    buffer: BytesMut,
    ready: VecDeque<Piece>,
    finish: Option<FinishReason>,
    has_ended: bool,
}

impl Pieces {
    async fn next(&mut self) -> Option<Result<Piece, EngineError>> {
        loop {
            if let Some(piece) = self.ready.pop_front() {
                return Some(Ok(piece));
            }
            if self.has_ended {
                return None;
            }
            match self.bytes.next().await {
                Some(Ok(bytes)) => {
                    self.buffer.extend_from_slice(&bytes);
                    if let Err(error) = self.read_lines() {
                        self.has_ended = true;
                        return Some(Err(error));
                    }
                }
                Some(Err(error)) => {
                    self.has_ended = true;
                    return Some(Err(error));
                }
                None => {
                    self.has_ended = true;
                    return Some(self.finish.map(Piece::End).ok_or_else(|| {
                        EngineError::Failed("the stream broke off before its end".into())
                    }));
                }
            }
        }
    }

    fn read_lines(&mut self) -> Result<(), EngineError> {
        while let Some(end) = self.buffer.iter().position(|byte| *byte == b'\n') {
            let line = self.buffer.split_to(end);
            self.buffer.advance(1);
            let Some(data) = line.strip_prefix(b"data:") else { continue };
            let data = data.trim_ascii();
            if data == b"[DONE]" {
                self.ready.push_back(Piece::End(self.finish.unwrap_or(FinishReason::Stop)));
                self.has_ended = true;
                return Ok(());
            }
            self.read_chunk(data)?;
        }
        if self.buffer.len() > MAX_LINE {
            return Err(EngineError::Failed("a line of the stream has no end".into()));
        }
        Ok(())
    }

    fn read_chunk(&mut self, data: &[u8]) -> Result<(), EngineError> {
        let chunk: Value = serde_json::from_slice(data)
            .map_err(|error| EngineError::Failed(format!("malformed chunk: {error}")))?;
        if let Some(error) = chunk.get("error") {
            return Err(EngineError::Failed(error.to_string()));
        }
        let Some(choice) = chunk.pointer("/choices/0") else { return Ok(()) };
        let text = choice.pointer("/delta/content").or_else(|| choice.get("text"));
        if let Some(text) = text.and_then(Value::as_str).filter(|text| !text.is_empty()) {
            self.ready.push_back(Piece::Token(text.to_owned()));
        }
        match choice.get("finish_reason").and_then(Value::as_str) {
            Some("length") => self.finish = Some(FinishReason::Length),
            Some(_) => self.finish = Some(FinishReason::Stop),
            None => {}
        }
        Ok(())
    }
}
