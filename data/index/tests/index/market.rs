//! What is listed, offered, auctioned and sold.

use crate::{
    ask::Ask,
    economy::{CREATOR, CUSTOMER, Economy, New, REMIXER, STRANGER, address, coins},
    node::key,
    start::{Kind, TestDatabase, on_both},
};
use alloy_primitives::U256;
use alloy_sol_types::{SolCall, sol};
use sahara_abi::{
    ACCOUNT_REGISTRY, ASSET_ACCOUNT, ASSETS, IAssets,
    ILicenses::{self, Pricing, Purchase, Template, Terms},
    IMarket, LICENSES, MARKET,
};
use sahara_index::Index;
use sahara_primitives::{Address, Amount, B256, LOCAL_CHAIN_ID};
use serde_json::Value;

on_both!(
    listings_offers_auctions_and_sales_are_shown,
    everything_for_sale_is_found_by_what_it_allows_and_costs,
    i5_pages_of_the_market_are_one_list_whatever_changes,
    listings_end_when_the_chain_voids_them,
    listings_of_a_licence_end_when_it_is_used_or_its_holder_renews_it,
    listings_of_an_asset_end_when_its_owner_takes_or_gives_rights_to_it,
);

sol! {
    function createAccount(address implementation, bytes32 salt, uint256 chainId, address tokenContract, uint256 tokenId) external returns (address);
    function execute(address to, uint256 value, bytes calldata data, uint8 operation) external payable returns (bytes memory);
}

const LATE: u64 = 4_000_000_000;
/// Blocks of these tests are a second apart, unless time is skipped.
const DAY_AFTER_GENESIS: u64 = 1_760_086_400;

async fn send<C: SolCall>(economy: &Economy, sender: u32, to: Address, value: U256, call: &C) {
    let value = Amount::from_base_units(value);
    economy.node.client.send(&key(sender), to, value, call).await.unwrap();
}

async fn view<C: SolCall>(economy: &Economy, call: C) -> C::Return {
    economy.node.client.call(MARKET, &call).await.unwrap()
}

/// The remixer's asset for 50 SAHARA.
fn listing(state: B256, nonce: u64) -> IMarket::Listing {
    let price = coins(50).to_u128().unwrap();
    let (collection, token) = (ASSETS, U256::from(3));
    let item = IMarket::Item { collection, tokenId: token, price, endPrice: price, state };
    IMarket::Listing {
        seller: address(REMIXER),
        buyer: Address::ZERO,
        startsAt: 0,
        endsAt: LATE,
        referral: 0,
        refundSeconds: 0,
        nonce,
        items: vec![item],
    }
}

