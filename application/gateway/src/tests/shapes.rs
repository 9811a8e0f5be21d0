use super::world::{INPUT, OUTPUT, World, chat, signer};
use crate::RequestPayment;
use alloy_primitives::B256;
use alloy_sol_types::SolCall;
use base64::{Engine as _, engine::general_purpose::STANDARD};
use sahara_abi::{IChannels, IWorkers, WORKERS, signing};
use sahara_primitives::{ChannelId, LOCAL_CHAIN_ID};
use serde_json::{Value, json};

/// Random and derived digits hidden, the rest as clients see it.
fn steady(text: &str) -> String {
    let mut out = String::new();
    let mut run = String::new();
    for letter in text.chars().chain(['\n']) {
        if letter.is_ascii_hexdigit() {
            run.push(letter);
            continue;
        }
        if run.len() >= 16 && !run.bytes().all(|byte| byte.is_ascii_digit()) {
            out.push_str(&format!("<{}>", run.len()));
        } else {
            out.push_str(&run);
        }
        run.clear();
        out.push(letter);
    }
    out
}

#[tokio::test]
async fn a_stream_looks_as_openais() {
    let world = World::new().await;
    let mut body = chat("shape");
    body["stream"] = json!(true);
    body["max_tokens"] = json!(2);
    body["stream_options"] = json!({ "include_usage": true });
    let response = world.ask(&body).send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    assert_eq!(response.headers()["x-accel-buffering"], "no");
    insta::assert_snapshot!("chat_stream", steady(&response.text().await.unwrap()));
}

#[tokio::test]
async fn an_answer_looks_as_openais() {
    let world = World::new().await;
    let chat = world.answer(&chat("shape")).await;
    insta::assert_snapshot!("chat", steady(&serde_json::to_string_pretty(&chat).unwrap()));
    let path = format!("{}/v1/completions", world.url);
    let body = json!({ "model": "script-1", "prompt": "shape", "max_tokens": 1 });
    let answer = world.http.post(path).bearer_auth(super::world::SECRET).json(&body).send().await;
    let answer: Value = answer.unwrap().json().await.unwrap();
    insta::assert_snapshot!("completion", steady(&serde_json::to_string_pretty(&answer).unwrap()));
    let models = world.http.get(format!("{}/v1/models", world.url)).send().await.unwrap();
    let models: Value = models.json().await.unwrap();
    insta::assert_snapshot!("models", steady(&serde_json::to_string_pretty(&models).unwrap()));
    let key = world.http.get(format!("{}/v1/key", world.url)).bearer_auth(super::world::SECRET);
    let key: Value = key.send().await.unwrap().json().await.unwrap();
    insta::assert_snapshot!("key", steady(&serde_json::to_string_pretty(&key).unwrap()));
}

fn decode(header: &reqwest::header::HeaderValue) -> Value {
    serde_json::from_slice(&STANDARD.decode(header.as_bytes()).unwrap()).unwrap()
}

/// Answers a challenge as a client does; `cumulative` in base units.
fn pay(world: &World, challenge: &Value, cumulative: u128) -> (String, ChannelId) {
    let accepted = &challenge["accepts"][0];
    let suggested = &accepted["extra"]["reservation"];
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let reservation = IChannels::Reservation {
        payer: world.payer.address(),
        gateway: world.gateway.address(),
        amount: text(&suggested["amount"]).parse().unwrap(),
        nonce: 7,
        validUntil: text(&suggested["validUntil"]).parse().unwrap(),
    };
    let domain = signing::channels_domain(LOCAL_CHAIN_ID);
    let channel = signing::reservation_channel(LOCAL_CHAIN_ID, &reservation);
    let voucher = IChannels::Voucher { channelId: channel, cumulativeAmount: cumulative };
    let hash: B256 = text(&accepted["extra"]["requestHash"]).parse().unwrap();
    let request =
        RequestPayment { channelId: channel, cumulativeAmount: cumulative, requestHash: hash };
    let payload = json!({
        "x402Version": 2, "accepted": accepted, "payload": {
            "reservation": {
                "payer": reservation.payer, "gateway": reservation.gateway,
                "amount": reservation.amount.to_string(), "nonce": "7",
                "validUntil": reservation.validUntil.to_string(),
            },
            "reservationSignature": world.payer.sign_typed(&reservation, &domain),
            "cumulativeAmount": cumulative.to_string(),
            "voucherSignature": world.payer.sign_typed(&voucher, &domain),
            "requestSignature": world.payer.sign_typed(&request, &domain),
        },
    });
    (STANDARD.encode(payload.to_string()), ChannelId(channel))
}

