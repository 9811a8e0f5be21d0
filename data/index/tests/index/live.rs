//! Events as they become final.

use crate::{
    economy::{CREATOR, CUSTOMER, Economy, STRANGER, address, coins},
    start::{Kind, TestDatabase, on_both},
};
use futures::StreamExt as _;
use sahara_index::Index;
use serde_json::Value;
use std::{sync::Arc, time::Duration};
use tokio::net::TcpListener;

on_both!(i7_a_stream_resumes_without_loss_or_repetition);

/// An event of a stream.
#[derive(Clone, Debug, PartialEq)]
struct Heard {
    name: String,
    id: String,
    data: Value,
}

async fn serve(index: &Arc<Index>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = index.router();
    tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
    url
}

/// Listens until `until` is satisfied with what it heard.
async fn listen(url: &str, last: Option<&str>, until: impl Fn(&[Heard]) -> bool) -> Vec<Heard> {
    let mut request = reqwest::Client::new().get(url);
    if let Some(last) = last {
        request = request.header("last-event-id", last);
    }
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/event-stream");
    let mut chunks = response.bytes_stream();
    let (mut text, mut heard) = (String::new(), Vec::new());
    while !until(&heard) {
        let chunk = tokio::time::timeout(Duration::from_secs(60), chunks.next()).await;
        text +=
            std::str::from_utf8(&chunk.expect("a stream that speaks").unwrap().unwrap()).unwrap();
        while let Some((event, rest)) = text.split_once("\n\n") {
            heard.extend(parse(event));
            text = rest.to_owned();
        }
    }
    heard
}

fn parse(event: &str) -> Option<Heard> {
    let field = |name: &str| {
        event.lines().find_map(|line| Some(line.strip_prefix(name)?.trim_start_matches(':').trim()))
    };
    let data = serde_json::from_str(field("data")?).unwrap();
    Some(Heard { name: field("event")?.to_owned(), id: field("id")?.to_owned(), data })
}

async fn i7_a_stream_resumes_without_loss_or_repetition(kind: Kind) {
    let mut economy = Economy::start().await;
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    let url = serve(&index).await;
    // A follower beside the stream: a payment is heard without asking.
    let follower = Arc::clone(&index);
    let following = tokio::spawn(async move { follower.follow().await });
    let start = economy.node.client.block_number().await.unwrap().0;
    let paid = {
        let economy = &economy;
        let path = format!("{url}/events?asset=1");
        let heard = listen(&path, Some("0"), |heard: &[Heard]| {
            heard.iter().any(|event| event.name == "Paid")
        });
        let pay = economy.pay(STRANGER, 1, coins(7));
        tokio::join!(heard, pay).0
    };
    assert_eq!(paid[0].name, "Registered", "from the beginning");
    let names: Vec<_> = paid.iter().map(|event| event.name.as_str()).collect();
    assert!(names.contains(&"Linked"), "{names:?}");

    economy.open(CUSTOMER, coins(50)).await;
    economy.claim(CUSTOMER, 1, &[(2, coins(1), coins(9))]).await;
    let end = economy.node.client.block_number().await.unwrap().0;
    let last = format!("{end}");
    let is_over = |heard: &[Heard]| heard.last().is_some_and(|event| event.id == last);
    let from = start.to_string();
    let whole = listen(&format!("{url}/events/live"), Some(&from), is_over).await;
    assert!(whole.iter().any(|event| event.name == "FeesPaid"));
    let blocks = whole.iter().filter(|event| event.name == "block").count();
    assert_eq!(u64::try_from(blocks).unwrap(), end - start);
    for (place, event) in whole.iter().enumerate().step_by(3) {
        let path = format!("{url}/events/live");
        let rest = listen(&path, Some(&event.id), |heard: &[Heard]| {
            place + 1 == whole.len() || is_over(heard)
        });
        assert_eq!(rest.await, whole[place + 1..], "after {}", event.id);
    }
    let own = format!("{url}/events/live?account={}", address(CREATOR));
    let own = listen(&own, Some("0"), |heard: &[Heard]| heard.len() >= 5).await;
    assert!(own.iter().all(|event| event.data.to_string().contains(&address(CREATOR).to_string())));
    following.abort();
}
