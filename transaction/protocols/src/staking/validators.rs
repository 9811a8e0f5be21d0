//! Becoming a validator, changing its terms, leaving.

use super::{
    COMMISSION_PERIOD, LEAST_STAKE, MAX_SEAT_KEYS, Parameters, candidates,
    delegation::delegate,
    epoch,
    evidence::{check_key, remember_genesis},
    position::registered,
    seat_key::{Place, SeatKey},
    storage::{PARAMETERS, PROFILES, SEAT_KEYS, TAKEN, VALIDATORS},
    words::{Profile, Validator},
};
use crate::{
    dispatch::{is_reserved, require_governance},
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256, Bytes, U256, keccak256};
use sahara_abi::{IProtocol, IStaking, STAKING as ADDRESS};
use sahara_finality::{Validator as Seat, to_bytes};
use sahara_primitives::Amount;
use std::net::IpAddr;

/// The keys of one seat, as they come.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyBytes {
    /// BLS12-381, 96 bytes.
    pub consensus: Bytes,
    /// Proof that the consensus key is held, 48 bytes.
    pub possession: Bytes,
    /// Ed25519.
    pub network: B256,
    /// Where its node is reached.
    pub place: Place,
}

impl KeyBytes {
    /// The keys of a seat as consensus has it.
    #[must_use]
    pub fn of(seat: &Seat) -> Self {
        let address = seat.address.map(|address| (address.ip(), address.port()));
        let place = address.map_or_else(Place::default, |(ip, port)| {
            let ip = match ip {
                IpAddr::V4(ip) => ip.to_ipv6_mapped(),
                IpAddr::V6(ip) => ip,
            };
            Place { ip: ip.to_bits(), port }
        });
        Self {
            consensus: to_bytes(&seat.consensus_key).into(),
            possession: to_bytes(&seat.possession).into(),
            network: B256::try_from(to_bytes(&seat.network_key).as_slice()).unwrap_or_default(),
            place,
        }
    }
}

fn check_commission(commission: u16, parameters: &Parameters) -> Result<(), Failure> {
    let most = parameters.max_commission;
    if commission > most {
        return Err(IStaking::CommissionTooHigh { commission, most }.into());
    }
    Ok(())
}

fn check_fee_address(account: Address) -> Result<(), Failure> {
    if account.is_zero() || is_reserved(account) {
        return Err(IStaking::InvalidFeeAddress { account }.into());
    }
    Ok(())
}

/// Refuses a seat whose node nobody could connect to: it would sit in the set and miss its turns.
fn check_place(place: Place, index: u32) -> Result<(), Failure> {
    if place.is_reachable() {
        return Ok(());
    }
    Err(IStaking::InvalidSeatKey { index: U256::from(index) }.into())
}

/// Makes `caller` a validator; `stake` was sent and becomes its first delegation.
///
/// # Errors
/// `ValidatorExists`, `StakeTooSmall`, `CommissionTooHigh`, `InvalidFeeAddress`, `TooManyValidators`,
/// those of [`add_seat_key`].
pub fn create(
    state: &mut impl Write,
    caller: Address,
    stake: Amount,
    terms: (u16, Address),
    keys: &[KeyBytes],
) -> Result<(), Failure> {
    for (index, key) in (0..).zip(keys) {
        check_place(key.place, index)?;
    }
    enter(state, caller, stake, terms, keys)
}

/// As [`create`], for validators of block 0 too: their seats need not say where they are, since the
/// nodes of a network that is set up together are told of one another.
///
/// # Errors
/// Those of [`create`].
pub(super) fn enter(
    state: &mut impl Write,
    caller: Address,
    stake: Amount,
    (commission, fee_address): (u16, Address),
    keys: &[KeyBytes],
) -> Result<(), Failure> {
    if VALIDATORS.get(state, caller)?.is_registered {
        return Err(IStaking::ValidatorExists { validator: caller }.into());
    }
    if stake < LEAST_STAKE {
        let (stake, least) = (stake.base_units(), LEAST_STAKE.base_units());
        return Err(IStaking::StakeTooSmall { stake, least }.into());
    }
    check_commission(commission, &PARAMETERS.get(state)?)?;
    check_fee_address(fee_address)?;
    epoch::begin(state)?;
    remember_genesis(state)?;
    let record = Validator { commission, is_registered: true, ..Validator::default() };
    VALIDATORS.set(state, caller, &record)?;
    let commission_changed_at = state.block().timestamp.0;
    let profile = Profile { fee_address, commission_changed_at, ..Profile::default() };
    PROFILES.set(state, caller, &profile)?;
    candidates::list(state, caller, stake.to_u128().unwrap_or(u128::MAX))?;
    let event =
        IStaking::ValidatorCreated { validator: caller, feeAddress: fee_address, commission };
    state.emit(ADDRESS, event)?;
    for key in keys {
        take_seat_key(state, caller, key)?;
    }
    delegate(state, caller, caller, stake)
}

