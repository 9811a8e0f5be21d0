//! The same network in plain floats, with the machine's own mathematics: what class D1 is compared with.
//!
//! It shares nothing with the engine but the reader of the file: weights are dequantised to f32, nothing is quantised
//! again, keys and values stay f32.

use crate::gguf::{Encoding, Gguf, Tensor};

struct Weights {
    rows: usize,
    columns: usize,
    values: Vec<f32>,
}

pub(super) struct Reference {
    embedding: Weights,
    output_norm: Vec<f32>,
    layers: Vec<[Weights; 9]>,
    heads: usize,
    key_heads: usize,
    epsilon: f32,
    base: f64,
}

fn half(bytes: &[u8]) -> f32 {
    let bits = u32::from(u16::from_le_bytes([bytes[0], bytes[1]]));
    let sign = if bits & 0x8000 == 0 { 1.0 } else { -1.0 };
    let (exponent, mantissa) = ((bits >> 10 & 31) as i32, (bits & 1023) as f32 / 1024.0);
    sign * if exponent == 0 {
        mantissa * 2f32.powi(-14)
    } else {
        (1.0 + mantissa) * 2f32.powi(exponent - 15)
    }
}

fn dequantise(tensor: &Tensor<'_>) -> Weights {
    let mut values = Vec::with_capacity(tensor.rows * tensor.columns);
    match tensor.encoding {
        Encoding::F32 => {
            values.extend(
                tensor.bytes.chunks(4).map(|bytes| f32::from_le_bytes(bytes.try_into().unwrap())),
            );
        }
        Encoding::Q8_0 => tensor.bytes.chunks(34).for_each(|block| {
            let scale = half(block);
            values.extend(block[2..].iter().map(|byte| f32::from(byte.cast_signed()) * scale));
        }),
        Encoding::Q4_1 => tensor.bytes.chunks(20).for_each(|block| {
            let (scale, minimum) = (half(block), half(&block[2..]));
            values.extend(block[4..].iter().map(|byte| f32::from(byte & 15) * scale + minimum));
            values.extend(block[4..].iter().map(|byte| f32::from(byte >> 4) * scale + minimum));
        }),
    }
    Weights { rows: tensor.rows, columns: tensor.columns, values }
}

/// Products of one weight row with four token rows, in 64 running sums.
#[inline(always)]
fn dot_4<const FUSED: bool>(weights: &[f32], [a, b, c, d]: [&[f32]; 4]) -> [f32; 4] {
    let add = |sum: &mut f32, weight: f32, x: f32| {
        *sum = if FUSED { weight.mul_add(x, *sum) } else { weight * x + *sum }
    };
    fn chunks(x: &[f32]) -> &[[f32; 16]] {
        x.as_chunks().0
    }
    let mut sums = [[0f32; 16]; 4];
    let rows = chunks(weights).iter().zip(chunks(a)).zip(chunks(b)).zip(chunks(c)).zip(chunks(d));
    for ((((weights, a), b), c), d) in rows {
        for lane in 0..16 {
            add(&mut sums[0][lane], weights[lane], a[lane]);
            add(&mut sums[1][lane], weights[lane], b[lane]);
            add(&mut sums[2][lane], weights[lane], c[lane]);
            add(&mut sums[3][lane], weights[lane], d[lane]);
        }
    }
    sums.map(|sums| sums.iter().sum())
}

/// All weight rows for each of the token rows, in blocks of tokens that stay in the cache while the weights pass by.
#[inline(always)]
fn rows_plain<const FUSED: bool>(weights: &Weights, x: &[f32], out: &mut [f32]) {
    const BLOCK: usize = 64;
    let (rows, columns) = (weights.rows, weights.columns);
    for (x, out) in x.chunks(BLOCK * columns).zip(out.chunks_mut(BLOCK * rows)) {
        let last = x.len() / columns - 1;
        for (index, weights) in weights.values.chunks(columns).enumerate() {
            for token in (0..=last).step_by(4) {
                let row = |offset: usize| &x[(token + offset).min(last) * columns..][..columns];
                for (offset, sum) in dot_4::<FUSED>(weights, [row(0), row(1), row(2), row(3)])
                    .into_iter()
                    .enumerate()
                {
                    out[(token + offset).min(last) * rows + index] = sum;
                }
            }
        }
    }
}

#[cfg(target_arch = "x86_64")]
#[target_feature(enable = "avx2,fma")]
fn rows_wide(weights: &Weights, x: &[f32], out: &mut [f32]) {
    rows_plain::<true>(weights, x, out);
}

fn rows(weights: &Weights, x: &[f32], out: &mut [f32]) {
    #[cfg(target_arch = "x86_64")]
    if std::arch::is_x86_feature_detected!("avx2") && std::arch::is_x86_feature_detected!("fma") {
        #[expect(
            unsafe_code,
            reason = "the same code compiled for AVX2 and FMA, so that the test is quick"
        )]
        // SAFETY: the machine has AVX2 and FMA.
        return unsafe { rows_wide(weights, x, out) };
    }
    rows_plain::<false>(weights, x, out);
}

