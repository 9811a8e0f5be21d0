//! OpenAI's requests and answers.

use crate::error::ApiError;
use sahara_compute::{FinishReason, Input, Message, Role};
use sahara_primitives::{Amount, TokenCount, Usage};
use serde_json::{Map, Value, json};

/// Stops a client may name; OpenAI allows 4.
const MAX_STOPS: usize = 4;
/// The longest stop text.
const MAX_STOP_BYTES: usize = 256;
/// The highest temperature, in thousandths.
const MAX_TEMPERATURE_MILLI: u32 = 2_000;

/// Which endpoint.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Endpoint {
    Chat,
    Completion,
}

/// A request as understood.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ask {
    pub(crate) endpoint: Endpoint,
    pub(crate) model: String,
    pub(crate) input: Input,
    pub(crate) max_tokens: Option<TokenCount>,
    pub(crate) temperature_milli: Option<u32>,
    pub(crate) seed: Option<u64>,
    pub(crate) stop: Vec<String>,
    pub(crate) is_stream: bool,
    pub(crate) wants_usage: bool,
}

impl Endpoint {
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::Chat => "/v1/chat/completions",
            Self::Completion => "/v1/completions",
        }
    }

    /// The endpoint of a path.
    pub(crate) fn of(path: &str) -> Option<Self> {
        [Self::Chat, Self::Completion].into_iter().find(|one| one.path() == path)
    }
}

impl Ask {
    /// Reads a body. Fields we do not know are ignored; fields we know and cannot honour are
    /// refused by name.
    pub(crate) fn parse(endpoint: Endpoint, body: &[u8]) -> Result<Self, ApiError> {
        let body: Value = serde_json::from_slice(body).map_err(|error| {
            ApiError::invalid(format!(
                "the body is not valid JSON ({error}): expected an object with `model` and `{}`",
                endpoint.input_field()
            ))
        })?;
        let Value::Object(body) = body else {
            return Err(ApiError::invalid("expected a JSON object"));
        };
        check_unsupported(&body)?;
        let model = match body.get("model") {
            Some(Value::String(model)) => model.clone(),
            _ => return Err(wrong("model", "a string")),
        };
        let input = match endpoint {
            Endpoint::Chat => Input::Chat(messages(body.get("messages"))?),
            Endpoint::Completion => Input::Text(prompt(body.get("prompt"))?),
        };
        let options = body.get("stream_options").filter(|value| !value.is_null());
        Ok(Self {
            endpoint,
            model,
            input,
            max_tokens: max_tokens(&body)?,
            temperature_milli: temperature(body.get("temperature"))?,
            seed: seed(body.get("seed"))?,
            stop: stop(body.get("stop"))?,
            is_stream: flag(&body, "stream")?,
            wants_usage: match options {
                Some(Value::Object(options)) => flag(options, "include_usage")?,
                Some(_) => return Err(wrong("stream_options", "an object")),
                None => false,
            },
        })
    }

    /// More tokens than the prompt can have: no token has less than a byte, and a template adds a
    /// few tokens to each message.
    pub(crate) fn prompt_bound(&self, overhead: TokenCount) -> TokenCount {
        const PER_MESSAGE: usize = 16;
        let bytes = match &self.input {
            Input::Chat(messages) => messages
                .iter()
                .map(|message| message.content.len().saturating_add(PER_MESSAGE))
                .fold(0, usize::saturating_add),
            Input::Text(text) => text.len().saturating_add(PER_MESSAGE),
        };
        TokenCount::try_from(bytes).unwrap_or(TokenCount::MAX).saturating_add(overhead)
    }
}

impl Endpoint {
    const fn input_field(self) -> &'static str {
        match self {
            Self::Chat => "messages",
            Self::Completion => "prompt",
        }
    }
}

fn wrong(param: &str, expected: &str) -> ApiError {
    ApiError::invalid(format!("`{param}`: expected {expected}")).param(param)
}

/// Whether a value asks for nothing that we lack.
type Harmless = fn(&Value) -> bool;

fn is_empty(value: &Value) -> bool {
    match value {
        Value::Array(items) => items.is_empty(),
        Value::Object(fields) => fields.is_empty(),
        _ => false,
    }
}

fn is_number(value: &Value, number: f64) -> bool {
    value.as_f64() == Some(number)
}

