use super::{Asker, LITTLE, LONGEST_ID, Limits, MOST_CALLS, Sum, Unread};
use crate::computing::Whose;
use jsonrpsee::{
    MethodResponse, ResponsePayload,
    core::middleware::{Batch, BatchEntry, Notification, RpcServiceT},
    types::{ErrorCode, Id, Request},
};
use std::{
    future::ready,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    task::{Context, Poll, Wake, Waker},
};
use tokio::time::Instant;
use tower::Layer as _;

const MOST: Limits = Limits { unread: 16 * LITTLE, answer: LITTLE };

#[derive(Default)]
struct Woken(AtomicBool);

impl Wake for Woken {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::Relaxed);
    }
}

#[test]
fn a_client_leaves_a_quarter_unread_and_all_together_no_more_than_all() {
    let (all, client) = (Sum::default(), Sum::default());
    let of = |client: &Sum| Unread::new(&all, Some(Arc::clone(client)), MOST);
    let (first, second) = (of(&client), of(&client));
    assert!(first.give(3 * LITTLE));
    assert!(!second.give(2 * LITTLE), "both together more than a quarter");
    assert!(second.give(LITTLE), "a little always fits");
    first.took(LITTLE);
    assert!(second.give(LITTLE), "what was read makes room");
    let others: Vec<_> = (0..3).map(|_| of(&Sum::default())).collect();
    assert!(others.iter().all(|other| other.give(4 * LITTLE)));
    // Where clients are not told apart there is what is left.
    let near = Unread::new(&all, None, MOST);
    assert!(!near.give(2 * LITTLE) && near.give(LITTLE));
    for one in others.iter().chain([&first, &second, &near]) {
        one.close();
        assert!(one.give(LITTLE), "nobody will read it, and nothing is counted");
    }
    assert_eq!((all.load(Ordering::Relaxed), client.load(Ordering::Relaxed)), (0, 0));
}

#[test]
fn beyond_what_all_may_leave_each_connection_leaves_a_little() {
    let all = Sum::default();
    let connections: Vec<_> = (0..20).map(|_| Unread::new(&all, None, MOST)).collect();
    let first = connections.first().unwrap();
    assert!(first.give(MOST.unread));
    for one in connections.iter().skip(1) {
        assert!(one.give(LITTLE) && !one.give(1));
    }
    assert_eq!(all.load(Ordering::Relaxed), MOST.unread + 19 * LITTLE);
}

#[test]
fn who_has_much_to_read_or_many_calls_is_not_heard_meanwhile() {
    let one = Unread::new(&Sum::default(), None, MOST);
    let woken = Arc::new(Woken::default());
    let waker = Waker::from(Arc::clone(&woken));
    let context = Context::from_waker(&waker);
    let is_woken = || woken.0.swap(false, Ordering::Relaxed);
    let is_full = || one.poll(&context).is_pending();
    assert!(!is_full());
    assert!(one.held_until().is_none());
    assert!(one.give(2 * LITTLE) && is_full());
    one.took(LITTLE);
    assert!(is_full() && !is_woken());
    one.took(1);
    assert!(is_woken(), "there is room again");
    assert!(one.held_until().is_some_and(|until| until <= Instant::now()));
    assert!(!is_full());
    one.took(1);
    assert!(!is_woken(), "it waits for the client, not for room");
    let mut calls: Vec<_> = (0..MOST_CALLS).map(|_| one.call(1)).collect();
    assert!(is_full());
    calls.truncate(1);
    assert!(is_woken() && !is_full());
    let large = one.call(LITTLE);
    assert!(is_full());
    drop(large);
    assert!(is_woken() && !is_full());
    one.cut();
    assert!(is_woken(), "who reads hears that it is over");
    assert!(matches!(one.poll(&context), Poll::Ready(Err(_))));
}