impl Weights {
    fn times(&self, x: &[f32]) -> Vec<f32> {
        let tokens = x.len() / self.columns;
        let mut out = vec![0.0; tokens * self.rows];
        let part = tokens.div_ceil(2);
        std::thread::scope(|scope| {
            for (x, out) in x.chunks(part * self.columns).zip(out.chunks_mut(part * self.rows)) {
                scope.spawn(move || rows(self, x, out));
            }
        });
        out
    }
}

fn normalise(x: &[f32], weight: &[f32], epsilon: f32) -> Vec<f32> {
    x.chunks(weight.len())
        .flat_map(|row| {
            let mean = row.iter().map(|x| x * x).sum::<f32>() / row.len() as f32;
            let scale = (mean + epsilon).sqrt().recip();
            row.iter().zip(weight).map(move |(x, weight)| x * scale * weight)
        })
        .collect()
}

impl Reference {
    pub(super) fn load(file: &Gguf<'_>) -> Self {
        const PARTS: [&str; 9] = [
            "attn_norm",
            "attn_q",
            "attn_k",
            "attn_v",
            "attn_output",
            "ffn_norm",
            "ffn_gate",
            "ffn_up",
            "ffn_down",
        ];
        let tensor = |name: &str| dequantise(&file.tensor(name).unwrap());
        let count = |key: &str| file.count(key, 1 << 20).unwrap();
        Self {
            embedding: tensor("token_embd.weight"),
            output_norm: tensor("output_norm.weight").values,
            layers: (0..count("llama.block_count"))
                .map(|layer| PARTS.map(|part| tensor(&format!("blk.{layer}.{part}.weight"))))
                .collect(),
            heads: count("llama.attention.head_count"),
            key_heads: count("llama.attention.head_count_kv"),
            epsilon: file.float("llama.attention.layer_norm_rms_epsilon").unwrap() as f32,
            base: file.float("llama.rope.freq_base").unwrap(),
        }
    }

    /// Hidden states of all tokens, normalised for the output matrix.
    pub(super) fn hidden(&self, tokens: &[u32]) -> Vec<f32> {
        let width = self.embedding.columns;
        let mut hidden: Vec<f32> = tokens
            .iter()
            .flat_map(|token| self.embedding.values[*token as usize * width..][..width].to_vec())
            .collect();
        let add = |hidden: &mut Vec<f32>, more: Vec<f32>| {
            hidden.iter_mut().zip(more).for_each(|(to, x)| *to += x);
        };
        for [n1, q, k, v, o, n2, gate, up, down] in &self.layers {
            let x = normalise(&hidden, &n1.values, self.epsilon);
            let (mut queries, mut keys) = (q.times(&x), k.times(&x));
            self.rotate(&mut queries, width);
            self.rotate(&mut keys, k.rows);
            let mixed = self.attend(&queries, &keys, &v.times(&x));
            add(&mut hidden, o.times(&mixed));
            let x = normalise(&hidden, &n2.values, self.epsilon);
            let gated = gate
                .times(&x)
                .into_iter()
                .zip(up.times(&x))
                .map(|(g, u)| g / (1.0 + (-g).exp()) * u);
            add(&mut hidden, down.times(&gated.collect::<Vec<_>>()));
        }
        normalise(&hidden, &self.output_norm, self.epsilon)
    }

    pub(super) fn logits(&self, hidden: &[f32]) -> Vec<f32> {
        self.embedding.times(hidden)
    }

    fn rotate(&self, rows: &mut [f32], width: usize) {
        let head = self.embedding.columns / self.heads;
        for (position, row) in rows.chunks_mut(width).enumerate() {
            for (pair, ab) in row.chunks_mut(2).enumerate() {
                let power = 2.0 * (pair % (head / 2)) as f64 / head as f64;
                let (sine, cosine) = (position as f64 / self.base.powf(power)).sin_cos();
                let (a, b) = (f64::from(ab[0]), f64::from(ab[1]));
                (ab[0], ab[1]) = ((a * cosine - b * sine) as f32, (a * sine + b * cosine) as f32);
            }
        }
    }

    fn attend(&self, queries: &[f32], keys: &[f32], values: &[f32]) -> Vec<f32> {
        let (width, head) = (self.embedding.columns, self.embedding.columns / self.heads);
        let narrow = head * self.key_heads;
        let mut out = vec![0.0; queries.len()];
        for (place, out) in out.chunks_mut(head).enumerate() {
            let (position, index) = (place / self.heads, place % self.heads);
            let offset = index / (self.heads / self.key_heads) * head;
            let query = &queries[position * width + index * head..][..head];
            let score = |past: usize| {
                let key = &keys[past * narrow + offset..][..head];
                query.iter().zip(key).map(|(q, k)| q * k).sum::<f32>() / (head as f32).sqrt()
            };
            let scores: Vec<f32> = (0..=position).map(score).collect();
            let largest = scores.iter().copied().fold(f32::NEG_INFINITY, f32::max);
            let weights: Vec<f32> = scores.iter().map(|score| (score - largest).exp()).collect();
            let total: f32 = weights.iter().sum();
            for (past, weight) in weights.iter().enumerate() {
                for (out, value) in out.iter_mut().zip(&values[past * narrow + offset..][..head]) {
                    *out += weight / total * value;
                }
            }
        }
        out
    }
}