async fn listings_offers_auctions_and_sales_are_shown(kind: Kind) {
    let economy = Economy::start().await;
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    let ask = Ask(index.router());
    let (collection, token) = (ASSETS, U256::from(3));
    let state = view(&economy, IMarket::stateOfCall { collection, tokenId: token }).await;
    let approve = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    send(&economy, REMIXER, ASSETS, U256::ZERO, &approve).await;
    let fee = view(&economy, IMarket::listingFeeCall {}).await;
    for nonce in [1, 2] {
        let data = listing(state, nonce);
        send(&economy, REMIXER, MARKET, fee, &IMarket::listCall { data }).await;
    }
    send(&economy, REMIXER, MARKET, U256::ZERO, &IMarket::cancelCall { nonce: 2 }).await;
    let price = coins(40).to_u128().unwrap();
    let bps = U256::from(view(&economy, IMarket::protocolFeeCall {}).await);
    let make = IMarket::makeOfferCall { collection, tokenId: token, price, endsAt: LATE, state };
    let paid = U256::from(price) + U256::from(price) * bps / U256::from(10_000);
    send(&economy, STRANGER, MARKET, paid, &make).await;
    index.catch_up().await.unwrap();
    let market = ask.get("/assets/3/market").await;
    assert_eq!(market["listings"].as_array().unwrap().len(), 1, "the other is cancelled");
    assert_eq!(market["listings"][0]["price"]["amount"], "50");
    assert_eq!(market["offers"][0]["price"]["amount"], "40");

    let data = listing(state, 1);
    let quote = view(&economy, IMarket::quoteCall { data: data.clone() }).await;
    let buy = IMarket::buyCall {
        data,
        signature: Vec::new().into(),
        recipient: address(CUSTOMER),
        referrer: Address::ZERO,
    };
    send(&economy, CUSTOMER, MARKET, quote.price + quote.fee, &buy).await;
    index.catch_up().await.unwrap();
    let market = ask.get("/assets/3/market").await;
    assert_eq!(market["listings"].as_array().unwrap().len(), 0);
    assert_eq!(market["sales"][0]["buyer"], address(CUSTOMER).to_string());
    assert_eq!(market["sales"][0]["price"]["amount"], "50");
    assert_eq!(ask.get("/assets/3").await["owner"], address(CUSTOMER).to_string());
    let seller = ask.get(&format!("/accounts/{}", address(REMIXER))).await;
    let sale = seller["totals"].as_array().unwrap().iter().find(|total| total["reason"] == "sale");
    let royalty = market["sales"][0]["royalty"]["base_units"].as_str().unwrap();
    let royalty: U256 = royalty.parse().unwrap();
    let income = coins(50).base_units() - royalty;
    assert_eq!(sale.unwrap()["amount"]["base_units"], income.to_string());
    let followed = index.content_hash().await.unwrap();
    index.rebuild().await.unwrap();
    assert_eq!(index.content_hash().await.unwrap(), followed);
}

/// Offers licences of an asset under a template; returns the terms.
async fn offer(
    economy: &Economy,
    owner: u32,
    asset: u64,
    (template, price): (Template, u64),
) -> B256 {
    let price = coins(price).to_u128().unwrap();
    let royalty = if asset == 2 { 500 } else { 0 };
    let call = ILicenses::templateCall { template, price, derivativeRoyalty: royalty };
    let data = economy.node.client.call(LICENSES, &call).await.unwrap();
    offer_terms(economy, owner, asset, data).await
}

async fn offer_terms(economy: &Economy, owner: u32, asset: u64, data: Terms) -> B256 {
    let call = ILicenses::registerTermsCall { data };
    let client = &economy.node.client;
    let outcome = client.send(&key(owner), LICENSES, Amount::ZERO, &call).await.unwrap();
    let terms = outcome.events::<ILicenses::TermsRegistered>()[0].data.terms;
    send(economy, owner, LICENSES, U256::ZERO, &ILicenses::offerCall { asset, terms }).await;
    terms
}

async fn buy_license(economy: &Economy, buyer: u32, asset: u64, terms: B256) {
    let quote = ILicenses::quoteCall { terms, quantity: 1 };
    let quote = economy.node.client.call(LICENSES, &quote).await.unwrap();
    let (holder, user) = (address(buyer), Address::ZERO);
    let purchase = Purchase { asset, terms, quantity: 1, holder, user };
    let call = ILicenses::buyCall { purchase };
    send(economy, buyer, LICENSES, quote.price + quote.fee, &call).await;
}

/// A listing by its seller, published.
pub(crate) async fn list(
    economy: &Economy,
    seller: u32,
    (collection, token): (Address, u64),
    (nonce, price): (u64, u64),
) {
    let token = U256::from(token);
    let state = view(economy, IMarket::stateOfCall { collection, tokenId: token }).await;
    let price = coins(price).to_u128().unwrap();
    let item = IMarket::Item { collection, tokenId: token, price, endPrice: price, state };
    let mut data = listing(state, nonce);
    (data.seller, data.items) = (address(seller), vec![item]);
    let fee = view(economy, IMarket::listingFeeCall {}).await;
    send(economy, seller, MARKET, fee, &IMarket::listCall { data }).await;
}

