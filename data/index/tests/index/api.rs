//! The app API, over a real chain, in both databases.

use crate::{
    ask::Ask,
    economy::{
        CREATOR, CUSTOMER, Economy, GATEWAY, MEMBERS, New, PUPPET, REMIXER, STRANGER, WORKER,
        address, coins,
    },
    start::{Kind, TestDatabase, on_both},
};
use alloy_primitives::U256;
use sahara_abi::{IAssets, IRoyalties, ROYALTIES};
use sahara_index::{Index, Rate};
use serde_json::{Value, json};
use std::{collections::BTreeSet, sync::Arc};

on_both!(
    i3_the_parts_of_every_charge_add_up_to_it,
    i4_quality_is_what_strangers_paid_in_fees,
    i5_pages_are_one_list_whatever_changes,
    i6_statements_say_what_the_chain_paid,
    assets_are_found_by_words_and_filters,
    an_asset_shows_its_lineage_and_who_made_it,
    a_transaction_is_told_in_words,
    the_search_box_finds_everything,
    answers_are_tagged_and_refusals_are_clear,
    every_documented_path_answers,
    one_client_may_ask_so_much_and_hears_how_much_is_left,
);

/// Pays a lot.
const WHALE: u32 = 9;

/// A busy chain, its index and the API.
async fn busy(kind: Kind) -> (Economy, TestDatabase, Arc<Index>, Ask) {
    let mut economy = Economy::start().await;
    economy.live().await;
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    index.catch_up().await.unwrap();
    let ask = Ask(index.router());
    (economy, database, index, ask)
}

fn units(value: &Value) -> u128 {
    value["base_units"].as_str().unwrap().parse().unwrap()
}

fn ids(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["asset"].as_u64().unwrap()).collect()
}

async fn i3_the_parts_of_every_charge_add_up_to_it(kind: Kind) {
    let (_economy, _database, _index, ask) = busy(kind).await;
    let charges = ask.all("/payments?kind=charge", 2).await;
    assert_eq!(charges.len(), 4);
    for charge in charges {
        let hash = charge["transaction"].as_str().unwrap();
        let transaction = ask.get(&format!("/transactions/{hash}")).await;
        let payments = transaction["payments"].as_array().unwrap();
        let sum = |kinds: &[&str]| -> u128 {
            let of_kind = |row: &&Value| kinds.contains(&row["kind"].as_str().unwrap());
            payments.iter().filter(of_kind).map(|row| units(&row["amount"])).sum()
        };
        let parts = sum(&["work", "use", "protocol_fee", "gateway_fee"]);
        assert_eq!(parts, units(&charge["amount"]), "{hash}");
        assert_eq!(sum(&["part"]), sum(&["use"]), "{hash}");
    }
}

async fn i4_quality_is_what_strangers_paid_in_fees(kind: Kind) {
    let (mut economy, _database, index, ask) = busy(kind).await;
    let quality = |asset: &Value| asset["quality"]["amount"].as_str().unwrap().to_owned();
    let (model, remix) = (ask.get("/assets/2").await, ask.get("/assets/3").await);
    // 1 % of what the stranger (12) and the customer (2) paid; the puppet's 301 count nothing, for
    // its coin came from the owner.
    assert_eq!(quality(&model), "0.14");
    assert_eq!((model["patrons"].as_u64(), model["uses"].as_u64()), (Some(2), Some(13)));
    assert_eq!(model["fees"]["amount"], "3.15");
    // 44 of the customer; the stranger's 3 count nothing, for it funded the owner.
    assert_eq!(quality(&remix), "0.44");
    assert_eq!(remix["patrons"], 1);
    // The owner of an ancestor that takes a share is related too.
    economy.open(CREATOR, coins(400)).await;
    economy.claim(CREATOR, 1, &[(3, coins(100), coins(100))]).await;
    index.catch_up().await.unwrap();
    assert_eq!(quality(&ask.get("/assets/3").await), "0.44");
    // One payer counts up to 10 SAHARA of fees a month.
    economy.transfer(STRANGER, WHALE, coins(4_000)).await;
    economy.open(WHALE, coins(3_000)).await;
    economy.claim(WHALE, 1, &[(3, coins(1_000), coins(1_500))]).await;
    index.catch_up().await.unwrap();
    let remix = ask.get("/assets/3").await;
    assert_eq!(quality(&remix), "10.44");
    // The customer owns an ancestor by now.
    economy.claim(CUSTOMER, 1, &[(3, coins(100), coins(100))]).await;
    index.catch_up().await.unwrap();
    assert_eq!(quality(&ask.get("/assets/3").await), "10.44");
    let ranked = ask.all("/assets", 10).await;
    assert_eq!(ids(&ranked), [3, 2, 1]);
}

