//! Seats, counted uses, and the end of a licence.

use super::{
    MAX_SEATINGS, MAX_SEATINGS_BY_OTHERS, METER_NOTICE,
    offers::check_owner,
    ownership::{self, TOKENS},
    storage::{LICENSES, METERINGS, METERS, SEATINGS, SEATS},
    views::{held, is_meter, terms_of},
    words::{License, Metering, Seat, Seatings},
};
use crate::{
    assets,
    state::{Failure, Read, Write},
};
use alloy_primitives::{Address, B256, U256};
use sahara_abi::{ILicenses, IProtocol, LICENSES as ADDRESS};
use sahara_primitives::AssetId;

/// Whether `caller` disposes of the licence's seats: its holder, or the holder's operator.
fn check_holder(
    state: &mut impl Read,
    caller: Address,
    (number, license): (u64, &License),
) -> Result<(), Failure> {
    let holder = license.holder;
    if caller == holder || TOKENS.is_operator(state, holder, caller)? {
        return Ok(());
    }
    Err(ILicenses::NotHolder { license: U256::from(number), caller, holder }.into())
}

fn check_not_revoked(number: u64, license: &License) -> Result<(), Failure> {
    if license.is_revoked {
        return Err(ILicenses::LicenseRevoked { license: U256::from(number) }.into());
    }
    Ok(())
}

/// Gives `account` a seat. Again for who has one: it is found again, and nothing else changes.
///
/// # Errors
/// `ERC721NonexistentToken`, `NotHolder`, `LicenseRevoked`, `NoSeatLeft`, `TooManySeats`,
/// `ERC721InvalidReceiver` for the zero address.
pub fn assign_seat(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    account: Address,
) -> Result<(), Failure> {
    let license = held(state, U256::from(number))?;
    check_holder(state, caller, (number, &license))?;
    check_not_revoked(number, &license)?;
    ownership::check_receiver(account)?;
    let places = if caller == account { MAX_SEATINGS } else { MAX_SEATINGS_BY_OTHERS };
    if !enlist(state, (number, &license), account, places)? {
        let (asset, most) = (license.asset.0, U256::from(places));
        return Err(ILicenses::TooManySeats { account, asset, most }.into());
    }
    if take(state, (number, license), account)? {
        // A seat that an operator assigns is out of the holder's hands for its window.
        assets::count_taken(state, caller, license.holder)?;
    }
    Ok(())
}

/// Gives the first seat of a new licence, unless the account has no place for it: then the licence
/// is issued all the same, with every seat free.
pub(super) fn first_seat(
    state: &mut impl Write,
    number: u64,
    account: Address,
    is_own: bool,
) -> Result<(), Failure> {
    let license = LICENSES.get(state, number)?;
    ownership::check_receiver(account)?;
    let places = if is_own { MAX_SEATINGS } else { MAX_SEATINGS_BY_OTHERS };
    if enlist(state, (number, &license), account, places)? {
        take(state, (number, license), account)?;
    }
    Ok(())
}

/// Gives an account a seat; `false` when it had one.
fn take(
    state: &mut impl Write,
    (number, license): (u64, License),
    account: Address,
) -> Result<bool, Failure> {
    if SEATS.get(state, (number, account))?.is_valid(&license) {
        return Ok(false);
    }
    if license.taken >= license.seats {
        let (license, seats) = (U256::from(number), license.seats);
        return Err(ILicenses::NoSeatLeft { license, seats }.into());
    }
    let taken = license.taken.saturating_add(1);
    let locked_until = occupy(state, (number, License { taken, ..license }), account)?;
    let event =
        ILicenses::SeatAssigned { license: U256::from(number), account, lockedUntil: locked_until };
    state.emit(ADDRESS, event).map(|()| true)
}

/// Starts the use window of a seat, and of the licence.
fn occupy(
    state: &mut impl Write,
    (number, license): (u64, License),
    account: Address,
) -> Result<u64, Failure> {
    let window = terms_of(state, license.terms)?.seatWindow;
    let locked_until = state.block().timestamp.saturating_add(window.into()).0;
    let seat = Seat { locked_until, epoch: license.epoch, is_assigned: true };
    SEATS.set(state, (number, account), &seat)?;
    let latest = license.locked_until.max(locked_until);
    LICENSES.set(state, number, &License { locked_until: latest, ..license })?;
    Ok(locked_until)
}