/// What each row sells, in one word.
fn words(rows: &[Value]) -> Vec<String> {
    let word = |row: &Value| {
        let (way, what) = (row["way"].as_str().unwrap(), row["what"].as_str().unwrap());
        format!("{way} {what} {} {}", row["asset"], row["price"]["amount"].as_str().unwrap())
    };
    rows.iter().map(word).collect()
}

/// Licences of asset 2 in two templates and of asset 3, a second-hand licence, an asset by a listing
/// and another by an auction.
async fn bazaar(economy: &Economy) {
    let commercial = offer(economy, CREATOR, 2, (Template::Commercial, 30)).await;
    offer(economy, CREATOR, 2, (Template::CommercialRemix, 90)).await;
    offer(economy, REMIXER, 3, (Template::Commercial, 20)).await;
    buy_license(economy, STRANGER, 2, commercial).await;
    for (who, collection) in [(REMIXER, ASSETS), (STRANGER, LICENSES)] {
        let approve = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
        send(economy, who, collection, U256::ZERO, &approve).await;
    }
    list(economy, STRANGER, (LICENSES, 1), (1, 25)).await;
    list(economy, REMIXER, (ASSETS, 3), (1, 50)).await;
    let (collection, token) = (ASSETS, U256::from(1));
    let state = view(economy, IMarket::stateOfCall { collection, tokenId: token }).await;
    let approve = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    send(economy, CREATOR, ASSETS, U256::ZERO, &approve).await;
    let reserve = coins(10).to_u128().unwrap();
    let ends = DAY_AFTER_GENESIS;
    let auction =
        IMarket::openAuctionCall { collection, tokenId: token, reserve, endsAt: ends, state };
    send(economy, CREATOR, MARKET, U256::ZERO, &auction).await;
}

async fn everything_for_sale_is_found_by_what_it_allows_and_costs(kind: Kind) {
    let economy = Economy::start().await;
    bazaar(&economy).await;
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    index.catch_up().await.unwrap();
    let ask = Ask(index.router());
    is_found(&ask).await;
    assets_are_found(&ask).await;
    changes(&economy, &index, &ask).await;
    ends(&economy, &index, &ask).await;
    let followed = index.content_hash().await.unwrap();
    index.rebuild().await.unwrap();
    assert_eq!(index.content_hash().await.unwrap(), followed);
}

/// What the bazaar sells, the cheapest first.
const ALL: [&str; 6] = [
    "auction asset 1 10",
    "license license 3 20",
    "listing license 2 25",
    "license license 2 30",
    "listing asset 3 50",
    "license license 2 90",
];

async fn is_found(ask: &Ask) {
    let cases: &[(&str, &[usize])] = &[
        ("", &[0, 1, 2, 3, 4, 5]),
        ("&what=asset", &[0, 4]),
        ("&what=license", &[1, 2, 3, 5]),
        ("&way=license", &[1, 3, 5]),
        ("&asset=2", &[2, 3, 5]),
        ("&kind=dataset", &[0]),
        ("&min_price=25&max_price=50", &[2, 3, 4]),
        ("&template=commercial", &[1, 2, 3]),
        ("&template=commercial_remix", &[5]),
        ("&template=custom", &[]),
        ("&purposes=commercial,derivative", &[5]),
        ("&pricing=fixed&max_license_price=30", &[1, 2, 3]),
        ("&descends_from=2", &[1, 4]),
        ("&ancestor_of=3", &[0, 2, 3, 5]),
        ("&q=kancil", &[1, 4]),
        ("&min_uses=1", &[]),
    ];
    for (query, expected) in cases {
        let found = ask.all(&format!("/market?sort=cheapest{query}"), 2).await;
        let expected: Vec<_> = expected.iter().map(|place| ALL[*place]).collect();
        assert_eq!(words(&found), expected, "{query}");
    }
    let mut dearest = words(&ask.all("/market?sort=dearest", 4).await);
    dearest.reverse();
    assert_eq!(dearest, ALL);
    let ending = ask.all("/market?sort=ending", 3).await;
    assert_eq!(words(&ending)[0], ALL[0], "the auction ends tomorrow, all else much later");
    assert_eq!(ending[5]["ends_at"], Value::Null);
    by_use(ask).await;
}

