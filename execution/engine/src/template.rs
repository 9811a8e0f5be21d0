//! The model's chat template: a Jinja program in the model file, run with a budget.

use crate::tokenizer::{Tokenizer, TokenizerError};
use minijinja::{Environment, context};
use serde::{Deserialize, Serialize};

/// Steps a template may take; ChatML needs about 40 a message.
const FUEL: u64 = 2_000_000;
/// The only template of the environment.
const NAME: &str = "chat";
/// Characters that Unicode reserves for use inside a program; one that no message contains guards their text.
const GUARDS: std::ops::RangeInclusive<char> = '\u{fdd0}'..='\u{fdef}';

/// Why a conversation could not be turned into a prompt.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TemplateError {
    /// The model file has no chat template.
    #[error("the model has no chat template: expected tokenizer.chat_template in its file")]
    Missing,
    /// The template is wrong, or refused these messages.
    #[error("chat template failed: {0}")]
    Failed(String),
    /// The messages use up all characters that could guard their text.
    #[error("messages contain every noncharacter from U+FDD0 to U+FDEF")]
    NoGuard,
    /// The text could not be encoded.
    #[error(transparent)]
    Tokenizer(#[from] TokenizerError),
}

/// Who speaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sets the rules of the conversation.
    System,
    /// Asks.
    User,
    /// Answers: the model itself, earlier.
    Assistant,
}

/// One message of a conversation.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChatMessage {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

impl ChatMessage {
    /// A message.
    pub fn new(role: Role, content: impl Into<String>) -> Self {
        Self { role, content: content.into() }
    }
}

#[derive(Debug)]
pub(crate) struct ChatTemplate {
    environment: Environment<'static>,
}

impl ChatTemplate {
    pub(crate) fn parse(source: &str) -> Result<Self, TemplateError> {
        let mut environment = Environment::new();
        environment.set_trim_blocks(true);
        environment.set_lstrip_blocks(true);
        environment.set_fuel(Some(FUEL));
        environment.add_function(
            "raise_exception",
            |message: String| -> Result<String, minijinja::Error> {
                Err(minijinja::Error::new(minijinja::ErrorKind::InvalidOperation, message))
            },
        );
        environment.add_template_owned(NAME, source.to_owned()).map_err(failed)?;
        Ok(Self { environment })
    }

    pub(crate) fn render(
        &self,
        messages: &[ChatMessage],
        tokenizer: &Tokenizer,
    ) -> Result<String, TemplateError> {
        let (bos_token, eos_token) = tokenizer.border_texts();
        let template = self.environment.get_template(NAME).map_err(failed)?;
        template
            .render(context! { messages, bos_token, eos_token, add_generation_prompt => true })
            .map_err(failed)
    }

    /// Control tokens are recognised in the rendered text. So that only the template's own are, a guard follows every
    /// character of a message with which one could start; it is taken out again before the text is encoded.
    pub(crate) fn prompt(
        &self,
        messages: &[ChatMessage],
        tokenizer: &Tokenizer,
    ) -> Result<Vec<u32>, TemplateError> {
        let is_free =
            |guard: &char| !messages.iter().any(|message| message.content.contains(*guard));
        let guard = GUARDS.into_iter().find(is_free).ok_or(TemplateError::NoGuard)?;
        let starts = tokenizer.control_starts();
        let mut guarded = messages.to_vec();
        for message in &mut guarded {
            let mut content = String::with_capacity(message.content.len());
            for character in message.content.chars() {
                content.push(character);
                if starts.contains(&character) {
                    content.push(guard);
                }
            }
            message.content = content;
        }
        Ok(tokenizer.encode_marked(&self.render(&guarded, tokenizer)?, Some(guard))?)
    }
}

#[expect(clippy::needless_pass_by_value, reason = "a function for map_err")]
fn failed(error: minijinja::Error) -> TemplateError {
    TemplateError::Failed(error.to_string())
}
