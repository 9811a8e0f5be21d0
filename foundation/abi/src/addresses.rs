//! The one table of addresses. They begin with the ASCII bytes of `SAHARA`.

use crate::{
    IAssets, IChannels, ICoin, IContributions, IDisputes, IGovernance, IIncentives, IIntents,
    ILicenses, IMarket, IProtocol, IRoyalties, IStaking, ISystem, IValidators, IVesting, IWorkers,
};
use alloy_json_abi::JsonAbi;
use alloy_primitives::{Address, address};

/// A native protocol as the world sees it.
#[derive(Clone, Copy, Debug)]
pub struct Protocol {
    /// Its name, as in `sahara abi`.
    pub name: &'static str,
    /// Where it is called.
    pub address: Address,
    /// Its interface.
    pub abi: fn() -> JsonAbi,
}

impl Protocol {
    /// The whole interface: its own, and the errors that every protocol may raise.
    pub fn interface(&self) -> JsonAbi {
        let mut interface = (self.abi)();
        for (name, errors) in IProtocol::abi::errors() {
            interface.errors.entry(name).or_default().extend(errors);
        }
        interface
    }
}

/// Every native protocol, in address order.
pub const PROTOCOLS: &[Protocol] = &[
    Protocol { name: "coin", address: COIN, abi: ICoin::abi::contract },
    Protocol { name: "assets", address: ASSETS, abi: IAssets::abi::contract },
    Protocol { name: "royalties", address: ROYALTIES, abi: IRoyalties::abi::contract },
    Protocol { name: "channels", address: CHANNELS, abi: IChannels::abi::contract },
    Protocol { name: "workers", address: WORKERS, abi: IWorkers::abi::contract },
    Protocol { name: "system", address: SYSTEM, abi: ISystem::abi::contract },
    Protocol { name: "licenses", address: LICENSES, abi: ILicenses::abi::contract },
    Protocol { name: "contributions", address: CONTRIBUTIONS, abi: IContributions::abi::contract },
    Protocol { name: "market", address: MARKET, abi: IMarket::abi::contract },
    Protocol { name: "staking", address: STAKING, abi: IStaking::abi::contract },
    Protocol { name: "governance", address: GOVERNANCE, abi: IGovernance::abi::contract },
    Protocol { name: "vesting", address: VESTING, abi: IVesting::abi::contract },
    Protocol { name: "incentives", address: INCENTIVES, abi: IIncentives::abi::contract },
    Protocol { name: "disputes", address: DISPUTES, abi: IDisputes::abi::contract },
    Protocol { name: "validators", address: VALIDATORS, abi: IValidators::abi::contract },
    Protocol { name: "intents", address: INTENTS, abi: IIntents::abi::contract },
];

/// The protocol at an address.
pub fn protocol_at(address: Address) -> Option<&'static Protocol> {
    PROTOCOLS.iter().find(|protocol| protocol.address == address)
}

/// The native coin's ERC-20 face.
pub const COIN: Address = address!("5341484152410000000000000000000000000001");
/// The asset registry and its OwnershipNFT (ERC-721).
pub const ASSETS: Address = address!("5341484152410000000000000000000000000002");
/// Pools and the division of payments.
pub const ROYALTIES: Address = address!("5341484152410000000000000000000000000003");
/// Payers' deposits, reservations, key grants and claims.
pub const CHANNELS: Address = address!("5341484152410000000000000000000000000004");
/// Workers and gateways: bonds, served assets, prices.
pub const WORKERS: Address = address!("5341484152410000000000000000000000000005");
/// What every block does by itself; accepts only [`SYSTEM_CALLER`].
pub const SYSTEM: Address = address!("5341484152410000000000000000000000000006");
/// Contributions, and commitments to very many (ContributionNFT, ERC-5192).
pub const CONTRIBUTIONS: Address = address!("5341484152410000000000000000000000000008");
/// Validators, delegations, slashing, voting power.
pub const STAKING: Address = address!("534148415241000000000000000000000000000a");
/// Proposals, votes, what they decide, pauses and upgrades.
pub const GOVERNANCE: Address = address!("534148415241000000000000000000000000000b");
/// Schedules of the token's classes, the airdrop, announced moves.
pub const VESTING: Address = address!("534148415241000000000000000000000000000c");
/// Programmes of the incentive pool: grants, hackathons, awards.
pub const INCENTIVES: Address = address!("534148415241000000000000000000000000000d");
/// Complaints against assets, juries, appeals.
pub const DISPUTES: Address = address!("534148415241000000000000000000000000000e");
/// Who proposes and votes, by epoch.
pub const VALIDATORS: Address = address!("534148415241000000000000000000000000000f");
/// What accounts without coin sign and anybody brings; sponsors' budgets.
pub const INTENTS: Address = address!("5341484152410000000000000000000000000010");
/// What every asset's own account runs (ERC-6551): committed Solidity.
pub const ASSET_ACCOUNT: Address = address!("5341484152410000000000000000000000006551");
/// ERC-6551's registry, at the address it has on every chain.
pub const ACCOUNT_REGISTRY: Address = address!("000000006551c19487814612e58FE06813775758");
/// Terms, offers and the LicenseNFT (ERC-721).
pub const LICENSES: Address = address!("5341484152410000000000000000000000000007");
/// Listings, offers and auctions of ownership and licences.
pub const MARKET: Address = address!("5341484152410000000000000000000000000009");
/// Sender of system transactions: no key exists for it, and no transaction from it is accepted.
pub const SYSTEM_CALLER: Address = address!("fffffffffffffffffffffffffffffffffffffffe");
/// Where gas fees wait within a block; empty after every block.
pub const FEES: Address = address!("5341484152410000000000000000000000000100");
/// Class: ecosystem rewards and grants, 33.93 %; also receives the protocol fee and its part of gas.
pub const INCENTIVE_POOL: Address = address!("5341484152410000000000000000000000000101");
/// Class: airdrop, 8.15 %.
pub const AIRDROP: Address = address!("5341484152410000000000000000000000000102");
/// Class: community development, 20.75 %.
pub const COMMUNITY: Address = address!("5341484152410000000000000000000000000103");
/// Class: team and advisors, 15 %.
pub const TEAM: Address = address!("5341484152410000000000000000000000000104");
/// Class: investors, 19.75 %.
pub const INVESTORS: Address = address!("5341484152410000000000000000000000000105");
