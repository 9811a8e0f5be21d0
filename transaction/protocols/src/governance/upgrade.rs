//! Upgrades by height: from a block on, only nodes that know the new rules go on.

use super::{parameters::rules_of, storage::UPGRADE, words::Upgrade};
use crate::{
    state::{Failure, Read, Write},
    storage::Value,
};
use alloy_primitives::{Address, U256};
use sahara_abi::{
    GOVERNANCE as ADDRESS,
    IGovernance::{self, Kind},
};

/// The version of the protocols that this program has; a chain begins with 1.
pub const PROTOCOL_VERSION: u32 = 1;

/// The longest notice of an upgrade that anybody must give, in blocks: a day where they come once a second.
pub const MOST_NOTICE: u64 = 86_400;

/// The slot of governance that says which version a block needs.
pub fn upgrade_slot() -> U256 {
    UPGRADE.slot()
}

/// The version that a block needs by the word in [`upgrade_slot`].
///
/// # Errors
/// [`Failure::Fatal`] for a word that no rule writes.
pub fn needed_version(word: U256, height: u64) -> Result<u32, Failure> {
    Ok(Upgrade::unpack(&[word])?.needed_at(height).max(1))
}

/// The upgrade that was scheduled last, by the word in [`upgrade_slot`]: its version, and the first block that needs
/// it. Version 1 from block 0 on where none was.
///
/// # Errors
/// As [`needed_version`].
pub fn scheduled_upgrade(word: U256) -> Result<(u32, u64), Failure> {
    let Upgrade { height, version, .. } = Upgrade::unpack(&[word])?;
    Ok((version.max(1), height))
}

fn only_vote(caller: Address) -> Result<(), Failure> {
    if caller == ADDRESS {
        return Ok(());
    }
    Err(IGovernance::GovernorOnlyExecutor { account: caller }.into())
}

/// Blocks from an upgrade's scheduling to its height, at the least: as many as its timelock has seconds, up to
/// [`MOST_NOTICE`]. Whoever waits until a vote is carried out has this long for changing its program.
fn notice(state: &mut impl Read) -> Result<u64, Failure> {
    Ok(u64::from(rules_of(state, Kind::Upgrade)?.timelock).clamp(1, MOST_NOTICE))
}

/// Schedules an upgrade, in place of one whose height has not come.
///
/// # Errors
/// `GovernorOnlyExecutor`, `InvalidUpgrade` for a height without notice and a version that is not newer.
pub(super) fn schedule(
    state: &mut impl Write,
    caller: Address,
    version: u32,
    height: u64,
) -> Result<(), Failure> {
    only_vote(caller)?;
    let now = state.block().number;
    let first = now.saturating_add(notice(state)?);
    UPGRADE.update(state, |upgrade| {
        let before = upgrade.needed_at(now).max(1);
        if version <= before || height < first {
            return Err(IGovernance::InvalidUpgrade { version, height }.into());
        }
        *upgrade = Upgrade { height, version, before };
        Ok(())
    })?;
    state.emit(ADDRESS, IGovernance::UpgradeScheduled { version, height })
}

/// Takes back an upgrade whose height has not come.
///
/// # Errors
/// `GovernorOnlyExecutor`, `InvalidUpgrade` when there is none.
pub(super) fn cancel(state: &mut impl Write, caller: Address) -> Result<(), Failure> {
    only_vote(caller)?;
    let now = state.block().number;
    let Upgrade { height, version, .. } = UPGRADE.update(state, |upgrade| {
        let before = *upgrade;
        if before.height <= now {
            let (version, height) = (before.version, before.height);
            return Err(IGovernance::InvalidUpgrade { version, height }.into());
        }
        *upgrade = Upgrade { height: 0, version: before.before, before: before.before };
        Ok(before)
    })?;
    state.emit(ADDRESS, IGovernance::UpgradeCancelled { version, height })
}

/// The last upgrade that was scheduled.
pub(super) fn shown(state: &mut impl Read) -> Result<IGovernance::Upgrade, Failure> {
    let Upgrade { height, version, .. } = UPGRADE.get(state)?;
    Ok(IGovernance::Upgrade { version: version.max(1), height })
}
