//! The engine as its users see it: requests in, events out.

use crate::forward::Machine;
use crate::generation::{Generation, Mailbox, Nudge, Outbox, Verification};
use crate::job::{Claim, Job};
use crate::kernels::{Path, Simd};
use crate::model::Model;
use crate::pool::Pool;
use crate::sampler::{MAX_TEMPERATURE_MILLI, Sampling};
use crate::scheduler::{Desk, Scheduler};
use std::sync::{Arc, Weak};
use std::thread::JoinHandle;

/// Most stop texts of a request; OpenAI allows 4.
pub const MAX_STOPS: usize = 16;
/// Longest stop text in bytes: text may be held back that long.
pub const MAX_STOP_BYTES: usize = 256;

/// How an engine works. None of it changes any answer.
#[derive(Debug, Clone)]
pub struct EngineOptions {
    /// Threads that compute, at least 1.
    pub threads: usize,
    /// Bound on the memory of all running conversations together.
    pub kv_memory_bytes: usize,
    /// Prompt tokens computed in one step.
    pub prefill_chunk: usize,
    /// Conversations that run at once.
    pub max_active: usize,
    /// Requests that may wait for memory; further ones are refused.
    pub max_waiting: usize,
    /// How far a generation may go ahead of its receiver, in tokens.
    pub events_ahead: usize,
    /// Which instructions to use.
    pub simd: Simd,
}

impl Default for EngineOptions {
    fn default() -> Self {
        Self {
            threads: std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            kv_memory_bytes: 512 << 20,
            prefill_chunk: 128,
            max_active: 32,
            max_waiting: 256,
            events_ahead: 64,
            simd: Simd::Auto,
        }
    }
}

/// What is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerateRequest {
    /// The prompt, for instance from [`Model::chat_prompt`].
    pub prompt_tokens: Vec<u32>,
    /// Most tokens of the answer, at least 1.
    pub max_tokens: usize,
    /// How tokens are chosen.
    pub sampling: Sampling,
    /// Texts that end the answer; neither they nor a part of them is ever in it.
    pub stop: Vec<String>,
}

/// Why a request was refused, before any work.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RequestError {
    /// The prompt has no tokens.
    #[error("prompt is empty, expected at least one token")]
    EmptyPrompt,
    /// No answer is asked for.
    #[error("max_tokens is 0, expected at least 1")]
    NoTokens,
    /// The prompt holds an id outside of the vocabulary.
    #[error("token {token} is unknown, expected less than {vocabulary}")]
    UnknownToken {
        /// The id.
        token: u32,
        /// Size of the vocabulary.
        vocabulary: usize,
    },
    /// Prompt and answer do not fit the model's context.
    #[error(
        "{prompt} prompt tokens and {max_tokens} answer tokens exceed the context of {context}"
    )]
    ContextExceeded {
        /// Tokens of the prompt.
        prompt: usize,
        /// Tokens asked for.
        max_tokens: usize,
        /// What fits.
        context: usize,
    },
    /// The conversation would need more memory than the engine may use at all.
    #[error(
        "the conversation needs {needed} bytes of key-value memory, the engine has {available}"
    )]
    MemoryExceeded {
        /// Bytes needed.
        needed: usize,
        /// The engine's bound.
        available: usize,
    },
    /// The temperature is out of range.
    #[error("temperature is {0} thousandths, expected at most {MAX_TEMPERATURE_MILLI}")]
    Temperature(u32),
    /// A stop text is empty or too long, or there are too many.
    #[error("expected at most {MAX_STOPS} stop texts of 1 to {MAX_STOP_BYTES} bytes")]
    Stop,
    /// Too many requests wait already.
    #[error("the engine is busy: {0} requests are waiting, try again later")]
    Busy(usize),
}

