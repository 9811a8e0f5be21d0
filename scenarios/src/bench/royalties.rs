//! ROY-1: one payment to a pool of 1 to 10,000 members costs the same.

use super::{cpu_microseconds, report};
use crate::{Network, Options};
use alloy_primitives::{Address, aliases::U96, keccak256};
use eyre::{ContextCompat, Result};
use sahara_abi::{ASSETS, IAssets, IRoyalties, ROYALTIES};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC};
use sahara_primitives::{Amount, B256};
use serde_json::{Value, json};

/// Payments into each pool.
const PAYMENTS: u64 = 100;
/// Members added by one transaction.
const BATCH: usize = 200;

/// Runs ROY-1.
///
/// # Errors
/// When the network does not start or a transaction fails.
pub async fn run() -> Result<()> {
    let network = Network::start(Options { validators: 1, demo: false })?;
    let client = ChainClient::new(&network.rpc(0)?.url)?;
    let key = SigningKey::from_mnemonic(TEST_MNEMONIC, 7)?;
    let pid = network.pid("node-0")?;
    let mut rows = Vec::new();
    for members in [1_usize, 10, 100, 1_000, 10_000] {
        let asset = register(&client, &key, members).await?;
        let pay = IRoyalties::payCall { asset };
        let amount = Amount::from_u128(1_000_000_007);
        // The first payment writes the pool's words for the first time.
        client.send(&key, ROYALTIES, amount, &pay).await?;
        let (cpu, mut gas) = (cpu_microseconds(pid)?, 0);
        for _ in 0..PAYMENTS {
            gas = client.send(&key, ROYALTIES, amount, &pay).await?.gas_used;
        }
        let cpu = cpu_microseconds(pid)?.saturating_sub(cpu).checked_div(PAYMENTS);
        rows.push(json!({"members": members, "gas": gas, "node_cpu_us": cpu}));
    }
    let workload = "100 payments into a pool of 1 to 10,000 members, one at a time; CPU is all the node does meanwhile, blocks included";
    report("ROY-1", workload, &json!(rows), &Value::Null, None)
}

async fn register(client: &ChainClient, key: &SigningKey, count: usize) -> Result<u64> {
    let member = |index: usize| IAssets::Member {
        account: Address::from_word(keccak256(format!("ROY-1 member {index}"))),
        units: U96::from(1),
    };
    let registration = IAssets::Registration {
        kind: IAssets::Kind::Dataset,
        contentHash: B256::repeat_byte(1),
        metadataURI: String::from("data:application/json,{\"name\":\"pool\"}"),
        inputPrice: 0,
        outputPrice: 0,
        derivativeRoyalty: 0,
        derivatives: IAssets::Derivatives::Open,
        edges: Vec::new(),
        members: Vec::new(),
        ownerUnits: U96::ZERO,
        isOpen: true,
    };
    let outcome =
        client.send(key, ASSETS, Amount::ZERO, &IAssets::registerCall { registration }).await?;
    let registered = outcome.events::<IAssets::Registered>();
    let asset = registered.first().wrap_err("nothing was registered")?.data.asset;
    let members: Vec<_> = (0..count).map(member).collect();
    for batch in members.chunks(BATCH) {
        let call = IAssets::addMembersCall { asset, members: batch.to_vec() };
        client.send(key, ASSETS, Amount::ZERO, &call).await?;
    }
    client.send(key, ASSETS, Amount::ZERO, &IAssets::sealCall { asset }).await?;
    Ok(asset)
}
