//! What gateway and worker say to each other: JSON, one event a line.

use alloy_primitives::{Address, B256, Bytes};
use sahara_primitives::{
    AssetId, ChannelId, DeterminismClass, Prices, Receipt, ReceiptSeq, TokenCount, Usage,
};
use serde::{Deserialize, Serialize};

/// Who speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Role {
    /// Sets the scene.
    System,
    /// Asks.
    User,
    /// Answered before.
    Assistant,
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Message {
    /// Who speaks.
    pub role: Role,
    /// What is said.
    pub content: String,
}

/// What the model is given.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Input {
    /// A conversation, put through the model's chat template.
    Chat(Vec<Message>),
    /// Text to be continued as it stands.
    Text(String),
}

/// How tokens are chosen.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sampling {
    /// Thousandths; 0 is greedy.
    pub temperature_milli: u32,
    /// Which of the possible answers.
    pub seed: u64,
}

/// One answer to be computed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Job {
    /// Used once; the receipt's request refers to it.
    pub id: B256,
    /// The channel that pays.
    pub channel: ChannelId,
    /// The asset asked.
    pub asset: AssetId,
    /// What it is given.
    pub input: Input,
    /// The most tokens to write.
    pub max_tokens: TokenCount,
    /// Whether fewer will do when the context leaves less.
    pub is_flexible: bool,
    /// The most prompt tokens that are paid for; a longer prompt is refused.
    pub max_prompt_tokens: TokenCount,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Texts that end the answer, and are no part of it.
    pub stop: Vec<String>,
    /// The worker's prices as the gateway read them on chain.
    pub worker_prices: Prices,
    /// The asset's prices as the gateway read them on chain.
    pub asset_prices: Prices,
}

/// Why an answer ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum FinishReason {
    /// The model ended its turn, or a stop text appeared.
    Stop,
    /// The token limit was reached.
    Length,
}

/// One line of a job's stream.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "event")]
pub enum Event {
    /// The job is within all limits and starts.
    Accepted {
        /// Tokens of the prompt with its template.
        prompt_tokens: TokenCount,
    },
    /// One token of the answer.
    Token {
        /// The text it adds; may be empty.
        text: String,
    },
    /// The answer is complete.
    Ended {
        /// Why.
        finish_reason: FinishReason,
        /// What the meter counted.
        usage: Usage,
    },
    /// The answer could not be completed.
    Failed {
        /// What happened, for people.
        message: String,
    },
}

/// An asset that a worker serves.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Card {
    /// The asset.
    pub asset: AssetId,
    /// How far its answers can be checked.
    pub class: DeterminismClass,
    /// BLAKE3 of the weights; zero where the weights are not known.
    pub model_root: B256,
    /// The most tokens of prompt and answer together.
    pub context_length: TokenCount,
    /// Tokens that the prompt of an agent and the template add to any conversation.
    pub overhead_tokens: TokenCount,
    /// What the worker asks.
    pub prices: Prices,
}

/// Asks a worker to sign for a job it did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SignRequest {
    /// The job's id.
    pub job: B256,
    /// The gateway's receipt for it.
    pub receipt: Receipt,
}

/// The worker's signatures.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Signed {
    /// Who signed.
    pub worker: Address,
    /// Over the receipt's hash.
    pub receipt: Bytes,
    /// Over the EIP-712 `Earning` with the receipt's cumulative amounts.
    pub earning: Bytes,
}

/// Why a worker refused.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{message}")]
pub struct Problem {
    /// For programs.
    pub code: ProblemCode,
    /// For people.
    pub message: String,
    /// With a contradiction: the last receipt of the channel that was signed for the asset. A
    /// gateway that lost its records learns from it which numbers it has given out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub last: Option<ReceiptSeq>,
}

/// The kinds of refusal.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ProblemCode {
    /// Not signed by a gateway the worker works for, too old, or seen before.
    Unauthorised,
    /// The gateway has no bond on chain, or is leaving: it could not pay.
    GatewayNotBonded,
    /// The worker's node does not answer, so nothing is known about the gateway.
    Unavailable,
    /// The asset is not served here.
    UnknownAsset,
    /// Prompt and answer do not fit the model's context.
    ContextLengthExceeded,
    /// The job cannot be understood or is out of bounds.
    InvalidJob,
    /// The prices are lower than asked.
    PriceTooLow,
    /// All places are taken.
    Busy,
    /// The receipt contradicts the meter or what was signed before.
    Contradiction,
    /// The engine or the disk failed.
    Internal,
}

impl ProblemCode {
    /// The HTTP status that carries it.
    pub const fn status(self) -> u16 {
        match self {
            Self::Unauthorised => 401,
            Self::GatewayNotBonded => 403,
            Self::Unavailable => 503,
            Self::UnknownAsset => 404,
            Self::ContextLengthExceeded | Self::InvalidJob => 400,
            Self::PriceTooLow => 402,
            Self::Busy => 429,
            Self::Contradiction => 409,
            Self::Internal => 500,
        }
    }
}

impl Problem {
    /// A problem.
    pub fn new(code: ProblemCode, message: impl Into<String>) -> Self {
        Self { code, message: message.into(), last: None }
    }
}

#[cfg(test)]
mod tests;
