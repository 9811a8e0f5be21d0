//! EIP-712: the domains, and the hashes that payers, workers and gateways sign.

use crate::{ASSETS, CHANNELS, COIN, GOVERNANCE, IChannels, INTENTS, MARKET};
use alloy_primitives::{Address, B256, U256};
use alloy_sol_types::{Eip712Domain, SolStruct};
use std::borrow::Cow;

alloy_sol_types::sol! {
    #![sol(all_derives)]
    /// EIP-2612.
    struct Permit { address owner; address spender; uint256 value; uint256 nonce; uint256 deadline; }

    /// EIP-3009.
    struct TransferWithAuthorization { address from; address to; uint256 value; uint256 validAfter; uint256 validBefore; bytes32 nonce; }
    /// EIP-3009.
    struct ReceiveWithAuthorization { address from; address to; uint256 value; uint256 validAfter; uint256 validBefore; bytes32 nonce; }
    /// EIP-3009.
    struct CancelAuthorization { address authorizer; bytes32 nonce; }

    /// A vote, as `OpenZeppelin`'s Governor has it signed.
    struct Ballot { uint256 proposalId; uint8 support; address voter; uint256 nonce; }
    /// A vote with a reason or parameters, as `OpenZeppelin`'s Governor has it signed.
    struct ExtendedBallot { uint256 proposalId; uint8 support; address voter; uint256 nonce; string reason; bytes params; }

    /// What a request asks for, and for which purposes (`ILicenses`); its struct hash is `Receipt.request_hash`. Never signed: the salt,
    /// known to payer and gateway, keeps short prompts from being guessed.
    struct Request {
        string method; string url; bytes32 bodyHash; uint64 asset; uint8 purpose;
        uint128 workerInput; uint128 workerOutput; uint128 assetInput; uint128 assetOutput;
        bytes32 requestId; bytes32 salt;
    }

    /// A request to a vault, signed by whoever has the right to it. `origin` is the vault's URL as the signer knows it, so that
    /// nobody in between can pass the request on; `session` is drawn whenever the vault starts, so that nothing it forgot can be
    /// repeated; `at` is Unix milliseconds.
    struct VaultRequest { string origin; bytes32 session; string method; string path; bytes32 bodyHash; uint64 at; bytes32 nonce; }

    /// What came back; its struct hash is `Receipt.output_hash`.
    struct Output { bytes32 requestHash; string text; bytes32 salt; }
}

fn domain(name: &'static str, chain_id: u64, verifying_contract: Address) -> Eip712Domain {
    Eip712Domain::new(
        Some(Cow::Borrowed(name)),
        Some(Cow::Borrowed("1")),
        Some(U256::from(chain_id)),
        Some(verifying_contract),
        None,
    )
}

/// Domain of reservations, key grants, vouchers and earnings.
pub fn channels_domain(chain_id: u64) -> Eip712Domain {
    domain("Sahara Channels", chain_id, CHANNELS)
}

/// Domain of requests to vaults.
pub fn vault_domain(chain_id: u64) -> Eip712Domain {
    domain("Sahara Vault", chain_id, ASSETS)
}

/// Domain of the market's listings.
pub fn market_domain(chain_id: u64) -> Eip712Domain {
    domain("Sahara Market", chain_id, MARKET)
}

/// Domain of votes.
pub fn governance_domain(chain_id: u64) -> Eip712Domain {
    domain("Sahara Governor", chain_id, GOVERNANCE)
}

/// Domain of intents.
pub fn intents_domain(chain_id: u64) -> Eip712Domain {
    domain("Sahara Intents", chain_id, INTENTS)
}

/// Domain of the coin's permits.
pub fn coin_domain(chain_id: u64) -> Eip712Domain {
    domain("Sahara", chain_id, COIN)
}

/// The channel that an authorisation opens: its EIP-712 signing hash, so that no two chains,
/// payers, gateways or nonces share one.
pub fn reservation_channel(chain_id: u64, reservation: &IChannels::Reservation) -> B256 {
    reservation.eip712_signing_hash(&channels_domain(chain_id))
}

/// The channel that a key grant opens.
pub fn grant_channel(chain_id: u64, grant: &IChannels::KeyGrant) -> B256 {
    grant.eip712_signing_hash(&channels_domain(chain_id))
}
