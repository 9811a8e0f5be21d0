//! Contracts that tools expect to find on any chain, at their usual addresses.

use alloy_eips::eip2935::{HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE};
use alloy_primitives::{Address, Bytes, address, bytes};
use sahara_abi::{ACCOUNT_REGISTRY, ASSET_ACCOUNT};

/// Batches calls; viem and ethers use it by itself.
pub const MULTICALL3: Address = address!("cA11bde05977b3631167028862bE2a173976CA11");

/// Arachnid's deterministic deployment proxy: `forge` and `cast create2` send to it.
pub const CREATE2_DEPLOYER: Address = address!("4e59b44847b379578588920cA78FbF26c0B4956C");

const CREATE2_DEPLOYER_CODE: Bytes = bytes!(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe03601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
);

const REGISTRY_CODE: &str = include_str!("../contracts/AccountRegistry.bin-runtime");
const ACCOUNT_CODE: &str = include_str!("../contracts/AssetAccount.bin-runtime");
const MULTICALL3_CODE: &str = include_str!("../contracts/Multicall3.bin-runtime");

/// Address and code of each.
pub(crate) fn all() -> impl Iterator<Item = (Address, Bytes)> {
    let code =
        |text: &str| Bytes::from(alloy_primitives::hex::decode(text.trim()).unwrap_or_default());
    [
        (HISTORY_STORAGE_ADDRESS, HISTORY_STORAGE_CODE.clone()),
        (CREATE2_DEPLOYER, CREATE2_DEPLOYER_CODE),
        (MULTICALL3, code(MULTICALL3_CODE)),
        (ACCOUNT_REGISTRY, code(REGISTRY_CODE)),
        (ASSET_ACCOUNT, code(ACCOUNT_CODE)),
    ]
    .into_iter()
}
