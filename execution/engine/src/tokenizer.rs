//! Text to tokens and back, from the vocabulary in the model file.
//!
//! Byte-level BPE as GPT-2 has it: no space is put before the text, and with `pre = smollm` every digit stands alone.
//! Bytes for which the vocabulary has no token (21 control and unassigned ones in SmolLM2) are left out, as by the
//! model's own tokenizer.

use crate::gguf::{Gguf, GgufError, Value};
use std::collections::{BTreeMap, BTreeSet};
use tokenizers::models::bpe::{BPE, Vocab};
use tokenizers::pre_tokenizers::PreTokenizerWrapper;
use tokenizers::pre_tokenizers::byte_level::ByteLevel;
use tokenizers::pre_tokenizers::digits::Digits;
use tokenizers::pre_tokenizers::sequence::Sequence;

/// Names under which files list a token that ends a turn, beside their `eos_token_id`.
const TURN_ENDS: [&str; 5] = ["<|im_end|>", "<|endoftext|>", "<|eot_id|>", "<|end|>", "</s>"];
/// The format's number for a control token.
const CONTROL: u64 = 3;
/// The format's number for a token that is matched as it is written.
const USER_DEFINED: u64 = 4;

/// Why a vocabulary was refused, or text could not be encoded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TokenizerError {
    /// The file lacks a part of the vocabulary.
    #[error(transparent)]
    Gguf(#[from] GgufError),
    /// The vocabulary is of a kind that this engine does not have.
    #[error("tokenizer {found} is not supported, expected {expected}")]
    Unsupported {
        /// The file's value.
        found: String,
        /// What is supported.
        expected: &'static str,
    },
    /// Vocabulary and merges contradict each other.
    #[error("vocabulary is inconsistent: {0}")]
    Inconsistent(String),
    /// Text could not be encoded.
    #[error("text cannot be encoded: {0}")]
    Encode(String),
}

/// The model's vocabulary.
#[derive(Debug)]
pub struct Tokenizer {
    bpe: tokenizers::Tokenizer,
    /// Bytes of every token; none for control tokens.
    bytes: Vec<Vec<u8>>,
    /// Control tokens by their text.
    controls: BTreeMap<String, u32>,
    ends: BTreeSet<u32>,
    begin: Option<u32>,
    end: Option<u32>,
    prefix: Option<u32>,
}

impl Tokenizer {
    pub(crate) fn from_gguf(file: &Gguf<'_>) -> Result<Self, TokenizerError> {
        let model = file.text("tokenizer.ggml.model")?;
        if model != "gpt2" {
            return Err(TokenizerError::Unsupported {
                found: model.into(),
                expected: "gpt2 (byte-level BPE)",
            });
        }
        let pre_tokenizer = pre_tokenizer(file.text("tokenizer.ggml.pre").unwrap_or("default"))?;
        let tokens = texts(file, "tokenizer.ggml.tokens")?;
        let mut vocabulary = Vocab::default();
        for (token, id) in tokens.iter().zip(0u32..) {
            if vocabulary.insert((*token).to_owned(), id).is_some() {
                return Err(TokenizerError::Inconsistent(format!("token {token:?} appears twice")));
            }
        }
        let merges = texts(file, "tokenizer.ggml.merges")?
            .into_iter()
            .map(|merge| {
                merge.split_once(' ').map(|(left, right)| (left.to_owned(), right.to_owned()))
            })
            .collect::<Option<Vec<_>>>()
            .ok_or_else(|| TokenizerError::Inconsistent("a merge is not two tokens".into()))?;
        let bpe = BPE::builder()
            .vocab_and_merges(vocabulary, merges)
            .build()
            .map_err(|error| TokenizerError::Inconsistent(error.to_string()))?;
        let mut bpe = tokenizers::Tokenizer::new(bpe);
        bpe.with_pre_tokenizer(Some(pre_tokenizer));
        let (bytes, controls) = token_bytes(file, &tokens)?;
        let id = |key: &str| {
            file.token_id(key).filter(|id| usize::try_from(*id).is_ok_and(|id| id < tokens.len()))
        };
        let end = id("tokenizer.ggml.eos_token_id");
        let mut ends: BTreeSet<u32> =
            [end, id("tokenizer.ggml.eot_token_id")].into_iter().flatten().collect();
        ends.extend(TURN_ENDS.iter().filter_map(|name| controls.get(*name)));
        let begin = id("tokenizer.ggml.bos_token_id");
        let wants_prefix = file.value("tokenizer.ggml.add_bos_token") == Some(&Value::Bool(true));
        Ok(Self { bpe, bytes, controls, ends, begin, end, prefix: begin.filter(|_| wants_prefix) })
    }