async fn i5_pages_are_one_list_whatever_changes(kind: Kind) {
    let (mut economy, _database, index, ask) = busy(kind).await;
    for price in [1_u128, 30_000_000, 4_000_000] {
        let uri = r#"data:application/json,{"name":"smollm2 sibling"}"#;
        let model = New { kind: IAssets::Kind::Model, uri, price, ..New::default() };
        economy.register(REMIXER, &model).await;
    }
    index.catch_up().await.unwrap();
    let sorts = ["quality", "revenue", "uses", "newest", "cheapest", "dearest"];
    let questions: Vec<_> = sorts
        .iter()
        .flat_map(|sort| [format!("/assets?sort={sort}"), format!("/assets?q=smollm2&sort={sort}")])
        .collect();
    let mut expected = Vec::new();
    let mut cursors = Vec::new();
    for question in &questions {
        let whole = ask.all(question, 100).await;
        assert_eq!(ids(&ask.all(question, 1).await), ids(&whole), "{question}");
        assert_eq!(ids(&ask.all(question, 2).await), ids(&whole), "{question}");
        let first = ask.get(&format!("{question}&limit=2")).await;
        assert_eq!(ids(first["data"].as_array().unwrap()), ids(&whole)[..2]);
        expected.push(ids(&whole)[2..].to_vec());
        cursors.push(first["next"].as_str().unwrap().to_owned());
    }
    // Everything moves: prices, sums, owners, new assets.
    for asset in 1..=3 {
        economy
            .set_prices(
                if asset == 3 {
                    REMIXER
                } else if asset == 1 {
                    CUSTOMER
                } else {
                    CREATOR
                },
                asset,
                77_000_000 / u128::from(asset),
            )
            .await;
    }
    economy.claim(CUSTOMER, 40, &[(2, coins(3), coins(90))]).await;
    economy
        .register(
            STRANGER,
            &New { uri: "data:application/json,{\"name\":\"smollm2\"}", ..New::default() },
        )
        .await;
    index.catch_up().await.unwrap();
    for ((question, expected), cursor) in questions.iter().zip(expected).zip(cursors) {
        let rest = ask.get(&format!("{question}&limit=100&cursor={cursor}")).await;
        assert_eq!(ids(rest["data"].as_array().unwrap()), expected, "{question}");
    }
    for list in ["/blocks", "/transactions", "/payments", "/events"] {
        let whole = ask.all(list, 100).await;
        assert_eq!(ask.all(list, 7).await, whole, "{list}");
        let different: BTreeSet<_> = whole.iter().map(Value::to_string).collect();
        assert_eq!(different.len(), whole.len(), "{list}");
    }
}

async fn i6_statements_say_what_the_chain_paid(kind: Kind) {
    let (economy, _database, _index, ask) = busy(kind).await;
    for member in MEMBERS {
        let account = address(member);
        let call = IRoyalties::paidToCall { account, asset: 1 };
        let paid: U256 = economy.node.client.call(ROYALTIES, &call).await.unwrap();
        assert!(!paid.is_zero());
        let earnings = ask.get(&format!("/accounts/{account}/earnings?asset=1")).await;
        assert_eq!(earnings["data"][0]["amount"]["base_units"], paid.to_string());
        assert_eq!(economy.balance(account).await, paid, "it had nothing before");
        let statement = ask.all(&format!("/accounts/{account}/statement"), 1).await;
        let sum: u128 = statement.iter().map(|row| units(&row["amount"])).sum();
        assert_eq!(sum.to_string(), paid.to_string());
        let days = ask.get(&format!("/accounts/{account}/earnings?by=day")).await;
        assert_eq!(days["data"][0]["period"], "2025-10-09");
        assert_eq!(days["data"][0]["amount"]["base_units"], paid.to_string());
        let before = ask.get(&format!("/accounts/{account}/earnings?by=day&to=2025-10-08")).await;
        assert_eq!(before["data"], json!([]));
    }
    let worker = ask.get(&format!("/accounts/{}", address(WORKER))).await;
    assert_eq!(worker["totals"][0]["reason"], "worker");
    assert_eq!(worker["totals"][0]["amount"]["amount"], "8");
    assert_eq!(worker["roles"][0]["role"], "worker");
    let validator = ask.get("/accounts/0x0707070707070707070707070707070707070707").await;
    assert_eq!(validator["totals"][0]["reason"], "validation");
    let balance = economy.balance(alloy_primitives::Address::repeat_byte(7)).await;
    assert_eq!(validator["totals"][0]["amount"]["base_units"], balance.to_string());

    let path = format!("/accounts/{}/statement?format=csv&limit=3", address(GATEWAY));
    let csv = ask.request(&path, &[]).await;
    assert_eq!(csv.headers["content-type"], "text/csv; charset=utf-8");
    assert!(csv.headers.contains_key("sahara-next"));
    let lines: Vec<_> = csv.text.lines().collect();
    assert_eq!(lines.len(), 4);
    let fields = lines[0].split(',').count();
    assert!(lines.iter().all(|line| line.split(',').count() == fields), "{}", csv.text);
}

