use super::*;
use crate::tests::tiny_tokens as tokens;

/// What was shown token by token, and whether a stop came.
fn compose(text: &str, stops: &[&str]) -> (Vec<String>, bool) {
    let (model, tokens) = tokens(text);
    let mut composer = Composer::new(stops.iter().map(|stop| (*stop).to_owned()).collect());
    let mut shown = Vec::new();
    for token in tokens {
        if composer.push(model.tokenizer(), token) {
            shown.push(composer.release(true).into_iter().map(|piece| piece.text).collect());
            return (shown, true);
        }
        shown.push(composer.release(false).into_iter().map(|piece| piece.text).collect());
    }
    let has_stopped = composer.finish();
    shown.push(composer.release(true).into_iter().map(|piece| piece.text).collect());
    (shown, has_stopped)
}

#[test]
fn only_a_possible_beginning_is_held_back() {
    assert_eq!(compose("abXYc", &["XYZ"]).0, ["a", "b", "", "", "XYc", ""]);
    assert_eq!(compose("aXYZb", &["XYZ"]), (["a", "", "", ""].map(String::from).to_vec(), true));
    // a beginning inside a beginning
    assert_eq!(compose("XXYZ", &["XYZ"]), (["", "X", "", ""].map(String::from).to_vec(), true));
    assert_eq!(compose("aaab", &["aab"]).0.concat(), "a");
}

#[test]
fn the_earliest_stop_counts() {
    assert_eq!(compose("abcdef", &["cde", "d"]).0.concat(), "abc");
    assert_eq!(compose("abcdef", &["bcd", "d"]).0.concat(), "a");
    assert_eq!(compose("abc", &["xyz"]), (["a", "b", "c", ""].map(String::from).to_vec(), false));
}

#[test]
fn a_beginning_at_the_end_is_shown_at_the_end() {
    assert_eq!(
        compose("abXY", &["XYZ"]),
        (["a", "b", "", "", "XY"].map(String::from).to_vec(), false)
    );
}