    /// Number of tokens.
    pub const fn vocabulary_size(&self) -> usize {
        self.bytes.len()
    }

    /// Plain text as tokens. Text that spells out a control token is text like any other.
    ///
    /// # Errors
    /// [`TokenizerError::Encode`] if the encoder refuses it.
    pub fn encode(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        let encoded = self
            .bpe
            .encode_fast(text, false)
            .map_err(|error| TokenizerError::Encode(error.to_string()))?;
        Ok(encoded.get_ids().to_vec())
    }

    /// Text in which control tokens are written out, as a chat template writes them; starts with the token that the
    /// model wants at the beginning, if any.
    ///
    /// # Errors
    /// [`TokenizerError::Encode`] if the encoder refuses it.
    pub fn encode_with_controls(&self, text: &str) -> Result<Vec<u32>, TokenizerError> {
        self.encode_marked(text, None)
    }

    /// As [`Tokenizer::encode_with_controls`]; `guard` is dropped from the text after control tokens were recognised.
    pub(crate) fn encode_marked(
        &self,
        text: &str,
        guard: Option<char>,
    ) -> Result<Vec<u32>, TokenizerError> {
        let mut tokens: Vec<u32> = self.prefix.into_iter().collect();
        let mut rest = text;
        loop {
            let (plain, control, after) = match self.next_control(rest) {
                Some((start, length, id)) => {
                    let (plain, tail) = rest.split_at(start);
                    (plain, Some(id), tail.split_at(length).1)
                }
                None => (rest, None, ""),
            };
            if !plain.is_empty() {
                match guard {
                    Some(guard) => tokens.extend(self.encode(&plain.replace(guard, ""))?),
                    None => tokens.extend(self.encode(plain)?),
                }
            }
            // a template that writes the first token itself does not get it twice
            tokens.extend(control.filter(|id| !(tokens.len() == 1 && self.prefix == Some(*id))));
            if after.is_empty() {
                return Ok(tokens);
            }
            rest = after;
        }
    }

    /// The first control token in a text: start, length, id. Of several at one place the longest.
    fn next_control(&self, text: &str) -> Option<(usize, usize, u32)> {
        self.controls
            .iter()
            .filter_map(|(name, id)| text.find(name.as_str()).map(|start| (start, name.len(), *id)))
            .min_by_key(|(start, length, _)| (*start, usize::MAX - length))
    }

    /// The text of tokens; control tokens have none, bytes that are no text become `U+FFFD`.
    pub fn decode(&self, tokens: &[u32]) -> String {
        let mut stream = TextStream::default();
        let mut text: String = tokens.iter().map(|token| stream.push(self, *token)).collect();
        text.push_str(&stream.finish());
        text
    }

    /// Whether the model ends its turn with this token.
    pub fn is_end(&self, token: u32) -> bool {
        self.ends.contains(&token)
    }

    /// The id of a control token.
    pub fn control(&self, text: &str) -> Option<u32> {
        self.controls.get(text).copied()
    }

    pub(crate) fn knows(&self, token: u32) -> bool {
        usize::try_from(token).is_ok_and(|token| token < self.bytes.len())
    }

    /// Texts of the first and last token, for templates.
    pub(crate) fn border_texts(&self) -> (&str, &str) {
        let text = |id: Option<u32>| {
            let found = self.controls.iter().find(|(_, control)| Some(**control) == id);
            found.map_or("", |(text, _)| text.as_str())
        };
        (text(self.begin), text(self.end))
    }

    /// The characters with which control tokens start.
    pub(crate) fn control_starts(&self) -> BTreeSet<char> {
        self.controls.keys().filter_map(|text| text.chars().next()).collect()
    }

    fn token_bytes(&self, token: u32) -> &[u8] {
        usize::try_from(token)
            .ok()
            .and_then(|token| self.bytes.get(token))
            .map_or(&[], Vec::as_slice)
    }
}

/// Turns tokens into text as they come; a character that is split over tokens comes with its last one.
#[derive(Debug, Clone, Default)]
pub struct TextStream {
    pub(crate) pending: Vec<u8>,
}