/// By what the asset is worth to others, in pages of two.
async fn by_use(ask: &Ask) {
    let amount = |value: &Value| -> u128 {
        let units = value["base_units"].as_str().unwrap_or_default();
        units.parse().unwrap_or_else(|_| value.as_u64().unwrap().into())
    };
    for sort in ["quality", "revenue", "uses"] {
        let rows = ask.all(&format!("/market?sort={sort}"), 2).await;
        let (mut found, mut all) = (words(&rows), ALL.map(str::to_owned).to_vec());
        found.sort();
        all.sort();
        assert_eq!(found, all, "{sort}: each once");
        let amounts: Vec<_> = rows.iter().map(|row| amount(&row[sort])).collect();
        assert!(amounts.is_sorted_by(|one, next| one >= next), "{sort}: {amounts:?}");
        let asked = ask.all(&format!("/market?sort={sort}&what=license"), 2).await;
        assert_eq!(asked.len(), 4, "{sort}: licences alone");
    }
    let rows = ask.all("/market?sort=revenue", 2).await;
    let assets: Vec<_> = rows.iter().map(|row| row["asset"].as_u64().unwrap()).collect();
    assert_eq!(assets, [2, 2, 2, 1, 3, 3], "asset 2 sold a licence, of which asset 1 has a part");
    let (status, _, message) = ask.refusal("/market?sort=best").await;
    assert!(status == 400 && message.contains("revenue"), "{message}");
}

async fn assets_are_found(ask: &Ask) {
    let assets = [
        ("template=commercial_remix", vec![2]),
        ("purposes=inference,commercial&sort=newest", vec![3, 2]),
        ("max_license_price=25", vec![3]),
        ("for_sale=true&sort=newest", vec![3, 1]),
        ("derivatives=open&sort=newest", vec![3, 2, 1]),
        ("derivatives=none", vec![]),
    ];
    for (query, expected) in assets {
        let found = ask.all(&format!("/assets?{query}"), 1).await;
        let found: Vec<_> = found.iter().map(|row| row["asset"].as_u64().unwrap()).collect();
        assert_eq!(found, expected, "{query}");
    }
    for (query, word) in [
        ("what=all", "asset, license"),
        ("template=free", "open_use"),
        ("purposes=all", "training"),
    ] {
        let (status, _, message) = ask.refusal(&format!("/market?{query}")).await;
        assert!(status == 400 && message.contains(word), "{query}: {message}");
    }
}

/// A bid raises the price; who gives an asset away no longer sells it; nor does who withdraws.
async fn changes(economy: &Economy, index: &Index, ask: &Ask) {
    let fee = coins(12).base_units() * U256::from(101) / U256::from(100);
    let price = coins(12).to_u128().unwrap();
    send(economy, CUSTOMER, MARKET, fee, &IMarket::bidCall { auction: 1, price }).await;
    economy.give(REMIXER, CUSTOMER, sahara_primitives::AssetId(3)).await;
    send(economy, STRANGER, MARKET, U256::ZERO, &IMarket::cancelCall { nonce: 1 }).await;
    index.catch_up().await.unwrap();
    let left = words(&ask.all("/market?sort=cheapest", 10).await);
    assert_eq!(left, ["auction asset 1 12", ALL[1], ALL[3], ALL[5]]);
    let sellers = ask.all(&format!("/market?seller={}", address(CUSTOMER)), 10).await;
    assert_eq!(words(&sellers), [ALL[1]], "licences are the new owner's to sell");
    // Given back, the listing that was never cancelled sells nothing any more.
    economy.give(CUSTOMER, REMIXER, sahara_primitives::AssetId(3)).await;
    index.catch_up().await.unwrap();
    assert!(!words(&ask.all("/market", 10).await).contains(&ALL[4].to_owned()));
}

