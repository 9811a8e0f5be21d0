//! What is followed is what is rebuilt, in either database, whatever is killed when.

use crate::{
    ask::Ask,
    economy::{CREATOR, Economy, New, STRANGER, coins},
    gate::Gate,
    node::TestNode,
    start::{Kind, TestDatabase, on_both},
};
use proptest::{
    strategy::{Strategy as _, ValueTree as _},
    test_runner::TestRunner,
};
use sahara_index::{Index, IndexError, Source};
use std::{sync::Arc, time::Duration};

/// Blocks that are asked for at once.
const BATCH: u64 = 32;

on_both!(
    i1_followed_and_rebuilt_are_equal,
    a_rebuild_shows_nothing_until_it_is_whole,
    i2_a_kill_at_any_point_changes_nothing,
    another_genesis_is_refused,
    two_followers_of_one_database_do_no_harm,
    hostile_texts_are_harmless,
    blocks_longer_than_an_answer_are_read_in_parts,
);

async fn i1_followed_and_rebuilt_are_equal(kind: Kind) {
    let mut economy = Economy::start().await;
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    index.catch_up().await.unwrap();
    let before = index.content_hash().await.unwrap();
    // Block by block from here on.
    economy.transfer(STRANGER, 9, coins(1)).await;
    index.catch_up().await.unwrap();
    assert_ne!(index.content_hash().await.unwrap(), before);
    economy.live().await;
    let head = index.catch_up().await.unwrap();
    let followed = index.content_hash().await.unwrap();
    assert_eq!(index.rebuild().await.unwrap(), head);
    assert_eq!(index.content_hash().await.unwrap(), followed, "rebuilt");

    let other = match kind {
        Kind::Sqlite => Kind::Postgres,
        Kind::Postgres => Kind::Sqlite,
    };
    let other = TestDatabase::new(other);
    let other = other.index(&economy.node).await;
    other.catch_up().await.unwrap();
    assert_eq!(other.content_hash().await.unwrap(), followed, "in the other database");
}

/// The node stops answering in the middle of a rebuild: readers see the old content, whole, until the
/// new one is; and keep it when the node goes away for good.
async fn a_rebuild_shows_nothing_until_it_is_whole(kind: Kind) {
    let mut economy = Economy::start().await;
    economy.live().await;
    for _ in 0..BATCH / 2 {
        economy.transfer(STRANGER, 9, coins(1)).await;
    }
    let database = TestDatabase::new(kind);
    let gate = Gate::before(&economy.node.url()).await;
    let index = Arc::new(Index::new(database.open().await, Source::new(gate.client())));
    let head = index.catch_up().await.unwrap();
    assert!(head > BATCH, "{head} blocks: expected more than one batch");
    // Another program at the same database.
    let reader = database.index(&economy.node).await;
    let ask = [Ask(index.router()), Ask(reader.router())];
    let paths = ["/assets?q=smollm2", "/assets/2", "/blocks?limit=100", "/stats", "/market"];
    let mut before = Vec::new();
    for path in paths {
        before.push(ask[1].get(path).await);
    }
    let hash = index.content_hash().await.unwrap();
    let is_whole = async || {
        for ask in &ask {
            for (path, before) in paths.iter().zip(&before) {
                assert_eq!(&ask.get(path).await, before, "{path}");
            }
        }
        assert_eq!(reader.content_hash().await.unwrap(), hash);
        assert_eq!(index.head().await.unwrap(), Some(head));
    };
    let rebuild = || {
        let index = Arc::clone(&index);
        tokio::spawn(async move { index.rebuild().await })
    };

    // The first batch is written, the second does not come.
    gate.stop_at(2);
    let first = rebuild();
    gate.is_waited_at().await;
    is_whole().await;
    gate.fail();
    first.await.unwrap().unwrap_err();
    is_whole().await;

    gate.stop_at(2);
    let second = rebuild();
    gate.is_waited_at().await;
    is_whole().await;
    gate.open();
    while !second.is_finished() {
        is_whole().await;
    }
    assert_eq!(second.await.unwrap().unwrap(), head);
    is_whole().await;
}

