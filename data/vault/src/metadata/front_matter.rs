//! The YAML between `---` lines at the beginning of a card (README.md), as on Hugging Face.
//!
//! Read event by event, so that nothing nests, repeats or grows beyond its bounds: aliases, by which
//! a short text becomes a long one, are refused.

use crate::error::VaultError;
use serde_json::{Map, Value};
use yaml_rust2::{
    parser::{Event, Parser},
    scanner::TScalarStyle,
};

/// The longest front matter, in bytes.
const MAX_TEXT: usize = 64 << 10;
const MAX_DEPTH: usize = 16;
const MAX_NODES: usize = 8_192;

/// The YAML at the beginning of a card, as JSON, and the text after it.
///
/// # Errors
/// When the YAML is malformed, or passes a limit.
pub(crate) fn split(card: &str) -> Result<(Map<String, Value>, &str), VaultError> {
    let card = card.strip_prefix('\u{feff}').unwrap_or(card);
    let inside = card.strip_prefix("---\n").or_else(|| card.strip_prefix("---\r\n"));
    let Some(inside) = inside else { return Ok((Map::new(), card)) };
    let mut at = 0_usize;
    for line in inside.split_inclusive('\n') {
        let next = at.saturating_add(line.len());
        if line.trim_end() == "---" {
            let (yaml, body) = (inside.get(..at), inside.get(next..));
            return Ok((read(yaml.unwrap_or_default())?, body.unwrap_or_default()));
        }
        at = next;
        if at > MAX_TEXT {
            return Err(bad(&format!("it has more than {MAX_TEXT} bytes")));
        }
    }
    Ok((Map::new(), card))
}

fn bad(text: &str) -> VaultError {
    VaultError::Invalid(format!("the card's front matter: {text}"))
}

enum Open {
    List(Vec<Value>),
    Map(Map<String, Value>, Option<String>),
}

fn read(yaml: &str) -> Result<Map<String, Value>, VaultError> {
    let mut parser = Parser::new_from_str(yaml);
    let (mut open, mut nodes): (Vec<Open>, usize) = (Vec::new(), 0);
    loop {
        let (event, _) = parser.next_token().map_err(|error| bad(&error.to_string()))?;
        nodes = nodes.saturating_add(1);
        if nodes > MAX_NODES || open.len() > MAX_DEPTH {
            return Err(bad(&format!(
                "it has more than {MAX_NODES} values, or is nested deeper than {MAX_DEPTH}"
            )));
        }
        let value = match event {
            Event::Alias(_) => return Err(bad("it has aliases: expected plain values")),
            Event::SequenceStart(..) => {
                open.push(Open::List(Vec::new()));
                continue;
            }
            Event::MappingStart(..) => {
                open.push(Open::Map(Map::new(), None));
                continue;
            }
            Event::Scalar(text, style, ..) => scalar(text, style),
            Event::SequenceEnd | Event::MappingEnd => match open.pop() {
                Some(Open::List(list)) => Value::Array(list),
                Some(Open::Map(map, _)) => Value::Object(map),
                None => return Err(bad("it is malformed")),
            },
            Event::StreamEnd | Event::DocumentEnd => return Ok(Map::new()),
            Event::Nothing | Event::StreamStart | Event::DocumentStart => continue,
        };
        match open.last_mut() {
            Some(Open::List(list)) => list.push(value),
            Some(Open::Map(_, key @ None)) => *key = Some(key_of(&value)),
            Some(Open::Map(map, key)) => {
                map.insert(key.take().unwrap_or_default(), value);
            }
            None => {
                return match value {
                    Value::Object(map) => Ok(map),
                    Value::Null => Ok(Map::new()),
                    _ => Err(bad("expected names with values")),
                };
            }
        }
    }
}

fn key_of(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// What a plain scalar stands for; a quoted one is text.
fn scalar(text: String, style: TScalarStyle) -> Value {
    if style != TScalarStyle::Plain {
        return Value::String(text);
    }
    match text.as_str() {
        "" | "~" | "null" => Value::Null,
        "true" => Value::Bool(true),
        "false" => Value::Bool(false),
        _ => text.parse::<i64>().map_or(Value::String(text), Value::from),
    }
}

#[cfg(test)]
mod tests {
    use super::split;
    use proptest::prelude::{any, proptest};
    use serde_json::{Value, json};

    #[test]
    fn a_card_is_read() {
        let card = "---\nlicense: apache-2.0\nlanguage:\n- en\ntags: [chat, \"1\"]\nmodel-index:\n- name: x\n  results: []\n---\n# Title\n---\n";
        let (front, body) = split(card).unwrap();
        assert_eq!(
            Value::Object(front),
            json!({
                "license": "apache-2.0", "language": ["en"], "tags": ["chat", "1"],
                "model-index": [{ "name": "x", "results": [] }],
            })
        );
        assert_eq!(body, "# Title\n---\n");
        assert_eq!(split("# no front matter").unwrap().1, "# no front matter");
        assert_eq!(split("---\n---\n").unwrap().0.len(), 0);
    }

    #[test]
    fn hostile_front_matter_is_refused() {
        let wrap = |yaml: &str| format!("---\n{yaml}\n---\n");
        let laughs = "a: &a [x,x]\nb: [*a,*a]";
        let flow = format!("a: {}", "[".repeat(30_000));
        let block = "- ".repeat(30_000);
        let long = "a: b\n".repeat(20_000);
        let many = format!("a: [{}]", "1,".repeat(9_000));
        for yaml in [laughs, &flow, &block, &long, &many, "- a", "a: 'open", "a: b: c"] {
            assert!(split(&wrap(yaml)).is_err(), "{yaml:.60}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in any::<String>()) {
            drop(split(&format!("---\n{text}\n---\n")));
        }
    }
}