/// Puts a licence among those where the account is looked for; `false` when `places` are full.
/// Places of licences that ended for the account are given up first.
fn enlist(
    state: &mut impl Write,
    (number, license): (u64, &License),
    account: Address,
    places: usize,
) -> Result<bool, Failure> {
    let key = (account, license.asset);
    let mut seatings = SEATINGS.get(state, key)?;
    if seatings.0.contains(&number) {
        return Ok(true);
    }
    if seatings.0.len() >= places {
        seatings = living(state, account, seatings)?;
    }
    if seatings.0.len() >= places {
        return Ok(false);
    }
    seatings.0.push(number);
    SEATINGS.set(state, key, &seatings)?;
    Ok(true)
}

/// The licences under which the account can still do something.
fn living(
    state: &mut impl Read,
    account: Address,
    seatings: Seatings,
) -> Result<Seatings, Failure> {
    let now = state.block().timestamp;
    let mut living = Vec::new();
    for number in seatings.0 {
        let license = LICENSES.get(state, number)?;
        let is_seated = SEATS.get(state, (number, account))?.is_valid(&license);
        let is_live = !license.is_revoked && !license.is_expired(now) && license.uses_left() > 0;
        if is_seated && is_live {
            living.push(number);
        }
    }
    Ok(Seatings(living))
}

/// Takes a seat back.
///
/// # Errors
/// `ERC721NonexistentToken`, `NotHolder`, `NotSeated`, `SeatInUse`.
pub fn free_seat(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    account: Address,
) -> Result<(), Failure> {
    let id = U256::from(number);
    let license = held(state, id)?;
    if caller != account {
        check_holder(state, caller, (number, &license))?;
    }
    let seat = seated(state, (number, &license), account)?;
    if state.block().timestamp.0 < seat.locked_until {
        return Err(ILicenses::SeatInUse { license: id, account, until: seat.locked_until }.into());
    }
    // What a gateway may still have to count belongs to this holder: the licence waits for it too.
    let (seat, locked_until) = if counted_until(state, &license)?.is_some() {
        let until = notice(state);
        (Seat::left(&license, until), license.locked_until.max(until))
    } else {
        (Seat::default(), license.locked_until)
    };
    SEATS.set(state, (number, account), &seat)?;
    let taken = license.taken.saturating_sub(1);
    LICENSES.set(state, number, &License { taken, locked_until, ..license })?;
    delist(state, (account, license.asset), number)?;
    state.emit(ADDRESS, ILicenses::SeatFreed { license: id, account })
}

fn delist(state: &mut impl Write, key: (Address, AssetId), number: u64) -> Result<(), Failure> {
    SEATINGS.update(state, key, |seatings| {
        seatings.0.retain(|other| *other != number);
        Ok(())
    })
}

fn seated(
    state: &mut impl Read,
    (number, license): (u64, &License),
    account: Address,
) -> Result<Seat, Failure> {
    let seat = SEATS.get(state, (number, account))?;
    if seat.is_valid(license) {
        return Ok(seat);
    }
    Err(ILicenses::NotSeated { license: U256::from(number), account }.into())
}

/// The end of a notice that begins now.
fn notice(state: &impl Read) -> u64 {
    state.block().timestamp.saturating_add(METER_NOTICE.into()).0
}

/// Until when a gateway of the holder may count uses of a licence that has a limit; none if nobody may.
pub(super) fn counted_until(
    state: &mut impl Read,
    license: &License,
) -> Result<Option<u64>, Failure> {
    if license.use_limit == 0 {
        return Ok(None);
    }
    let name = assets::giver(state, license.holder)?;
    let until = METERINGS.get(state, name)?.ends();
    Ok(Some(until).filter(|until| state.block().timestamp.0 < *until))
}

/// Lets `meter` count uses of the holder's licences, or no longer. What it has served it counts with its
/// claims for [`METER_NOTICE`] more.
///
/// # Errors
/// Those of the state.
pub fn set_meter(
    state: &mut impl Write,
    holder: Address,
    meter: Address,
    is_allowed: bool,
) -> Result<(), Failure> {
    let (name, notice) = (assets::giver(state, holder)?, notice(state));
    let was_allowed = METERS.update(state, (name, meter), |stored| {
        let was_allowed = std::mem::replace(&mut stored.is_allowed, is_allowed);
        if was_allowed && !is_allowed {
            stored.until = notice;
        }
        Ok(was_allowed)
    })?;
    if was_allowed != is_allowed {
        METERINGS.update(state, name, |all| {
            if is_allowed {
                all.meters = all.meters.checked_add(1).ok_or(IProtocol::Overflow {})?;
            } else {
                *all = Metering { meters: all.meters.saturating_sub(1), until: notice };
            }
            Ok(())
        })?;
    }
    state.emit(ADDRESS, ILicenses::MeterChanged { holder, meter, isAllowed: is_allowed })
}

