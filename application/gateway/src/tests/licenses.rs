//! Licences: who may ask, what it costs, and what is counted.

use super::world::{OUTPUT, World, chat, signer};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{
    ASSETS, DISPUTES, GOVERNANCE, IAssets, IDisputes,
    ILicenses::{self, Pricing, Purchase, Template, Terms},
    LICENSES, purpose,
};
use sahara_primitives::{Amount, LicenseId};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

const PRICE: u128 = 1_000_000_000_000_000_000;

impl World {
    fn creator(&self) -> Address {
        signer(4).address()
    }

    /// The commercial template of the world's asset, at a price for what a pricing counts.
    fn terms(&self, pricing: Pricing) -> Terms {
        let template = Template::Commercial;
        let call = ILicenses::templateCall { template, price: PRICE, derivativeRoyalty: 0 };
        let period = if pricing == Pricing::Subscription { 3_600 } else { 0 };
        Terms { pricing, period, isRevocable: true, ..self.node.view(LICENSES, &call) }
    }

    /// The asset's owner offers terms, and the gateway sees it.
    pub(crate) async fn offer(&self, asset: u64, data: Terms) -> B256 {
        let terms = self.node.view(LICENSES, &ILicenses::termsIdCall { data: data.clone() });
        let none = Amount::ZERO;
        let register = ILicenses::registerTermsCall { data };
        self.node.pay_as(self.creator(), LICENSES, none, &register);
        self.node.pay_as(self.creator(), LICENSES, none, &ILicenses::offerCall { asset, terms });
        self.catch_up().await;
        terms
    }

    /// The payer buys and sits.
    pub(crate) async fn buy(&self, asset: u64, terms: B256, quantity: u32) -> U256 {
        let quote = self.node.view(LICENSES, &ILicenses::quoteCall { terms, quantity });
        let (holder, user) = (self.payer.address(), self.payer.address());
        let purchase = Purchase { asset, terms, quantity, holder, user };
        let value = Amount::from_base_units(quote.price + quote.fee);
        self.node.pay_as(holder, LICENSES, value, &ILicenses::buyCall { purchase });
        self.catch_up().await;
        U256::from(self.node.view(LICENSES, &ILicenses::licenseCountCall {}))
    }

    async fn meter(&self, is_allowed: bool) {
        let call = ILicenses::setMeterCall { meter: self.gateway.address(), isAllowed: is_allowed };
        self.node.pay_as(self.payer.address(), LICENSES, Amount::ZERO, &call);
        self.catch_up().await;
    }

    /// A payer with a licence of what a pricing counts, metered.
    async fn licensed(pricing: Pricing, quantity: u32) -> (Self, U256) {
        let world = Self::new().await;
        let terms = world.offer(1, world.terms(pricing)).await;
        let license = world.buy(1, terms, quantity).await;
        world.meter(true).await;
        (world, license)
    }

    fn license(&self, license: U256) -> ILicenses::License {
        self.node.view(LICENSES, &ILicenses::licenseCall { license })
    }

    /// A refusal, before any work and any payment.
    async fn refused(&self, request: reqwest::RequestBuilder) -> (u16, Value) {
        let started = self.script.starts.load(Ordering::SeqCst);
        let response = request.send().await.unwrap();
        let status = response.status().as_u16();
        let error: Value = response.json().await.unwrap();
        assert_eq!(self.script.starts.load(Ordering::SeqCst), started, "work was done: {error}");
        (status, error["error"].clone())
    }

    async fn receipt(&self, answer: &Value) -> Value {
        let id = answer["usage"]["receipt"].as_str().unwrap();
        let url = format!("{}/v1/receipts/{id}", self.url);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }
}

