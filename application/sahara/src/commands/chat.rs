//! `sahara chat`: the answer as it comes, then the bill and who was paid.

use crate::{
    cli::Chat,
    failure::Failure,
    output::{Format, table},
    refusal::{refusal, silent},
    session::Session,
};
use eyre::{Result, WrapErr};
use futures::StreamExt;
use sahara_primitives::Amount;
use serde_json::{Value, json};
use std::{
    io::{BufRead, IsTerminal, Read, Write},
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
    let said = said(chat)?;
    let api_key = session.api_key(chat.api_key.as_ref())?;
    let model = chat.model.clone().or_else(|| session.network().ok()??.model);
    let model = model.ok_or_else(|| Failure::not_found("no model: name one with --model"))?;
    let talk = Talk { chat, session, format, api_key, model };
    let Some(said) = said else { return talk.lines().await };
    talk.turn(&mut Vec::new(), &said).await
}

/// The one message, from the command line or a pipe; `None` when a person types.
fn said(chat: &Chat) -> Result<Option<String>> {
    let is_piped = chat.message.is_empty() || chat.message == ["-"];
    if !is_piped {
        return message(&chat.message.join(" "), "the message is empty").map(Some);
    }
    let input = std::io::stdin();
    if input.is_terminal() {
        return Ok(None);
    }
    let mut text = String::new();
    input.lock().read_to_string(&mut text).wrap_err("standard input is no text")?;
    message(&text, "standard input is empty").map(Some)
}

fn message(text: &str, fault: &str) -> Result<String> {
    let text = text.trim();
    if text.is_empty() {
        return Err(Failure::usage(format!(
            "nothing to say, {fault}: expected `sahara chat \"Your question\"`, or a text on standard input"
        )));
    }
    Ok(text.to_owned())
}

struct Talk<'a> {
    chat: &'a Chat,
    session: &'a Session,
    format: Format,
    api_key: String,
    model: String,
}

impl Talk<'_> {
    /// Line by line, until Ctrl-D.
    async fn lines(&self) -> Result<()> {
        let mut messages = Vec::new();
        eprintln!("{}; Ctrl-D ends the conversation, each answer is paid for", self.model);
        loop {
            eprint!("> ");
            let mut line = String::new();
            if std::io::stdin().lock().read_line(&mut line)? == 0 {
                eprintln!();
                return Ok(());
            }
            if line.trim().is_empty() {
                continue;
            }
            let before = messages.len();
            if let Err(error) = self.turn(&mut messages, line.trim()).await {
                // What was not answered is not part of the conversation.
                messages.truncate(before);
                eprintln!("error: {error:#}");
            }
        }
    }

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
        let gateway = self.session.gateway()?;
        let url = format!("{gateway}/v1/chat/completions");
        let request = self.session.http.post(url).bearer_auth(&self.api_key).json(&body);
        let response = request.send().await.map_err(|error| silent(&gateway, &error))?;
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

fn text_of(value: &Value, path: &str) -> String {
    match value.pointer(path) {
        Some(Value::String(text)) => text.clone(),
        Some(Value::Null) | None => String::from("-"),
        Some(other) => other.to_string(),
    }
}

/// The bill of one answer: tokens, charge, payees, transaction.
pub(crate) fn bill(usage: &Value, receipt: &Value) -> String {
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
        lines.push(format!(
            "not settled yet: `sahara receipt get {}` shows it later",
            text_of(usage, "/receipt")
        ));
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

#[cfg(test)]
mod tests {
    use super::{bill, message};
    use crate::failure::{Kind, kind_of};
    use serde_json::{Value, json};

    #[test]
    fn nothing_said_is_a_usage_error() {
        for text in ["", "  \n\t "] {
            let error = message(text, "standard input is empty").unwrap_err();
            assert_eq!(kind_of(&error), Kind::Usage);
            assert!(error.to_string().contains("standard input is empty"), "{error}");
        }
        assert_eq!(message(" hello\n", "").unwrap(), "hello");
    }

    #[test]
    fn a_bill_without_a_claim_says_how_to_see_it_later() {
        let usage = json!({"prompt_tokens": 1, "completion_tokens": 2, "cost": "0.5", "receipt": "rcpt_1_0"});
        let text = bill(&usage, &Value::Null);
        assert!(text.starts_with("1 tokens read, 2 written: 0.5 SAHARA"), "{text}");
        assert!(text.contains("sahara receipt get rcpt_1_0"), "{text}");
    }
}
