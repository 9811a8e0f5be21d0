//! The documents for people are true: every command in a tutorial is run, what they promise is printed, the
//! quickstart takes less than five minutes, and the error index lists exactly the codes that the sources have.

use eyre::{Context, ContextCompat, Result, ensure};
use sahara_scenarios::{Network, Options, program};
use std::{
    collections::BTreeSet,
    fs,
    path::{Path, PathBuf},
    process::Command,
    time::{Duration, Instant},
};

/// From starting the program to a paid answer.
const QUICK: Duration = Duration::from_secs(300);
/// In the order in which a newcomer reads them.
const TUTORIALS: [&str; 5] = ["quickstart", "ask", "create", "contribute", "operate"];

fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// Documents beside the tutorials that people read in the web application, in either language.
const GUIDES: [&str; 2] = ["run-a-validator", "errors"];

/// A document under `docs`.
fn document(name: &str) -> Result<String> {
    let file = root().join("docs").join(format!("{name}.md"));
    fs::read_to_string(&file).wrap_err_with(|| file.display().to_string())
}

/// The text of a tutorial.
fn tutorial(name: &str) -> Result<String> {
    document(&format!("tutorials/{name}"))
}

/// A block of commands, and what must be in what it prints.
#[derive(Debug, PartialEq)]
struct Step {
    commands: String,
    promised: Vec<String>,
}

/// The `sh` blocks of a tutorial, each with the `text` block that follows it.
fn steps(markdown: &str) -> Vec<Step> {
    let mut steps: Vec<Step> = Vec::new();
    for (index, block) in markdown.split("```").enumerate() {
        let Some((language, body)) = block.split_once('\n').filter(|_| index % 2 == 1) else {
            continue;
        };
        match (language, steps.last_mut()) {
            ("sh", _) => steps.push(Step { commands: body.into(), promised: Vec::new() }),
            ("text", Some(step)) => step.promised.extend(body.lines().map(str::to_owned)),
            _ => {}
        }
    }
    steps
}

/// Where a reader would be: in an empty directory, with the program on the path and a network running.
struct Reader {
    place: tempfile::TempDir,
    path: String,
    variables: Vec<(&'static str, String)>,
}

impl Reader {
    fn new(network: &Network) -> Result<Self> {
        let place = tempfile::tempdir()?;
        let program = program()?;
        let beside = program.parent().wrap_err("the program lies in a directory")?;
        let inherited = std::env::var_os("PATH").unwrap_or_default();
        let path = format!("{}:{}", beside.display(), inherited.to_string_lossy());
        let data = network.directory();
        let data = data.parent().wrap_err("the network has a directory")?;
        let variables = vec![
            ("SAHARA_DATA_DIR", data.display().to_string()),
            ("SAHARA_GATEWAY", network.gateway()?),
            ("SAHARA_API_KEY", network.text("/api_key")?),
            ("SAHARA_METRICS", network.text("/metrics")?),
        ];
        Ok(Self { place, path, variables })
    }

