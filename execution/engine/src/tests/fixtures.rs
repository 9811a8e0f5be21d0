//! A tiny model that the tests write themselves, and the default model from the cache.

use crate::{
    Engine, EngineOptions, Event, FinishReason, GenerateRequest, LoadOptions, Model, Piece,
    Sampling,
};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};

/// The default model: real weights, fetched by `cargo xtask test`.
pub(super) fn real() -> Arc<Model> {
    static MODEL: OnceLock<Arc<Model>> = OnceLock::new();
    let load =
        || Model::load(&weights(), &LoadOptions::default()).expect("the default model loads");
    Arc::clone(MODEL.get_or_init(load))
}

/// Where the default model lies.
pub(super) fn weights() -> PathBuf {
    let cache = std::env::var_os("SAHARA_CACHE")
        .map(PathBuf::from)
        .or_else(|| std::env::var_os("HOME").map(|home| PathBuf::from(home).join(".cache/sahara")));
    let path =
        cache.expect("SAHARA_CACHE or HOME is set").join("models/smollm2-135m-instruct-q4_1.gguf");
    assert!(path.exists(), "no model at {}: `cargo xtask test` fetches it", path.display());
    path
}

/// Deterministic numbers for weights and prompts.
pub(super) struct Numbers(pub(super) u64);

impl Numbers {
    pub(super) fn next(&mut self) -> u64 {
        self.0 =
            self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        self.0 >> 33
    }

    pub(super) fn float(&mut self) -> f32 {
        self.next() as f32 / 2f32.powi(30) - 1.0
    }
}

/// A GGUF file in the making.
#[derive(Clone, Default)]
pub(super) struct Writer {
    pub(super) metadata: Vec<(String, Vec<u8>)>,
    pub(super) tensors: Vec<(String, Vec<u64>, u32, Vec<u8>)>,
}

pub(super) fn text_bytes(text: &str) -> Vec<u8> {
    [&(text.len() as u64).to_le_bytes(), text.as_bytes()].concat()
}

impl Writer {
    pub(super) fn set(&mut self, key: &str, kind: u32, value: &[u8]) {
        self.metadata.retain(|(existing, _)| existing != key);
        self.metadata.push((key.into(), [&kind.to_le_bytes(), value].concat()));
    }

    pub(super) fn count(&mut self, key: &str, value: u32) {
        self.set(key, 4, &value.to_le_bytes());
    }

    pub(super) fn text(&mut self, key: &str, value: &str) {
        self.set(key, 8, &text_bytes(value));
    }

    pub(super) fn array(&mut self, key: &str, kind: u32, items: &[Vec<u8>]) {
        let head = [&kind.to_le_bytes()[..], &(items.len() as u64).to_le_bytes()].concat();
        self.set(key, 9, &[head, items.concat()].concat());
    }

    /// Random weights, encoded as asked (0 F32, 3 `Q4_1`, 8 `Q8_0`).
    pub(super) fn tensor(&mut self, name: &str, shape: &[u64], code: u32, numbers: &mut Numbers) {
        let elements: u64 = shape.iter().product();
        let mut bytes = Vec::new();
        match code {
            0 => (0..elements).for_each(|_| bytes.extend((numbers.float() * 0.2).to_le_bytes())),
            _ => {
                for _ in 0..elements / 32 {
                    // scales near 0.01 or 0.001 and minima near -0.08 as halves
                    let scale = if code == 3 { 0x2100 } else { 0x1400 };
                    bytes.extend((scale + (numbers.next() % 256) as u16).to_le_bytes());
                    if code == 3 {
                        bytes.extend((0xad00 + (numbers.next() % 128) as u16).to_le_bytes());
                    }
                    let size = if code == 3 { 16 } else { 32 };
                    bytes.extend((0..size).map(|_| (numbers.next() >> 5) as u8));
                }
            }
        }
        self.tensors.push((name.into(), shape.to_vec(), code, bytes));
    }