/// Why an engine could not start.
#[derive(Debug, thiserror::Error)]
#[error("cannot start the engine's threads: {0}")]
pub struct StartError(#[from] std::io::Error);

/// Computes answers on threads of its own, several conversations at a time. Dropping it ends everything it runs.
#[derive(Debug)]
pub struct Engine {
    model: Arc<Model>,
    options: EngineOptions,
    desk: Arc<Desk>,
    thread: Option<JoinHandle<()>>,
}

impl Engine {
    /// Starts an engine for a model.
    ///
    /// # Errors
    /// [`StartError`] if the system gives no threads.
    pub fn new(model: Arc<Model>, options: &EngineOptions) -> Result<Self, StartError> {
        let least_one = |value: usize| value.max(1);
        let options = EngineOptions {
            threads: least_one(options.threads),
            prefill_chunk: least_one(options.prefill_chunk),
            max_active: least_one(options.max_active),
            events_ahead: least_one(options.events_ahead),
            ..options.clone()
        };
        let machine =
            Machine { pool: Pool::new(options.threads)?, path: Path::choose(options.simd) };
        let desk = Arc::new(Desk::default());
        let scheduler =
            Scheduler::new(Arc::clone(&model), machine, options.clone(), Arc::clone(&desk));
        let thread =
            std::thread::Builder::new().name("engine-0".into()).spawn(move || scheduler.run())?;
        Ok(Self { model, options, desk, thread: Some(thread) })
    }

    /// The model this engine computes with.
    pub const fn model(&self) -> &Arc<Model> {
        &self.model
    }

    /// Asks for an answer. It is queued if memory is in use, and computed beside the others.
    ///
    /// # Errors
    /// [`RequestError`], before any work.
    pub fn submit(&self, request: GenerateRequest) -> Result<Generation, RequestError> {
        let (job, mailbox) = self.job(request)?;
        self.enqueue(job)?;
        Ok(Generation::new(mailbox))
    }

    /// Checks that an answer is the one this model gives to the request. Costs one pass over prompt and answer.
    ///
    /// # Errors
    /// [`RequestError`], before any work.
    pub fn verify(
        &self,
        request: GenerateRequest,
        claim: Claim,
    ) -> Result<Verification, RequestError> {
        let (job, mailbox) = self.job(request)?;
        self.enqueue(job.checking(claim, self.model.tokenizer()))?;
        Ok(Verification::new(mailbox))
    }

    fn enqueue(&self, job: Job) -> Result<(), RequestError> {
        let most = self.options.max_waiting.max(1);
        if self.desk.submit(job, most) { Ok(()) } else { Err(RequestError::Busy(most)) }
    }

    fn job(&self, request: GenerateRequest) -> Result<(Job, Arc<Mailbox>), RequestError> {
        self.check(&request)?;
        let desk: Weak<Desk> = Arc::downgrade(&self.desk);
        let engine: Weak<dyn Nudge> = desk;
        let mailbox = Mailbox::new(self.options.events_ahead, engine);
        let GenerateRequest { prompt_tokens, max_tokens, sampling, stop } = request;
        let job = Job::new(
            prompt_tokens,
            max_tokens,
            sampling,
            (stop, Outbox::new(Arc::clone(&mailbox))),
        );
        Ok((job, mailbox))
    }

    /// Refuses what could not be computed; the same checks for everyone, before anything is paid or begun.
    ///
    /// # Errors
    /// [`RequestError`].
    pub fn check(&self, request: &GenerateRequest) -> Result<(), RequestError> {
        let (prompt, max_tokens) = (request.prompt_tokens.len(), request.max_tokens);
        let context = self.model.context_length();
        if prompt == 0 {
            return Err(RequestError::EmptyPrompt);
        }
        if max_tokens == 0 {
            return Err(RequestError::NoTokens);
        }
        if prompt.checked_add(max_tokens).is_none_or(|total| total > context) {
            return Err(RequestError::ContextExceeded { prompt, max_tokens, context });
        }
        let tokenizer = self.model.tokenizer();
        if let Some(token) = request.prompt_tokens.iter().find(|token| !tokenizer.knows(**token)) {
            let vocabulary = self.model.vocab_size();
            return Err(RequestError::UnknownToken { token: *token, vocabulary });
        }
        let needed = self.model.cache_bytes(prompt + max_tokens);
        if needed > self.options.kv_memory_bytes {
            return Err(RequestError::MemoryExceeded {
                needed,
                available: self.options.kv_memory_bytes,
            });
        }
        if request.sampling.temperature_milli > MAX_TEMPERATURE_MILLI {
            return Err(RequestError::Temperature(request.sampling.temperature_milli));
        }
        let is_usable = |stop: &String| (1..=MAX_STOP_BYTES).contains(&stop.len());
        if request.stop.len() > MAX_STOPS || !request.stop.iter().all(is_usable) {
            return Err(RequestError::Stop);
        }
        Ok(())
    }
}

impl Drop for Engine {
    fn drop(&mut self) {
        self.desk.close();
        if let Some(thread) = self.thread.take() {
            drop(thread.join());
        }
    }
}
