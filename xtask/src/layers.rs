//! The import rule: a crate may only depend on crates that stand before it in [`ORDER`].

use crate::shell;
use eyre::{Result, bail, eyre};
use serde_json::Value;

/// DESIGN: an import only points towards the foundation.
const ORDER: &[&str] = &[
    "sahara-primitives",
    "sahara-abi",
    "sahara-telemetry",
    "sahara-finality",
    "sahara-protocols",
    "sahara-evm",
    "sahara-chain",
    "sahara-rpc",
    "sahara-client",
    "sahara-vault",
    "sahara-index",
    "sahara-engine",
    "sahara-compute",
    "sahara-gateway",
    "sahara",
    "sahara-fuzz",
    "sahara-scenarios",
    "xtask",
];

/// Crates that see only what is listed, whatever the order would allow.
const ONLY: &[(&str, &[&str])] = &[
    ("sahara-client", &["sahara-primitives", "sahara-abi", "sahara-finality"]),
    ("sahara-engine", &[]),
    (
        "sahara-compute",
        &["sahara-primitives", "sahara-abi", "sahara-finality", "sahara-client", "sahara-engine"],
    ),
    (
        "sahara-gateway",
        &[
            "sahara-primitives",
            "sahara-abi",
            "sahara-telemetry",
            "sahara-finality",
            "sahara-client",
            "sahara-compute",
        ],
    ),
    ("xtask", &[]),
];

/// Heavy dependencies and the crates that may name them.
const HEAVY: &[(&str, &[&str])] = &[
    ("revm", &["sahara-evm"]),
    ("revm-inspectors", &["sahara-evm"]),
    ("commonware-consensus", &["sahara-finality", "sahara-chain"]),
    ("commonware-glue", &["sahara-chain"]),
    ("sqlx", &["sahara-index"]),
    ("opentelemetry", &["sahara-telemetry"]),
    ("fjall", &["sahara-chain", "sahara-gateway", "sahara-compute"]),
];

/// Checks the rule from `cargo metadata`, development dependencies included (see [`fault`]).
pub(crate) fn check() -> Result<()> {
    let text =
        shell::output(&mut shell::cargo(&["metadata", "--format-version", "1", "--no-deps"]))?;
    let metadata: Value = serde_json::from_str(&text)?;
    let packages = metadata
        .get("packages")
        .and_then(Value::as_array)
        .ok_or_else(|| eyre!("cargo metadata lists no packages"))?;
    let mut faults = Vec::new();
    for package in packages {
        let name = text_of(package, "name");
        let dependencies = package
            .get("dependencies")
            .and_then(Value::as_array)
            .map(Vec::as_slice)
            .unwrap_or_default();
        faults.extend(dependencies.iter().filter_map(|dependency| {
            fault(name, text_of(dependency, "name"), text_of(dependency, "kind") == "dev")
        }));
    }
    if !faults.is_empty() {
        bail!("the import rule is broken:\n  {}", faults.join("\n  "));
    }
    println!("layers: {} crates, every import points towards the foundation", packages.len());
    Ok(())
}

fn text_of<'a>(value: &'a Value, field: &str) -> &'a str {
    value.get(field).and_then(Value::as_str).unwrap_or_default()
}

fn place(name: &str) -> Option<usize> {
    ORDER.iter().position(|other| *other == name)
}

/// What is wrong with one import. What a crate links is held to every rule; what only its tests link
/// is held to the order.
fn fault(name: &str, dependency: &str, is_test: bool) -> Option<String> {
    let Some(own) = place(name) else {
        return Some(format!("{name} stands nowhere in the order: add it to xtask/src/layers.rs"));
    };
    if let Some((_, allowed)) = HEAVY.iter().find(|(heavy, _)| *heavy == dependency) {
        let text = format!("{name} may not name {dependency}: only {} may", allowed.join(", "));
        return (!is_test && !allowed.contains(&name)).then_some(text);
    }
    let other = place(dependency)?;
    if other >= own {
        return Some(format!("{name} imports {dependency}, which stands after it"));
    }
    let (_, allowed) = ONLY.iter().find(|(only, _)| *only == name && !is_test)?;
    (!allowed.contains(&dependency))
        .then(|| format!("{name} may import only {allowed:?}, not {dependency}"))
}

#[cfg(test)]
mod tests {
    use super::fault;

    #[test]
    fn an_import_away_from_the_foundation_is_a_fault() {
        assert!(fault("sahara-abi", "sahara-evm", false).is_some());
        assert!(fault("sahara-gateway", "sahara-chain", false).is_some());
        assert!(fault("sahara-rpc", "revm", false).is_some());
        assert!(fault("sahara-unknown", "serde", false).is_some());
        assert!(fault("sahara-evm", "sahara-abi", false).is_none());
        assert!(fault("sahara-evm", "revm", false).is_none());
        assert!(fault("sahara-gateway", "sahara-protocols", false).is_some());
        assert!(fault("sahara-gateway", "sahara-protocols", true).is_none());
        assert!(fault("sahara-abi", "sahara-evm", true).is_some());
    }
}
