//! The page "run a validator", in either language: what it shows are commands and flags of this program.

use super::Cli;
use clap::{Command, CommandFactory as _, Parser as _};

const PAGES: [&str; 2] = [
    include_str!("../../../../docs/run-a-validator.md"),
    include_str!("../../../../docs/run-a-validator.id.md"),
];
const ADDRESS: &str = "0x1111111111111111111111111111111111111111";

/// The words of each line of its blocks of commands, as a shell takes them; some account where a reader
/// has to fill in one.
fn commands(page: &str) -> Vec<Vec<String>> {
    let blocks = page.split("```").skip(1).step_by(2).filter_map(|one| one.strip_prefix("sh\n"));
    let text = blocks.map(|block| block.replace("\\\n", " ")).collect::<String>();
    let lines = text.lines().filter_map(|line| line.split(" #").next()?.split(" > ").next());
    let is_blank = |word: &str| {
        let digits = word.strip_prefix("0x").unwrap_or_default();
        digits.starts_with(|letter: char| letter.is_ascii_uppercase())
    };
    let word = |word: &str| if is_blank(word) { ADDRESS } else { word }.to_owned();
    let words = lines.map(|line| line.split_whitespace().map(word).collect::<Vec<_>>());
    words.filter(|words| !words.is_empty()).collect()
}

/// What stands in its sentences between backticks.
fn named(page: &str) -> Vec<&str> {
    let prose = page.split("```").step_by(2);
    prose.flat_map(|text| text.split('`').skip(1).step_by(2)).collect()
}

fn has(command: &Command, flag: &str) -> bool {
    let name = flag.trim_start_matches("--");
    command.get_arguments().any(|argument| argument.get_long() == Some(name))
}

fn has_anywhere(command: &Command, flag: &str) -> bool {
    has(command, flag) || command.get_subcommands().any(|sub| has_anywhere(sub, flag))
}

/// The command that words begin with, and the words after it.
fn resolve<'a, 'w>(command: &'a Command, words: &'w [&'w str]) -> (&'a Command, &'w [&'w str]) {
    let next = words.split_first().and_then(|(first, rest)| {
        let sub = command.find_subcommand(first)?;
        Some((sub, rest))
    });
    match next {
        Some((sub, rest)) => resolve(sub, rest),
        None => (command, words),
    }
}

#[test]
fn every_command_of_the_page_is_one_of_this_program() {
    for page in PAGES {
        let commands = commands(page);
        assert!(commands.len() >= 16, "{} commands", commands.len());
        for words in commands {
            assert_eq!(words[0], "sahara", "{words:?}");
            if let Err(error) = Cli::try_parse_from(&words) {
                panic!("{}: {error}", words.join(" "));
            }
        }
    }
}

#[test]
fn every_command_and_flag_in_its_sentences_is_one_of_this_program() {
    let root = Cli::command();
    for page in PAGES {
        let mut looked = 0;
        for code in named(page) {
            let words = code.split_whitespace().collect::<Vec<_>>();
            match words.split_first() {
                // The program itself.
                Some((&"sahara", [])) => {}
                Some((&"sahara", rest)) => {
                    let (command, rest) = resolve(&root, rest);
                    assert!(!command.has_subcommands(), "`{code}` is no whole command");
                    for flag in rest.iter().filter(|word| word.starts_with("--")) {
                        assert!(has(command, flag) || has(&root, flag), "`{code}`: {flag}");
                    }
                }
                Some((flag, _)) if flag.starts_with("--") => {
                    assert!(has_anywhere(&root, flag), "`{code}`");
                }
                _ => continue,
            }
            looked += 1;
        }
        assert!(looked >= 15, "{looked} commands and flags");
    }
}

/// Flags of a node that are named with a value are taken with it, beside those of the command shown.
#[test]
fn a_node_takes_the_values_that_the_page_names() {
    let root = Cli::command();
    let node = root.find_subcommand("node").unwrap();
    for page in PAGES {
        let shown = commands(page).into_iter().find(|words| words[1] == "node").unwrap();
        let mut looked = 0;
        for code in named(page) {
            // So many blocks, whatever their number.
            let code = code.replace("=N", "=100");
            let Some((flag, value)) = code.split_once(' ') else { continue };
            let is_value = !value.contains(|letter: char| letter.is_ascii_uppercase());
            let is_new = !shown.iter().any(|word| word == flag);
            let is_known = flag.starts_with("--") && (has(node, flag) || has(&root, flag));
            if !is_known || !is_value || !is_new {
                continue;
            }
            let more = [flag, value].map(str::to_owned);
            if let Err(error) = Cli::try_parse_from(shown.iter().chain(&more)) {
                panic!("`{code}`: {error}");
            }
            looked += 1;
        }
        assert!(looked >= 6, "{looked} values");
    }
}
