use super::world::{SECRET, World, chat};
use serde_json::{Value, json};
use tempfile::TempDir;

async fn error(request: reqwest::RequestBuilder) -> (u16, Value) {
    let response = request.send().await.unwrap();
    assert!(response.headers().contains_key("x-request-id"));
    (response.status().as_u16(), response.json::<Value>().await.unwrap()["error"].take())
}

#[tokio::test]
async fn a_proof_begins_at_a_block_and_at_nothing_else() {
    let world = World::new().await;
    let get =
        |query: &str| error(world.http.get(format!("{}/v1/receipts/rcpt_1_2{query}", world.url)));
    for query in ["", "?since=7", "?other=1"] {
        assert_eq!(get(query).await.0, 404, "{query}: no such receipt");
    }
    for query in ["?since=now", "?since=-1", "?since=", "?since=0x7"] {
        let (status, error) = get(query).await;
        assert_eq!(status, 400, "{query}: {error}");
        assert!(error["message"].as_str().unwrap().contains("number of a block"), "{error}");
    }
}

#[tokio::test]
async fn a_gateway_that_has_just_started_says_of_no_model_that_it_does_not_exist() {
    let (world, dir) = (World::new().await, TempDir::new().unwrap());
    let (gateway, url) = world.newcomer(dir.path()).await;
    let get = async |name: &str| {
        let response = world.http.get(format!("{url}/v1/models/{name}")).send().await.unwrap();
        (response.status().as_u16(), response.headers().contains_key("retry-after"))
    };
    assert_eq!(get("1").await, (503, true), "nothing was read");
    gateway.look(None).await.unwrap();
    assert_eq!(get("1").await, (503, true), "nobody was asked");
    gateway.catalog.ask_due().await;
    assert_eq!(get("1").await, (200, false));
    assert_eq!(get("2").await, (404, false));
}

#[tokio::test]
async fn every_mistake_has_a_clear_error_in_openais_shape() {
    let world = World::new().await;
    let with = |field: &str, value: Value| {
        let mut body = chat("hi");
        body[field] = value;
        world.ask(&body)
    };
    let path = |path: &str| format!("{}{path}", world.url);
    let raw = |body: &str| {
        let request = world.http.post(path("/v1/chat/completions")).bearer_auth(SECRET);
        request.body(body.to_owned())
    };
    let long = json!([{ "role": "user", "content": "a ".repeat(1_100) }]);
    let cases = [
        (raw("{"), 400, Value::Null, Value::Null),
        (raw("[]"), 400, Value::Null, Value::Null),
        (raw(&"x".repeat(20_000)), 413, json!("body_too_large"), Value::Null),
        (with("model", json!("nothing")), 404, json!("model_not_found"), json!("model")),
        (with("model", json!(7)), 400, Value::Null, json!("model")),
        (with("messages", json!([])), 400, Value::Null, json!("messages")),
        (with("messages", json!([{ "role": "cat" }])), 400, Value::Null, json!("messages[0].role")),
        (with("messages", long), 400, json!("context_length_exceeded"), json!("messages")),
        (
            with("max_tokens", json!(1_000)),
            400,
            json!("context_length_exceeded"),
            json!("messages"),
        ),
        (with("max_tokens", json!(0)), 400, Value::Null, json!("max_tokens")),
        (with("n", json!(2)), 400, Value::Null, json!("n")),
        (with("tools", json!([{}])), 400, Value::Null, json!("tools")),
        (with("temperature", json!(2.1)), 400, Value::Null, json!("temperature")),
        (with("stream", json!("yes")), 400, Value::Null, json!("stream")),
        (with("stop", json!([""])), 400, Value::Null, json!("stop")),
        (world.http.get(path("/v1/key")), 401, json!("invalid_api_key"), Value::Null),
        (
            world.http.get(path("/v1/key")).bearer_auth("sk-x"),
            401,
            json!("invalid_api_key"),
            Value::Null,
        ),
        (world.http.get(path("/v1/receipts/rcpt_1_2")), 404, json!("not_found"), Value::Null),
        (world.http.get(path("/v2")), 404, json!("not_found"), Value::Null),
        (
            world.http.get(path("/v1/models")).header("host", "evil.example"),
            403,
            Value::Null,
            Value::Null,
        ),
        (world.http.post(path("/v1/keys")).body("{}"), 400, Value::Null, Value::Null),
        (world.http.delete(path("/v1/models")), 405, Value::Null, Value::Null),
    ];
    for (index, (request, status, code, param)) in cases.into_iter().enumerate() {
        let (got, error) = error(request).await;
        assert_eq!(got, status, "case {index}: {error}");
        assert_eq!((&error["code"], &error["param"]), (&code, &param), "case {index}: {error}");
        assert!(error["message"].as_str().unwrap().len() > 10, "case {index}");
    }
    assert_eq!(world.receipts(), 0);
    assert_eq!(world.answer(&chat("still there")).await["object"], "chat.completion");
}

#[tokio::test]
async fn fields_that_ask_for_nothing_are_accepted() {
    let world = World::new().await;
    let mut body = chat("hi");
    for (field, value) in [
        ("n", json!(1)),
        ("tools", json!([])),
        ("top_p", json!(1.0)),
        ("presence_penalty", json!(0)),
        ("temperature", json!(0.7)),
        ("user", json!("me")),
        ("max_completion_tokens", json!(3)),
        ("response_format", json!({ "type": "text" })),
        ("something_new", json!({})),
    ] {
        body[field] = value;
    }
    let answer = world.answer(&body).await;
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["usage"]["completion_tokens"], 3);
}
