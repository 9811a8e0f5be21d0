//! Usage logs: a period's claims become an asset.

use super::world::{NOW, PERIOD, World, chat, signer};
use alloy_primitives::{B256, U256};
use alloy_sol_types::SolEvent;
use sahara_abi::{
    ASSETS,
    IAssets::{self, Kind, Relation},
    IChannels,
    ILicenses::{self, Template},
    LICENSES,
};
use sahara_primitives::{
    AssetId, ChannelId, LOCAL_CHAIN_ID, LoggedClaim, ReceiptSeq, Timestamp, UsageLog,
};
use serde_json::{Value, json};
use std::sync::atomic::Ordering;

impl World {
    fn count(&self) -> u64 {
        self.node.view(ASSETS, &IAssets::assetCountCall {})
    }

    fn owner(&self, asset: u64) -> alloy_primitives::Address {
        self.node.view(ASSETS, &IAssets::ownerOfCall { tokenId: U256::from(asset) })
    }

    fn next_period(&self) {
        self.now.fetch_add(PERIOD * 1_000, Ordering::SeqCst);
    }

    /// The log's root as a stranger adds it up from the chain's events.
    fn recount(&self, asset: u64, (from, to): (Timestamp, Timestamp)) -> B256 {
        let covers = UsageLog {
            chain_id: LOCAL_CHAIN_ID,
            gateway: self.gateway.address(),
            asset: AssetId(asset),
            from,
            to,
        };
        let mut claims = Vec::new();
        for mined in self.node.blocks() {
            let at = mined.logs.first().and_then(|log| log.block_timestamp).map(Timestamp);
            let logs: Vec<_> = mined.logs.iter().map(|log| &log.inner).collect();
            for event in logs.iter().filter_map(|log| IChannels::Collected::decode_log(log).ok()) {
                let is_used = logs.iter().any(|log| {
                    IChannels::Earned::decode_log(log)
                        .is_ok_and(|line| line.channelId == event.channelId && line.asset == asset)
                });
                if is_used && at.is_some_and(|at| covers.covers(at)) {
                    claims.push(LoggedClaim {
                        channel: ChannelId(event.channelId),
                        from: ReceiptSeq(event.seqFrom.to()),
                        to: ReceiptSeq(event.seqTo.to()),
                        receipts_root: event.receiptsRoot,
                    });
                }
            }
        }
        covers.root_of(&claims)
    }

    async fn log(&self, asset: u64, secret: Option<&str>) -> (u16, Value) {
        let request = self.http.get(format!("{}/v1/logs/{asset}", self.url));
        let request = match secret {
            Some(secret) => request.bearer_auth(secret),
            None => request,
        };
        let response = request.send().await.unwrap();
        (response.status().as_u16(), response.json().await.unwrap())
    }
}

fn period(number: u64) -> (Timestamp, Timestamp) {
    let (from, to) = Timestamp(NOW / 1_000).period(PERIOD);
    (from.saturating_add(number * PERIOD), to.saturating_add(number * PERIOD))
}

#[tokio::test]
async fn l1_a_closed_period_becomes_an_asset_with_the_root_that_anyone_adds_up() {
    let world = World::new().await;
    for text in ["one", "two"] {
        world.answer(&chat(text)).await;
        world.settle().await;
    }
    world.gateway.close_periods().await.unwrap();
    assert_eq!(world.count(), 1, "the period is not over");
    world.next_period();
    world.answer(&chat("next")).await;
    world.settle().await;
    world.gateway.close_periods().await.unwrap();
    assert_eq!(world.count(), 2);
    let log = world.node.view(ASSETS, &IAssets::assetCall { asset: 2 });
    assert_eq!((log.kind, log.creator), (Kind::UsageLog, world.gateway.address()));
    assert_eq!(log.contentHash, world.recount(1, period(0)));
    let edges = world.node.view(ASSETS, &IAssets::edgesCall { asset: 2 });
    assert_eq!(edges, vec![IAssets::Edge { parent: 1, relation: Relation::Records }]);
    // L4: who owns what was used owns the log.
    assert_eq!(world.owner(2), signer(4).address());
    world.gateway.close_periods().await.unwrap();
    world.next_period();
    world.gateway.close_periods().await.unwrap();
    world.next_period();
    world.gateway.close_periods().await.unwrap();
    assert_eq!(world.count(), 3, "each period once, and none that is empty");
    let log = world.node.view(ASSETS, &IAssets::assetCall { asset: 3 });
    assert_eq!(log.contentHash, world.recount(1, period(1)));
}