#[tokio::test]
async fn g8_without_a_right_nothing_is_computed_and_the_refusal_says_how_to_get_one() {
    let world = World::new().await;
    let terms = world.offer(1, world.terms(Pricing::PerUse)).await;
    let (status, error) = world.refused(world.ask(&chat("hello"))).await;
    assert_eq!((status, &error["code"]), (403, &json!("license_required")), "{error}");
    assert_eq!(error["type"], "permission_error");
    let license = &error["license"];
    assert_eq!(license["missing"], "license");
    assert_eq!(license["account"], json!(world.payer.address()));
    assert_eq!(license["terms"][0]["id"], json!(terms));
    assert_eq!(license["terms"][0]["pricing"], "per_use");
    assert_eq!(license["terms"][0]["price"], "1");
    assert_eq!(license["buy"]["to"], json!(LICENSES));
    assert!(error["message"].as_str().unwrap().contains("1 SAHARA (and a fee of 0.01)"), "{error}");
    assert_eq!((world.receipts(), world.spent()), (0, Amount::ZERO));
    // Streams hear it as a status, not as an event.
    let mut stream = chat("hello");
    stream["stream"] = json!(true);
    assert_eq!(world.refused(world.ask(&stream)).await.0, 403);
    let models: Value = world
        .http
        .get(format!("{}/v1/models", world.url))
        .send()
        .await
        .unwrap()
        .json()
        .await
        .unwrap();
    assert_eq!(models["data"][0]["licensing"]["is_required"], true);
    assert_eq!(models["data"][0]["licensing"]["terms"][0]["id"], json!(terms));
}

#[tokio::test]
async fn g8_what_lost_a_dispute_is_served_for_nothing_to_nobody_though_it_never_had_terms() {
    let world = World::new().await;
    world.answer(&chat("before")).await;
    world.node.delist(1);
    world.catch_up().await;
    let (status, error) = world.refused(world.ask(&chat("after"))).await;
    assert_eq!((status, &error["code"]), (403, &json!("license_required")), "{error}");
    assert_eq!(error["license"]["missing"], "listing");
    assert_eq!(error["license"]["terms"], json!([]));
    // Governance takes it back: that alone is the news of the next block.
    let seen = world.gateway.look(Some(0)).await.unwrap();
    let restore = IDisputes::restoreCall { asset: 1 };
    world.node.pay_as(GOVERNANCE, DISPUTES, Amount::ZERO, &restore);
    world.gateway.look(Some(seen)).await.unwrap();
    world.answer(&chat("restored")).await;
}

#[tokio::test]
async fn g8_terms_of_what_lost_a_dispute_are_shown_to_nobody_and_what_was_bought_stays() {
    let world = World::new().await;
    let terms = world.offer(1, world.terms(Pricing::Fixed)).await;
    world.buy(1, terms, 1).await;
    world.node.delist(1);
    world.catch_up().await;
    world.answer(&chat("bought before")).await;
    let models = world.http.get(format!("{}/v1/models", world.url)).send().await.unwrap();
    let models: Value = models.json().await.unwrap();
    assert_eq!(models["data"][0]["licensing"], json!({"is_required": true, "terms": []}));
}

#[tokio::test]
async fn g8_a_purpose_that_no_licence_grants_is_refused_by_name() {
    let world = World::new().await;
    let terms = Terms { purposes: purpose::INFERENCE, ..world.terms(Pricing::Fixed) };
    let terms = world.offer(1, terms).await;
    world.buy(1, terms, 1).await;
    world.answer(&chat("private")).await;
    let commercial = |body: &Value| world.ask(body).header("sahara-purpose", "commercial");
    let (status, error) = world.refused(commercial(&chat("sell"))).await;
    assert_eq!((status, &error["code"]), (403, &json!("license_purpose_missing")), "{error}");
    assert_eq!(error["license"]["purposes"], json!(["inference", "commercial"]));
    let unknown = world.ask(&chat("sell")).header("sahara-purpose", "fun");
    assert_eq!(world.refused(unknown).await.0, 400);
}

