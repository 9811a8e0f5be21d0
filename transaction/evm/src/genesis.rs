//! Block 0: every coin there will ever be, in seven classes, and the accounts that stand from the
//! start.

use crate::{
    native::protocol_code,
    predeploys,
    state::{Account, AccountDiff, ParentState, StateDiff, StateError},
};
use alloy_consensus::{EMPTY_OMMER_ROOT_HASH, EMPTY_ROOT_HASH, Header};
use alloy_eips::eip7685::EMPTY_REQUESTS_HASH;
use alloy_primitives::{Address, B64, B256, Bytes, U256, keccak256};
use sahara_abi::{
    AIRDROP, COMMUNITY, GOVERNANCE, IDisputes, IGovernance, INCENTIVE_POOL, INVESTORS, ISystem,
    PROTOCOLS, SYSTEM, TEAM,
};
use sahara_primitives::Amount;
use sahara_protocols::{
    GasParameters, MemoryState, disputes, found_gas_parameters, gas_parameters_slot, governance,
    vesting::{self, PlanError},
};
use serde::{Deserialize, Serialize};

/// A class of the token: its name, its millions of SAHARA, and its account unless the
/// configuration names one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Class {
    /// As in the token page.
    pub name: &'static str,
    /// Millions of SAHARA.
    pub millions: u64,
    /// Where it is held.
    pub holder: Holder,
}

/// Who holds a class at genesis.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Holder {
    /// An account without key.
    Account(Address),
    /// [`GenesisConfig::sale`].
    Sale,
    /// [`GenesisConfig::liquidity`].
    Liquidity,
}

/// The seven classes: 10,000 million SAHARA.
pub const CLASSES: [Class; 7] = [
    Class { name: "airdrop", millions: 815, holder: Holder::Account(AIRDROP) },
    Class { name: "community", millions: 2_075, holder: Holder::Account(COMMUNITY) },
    Class { name: "incentive pool", millions: 3_393, holder: Holder::Account(INCENTIVE_POOL) },
    Class { name: "sale", millions: 142, holder: Holder::Sale },
    Class { name: "team", millions: 1_500, holder: Holder::Account(TEAM) },
    Class { name: "investors", millions: 1_975, holder: Holder::Account(INVESTORS) },
    Class { name: "liquidity", millions: 100, holder: Holder::Liquidity },
];

/// How the base fee moves.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct FeeParameters {
    /// Gas the chain can take in a second; half of it is the target.
    pub gas_per_second: u64,
    /// The base fee never falls below it, until a vote says otherwise ([`GasParameters`]).
    pub base_fee_floor: u64,
    /// The base fee of block 0.
    pub initial_base_fee: u64,
}

impl Default for FeeParameters {
    fn default() -> Self {
        Self {
            gas_per_second: 400_000_000,
            base_fee_floor: GasParameters::DEFAULT.base_fee_floor,
            initial_base_fee: GasParameters::DEFAULT.base_fee_floor,
        }
    }
}

impl FeeParameters {
    /// As they are for the child of the block after which `state` stands: the floor is governed.
    ///
    /// # Errors
    /// When the state cannot be read.
    pub fn governed(self, state: &impl ParentState) -> Result<Self, StateError> {
        let word = state.storage(SYSTEM, gas_parameters_slot())?;
        let broken = |failure| StateError(format!("what gas costs at least: {failure:?}"));
        let GasParameters { base_fee_floor } = GasParameters::of_word(word).map_err(broken)?;
        Ok(Self { base_fee_floor, ..self })
    }
}

/// Everything that makes one chain differ from another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GenesisConfig {
    /// EIP-155 chain id.
    pub chain_id: u64,
    /// Unix time of block 0 in milliseconds.
    pub milliseconds: u64,
    /// The most gas a block may use. 2 MiB of transfers are 19,000 of 21,000 gas: 400 million.
    pub block_gas_limit: u64,
    /// How the base fee moves.
    #[serde(default)]
    pub fees: FeeParameters,
    /// Who holds the sale's class, amounts that add up to 142 million SAHARA.
    pub sale: Vec<Beneficiary>,
    /// Who holds the liquidity class, amounts that add up to 100 million SAHARA.
    pub liquidity: Vec<Beneficiary>,
    /// How the other classes come free.
    #[serde(default)]
    pub vesting: VestingConfig,
    /// Fees and caps of the economy; the rules' own defaults when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parameters: Option<ISystem::Parameters>,
    /// What governance begins with; by default delays of days.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub governance: Option<IGovernance::Setup>,
    /// Times and coin of complaints against assets; the rules' own defaults when there are none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub disputes: Option<IDisputes::Parameters>,
}

