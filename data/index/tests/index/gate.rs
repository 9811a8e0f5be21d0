//! [`Gate`]: a node that can be stopped between two answers.

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse as _, Response},
};
use sahara_client::ChainClient;
use std::sync::Arc;
use tokio::{net::TcpListener, sync::watch};

/// What becomes of requests for blocks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Way {
    Open,
    /// The last of so many waits, and all after it.
    StopAt(u32),
    /// They are not answered.
    Failing,
    /// Receipts of whole blocks are longer than an answer may be.
    TooLong,
    /// Nothing is answered for now, as by a node that fetches the state.
    Refusing,
}

pub(crate) struct Gate {
    url: String,
    way: watch::Sender<Way>,
    waiting: watch::Receiver<u32>,
}

struct Behind {
    node: String,
    http: reqwest::Client,
    way: watch::Sender<Way>,
    waiting: watch::Sender<u32>,
}

impl Gate {
    /// Stands before a node at a URL.
    pub(crate) async fn before(node: &str) -> Self {
        let (way, (waiting, seen)) = (watch::Sender::new(Way::Open), watch::channel(0));
        let http = reqwest::Client::new();
        let behind = Behind { node: node.to_owned(), http, way: way.clone(), waiting };
        let router = Router::new().fallback(pass).with_state(Arc::new(behind));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, way, waiting: seen }
    }

    pub(crate) fn client(&self) -> ChainClient {
        ChainClient::new(&self.url).unwrap()
    }

    /// Stops the last of so many requests for blocks, and all after it.
    pub(crate) fn stop_at(&self, requests: u32) {
        self.way.send_replace(Way::StopAt(requests));
    }

    pub(crate) fn open(&self) {
        self.way.send_replace(Way::Open);
    }

    /// Breaks off whoever waits, and refuses everybody else.
    pub(crate) fn fail(&self) {
        self.way.send_replace(Way::Failing);
    }

    /// Refuses receipts of whole blocks, as a node does whose answer would be too long.
    pub(crate) fn shorten(&self) {
        self.way.send_replace(Way::TooLong);
    }

    /// Refuses everything, in JSON-RPC's words.
    pub(crate) fn refuse(&self) {
        self.way.send_replace(Way::Refusing);
    }

    /// Until somebody waits at the gate.
    pub(crate) async fn is_waited_at(&self) {
        let mut waiting = self.waiting.clone();
        waiting.wait_for(|waiting| *waiting > 0).await.unwrap();
    }
}

/// A refusal of a whole request, batch or not.
fn refusal(code: i64) -> Response {
    let error =
        format!(r#"{{"jsonrpc":"2.0","id":null,"error":{{"code":{code},"message":"no"}}}}"#);
    ([(header::CONTENT_TYPE, "application/json")], error).into_response()
}

async fn pass(State(gate): State<Arc<Behind>>, body: Bytes) -> Response {
    if *gate.way.borrow() == Way::Refusing {
        return refusal(-32_000);
    }
    if String::from_utf8_lossy(&body).contains("eth_getBlockReceipts") {
        let mut way = gate.way.subscribe();
        gate.way.send_if_modified(|way| match way {
            Way::StopAt(left @ 1..) => {
                *left -= 1;
                true
            }
            _ => false,
        });
        if *way.borrow_and_update() == Way::StopAt(0) {
            gate.waiting.send_modify(|waiting| *waiting += 1);
            drop(way.wait_for(|way| *way != Way::StopAt(0)).await);
            gate.waiting.send_modify(|waiting| *waiting -= 1);
        }
        match *way.borrow() {
            Way::Failing => return StatusCode::BAD_GATEWAY.into_response(),
            Way::TooLong => return refusal(-32_011),
            Way::Open | Way::StopAt(_) | Way::Refusing => {}
        }
    }
    let answer = gate.http.post(&gate.node).header(header::CONTENT_TYPE, "application/json");
    let answer = answer.body(body).send().await.unwrap();
    let json = [(header::CONTENT_TYPE, "application/json")];
    (json, answer.bytes().await.unwrap()).into_response()
}