#[tokio::test]
async fn g7_a_payment_is_for_one_request() {
    let world = World::new().await;
    let post =
        |path: &str, body: &Value| world.http.post(format!("{}{path}", world.url)).json(body);
    let (path, body) = ("/v1/chat/completions", chat("pay"));
    let refused = post(path, &body).send().await.unwrap();
    assert_eq!(refused.status(), 402);
    let challenge = decode(&refused.headers()["payment-required"]);
    insta::assert_snapshot!(
        "payment_required",
        steady(&serde_json::to_string_pretty(&challenge).unwrap())
    );
    let worst: u128 = challenge["accepts"][0]["amount"].as_str().unwrap().parse().unwrap();
    let (payment, channel) = pay(&world, &challenge, worst);
    let send =
        |path: &str, body: &Value| post(path, body).header("payment-signature", &payment).send();
    let other_url = json!({ "model": "script-1", "prompt": "pay" });
    assert_eq!(send(path, &chat("other")).await.unwrap().status(), 402);
    assert_eq!(send("/v1/completions", &other_url).await.unwrap().status(), 402);
    assert_eq!(world.script.starts.load(std::sync::atomic::Ordering::SeqCst), 0);
    let paid = send(path, &body).await.unwrap();
    assert_eq!(paid.status(), 200, "{}", paid.text().await.unwrap());
    let response = decode(&paid.headers()["payment-response"]);
    assert_eq!(response["success"], true);
    let first: Value = paid.json().await.unwrap();
    let again: Value = send(path, &body).await.unwrap().json().await.unwrap();
    assert_eq!(again, first, "sent again it is the same request");
    world.settle().await;
    let settled: u128 = world.node.channel(channel).settled.to();
    assert_eq!(first["usage"]["cost_base_units"], settled.to_string());
    // Dearer since: what was answered is answered so, and pays for nothing else.
    let (input_price, output_price) = (INPUT * 2, OUTPUT * 2);
    let serve =
        IWorkers::serveCall { asset: 1, inputPrice: input_price, outputPrice: output_price };
    world.node.send_as(world.worker, WORKERS, &serve.abi_encode());
    world.catch_up().await;
    let again: Value = send(path, &body).await.unwrap().json().await.unwrap();
    assert_eq!(again, first, "whatever it costs now");
    assert_eq!(send(path, &chat("other")).await.unwrap().status(), 402);
    assert_eq!(world.script.starts.load(std::sync::atomic::Ordering::SeqCst), 1);
}

#[tokio::test]
async fn g7_a_forged_or_short_payment_does_no_work() {
    let world = World::new().await;
    let post = |payment: &str| {
        let request = world.http.post(format!("{}/v1/chat/completions", world.url));
        let request = request.json(&chat("forged"));
        if payment.is_empty() {
            request.send()
        } else {
            request.header("payment-signature", payment).send()
        }
    };
    let challenge = decode(&post("").await.unwrap().headers()["payment-required"]);
    let worst: u128 = challenge["accepts"][0]["amount"].as_str().unwrap().parse().unwrap();
    let (short, _) = pay(&world, &challenge, 5);
    assert_eq!(post(&short).await.unwrap().status(), 402);
    let (good, _) = pay(&world, &challenge, worst);
    let decoded: Value = serde_json::from_slice(&STANDARD.decode(&good).unwrap()).unwrap();
    let forge = |pointer: &str, value: Value| {
        let mut forged = decoded.clone();
        *forged.pointer_mut(pointer).unwrap() = value;
        STANDARD.encode(forged.to_string())
    };
    let high_s = {
        let signature = decoded["payload"]["voucherSignature"].as_str().unwrap();
        let mut bytes = alloy_primitives::hex::decode(signature).unwrap();
        let order = alloy_primitives::U256::from_be_bytes(
            alloy_primitives::b256!(
                "fffffffffffffffffffffffffffffffebaaedce6af48a03bbfd25e8cd0364141"
            )
            .0,
        );
        let s = alloy_primitives::U256::from_be_slice(&bytes[32..64]);
        bytes[32..64].copy_from_slice(&(order - s).to_be_bytes::<32>());
        bytes[64] = 55 - bytes[64];
        json!(alloy_primitives::hex::encode_prefixed(bytes))
    };
    for (forged, status) in [
        (forge("/payload/cumulativeAmount", json!((worst * 2).to_string())), 402),
        (forge("/payload/reservation/payer", json!(signer(9).address())), 402),
        (forge("/payload/reservation/gateway", json!(signer(9).address())), 402),
        (forge("/payload/voucherSignature", high_s), 402),
        (forge("/accepted/extra/request/salt", json!(B256::ZERO)), 402),
        (forge("/x402Version", json!(1)), 400),
        ("not base64!".to_owned(), 400),
    ] {
        assert_eq!(post(&forged).await.unwrap().status(), status);
    }
    assert_eq!(world.script.starts.load(std::sync::atomic::Ordering::SeqCst), 0);
    assert_eq!(post(&good).await.unwrap().status(), 200);
}

#[tokio::test]
async fn a_reservation_without_a_deposit_leaves_nothing_behind() {
    let mut world = World::new().await;
    let url = format!("{}/v1/chat/completions", world.url);
    let challenge = world.http.post(&url).json(&chat("poor")).send().await.unwrap();
    let challenge = decode(&challenge.headers()["payment-required"]);
    let worst: u128 = challenge["accepts"][0]["amount"].as_str().unwrap().parse().unwrap();
    let rich = std::mem::replace(&mut world.payer, signer(8));
    let rows = |world: &World| {
        let store = world.gateway.store();
        [&store.channels, &store.keys, &store.requests].map(|space| space.iter().count())
    };
    let before = rows(&world);
    let (poor, channel) = pay(&world, &challenge, worst);
    let refused = world.http.post(&url).json(&chat("poor")).header("payment-signature", poor);
    let refused = refused.send().await.unwrap();
    assert_eq!(refused.status(), 402);
    assert!(refused.text().await.unwrap().contains("deposit"));
    assert_eq!(rows(&world), before);
    assert!(world.gateway.known_account(channel).is_none());
    // One with a deposit whose request fails leaves nothing either: it was never opened.
    world.payer = rich;
    let (short, channel) = pay(&world, &challenge, 5);
    let refused = world.http.post(&url).json(&chat("poor")).header("payment-signature", short);
    assert_eq!(refused.send().await.unwrap().status(), 402);
    assert_eq!(rows(&world), before);
    assert!(world.gateway.known_account(channel).is_none());
}