#[test]
fn a_long_answer_to_a_subscription_is_counted_and_a_refusal_repeats_no_long_id() {
    let one = Unread::new(&Sum::default(), None, MOST);
    let long = || Id::Str("x".repeat(2 * LITTLE).into());
    let text = |response: &MethodResponse| response.as_json().get().len();
    for (id, is_counted) in [(Id::Number(1), false), (long(), true)] {
        let response = MethodResponse::subscription_error(id, ErrorCode::InvalidParams);
        let bytes = if is_counted { text(&response) } else { 0 };
        assert!(one.answer(response, Id::Null).is_subscription());
        assert_eq!(one.0.own.lock().bytes, bytes);
    }
    one.owe(MOST.unread);
    let refused = one.answer(MethodResponse::error(long(), ErrorCode::InvalidParams), long());
    assert!(text(&refused) < LONGEST_ID, "{}", text(&refused));
    let large = MethodResponse::response(Id::Number(7), ResponsePayload::success(1), LITTLE);
    let refused = one.answer(large, Id::Number(7));
    assert!(refused.is_error() && refused.as_json().get().contains("\"id\":7"));
}

/// Answers at once: 8 to a client that is told apart, else 7.
#[derive(Clone)]
struct Ready;

impl RpcServiceT for Ready {
    type MethodResponse = MethodResponse;
    type NotificationResponse = ();
    type BatchResponse = ();

    fn call<'a>(&self, request: Request<'a>) -> impl Future<Output = MethodResponse> + Send + 'a {
        let id = request.id();
        async move {
            let answer = match Whose::now() {
                Whose::Call(_) => 8,
                Whose::Notice(_) | Whose::Anyone | Whose::News => 7,
            };
            MethodResponse::response(id, ResponsePayload::success(answer), LITTLE)
        }
    }

    fn batch<'a>(&self, _: Batch<'a>) -> impl Future<Output = ()> + Send + 'a {
        ready(())
    }

    fn notification<'a>(&self, _: Notification<'a>) -> impl Future<Output = ()> + Send + 'a {
        ready(())
    }
}

#[tokio::test]
async fn a_batch_lets_others_have_their_turn() {
    let one = Unread::new(&Sum::default(), None, MOST).layer(Ready);
    let calls = (0..100).map(|id| Request::borrowed("one", None, Id::Number(id)));
    let batch = Batch::from(calls.map(|call| Ok(BatchEntry::Call(call))).collect());
    let mut turns = 0;
    let others = async {
        for _ in 0..10_000 {
            turns += 1;
            tokio::task::yield_now().await;
        }
    };
    let answer = tokio::select! {
        answer = one.batch(batch) => answer,
        () = others => panic!("the batch does not end"),
    };
    assert!(answer.is_batch());
    assert_eq!(answer.as_json().get().matches("\"result\":7").count(), 100);
    assert!(turns > 10, "{turns} turns of another");
    let notice =
        Batch::from(vec![Ok(BatchEntry::Notification(Notification::new("one".into(), None)))]);
    assert!(one.batch(notice).await.is_notification());
}

#[tokio::test]
async fn who_calls_is_known_where_the_call_may_have_to_wait() {
    let one = Unread::new(&Sum::default(), None, MOST).layer(Ready);
    let call = |asker: Option<Asker>| {
        let mut call = Request::borrowed("one", None, Id::Number(1));
        if let Some(asker) = asker {
            call.extensions_mut().insert(asker);
        }
        call
    };
    let asker = Some(Asker([192, 0, 2, 1].into()));
    for (asker, result) in [(asker, "\"result\":8"), (None, "\"result\":7")] {
        let answer = one.call(call(asker)).await;
        assert!(answer.as_json().get().contains(result), "{}", answer.as_json());
        let batch = Batch::from(vec![Ok(BatchEntry::Call(call(asker)))]);
        let answer = one.batch(batch).await;
        assert!(answer.as_json().get().contains(result), "{}", answer.as_json());
    }
}
