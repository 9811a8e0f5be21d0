use super::fixtures::{answer, collect, engine, one_thread, real, request, tiny_model, wild};
use crate::{
    ChatMessage, Claim, Difference, EngineOptions, FinishReason, GenerateRequest, Role, Sampling,
    Simd,
};

/// One whose greedy answer is short.
const QUESTION: &str = "What is the capital of France? Answer in one sentence.";

fn chat(question: &str) -> Vec<u32> {
    real().chat_prompt(&[ChatMessage::new(Role::User, question)]).unwrap()
}

#[test]
fn the_real_model_knows_the_capital_of_france() {
    let engine = engine(&real(), &one_thread());
    let found = answer(&engine, request(chat(QUESTION), 24));
    assert_eq!(found.text(), "The capital of France is Paris.");
    assert_eq!(found.finish_reason, FinishReason::Stop);
}

#[test]
fn i3_a_seed_repeats_and_another_seed_or_prompt_differs() {
    let engine = engine(&real(), &one_thread());
    let ask = |question: &str, seed| {
        let sampling = Sampling { temperature_milli: 900, seed };
        answer(&engine, GenerateRequest { sampling, ..request(chat(question), 12) })
    };
    let first = ask("Tell me about rivers.", 1);
    assert_eq!(first, ask("Tell me about rivers.", 1));
    assert_ne!(first.tokens(), ask("Tell me about rivers.", 2).tokens());
    assert_ne!(first.tokens(), ask("Tell me about salt.", 1).tokens());
    let greedy = |question: &str| answer(&engine, request(chat(question), 12)).tokens();
    assert_ne!(greedy("Tell me about rivers."), greedy("Tell me about salt."));
}

#[test]
fn i3_answers_do_not_depend_on_how_the_engine_works() {
    let model = tiny_model(3);
    let requests: Vec<GenerateRequest> =
        (0..9).map(|seed| wild(seed, 20 + seed as usize)).collect();
    let alone = engine(&model, &one_thread());
    let expected: Vec<_> = requests.iter().map(|request| answer(&alone, request.clone())).collect();
    let threads = EngineOptions {
        threads: 3,
        prefill_chunk: 3,
        max_active: 4,
        events_ahead: 2,
        ..one_thread()
    };
    let scalar = EngineOptions { simd: Simd::Scalar, prefill_chunk: 1, ..one_thread() };
    for options in [threads, scalar] {
        let engine = engine(&model, &options);
        let running: Vec<_> =
            requests.iter().map(|request| engine.submit(request.clone()).unwrap()).collect();
        let found: Vec<_> = running.into_iter().map(collect).collect();
        assert_eq!(found, expected);
    }
}

#[test]
fn i2_one_pass_reproduces_the_answer_and_finds_every_change() {
    let model = tiny_model(8);
    let engine = engine(&model, &EngineOptions { prefill_chunk: 16, ..one_thread() });
    let request = wild(4, 40);
    let given = answer(&engine, request.clone());
    let tokens = given.tokens();
    let check = |tokens: Vec<u32>, finish_reason| {
        engine.verify(request.clone(), Claim { tokens, finish_reason }).unwrap().wait().unwrap()
    };
    assert_eq!(check(tokens.clone(), given.finish_reason), None);
    for number in [0, 1, tokens.len() / 2, tokens.len() - 1] {
        for claimed in [(tokens[number] + 1) % 250, 2, 9_999] {
            let mut changed = tokens.clone();
            changed[number] = claimed;
            let expected =
                Difference { number, computed: Some(tokens[number]), claimed: Some(claimed) };
            assert_eq!(check(changed, given.finish_reason), Some(expected));
        }
    }
    let shorter = tokens[..tokens.len() - 1].to_vec();
    assert!(check(shorter.clone(), FinishReason::Stop).is_some());
    assert_eq!(
        check(shorter, FinishReason::Cancelled),
        None,
        "a cancelled answer may end anywhere"
    );
    assert_eq!(check(Vec::new(), FinishReason::Cancelled), None);
    let longer = [tokens, vec![7]].concat();
    assert!(check(longer, given.finish_reason).is_some());
}

#[test]
fn i2_answers_that_ended_by_a_stop_are_reproduced() {
    let engine = engine(&real(), &one_thread());
    let by_turn = request(chat(QUESTION), 24);
    let by_text = GenerateRequest { stop: vec![" France".into()], ..by_turn.clone() };
    for request in [by_turn, by_text] {
        let given = answer(&engine, request.clone());
        assert_eq!(given.finish_reason, FinishReason::Stop);
        let claim = Claim { tokens: given.tokens(), finish_reason: FinishReason::Stop };
        assert_eq!(engine.verify(request.clone(), claim.clone()).unwrap().wait(), Ok(None));
        let another = Claim { finish_reason: FinishReason::Length, ..claim };
        assert!(engine.verify(request, another).unwrap().wait().unwrap().is_some());
    }
}