/// The follower is dropped wherever it happens to wait, again and again, and taken up with new
/// connections.
async fn i2_a_kill_at_any_point_changes_nothing(kind: Kind) {
    let mut economy = Economy::start().await;
    economy.live().await;
    let whole = TestDatabase::new(kind);
    let whole = whole.index(&economy.node).await;
    let head = whole.catch_up().await.unwrap();

    let database = TestDatabase::new(kind);
    let mut runner = TestRunner::deterministic();
    let mut kills = 0_u64;
    loop {
        let index = database.index(&economy.node).await;
        // Longer from time to time, so that even a slow machine gets to the end.
        let delays = 0..20_000 + 1_000 * kills;
        let delay = Duration::from_micros(delays.new_tree(&mut runner).unwrap().current());
        match tokio::time::timeout(delay, index.catch_up()).await {
            Ok(Ok(reached)) => assert_eq!(reached, head),
            // Killed; or refused, while the server has not noticed yet that the one before is dead.
            killed_or_refused => {
                kills += 1;
                assert!(kills < 2_000, "{killed_or_refused:?}");
                continue;
            }
        }
        assert_eq!(index.head().await.unwrap(), Some(head));
        assert!(kills > 0, "nothing was killed");
        assert_eq!(
            index.content_hash().await.unwrap(),
            whole.content_hash().await.unwrap(),
            "after {kills} kills"
        );
        break;
    }
}

async fn another_genesis_is_refused(kind: Kind) {
    let (first, second) = (TestNode::start(0).await, TestNode::start(1).await);
    let database = TestDatabase::new(kind);
    database.index(&first).await.catch_up().await.unwrap();
    let hash = database.index(&first).await.content_hash().await.unwrap();
    let index = database.index(&second).await;
    let error = index.catch_up().await.unwrap_err();
    assert!(matches!(error, IndexError::OtherGenesis { .. }), "{error}");
    assert!(error.to_string().contains("expected the same chain, or an empty database"), "{error}");
    assert_eq!(index.content_hash().await.unwrap(), hash, "nothing was written");
}

async fn two_followers_of_one_database_do_no_harm(kind: Kind) {
    let economy = Economy::start().await;
    let database = TestDatabase::new(kind);
    let follow = async || {
        let index = database.index(&economy.node).await;
        loop {
            match index.catch_up().await {
                Ok(head) => break head,
                Err(error) => assert!(error.is_passing(), "{error}"),
            }
        }
    };
    let (first, second) = tokio::join!(follow(), follow());
    assert_eq!(first, second);
    let alone = TestDatabase::new(kind);
    let alone = alone.index(&economy.node).await;
    alone.catch_up().await.unwrap();
    let both = database.index(&economy.node).await;
    assert_eq!(both.content_hash().await.unwrap(), alone.content_hash().await.unwrap());
}

async fn hostile_texts_are_harmless(kind: Kind) {
    let economy = Economy::start().await;
    let uris = [
        "\0\0",
        "data:application/json,{\"name\":\"\\u0000\\u202e\\ud800\"}",
        "data:application/json,{\"name\":\"'; DROP TABLE assets; --\",\"tags\":[\"\\\"*\"]}",
        "data:application/json;base64,/////w==",
    ];
    for uri in uris {
        economy.register(CREATOR, &New { uri, ..New::default() }).await;
    }
    let database = TestDatabase::new(kind);
    let index = database.index(&economy.node).await;
    index.catch_up().await.unwrap();
    let followed = index.content_hash().await.unwrap();
    index.rebuild().await.unwrap();
    assert_eq!(index.content_hash().await.unwrap(), followed);
}

/// Whoever pays for more logs in a block than fit into an answer does not end the index.
async fn blocks_longer_than_an_answer_are_read_in_parts(kind: Kind) {
    let mut economy = Economy::start().await;
    economy.live().await;
    let whole = TestDatabase::new(kind);
    let whole = whole.index(&economy.node).await;
    let head = whole.catch_up().await.unwrap();
    let gate = Gate::before(&economy.node.url()).await;
    let database = TestDatabase::new(kind);
    let index = Index::new(database.open().await, Source::new(gate.client()));
    gate.refuse();
    let error = index.catch_up().await.unwrap_err();
    assert!(error.is_passing(), "a node that refuses for now is waited for: {error}");
    gate.shorten();
    assert_eq!(index.catch_up().await.unwrap(), head);
    let hashes = [index.content_hash().await.unwrap(), whole.content_hash().await.unwrap()];
    assert_eq!(hashes[0], hashes[1]);
}

#[tokio::test]
async fn a_node_that_is_away_is_waited_for() {
    let node = TestNode::start(0).await;
    let away = sahara_client::ChainClient::new("http://127.0.0.1:1").unwrap();
    let database = TestDatabase::new(Kind::Sqlite);
    let index = sahara_index::Index::new(database.open().await, Source::new(away));
    let error = index.catch_up().await.unwrap_err();
    assert!(error.is_passing(), "{error}");
    drop(node);
}