/// After its end the auction is no longer for sale. Anyone settles it, and the best bidder owns.
async fn ends(economy: &Economy, index: &Index, ask: &Ask) {
    economy.node.skip(86_400);
    economy.transfer(STRANGER, 9, coins(1)).await;
    index.catch_up().await.unwrap();
    let left = words(&ask.all("/market", 10).await);
    assert!(!left.iter().any(|word| word.starts_with("auction")), "{left:?}");
    let seller = economy.balance(address(CREATOR)).await;
    send(economy, STRANGER, MARKET, U256::ZERO, &IMarket::settleAuctionCall { auction: 1 }).await;
    index.catch_up().await.unwrap();
    assert_eq!(ask.get("/assets/1").await["owner"], address(CUSTOMER).to_string());
    let market = ask.get("/assets/1/market").await;
    assert_eq!(market["auctions"][0]["status"], "sold");
    let sale = &market["sales"][0];
    assert_eq!(sale["price"]["amount"], "12");
    let royalty: U256 = sale["royalty"]["base_units"].as_str().unwrap().parse().unwrap();
    let gained = economy.balance(address(CREATOR)).await - seller;
    assert!(gained >= coins(12).base_units() - royalty, "{gained}");
}

async fn i5_pages_of_the_market_are_one_list_whatever_changes(kind: Kind) {
    let economy = Economy::start().await;
    bazaar(&economy).await;
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    index.catch_up().await.unwrap();
    let ask = Ask(index.router());
    let sorts = ["newest", "cheapest", "dearest", "ending", "quality", "revenue", "uses"];
    for (nonce, sort) in (10..).zip(sorts) {
        let path = format!("/market?sort={sort}");
        let whole = words(&ask.all(&path, 100).await);
        let first = ask.get(&format!("{path}&limit=3")).await;
        let mut pages = words(first["data"].as_array().unwrap());
        // Everything that follows is bought, listed anew or gone before the second page.
        list(&economy, CREATOR, (ASSETS, 2), (nonce, 15)).await;
        economy.give(REMIXER, CUSTOMER, sahara_primitives::AssetId(3)).await;
        economy.give(CUSTOMER, REMIXER, sahara_primitives::AssetId(3)).await;
        send(&economy, CREATOR, MARKET, U256::ZERO, &IMarket::cancelCall { nonce }).await;
        index.catch_up().await.unwrap();
        let next = first["next"].as_str().unwrap();
        let second = ask.get(&format!("{path}&limit=100&cursor={next}")).await;
        pages.extend(words(second["data"].as_array().unwrap()));
        assert_eq!(pages, whole, "{sort}");
    }
}

/// Lets the own account of the remixer's asset 3 act.
async fn act<C: SolCall>(economy: &Economy, to: Address, value: U256, call: &C) {
    let account = IAssets::accountOfCall { asset: 3 };
    let account = economy.node.client.call(ASSETS, &account).await.unwrap();
    let data = call.abi_encode().into();
    send(economy, REMIXER, account, value, &executeCall { to, value, data, operation: 0 }).await;
}

/// The own account of asset 3 offers to pay for asset 1.
async fn offer_by_account(economy: &Economy) {
    let (collection, token) = (ASSETS, U256::ONE);
    let state = view(economy, IMarket::stateOfCall { collection, tokenId: token }).await;
    let price = coins(1).to_u128().unwrap();
    let bps = U256::from(view(economy, IMarket::protocolFeeCall {}).await);
    let paid = U256::from(price) + U256::from(price) * bps / U256::from(10_000);
    let make = IMarket::makeOfferCall { collection, tokenId: token, price, endsAt: LATE, state };
    act(economy, MARKET, paid, &make).await;
}

/// Offers for asset 1 that are shown.
async fn offers(ask: &Ask) -> usize {
    ask.get("/assets/1/market").await["offers"].as_array().unwrap().len()
}

