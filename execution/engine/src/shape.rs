//! The sizes of a network as the model file states them, and everything about it that is not supported.

use crate::cache::CacheShape;
use crate::gguf::Gguf;
use crate::matrix::BLOCK;
use crate::model::{LoadError, LoadOptions, unsupported};

/// More layers, heads or the like than any model of this architecture has.
const MAX_COUNT: usize = 1 << 10;
/// Widest layer.
const MAX_WIDTH: usize = 1 << 17;
/// Largest vocabulary.
const MAX_VOCABULARY: usize = 1 << 21;
/// Most positions; [`crate::rope::angles`] is exact up to here.
const MAX_POSITIONS: usize = 1 << 19;

/// Sizes of the network.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Shape {
    pub(crate) width: usize,
    pub(crate) hidden: usize,
    pub(crate) layers: usize,
    pub(crate) key_heads: usize,
    pub(crate) head: usize,
    pub(crate) context: usize,
    pub(crate) vocabulary: usize,
    pub(crate) epsilon: f32,
}

impl Shape {
    /// The sizes and the rotary base that the file states.
    pub(crate) fn read(
        file: &Gguf<'_>,
        vocabulary: usize,
        options: &LoadOptions,
    ) -> Result<(Self, f64), LoadError> {
        let architecture = file.text("general.architecture")?;
        if architecture != "llama" {
            return Err(unsupported("architecture", &architecture, "llama"));
        }
        let width = file.count("llama.embedding_length", MAX_WIDTH)?;
        let hidden = file.count("llama.feed_forward_length", MAX_WIDTH)?;
        if !width.is_multiple_of(BLOCK) || !hidden.is_multiple_of(BLOCK) {
            return Err(unsupported(
                "layer width",
                &format!("{width} and {hidden}"),
                "multiples of 32",
            ));
        }
        let (key_heads, head) = read_heads(file, width)?;
        let base = read_rotary_base(file, head)?;
        let epsilon = file.float("llama.attention.layer_norm_rms_epsilon")?;
        if !(0.0..1.0).contains(&epsilon) {
            return Err(unsupported("normalisation epsilon", &epsilon, "0 to 1"));
        }
        let shape = Self {
            width,
            hidden,
            layers: file.count("llama.block_count", MAX_COUNT)?,
            key_heads,
            head,
            context: file.count("llama.context_length", MAX_POSITIONS)?.min(options.context_limit),
            vocabulary,
            epsilon: narrow(epsilon),
        };
        if !(1..=MAX_VOCABULARY).contains(&vocabulary) {
            return Err(unsupported("vocabulary", &vocabulary, "1 to 2^21 tokens"));
        }
        if shape.context == 0 {
            return Err(unsupported("context limit", &0, "at least 1"));
        }
        Ok((shape, base))
    }

    pub(crate) const fn cache(&self) -> CacheShape {
        CacheShape { layers: self.layers, heads: self.key_heads, head: self.head }
    }
}

/// Number of key-value heads and size of a head.
fn read_heads(file: &Gguf<'_>, width: usize) -> Result<(usize, usize), LoadError> {
    let heads = file.count("llama.attention.head_count", MAX_COUNT)?;
    let key_heads = match file.value("llama.attention.head_count_kv") {
        Some(_) => file.count("llama.attention.head_count_kv", MAX_COUNT)?,
        None => heads,
    };
    if !heads.is_multiple_of(key_heads) {
        return Err(unsupported("number of heads", &heads, "a multiple of the key-value heads"));
    }
    let head = width / heads;
    if !width.is_multiple_of(heads) || !head.is_multiple_of(8) {
        return Err(unsupported("head size", &format!("{width}/{heads}"), "a multiple of 8"));
    }
    for key in ["llama.attention.key_length", "llama.attention.value_length"] {
        if file.value(key).is_some() && file.count(key, MAX_WIDTH)? != head {
            return Err(unsupported(
                "key or value length",
                &file.count(key, MAX_WIDTH)?,
                "the head size",
            ));
        }
    }
    Ok((key_heads, head))
}

/// The rotary base; rotation of a part of a head and stretched angles would be other arithmetic.
fn read_rotary_base(file: &Gguf<'_>, head: usize) -> Result<f64, LoadError> {
    let scaling =
        ["llama.rope.scaling.type", "llama.rope.scale_linear", "llama.rope.scaling.factor"];
    if let Some(key) = scaling.into_iter().find(|key| file.value(key).is_some()) {
        return Err(unsupported("rotary scaling", &key, "none"));
    }
    if file.value("llama.rope.dimension_count").is_some() {
        let dimensions = file.count("llama.rope.dimension_count", MAX_WIDTH)?;
        if dimensions != head {
            return Err(unsupported("rotary dimension count", &dimensions, "the head size"));
        }
    }
    let base = match file.value("llama.rope.freq_base") {
        Some(_) => file.float("llama.rope.freq_base")?,
        None => 10_000.0,
    };
    if !(1.0..1e12).contains(&base) {
        return Err(unsupported("rotary base", &base, "1 to 10^12"));
    }
    Ok(base)
}

#[expect(clippy::cast_possible_truncation, reason = "the file's own f32, widened by the reader")]
const fn narrow(value: f64) -> f32 {
    value as f32
}

/// A tensor that is ignored would be a model computed wrongly: biases, experts and frequency factors are refused.
pub(crate) fn refuse_unknown_tensors(file: &Gguf<'_>, layers: usize) -> Result<(), LoadError> {
    const LAYER: [&str; 9] = [
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
    let known = |name: &str| {
        let Some(rest) = name.strip_prefix("blk.") else {
            return ["token_embd.weight", "output_norm.weight", "output.weight"].contains(&name);
        };
        rest.split_once('.').is_some_and(|(index, part)| {
            index.parse::<usize>().is_ok_and(|index| index < layers)
                && part.strip_suffix(".weight").is_some_and(|part| LAYER.contains(&part))
        })
    };
    match file.tensor_names().find(|name| !known(name)) {
        Some(name) => Err(unsupported("tensor", &name, "only those of a plain llama")),
        None => Ok(()),
    }
}
