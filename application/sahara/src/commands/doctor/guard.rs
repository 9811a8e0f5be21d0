//! How far the keys of this machine's validators may have signed, and whether their directories know it.

use super::Finding;
use crate::{
    cli::Doctor,
    commands::{node::guard_file, status},
    failure::Failure,
    local,
    session::Session,
};
use alloy_primitives::{B256, U64};
use eyre::{Result, WrapErr};
use sahara_chain::{
    consensus::{Guard, GuardError, Signed},
    genesis::GenesisFile,
};
use serde::Deserialize;
use std::{
    fs,
    path::{Path, PathBuf},
    time::Duration,
};

/// How long the chain's epoch is waited for.
const PATIENCE: Duration = Duration::from_secs(4);

/// A validator's files.
struct Validator {
    key: PathBuf,
    guard: PathBuf,
    consensus: PathBuf,
}

impl Validator {
    fn new(key: PathBuf, directory: &Path, genesis: B256) -> Self {
        Self { guard: guard_file(&key, genesis), consensus: directory.join("consensus"), key }
    }

    fn look(&self) -> Result<Option<Signed>, GuardError> {
        Guard::look(&self.guard, &self.consensus)
    }
}

/// Of a network, the hash of block 0, and the epoch of the block that comes next.
type Chain = (B256, u64);

#[derive(Deserialize)]
struct Members {
    epoch: U64,
}

/// Looks at the guards of the local network's validators, and of the one that is named.
///
/// # Errors
/// When the genesis file that is named makes no chain.
pub(super) async fn findings(doctor: &Doctor, session: &Session) -> Result<Vec<Finding>> {
    let validators: Vec<_> = local_ones(session).into_iter().chain(named(doctor)?).collect();
    // Before the chain is asked, which goes on meanwhile.
    let seen: Vec<_> = validators.iter().map(Validator::look).collect();
    let chain = if seen.is_empty() { None } else { ask(session).await };
    let both = validators.iter().zip(seen);
    Ok(both.map(|(validator, seen)| finding(&validator.key, seen, chain)).collect())
}

fn local_ones(session: &Session) -> Vec<Validator> {
    let Ok(Some(network)) = session.network() else { return Vec::new() };
    let places = (0..network.rpcs.len())
        .map(|index| local::directory(&session.places).join(format!("node-{index}")));
    let validator = |place: PathBuf| {
        Validator::new(place.join("validator.secret"), &place, network.genesis_hash)
    };
    places.map(validator).collect()
}

fn named(doctor: &Doctor) -> Result<Option<Validator>> {
    let Doctor { genesis: Some(genesis), directory: Some(directory), key_file: Some(key) } = doctor
    else {
        return Ok(None);
    };
    let file = fs::read(genesis);
    let file = file.wrap_err_with(|| format!("could not read {}", genesis.display()))?;
    let built = GenesisFile::parse(&file).and_then(|file| file.build()).map_err(|error| {
        Failure::usage(format!("{} makes no chain: {error}", genesis.display()))
    })?;
    Ok(Some(Validator::new(key.clone(), directory, built.block.hash())))
}

/// Nothing if the node does not say.
async fn ask(session: &Session) -> Option<Chain> {
    let client = session.client().ok()?;
    let node = status::node(session).await.ok()?;
    let members = client.request::<Members>("sahara_getValidators", (None::<U64>,));
    let members = tokio::time::timeout(PATIENCE, members).await.ok()?.ok()?;
    Some((node.genesis_hash, members.epoch.to()))
}

fn finding(key: &Path, seen: Result<Option<Signed>, GuardError>, chain: Option<Chain>) -> Finding {
    let (is_fine, found, mend) = match seen {
        _ if !key.is_file() => {
            (false, String::from("there is no such key file"), "name the one that the node has")
        }
        Err(error) => (
            false,
            error.to_string(),
            "do not start this validator before guard and directory fit together: the node would refuse",
        ),
        Ok(None) => (true, String::from("nothing was signed yet"), ""),
        Ok(Some(signed)) => of_signed(&signed, chain),
    };
    Finding { what: "guard", is_fine, found: format!("{}: {found}", key.display()), mend }
}

fn of_signed(signed: &Signed, chain: Option<Chain>) -> (bool, String, &'static str) {
    let Signed { genesis, epoch, view, sits_out } = signed;
    let mut found = format!("signed up to view {view} of epoch {epoch}");
    match sits_out {
        None => {}
        Some(u64::MAX) => {
            found.push_str(", signs from the next epoch on that begins while it runs");
        }
        Some(last) => found.push_str(&format!(", signs nothing up to epoch {last}")),
    }
    match chain {
        Some((other, next)) if other == *genesis && next < *epoch => (
            false,
            format!("{found}, and the chain is in epoch {next}"),
            "wait until the node has caught up; if it has, the key signs elsewhere as well: stop it there",
        ),
        _ => (true, found, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::{Chain, Validator, finding};
    use crate::commands::doctor::Finding;
    use sahara_chain::consensus::{Guard, LostVotes, VIEWS_AHEAD};
    use sahara_primitives::B256;
    use std::fs;

    const GENESIS: B256 = B256::repeat_byte(1);

    #[test]
    fn a_guard_that_does_not_fit_its_directory_or_the_chain_wants_mending() {
        let place = tempfile::tempdir().unwrap();
        let validator = Validator::new(place.path().join("validator.json"), place.path(), GENESIS);
        let Validator { key, guard: file, consensus } = &validator;
        let look = |chain: Option<Chain>| finding(key, validator.look(), chain);
        let mends = |of: &Finding| !of.is_fine && !of.mend.is_empty();
        assert!(mends(&look(None)), "there is no key file");
        fs::write(key, "{}").unwrap();
        fs::create_dir(consensus).unwrap();
        assert!(look(None).is_fine && look(None).found.ends_with("nothing was signed yet"));

        let network = (GENESIS, String::from("0xab"));
        let usual = (false, LostVotes::Refuse);
        let guard = Guard::open(file, consensus, network, usual).unwrap();
        guard.before_vote(3, 5).unwrap();
        let signed = format!("signed up to view {} of epoch 3", 5 + VIEWS_AHEAD);
        // Of a chain that is as far or is another, and of one that nobody tells of.
        for chain in [Some((GENESIS, 3)), Some((GENESIS, 4)), Some((B256::ZERO, 0)), None] {
            let found = look(chain);
            assert!(found.is_fine && found.found.ends_with(&signed), "{}", found.found);
        }
        let behind = look(Some((GENESIS, 2)));
        assert!(mends(&behind) && behind.found.ends_with("the chain is in epoch 2"));

        let kept = fs::read(file).unwrap();
        fs::remove_file(file).unwrap();
        let gone = look(None);
        assert!(mends(&gone) && gone.found.contains("is missing"), "{}", gone.found);
        assert!(gone.found.contains("--lost-votes sit-out"), "{}", gone.found);
        fs::write(file, kept).unwrap();
        fs::remove_dir_all(consensus).unwrap();
        let lost = look(None);
        assert!(mends(&lost) && lost.found.contains("--lost-votes sit-out"), "{}", lost.found);
        fs::write(file, "{").unwrap();
        let damaged = look(None);
        assert!(mends(&damaged) && damaged.found.contains("is damaged"), "{}", damaged.found);
    }
}
