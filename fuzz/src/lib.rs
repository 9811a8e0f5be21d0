//! Every decoder that meets the network, as a function of bytes that must not panic.
//!
//! A [`Target`] takes any bytes. What it accepts it also holds to a law: an encoding that is
//! accepted is the one encoding of its value, nothing that nobody signed verifies, a protocol holds
//! what it owes after any calls. `cargo xtask soak fuzz` runs each under libFuzzer and keeps what
//! reaches new code in `fuzz/corpus/NAME`; `tests/corpus.rs` runs what was kept on every change.
#![expect(clippy::panic, reason = "a law that does not hold ends the run: that is what it is for")]

mod assets;
mod calls;
mod chain;
mod compute;
mod forms;
mod index;
mod servers;
mod vault;
mod worker;

/// One decoder.
#[derive(Clone, Copy, Debug)]
pub struct Target {
    /// Its name, and the name of its corpus.
    pub name: &'static str,
    /// The longest input worth trying, in bytes.
    pub longest: usize,
    /// Decodes; panics if a law does not hold.
    pub run: fn(&[u8]),
}

const fn target(name: &'static str, longest: usize, run: fn(&[u8])) -> Target {
    Target { name, longest, run }
}

/// All of them, those next to the network first.
pub const TARGETS: &[Target] = &[
    target("transaction", 4_096, chain::transaction),
    target("transactions_message", 8_192, chain::transactions_message),
    target("vote", 1_024, chain::vote),
    target("vote_certificate", 1_024, chain::vote_certificate),
    target("block_request", 256, chain::block_request),
    target("resolver_message", 16_384, chain::resolver_message),
    target("backfill_answer", 16_384, chain::backfill_answer),
    target("sync_message", 16_384, chain::sync_message),
    target("trie_run", 16_384, chain::trie_run),
    target("block", 16_384, chain::block),
    target("header", 4_096, chain::header),
    target("seal", 2_048, chain::seal),
    target("certificate", 2_048, chain::certificate),
    target("evidence", 1_024, chain::evidence),
    target("validators", 4_096, chain::validators),
    target("set_change", 8_192, chain::set_change),
    target("handover", 8_192, chain::handover),
    target("receipt", 4_096, chain::receipt),
    target("state_proof", 8_192, chain::state_proof),
    target("receipt_proof", 8_192, chain::receipt_proof),
    target("genesis", 16_384, chain::genesis),
    target("rpc_request", 4_096, servers::rpc_request),
    target("gateway_request", 8_192, servers::gateway_request),
    target("web_request", 4_096, servers::web_request),
    target("vault_request", 8_192, vault::vault_request),
    target("index_query", 2_048, index::index_query),
    target("sign_in", 2_048, forms::sign_in),
    target("traceparent", 256, forms::traceparent),
    target("protocol_call", 4_096, calls::protocol_call),
    target("worker_messages", 8_192, compute::worker_messages),
    target("receipt_request", 8_192, worker::receipt_request),
    target("bundle", 32_768, compute::bundle),
    target("model_file", 65_536, compute::model_file),
    target("weights_header", 16_384, assets::weights_header),
    target("asset_texts", 16_384, assets::asset_texts),
    target("signed_header", 1_024, assets::signed_header),
    target("key_file", 4_096, assets::key_file),
    target("config_file", 4_096, forms::config_file),
];

/// The target of this name.
#[must_use]
pub fn find(name: &str) -> Option<Target> {
    TARGETS.iter().copied().find(|target| target.name == name)
}
