//! What anyone may send to a node's JSON-RPC, to a gateway, and to the web application's own routes.

use alloy_primitives::Address;
use sahara_chain::{
    genesis::{DEFAULT_EPOCH_LENGTH, GenesisFile},
    ledger::NodeLedger,
    store::{Store, StoreOptions},
};
use sahara_evm::GenesisConfig;
use sahara_finality::{ValidatorKeys, ValidatorSet};
use sahara_gateway::{
    Newcomer, PageCall,
    stranger::{Body, read},
};
use sahara_rpc::{Node, Requests, RpcSettings};
use serde_json::{Value, json};
use std::{error::Error, sync::LazyLock};
use tempfile::TempDir;
use tokio::runtime::{Builder, Runtime};

/// A chain at block 0, with a real store and pool.
pub(crate) struct Chain {
    file: GenesisFile,
    ledger: NodeLedger,
    _directory: TempDir,
}

impl Chain {
    pub(crate) fn new() -> Result<Self, Box<dyn Error>> {
        let keys = ValidatorKeys::from_secret(&[7; 32])?;
        let validators = ValidatorSet::new(vec![keys.validator(Address::repeat_byte(7))])?;
        let config = GenesisConfig::local(724_272, 1_750_000_000_000, &[Address::repeat_byte(8)]);
        let file =
            GenesisFile { config, validators, epoch_length: DEFAULT_EPOCH_LENGTH, staking: None };
        let genesis = file.build()?;
        let directory = tempfile::tempdir()?;
        let store = Store::open(directory.path(), StoreOptions::default(), &genesis)?;
        let ledger = NodeLedger::new(&file, &genesis, store);
        Ok(Self { file, ledger, _directory: directory })
    }

    /// What JSON-RPC is asked about it.
    pub(crate) fn node(&self) -> Node {
        Node::new(&self.ledger, &self.file, Box::new(|| 0), "sahara/fuzz")
    }
}

/// All methods of a node.
struct Served {
    requests: Requests,
    runtime: Runtime,
    _chain: Chain,
}

static SERVED: LazyLock<Served> = LazyLock::new(|| match serve() {
    Ok(served) => served,
    Err(error) => panic!("the node cannot be made: {error}"),
});

fn serve() -> Result<Served, Box<dyn Error>> {
    let chain = Chain::new()?;
    let runtime = Builder::new_multi_thread().worker_threads(1).enable_all().build()?;
    let settings = RpcSettings::new(([127, 0, 0, 1], 0).into());
    // Filters keep time on a task of their own.
    let requests = {
        let _entered = runtime.enter();
        Requests::new(chain.node(), &settings)?
    };
    Ok(Served { requests, runtime, _chain: chain })
}

/// Whatever is asked, the answer is a result or an error, and says to which request it belongs. A batch gets at
/// most as many answers as it has requests, or one error.
pub(crate) fn rpc_request(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    let Served { requests, runtime, .. } = &*SERVED;
    if !text.trim_start().starts_with('[') {
        let Some(answer) = runtime.block_on(requests.answer(text)) else { return };
        return is_an_answer(&serde_json::from_str(&answer).unwrap_or_default());
    }
    let Some(answer) = runtime.block_on(requests.posted(text)) else {
        panic!("a batch without an answer")
    };
    match serde_json::from_str::<Value>(&answer) {
        Ok(Value::Array(answers)) => {
            assert!(!answers.is_empty(), "neither answers nor an error");
            // Requests whose numbers no value holds are answered too, and not counted here.
            if let Ok(asked) = serde_json::from_str::<Vec<Value>>(text) {
                assert!(answers.len() <= asked.len(), "{} requests: {answer}", asked.len());
            }
            answers.iter().for_each(is_an_answer);
        }
        // Notifications alone.
        Ok(Value::Null) => {}
        one => is_an_answer(&one.unwrap_or_default()),
    }
}

fn is_an_answer(answer: &Value) {
    let has = |name| answer.get(name).is_some();
    let is_one = has("result") != has("error");
    assert!(is_one && has("id"), "neither result nor error: {answer}");
}

/// The first byte says what the rest is; whoever is refused is told why.
pub(crate) fn gateway_request(data: &[u8]) {
    let Some((kind, body)) = data.split_first() else { return };
    let kind = match kind % 4 {
        0 => Body::Chat,
        1 => Body::Completion,
        2 => Body::KeyGrant,
        _ => Body::Payment,
    };
    if let Err(error) = read(kind, body) {
        assert!(!error.to_string().is_empty(), "a refusal without words");
    }
}

/// The first byte says for which route of the web application the rest is. What pages may ask, the node
/// behind them answers like any request.
pub(crate) fn web_request(data: &[u8]) {
    let Some((route, body)) = data.split_first() else { return };
    if route % 2 == 0 {
        let Ok(call) = serde_json::from_slice::<PageCall>(body) else { return };
        if call.is_for_pages() {
            let PageCall { method, params, .. } = call;
            let request = json!({ "jsonrpc": "2.0", "id": 0, "method": method, "params": params });
            rpc_request(request.to_string().as_bytes());
        }
    } else if let Ok(newcomer) = serde_json::from_slice::<Newcomer>(body) {
        let again = json!({ "account": newcomer.account }).to_string();
        let again = serde_json::from_str::<Newcomer>(&again);
        assert_eq!(again.ok(), Some(newcomer), "understood in two ways");
    }
}
