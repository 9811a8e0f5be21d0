//! `sahara receipt`.

use crate::{
    cli::Receipt, commands::chat::refusal, failure::Failure, local::Network, output::Format,
    session::Session,
};
use eyre::{Result, WrapErr};
use sahara_compute::Bundle;
use serde_json::Value;
use std::{fs, io::Read, path::Path};

/// Runs a receipt command.
pub(crate) async fn run(receipt: &Receipt, session: &Session, format: Format) -> Result<()> {
    match receipt {
        Receipt::Get { id } => {
            let url = format!("{}/v1/receipts/{id}", session.gateway()?);
            let mut request = session.http.get(url);
            if let Ok(key) = session.api_key(None) {
                request = request.bearer_auth(key);
            }
            let response = request
                .send()
                .await
                .map_err(|error| Failure::network(format!("the gateway: {error}")))?;
            if !response.status().is_success() {
                return Err(refusal(response).await);
            }
            let shown: Value = response.json().await?;
            format.print(&shown, |shown| serde_json::to_string_pretty(shown).unwrap_or_default())
        }
        Receipt::Verify { file, genesis } => {
            let genesis = match genesis {
                Some(genesis) => *genesis,
                None => Network::expect(&session.places)?.genesis_hash,
            };
            let bundle = bundle(&read(file)?)?;
            let verified = bundle
                .verify(genesis)
                .map_err(|error| Failure::refused(format!("proves nothing: {error}")))?;
            format.print(&verified, |verified| {
                let shown = serde_json::to_string_pretty(verified).unwrap_or_default();
                format!("the receipt holds: settled in block {}\n{shown}", verified.block)
            })
        }
    }
}

fn read(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text)?;
        return Ok(text);
    }
    fs::read_to_string(file).wrap_err_with(|| format!("could not read {}", file.display()))
}

/// The bundle alone, or inside of what `receipt get` printed.
fn bundle(text: &str) -> Result<Bundle> {
    let value: Value = serde_json::from_str(text).wrap_err("this is no receipt: expected JSON")?;
    let bundle = value.get("bundle").filter(|bundle| !bundle.is_null()).cloned().unwrap_or(value);
    serde_json::from_value(bundle)
        .wrap_err("this is no settled receipt: expected what `sahara receipt get --json` printed")
}