#[tokio::test]
async fn l2_killed_between_any_two_steps_a_period_has_one_log() {
    let mut world = World::new().await;
    world.answer(&chat("one")).await;
    world.settle().await;
    world.next_period();
    let before = world.copy_store();
    // Registered, given, and forgotten.
    world.gateway.close_periods().await.unwrap();
    world.restart_with(before).await;
    world.gateway.close_periods().await.unwrap();
    assert_eq!((world.count(), world.owner(2)), (2, signer(4).address()));
    let row = world.gateway.log_of(AssetId(1), period(0).0).unwrap().unwrap();
    assert_eq!((row.log, row.claims.len()), (AssetId(2), 1));
    // The registration's reply is lost.
    world.answer(&chat("two")).await;
    world.settle().await;
    world.next_period();
    world.node.is_deaf.store(true, Ordering::SeqCst);
    assert!(world.gateway.close_periods().await.is_err());
    assert_eq!((world.count(), world.owner(3)), (3, world.gateway.address()));
    world.node.is_deaf.store(false, Ordering::SeqCst);
    world.gateway.close_periods().await.unwrap();
    assert_eq!((world.count(), world.owner(3)), (3, signer(4).address()));
}

#[tokio::test]
async fn l2_a_lost_store_finds_its_logs_on_chain() {
    let mut world = World::new().await;
    world.answer(&chat("one")).await;
    world.settle().await;
    world.next_period();
    world.gateway.close_periods().await.unwrap();
    world.restart_with(tempfile::TempDir::new().unwrap()).await;
    world.gateway.close_periods().await.unwrap();
    assert_eq!(world.count(), 2);
    let row = world.gateway.log_of(AssetId(1), period(0).0).unwrap().unwrap();
    assert_eq!(row.log, AssetId(2));
}

#[tokio::test]
async fn a_log_that_no_transaction_takes_holds_up_no_other() {
    let world = World::new().await;
    world.answer(&chat("one")).await;
    world.settle().await;
    world.next_period();
    world.node.most_stores.store(1, Ordering::SeqCst);
    world.gateway.close_periods().await.unwrap();
    assert_eq!(world.count(), 1);
    world.node.most_stores.store(u64::MAX, Ordering::SeqCst);
    world.answer(&chat("two")).await;
    world.settle().await;
    world.next_period();
    world.gateway.close_periods().await.unwrap();
    assert_eq!(world.count(), 2);
}

#[tokio::test]
async fn l4_half_of_a_logs_units_go_with_it_the_payers_have_theirs() {
    let world = World::new().await;
    world.answer(&chat("one")).await;
    world.settle().await;
    world.next_period();
    world.gateway.close_periods().await.unwrap();
    let units = |account| {
        let call = sahara_abi::IRoyalties::unitsOfCall { asset: 2, account };
        world.node.view(sahara_abi::ROYALTIES, &call)
    };
    assert_eq!(units(world.payer.address()).to::<u64>(), 4_000_000);
    assert_eq!(units(world.gateway.address()).to::<u64>(), 1_000_000);
    assert_eq!(units(signer(4).address()).to::<u64>(), 5_000_000);
}

#[tokio::test]
async fn l5_a_log_is_read_by_its_owner_and_by_who_holds_a_licence() {
    let world = World::new().await;
    let answer = world.answer(&chat("a secret")).await;
    world.settle().await;
    world.next_period();
    world.gateway.close_periods().await.unwrap();
    let (status, public) = world.log(2, None).await;
    assert_eq!((status, &public["receipts"]), (200, &Value::Null));
    assert_eq!(public["claims"].as_array().unwrap().len(), 1);
    assert_eq!(world.log(2, Some(super::world::SECRET)).await.0, 403);
    let template = Template::Commercial;
    let call = ILicenses::templateCall { template, price: 5, derivativeRoyalty: 500 };
    let terms = world.offer(2, world.node.view(LICENSES, &call)).await;
    assert_eq!(world.log(2, Some(super::world::SECRET)).await.0, 403);
    world.buy(2, terms, 1).await;
    let (status, read) = world.log(2, Some(super::world::SECRET)).await;
    assert_eq!(status, 200, "{read}");
    let receipts = read["receipts"].as_array().unwrap();
    assert_eq!(receipts[0]["usage"]["completion_tokens"], answer["usage"]["completion_tokens"]);
    assert!(!read.to_string().contains("secret"), "{read}");
    assert_eq!(world.log(9, None).await.0, 404);
    assert_eq!(public["log"], json!(2));
}
