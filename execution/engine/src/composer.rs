//! From tokens to the text that may be shown: characters complete, and never a part of a stop text.

use crate::tokenizer::{TextStream, Tokenizer};
use std::collections::VecDeque;

/// A token of the answer with the text it adds; the texts of an answer's tokens, joined, are the answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Piece {
    /// The token.
    pub token: u32,
    /// The characters that it completes; empty if none, or if they belong to a stop text.
    pub text: String,
}

/// Holds tokens back until it is certain that their text is not the beginning of a stop text.
#[derive(Debug)]
pub(crate) struct Composer {
    stream: TextStream,
    stops: Vec<String>,
    held: VecDeque<Piece>,
}

impl Composer {
    pub(crate) const fn new(stops: Vec<String>) -> Self {
        Self { stream: TextStream { pending: Vec::new() }, stops, held: VecDeque::new() }
    }

    /// Adds a token; whether a stop text is now complete.
    pub(crate) fn push(&mut self, tokenizer: &Tokenizer, token: u32) -> bool {
        let text = self.stream.push(tokenizer, token);
        self.held.push_back(Piece { token, text });
        self.cut_at_stop()
    }

    /// Ends the answer: an unfinished character becomes `U+FFFD`; whether that completed a stop text.
    pub(crate) fn finish(&mut self) -> bool {
        let rest = self.stream.finish();
        if let Some(last) = self.held.back_mut() {
            last.text.push_str(&rest);
        }
        self.cut_at_stop()
    }

    /// The pieces that are certain; all of them once the answer has ended.
    pub(crate) fn release(&mut self, has_ended: bool) -> Vec<Piece> {
        if has_ended {
            return self.held.drain(..).collect();
        }
        let text = self.held_text();
        let certain = text.len() - self.longest_beginning_of_a_stop(&text);
        let mut end = 0;
        let mut count = 0;
        for piece in &self.held {
            end += piece.text.len();
            if end > certain {
                break;
            }
            count += 1;
        }
        if self.stream.is_incomplete() {
            // the last token has begun a character whose replacement, at worst, belongs to it
            count = count.min(self.held.len().saturating_sub(1));
        }
        self.held.drain(..count).collect()
    }

    fn held_text(&self) -> String {
        self.held.iter().map(|piece| piece.text.as_str()).collect()
    }

    /// Removes the earliest stop text and all that follows it.
    fn cut_at_stop(&mut self) -> bool {
        let text = self.held_text();
        let Some(mut keep) = self.stops.iter().filter_map(|stop| text.find(stop.as_str())).min()
        else {
            return false;
        };
        for piece in &mut self.held {
            let length = piece.text.len();
            // a cut is at a character of the joined text, so it is at one of the piece
            piece.text.truncate(keep);
            keep = keep.saturating_sub(length);
        }
        self.stream = TextStream::default();
        true
    }

    /// Length of the longest end of `text` with which a stop text could begin.
    fn longest_beginning_of_a_stop(&self, text: &str) -> usize {
        let beginning = |stop: &String| {
            let ends = text.char_indices().map(|(start, _)| text.split_at(start).1);
            ends.filter(|end| end.len() < stop.len() && stop.starts_with(end))
                .map(str::len)
                .max()
                .unwrap_or(0)
        };
        self.stops.iter().map(beginning).max().unwrap_or(0)
    }
}

#[cfg(test)]
mod tests;
