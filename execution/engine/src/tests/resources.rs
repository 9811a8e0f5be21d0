use super::fixtures::{answer, collect, engine, lasting, one_thread, request, tiny_model};
use crate::{EngineOptions, Event, Failure, FinishReason, GenerateRequest, RequestError, Sampling};
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::task::{Context, Poll, Wake, Waker};

#[test]
fn i6_what_cannot_be_computed_is_refused_before_work() {
    let model = tiny_model(8);
    let small = EngineOptions { kv_memory_bytes: model.cache_bytes(64), ..one_thread() };
    let engine = engine(&model, &small);
    let refuse = |request: GenerateRequest| engine.submit(request).map(drop).unwrap_err();
    assert_eq!(refuse(request(vec![], 5)), RequestError::EmptyPrompt);
    assert_eq!(refuse(request(vec![5], 0)), RequestError::NoTokens);
    assert_eq!(
        refuse(request(vec![5, 999], 5)),
        RequestError::UnknownToken { token: 999, vocabulary: 261 }
    );
    let too_long = RequestError::ContextExceeded { prompt: 100, max_tokens: 29, context: 128 };
    assert_eq!(refuse(request(vec![5; 100], 29)), too_long);
    let overflowing = refuse(request(vec![5], usize::MAX));
    assert!(matches!(overflowing, RequestError::ContextExceeded { .. }));
    let (needed, available) = (model.cache_bytes(65), model.cache_bytes(64));
    assert_eq!(refuse(request(vec![5; 60], 5)), RequestError::MemoryExceeded { needed, available });
    let hot = Sampling { temperature_milli: 2_001, seed: 0 };
    assert_eq!(
        refuse(GenerateRequest { sampling: hot, ..request(vec![5], 5) }),
        RequestError::Temperature(2_001)
    );
    for stop in [vec![String::new()], vec!["x".repeat(257)], vec!["x".into(); 17]] {
        assert_eq!(refuse(GenerateRequest { stop, ..request(vec![5], 5) }), RequestError::Stop);
    }
    let fits = GenerateRequest { max_tokens: 60, ..lasting(0) };
    assert_eq!(answer(&engine, fits).pieces.len(), 60, "what just fits is computed");
}

#[test]
fn i6_conversations_wait_for_memory_and_all_get_their_answer() {
    let model = tiny_model(8);
    // room for two at a time; receivers that read nothing keep theirs
    let options = EngineOptions {
        kv_memory_bytes: model.cache_bytes(124) * 2,
        events_ahead: 4,
        ..one_thread()
    };
    let engine = engine(&model, &options);
    let mut running: Vec<_> = (0..6).map(|seed| engine.submit(lasting(seed)).unwrap()).collect();
    // the first two have begun, and as nobody reads them to the end, the others cannot
    let begun: Vec<Event> =
        running[..2].iter_mut().map(|generation| generation.next().unwrap()).collect();
    assert!(begun.iter().all(|event| matches!(event, Event::Token(_))));
    for generation in &mut running[2..] {
        let mut context = Context::from_waker(Waker::noop());
        assert_eq!(generation.poll_event(&mut context), Poll::Pending);
    }
    let mut begun = begun.into_iter();
    for generation in running {
        assert_eq!(collect(begun.next().into_iter().chain(generation)).pieces.len(), 120);
    }
}

#[test]
fn i6_a_full_queue_says_busy() {
    let model = tiny_model(8);
    let options = EngineOptions { max_active: 1, max_waiting: 2, events_ahead: 1, ..one_thread() };
    let engine = engine(&model, &options);
    let mut first = engine.submit(lasting(0)).unwrap();
    assert!(matches!(first.next(), Some(Event::Token(_))));
    let second = engine.submit(lasting(1)).unwrap();
    let third = engine.submit(lasting(2)).unwrap();
    assert_eq!(engine.submit(lasting(3)).map(drop), Err(RequestError::Busy(2)));
    drop((first, second));
    assert_eq!(collect(third).pieces.len(), 120);
}

#[test]
fn i8_a_cancelled_answer_ends_and_frees_its_memory() {
    let model = tiny_model(8);
    let options =
        EngineOptions { kv_memory_bytes: model.cache_bytes(124), events_ahead: 8, ..one_thread() };
    let engine = engine(&model, &options);
    let mut generation = engine.submit(lasting(0)).unwrap();
    let first = generation.next();
    let waiting = engine.submit(lasting(1)).unwrap();
    let abandoned = engine.submit(lasting(2)).unwrap();
    drop(abandoned);
    generation.cancel();
    let rest = collect(first.into_iter().chain(generation.by_ref()));
    assert_eq!(rest.finish_reason, FinishReason::Cancelled);
    assert!(rest.pieces.len() < 20, "the engine went {} tokens on", rest.pieces.len());
    assert_eq!(generation.next(), None);
    assert_eq!(collect(waiting).pieces.len(), 120, "the next one gets the memory");
}

#[test]
fn i8_a_slow_receiver_holds_up_nobody_and_bounds_the_work_ahead() {
    let model = tiny_model(8);
    let engine = engine(&model, &EngineOptions { events_ahead: 3, ..one_thread() });
    let slow = engine.submit(lasting(0)).unwrap();
    let quick: Vec<_> = (1..4).map(|seed| answer(&engine, lasting(seed)).pieces.len()).collect();
    assert_eq!(quick, [120; 3]);
    assert_eq!(collect(slow).pieces.len(), 120, "and misses nothing");
}

#[test]
fn i8_a_dropped_engine_tells_everyone() {
    let model = tiny_model(8);
    let engine = engine(&model, &EngineOptions { max_active: 1, events_ahead: 1, ..one_thread() });
    let mut running = engine.submit(lasting(0)).unwrap();
    let mut waiting = engine.submit(lasting(1)).unwrap();
    assert!(matches!(running.next(), Some(Event::Token(_))));
    drop(engine);
    for generation in [&mut running, &mut waiting] {
        let last = generation.by_ref().last();
        assert_eq!(last, Some(Event::Failed(Failure::Stopped)));
    }
}

/// Counts and unparks, as an executor does.
struct Counter(AtomicUsize, std::thread::Thread);

impl Wake for Counter {
    fn wake(self: Arc<Self>) {
        self.0.fetch_add(1, Ordering::SeqCst);
        self.1.unpark();
    }
}

#[test]
fn events_reach_an_async_receiver() {
    let model = tiny_model(8);
    let engine = engine(&model, &EngineOptions { events_ahead: 2, ..one_thread() });
    let mut generation = engine.submit(lasting(3)).unwrap();
    let counter = Arc::new(Counter(AtomicUsize::new(0), std::thread::current()));
    let waker = Waker::from(Arc::clone(&counter));
    let mut events = Vec::new();
    {
        let mut future = pin!(async {
            while let Some(event) = generation.next_event().await {
                events.push(event);
            }
        });
        while future.as_mut().poll(&mut Context::from_waker(&waker)).is_pending() {
            std::thread::park();
        }
    }
    assert_eq!(collect(events.into_iter()), answer(&engine, lasting(3)));
    assert!(counter.0.load(Ordering::SeqCst) > 0);
}