async fn listings_end_when_the_chain_voids_them(kind: Kind) {
    let economy = Economy::start().await;
    let (client, token) = (&economy.node.client, U256::from(2));
    let account = client.call(ASSETS, &IAssets::accountOfCall { asset: 3 }).await.unwrap();
    let make = createAccountCall {
        implementation: ASSET_ACCOUNT,
        salt: B256::ZERO,
        chainId: U256::from(LOCAL_CHAIN_ID),
        tokenContract: ASSETS,
        tokenId: U256::from(3),
    };
    send(&economy, REMIXER, ACCOUNT_REGISTRY, U256::ZERO, &make).await;
    // Asset 2 is asset 3's, and so for sale by whoever owns that.
    let (from, to) = (address(CREATOR), account);
    let call = IAssets::transferFromCall { from, to, tokenId: token };
    send(&economy, CREATOR, ASSETS, U256::ZERO, &call).await;
    let approve = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    act(&economy, ASSETS, U256::ZERO, &approve).await;
    let call = IMarket::stateOfCall { collection: ASSETS, tokenId: token };
    let mut data = listing(view(&economy, call).await, 1);
    (data.seller, data.items[0].tokenId) = (account, token);
    let fee = view(&economy, IMarket::listingFeeCall {}).await;
    act(&economy, MARKET, fee, &IMarket::listCall { data: data.clone() }).await;
    send(&economy, CREATOR, ASSETS, U256::ZERO, &approve).await;
    list(&economy, CREATOR, (ASSETS, 1), (1, 40)).await;
    offer_by_account(&economy).await;

    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    index.catch_up().await.unwrap();
    let ask = Ask(index.router());
    let cheapest = "/market?sort=cheapest";
    let both = ["listing asset 1 40", "listing asset 2 50"];
    assert_eq!(words(&ask.all(cheapest, 10).await), both);
    assert_eq!(offers(&ask).await, 1);
    // Who sells asset 1 offers licences of it under further terms.
    offer(&economy, CREATOR, 1, (Template::Commercial, 30)).await;
    index.catch_up().await.unwrap();
    assert_eq!(words(&ask.all(cheapest, 10).await), ["license license 1 30", both[1]]);
    // And asset 3, whose account has listed asset 2 and offered for asset 1, is another's.
    economy.give(REMIXER, CUSTOMER, sahara_primitives::AssetId(3)).await;
    index.catch_up().await.unwrap();
    assert_eq!(words(&ask.all(cheapest, 10).await), ["license license 1 30"]);
    assert_eq!(offers(&ask).await, 0);
    let accept = IMarket::acceptOfferCall { offer: 1 };
    let refused = client.send(&key(CREATOR), MARKET, coins(0), &accept).await.unwrap_err();
    assert!(refused.to_string().contains("UnknownOffer"), "{refused}");
    let signature = Vec::new().into();
    let (recipient, referrer) = (address(STRANGER), Address::ZERO);
    let buy = IMarket::buyCall { data, signature, recipient, referrer };
    let refused = client.send(&key(STRANGER), MARKET, coins(51), &buy).await.unwrap_err();
    assert!(refused.to_string().contains("NotListed"), "{refused}");
    let followed = index.content_hash().await.unwrap();
    index.rebuild().await.unwrap();
    assert_eq!(index.content_hash().await.unwrap(), followed);
}

/// What is listed of second-hand licences and of assets, after everything that happened.
async fn listed(index: &Index, ask: &Ask) -> Vec<String> {
    index.catch_up().await.unwrap();
    words(&ask.all("/market?sort=cheapest&way=listing", 10).await)
}

async fn renew(economy: &Economy, payer: u32, license: U256) {
    let quote = ILicenses::renewalQuoteCall { license, quantity: 1 };
    let quote = economy.node.client.call(LICENSES, &quote).await.unwrap();
    let call = ILicenses::renewCall { license, quantity: 1 };
    send(economy, payer, LICENSES, quote.price + quote.fee, &call).await;
}

