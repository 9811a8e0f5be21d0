//! `sahara chat`: the answer as it comes, then the bill and who was paid.

use crate::{
    cli::Chat,
    failure::Failure,
    output::{Format, table},
    session::Session,
};
use eyre::{Result, WrapErr};
use futures::StreamExt;
use sahara_primitives::Amount;
use serde_json::{Value, json};
use std::{
    io::{BufRead, IsTerminal, Write},
    time::Duration,
};

/// What one answer left behind.
#[derive(Debug, Default)]
struct Answer {
    text: String,
    finish_reason: Option<String>,
    usage: Value,
}

/// Asks once, or talks until the input ends.
pub(crate) async fn run(chat: &Chat, session: &Session, format: Format) -> Result<()> {
    let api_key = session.api_key(chat.api_key.as_ref())?;
    let model = chat.model.clone().or_else(|| session.network().ok()??.model);
    let model = model.ok_or_else(|| Failure::not_found("no model: name one with --model"))?;
    let talk = Talk { chat, session, format, api_key, model };
    if !chat.message.is_empty() {
        return talk.turn(&mut Vec::new(), &chat.message.join(" ")).await;
    }
    let mut messages = Vec::new();
    let input = std::io::stdin();
    loop {
        if input.is_terminal() {
            eprint!("> ");
        }
        let mut line = String::new();
        if input.lock().read_line(&mut line)? == 0 {
            return Ok(());
        }
        if !line.trim().is_empty() {
            talk.turn(&mut messages, line.trim()).await?;
        }
    }
}

struct Talk<'a> {
    chat: &'a Chat,
    session: &'a Session,
    format: Format,
    api_key: String,
    model: String,
}

impl Talk<'_> {
    async fn turn(&self, messages: &mut Vec<Value>, message: &str) -> Result<()> {
        messages.push(json!({"role": "user", "content": message}));
        let answer = self.ask(messages).await?;
        let receipt = match answer.usage.get("receipt").and_then(Value::as_str) {
            Some(id) => self.settled(id).await?,
            None => Value::Null,
        };
        messages.push(json!({"role": "assistant", "content": answer.text}));
        let whole = json!({
            "text": answer.text, "finish_reason": answer.finish_reason, "usage": answer.usage, "receipt": receipt,
        });
        self.format.print(&whole, |_| format!("\n{}", bill(&answer.usage, &receipt)))
    }

    async fn ask(&self, messages: &[Value]) -> Result<Answer> {
        let body = json!({
            "model": self.model, "messages": messages, "max_tokens": self.chat.max_tokens,
            "temperature": self.chat.temperature, "seed": self.chat.seed,
            "stream": true, "stream_options": {"include_usage": true},
        });
        let url = format!("{}/v1/chat/completions", self.session.gateway()?);
        let request = self.session.http.post(url).bearer_auth(&self.api_key).json(&body);
        let response = request
            .send()
            .await
            .map_err(|error| Failure::network(format!("the gateway: {error}")))?;
        if !response.status().is_success() {
            return Err(refusal(response).await);
        }
        let (mut answer, mut buffer) = (Answer::default(), Vec::new());
        let mut stream = response.bytes_stream();
        while let Some(bytes) = stream.next().await {
            buffer.extend_from_slice(&bytes.wrap_err("the answer was cut off")?);
            while let Some(end) = buffer.iter().position(|byte| *byte == b'\n') {
                let line: Vec<u8> = buffer.drain(..=end).collect();
                self.take_line(&String::from_utf8_lossy(&line), &mut answer)?;
            }
        }
        Ok(answer)
    }

    /// One line of the event stream.
    fn take_line(&self, line: &str, answer: &mut Answer) -> Result<()> {
        let Some(data) = line.trim_end().strip_prefix("data: ").filter(|data| *data != "[DONE]")
        else {
            return Ok(());
        };
        let chunk: Value =
            serde_json::from_str(data).wrap_err("the gateway sent a malformed event")?;
        if let Some(message) = chunk.pointer("/error/message").and_then(Value::as_str) {
            return Err(Failure::network(format!("the gateway: {message}")));
        }
        if let Some(text) = chunk.pointer("/choices/0/delta/content").and_then(Value::as_str) {
            answer.text.push_str(text);
            if self.format == Format::Text {
                print!("{text}");
                std::io::stdout().flush()?;
            }
        }
        if let Some(reason) = chunk.pointer("/choices/0/finish_reason").and_then(Value::as_str) {
            answer.finish_reason = Some(reason.to_owned());
        }
        if let Some(usage) = chunk.get("usage").filter(|usage| !usage.is_null()) {
            answer.usage = usage.clone();
        }
        Ok(())
    }

    /// The receipt once it is settled, or as it stands after ten seconds.
    async fn settled(&self, id: &str) -> Result<Value> {
        let url = format!("{}/v1/receipts/{id}", self.session.gateway()?);
        let mut tick = tokio::time::interval(Duration::from_millis(100));
        let mut receipt = Value::Null;
        for _ in 0..100 {
            tick.tick().await;
            let response = self.session.http.get(&url).bearer_auth(&self.api_key).send().await?;
            if response.status().is_success() {
                receipt = response.json().await?;
                if receipt.get("state").and_then(Value::as_str) == Some("settled") {
                    break;
                }
            }
        }
        Ok(receipt)
    }
}