/// Changes the caller's commission, by at most the daily step and at most once a day, and its fee
/// address.
///
/// # Errors
/// `UnknownValidator`, `CommissionTooHigh`, `CommissionChange`, `InvalidFeeAddress`.
pub fn edit(
    state: &mut impl Write,
    caller: Address,
    commission: u16,
    fee_address: Address,
) -> Result<(), Failure> {
    let mut record = registered(state, caller)?;
    let mut profile = PROFILES.get(state, caller)?;
    check_fee_address(fee_address)?;
    let parameters = PARAMETERS.get(state)?;
    let now = state.block().timestamp.0;
    let from = record.commission;
    if commission != from {
        check_commission(commission, &parameters)?;
        let allowed_at = profile.commission_changed_at.saturating_add(COMMISSION_PERIOD);
        // Downwards is the delegators' gain, at any pace; upwards they must have time to leave.
        let step = commission.saturating_sub(from);
        if now < allowed_at || step > parameters.max_commission_change {
            let (to, allowed_at) = (commission, allowed_at.max(now));
            return Err(IStaking::CommissionChange { from, to, allowedAt: allowed_at }.into());
        }
        profile.commission_changed_at = now;
        record.commission = commission;
        VALIDATORS.replace(state, caller, &record)?;
    }
    profile.fee_address = fee_address;
    PROFILES.replace(state, caller, &profile)?;
    let event =
        IStaking::ValidatorEdited { validator: caller, feeAddress: fee_address, commission };
    state.emit(ADDRESS, event)
}

/// Adds the keys of one more seat.
///
/// # Errors
/// `UnknownValidator`, `TooManySeatKeys`, `InvalidSeatKey` (also for a place where no node can be),
/// `SeatKeyTaken`.
pub fn add_seat_key(
    state: &mut impl Write,
    caller: Address,
    key: &KeyBytes,
) -> Result<(), Failure> {
    if !key.place.is_reachable() {
        let index = U256::from(PROFILES.get(state, caller)?.keys);
        return Err(IStaking::InvalidSeatKey { index }.into());
    }
    take_seat_key(state, caller, key)
}

fn take_seat_key(state: &mut impl Write, caller: Address, key: &KeyBytes) -> Result<(), Failure> {
    registered(state, caller)?;
    let mut profile = PROFILES.get(state, caller)?;
    let index = U256::from(profile.keys);
    if profile.keys >= MAX_SEAT_KEYS {
        let most = U256::from(MAX_SEAT_KEYS);
        return Err(IStaking::TooManySeatKeys { keys: index, most }.into());
    }
    let consensus = <[u8; 96]>::try_from(key.consensus.as_ref());
    let possession = <[u8; 48]>::try_from(key.possession.as_ref());
    let (Ok(consensus), Ok(possession)) = (consensus, possession) else {
        return Err(IStaking::InvalidSeatKey { index }.into());
    };
    let stored = SeatKey { consensus, possession, network: key.network, place: key.place };
    check_key(state, &stored, index)?;
    // Nobody else's key, nor one's own again: a vote must name one validator.
    for hash in [keccak256(consensus), keccak256(key.network)] {
        TAKEN.update(state, hash, |taken| {
            if std::mem::replace(taken, true) {
                return Err(IStaking::SeatKeyTaken { index }.into());
            }
            Ok(())
        })?;
    }
    SEAT_KEYS.push(state, caller, &stored)?;
    let index = profile.keys;
    profile.keys = index.saturating_add(1);
    PROFILES.replace(state, caller, &profile)?;
    let event = IStaking::SeatKeyAdded {
        validator: caller,
        index,
        consensusKey: key.consensus.clone(),
        networkKey: key.network,
    };
    state.emit(ADDRESS, event)
}

/// Says where the node of a seat is reached.
///
/// # Errors
/// `UnknownValidator`, `InvalidSeatKey` (no such seat, or a place where no node can be).
pub fn move_seat(
    state: &mut impl Write,
    caller: Address,
    index: u32,
    place: Place,
) -> Result<(), Failure> {
    registered(state, caller)?;
    check_place(place, index)?;
    let key = seat_key(state, caller, index)?;
    let key = key.ok_or(IStaking::InvalidSeatKey { index: U256::from(index) })?;
    SEAT_KEYS.replace(state, caller, index.into(), &SeatKey { place, ..key })?;
    let (ip, port) = (place.ip.to_be_bytes().into(), place.port);
    state.emit(ADDRESS, IStaking::SeatMoved { validator: caller, index, ip, port })
}

/// Takes no more delegations, and no seats from the next epoch on. The stake leaves as any other.
///
/// # Errors
/// `UnknownValidator`, `ValidatorClosed`.
pub fn leave(state: &mut impl Write, caller: Address) -> Result<(), Failure> {
    let record = registered(state, caller)?;
    if record.is_leaving {
        return Err(IStaking::ValidatorClosed { validator: caller }.into());
    }
    VALIDATORS.replace(state, caller, &Validator { is_leaving: true, ..record })?;
    if record.bond.shares == 0 {
        candidates::unlist(state, caller)?;
    }
    state.emit(ADDRESS, IStaking::ValidatorLeaving { validator: caller })
}

/// Sets what governance may set.
///
/// # Errors
/// `OnlyGovernance`, `InvalidParameters`.
pub(super) fn set_parameters(
    state: &mut impl Write,
    caller: Address,
    shown: &IStaking::Parameters,
) -> Result<(), Failure> {
    require_governance(caller)?;
    let parameters = Parameters::from(shown.clone());
    PARAMETERS.update(state, |stored| {
        if !parameters.may_follow(stored) {
            return Err(IProtocol::InvalidParameters {}.into());
        }
        *stored = parameters;
        Ok(())
    })?;
    state.emit(ADDRESS, IStaking::ParametersChanged { parameters: shown.clone() })
}

/// A seat key by its place.
pub(super) fn seat_key(
    state: &mut impl Read,
    validator: Address,
    index: u32,
) -> Result<Option<SeatKey>, Failure> {
    if u64::from(index) >= SEAT_KEYS.len(state, validator)? {
        return Ok(None);
    }
    SEAT_KEYS.get(state, validator, index.into()).map(Some)
}
