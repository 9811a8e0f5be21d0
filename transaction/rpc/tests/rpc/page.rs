//! [`Page`]: a page of metrics, read as strictly as `OpenMetrics` is written. A scenario reads a real
//! validator's with it, the gateway's tests read the gateway's.

use std::collections::{BTreeMap, BTreeSet};

/// What a page of metrics says.
#[derive(Debug, Default)]
pub(crate) struct Page {
    /// Values by name and labels, as they stand there.
    pub(crate) samples: BTreeMap<String, f64>,
    /// What the names of a family's samples add to its own, by the family's name.
    families: BTreeMap<String, &'static [&'static str]>,
}

/// A family of samples: what stands above them.
#[derive(Debug, Default)]
struct Family<'a> {
    name: &'a str,
    help: Option<&'a str>,
    kind: Option<&'a str>,
    unit: Option<&'a str>,
    has_samples: bool,
}

impl Page {
    /// Reads a page.
    ///
    /// # Errors
    /// With the line that breaks the format.
    pub(crate) fn read(text: &str) -> Result<Self, String> {
        let lines = text.strip_suffix("# EOF\n").ok_or("the page does not end with `# EOF`")?;
        let (mut page, mut family) = (Self::default(), Family::default());
        for line in lines.lines() {
            let read = match line.strip_prefix("# ") {
                Some(words) => page.describe(&mut family, words),
                None => page.take(&mut family, line),
            };
            read.map_err(|broken| format!("{broken}: {line}"))?;
        }
        Ok(page)
    }

    /// Whether a sample of this name is there, or would be if its family had one.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.families.iter().any(|(family, endings)| {
            name.strip_prefix(family.as_str()).is_some_and(|ending| endings.contains(&ending))
        })
    }

    /// A line of a family's description.
    fn describe<'a>(&mut self, family: &mut Family<'a>, words: &'a str) -> Result<(), String> {
        let mut words = words.splitn(3, ' ');
        let (Some(word), Some(name), Some(value)) = (words.next(), words.next(), words.next())
        else {
            return Err("neither a description nor a sample".into());
        };
        if name != family.name {
            if !is_name(name) || self.families.contains_key(name) {
                return Err("no valid name, or one that is described twice".into());
            }
            *family = Family { name, ..Family::default() };
        }
        let place = match word {
            "HELP" => &mut family.help,
            "TYPE" => {
                let endings = endings(value).ok_or("no known type")?;
                self.families.insert(name.to_owned(), endings);
                &mut family.kind
            }
            "UNIT" => {
                let is_in_name = name.strip_suffix(value).is_some_and(|rest| rest.ends_with('_'));
                if !is_in_name {
                    return Err("the name does not end with the unit".into());
                }
                &mut family.unit
            }
            _ => return Err("expected HELP, TYPE or UNIT".into()),
        };
        if place.replace(value).is_some() || family.has_samples {
            return Err("said twice, or after a sample".into());
        }
        Ok(())
    }

    fn take(&mut self, family: &mut Family<'_>, line: &str) -> Result<(), String> {
        let (key, value) = line.rsplit_once(' ').ok_or("no value")?;
        let (name, labels) = match key.split_once('{') {
            Some((name, labels)) => (name, labels.strip_suffix('}').ok_or("labels without end")?),
            None => (key, ""),
        };
        let (Some(_), Some(kind)) = (family.help, family.kind) else {
            return Err("no HELP and TYPE before it".into());
        };
        let endings = endings(kind).unwrap_or_default();
        let ending = name.strip_prefix(family.name);
        let is_of_it = ending.is_some_and(|ending| endings.contains(&ending));
        if !is_of_it {
            return Err(format!("no sample of the {kind} {} above it", family.name));
        }
        check_labels(labels)?;
        let value = value.parse::<f64>().map_err(|_| "no number")?;
        family.has_samples = true;
        match self.samples.insert(key.to_owned(), value) {
            None => Ok(()),
            Some(_) => Err("there twice".into()),
        }
    }
}

/// What the names of samples of a type add to their family's.
fn endings(kind: &str) -> Option<&'static [&'static str]> {
    let endings: &[&str] = match kind {
        "counter" => &["_total"],
        "gauge" | "unknown" => &[""],
        "histogram" => &["_bucket", "_count", "_sum"],
        "info" => &["_info"],
        _ => return None,
    };
    Some(endings)
}

/// Whether a metric or a label may be called so.
fn is_name(name: &str) -> bool {
    let is_letter = |letter: char| letter.is_ascii_alphabetic() || letter == '_';
    name.starts_with(is_letter) && name.chars().all(|it| is_letter(it) || it.is_ascii_digit())
}

/// Checks `name="value",name="value"`: valid names, each once, and closed values.
fn check_labels(mut rest: &str) -> Result<(), String> {
    let mut seen = BTreeSet::new();
    while !rest.is_empty() {
        let (name, after) = rest.split_once("=\"").ok_or("a label without a value")?;
        if !is_name(name) || !seen.insert(name) {
            return Err(format!("the label `{name}` is not valid or is there twice"));
        }
        let mut is_escaped = false;
        let closes = |letter: char| {
            let closes = letter == '"' && !is_escaped;
            is_escaped = letter == '\\' && !is_escaped;
            closes
        };
        let end = after.find(closes).ok_or("a label's value without end")?;
        let more = after.get(end.saturating_add(1)..).unwrap_or_default();
        rest = match more.strip_prefix(',') {
            Some(next) if !next.is_empty() => next,
            None if more.is_empty() => more,
            Some(_) | None => return Err("no comma between two labels".into()),
        };
    }
    Ok(())
}

/// Names of metrics with a prefix that a text asks for.
pub(crate) fn names<'a>(text: &'a str, prefix: &str) -> BTreeSet<&'a str> {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric() && c != '_');
    words.filter(|word| word.starts_with(prefix)).collect()
}