impl GenesisConfig {
    /// How the classes come free, as genesis writes it into the state.
    pub fn vesting_plan(&self) -> vesting::Plan {
        let class = |pool| {
            let of_pool = |class: &&Class| class.holder == Holder::Account(pool);
            CLASSES.iter().find(of_pool).map_or(0, |class| class.millions)
        };
        let VestingConfig { start, authority, notice, window, airdrop_root, grants } =
            &self.vesting;
        let genesis = sahara_primitives::Milliseconds(self.milliseconds).timestamp();
        let grant = |planned: &GrantConfig| {
            let GrantConfig { pool, beneficiary, amount, delay, is_revocable } = *planned;
            vesting::PlannedGrant { pool, beneficiary, amount, delay, is_revocable }
        };
        vesting::Plan {
            start: start.map_or(genesis, sahara_primitives::Timestamp),
            authority: *authority,
            notice: *notice,
            window: *window,
            airdrop_root: *airdrop_root,
            classes: [AIRDROP, COMMUNITY, INCENTIVE_POOL, TEAM, INVESTORS]
                .map(|pool| Amount::from_coins(class(pool).saturating_mul(1_000_000))),
            grants: grants.iter().map(grant).collect(),
        }
    }
}

/// How the classes that are not free at once come free. The classes' curves are the token page's, by
/// UTC calendar months from the start, written into the state as seconds.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields, default)]
pub struct VestingConfig {
    /// Unix time at which the calendar begins, in seconds; block 0's when there is none.
    pub start: Option<u64>,
    /// Who grants, revokes, and announces moves from the classes' accounts.
    pub authority: Address,
    /// Seconds between the announcement of a move and the first moment of its execution.
    pub notice: u64,
    /// Seconds in which an announced move may be executed.
    pub window: u64,
    /// The root of the airdrop's leaves; zero: the authority publishes it later.
    pub airdrop_root: B256,
    /// Beneficiaries of the team's and the investors' classes.
    pub grants: Vec<GrantConfig>,
}

impl Default for VestingConfig {
    fn default() -> Self {
        const DAY: u64 = 86_400;
        Self {
            start: None,
            authority: GOVERNANCE,
            notice: 7 * DAY,
            window: 14 * DAY,
            airdrop_root: B256::ZERO,
            grants: Vec::new(),
        }
    }
}

/// A beneficiary of the team's or the investors' class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct GrantConfig {
    /// The account that holds the class.
    pub pool: Address,
    /// Whose it is.
    pub beneficiary: Address,
    /// Base units.
    pub amount: Amount,
    /// Seconds after the class's curve.
    #[serde(default)]
    pub delay: u64,
    /// Whether the authority may end it.
    #[serde(default)]
    pub is_revocable: bool,
}

/// A holder of a part of a class.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Beneficiary {
    /// The account.
    pub account: Address,
    /// Base units.
    pub amount: Amount,
}

