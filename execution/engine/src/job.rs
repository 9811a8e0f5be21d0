//! One conversation's way through the engine: which tokens to feed next, and what its logits mean.

use crate::cache::Cache;
use crate::composer::Composer;
use crate::forward::Segment;
use crate::generation::{Difference, Event, Failure, FinishReason, Message, Outbox};
use crate::sampler::Sampling;
use crate::tokenizer::Tokenizer;
use std::sync::Arc;

/// An answer that somebody says the model gave.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// Its tokens.
    pub tokens: Vec<u32>,
    /// Why it ended; one that was cancelled may end anywhere.
    pub finish_reason: FinishReason,
}

/// A job before and while it runs.
#[derive(Debug)]
pub(crate) struct Job {
    /// The prompt, then the answer so far; when checking, the claimed answer from the start.
    tokens: Vec<u32>,
    prompt: usize,
    /// Tokens whose positions are computed.
    fed: usize,
    max_tokens: usize,
    sampling: Sampling,
    composer: Composer,
    claim: Option<Claim>,
    produced: usize,
    outbox: Outbox,
}

impl Job {
    pub(crate) fn new(
        prompt: Vec<u32>,
        max_tokens: usize,
        sampling: Sampling,
        parts: (Vec<String>, Outbox),
    ) -> Self {
        let (stops, outbox) = parts;
        Self {
            prompt: prompt.len(),
            tokens: prompt,
            fed: 0,
            max_tokens,
            sampling,
            composer: Composer::new(stops),
            claim: None,
            produced: 0,
            outbox,
        }
    }

    /// Makes it a check: the claimed answer is fed in large chunks, as a prompt is, and every token is computed again.
    pub(crate) fn checking(mut self, claim: Claim, tokenizer: &Tokenizer) -> Self {
        // neither an unknown token nor one past the end is fed: the comparison fails there before it is needed
        let known =
            claim.tokens.iter().take(self.max_tokens).take_while(|token| tokenizer.knows(**token));
        self.tokens.extend(known);
        self.claim = Some(claim);
        self
    }

    /// Positions that it may need.
    pub(crate) const fn positions(&self) -> usize {
        self.prompt + self.max_tokens
    }

    pub(crate) fn is_cancelled(&self) -> bool {
        self.outbox.is_cancelled()
    }

    /// Whether it may work now: a receiver that is behind is waited for, a check has no receiver of tokens.
    pub(crate) fn has_room(&self) -> bool {
        self.claim.is_some() || self.outbox.has_room()
    }

    /// Tokens that can be fed at once.
    pub(crate) const fn backlog(&self) -> usize {
        self.tokens.len() - self.fed
    }

    pub(crate) fn segment(&self, cache: &Arc<Cache>, length: usize) -> Segment {
        Segment {
            cache: Arc::clone(cache),
            start: self.fed,
            tokens: self.tokens.iter().skip(self.fed).take(length).copied().collect(),
            logits_from: (self.prompt - 1).saturating_sub(self.fed).min(length),
        }
    }

    /// Takes the logits of the last segment's wanted rows; whether the job has ended.
    pub(crate) fn advance(
        &mut self,
        length: usize,
        logits: &[f32],
        tokenizer: &Tokenizer,
        vocabulary: usize,
    ) -> bool {
        self.fed += length;
        logits.chunks_exact(vocabulary).any(|row| {
            match self.sampling.choose(self.produced as u64, row) {
                Some(token) => self.accept(token, tokenizer),
                None => {
                    self.outbox.send(Message::Event(Event::Failed(Failure::NotFinite)));
                    true
                }
            }
        })
    }

    /// The computation's next token; whether the job has ended.
    fn accept(&mut self, token: u32, tokenizer: &Tokenizer) -> bool {
        let was_cut = |claim: &Claim| {
            claim.finish_reason == FinishReason::Cancelled && claim.tokens.len() == self.produced
        };
        if self.claim.as_ref().is_some_and(was_cut) {
            return self.finish(FinishReason::Cancelled);
        }
        let is_end = tokenizer.is_end(token);
        if let Some(difference) = self.difference((!is_end).then_some(token)) {
            self.outbox.send(Message::Differs(difference));
            return true;
        }
        if is_end {
            return self.finish(FinishReason::Stop);
        }
        self.produced += 1;
        if self.claim.is_none() {
            self.tokens.push(token);
        }
        let has_stopped = self.composer.push(tokenizer, token);
        if has_stopped {
            return self.finish(FinishReason::Stop);
        }
        if self.produced == self.max_tokens {
            return self.finish(FinishReason::Length);
        }
        if self.claim.is_none() {
            self.release(false);
        }
        false
    }

    /// Where the claim departs from the computation, whose next token (or end) this is.
    fn difference(&self, computed: Option<u32>) -> Option<Difference> {
        let claimed = self.claim.as_ref()?.tokens.get(self.produced).copied();
        (claimed != computed).then_some(Difference { number: self.produced, computed, claimed })
    }

    /// Sends what is still held back, and the end. Always true.
    fn finish(&mut self, mut reason: FinishReason) -> bool {
        if self.composer.finish() {
            reason = FinishReason::Stop;
        }
        if let Some(claim) = &self.claim {
            let claimed = claim.tokens.get(self.produced).copied();
            let is_same = claim.finish_reason == reason && claimed.is_none();
            let difference = Difference { number: self.produced, computed: None, claimed };
            let end = Event::Done {
                finish_reason: reason,
                prompt_tokens: self.prompt,
                completion_tokens: self.produced,
            };
            self.outbox.send(if is_same {
                Message::Event(end)
            } else {
                Message::Differs(difference)
            });
            return true;
        }
        self.release(true);
        self.outbox.send(Message::Event(Event::Done {
            finish_reason: reason,
            prompt_tokens: self.prompt,
            completion_tokens: self.produced,
        }));
        true
    }

    /// Ends the job as its caller asked.
    pub(crate) fn cancel(&mut self) {
        self.composer.finish();
        self.release(true);
        self.outbox.send(Message::Event(Event::Done {
            finish_reason: FinishReason::Cancelled,
            prompt_tokens: self.prompt,
            completion_tokens: self.produced,
        }));
    }

    fn release(&mut self, has_ended: bool) {
        for piece in self.composer.release(has_ended) {
            self.outbox.send(Message::Event(Event::Token(piece)));
        }
    }
}