    pub(super) fn bytes(&self) -> Vec<u8> {
        let mut out = b"GGUF\x03\0\0\0".to_vec();
        out.extend((self.tensors.len() as u64).to_le_bytes());
        out.extend((self.metadata.len() as u64).to_le_bytes());
        for (key, value) in &self.metadata {
            out.extend(text_bytes(key));
            out.extend(value);
        }
        let mut offset = 0u64;
        for (name, shape, code, bytes) in &self.tensors {
            out.extend(text_bytes(name));
            out.extend((shape.len() as u32).to_le_bytes());
            shape.iter().for_each(|dimension| out.extend(dimension.to_le_bytes()));
            out.extend(code.to_le_bytes());
            out.extend(offset.to_le_bytes());
            offset += (bytes.len() as u64).next_multiple_of(32);
        }
        for (_, _, _, bytes) in &self.tensors {
            out.resize(out.len().next_multiple_of(32), 0);
            out.extend(bytes);
        }
        out
    }
}

/// The byte alphabet as GPT-2 writes it, in order of byte.
fn alphabet() -> Vec<String> {
    let mut others = '\u{100}'..;
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    (0..=255u8)
        .map(|byte| if is_printable(byte) { char::from(byte) } else { others.next().unwrap() })
        .map(String::from)
        .collect()
}

/// Three control tokens, 256 bytes, two merges; two layers of width 64.
pub(super) fn tiny(matrix_code: u32) -> Writer {
    let mut writer = Writer::default();
    writer.text("general.architecture", "llama");
    writer.text("general.name", "tiny");
    for (key, value) in [
        ("context_length", 128),
        ("embedding_length", 64),
        ("feed_forward_length", 96),
        ("block_count", 2),
        ("attention.head_count", 4),
        ("attention.head_count_kv", 2),
        ("rope.dimension_count", 16),
    ] {
        writer.count(&format!("llama.{key}"), value);
    }
    writer.set("llama.rope.freq_base", 6, &10_000f32.to_le_bytes());
    writer.set("llama.attention.layer_norm_rms_epsilon", 6, &1e-5f32.to_le_bytes());
    writer.text("tokenizer.ggml.model", "gpt2");
    writer.text("tokenizer.ggml.pre", "smollm");
    let mut tokens: Vec<String> =
        ["<|endoftext|>", "<|im_start|>", "<|im_end|>"].map(String::from).to_vec();
    tokens.extend(alphabet());
    tokens.extend(["he".into(), "ll".into()]);
    let kinds: Vec<Vec<u8>> = (0..tokens.len())
        .map(|index| (if index < 3 { 3i32 } else { 1 }).to_le_bytes().to_vec())
        .collect();
    writer.array(
        "tokenizer.ggml.tokens",
        8,
        &tokens.iter().map(|token| text_bytes(token)).collect::<Vec<_>>(),
    );
    writer.array("tokenizer.ggml.token_type", 5, &kinds);
    writer.array("tokenizer.ggml.merges", 8, &[text_bytes("h e"), text_bytes("l l")]);
    writer.count("tokenizer.ggml.bos_token_id", 1);
    writer.count("tokenizer.ggml.eos_token_id", 2);
    writer.text(
        "tokenizer.chat_template",
        "{% for message in messages %}{{'<|im_start|>' + message['role'] + '\\n' + message['content'] + \
         '<|im_end|>' + '\\n'}}{% endfor %}{% if add_generation_prompt %}{{ '<|im_start|>assistant\\n' }}{% endif %}",
    );
    tiny_weights(&mut writer, matrix_code, tokens.len() as u64);
    writer
}

