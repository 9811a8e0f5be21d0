//! A model in memory: weights, tokenizer and chat template of one GGUF file.

use crate::gguf::{Encoding, Gguf, GgufError};
use crate::matrix::{Matrix, MatrixFault};
use crate::rope;
use crate::shape::{Shape, refuse_unknown_tensors};
use crate::template::{ChatMessage, ChatTemplate, TemplateError};
use crate::tokenizer::{Tokenizer, TokenizerError};
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// The class of arithmetic that this engine computes; it stands in model ids and receipts. A change of any result's
/// bits is a new class.
pub const CLASS: &str = "D1";

/// Why a model could not be loaded.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum LoadError {
    /// The file could not be read.
    #[error("cannot read the model file {path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The container is damaged or lacks something.
    #[error("the model file is not usable: {0}")]
    Gguf(#[from] GgufError),
    /// The model needs something this engine does not have.
    #[error("unsupported model: {what} is {found}, expected {expected}")]
    Unsupported {
        /// Which property.
        what: &'static str,
        /// Its value.
        found: String,
        /// What is supported.
        expected: &'static str,
    },
    /// The vocabulary is not usable.
    #[error("the model's tokenizer is not usable: {0}")]
    Tokenizer(#[from] TokenizerError),
    /// The chat template does not parse.
    #[error("the model's chat template is not usable: {0}")]
    Template(#[from] TemplateError),
}

/// How to load a model.
#[derive(Debug, Clone)]
pub struct LoadOptions {
    /// The context is the file's own or this, whichever is smaller.
    pub context_limit: usize,
}

impl Default for LoadOptions {
    fn default() -> Self {
        Self { context_limit: 8192 }
    }
}

/// What identifies a computation: the class of arithmetic and the exact file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ModelId {
    file: [u8; 32],
}

impl ModelId {
    /// The class of arithmetic, [`CLASS`].
    pub const fn class(&self) -> &'static str {
        CLASS
    }

    /// BLAKE3 of the model file.
    pub const fn file_hash(&self) -> &[u8; 32] {
        &self.file
    }
}

impl fmt::Display for ModelId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{CLASS}:{}", blake3::Hash::from_bytes(self.file).to_hex())
    }
}

/// One layer's weights.
#[derive(Debug)]
pub(crate) struct Layer {
    pub(crate) attention_norm: Vec<f32>,
    pub(crate) query: Arc<Matrix>,
    pub(crate) key: Arc<Matrix>,
    pub(crate) value: Arc<Matrix>,
    pub(crate) output: Arc<Matrix>,
    pub(crate) forward_norm: Vec<f32>,
    pub(crate) gate: Arc<Matrix>,
    pub(crate) up: Arc<Matrix>,
    pub(crate) down: Arc<Matrix>,
}

/// A loaded model; read-only, shared by everything that computes with it.
#[derive(Debug)]
pub struct Model {
    id: ModelId,
    name: String,
    pub(crate) shape: Shape,
    pub(crate) layers: Vec<Layer>,
    pub(crate) embedding: Arc<Matrix>,
    pub(crate) norm: Vec<f32>,
    pub(crate) output: Arc<Matrix>,
    pub(crate) angles: Vec<(f32, f32)>,
    tokenizer: Tokenizer,
    template: Option<ChatTemplate>,
}

impl Model {
    /// Loads a GGUF file of the llama architecture.
    ///
    /// The whole file is read once, so the hash in [`Model::id`] is that of the very bytes that are computed with.
    ///
    /// # Errors
    /// [`LoadError`] for a file that cannot be read, is damaged, or holds a model of another kind.
    pub fn load(path: &Path, options: &LoadOptions) -> Result<Arc<Self>, LoadError> {
        let bytes = std::fs::read(path)
            .map_err(|source| LoadError::Read { path: path.to_owned(), source })?;
        Self::from_bytes(&bytes, options).map(Arc::new)
    }

    /// Loads a GGUF file that is already in memory.
    ///
    /// # Errors
    /// As [`Model::load`].
    pub fn from_bytes(bytes: &[u8], options: &LoadOptions) -> Result<Self, LoadError> {
        let file = Gguf::parse(bytes)?;
        let tokenizer = Tokenizer::from_gguf(&file)?;
        let (shape, base) = Shape::read(&file, tokenizer.vocabulary_size(), options)?;
        refuse_unknown_tensors(&file, shape.layers)?;
        let template = match file.text("tokenizer.chat_template") {
            Ok(source) => Some(ChatTemplate::parse(source)?),
            Err(_) => None,
        };
        let Shape { width, vocabulary, .. } = shape;
        let embedding = Arc::new(matrix(&file, "token_embd.weight", vocabulary, width)?);
        let output = if file.tensor_names().any(|name| name == "output.weight") {
            Arc::new(matrix(&file, "output.weight", vocabulary, width)?)
        } else {
            Arc::clone(&embedding)
        };
        Ok(Self {
            id: ModelId { file: *blake3::hash(bytes).as_bytes() },
            name: file.text("general.name").unwrap_or_default().to_owned(),
            layers: (0..shape.layers)
                .map(|index| layer(&file, index, &shape))
                .collect::<Result<_, _>>()?,
            embedding,
            norm: vector(&file, "output_norm.weight", width)?,
            output,
            angles: rope::angles(shape.context, shape.head, base),
            shape,
            tokenizer,
            template,
        })
    }