async fn assets_are_found_by_words_and_filters(kind: Kind) {
    let (economy, _database, _index, ask) = busy(kind).await;
    let cases: &[(&str, &[u64])] = &[
        // In the name before in the tags, whatever the quality.
        ("/assets?q=smollm2", &[2, 3]),
        ("/assets?q=SMOL%20inst", &[2]),
        ("/assets?q=geography", &[1]),
        ("/assets?q=questions%20about", &[1]),
        ("/assets?q=kancil", &[3]),
        ("/assets?q=nothing", &[]),
        ("/assets?q=ibu%20kota&kind=model", &[]),
        ("/assets?kind=model", &[3, 2]),
        ("/assets?kind=dataset,model&sort=newest", &[3, 2, 1]),
        ("/assets?max_price=0.000000000004", &[1]),
        ("/assets?min_price=0.000000000005&max_price=0.000000000006", &[2]),
        ("/assets?descends_from=1&sort=newest", &[3, 2]),
        ("/assets?descends_from=2", &[3]),
        ("/assets?ancestor_of=3&sort=newest", &[2, 1]),
        ("/assets?min_uses=10", &[2]),
        ("/assets?min_revenue=100", &[2]),
        ("/assets?sort=uses", &[2, 3, 1]),
        ("/assets?sort=cheapest", &[1, 2, 3]),
        ("/assets?sort=dearest", &[3, 2, 1]),
    ];
    for (path, expected) in cases {
        assert_eq!(ids(&ask.all(path, 100).await), *expected, "{path}");
    }
    for (owner, expected) in [(CREATOR, vec![2]), (CUSTOMER, vec![1]), (PUPPET, vec![])] {
        let owned = ask.all(&format!("/assets?owner={}", address(owner)), 100).await;
        assert_eq!(ids(&owned), expected);
    }
    drop(economy);
}

async fn an_asset_shows_its_lineage_and_who_made_it(kind: Kind) {
    let (_economy, _database, _index, ask) = busy(kind).await;
    let remix = ask.get("/assets/3").await;
    assert_eq!(remix["parents"][0]["relation"], "FINETUNED_FROM");
    assert_eq!(remix["parents"][0]["name"], "SmolLM2 135M Instruct");
    let lineage: Vec<_> = remix["ancestors"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| (row["asset"].as_u64(), row["distance"].as_u64(), row["share"].as_u64()))
        .collect();
    assert_eq!(
        lineage,
        [(Some(2), Some(1), Some(500)), (Some(1), Some(2), Some(1_000))],
        "as the chain's own table"
    );
    assert_eq!(remix["workers"][0]["endpoint"], "http://worker.example");
    let dataset = ask.get("/assets/1").await;
    assert_eq!(dataset["descendants"], 2);
    assert_eq!(dataset["tags"], json!(["geography", "id"]));
    assert_eq!(dataset["owner"], address(CUSTOMER).to_string());
    assert_eq!(dataset["contributors"][0]["units"], "45");
    assert_eq!(
        (dataset["units"].as_str(), dataset["owner_units"].as_str()),
        (Some("100"), Some("10"))
    );
    assert_eq!(dataset["payees"].as_array().unwrap().len(), 4, "two members and both owners");
    let stats = ask.get("/stats?asset=1&by=month").await;
    let revenue =
        stats["figures"].as_array().unwrap().iter().find(|row| row["measure"] == "revenue");
    assert_eq!(revenue.unwrap()["value"], dataset["revenue"]["base_units"]);
}