async fn listings_of_a_licence_end_when_it_is_used_or_its_holder_renews_it(kind: Kind) {
    let economy = Economy::start().await;
    let (template, price) = (Template::Commercial, coins(1).to_u128().unwrap());
    let call = ILicenses::templateCall { template, price, derivativeRoyalty: 0 };
    let data = economy.node.client.call(LICENSES, &call).await.unwrap();
    let data = Terms { pricing: Pricing::Subscription, period: 3_600, ..data };
    let terms = offer_terms(&economy, CREATOR, 2, data).await;
    buy_license(&economy, STRANGER, 2, terms).await;
    let approve = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    send(&economy, STRANGER, LICENSES, U256::ZERO, &approve).await;
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    let (ask, license) = (Ask(index.router()), U256::ONE);
    let sold = ["listing license 2 25"];

    list(&economy, STRANGER, (LICENSES, 1), (1, 25)).await;
    renew(&economy, CUSTOMER, license).await;
    assert_eq!(listed(&index, &ask).await, sold, "somebody else's renewal is a gift");
    renew(&economy, STRANGER, license).await;
    assert!(listed(&index, &ask).await.is_empty());

    list(&economy, STRANGER, (LICENSES, 1), (2, 25)).await;
    assert_eq!(listed(&index, &ask).await, sold);
    let account = address(STRANGER);
    let seat = ILicenses::assignSeatCall { license, account };
    send(&economy, STRANGER, LICENSES, U256::ZERO, &seat).await;
    assert!(listed(&index, &ask).await.is_empty());

    list(&economy, STRANGER, (LICENSES, 1), (3, 25)).await;
    assert_eq!(listed(&index, &ask).await, sold);
    let uses = ILicenses::countUsesCall { license, account, count: 1 };
    send(&economy, STRANGER, LICENSES, U256::ZERO, &uses).await;
    assert!(listed(&index, &ask).await.is_empty());
    let followed = index.content_hash().await.unwrap();
    index.rebuild().await.unwrap();
    assert_eq!(index.content_hash().await.unwrap(), followed);
}

async fn listings_of_an_asset_end_when_its_owner_takes_or_gives_rights_to_it(kind: Kind) {
    let economy = Economy::start().await;
    let approve = IAssets::setApprovalForAllCall { operator: MARKET, approved: true };
    send(&economy, CREATOR, ASSETS, U256::ZERO, &approve).await;
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    let (ask, sold) = (Ask(index.router()), ["listing asset 1 40"]);
    let derived = New { edges: &[(1, IAssets::Relation::DerivedFrom)], ..New::default() };
    let version = New { edges: &[(1, IAssets::Relation::VersionOf)], ..New::default() };

    list(&economy, CREATOR, (ASSETS, 1), (1, 40)).await;
    economy.register(REMIXER, &derived).await;
    assert_eq!(listed(&index, &ask).await, sold, "others derive as the policy lets them");
    economy.register(CREATOR, &derived).await;
    assert!(listed(&index, &ask).await.is_empty());

    list(&economy, CREATOR, (ASSETS, 1), (2, 40)).await;
    assert_eq!(listed(&index, &ask).await, sold);
    economy.register(CREATOR, &version).await;
    assert!(listed(&index, &ask).await.is_empty());

    list(&economy, CREATOR, (ASSETS, 1), (3, 40)).await;
    assert_eq!(listed(&index, &ask).await, sold);
    let (creator, is_approved) = (address(CUSTOMER), true);
    let leave = IAssets::approveDerivativeCall { parent: 1, creator, isApproved: is_approved };
    send(&economy, CREATOR, ASSETS, U256::ZERO, &leave).await;
    assert!(listed(&index, &ask).await.is_empty());
    let followed = index.content_hash().await.unwrap();
    index.rebuild().await.unwrap();
    assert_eq!(index.content_hash().await.unwrap(), followed);
}
