//! What `sahara up` says when everything answers.

use crate::{
    local::Network,
    output::{Format, say},
};
use eyre::Result;

/// Tells that everything answers: one JSON line, or a page.
pub(super) fn ready(network: &Network, format: Format, end: &str) -> Result<()> {
    match format {
        Format::Json => say(&serde_json::to_string(network)?),
        Format::Text => say(&page(network, end)),
    }
}

fn page(network: &Network, end: &str) -> String {
    let payer = network.accounts.get("payer").map(ToString::to_string).unwrap_or_default();
    let mut lines = vec![
        format!(
            "\nready  JSON-RPC {}  gateway {}  metrics {}",
            network.rpc, network.gateway, network.metrics
        ),
        String::new(),
        format!("  chain id      {}", network.chain_id),
        format!("  account       {payer} (account 0 of the public test mnemonic, funded)"),
    ];
    if let (Some(key), Some(model)) = (&network.api_key, &network.model) {
        lines.push(format!("  API key       {key}"));
        lines.push(String::from(
            "                at most 500 SAHARA, 100 a day: what its thief or a lying gateway could take; `sahara key revoke` ends it",
        ));
        lines.push(String::from("\ntry\n  sahara chat \"Name three islands of Indonesia.\""));
        lines.push(format!(
            "  curl {}/v1/chat/completions -H \"Authorization: Bearer {key}\" -H \"Content-Type: application/json\" \\\n    \
             -d '{{\"model\":\"{model}\",\"messages\":[{{\"role\":\"user\",\"content\":\"Hello!\"}}]}}'",
            network.gateway
        ));
        lines.push(String::from("  sahara earnings --follow"));
    } else {
        lines.push(String::from(
            "\nbare: no assets and no API key; see `sahara asset register --help`",
        ));
    }
    lines.push(format!("\n{end}"));
    lines.join("\n")
}