async fn a_transaction_is_told_in_words(kind: Kind) {
    let (economy, _database, _index, ask) = busy(kind).await;
    let created = ask.all("/assets?sort=newest", 10).await;
    assert_eq!(created.len(), 3);
    let account = address(STRANGER);
    let transactions = ask.all(&format!("/transactions?account={account}"), 5).await;
    let failed = transactions.iter().find(|row| row["is_success"] == false).unwrap();
    assert_eq!(failed["method"], "seal");
    assert!(transactions.iter().any(|row| row["created"].is_string()));
    let hash = failed["hash"].as_str().unwrap();
    let failed = ask.get(&format!("/transactions/{hash}")).await;
    assert_eq!(failed["call"]["protocol"], "assets");
    assert_eq!(
        failed["call"]["arguments"][0],
        json!({ "name": "asset", "type": "uint64", "value": "77" })
    );

    let claims = format!("/payments?channel={}&kind=charge", economy.channel(CUSTOMER));
    let hash = ask.all(&claims, 9).await[0]["transaction"].as_str().unwrap().to_owned();
    let claim = ask.get(&format!("/transactions/{hash}")).await;
    assert_eq!(claim["method"], "claimBatch");
    let names: Vec<_> = claim["events"]
        .as_array()
        .unwrap()
        .iter()
        .map(|event| event["event"]["name"].as_str().unwrap())
        .collect();
    assert_eq!(names[..4], ["Earned", "Earned", "Collected", "FeesPaid"]);
    let moved = ask.all(&format!("/transactions?account={}", address(REMIXER)), 50).await;
    let moved = moved.iter().find(|row| row["method"] == "transfer").unwrap();
    let moved = ask.get(&format!("/transactions/{}", moved["hash"].as_str().unwrap())).await;
    assert_eq!(moved["moves"][0]["amount"], "5");

    // Of every block's transactions those that nobody sent are left out; of a protocol's events all but one name.
    let mut sent = ask.all("/transactions", 100).await;
    let count = sent.len();
    sent.retain(|row| row["type"] != 83);
    assert!(!sent.is_empty() && sent.len() < count);
    assert_eq!(ask.all("/transactions?system=false", 7).await, sent);
    let mut named = ask.all("/events?protocol=assets", 100).await;
    let count = named.len();
    named.retain(|row| row["event"]["name"] == "Registered");
    assert!(!named.is_empty() && named.len() < count);
    assert_eq!(ask.all("/events?protocol=assets&event=Registered", 2).await, named);
}

async fn the_search_box_finds_everything(kind: Kind) {
    let (economy, _database, _index, ask) = busy(kind).await;
    let block = ask.get("/blocks/3").await;
    let transaction = ask.all("/transactions?block=3", 9).await;
    let account = address(CREATOR).to_string();
    let cases = [
        ("3".to_owned(), "asset"),
        ("12".to_owned(), "block"),
        (block["hash"].as_str().unwrap().to_owned(), "block"),
        (transaction[0]["hash"].as_str().unwrap().to_owned(), "transaction"),
        (account.to_lowercase(), "account"),
        (economy.channel(STRANGER).to_string(), "channel"),
    ];
    for (question, kind) in cases {
        let found = ask.get(&format!("/search?q={question}")).await;
        assert_eq!(found["exact"][0]["kind"], kind, "{question}");
        ask.get(found["exact"][0]["path"].as_str().unwrap()).await;
    }
    let found = ask.get("/search?q=kancil").await;
    assert_eq!(found["assets"][0]["asset"], 3);
    let content = format!("/search?q=0x{}", "09".repeat(32));
    assert_eq!(ids(ask.get(&content).await["assets"].as_array().unwrap()), [3, 2, 1]);
}