/// What a refusal says, in the gateway's own words.
pub(crate) async fn refusal(response: reqwest::Response) -> eyre::Report {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap_or_default();
    let message =
        body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
    let text = format!("the gateway answered {status}: {message}");
    match status {
        404 => Failure::not_found(text),
        401..=403 => Failure::refused(text),
        _ => Failure::network(text),
    }
}

fn text_of(value: &Value, path: &str) -> String {
    match value.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::from("-"),
        Some(other) => other.to_string(),
    }
}

/// The bill of one answer: tokens, charge, payees, transaction.
fn bill(usage: &Value, receipt: &Value) -> String {
    let mut lines = vec![format!(
        "{} tokens read, {} written: {} SAHARA  ({})",
        text_of(usage, "/prompt_tokens"),
        text_of(usage, "/completion_tokens"),
        text_of(usage, "/cost"),
        text_of(usage, "/receipt"),
    )];
    lines.extend(prices(receipt));
    let payees =
        receipt.get("payees").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    if payees.is_empty() {
        lines.push(String::from("not settled yet: `sahara receipt get` shows it later"));
        return lines.join("\n");
    }
    // What a pool took and passed on at once is shown with the one who holds it now.
    let field = |payee: &Value, name: &str| payee.get(name).cloned();
    let is_passed_on = |pool: &&Value| {
        text_of(pool, "/kind") == "pool"
            && payees.iter().any(|other| {
                text_of(other, "/kind") == "member" && field(other, "asset") == field(pool, "asset")
            })
    };
    let rows: Vec<Vec<String>> =
        payees.iter().filter(|payee| !is_passed_on(payee)).map(payee_row).collect();
    lines.push(table(&rows));
    lines.push(format!(
        "paid in block {}, transaction {}",
        text_of(receipt, "/block"),
        text_of(receipt, "/transaction")
    ));
    lines.join("\n")
}

/// What worker and asset ask, from the receipt.
fn prices(receipt: &Value) -> Option<String> {
    let price = |path: &str| {
        let units = receipt.pointer(path)?.as_str()?.parse().ok()?;
        Some(Amount::from_u128(units))
    };
    let (worker, asset) = ("/receipt/worker_prices", "/receipt/asset_prices");
    Some(format!(
        "per 1,000,000 tokens read and written: worker {} and {}, asset {} and {} SAHARA",
        price(&format!("{worker}/input"))?,
        price(&format!("{worker}/output"))?,
        price(&format!("{asset}/input"))?,
        price(&format!("{asset}/output"))?,
    ))
}

/// One payment of a claim: who, for what, how much.
fn payee_row(payee: &Value) -> Vec<String> {
    let asset = text_of(payee, "/asset");
    let (who, address) = match text_of(payee, "/kind").as_str() {
        "worker" => (String::from("worker"), text_of(payee, "/to")),
        "pool" => (format!("members of asset {asset}"), text_of(payee, "/owner")),
        "member" => (format!("owner of asset {asset}"), text_of(payee, "/to")),
        "gateway" => (String::from("gateway"), text_of(payee, "/to")),
        "protocol" => (String::from("incentive pool"), text_of(payee, "/to")),
        other => (other.to_owned(), text_of(payee, "/to")),
    };
    vec![format!("  {who}"), address, format!("{} SAHARA", text_of(payee, "/amount_sahara"))]
}
