//! An upgrade that governance scheduled and this program does not have: said before it stops the node.

use crate::store::Store;
use sahara_abi::GOVERNANCE;
use sahara_evm::ParentState as _;
use sahara_protocols::governance::{PROTOCOL_VERSION, scheduled_upgrade, upgrade_slot};
use tracing::warn;

/// The first block that needs a version of the protocols that this program lacks, and the version.
pub(crate) fn missing(store: &Store) -> Option<(u64, u32)> {
    // A state that cannot be read stops the node elsewhere, with its reason.
    let word = store.state().storage(GOVERNANCE, upgrade_slot()).ok()?;
    let (version, height) = scheduled_upgrade(word).ok()?;
    (version > PROTOCOL_VERSION).then_some((height, version))
}

/// After a final block: says that an upgrade is missing, where as many blocks are left as a power of two. So it is
/// said rarely at first, and often in the end.
pub(crate) fn announce(store: &Store) {
    let Some((height, version)) = missing(store) else { return };
    let left = height.saturating_sub(store.head().number);
    if left.is_power_of_two() {
        warn!(height, version, left, "this node stops before an upgrade that it does not have");
    }
}