/// Counts uses by an account that has a seat.
///
/// # Errors
/// `ERC721NonexistentToken`, `NotMeter`, `WrongQuantity` for none, `NotSeated`, `LicenseRevoked`,
/// `LicenseExpired`, `UsesExceeded`.
pub fn count_uses(
    state: &mut impl Write,
    caller: Address,
    (number, account): (u64, Address),
    count: u64,
) -> Result<(), Failure> {
    let id = U256::from(number);
    let license = held(state, id)?;
    if caller != account && !is_meter(state, license.holder, caller)? {
        return Err(ILicenses::NotMeter { license: id, caller }.into());
    }
    if count == 0 {
        // Nothing was used: a window must not begin anew for it.
        let most = license.uses_left();
        return Err(ILicenses::WrongQuantity { quantity: 0, least: 1, most }.into());
    }
    seated(state, (number, &license), account)?;
    check_not_revoked(number, &license)?;
    if license.is_expired(state.block().timestamp) {
        let expires_at = license.expires_at;
        return Err(ILicenses::LicenseExpired { license: id, expiresAt: expires_at }.into());
    }
    spend(state, (number, license), account, count)
}

/// Counts what a meter has served, as much as is left: nothing of a licence that ended or was passed on
/// meanwhile, or whose holder withdrew the meter, or the account gave its seat up, longer ago than the
/// notice. The work is done and is paid whatever became of the right to it.
///
/// # Errors
/// Those of the state.
pub(crate) fn count_served(
    state: &mut impl Write,
    meter: Address,
    (id, account): (U256, Address),
    count: u64,
) -> Result<(), Failure> {
    let Ok(number) = u64::try_from(id) else { return Ok(()) };
    let (license, now) = (LICENSES.get(state, number)?, state.block().timestamp);
    let name = assets::giver(state, license.holder)?;
    let may_count = meter == account || METERS.get(state, (name, meter))?.may_count(now);
    let is_live = !license.is_revoked && !license.is_expired(now);
    let counted = count.min(license.uses_left());
    if !may_count || !is_live || counted == 0 {
        return Ok(());
    }
    let seat = SEATS.get(state, (number, account))?;
    if seat.is_valid(&license) {
        return spend(state, (number, license), account, counted);
    }
    if !seat.was_left(&license, now) {
        return Ok(());
    }
    let uses = license.uses.saturating_add(counted);
    LICENSES.set(state, number, &License { uses, ..license })?;
    count_out(state, &license, account)?;
    state.emit(ADDRESS, ILicenses::UsesCounted { license: id, account, count: counted, uses })
}

/// Uses of a licence with a limit are gone for its holder: whoever buys an asset whose account holds it is
/// told that somebody took them.
fn count_out(state: &mut impl Write, license: &License, account: Address) -> Result<(), Failure> {
    if license.use_limit == 0 {
        return Ok(());
    }
    assets::count_taken(state, account, license.holder)
}

/// Counts uses and starts the seat's window anew.
pub(super) fn spend(
    state: &mut impl Write,
    (number, license): (u64, License),
    account: Address,
    count: u64,
) -> Result<(), Failure> {
    let (id, left) = (U256::from(number), license.uses_left());
    if count > left {
        return Err(ILicenses::UsesExceeded { license: id, asked: count, left }.into());
    }
    // Without a limit the count stands still at its end; with one it never comes there.
    let uses = license.uses.saturating_add(count);
    occupy(state, (number, License { uses, ..license }), account)?;
    count_out(state, &license, account)?;
    state.emit(ADDRESS, ILicenses::UsesCounted { license: id, account, count, uses })
}

/// Ends a licence for ever, where its terms allow it.
///
/// # Errors
/// `ERC721NonexistentToken`, `NotAssetOwner`, `NotRevocable`, `LicenseRevoked`.
pub fn revoke(
    state: &mut impl Write,
    caller: Address,
    number: u64,
    reason: B256,
) -> Result<(), Failure> {
    let id = U256::from(number);
    let license = held(state, id)?;
    check_owner(state, caller, license.asset)?;
    if !terms_of(state, license.terms)?.isRevocable {
        return Err(ILicenses::NotRevocable { license: id, terms: license.terms }.into());
    }
    check_not_revoked(number, &license)?;
    LICENSES.set(state, number, &License { is_revoked: true, ..license })?;
    state.emit(ADDRESS, ILicenses::Revoked { license: id, reason })
}