    /// Variables of one block are those of the next, as in a terminal.
    fn follows(&self, name: &str, steps: &[Step]) -> Result<()> {
        let mut script = String::from("set -eu\n");
        for step in steps {
            script.push_str(&step.commands);
            script.push_str("echo; echo '--- next step ---'\n");
        }
        let output = Command::new("bash")
            .args(["-c", &script])
            .current_dir(self.place.path())
            .env("PATH", &self.path)
            .env("LANG", "C.UTF-8")
            .envs(self.variables.iter().map(|(key, value)| (*key, value.as_str())))
            .output()?;
        let said = String::from_utf8_lossy(&output.stdout);
        let errors = String::from_utf8_lossy(&output.stderr);
        ensure!(output.status.success(), "{name} does not run:\n{said}\n{errors}");
        for (step, said) in steps.iter().zip(said.split("--- next step ---")) {
            for line in &step.promised {
                ensure!(
                    said.contains(line.as_str()),
                    "{name} promises {line:?} of\n{}\nwhich said\n{said}",
                    step.commands
                );
            }
        }
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn every_command_of_the_tutorials_runs_and_the_first_answer_is_quick() -> Result<()> {
    let began = Instant::now();
    let network = Network::start(Options::default())?;
    let reader = Reader::new(&network)?;
    for name in TUTORIALS {
        let steps = steps(&tutorial(name)?);
        ensure!(steps.len() >= 2, "{name} has commands to run");
        reader.follows(name, &steps)?;
        if name == "quickstart" {
            ensure!(began.elapsed() < QUICK, "the quickstart took {:?}", began.elapsed());
        }
    }
    Ok(())
}

/// Lines for people, as long as a sentence, and how many headings are among them.
fn prose(markdown: &str) -> (BTreeSet<&str>, usize) {
    let lines = markdown.split("```").step_by(2).flat_map(str::lines);
    let headings = lines.clone().filter(|line| line.starts_with('#')).count();
    (lines.filter(|line| line.len() > 40).collect(), headings)
}

#[test]
fn a_translation_has_the_commands_of_the_tutorial_and_words_of_its_own() -> Result<()> {
    for name in TUTORIALS {
        let (text, translated) = (tutorial(name)?, tutorial(&format!("{name}.id"))?);
        // Those are run, so these run too.
        assert_eq!(steps(&translated), steps(&text), "{name}.id has other commands than {name}");
        says_the_same(name, &text, &translated)?;
    }
    for name in GUIDES {
        let (text, translated) = (document(name)?, document(&format!("{name}.id"))?);
        assert_eq!(bare(&translated), bare(&text), "{name}.id has other commands than {name}");
        assert_eq!(rows(&translated), rows(&text), "{name}.id has other codes than {name}");
        says_the_same(name, &text, &translated)?;
    }
    Ok(())
}

/// As many headings, and nothing left in English.
fn says_the_same(name: &str, text: &str, translated: &str) -> Result<()> {
    let ((lines, headings), (others, found)) = (prose(text), prose(translated));
    ensure!(headings == found, "{name}.id has {found} headings, expected {headings}");
    let same: Vec<_> = lines.intersection(&others).collect();
    ensure!(same.is_empty(), "{name}.id was left in English: {same:?}");
    Ok(())
}

/// The lines of commands without what is said about them.
fn bare(markdown: &str) -> Vec<String> {
    let commands = steps(markdown).into_iter().map(|step| step.commands);
    let lines = commands.flat_map(|text| text.lines().map(str::to_owned).collect::<Vec<_>>());
    lines.map(|line| line.split(" #").next().unwrap_or_default().trim_end().to_owned()).collect()
}

/// The number and the code of each row that has them, in order.
fn rows(markdown: &str) -> Vec<(String, String)> {
    let rows = markdown.lines().filter_map(|line| {
        let mut cells = line.strip_prefix("| ")?.split(" | ");
        let (number, code) = (cells.next()?, cells.next()?);
        number.parse::<u16>().ok()?;
        Some((number.to_owned(), code.to_owned()))
    });
    rows.collect()
}

/// Texts in quotation marks that follow one of these words in a source.
fn codes_in(source: &str, before: &[&str]) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for word in before {
        for rest in source.split(word).skip(1) {
            let code = rest.split('"').next().unwrap_or_default();
            let is_code =
                !code.is_empty() && code.chars().all(|c| c.is_ascii_lowercase() || c == '_');
            if is_code {
                found.insert(code.to_owned());
            }
        }
    }
    found
}

#[test]
fn the_error_index_lists_every_code_and_no_other() -> Result<()> {
    let sources: [(&str, &[&str]); 9] = [
        ("application/gateway/src/error.rs", &[".code(\""]),
        ("application/gateway/src/rights.rs", &["(402, \"", "(403, \""]),
        ("application/sahara/src/failure.rs", &["=> \""]),
        ("application/sahara/src/web/mod.rs", &["FORBIDDEN, \"", "BAD_REQUEST, \""]),
        ("application/sahara/src/web/node.rs", &["BAD_REQUEST, \""]),
        (
            "application/sahara/src/web/allowance.rs",
            &["NOT_FOUND, \"", "CONFLICT, \"", "REQUESTS, \"", "UNAVAILABLE, \"", "REQUEST, \""],
        ),
        (
            "application/sahara/src/web/sessions.rs",
            &["UNAVAILABLE, \"", "REQUEST, \"", "FORBIDDEN, \"", "UNAUTHORIZED, \""],
        ),
        ("application/sahara/src/web/files.rs", &["NOT_FOUND, \""]),
        (
            "data/index/src/api/error.rs",
            &[
                "NOT_FOUND, \"",
                "REQUEST, \"",
                "ALLOWED, \"",
                "UNAVAILABLE, \"",
                "ERROR, \"",
                "GONE, \"",
            ],
        ),
    ];
    let mut codes = BTreeSet::new();
    for (file, before) in sources {
        let source = fs::read_to_string(root().join(file)).wrap_err(file)?;
        let found = codes_in(&source, before);
        ensure!(!found.is_empty(), "{file} has codes");
        codes.extend(found);
    }
    let index = fs::read_to_string(root().join("docs/errors.md"))?;
    let rows = index.lines().filter(|line| line.starts_with("| "));
    let listed: BTreeSet<_> =
        rows.filter_map(|row| row.split('`').nth(1)).map(str::to_owned).collect();
    let missing: Vec<_> = codes.difference(&listed).collect();
    ensure!(missing.is_empty(), "docs/errors.md does not say what to do about {missing:?}");
    let unknown: Vec<_> = listed.difference(&codes).collect();
    ensure!(unknown.is_empty(), "docs/errors.md lists {unknown:?}, which no source has");
    Ok(())
}

#[test]
fn links_between_documents_lead_somewhere() -> Result<()> {
    let mut looked = 0;
    for directory in ["docs", "docs/tutorials"] {
        for entry in fs::read_dir(root().join(directory))? {
            let file = entry?.path();
            if file.extension().is_none_or(|end| end != "md") {
                continue;
            }
            let text = fs::read_to_string(&file)?;
            for link in text.split("](").skip(1).filter_map(|rest| rest.split(')').next()) {
                let path = link.split('#').next().unwrap_or_default();
                if path.is_empty() || path.contains("://") {
                    continue;
                }
                let place = file.parent().wrap_err("a file lies in a directory")?.join(path);
                ensure!(place.exists(), "{} links to {link}", file.display());
                looked += 1;
            }
        }
    }
    ensure!(looked > 10, "links were looked at");
    Ok(())
}
