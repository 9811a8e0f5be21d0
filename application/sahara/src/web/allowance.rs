//! A first deposit for a key that somebody's browser made, so that a stranger can talk to a model
//! before owning a coin.
//!
//! The operator funds it with its own coin, in an ordinary transaction: `channels.fund(newcomer)`.
//! Whoever makes a thousand keys takes what a day allows and no more; on a network where coin is
//! worth something that is a gift to whoever asks first, so it exists on a local network only.

use super::{Web, refuse};
use alloy_rpc_types_eth::Filter;
use axum::{
    Json,
    extract::{State, rejection::JsonRejection},
    http::StatusCode,
    response::{IntoResponse, Response},
};
use eyre::{Result, WrapErr, bail};
use sahara_abi::{CHANNELS, IChannels};
use sahara_client::{ChainClient, SigningKey};
use sahara_gateway::{AllowanceTerms, Newcomer};
use sahara_primitives::{Address, Amount, LOCAL_CHAIN_ID};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::{
    collections::BTreeSet,
    fs,
    net::SocketAddr,
    path::PathBuf,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};
use tokio::sync::Mutex;

const DAY_SECONDS: u64 = 86_400;

/// Blocks whose events are asked for at a time: half of what a node answers.
const STEP: u64 = 50_000;

/// What was given on a day; on disk before it is given.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
struct Given {
    day: u64,
    amount: Amount,
}

impl Given {
    /// After giving `each` more on `day`; none when the day does not allow it.
    fn and(self, day: u64, terms: AllowanceTerms) -> Option<Self> {
        let before = if self.day == day { self.amount } else { Amount::ZERO };
        let amount = before.checked_add(terms.each).ok()?;
        (amount <= terms.per_day).then_some(Self { day, amount })
    }
}

/// The allowance of one gateway.
#[derive(Debug)]
pub(crate) struct Allowance {
    terms: AllowanceTerms,
    key: SigningKey,
    file: PathBuf,
    given: Mutex<Given>,
    funded: Mutex<Funded>,
}

/// Whom the operator's key funded, by the chain's own memory.
#[derive(Debug, Default)]
struct Funded {
    accounts: BTreeSet<Address>,
    /// The first block that was not read yet.
    next: u64,
}

impl Allowance {
    /// Funded by `key`; what was given is remembered in `file`.
    ///
    /// # Errors
    /// On a chain or a listener that is not local, or when the file is damaged.
    pub(crate) fn open(
        terms: AllowanceTerms,
        key: SigningKey,
        file: PathBuf,
        (chain_id, listen): (u64, SocketAddr),
    ) -> Result<Self> {
        if chain_id != LOCAL_CHAIN_ID || !listen.ip().is_loopback() {
            bail!(
                "an allowance for newcomers is for a local network: expected none in the configuration"
            );
        }
        let given = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .wrap_err_with(|| format!("{} is damaged", file.display()))?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Given::default(),
            Err(error) => {
                return Err(error).wrap_err_with(|| format!("could not read {}", file.display()));
            }
        };
        Ok(Self { terms, key, file, given: Mutex::new(given), funded: Mutex::default() })
    }

    /// What a newcomer would get now.
    pub(super) async fn offer(&self) -> Value {
        let is_left = self.given.lock().await.and(today(), self.terms).is_some();
        json!({ "amount": self.terms.each.to_string(), "is_left_today": is_left })
    }

    fn write(&self, given: Given) -> Result<()> {
        let draft = self.file.with_extension("draft");
        fs::write(&draft, serde_json::to_vec(&given)?)?;
        Ok(fs::rename(draft, &self.file)?)
    }

    /// Whether the account was given something before, by the chain's own memory: every block is read
    /// once, a bounded number of them at a time.
    async fn has_given(&self, client: &ChainClient, account: Address) -> Result<bool> {
        let mut funded = self.funded.lock().await;
        let head = client.block_number().await?.0;
        while funded.next <= head {
            let last = head.min(funded.next.saturating_add(STEP - 1));
            let filter = Filter::new().address(CHANNELS).from_block(funded.next).to_block(last);
            let filter = filter.topic2(self.key.address().into_word());
            let found = client.events::<IChannels::Funded>(filter).await?;
            funded.accounts.extend(found.iter().map(|(_, event)| event.payer));
            funded.next = last.saturating_add(1);
        }
        Ok(funded.accounts.contains(&account))
    }

    /// One at a time, so that a day's sum is one sum.
    async fn give(&self, client: &ChainClient, account: Address) -> Result<Response> {
        let mut given = self.given.lock().await;
        if self.has_given(client, account).await? {
            let message = "this key had its allowance: expected coin of its own from here on";
            return Ok(refuse(StatusCode::CONFLICT, "already_given", message));
        }
        let Some(after) = given.and(today(), self.terms) else {
            let message = "today's allowances are given: expected another try tomorrow (UTC)";
            return Ok(refuse(StatusCode::TOO_MANY_REQUESTS, "spent_today", message));
        };
        // Written first: a kill in between gives less than the day allows, never more.
        self.write(after)?;
        *given = after;
        let call = IChannels::fundCall { payer: account };
        let outcome = client.send(&self.key, CHANNELS, self.terms.each, &call).await?;
        let body = json!({
            "account": account,
            "amount": self.terms.each.to_string(),
            "transaction": outcome.hash,
        });
        Ok((StatusCode::CREATED, Json(body)).into_response())
    }
}

fn today() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    now.as_secs() / DAY_SECONDS
}