fn check_unsupported(body: &Map<String, Value>) -> Result<(), ApiError> {
    let harmless: [(&str, Harmless, &str); 14] = [
        ("n", |value| is_number(value, 1.0), "1: one answer a request"),
        ("best_of", |value| is_number(value, 1.0), "1: one answer a request"),
        ("tools", is_empty, "nothing: tools are not supported"),
        ("functions", is_empty, "nothing: tools are not supported"),
        ("tool_choice", |value| value == "none" || value == "auto", "`none`"),
        ("response_format", |value| value["type"] == "text", "the type `text`"),
        ("logprobs", |value| value == false || is_number(value, 0.0), "false"),
        ("top_logprobs", |value| is_number(value, 0.0), "0"),
        ("top_p", |value| is_number(value, 1.0), "1: sampling is by temperature"),
        ("presence_penalty", |value| is_number(value, 0.0), "0"),
        ("frequency_penalty", |value| is_number(value, 0.0), "0"),
        ("logit_bias", is_empty, "nothing"),
        ("echo", |value| value == false, "false"),
        ("suffix", |value| value == "", "nothing"),
    ];
    for (param, is_harmless, expected) in harmless {
        let value = body.get(param).filter(|value| !value.is_null());
        if value.is_some_and(|value| !is_harmless(value)) {
            return Err(ApiError::invalid(format!(
                "`{param}` is not supported: expected {expected}"
            ))
            .param(param));
        }
    }
    Ok(())
}

fn messages(value: Option<&Value>) -> Result<Vec<Message>, ApiError> {
    let expected = "an array of messages with `role` and `content`";
    let items = value.and_then(Value::as_array).filter(|items| !items.is_empty());
    let items = items.ok_or_else(|| wrong("messages", expected))?;
    items.iter().enumerate().map(|(index, item)| message(index, item)).collect()
}

fn message(index: usize, item: &Value) -> Result<Message, ApiError> {
    let role = match item.get("role").and_then(Value::as_str) {
        Some("system" | "developer") => Role::System,
        Some("user") => Role::User,
        Some("assistant") => Role::Assistant,
        _ => {
            let expected = "`system`, `developer`, `user` or `assistant`";
            return Err(wrong(&format!("messages[{index}].role"), expected));
        }
    };
    let param = format!("messages[{index}].content");
    let content = match item.get("content") {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Array(parts)) => {
            let part = |part: &Value| match part.get("type").and_then(Value::as_str) {
                Some("text") => part.get("text").and_then(Value::as_str).map(str::to_owned),
                _ => None,
            };
            let texts: Option<Vec<_>> = parts.iter().map(part).collect();
            texts.ok_or_else(|| wrong(&param, "parts of the type `text` only"))?.concat()
        }
        _ => return Err(wrong(&param, "a string or an array of text parts")),
    };
    Ok(Message { role, content })
}

fn prompt(value: Option<&Value>) -> Result<String, ApiError> {
    match value {
        Some(Value::String(text)) => Ok(text.clone()),
        Some(Value::Array(items)) => match items.as_slice() {
            [Value::String(text)] => Ok(text.clone()),
            _ => Err(wrong("prompt", "one string")),
        },
        _ => Err(wrong("prompt", "a string")),
    }
}

fn max_tokens(body: &Map<String, Value>) -> Result<Option<TokenCount>, ApiError> {
    for param in ["max_completion_tokens", "max_tokens"] {
        let Some(value) = body.get(param).filter(|value| !value.is_null()) else { continue };
        let count = value.as_u64().and_then(|count| TokenCount::try_from(count).ok());
        let count = count.filter(|count| *count > 0);
        return count.map(Some).ok_or_else(|| wrong(param, "a whole number of at least 1"));
    }
    Ok(None)
}

/// A temperature in thousandths: from the number's decimal digits, further ones rounded off.
fn temperature(value: Option<&Value>) -> Result<Option<u32>, ApiError> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let expected = || wrong("temperature", "a number from 0 to 2");
    let number = value.as_f64().filter(|number| (0.0..=2.0).contains(number));
    let digits = format!("{:.3}", number.ok_or_else(expected)?).replace('.', "");
    let milli = digits.parse().ok().filter(|milli| *milli <= MAX_TEMPERATURE_MILLI);
    milli.map(Some).ok_or_else(expected)
}

fn seed(value: Option<&Value>) -> Result<Option<u64>, ApiError> {
    let Some(value) = value.filter(|value| !value.is_null()) else { return Ok(None) };
    let signed = || value.as_i64().map(i64::cast_unsigned);
    value.as_u64().or_else(signed).map(Some).ok_or_else(|| wrong("seed", "a whole number"))
}

