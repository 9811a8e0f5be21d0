//! The code that stands at protocols' addresses.

use alloy_primitives::{Address, Bytes, hex};
use sahara_abi::{ASSETS, GOVERNANCE, LICENSES};

/// Without functions that call out.
const NONE: Bytes = Bytes::from_static(&[0xef]);

/// ERC-721's `safeTransferFrom`, for any protocol that has `transferFor`.
const TOKEN_FACE: &str = include_str!("../../contracts/TokenFace.bin-runtime");

/// The calls of a proposal that calls contracts.
const GOVERNOR_FACE: &str = include_str!("../../contracts/GovernorFace.bin-runtime");

/// Protocols with functions that answer `Failure::CallsOut`, and the code that runs for these.
const FACES: &[(Address, &str)] =
    &[(ASSETS, TOKEN_FACE), (LICENSES, TOKEN_FACE), (GOVERNANCE, GOVERNOR_FACE)];

/// The code at a protocol's address.
pub fn protocol_code(protocol: Address) -> Bytes {
    let face = FACES.iter().find(|(address, _)| *address == protocol);
    let code = face.and_then(|(_, code)| hex::decode(code.trim()).ok());
    code.map_or(NONE, Bytes::from)
}
