//! How fast candle's quantised llama reads a prompt and writes an answer from the same file as our engine, as the same
//! JSON line that `inference_speed` prints.
//!
//! Usage: `sahara-peer-candle [threads] [prompt tokens] [answer tokens] [model.gguf]`; without a file the default model
//! of the cache. `sahara-peer-candle convert TO` writes the default model's weights as Q8_0, for which candle has kernels
//! with SIMD; for Q4_1 it has none.

use candle_core::quantized::{GgmlDType, QTensor, gguf_file};
use candle_core::{Device, IndexOp, Tensor};
use candle_transformers::models::quantized_llama::ModelWeights;
use std::path::PathBuf;
use std::time::Instant;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let [command, to] = arguments.as_slice()
        && command == "convert"
    {
        return convert(&cached().ok_or("neither SAHARA_CACHE nor HOME is set")?, to);
    }
    let number = |index: usize, default| arguments.get(index).map_or(Ok(default), |text| text.parse::<usize>());
    let (threads, prompt, answer) = (number(0, 1)?, number(1, 128)?, number(2, 64)?);
    let file = match arguments.get(3) {
        Some(file) => PathBuf::from(file),
        None => cached().ok_or("neither SAHARA_CACHE nor HOME is set: name a model file")?,
    };
    // SAFETY: no other thread runs yet; candle's threads read this once, later.
    unsafe { std::env::set_var("RAYON_NUM_THREADS", threads.to_string()) };
    let started = Instant::now();
    let mut reader = std::fs::File::open(&file)?;
    let content = gguf_file::Content::read(&mut reader)?;
    let mut model = ModelWeights::from_gguf(content, &mut reader, &Device::Cpu)?;
    let load = started.elapsed().as_secs_f64();
    let (mut prefill, mut decode) = (0f64, 0f64);
    for _ in 0..3 {
        let (first, rest) = run(&mut model, prompt, answer)?;
        prefill = prefill.max(prompt as f64 / first);
        decode = decode.max((answer - 1) as f64 / rest);
    }
    let line = serde_json::json!({
        "engine": "candle", "threads": threads, "prompt_tokens": prompt, "completion_tokens": answer,
        "prefill_tokens_per_second": prefill, "decode_tokens_per_second": decode, "load_seconds": load,
    });
    println!("{line}");
    Ok(())
}

/// Writes the file again with every Q4_1 tensor as Q8_0.
fn convert(from: &PathBuf, to: &str) -> Result<(), Failure> {
    let mut reader = std::fs::File::open(from)?;
    let content = gguf_file::Content::read(&mut reader)?;
    let mut tensors = Vec::new();
    for name in content.tensor_infos.keys() {
        let tensor = content.tensor(&mut reader, name, &Device::Cpu)?;
        let tensor = match tensor.dtype() {
            GgmlDType::Q4_1 => QTensor::quantize(&tensor.dequantize(&Device::Cpu)?, GgmlDType::Q8_0)?,
            _ => tensor,
        };
        tensors.push((name.as_str(), tensor));
    }
    let tensors: Vec<_> = tensors.iter().map(|(name, tensor)| (*name, tensor)).collect();
    let metadata: Vec<_> = content.metadata.iter().map(|(name, value)| (name.as_str(), value)).collect();
    gguf_file::write(&mut std::fs::File::create(to)?, &metadata, &tensors)?;
    Ok(())
}

/// Where `cargo xtask up` keeps the default model.
fn cached() -> Option<PathBuf> {
    let home = || std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/sahara"));
    let cache = std::env::var_os("SAHARA_CACHE").map(PathBuf::from).or_else(home)?;
    Some(cache.join("models/smollm2-135m-instruct-q4_1.gguf"))
}

/// Seconds to the first token, and from there to the last. Position 0 starts a new conversation.
fn run(model: &mut ModelWeights, prompt: usize, answer: usize) -> Result<(f64, f64), Failure> {
    // the same ids as ours
    let tokens: Vec<u32> = (0u32..).take(prompt).map(|index| 1000 + index * 7919 % 40_000).collect();
    let started = Instant::now();
    let mut token = greedy(&model.forward(&Tensor::new(tokens.as_slice(), &Device::Cpu)?.unsqueeze(0)?, 0)?)?;
    let first = started.elapsed().as_secs_f64();
    for position in prompt..prompt + answer - 1 {
        let input = Tensor::new(&[token], &Device::Cpu)?.unsqueeze(0)?;
        token = greedy(&model.forward(&input, position)?)?;
    }
    Ok((first, started.elapsed().as_secs_f64() - first))
}

fn greedy(logits: &Tensor) -> candle_core::Result<u32> {
    logits.i(0)?.argmax(0)?.to_scalar::<u32>()
}
