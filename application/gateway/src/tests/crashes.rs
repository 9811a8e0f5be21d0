use super::world::{World, chat};
use crate::ChainError;
use futures::StreamExt;
use proptest::prelude::*;
use sahara_primitives::Amount;
use serde_json::json;
use std::collections::BTreeSet;

/// What may happen to a gateway.
#[derive(Clone, Copy, Debug)]
enum Step {
    /// A plain request under one of a few ids; again, it is a retry.
    Ask(u8),
    /// A stream of which so many tokens arrive before the kill.
    KillMidStream(usize),
    /// A kill with nothing under way.
    Kill,
    /// A claim gets into a block, and the gateway dies before it knows.
    KillAfterSubmit,
    Settle,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (0u8..4).prop_map(Step::Ask),
        2 => (1usize..4).prop_map(Step::KillMidStream),
        1 => Just(Step::Kill),
        2 => Just(Step::KillAfterSubmit),
        1 => Just(Step::Settle),
    ];
    proptest::collection::vec(step, 1..7)
}

async fn take(world: &mut World, step: Step) {
    match step {
        Step::Ask(id) => {
            let name = format!("id-{id}");
            let request = world.ask(&chat(&name)).header("idempotency-key", &name);
            assert_eq!(request.send().await.unwrap().status(), 200);
        }
        Step::KillMidStream(tokens) => {
            let mut body = chat("stream");
            body["stream"] = json!(true);
            world.script.permits.forget_permits(usize::MAX >> 3);
            world.script.permits.add_permits(tokens);
            let mut stream = world.ask(&body).send().await.unwrap().bytes_stream();
            let mut text = String::new();
            while !text.contains(&format!("t{} ", tokens - 1)) {
                text.push_str(std::str::from_utf8(&stream.next().await.unwrap().unwrap()).unwrap());
            }
            world.kill_and_restart().await;
            // The process that was killed here is only cut off: what it still runs must end.
            drop(stream);
            world.script.permits.add_permits(10_000);
            world.until(|world| world.script.is_idle()).await;
        }
        Step::Kill => world.kill_and_restart().await,
        Step::KillAfterSubmit => {
            let account = world.gateway.known_account(world.channel).unwrap();
            if let Some(prepared) = world.gateway.prepare(&account).unwrap() {
                let claimed =
                    world.gateway.chain().claim(vec![prepared.claim], prepared.uses).await;
                // A claim that got in before the last kill is not taken twice.
                let is_stale = |error| matches!(error, ChainError::Refused { name, .. } if name == "StaleClaim");
                assert!(claimed.map_or_else(is_stale, |_| true));
            }
            world.kill_and_restart().await;
        }
        Step::Settle => world.settle().await,
    }
}

async fn check(steps: Vec<Step>) {
    let mut world = World::new().await;
    let (mut names, mut streams) = (BTreeSet::new(), 0);
    for step in steps {
        take(&mut world, step).await;
        match step {
            Step::Ask(id) => drop(names.insert(id)),
            Step::KillMidStream(_) => streams += 1,
            Step::Kill | Step::KillAfterSubmit | Step::Settle => {}
        }
        assert_eq!(world.receipts(), u32::try_from(names.len()).unwrap() + streams, "{step:?}");
    }
    world.settle().await;
    let channel = world.gateway.known_account(world.channel).unwrap().row();
    assert_eq!(channel.settled_seq, channel.next_seq);
    assert_eq!(channel.settled, channel.spent);
    if world.receipts() > 0 {
        let chain = world.node.channel(world.channel);
        assert_eq!(Amount::from_u128(chain.settled.to()), channel.spent);
        assert_eq!(chain.seq.to::<u32>(), channel.next_seq.0);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(8) })]
    #[test]
    fn g2_g6_whatever_is_killed_when_everything_is_charged_and_settled_once(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        runtime.block_on(check(steps));
    }
}
