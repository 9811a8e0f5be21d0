//! How fast the engine reads a prompt and writes an answer, as one JSON line; the peer in `bench/peers/candle` prints
//! the same for the same file.
//!
//! Usage: `inference_speed [threads] [prompt tokens] [answer tokens] [model.gguf]`; without a file the default model
//! of the cache.

use sahara_engine::{Engine, EngineOptions, Event, GenerateRequest, LoadOptions, Model, Sampling};
use std::path::PathBuf;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let file = match arguments.get(3) {
        Some(file) => PathBuf::from(file),
        None => cached().ok_or("neither SAHARA_CACHE nor HOME is set: name a model file")?,
    };
    let number = |index: usize, default| {
        arguments.get(index).map_or(Ok(default), |text| text.parse::<usize>())
    };
    let (threads, prompt, answer) = (number(0, 1)?, number(1, 128)?, number(2, 64)?);
    let started = Instant::now();
    let model = Model::load(&file, &LoadOptions::default())?;
    let load = started.elapsed().as_secs_f64();
    let engine = Engine::new(model, &EngineOptions { threads, ..EngineOptions::default() })?;
    let (mut prefill, mut decode) = (0f64, 0f64);
    for _ in 0..3 {
        let (first, rest) = run(&engine, prompt, answer)?;
        prefill = prefill.max(prompt as f64 / first);
        decode = decode.max((answer - 1) as f64 / rest);
    }
    let line = serde_json::json!({
        "engine": "sahara", "threads": threads, "prompt_tokens": prompt, "completion_tokens": answer,
        "prefill_tokens_per_second": prefill, "decode_tokens_per_second": decode, "load_seconds": load,
    });
    #[expect(clippy::print_stdout, reason = "a program for the terminal")]
    {
        println!("{line}");
    }
    Ok(())
}

/// Where `cargo xtask up` keeps the default model.
fn cached() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/sahara"));
    let cache = std::env::var_os("SAHARA_CACHE").map(PathBuf::from).or_else(home)?;
    Some(cache.join("models/smollm2-135m-instruct-q4_1.gguf"))
}

/// Seconds to the first token, and from there to the last.
fn run(engine: &Engine, prompt: usize, answer: usize) -> Result<(f64, f64), Failure> {
    // no two neighbours alike, no end of a turn: the same ids as the peer's
    let prompt_tokens = (0u32..).take(prompt).map(|index| 1000 + index * 7919 % 40_000).collect();
    let request = GenerateRequest {
        prompt_tokens,
        max_tokens: answer,
        sampling: Sampling::GREEDY,
        stop: Vec::new(),
    };
    let started = Instant::now();
    let mut first = None;
    let mut tokens = 0;
    for event in engine.submit(request)? {
        match event {
            Event::Token(_) => tokens += 1,
            Event::Done { .. } => {}
            Event::Failed(failure) => return Err(failure.into()),
        }
        first.get_or_insert_with(|| started.elapsed().as_secs_f64());
    }
    if tokens != answer {
        return Err(format!("the answer ended after {tokens} tokens, expected {answer}").into());
    }
    let first = first.unwrap_or_default();
    Ok((first, started.elapsed().as_secs_f64() - first))
}