pub(super) async fn give(
    State(web): State<Arc<Web>>,
    newcomer: Result<Json<Newcomer>, JsonRejection>,
) -> Response {
    let Some(allowance) = &web.allowance else {
        let message = "this gateway gives no allowance";
        return refuse(StatusCode::NOT_FOUND, "no_allowance", message);
    };
    let Ok(Json(newcomer)) = newcomer else {
        let message = "expected {\"account\": \"0x...\"} as application/json";
        return refuse(StatusCode::BAD_REQUEST, "malformed", message);
    };
    allowance.give(&web.client, newcomer.account).await.unwrap_or_else(|error| {
        tracing::warn!(%error, "an allowance could not be given");
        let message = "the chain did not take the deposit: expected another try later";
        refuse(StatusCode::SERVICE_UNAVAILABLE, "not_given", message)
    })
}

#[cfg(test)]
mod tests {
    use super::{
        Allowance, AllowanceTerms, Amount, CHANNELS, Given, IChannels, LOCAL_CHAIN_ID, SigningKey,
    };
    use alloy_sol_types::SolEvent as _;
    use axum::{Json, Router, extract::State, routing::post};
    use sahara_client::ChainClient;
    use sahara_primitives::{Address, B256};
    use serde_json::{Value, json};
    use std::sync::{Arc, Mutex};
    use tokio::net::TcpListener;

    fn terms() -> AllowanceTerms {
        AllowanceTerms { each: Amount::from_coins(2), per_day: Amount::from_coins(5) }
    }

    #[test]
    fn a_day_gives_what_it_allows_and_the_next_begins_anew() {
        let once = Given::default().and(7, terms()).unwrap();
        let twice = once.and(7, terms()).unwrap();
        assert_eq!(twice.amount, Amount::from_coins(4));
        assert!(twice.and(7, terms()).is_none());
        assert_eq!(twice.and(8, terms()).unwrap().amount, Amount::from_coins(2));
    }

    #[test]
    fn it_is_for_local_networks_and_remembers() {
        let place = tempfile::tempdir().unwrap();
        let file = place.path().join("allowance.json");
        let local = "127.0.0.1:1".parse().unwrap();
        let open = |at| Allowance::open(terms(), SigningKey::random(), file.clone(), at);
        assert!(open((1, local)).is_err());
        assert!(open((LOCAL_CHAIN_ID, "0.0.0.0:1".parse().unwrap())).is_err());
        let allowance = open((LOCAL_CHAIN_ID, local)).unwrap();
        allowance.write(Given { day: 3, amount: Amount::from_coins(4) }).unwrap();
        let again = open((LOCAL_CHAIN_ID, local)).unwrap();
        assert_eq!(again.given.into_inner().amount, Amount::from_coins(4));
        std::fs::write(&file, "{").unwrap();
        assert!(open((LOCAL_CHAIN_ID, local)).is_err());
    }

    /// A node at block 250,000 that refuses wide ranges as a node does, and what it was asked. Block
    /// 120,000 funded the account `0x01..01`.
    async fn node() -> (ChainClient, Arc<Mutex<Vec<(u64, u64)>>>) {
        type Asked = Arc<Mutex<Vec<(u64, u64)>>>;
        let answer = async |State(asked): State<Asked>, Json(call): Json<Value>| {
            let block = |name: &str| {
                let text = call["params"][0][name].as_str().unwrap();
                u64::from_str_radix(text.trim_start_matches("0x"), 16).unwrap()
            };
            if call["method"] == "eth_blockNumber" {
                return Json(json!({ "jsonrpc": "2.0", "id": call["id"], "result": "0x3d090" }));
            }
            assert_eq!(call["method"], "eth_getLogs");
            let range = (block("fromBlock"), block("toBlock"));
            asked.lock().unwrap().push(range);
            if range.1 - range.0 >= 100_000 {
                let error = json!({ "code": -32602, "message": "too many blocks" });
                return Json(json!({ "jsonrpc": "2.0", "id": call["id"], "error": error }));
            }
            let funded = json!({
                "address": CHANNELS,
                "topics": [
                    IChannels::Funded::SIGNATURE_HASH,
                    Address::repeat_byte(1).into_word(),
                    call["params"][0]["topics"][2],
                ],
                "data": B256::with_last_byte(7),
                "blockNumber": "0x1d4c0", "blockHash": B256::repeat_byte(3), "logIndex": "0x0",
                "transactionHash": B256::repeat_byte(4), "transactionIndex": "0x0", "removed": false,
            });
            let is_there = (range.0..=range.1).contains(&120_000);
            let found = if is_there { vec![funded] } else { Vec::new() };
            Json(json!({ "jsonrpc": "2.0", "id": call["id"], "result": found }))
        };
        let asked = Asked::default();
        let router = Router::new().route("/", post(answer)).with_state(Arc::clone(&asked));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        tokio::spawn(async move { axum::serve(listener, router).await.unwrap() });
        (ChainClient::new(&url).unwrap(), asked)
    }

    #[tokio::test]
    async fn who_was_given_something_is_found_on_a_long_chain_and_read_once() {
        let place = tempfile::tempdir().unwrap();
        let local = (LOCAL_CHAIN_ID, "127.0.0.1:1".parse().unwrap());
        let file = place.path().join("allowance.json");
        let allowance = Allowance::open(terms(), SigningKey::random(), file, local).unwrap();
        let (client, asked) = node().await;
        assert!(!allowance.has_given(&client, Address::repeat_byte(2)).await.unwrap());
        assert!(allowance.has_given(&client, Address::repeat_byte(1)).await.unwrap());
        let expected = [0, 50_000, 100_000, 150_000, 200_000].map(|from| (from, from + 49_999));
        assert_eq!(*asked.lock().unwrap(), [&expected[..], &[(250_000, 250_000)]].concat());
    }
}
