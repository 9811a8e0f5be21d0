//! People in front of a real browser: a visitor chats without a wallet and sees who was paid, a creator
//! registers and sells, a remixer is refused over the cap, a buyer's wallet buys, money arrives live,
//! again in Indonesian on a phone; axe finds nothing serious on any page.

use eyre::{Result, ensure};
use sahara_scenarios::{Network, Options, node};
use serde_json::json;

#[tokio::test(flavor = "multi_thread")]
async fn people_chat_trade_and_earn_in_a_browser() -> Result<()> {
    let network = Network::start(Options::default())?;
    let pictures = tempfile::tempdir()?;
    let pictures = pictures.path().display().to_string();
    let seen = node("web.mjs", &[&network.gateway()?, &network.rpc(0)?.url, &pictures], &[])?;
    assert_eq!(seen["problems"], json!([]));
    let first = &seen["first"];
    ensure!(first["kibibytes"].as_f64().is_some_and(|size| size <= 45.0), "first load: {first}");
    ensure!(first["shift"].as_f64().is_some_and(|shift| shift <= 0.1), "it jumps: {first}");
    for (visit, language) in [("visit", "en"), ("kunjungan", "id")] {
        let visit = &seen[visit];
        assert_eq!(visit["payees"], 6, "{visit}");
        assert_eq!(visit["said"], true, "{visit}");
        assert_eq!(visit["account"], true, "{visit}");
        assert_eq!(visit["language"], language, "{visit}");
        // The browser makes every hash of the receipt again, and finds what somebody changed: the
        // answer, the bill, and with it both signatures and the place in the claim.
        assert_eq!(visit["proof"], json!({ "whole": true, "links": 10, "broken": 5 }), "{visit}");
        let policy = visit["policy"].as_str().unwrap_or_default();
        ensure!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    }
    assert_eq!(seen["watched"], true);
    assert_eq!(seen["signed"], json!({ "before": 401, "rows": 2, "cookies": "" }));
    assert_eq!(seen["owner"], "0x70997970C51812dc3A010C7d01b50e0d17dc79C8");
    let trade = &seen["trade"];
    // A hostile name is a text; two parents of 20 % are previewed, a third is one too many.
    assert_eq!(trade["title"], "Market · Sahara");
    assert_eq!(trade["shares"], json!(["60%", "20%", "20%"]));
    let refusal = trade["refusal"].as_str().unwrap_or_default();
    ensure!(refusal.contains("more than half"), "{refusal}");
    assert_eq!(trade["isOpen"], false);
    assert_eq!(trade["switched"], "0xb0d30");
    Ok(())
}
