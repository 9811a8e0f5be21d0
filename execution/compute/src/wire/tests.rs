//! What gateway and worker say to each other, byte for byte: the two are never of the same age. What is added
//! may be missing in what the other sends, and nothing is renamed.

use super::{
    Card, Event, FinishReason, Input, Job, Problem, ProblemCode, Role, SignRequest, Signed,
};
use sahara_primitives::{DeterminismClass, ReceiptSeq};
use serde::{Serialize, de::DeserializeOwned};

const JOB: &str = r#"{"id":"0x0404040404040404040404040404040404040404040404040404040404040404","channel":"0x0303030303030303030303030303030303030303030303030303030303030303","asset":1,"input":{"chat":[{"role":"system","content":"be brief"},{"role":"user","content":"hello"},{"role":"assistant","content":"hi"}]},"max_tokens":7,"is_flexible":true,"max_prompt_tokens":50,"sampling":{"temperature_milli":700,"seed":18446744073709551615},"stop":["\n"],"worker_prices":{"input":"10","output":"340282366920938463463374607431768211455"},"asset_prices":{"input":"30","output":"40"}}"#;
const SIGN_REQUEST: &str = r#"{"job":"0x0404040404040404040404040404040404040404040404040404040404040404","receipt":{"chain_id":724272,"channel":"0x0303030303030303030303030303030303030303030303030303030303030303","seq":3,"request_hash":"0x0606060606060606060606060606060606060606060606060606060606060606","asset":1,"license":5,"worker":"0x0707070707070707070707070707070707070707","model_root":"0x0909090909090909090909090909090909090909090909090909090909090909","class":"Statistical","usage":{"prompt_tokens":12,"completion_tokens":3},"worker_prices":{"input":"10","output":"20"},"asset_prices":{"input":"30","output":"40"},"output_hash":"0x0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a","bill":{"worker":"0x1","asset":"0x2","protocol_fee":"0x3","gateway_fee":"0x4"},"cumulative":"0xa","cumulative_worker":"0x1","cumulative_asset":"0x2","previous":"0x0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b0b"}}"#;
const SIGNED: &str =
    r#"{"worker":"0x0707070707070707070707070707070707070707","receipt":"0x0d","earning":"0x0e"}"#;
const CARD: &str = r#"{"asset":1,"class":"D1","model_root":"0x0909090909090909090909090909090909090909090909090909090909090909","context_length":8192,"overhead_tokens":12,"prices":{"input":"10","output":"20"}}"#;

/// What is read is written as it stood.
fn read<T: DeserializeOwned + Serialize>(text: &str) -> T {
    let value = serde_json::from_str::<T>(text).unwrap_or_else(|error| panic!("{error}: {text}"));
    assert_eq!(serde_json::to_string(&value).unwrap(), text);
    value
}

#[test]
fn requests_are_frozen() {
    let job = read::<Job>(JOB);
    let Input::Chat(messages) = job.input else { panic!("a conversation") };
    let roles = messages.iter().map(|message| message.role).collect::<Vec<_>>();
    assert_eq!(roles, [Role::System, Role::User, Role::Assistant]);
    let text = r#"{"text":"once upon a time"}"#;
    assert_eq!(read::<Input>(text), Input::Text("once upon a time".into()));
    let request = read::<SignRequest>(SIGN_REQUEST);
    assert_eq!(request.receipt.seq, ReceiptSeq(3));
}

#[test]
fn answers_are_frozen() {
    let events = [
        (Event::Accepted { prompt_tokens: 12 }, r#"{"event":"accepted","prompt_tokens":12}"#),
        (Event::Token { text: " there".into() }, r#"{"event":"token","text":" there"}"#),
        (Event::Failed { message: "no".into() }, r#"{"event":"failed","message":"no"}"#),
    ];
    for (event, text) in events {
        assert_eq!(read::<Event>(text), event);
    }
    for (reason, word) in [(FinishReason::Stop, "stop"), (FinishReason::Length, "length")] {
        let text = format!(
            r#"{{"event":"ended","finish_reason":"{word}","usage":{{"prompt_tokens":12,"completion_tokens":3}}}}"#
        );
        let Event::Ended { finish_reason, usage } = read(&text) else { panic!("an end") };
        assert_eq!((finish_reason, usage.completion_tokens), (reason, 3));
    }
    read::<Signed>(SIGNED);
    assert_eq!(read::<Card>(CARD).class, DeterminismClass::D1);
    read::<Card>(&CARD.replace("D1", "Statistical"));
}

/// The words, and the statuses that carry them.
#[test]
fn refusals_are_frozen() {
    let codes = [
        (ProblemCode::Unauthorised, "unauthorised", 401),
        (ProblemCode::GatewayNotBonded, "gateway_not_bonded", 403),
        (ProblemCode::Unavailable, "unavailable", 503),
        (ProblemCode::UnknownAsset, "unknown_asset", 404),
        (ProblemCode::ContextLengthExceeded, "context_length_exceeded", 400),
        (ProblemCode::InvalidJob, "invalid_job", 400),
        (ProblemCode::PriceTooLow, "price_too_low", 402),
        (ProblemCode::Busy, "busy", 429),
        (ProblemCode::Contradiction, "contradiction", 409),
        (ProblemCode::Internal, "internal", 500),
    ];
    for (code, word, status) in codes {
        let text = format!(r#"{{"code":"{word}","message":"why"}}"#);
        assert_eq!(read::<Problem>(&text), Problem::new(code, "why"));
        assert_eq!(code.status(), status, "{word}");
    }
    let text = r#"{"code":"contradiction","message":"why","last":3}"#;
    assert_eq!(read::<Problem>(text).last, Some(ReceiptSeq(3)));
}
