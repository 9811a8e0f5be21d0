//! Words: one way to cut texts, so that both databases find the same.
//!
//! Texts are brought to Unicode's compatible composed form (NFKC) and to lower case, and cut wherever
//! a character is neither letter nor digit. The databases get finished words and never cut
//! themselves. There are no stems and no stop words: the texts are in many languages.

use crate::database::Dialect;
use unicode_normalization::UnicodeNormalization as _;

/// Longer words are cut: nobody types them.
const MAX_WORD: usize = 64;
/// The most words of one text that can be found.
const MAX_WORDS: usize = 1_024;
/// The most words of a question.
const MAX_ASKED: usize = 8;

/// The words of a text, one blank between them.
pub(crate) fn words(text: &str) -> String {
    cut(text, MAX_WORDS).join(" ")
}

fn cut(text: &str, most: usize) -> Vec<String> {
    let text: String = text.nfkc().flat_map(char::to_lowercase).collect();
    let words = text.split(|character: char| !character.is_alphanumeric());
    let words = words.filter(|word| !word.is_empty()).take(most);
    words.map(|word| word.chars().take(MAX_WORD).collect()).collect()
}

/// Where a question's words are to be found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Field {
    Name,
    NameOrTags,
    Anywhere,
}

/// What somebody looks for: assets in which a word begins with each of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Question {
    words: Vec<String>,
}

impl Question {
    /// `None` when there is no word in it.
    pub(crate) fn new(text: &str) -> Option<Self> {
        let words = cut(text, MAX_ASKED);
        (!words.is_empty()).then_some(Self { words })
    }

    /// As an asset's whole name would be stored.
    pub(crate) fn joined(&self) -> String {
        self.words.join(" ")
    }

    /// In the database's own language. The words hold letters and digits only.
    pub(crate) fn pattern(&self, dialect: Dialect, field: Field) -> String {
        match dialect {
            Dialect::Sqlite => {
                let words: Vec<_> = self.words.iter().map(|word| format!("\"{word}\"*")).collect();
                let words = words.join(" AND ");
                match field {
                    Field::Name => format!("{{name}} : ({words})"),
                    Field::NameOrTags => format!("{{name tags}} : ({words})"),
                    Field::Anywhere => words,
                }
            }
            Dialect::Postgres => {
                let weights = match field {
                    Field::Name => "A",
                    Field::NameOrTags => "AB",
                    Field::Anywhere => "",
                };
                let words: Vec<_> =
                    self.words.iter().map(|word| format!("'{word}':*{weights}")).collect();
                words.join(" & ")
            }
        }
    }
}

/// A `PostgreSQL` `tsvector` of finished words, weighted by field.
pub(crate) fn vector(name: &str, tags: &str, text: &str) -> String {
    let weighted = [(name, "A"), (tags, "B"), (text, "C")];
    let lexemes = weighted.iter().flat_map(|(words, weight)| {
        words
            .split(' ')
            .filter(|word| !word.is_empty())
            .map(move |word| format!("'{word}':1{weight}"))
    });
    lexemes.collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::{Question, words};

    #[test]
    fn texts_are_cut_into_words() {
        assert_eq!(words("SmolLM2-135M (Instruct), v1.0"), "smollm2 135m instruct v1 0");
        assert_eq!(words("Kamus\u{a0}Bahasa—Indonesia"), "kamus bahasa indonesia");
        assert_eq!(words("ｆｕｌｌ ﬁle Ⅳ"), "full file iv");
        assert_eq!(words("'; DROP TABLE assets; --\""), "drop table assets");
        assert_eq!(words(" \t\0!"), "");
        assert!(Question::new("\"' : * ()").is_none());
    }
}
