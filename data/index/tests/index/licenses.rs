//! Licences in the index are as the chain keeps them.

use crate::{
    ask::Ask,
    economy::{CREATOR, CUSTOMER, Economy, REMIXER, STRANGER, address},
    node::key,
    start::{Kind, TestDatabase, on_both},
};
use alloy_primitives::U256;
use alloy_sol_types::SolCall;
use sahara_abi::{
    ILicenses::{self, Pricing, Purchase, Template, Terms},
    LICENSES,
};
use sahara_client::TxOutcome;
use sahara_primitives::{Amount, B256};

on_both!(licences_are_as_the_chain_keeps_them);

const DAY: u32 = 86_400;

async fn send<C: SolCall>(economy: &Economy, sender: u32, value: U256, call: &C) -> TxOutcome {
    let value = Amount::from_base_units(value);
    economy.node.client.send(&key(sender), LICENSES, value, call).await.unwrap()
}

/// Offers the creator's model under terms.
async fn offer(economy: &Economy, terms: Terms) -> B256 {
    let call = ILicenses::registerTermsCall { data: terms };
    let outcome = send(economy, CREATOR, U256::ZERO, &call).await;
    let terms = outcome.events::<ILicenses::TermsRegistered>()[0].data.terms;
    send(economy, CREATOR, U256::ZERO, &ILicenses::offerCall { asset: 2, terms }).await;
    terms
}

/// Returns the fee.
async fn buy(economy: &Economy, terms: B256, quantity: u32) -> U256 {
    let quote = ILicenses::quoteCall { terms, quantity };
    let quote = economy.node.client.call(LICENSES, &quote).await.unwrap();
    let (holder, user) = (address(STRANGER), address(STRANGER));
    let purchase = Purchase { asset: 2, terms, quantity, holder, user };
    send(economy, STRANGER, quote.price + quote.fee, &ILicenses::buyCall { purchase }).await;
    quote.fee
}

async fn licences_are_as_the_chain_keeps_them(kind: Kind) {
    let economy = Economy::start().await;
    let price = Amount::ONE_COIN.to_u128().unwrap();
    let template =
        ILicenses::templateCall { template: Template::Commercial, price, derivativeRoyalty: 500 };
    let base = economy.node.client.call(LICENSES, &template).await.unwrap();
    let per_use = Terms { pricing: Pricing::PerUse, duration: DAY, ..base.clone() };
    let offers = [
        (base.clone(), 1),
        (Terms { duration: DAY, useCap: 9, isRevocable: true, ..base.clone() }, 2),
        (per_use, 5),
        (Terms { pricing: Pricing::PerMillionTokens, ..base.clone() }, 2_000_000),
        (Terms { pricing: Pricing::PerSeat, duration: DAY, useCap: 7, ..base.clone() }, 4),
        (Terms { pricing: Pricing::Subscription, period: DAY, useCap: 50, ..base.clone() }, 3),
    ];
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    let ask = Ask(index.router());
    let mut fees = U256::ZERO;
    for (terms, quantity) in offers {
        let terms = offer(&economy, terms).await;
        fees += buy(&economy, terms, quantity).await;
    }
    index.catch_up().await.unwrap();
    compare(&economy, &ask, 6).await;

    // Renewed, used, given away, revoked; and an offer that ends.
    let license = U256::from(6);
    let quote = ILicenses::renewalQuoteCall { license, quantity: 2 };
    let quote = economy.node.client.call(LICENSES, &quote).await.unwrap();
    let renew = ILicenses::renewCall { license, quantity: 2 };
    send(&economy, CUSTOMER, quote.price + quote.fee, &renew).await;
    fees += quote.fee;
    let (account, count) = (address(STRANGER), 3);
    let uses = ILicenses::countUsesCall { license, account, count };
    send(&economy, STRANGER, U256::ZERO, &uses).await;
    let (from, to) = (address(STRANGER), address(REMIXER));
    let give = ILicenses::transferFromCall { from, to, tokenId: U256::from(1) };
    send(&economy, STRANGER, U256::ZERO, &give).await;
    let revoke = ILicenses::revokeCall { license: U256::from(2), reason: B256::ZERO };
    send(&economy, CREATOR, U256::ZERO, &revoke).await;
    index.catch_up().await.unwrap();
    compare(&economy, &ask, 6).await;
    let given = ask.all(&format!("/licenses?holder={to}"), 5).await;
    assert_eq!(given.len(), 1);
    let seats = ask.all(&format!("/licenses?seat={from}"), 2).await;
    assert_eq!(seats.len(), 5, "the given one's seat is free");

    let asset = ask.get("/assets/2").await;
    assert_eq!(asset["offers"].as_array().unwrap().len(), 6);
    assert_eq!(asset["fees"]["base_units"], fees.to_string());
    assert_eq!(asset["quality"]["base_units"], fees.to_string(), "two strangers paid");
    assert_eq!(asset["patrons"], 2);
}

/// Every licence of the index against the chain's own view of it.
async fn compare(economy: &Economy, ask: &Ask, count: usize) {
    let licenses = ask.all("/licenses?asset=2", 4).await;
    assert_eq!(licenses.len(), count);
    for shown in licenses {
        let license = U256::from(shown["license"].as_u64().unwrap());
        let call = ILicenses::licenseCall { license };
        let kept = economy.node.client.call(LICENSES, &call).await.unwrap();
        assert_eq!(shown["expires_at"], kept.expiresAt.to_string(), "{shown}");
        assert_eq!(shown["use_limit"], kept.useLimit.to_string(), "{shown}");
        assert_eq!(shown["uses"], kept.uses.to_string(), "{shown}");
        assert_eq!(shown["seats"], kept.seats);
        assert_eq!(shown["is_revoked"], kept.isRevoked);
        assert_eq!(shown["holder"], kept.holder.to_string());
        assert_eq!(shown["terms"]["terms"], kept.terms.to_string());
        assert_eq!(shown["terms"]["purposes"], serde_json::json!(["inference", "commercial"]));
        let is_revocable = shown["license"] == 2;
        let clauses = shown["terms"]["clauses"].to_string();
        assert!(clauses.contains("is_transferable"), "{clauses}");
        assert_eq!(clauses.contains("is_revocable"), is_revocable, "{clauses}");
    }
}