#[tokio::test]
async fn g8_a_counted_licence_needs_its_holder_to_name_the_meter() {
    let (world, license) = World::licensed(Pricing::PerUse, 3).await;
    world.meter(false).await;
    let (status, error) = world.refused(world.ask(&chat("hello"))).await;
    assert_eq!((status, &error["code"]), (403, &json!("license_meter_missing")), "{error}");
    let message = error["message"].as_str().unwrap();
    assert!(message.contains(&format!("setMeter({}, true)", world.gateway.address())), "{message}");
    world.meter(true).await;
    world.answer(&chat("hello")).await;
    world.settle().await;
    assert_eq!(world.license(license).uses, 1);
}

#[tokio::test]
async fn g9_a_use_is_counted_once_with_its_claim_and_the_asset_is_not_paid_twice() {
    let (world, license) = World::licensed(Pricing::PerUse, 5).await;
    let before = world.node.balance(world.creator());
    let answer = world.answer(&chat("counted")).await;
    assert_eq!(world.license(license).uses, 0, "counted with the claim");
    world.settle().await;
    world.settle().await;
    assert_eq!(world.license(license).uses, 1);
    let receipt = world.receipt(&answer).await;
    assert_eq!(receipt["receipt"]["license"], json!(LicenseId(license.to())));
    assert_eq!(receipt["receipt"]["asset_prices"]["output"], "0");
    assert_eq!(receipt["receipt"]["worker_prices"]["output"], OUTPUT.to_string());
    assert_eq!(world.node.balance(world.creator()), before, "the licence was its price");
}

#[tokio::test]
async fn g9_killed_after_its_claim_was_sent_a_use_is_counted_once() {
    let (mut world, license) = World::licensed(Pricing::PerUse, 5).await;
    world.answer(&chat("one")).await;
    world.kill_after_claim().await;
    world.settle().await;
    assert_eq!(world.license(license).uses, 1);
    world.answer(&chat("two")).await;
    world.kill_and_restart().await;
    world.settle().await;
    assert_eq!(world.license(license).uses, 2);
    assert!(world.gateway.rights.is_idle(), "everything is on chain");
}

#[tokio::test]
async fn g9_what_is_used_and_not_counted_yet_counts_across_a_kill() {
    let (mut world, license) = World::licensed(Pricing::PerUse, 2).await;
    world.answer(&chat("one")).await;
    world.kill_and_restart().await;
    world.answer(&chat("two")).await;
    let (status, error) = world.refused(world.ask(&chat("three"))).await;
    assert_eq!((status, &error["code"]), (402, &json!("license_uses_exhausted")), "{error}");
    world.settle().await;
    world.catch_up().await;
    let (status, error) = world.refused(world.ask(&chat("three"))).await;
    assert_eq!((status, &error["code"]), (402, &json!("license_uses_exhausted")), "{error}");
    assert_eq!(world.license(license).uses, 2);
}

#[tokio::test]
async fn g9_parallel_requests_never_use_more_than_is_left() {
    let (world, license) = World::licensed(Pricing::PerUse, 3).await;
    let requests = (0..8).map(|number| world.ask(&chat(&format!("request {number}"))).send());
    let answers = futures::future::join_all(requests).await;
    let served = answers.into_iter().filter(|one| one.as_ref().unwrap().status() == 200).count();
    assert_eq!(served, 3);
    world.settle().await;
    assert_eq!(world.license(license).uses, 3);
}

#[tokio::test]
async fn g9_who_is_away_when_uses_are_counted_has_used_them_all_the_same() {
    let (world, license) = World::licensed(Pricing::PerUse, 5).await;
    world.answer(&chat("one")).await;
    // The gateway is withdrawn and the seat given up between the work and its claim.
    world.meter(false).await;
    let account = world.payer.address();
    let call = ILicenses::freeSeatCall { license, account };
    world.node.pay_as(account, LICENSES, Amount::ZERO, &call);
    world.catch_up().await;
    let (status, error) = world.refused(world.ask(&chat("two"))).await;
    assert_eq!((status, &error["code"]), (403, &json!("license_required")), "{error}");
    world.settle().await;
    assert_eq!(world.license(license).uses, 1);
    assert!(world.gateway.rights.is_idle(), "everything is on chain");
}