async fn answers_are_tagged_and_refusals_are_clear(kind: Kind) {
    let (economy, _database, index, ask) = busy(kind).await;
    let first = ask.request("/assets", &[]).await;
    let tag = first.headers["etag"].to_str().unwrap();
    // A browser asks each time: an event that follows at once is not answered from before it.
    assert_eq!(first.headers["cache-control"], "public, no-cache");
    let again = ask.request("/assets", &[("if-none-match", tag)]).await;
    assert_eq!((again.status.as_u16(), again.text.as_str()), (304, ""));
    economy.set_prices(CREATOR, 2, 1).await;
    index.catch_up().await.unwrap();
    let changed = ask.request("/assets", &[("if-none-match", tag)]).await;
    assert_eq!(changed.status.as_u16(), 200);

    let next = ask.get("/assets?limit=1").await["next"].as_str().unwrap().to_owned();
    let long = "x".repeat(201);
    let cases = [
        ("/assets?limit=0".to_owned(), 400, "limit 0: expected 1 to 100"),
        ("/assets?limit=101".to_owned(), 400, "limit 101"),
        ("/assets?limit=many".to_owned(), 400, "limit"),
        ("/assets?owner=0x12".to_owned(), 400, "40 hexadecimal digits"),
        ("/assets?min_price=-1".to_owned(), 400, "an amount in SAHARA"),
        ("/assets?kind=DROP%20TABLE".to_owned(), 400, "expected kinds"),
        ("/assets?q=%22*%27".to_owned(), 400, "at least one letter or digit"),
        (format!("/assets?q={long}"), 400, "at most 200 characters"),
        ("/assets?sort=best".to_owned(), 400, "quality"),
        ("/assets?cursor=xyz".to_owned(), 400, "not a cursor"),
        (format!("/assets?sort=newest&cursor={next}"), 400, "another question"),
        (format!("/blocks?cursor={next}"), 400, "another question"),
        ("/assets/99".to_owned(), 404, "there is no asset 99"),
        ("/assets/18446744073709551615".to_owned(), 400, "the number of an asset"),
        ("/blocks/999999".to_owned(), 404, "there is no block 999999 yet"),
        ("/transactions/0x00".to_owned(), 400, "64 hexadecimal digits"),
        ("/payments?kind=bribe".to_owned(), 400, "expected deposit"),
        ("/events?protocol=nothing".to_owned(), 400, "expected coin"),
        ("/events?event=Slashed".to_owned(), 400, "expected a protocol"),
        // PostgreSQL takes no such byte in a text.
        ("/events?protocol=assets&event=a%00b".to_owned(), 400, "expected an event's name"),
        ("/transactions?system=false&block=3".to_owned(), 400, "expected no account"),
        ("/elsewhere".to_owned(), 404, "there is nothing at /elsewhere"),
    ];
    for (path, status, text) in cases {
        let (found, _, message) = ask.refusal(&path).await;
        assert_eq!(found, status, "{path}: {message}");
        assert!(message.contains(text), "{path}: {message}");
    }
}

async fn every_documented_path_answers(kind: Kind) {
    let (economy, _database, _index, ask) = busy(kind).await;
    let hash = ask.all("/transactions", 100).await[0]["hash"].as_str().unwrap().to_owned();
    let document = ask.get("/openapi.json").await;
    assert_eq!(document, serde_json::from_str::<Value>(&Index::openapi().unwrap()).unwrap());
    let paths = document["paths"].as_object().unwrap();
    assert!(paths.len() >= 15);
    for path in paths.keys().filter(|path| *path != "/events/live") {
        let path = path
            .replace("{asset}", "1")
            .replace("{address}", &address(CREATOR).to_string())
            .replace("{block}", "1")
            .replace("{hash}", &hash);
        let path = if path == "/search" { "/search?q=1".to_owned() } else { path };
        ask.get(&path).await;
    }
    drop(economy);
}

async fn one_client_may_ask_so_much_and_hears_how_much_is_left(kind: Kind) {
    let (_economy, _database, index, _) = busy(kind).await;
    let ask = Ask(index.router_within(Rate { burst: 2, per_minute: 1 }));
    let mut statuses = Vec::new();
    for _ in 0..3 {
        statuses.push(ask.request("/assets", &[]).await);
    }
    let first = &statuses[0].headers;
    assert_eq!(first["ratelimit-policy"], "\"address\";q=2;w=120");
    assert!(first["ratelimit"].to_str().unwrap().starts_with("\"address\";r=1;t=60"));
    let codes: Vec<_> = statuses.iter().map(|answer| answer.status.as_u16()).collect();
    assert_eq!(codes, [200, 200, 429]);
    let refused = &statuses[2];
    let after: u64 = refused.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=60).contains(&after), "{after}");
    assert_eq!(refused.headers["ratelimit"], format!("\"address\";r=0;t={after}"));
    let error = &refused.json()["error"];
    assert_eq!(error["code"], "rate_limit_exceeded");
    assert!(error["message"].as_str().unwrap().contains("expected at most 2 at once"), "{error}");
}
