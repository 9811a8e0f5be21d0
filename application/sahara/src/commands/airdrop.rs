//! `sahara airdrop`.

use crate::{
    cli::Airdrop,
    failure::Failure,
    output::{Format, from_now, now, pairs, utc},
    refusal::refused,
    session::Session,
};
use alloy_primitives::keccak256;
use eyre::{Result, WrapErr, eyre};
use sahara_abi::{IVesting, VESTING};
use sahara_primitives::{Address, Amount, B256, Timestamp};
use sahara_protocols::vesting::leaf;
use serde_json::json;
use std::path::Path;

/// Allocations and the leaves of their tree.
struct List {
    allocations: Vec<(Address, Amount)>,
    leaves: Vec<B256>,
}

/// Reads lines of `ACCOUNT,AMOUNT`; a line's place, from 0, is its index.
pub(crate) fn parse(text: &str) -> Result<Vec<(Address, Amount)>> {
    let mut allocations = Vec::new();
    for (number, line) in text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty()) {
        let wrong = || {
            let line_number = number.saturating_add(1);
            Failure::usage(format!("line {line_number} is no allocation: expected ACCOUNT,SAHARA"))
        };
        let (account, amount) = line.trim().split_once(',').ok_or_else(wrong)?;
        let account = account.trim().parse().map_err(|_| wrong())?;
        allocations.push((account, amount.trim().parse().map_err(|_| wrong())?));
    }
    if allocations.is_empty() {
        return Err(Failure::usage("the list is empty: expected lines of ACCOUNT,SAHARA"));
    }
    Ok(allocations)
}

/// The levels of a tree: leaves lowest, the root alone on top.
fn levels(leaves: Vec<B256>) -> Vec<Vec<B256>> {
    let mut levels = vec![leaves];
    while let Some(last) = levels.last().filter(|last| last.len() > 1) {
        let next = last.chunks(2).map(|pair| match pair {
            [a, b] => keccak256([a.min(b).0, a.max(b).0].concat()),
            // One without a neighbour goes up as it is.
            one => one.first().copied().unwrap_or_default(),
        });
        let next = next.collect();
        levels.push(next);
    }
    levels
}

/// The root of a tree whose nodes hash their sorted children.
pub(crate) fn root_of(leaves: Vec<B256>) -> B256 {
    levels(leaves).last().and_then(|level| level.first()).copied().unwrap_or_default()
}

/// The siblings from a leaf up to the root.
pub(crate) fn proof(leaves: Vec<B256>, index: u64) -> Vec<B256> {
    let Ok(mut place) = usize::try_from(index) else { return Vec::new() };
    let mut proof = Vec::new();
    for level in levels(leaves) {
        proof.extend(level.get(place ^ 1).copied());
        place >>= 1;
    }
    proof
}

impl List {
    fn parse(text: &str, chain_id: u64) -> Result<Self> {
        let allocations = parse(text)?;
        let leaves = (0..).zip(&allocations);
        let leaves =
            leaves.map(|(index, (account, amount))| leaf(chain_id, index, *account, *amount));
        let leaves = leaves.collect();
        Ok(Self { allocations, leaves })
    }

    fn root(&self) -> B256 {
        root_of(self.leaves.clone())
    }

    fn claim(&self, index: u64) -> Option<IVesting::claimCall> {
        let place = usize::try_from(index).ok()?;
        let (account, amount) = *self.allocations.get(place)?;
        let proof = proof(self.leaves.clone(), index);
        Some(IVesting::claimCall { index, account, amount: amount.base_units(), proof })
    }
}

fn read(file: &Path, chain_id: u64) -> Result<List> {
    let text = std::fs::read_to_string(file);
    List::parse(&text.wrap_err_with(|| format!("could not read {}", file.display()))?, chain_id)
}

/// Runs a command about the airdrop.
pub(crate) async fn run(airdrop: &Airdrop, session: &Session, format: Format) -> Result<()> {
    match airdrop {
        Airdrop::Status => status(session, format).await,
        Airdrop::Root { file } => {
            let list = read(file, session.client()?.chain_id().await.map_err(refused)?)?;
            let total = Amount::sum(list.allocations.iter().map(|(_, amount)| *amount));
            let total = total.map_err(|_| eyre!("the amounts exceed all coin there is"))?;
            let (root, number) = (list.root(), list.allocations.len());
            format.print(&json!({"root": root, "allocations": number, "total": total}), |_| {
                format!("{root}\n{number} allocations, {total} SAHARA")
            })
        }
        Airdrop::Claim { file, index, dry_run, signer } => {
            let client = session.client()?;
            let list = read(file, client.chain_id().await.map_err(refused)?)?;
            let call = list.claim(*index).ok_or_else(|| {
                Failure::not_found(format!("the list has no allocation {index}; the first is 0"))
            })?;
            let (account, amount) = (call.account, Amount::from_base_units(call.amount));
            if *dry_run {
                let simulated = client.simulate(account, VESTING, Amount::ZERO, &call).await;
                let schedule = simulated.map_err(refused)?;
                let shown = json!({"account": account, "amount": amount, "schedule": schedule});
                return format.print(&shown, |_| {
                    format!("would become schedule {schedule} of {account}: {amount} SAHARA, 44 % at once, the rest in months 6 to 12")
                });
            }
            let key = session.key(signer).await?;
            let outcome = client.send(&key, VESTING, Amount::ZERO, &call).await.map_err(refused)?;
            let shown = json!({"transaction": outcome.hash, "account": account, "amount": amount});
            format.print(&shown, |_| format!("{amount} SAHARA for {account}: {}", outcome.hash))
        }
    }
}

async fn status(session: &Session, format: Format) -> Result<()> {
    let client = session.client()?;
    let airdrop = client.call(VESTING, &IVesting::airdropCall {}).await.map_err(refused)?;
    let unclaimed = Amount::from_base_units(airdrop.unclaimed);
    let shown = json!({
        "root": airdrop.root, "opens": airdrop.opens, "closes": airdrop.closes, "unclaimed": unclaimed,
    });
    let time = |at: u64| format!("{}, {}", utc(Timestamp(at)), from_now(Timestamp(at), now()));
    format.print(&shown, |_| {
        let root =
            if airdrop.root.is_zero() { "not published".into() } else { airdrop.root.to_string() };
        pairs([
            ("list", root),
            ("claims begin", time(airdrop.opens)),
            ("claims end", time(airdrop.closes)),
            ("unclaimed", format!("{unclaimed} SAHARA")),
        ])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use sahara_primitives::U256;

    #[test]
    fn every_allocation_of_a_list_is_proven_to_its_root() {
        let lines: Vec<_> = (1..=7).map(|n| format!("{}, {n}", Address::repeat_byte(n))).collect();
        let list = List::parse(&lines.join("\n"), 1).unwrap();
        for index in 0..7 {
            let call = list.claim(index).unwrap();
            let start = leaf(1, index, call.account, Amount::from_base_units(call.amount));
            let up = |node: B256, other: &B256| {
                keccak256([node.min(*other).0, node.max(*other).0].concat())
            };
            assert_eq!(call.proof.iter().fold(start, up), list.root(), "{index}");
            assert_eq!(call.amount, U256::from(index + 1) * U256::from(10).pow(U256::from(18)));
        }
        assert!(list.claim(7).is_none());
        for wrong in ["", "0x01,5", "nobody", "0x0101010101010101010101010101010101010101,much"] {
            assert!(List::parse(wrong, 1).is_err(), "{wrong}");
        }
    }
}