#[tokio::test]
async fn g9_tokens_are_counted_as_billed_and_bound_an_answer() {
    let (world, license) = World::licensed(Pricing::PerMillionTokens, 1_000_000).await;
    let answer = world.answer(&chat("one two three")).await;
    world.settle().await;
    assert_eq!(json!(world.license(license).uses), answer["usage"]["total_tokens"]);
    // The payer counts, too: 29 are left, of which the prompt may take 26.
    let (account, left) = (world.payer.address(), 29);
    let count = 1_000_000 - world.license(license).uses - left;
    let call = ILicenses::countUsesCall { license, account, count };
    world.node.pay_as(account, LICENSES, Amount::ZERO, &call);
    world.catch_up().await;
    let answer = world.answer(&chat("hello")).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "length", "{answer}");
    let mut body = chat("hello");
    body["max_tokens"] = json!(20);
    let (status, error) = world.refused(world.ask(&body)).await;
    assert_eq!((status, &error["code"]), (402, &json!("license_uses_exhausted")), "{error}");
}

#[tokio::test]
async fn g8_a_revoked_licence_ends_with_the_next_final_block_and_within_a_second() {
    for is_block_seen in [true, false] {
        let (world, license) = World::licensed(Pricing::Fixed, 1).await;
        world.answer(&chat("before")).await;
        let call = ILicenses::revokeCall { license, reason: B256::ZERO };
        world.node.pay_as(world.creator(), LICENSES, Amount::ZERO, &call);
        if is_block_seen {
            world.catch_up().await;
        } else {
            world.now.fetch_add(1_000, Ordering::SeqCst);
        }
        let (status, error) = world.refused(world.ask(&chat("after"))).await;
        assert_eq!((status, &error["code"]), (403, &json!("license_revoked")), "{error}");
    }
}

#[tokio::test]
async fn g8_a_subscription_that_ended_asks_for_payment() {
    let (world, _) = World::licensed(Pricing::Subscription, 1).await;
    let answer = world.answer(&chat("before")).await;
    assert_eq!(world.receipt(&answer).await["receipt"]["asset_prices"]["input"], "0");
    world.now.fetch_add(3_600_000, Ordering::SeqCst);
    let (status, error) = world.refused(world.ask(&chat("after"))).await;
    assert_eq!((status, &error["code"]), (402, &json!("license_expired")), "{error}");
}

#[tokio::test]
async fn free_terms_and_ownership_need_no_licence_and_pay_the_assets_price() {
    let world = World::new().await;
    let template =
        ILicenses::templateCall { template: Template::OpenUse, price: 0, derivativeRoyalty: 0 };
    world.offer(1, world.node.view(LICENSES, &template)).await;
    let free = world.receipt(&world.answer(&chat("free")).await).await;
    assert_eq!(free["receipt"]["license"], 0);
    assert_eq!(free["receipt"]["asset_prices"]["output"], (OUTPUT / 2).to_string());

    let world = World::new().await;
    world.offer(1, world.terms(Pricing::Fixed)).await;
    let (from, to) = (world.creator(), world.payer.address());
    let call = IAssets::transferFromCall { from, to, tokenId: U256::from(1) };
    world.node.pay_as(from, ASSETS, Amount::ZERO, &call);
    world.catch_up().await;
    let own = world.receipt(&world.answer(&chat("mine")).await).await;
    assert_eq!(own["receipt"]["license"], 0);
    assert_eq!(own["receipt"]["asset_prices"]["output"], (OUTPUT / 2).to_string());
}

#[tokio::test]
async fn g4_another_purpose_is_another_request() {
    let world = World::new().await;
    let named = |purpose: &str| {
        world.ask(&chat("named")).header("idempotency-key", "one").header("sahara-purpose", purpose)
    };
    assert_eq!(named("inference").send().await.unwrap().status(), 200);
    assert_eq!(named("inference").send().await.unwrap().status(), 200);
    assert_eq!(named("commercial").send().await.unwrap().status(), 422);
    assert_eq!(world.receipts(), 1);
}
