use super::fixtures::{real, tiny, weights};
use super::reference::Reference;
use crate::LoadOptions;
use crate::forward::{Machine, Segment};
use crate::gguf::Gguf;
use crate::kernels::{Path, Simd};
use crate::model::Model;
use crate::pool::Pool;
use std::sync::Arc;

/// Written for this test.
const TEXT: &str = include_str!("perplexity.txt");
const CHUNK: usize = 96;

/// Minus the logarithm of the probability that a row of logits gives to a token.
fn surprise(logits: &[f32], token: u32) -> f64 {
    let largest = f64::from(logits.iter().copied().fold(f32::NEG_INFINITY, f32::max));
    let total: f64 = logits.iter().map(|logit| (f64::from(*logit) - largest).exp()).sum();
    total.ln() + largest - f64::from(logits[token as usize])
}

fn of_engine(model: &Model, tokens: &[u32]) -> f64 {
    let machine = Machine { pool: Pool::new(2).unwrap(), path: Path::choose(Simd::Auto) };
    let cache = Arc::new(model.shape.cache().build(tokens.len()));
    let mut sum = 0.0;
    for (index, chunk) in tokens.chunks(CHUNK).enumerate() {
        let start = index * CHUNK;
        let segment =
            Segment { cache: Arc::clone(&cache), start, tokens: chunk.to_vec(), logits_from: 0 };
        let logits = machine.forward(model, &[segment]);
        let rows = logits.chunks(model.vocab_size()).zip(&tokens[start + 1..]);
        sum += rows.map(|(row, token)| surprise(row, *token)).sum::<f64>();
    }
    (sum / (tokens.len() - 1) as f64).exp()
}

fn of_reference(file: &Gguf<'_>, tokens: &[u32], vocabulary: usize) -> f64 {
    let reference = Reference::load(file);
    let hidden = reference.hidden(tokens);
    let width = hidden.len() / tokens.len();
    let mut sum = 0.0;
    for (index, chunk) in hidden.chunks(CHUNK * width).enumerate() {
        let logits = reference.logits(chunk);
        let rows = logits.chunks(vocabulary).zip(&tokens[index * CHUNK + 1..]);
        sum += rows.map(|(row, token)| surprise(row, *token)).sum::<f64>();
    }
    (sum / (tokens.len() - 1) as f64).exp()
}

#[test]
fn i9_perplexity_is_within_two_per_cent_of_plain_floats() {
    let model = real();
    let tokens = model.tokenizer().encode(TEXT).unwrap();
    assert!(tokens.len() > 1_000, "{} tokens", tokens.len());
    let bytes = std::fs::read(weights()).unwrap();
    let engine = of_engine(&model, &tokens);
    let reference = of_reference(&Gguf::parse(&bytes).unwrap(), &tokens, model.vocab_size());
    assert!(
        reference > 2.0 && engine < reference * 1.02,
        "perplexity {engine} against {reference}"
    );
    // the figures that the specification records; the engine's own is exact, the reference's depends on the machine
    insta::assert_snapshot!(
        "perplexity",
        format!("{} tokens, class D1 {engine:.4}, f32 {reference:.2}", tokens.len())
    );
}

#[test]
fn i9_a_tiny_model_of_every_type_agrees_with_plain_floats() {
    for code in [0, 3, 8] {
        let bytes = tiny(code).bytes();
        let model = Model::from_bytes(&bytes, &LoadOptions::default()).unwrap();
        let tokens: Vec<u32> = (0..100u32).map(|index| 3 + index * 37 % 250).collect();
        let engine = of_engine(&model, &tokens);
        let reference = of_reference(&Gguf::parse(&bytes).unwrap(), &tokens, model.vocab_size());
        assert!(
            (engine / reference - 1.0).abs() < 0.02,
            "type {code}: {engine} against {reference}"
        );
    }
}