impl TextStream {
    /// The characters that this token completes.
    pub fn push(&mut self, tokenizer: &Tokenizer, token: u32) -> String {
        self.pending.extend_from_slice(tokenizer.token_bytes(token));
        let mut text = String::new();
        let mut incomplete = Vec::new();
        let mut chunks = self.pending.utf8_chunks().peekable();
        while let Some(chunk) = chunks.next() {
            text.push_str(chunk.valid());
            let invalid = chunk.invalid();
            let is_cut_short =
                str::from_utf8(invalid).is_err_and(|error| error.error_len().is_none());
            if is_cut_short && chunks.peek().is_none() {
                incomplete = invalid.to_vec();
            } else if !invalid.is_empty() {
                text.push(char::REPLACEMENT_CHARACTER);
            }
        }
        self.pending = incomplete;
        text
    }

    /// Whether a character has begun that further tokens may complete.
    pub const fn is_incomplete(&self) -> bool {
        !self.pending.is_empty()
    }

    /// Ends the text: a character that was never completed becomes `U+FFFD`.
    pub fn finish(&mut self) -> String {
        let text = if self.pending.is_empty() {
            String::new()
        } else {
            char::REPLACEMENT_CHARACTER.into()
        };
        self.pending.clear();
        text
    }
}

fn pre_tokenizer(name: &str) -> Result<PreTokenizerWrapper, TokenizerError> {
    let bytes = PreTokenizerWrapper::ByteLevel(ByteLevel::new(false, false, true));
    match name {
        "smollm" => {
            let digits = PreTokenizerWrapper::Digits(Digits::new(true));
            Ok(PreTokenizerWrapper::Sequence(Sequence::new(vec![digits, bytes])))
        }
        "default" | "gpt-2" => Ok(bytes),
        other => Err(TokenizerError::Unsupported {
            found: format!("with pre = {other}"),
            expected: "pre = smollm, gpt-2 or default",
        }),
    }
}

fn texts<'a>(file: &'a Gguf<'_>, key: &str) -> Result<Vec<&'a str>, GgufError> {
    let text = |value: &'a Value| match value {
        Value::Text(text) => Some(text.as_str()),
        _ => None,
    };
    let texts: Option<Vec<_>> = file.array(key)?.iter().map(text).collect();
    texts.ok_or_else(|| GgufError::Key { key: key.into(), expected: "an array of texts" })
}

type TokenBytes = (Vec<Vec<u8>>, BTreeMap<String, u32>);

/// Every token's bytes and, apart, the control tokens.
fn token_bytes(file: &Gguf<'_>, tokens: &[&str]) -> Result<TokenBytes, TokenizerError> {
    let kinds = file.array("tokenizer.ggml.token_type")?;
    if kinds.len() != tokens.len() {
        return Err(TokenizerError::Inconsistent(format!(
            "{} token types for {} tokens",
            kinds.len(),
            tokens.len()
        )));
    }
    let alphabet = alphabet();
    let mut controls = BTreeMap::new();
    let mut bytes = Vec::with_capacity(tokens.len());
    for ((token, kind), id) in tokens.iter().zip(kinds).zip(0u32..) {
        let kind = match kind {
            Value::Unsigned(kind) => *kind,
            Value::Signed(kind) => u64::try_from(*kind).unwrap_or(0),
            _ => 0,
        };
        bytes.push(match kind {
            CONTROL => Vec::new(),
            USER_DEFINED => token.as_bytes().to_vec(),
            _ => token.chars().filter_map(|character| alphabet.get(&character).copied()).collect(),
        });
        if matches!(kind, CONTROL | USER_DEFINED) && !token.is_empty() {
            controls.insert((*token).to_owned(), id);
        }
    }
    Ok((bytes, controls))
}

/// GPT-2's visible stand-ins for bytes: printable ones stand for themselves, the others follow from `U+0100` on.
fn alphabet() -> BTreeMap<char, u8> {
    let is_printable = |byte: u8| matches!(byte, b'!'..=b'~' | 0xa1..=0xac | 0xae..=0xff);
    let printable =
        (0..=u8::MAX).filter(|byte| is_printable(*byte)).map(|byte| (char::from(byte), byte));
    let others = ('\u{100}'..).zip((0..=u8::MAX).filter(|byte| !is_printable(*byte)));
    printable.chain(others).collect()
}