fn stop(value: Option<&Value>) -> Result<Vec<String>, ApiError> {
    let expected = || wrong("stop", "a string, or at most 4 strings, of 1 to 256 bytes");
    let stops = match value {
        None | Some(Value::Null) => Vec::new(),
        Some(Value::String(text)) => vec![text.clone()],
        Some(Value::Array(items)) => {
            let texts: Option<Vec<_>> =
                items.iter().map(|item| item.as_str().map(str::to_owned)).collect();
            texts.ok_or_else(expected)?
        }
        Some(_) => return Err(expected()),
    };
    let is_usable = |stop: &String| (1..=MAX_STOP_BYTES).contains(&stop.len());
    if stops.len() <= MAX_STOPS && stops.iter().all(is_usable) {
        Ok(stops)
    } else {
        Err(expected())
    }
}

fn flag(body: &Map<String, Value>, param: &str) -> Result<bool, ApiError> {
    match body.get(param) {
        None | Some(Value::Null) => Ok(false),
        Some(Value::Bool(value)) => Ok(*value),
        Some(_) => Err(wrong(param, "true or false")),
    }
}

/// What every answer says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Face {
    pub(crate) endpoint: Endpoint,
    pub(crate) id: String,
    /// Seconds.
    pub(crate) created: u64,
    pub(crate) model: String,
}

/// The bill, as answers show it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Total {
    pub(crate) usage: Usage,
    pub(crate) cost: Amount,
    pub(crate) receipt: String,
}

impl Total {
    pub(crate) fn json(&self) -> Value {
        let Usage { prompt_tokens, completion_tokens } = self.usage;
        json!({
            "prompt_tokens": prompt_tokens,
            "completion_tokens": completion_tokens,
            "total_tokens": prompt_tokens.saturating_add(completion_tokens),
            "prompt_tokens_details": { "cached_tokens": 0 },
            "completion_tokens_details": { "reasoning_tokens": 0 },
            "cost": self.cost.to_string(),
            "cost_base_units": self.cost.base_units().to_string(),
            "receipt": self.receipt,
        })
    }
}

/// An answer that was cut off says `length`, the reason clients know for an incomplete text.
pub(crate) const fn finish_name(finish: Option<FinishReason>) -> &'static str {
    match finish {
        Some(FinishReason::Stop) => "stop",
        Some(FinishReason::Length) | None => "length",
    }
}

impl Face {
    /// The whole answer.
    pub(crate) fn answer(&self, text: &str, finish: &str, total: &Total) -> Value {
        let (object, choice) = match self.endpoint {
            Endpoint::Chat => (
                "chat.completion",
                json!({
                    "index": 0, "finish_reason": finish, "logprobs": null,
                    "message": { "role": "assistant", "content": text, "refusal": null },
                }),
            ),
            Endpoint::Completion => (
                "text_completion",
                json!({ "index": 0, "finish_reason": finish, "logprobs": null, "text": text }),
            ),
        };
        json!({
            "id": self.id, "object": object, "created": self.created, "model": self.model,
            "choices": [choice], "usage": total.json(),
        })
    }

    /// One chunk of a stream with text; the first one of a chat carries the role.
    pub(crate) fn chunk(&self, text: &str, is_first: bool) -> Value {
        let choice = match self.endpoint {
            Endpoint::Chat if is_first => json!({
                "index": 0, "finish_reason": null, "logprobs": null,
                "delta": { "role": "assistant", "content": text },
            }),
            Endpoint::Chat => json!({
                "index": 0, "finish_reason": null, "logprobs": null, "delta": { "content": text },
            }),
            Endpoint::Completion => {
                json!({ "index": 0, "finish_reason": null, "logprobs": null, "text": text })
            }
        };
        self.event(&json!([choice]), None)
    }

    /// The chunk that ends the text; carries bill and receipt for those who ask for no usage.
    pub(crate) fn last_chunk(&self, finish: &str, total: &Total) -> Value {
        let choice = match self.endpoint {
            Endpoint::Chat => {
                json!({ "index": 0, "finish_reason": finish, "logprobs": null, "delta": {} })
            }
            Endpoint::Completion => {
                json!({ "index": 0, "finish_reason": finish, "logprobs": null, "text": "" })
            }
        };
        let bill = json!({ "receipt": total.receipt, "cost": total.cost.to_string() });
        self.event(&json!([choice]), Some(("sahara", bill)))
    }

    /// The chunk with the usage.
    pub(crate) fn usage_chunk(&self, total: &Total) -> Value {
        self.event(&json!([]), Some(("usage", total.json())))
    }

    fn event(&self, choices: &Value, extra: Option<(&str, Value)>) -> Value {
        let object = match self.endpoint {
            Endpoint::Chat => "chat.completion.chunk",
            Endpoint::Completion => "text_completion",
        };
        let mut event = json!({
            "id": self.id, "object": object, "created": self.created, "model": self.model,
            "choices": choices,
        });
        if let (Some(fields), Some((field, value))) = (event.as_object_mut(), extra) {
            fields.insert(field.to_owned(), value);
        }
        event
    }
}
