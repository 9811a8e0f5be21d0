use super::fixtures::{Numbers, real, tiny_model};
use crate::cache::Cache;
use crate::forward::{Machine, Segment};
use crate::kernels::{Path, Simd};
use crate::model::Model;
use crate::pool::Pool;
use std::sync::Arc;

fn machine(threads: usize, simd: Simd) -> Machine {
    Machine { pool: Pool::new(threads).unwrap(), path: Path::choose(simd) }
}

fn cache(model: &Model, positions: usize) -> Arc<Cache> {
    Arc::new(model.shape.cache().build(positions))
}

/// Bits of all logits of a prompt that is read in chunks.
fn logits(machine: &Machine, model: &Model, tokens: &[u32], chunk: usize) -> Vec<u32> {
    let cache = cache(model, tokens.len());
    let mut bits = Vec::new();
    for (index, tokens) in tokens.chunks(chunk).enumerate() {
        let start = index * chunk;
        let segment =
            Segment { cache: Arc::clone(&cache), start, tokens: tokens.to_vec(), logits_from: 0 };
        bits.extend(machine.forward(model, &[segment]).into_iter().map(f32::to_bits));
    }
    bits
}

fn prompt(model: &Model, length: usize, seed: u64) -> Vec<u32> {
    let mut numbers = Numbers(seed);
    (0..length).map(|_| (numbers.next() % model.vocab_size() as u64) as u32).collect()
}

#[test]
fn i1_bits_do_not_depend_on_threads_chunks_or_instructions() {
    for code in [0, 3, 8] {
        let model = tiny_model(code);
        let tokens = prompt(&model, 61, 3);
        let expected = logits(&machine(1, Simd::Auto), &model, &tokens, 61);
        assert!(expected.iter().all(|bits| f32::from_bits(*bits).is_finite()));
        for (threads, chunk, simd) in [
            (1, 1, Simd::Auto),
            (2, 5, Simd::Auto),
            (3, 7, Simd::Auto),
            (1, 61, Simd::Scalar),
            (2, 9, Simd::Scalar),
        ] {
            let found = logits(&machine(threads, simd), &model, &tokens, chunk);
            assert!(
                found == expected,
                "type {code}, {threads} threads, chunks of {chunk}, {simd:?}"
            );
        }
    }
}

#[test]
fn i1_bits_of_the_real_model_do_not_depend_on_threads_chunks_or_instructions() {
    let model = real();
    let tokens = prompt(&model, 21, 5);
    let expected = logits(&machine(1, Simd::Auto), &model, &tokens, 21);
    for (threads, chunk, simd) in
        [(1, 1, Simd::Auto), (2, 5, Simd::Auto), (3, 11, Simd::Auto), (2, 21, Simd::Scalar)]
    {
        let found = logits(&machine(threads, simd), &model, &tokens, chunk);
        assert!(found == expected, "{threads} threads, chunks of {chunk}, {simd:?}");
    }
}

#[test]
fn i1_bits_do_not_depend_on_the_conversations_beside() {
    let model = tiny_model(3);
    let machine = machine(2, Simd::Auto);
    let prompts: Vec<Vec<u32>> =
        (0..5u64).map(|seed| prompt(&model, 20 + 3 * seed as usize, seed)).collect();
    let alone: Vec<Vec<u32>> =
        prompts.iter().map(|tokens| logits(&machine, &model, tokens, 99)).collect();
    let caches: Vec<_> = prompts.iter().map(|tokens| cache(&model, tokens.len())).collect();
    let mut together = vec![Vec::new(); prompts.len()];
    // uneven bites: in every round each conversation gives another number of rows
    let mut starts = vec![0; prompts.len()];
    for round in 0usize.. {
        let mut segments = Vec::new();
        let mut owners = Vec::new();
        for (index, tokens) in prompts.iter().enumerate() {
            let length = ((index + round) % 4).min(tokens.len() - starts[index]);
            if length > 0 {
                let tokens = tokens[starts[index]..starts[index] + length].to_vec();
                let cache = Arc::clone(&caches[index]);
                segments.push(Segment { cache, start: starts[index], tokens, logits_from: 0 });
                owners.push((index, length));
                starts[index] += length;
            }
        }
        if starts.iter().zip(&prompts).all(|(start, tokens)| *start == tokens.len())
            && segments.is_empty()
        {
            break;
        }
        if segments.is_empty() {
            continue;
        }
        let rows = machine.forward(&model, &segments);
        let mut rows = rows.chunks_exact(model.vocab_size());
        for (index, length) in owners {
            together[index]
                .extend(rows.by_ref().take(length).flatten().map(|logit| logit.to_bits()));
        }
    }
    assert!(together == alone);
}

/// Class D1 is these bits. If this hash must change, the class's name must, too.
#[test]
fn i1_class_d1_is_pinned() {
    let hash = |model: &Model, simd| {
        let mut hasher = blake3::Hasher::new();
        for bits in logits(&machine(1, simd), model, &prompt(model, 16, 11), 16) {
            hasher.update(&bits.to_le_bytes());
        }
        hasher.finalize().to_hex().to_string()
    };
    let tiny: Vec<String> = [0, 3, 8].map(|code| hash(&tiny_model(code), Simd::Scalar)).to_vec();
    insta::assert_json_snapshot!("class_d1", (tiny, hash(&real(), Simd::Auto)));
}
