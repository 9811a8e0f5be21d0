//! Who is answered when.

use std::{sync::Arc, time::Duration};

use alloy_primitives::Bytes;
use commonware_p2p::{Recipients, Sender as _, simulated::Link};
use commonware_runtime::{Clock as _, Runner as _, Supervisor as _, deterministic};
use commonware_utils::probability;
use parking_lot::Mutex;
use sahara_chain::sync::{
    CHANNEL, Library, start,
    wire::{Answer, Message, Request},
};
use tokio::sync::mpsc;

use crate::links::{QUOTA, network};

/// Has nothing, and keeps what it was asked for.
#[derive(Clone, Default)]
struct Asked(Arc<Mutex<Vec<u64>>>);

impl Library for Asked {
    fn answer(&self, request: &Request) -> Option<Answer> {
        if let Request::Block(number) = request {
            self.0.lock().push(*number);
        }
        Some(Answer::Gone)
    }
}

#[test]
fn i4_who_asks_much_waits_for_itself_alone() {
    // Eight of the first wait, and the others are dropped. But who sends without a pause does not keep the node
    // from answering: after 64 requests one is answered, and there is room for another.
    let cases: [(u64, &[u64]); 2] =
        [(20, &[0, 99, 1, 2, 3, 4, 5, 6, 7]), (70, &[0, 1, 99, 2, 3, 4, 5, 6, 7, 64])];
    for (first, order) in cases {
        let asked = Asked::default();
        let library = asked.clone();
        deterministic::Runner::timed(Duration::from_secs(60)).start(|context| async move {
            let (keys, oracle) = network(&context, 3).await;
            let server = oracle.control(keys[0].clone()).register(CHANNEL, QUOTA).await.unwrap();
            let mut senders = Vec::new();
            for key in &keys[1..] {
                let latency = Duration::from_millis(5);
                let link =
                    Link { latency, jitter: Duration::ZERO, success_rate: probability!(1.0) };
                oracle.add_link(key.clone(), keys[0].clone(), link).await.unwrap();
                senders.push(oracle.control(key.clone()).register(CHANNEL, QUOTA).await.unwrap());
            }
            let mut ask = |peer: usize, number: u64| {
                let message = Message::Request(number, Request::Block(number)).encoded();
                let to = Recipients::One(keys[0].clone());
                let sent = senders[peer].0.send(to, Bytes::from(message).0, false);
                assert_eq!(sent.len(), 1);
            };
            // All of the first are there before the only one of the second.
            (0..first).for_each(|number| ask(0, number));
            context.sleep(Duration::from_secs(1)).await;
            ask(1, 99);
            context.sleep(Duration::from_secs(1)).await;
            let nobody = mpsc::channel(1).0;
            let _serving = start(context.child("server"), Arc::new(library), server, nobody);
            context.sleep(Duration::from_secs(1)).await;
        });
        assert_eq!(*asked.0.lock(), order, "of {first}");
    }
}