fn tiny_weights(writer: &mut Writer, matrix_code: u32, vocabulary: u64) {
    let mut numbers = Numbers(7);
    writer.tensor("token_embd.weight", &[64, vocabulary], matrix_code, &mut numbers);
    writer.tensor("output_norm.weight", &[64], 0, &mut numbers);
    for layer in 0..2 {
        let mut tensor = |part: &str, shape: &[u64], code| {
            writer.tensor(&format!("blk.{layer}.{part}.weight"), shape, code, &mut numbers);
        };
        tensor("attn_norm", &[64], 0);
        tensor("ffn_norm", &[64], 0);
        tensor("attn_q", &[64, 64], matrix_code);
        tensor("attn_k", &[64, 32], matrix_code);
        tensor("attn_v", &[64, 32], matrix_code);
        tensor("attn_output", &[64, 64], matrix_code);
        tensor("ffn_gate", &[64, 96], matrix_code);
        tensor("ffn_up", &[64, 96], matrix_code);
        tensor("ffn_down", &[96, 64], matrix_code);
    }
    // norms near one, so that the network does not fade
    for (name, _, _, bytes) in &mut writer.tensors {
        if name.contains("norm") {
            for chunk in bytes.as_chunks_mut::<4>().0 {
                *chunk = (1.0 + f32::from_le_bytes(*chunk)).to_le_bytes();
            }
        }
    }
}

pub(super) fn tiny_model(matrix_code: u32) -> Arc<Model> {
    Arc::new(
        Model::from_bytes(&tiny(matrix_code).bytes(), &LoadOptions::default())
            .expect("the tiny model loads"),
    )
}

pub(super) fn engine(model: &Arc<Model>, options: &EngineOptions) -> Engine {
    Engine::new(Arc::clone(model), options).expect("threads start")
}

pub(super) fn one_thread() -> EngineOptions {
    EngineOptions { threads: 1, ..EngineOptions::default() }
}

pub(super) fn request(prompt_tokens: Vec<u32>, max_tokens: usize) -> GenerateRequest {
    GenerateRequest { prompt_tokens, max_tokens, sampling: Sampling::GREEDY, stop: Vec::new() }
}

/// The tiny model's request: sampled, so that seeds give different answers and none ends early for long.
pub(super) fn wild(seed: u64, max_tokens: usize) -> GenerateRequest {
    let sampling = Sampling { temperature_milli: 1500, seed };
    GenerateRequest { sampling, ..request(vec![1, 70, 80, 90], max_tokens) }
}

/// A whole answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Answer {
    pub(super) pieces: Vec<Piece>,
    pub(super) finish_reason: FinishReason,
}

impl Answer {
    pub(super) fn tokens(&self) -> Vec<u32> {
        self.pieces.iter().map(|piece| piece.token).collect()
    }

    pub(super) fn text(&self) -> String {
        self.pieces.iter().map(|piece| piece.text.as_str()).collect()
    }
}

pub(super) fn collect(events: impl Iterator<Item = Event>) -> Answer {
    let mut pieces = Vec::new();
    for event in events {
        match event {
            Event::Token(piece) => pieces.push(piece),
            Event::Done { finish_reason, completion_tokens, .. } => {
                assert_eq!(completion_tokens, pieces.len());
                return Answer { pieces, finish_reason };
            }
            Event::Failed(failure) => panic!("{failure}"),
        }
    }
    panic!("events ended without an end");
}

pub(super) fn answer(engine: &Engine, request: GenerateRequest) -> Answer {
    collect(engine.submit(request).expect("the request is sound"))
}

/// Requests to the tiny 8-bit model whose answers fill the context: still running when a test looks.
pub(super) fn lasting(index: usize) -> GenerateRequest {
    static SEEDS: OnceLock<Vec<u64>> = OnceLock::new();
    let find = || {
        let engine = engine(&tiny_model(8), &one_thread());
        (0..).filter(|seed| answer(&engine, wild(*seed, 120)).pieces.len() == 120).take(6).collect()
    };
    wild(SEEDS.get_or_init(find)[index], 120)
}