/// Why a configuration makes no chain.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum GenesisError {
    /// A fee or cap that governance could not set either.
    #[error("the parameters are expected to be such as governance may set")]
    Parameters,
    /// A class's parts do not add up.
    #[error("the {class} class is {expected} SAHARA, its beneficiaries hold {got}")]
    ClassSum {
        /// The class.
        class: &'static str,
        /// Its amount.
        expected: Amount,
        /// The sum of the parts.
        got: Amount,
    },
    /// The vesting plan contradicts itself.
    #[error(transparent)]
    Vesting(#[from] PlanError),
    /// Under rules or settings of governance nothing could be decided.
    #[error("governance's rules and settings are expected to be such as a proposal may set")]
    Governance,
    /// Under times or coin of complaints nothing could be decided.
    #[error(transparent)]
    Disputes(#[from] disputes::ParametersError),
    /// A beneficiary is an account of the chain's own.
    #[error("{0} is an account of the chain's own, expected a beneficiary's")]
    Reserved(Address),
    /// A block must have room for its system transaction.
    #[error("the block gas limit is {got}, expected at least {least}")]
    GasLimit {
        /// The configured limit.
        got: u64,
        /// The least that works.
        least: u64,
    },
}

impl GenesisConfig {
    /// A local chain whose sale and liquidity classes are held by `accounts`, in equal parts. The
    /// first of them may grant and announce moves, on a notice of a minute, so that everything can
    /// be tried.
    pub fn local(chain_id: u64, milliseconds: u64, accounts: &[Address]) -> Self {
        Self {
            chain_id,
            milliseconds,
            block_gas_limit: 400_000_000,
            fees: FeeParameters::default(),
            sale: equal_parts(142, accounts),
            liquidity: equal_parts(100, accounts),
            vesting: VestingConfig {
                authority: accounts.first().copied().unwrap_or(GOVERNANCE),
                notice: 60,
                window: 3_600,
                ..VestingConfig::default()
            },
            parameters: None,
            governance: None,
            disputes: None,
        }
    }
}

/// Equal parts of `millions` of SAHARA; the first account takes the remainder.
fn equal_parts(millions: u64, accounts: &[Address]) -> Vec<Beneficiary> {
    let total = Amount::from_coins(millions.saturating_mul(1_000_000));
    let count = u64::try_from(accounts.len()).unwrap_or(u64::MAX);
    let part = total.div_floor(count).unwrap_or_default();
    let others = part.checked_mul(count.saturating_sub(1)).unwrap_or_default();
    let first = total.saturating_sub(others);
    let amount = |index| if index == 0 { first } else { part };
    accounts
        .iter()
        .enumerate()
        .map(|(index, account)| Beneficiary { account: *account, amount: amount(index) })
        .collect()
}

/// The state of block 0, and its header without state root and seal, which are the caller's:
/// `state_root` and `extra_data` are empty.
///
/// # Errors
/// See [`GenesisError`].
pub fn genesis(config: &GenesisConfig) -> Result<(StateDiff, Header), GenesisError> {
    let fullest = crate::BlockEnv {
        recipients: vec![Address::ZERO; sahara_finality::MAX_VALIDATORS],
        ..crate::BlockEnv::default()
    };
    let least = crate::system_gas(&fullest).saturating_mul(2);
    if config.block_gas_limit < least {
        return Err(GenesisError::GasLimit { got: config.block_gas_limit, least });
    }
    let mut diff = StateDiff::default();
    place_code(&mut diff);
    for class in CLASSES {
        place_class(&mut diff, config, &class)?;
    }
    place_words(&mut diff, config)?;
    Ok((diff, header(config)))
}

fn place_code(diff: &mut StateDiff) {
    let protocols =
        PROTOCOLS.iter().map(|protocol| (protocol.address, protocol_code(protocol.address)));
    for (address, code) in protocols.chain(predeploys::all()) {
        let code_hash = keccak256(&code);
        let account = Account { nonce: 1, balance: U256::ZERO, code_hash };
        diff.accounts.insert(address, new_account(account));
        diff.code.insert(code_hash, code);
    }
}

fn place_class(
    diff: &mut StateDiff,
    config: &GenesisConfig,
    class: &Class,
) -> Result<(), GenesisError> {
    let expected = Amount::from_coins(class.millions.saturating_mul(1_000_000));
    let parts = match class.holder {
        Holder::Account(account) => {
            credit(diff, account, expected);
            return Ok(());
        }
        Holder::Sale => &config.sale,
        Holder::Liquidity => &config.liquidity,
    };
    let got = Amount::sum(parts.iter().map(|part| part.amount)).unwrap_or_default();
    if got != expected {
        return Err(GenesisError::ClassSum { class: class.name, expected, got });
    }
    for part in parts {
        if is_reserved(part.account) {
            return Err(GenesisError::Reserved(part.account));
        }
        credit(diff, part.account, part.amount);
    }
    Ok(())
}

/// Runs what protocols write into block 0, on a state that holds nothing else.
fn place_words(diff: &mut StateDiff, config: &GenesisConfig) -> Result<(), GenesisError> {
    let mut state = MemoryState::default();
    vesting::found(&mut state, &config.vesting_plan())?;
    if let Some(parameters) = &config.parameters {
        sahara_protocols::found_parameters(&mut state, parameters)
            .map_err(|_| GenesisError::Parameters)?;
    }
    let gas = GasParameters { base_fee_floor: config.fees.base_fee_floor };
    found_gas_parameters(&mut state, gas).map_err(|_| GenesisError::Parameters)?;
    if let Some(setup) = &config.governance {
        governance::found(&mut state, setup).map_err(|_| GenesisError::Governance)?;
    }
    if let Some(parameters) = &config.disputes {
        disputes::found(&mut state, parameters)?;
    }
    for ((address, slot), word) in state.words {
        let account = diff.accounts.entry(address).or_default();
        account.storage.insert(slot, (U256::ZERO, word));
    }
    Ok(())
}

fn is_reserved(account: Address) -> bool {
    account.starts_with(b"SAHARA")
        || account.is_zero()
        || account == sahara_abi::SYSTEM_CALLER
        || predeploys::all().any(|(address, _)| address == account)
}

fn credit(diff: &mut StateDiff, address: Address, amount: Amount) {
    let entry = diff.accounts.entry(address).or_insert_with(|| new_account(Account::default()));
    if let Some(account) = &mut entry.after {
        account.balance = account.balance.saturating_add(amount.base_units());
    }
}

fn new_account(account: Account) -> AccountDiff {
    AccountDiff { after: Some(account), ..AccountDiff::default() }
}

fn header(config: &GenesisConfig) -> Header {
    Header {
        ommers_hash: EMPTY_OMMER_ROOT_HASH,
        state_root: B256::ZERO,
        transactions_root: EMPTY_ROOT_HASH,
        receipts_root: EMPTY_ROOT_HASH,
        gas_limit: config.block_gas_limit,
        timestamp: sahara_primitives::Milliseconds(config.milliseconds).timestamp().0,
        nonce: B64::from(config.milliseconds.to_be_bytes()),
        base_fee_per_gas: Some(config.fees.initial_base_fee.max(config.fees.base_fee_floor)),
        withdrawals_root: Some(EMPTY_ROOT_HASH),
        blob_gas_used: Some(0),
        excess_blob_gas: Some(0),
        parent_beacon_block_root: Some(B256::ZERO),
        requests_hash: Some(EMPTY_REQUESTS_HASH),
        extra_data: Bytes::new(),
        ..Header::default()
    }
}