    /// What identifies every computation with this model.
    pub const fn id(&self) -> &ModelId {
        &self.id
    }

    /// The name the file gives itself; may be empty.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Most tokens that a prompt and its answer may have together.
    pub const fn context_length(&self) -> usize {
        self.shape.context
    }

    /// Number of tokens the model knows.
    pub const fn vocab_size(&self) -> usize {
        self.shape.vocabulary
    }

    /// Text to tokens and back.
    pub const fn tokenizer(&self) -> &Tokenizer {
        &self.tokenizer
    }

    /// The messages as the model's chat template writes them, ending where the assistant is to speak.
    ///
    /// For computing use [`Model::chat_prompt`]: in this string a message that spells out a control token looks like one.
    ///
    /// # Errors
    /// [`TemplateError`] if the file has no template or it fails.
    pub fn render_chat(&self, messages: &[ChatMessage]) -> Result<String, TemplateError> {
        self.template.as_ref().ok_or(TemplateError::Missing)?.render(messages, &self.tokenizer)
    }

    /// The messages as tokens. Only the template writes control tokens: a message that spells one out is plain text.
    ///
    /// # Errors
    /// [`TemplateError`] if the file has no template, it fails, or the text cannot be encoded.
    pub fn chat_prompt(&self, messages: &[ChatMessage]) -> Result<Vec<u32>, TemplateError> {
        self.template.as_ref().ok_or(TemplateError::Missing)?.prompt(messages, &self.tokenizer)
    }

    /// Bytes of key-value memory that a conversation of that many tokens occupies.
    pub const fn cache_bytes(&self, tokens: usize) -> usize {
        self.shape.cache().bytes(tokens)
    }
}

pub(crate) fn unsupported(
    what: &'static str,
    found: &dyn fmt::Display,
    expected: &'static str,
) -> LoadError {
    LoadError::Unsupported { what, found: found.to_string(), expected }
}

fn layer(file: &Gguf<'_>, index: usize, shape: &Shape) -> Result<Layer, LoadError> {
    let Shape { width, hidden, .. } = *shape;
    let narrow = shape.key_heads * shape.head;
    let name = |part: &str| format!("blk.{index}.{part}.weight");
    let matrix = |part, rows, columns| matrix(file, &name(part), rows, columns).map(Arc::new);
    Ok(Layer {
        attention_norm: vector(file, &name("attn_norm"), width)?,
        query: matrix("attn_q", width, width)?,
        key: matrix("attn_k", narrow, width)?,
        value: matrix("attn_v", narrow, width)?,
        output: matrix("attn_output", width, width)?,
        forward_norm: vector(file, &name("ffn_norm"), width)?,
        gate: matrix("ffn_gate", hidden, width)?,
        up: matrix("ffn_up", hidden, width)?,
        down: matrix("ffn_down", width, hidden)?,
    })
}

fn matrix(file: &Gguf<'_>, name: &str, rows: usize, columns: usize) -> Result<Matrix, GgufError> {
    let tensor = file.tensor(name)?;
    let refuse =
        |found: String, expected: String| GgufError::Tensor { name: name.into(), found, expected };
    if (tensor.rows, tensor.columns) != (rows, columns) {
        return Err(refuse(
            format!("{} x {}", tensor.rows, tensor.columns),
            format!("{rows} x {columns}"),
        ));
    }
    Matrix::pack(&tensor).map_err(|fault| match fault {
        MatrixFault::Columns => refuse(format!("{columns} wide"), "a multiple of 32".into()),
        MatrixFault::NotFinite => refuse("not finite".into(), "finite numbers".into()),
    })
}

fn vector(file: &Gguf<'_>, name: &str, length: usize) -> Result<Vec<f32>, GgufError> {
    let tensor = file.tensor(name)?;
    let refuse = |found: String| GgufError::Tensor {
        name: name.into(),
        found,
        expected: format!("{length} finite numbers of type F32"),
    };
    if (tensor.rows, tensor.columns, tensor.encoding) != (1, length, Encoding::F32) {
        return Err(refuse(format!(
            "{} x {} of {:?}",
            tensor.rows, tensor.columns, tensor.encoding
        )));
    }
    let values: Vec<f32> =
        tensor.bytes.as_chunks::<4>().0.iter().map(|bytes| f32::from_le_bytes(*bytes)).collect();
    if values.iter().all(|value| value.is_finite()) {
        Ok(values)
    } else {
        Err(refuse("not finite".into()))
    }
}
