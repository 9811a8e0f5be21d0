//! One function per function of the interface, and the two questions of channels.

use super::storage::{
    GATEWAY_ENDPOINTS, GATEWAYS, LISTINGS, PRICES, WORKER_ENDPOINTS, WORKERS, WORKERS_OF,
};
use super::words::{Asked, GatewayRecord, Listing, Standing, WorkerRecord};
use super::{MAX_ENDPOINT_BYTES, MAX_PRICE, MINIMUM_BOND, NOTICE_SECONDS};
use crate::assets;
use crate::state::{Failure, Read, Write};
use crate::system::parameters;
use alloy_primitives::{Address, U256};
use sahara_abi::{IProtocol, IWorkers, WORKERS as ADDRESS};
use sahara_primitives::{Amount, AssetId, BasisPoints, Prices, Timestamp};

/// Registers `account` as a worker; `bond` was sent with the call.
///
/// # Errors
/// [`IWorkers::BondTooSmall`], [`IWorkers::AlreadyRegistered`], [`IWorkers::EndpointTooLong`].
pub fn register_worker(
    state: &mut impl Write,
    account: Address,
    bond: Amount,
    endpoint: String,
) -> Result<(), Failure> {
    check_endpoint(&endpoint)?;
    let standing = new_standing(bond, state.block().timestamp)?;
    WORKERS.update(state, account, |record| {
        check_unregistered(&record.standing, account)?;
        *record = WorkerRecord { standing, offers: 0 };
        Ok(())
    })?;
    WORKER_ENDPOINTS.set(state, account, endpoint.as_bytes())?;
    let bond = bond.base_units();
    state.emit(ADDRESS, IWorkers::WorkerRegistered { worker: account, endpoint, bond })
}

/// Registers `account` as a gateway with this fee; `bond` was sent with the call.
///
/// # Errors
/// Those of [`register_worker`], and [`IWorkers::GatewayFeeTooHigh`].
pub fn register_gateway(
    state: &mut impl Write,
    account: Address,
    bond: Amount,
    endpoint: String,
    fee: u16,
) -> Result<(), Failure> {
    let most = parameters(state)?.max_gateway_fee;
    let rate = BasisPoints::new(fee).ok().filter(|rate| *rate <= most);
    let rate = rate.ok_or(IWorkers::GatewayFeeTooHigh { fee, most: most.points() })?;
    check_endpoint(&endpoint)?;
    let standing = new_standing(bond, state.block().timestamp)?;
    GATEWAYS.update(state, account, |record| {
        check_unregistered(&record.standing, account)?;
        *record = GatewayRecord { standing, fee: rate };
        Ok(())
    })?;
    GATEWAY_ENDPOINTS.set(state, account, endpoint.as_bytes())?;
    let bond = bond.base_units();
    state.emit(ADDRESS, IWorkers::GatewayRegistered { gateway: account, endpoint, bond, fee })
}

/// Offers an asset at these prices, or changes the prices of an offer.
///
/// # Errors
/// [`IWorkers::NotRegistered`], [`IWorkers::AccountLeaving`], [`IWorkers::WorkerPriceTooHigh`],
/// [`IWorkers::UnknownServedAsset`].
pub fn serve(
    state: &mut impl Write,
    account: Address,
    asset: AssetId,
    prices: Prices,
) -> Result<(), Failure> {
    for price in [prices.input, prices.output] {
        if price > MAX_PRICE {
            let most = MAX_PRICE.0;
            return Err(IWorkers::WorkerPriceTooHigh { price: price.0, most }.into());
        }
    }
    let mut record = staying_worker(state, account)?;
    if !assets::exists(state, asset)? {
        return Err(IWorkers::UnknownServedAsset { asset: asset.0 }.into());
    }
    let mut listing = LISTINGS.get(state, (account, asset))?;
    if !listing.is_served() {
        let place = WORKERS_OF.push(state, asset, &account)?;
        listing.place = place.checked_add(1).ok_or(IProtocol::Overflow {})?;
        record.offers = record.offers.checked_add(1).ok_or(IProtocol::Overflow {})?;
        LISTINGS.set(state, (account, asset), &listing)?;
        WORKERS.set(state, account, &record)?;
    }
    PRICES.set(state, (account, asset), &Asked(prices))?;
    state.emit(
        ADDRESS,
        IWorkers::Served {
            worker: account,
            asset: asset.0,
            inputPrice: prices.input.0,
            outputPrice: prices.output.0,
        },
    )
}

/// Withdraws an offer; what was earned before stays payable for one notice period.
///
/// # Errors
/// [`IWorkers::NotServed`].
pub fn unserve(state: &mut impl Write, account: Address, asset: AssetId) -> Result<(), Failure> {
    let listing = LISTINGS.get(state, (account, asset))?;
    let place = listing.place.checked_sub(1);
    let place = place.ok_or(IWorkers::NotServed { worker: account, asset: asset.0 })?;
    if let Some(moved) = WORKERS_OF.swap_remove(state, asset, place)? {
        LISTINGS.update(state, (moved, asset), |other| {
            other.place = listing.place;
            Ok(())
        })?;
    }
    let stopped_at = state.block().timestamp.0;
    LISTINGS.set(state, (account, asset), &Listing { place: 0, stopped_at })?;
    PRICES.set(state, (account, asset), &Asked::default())?;
    WORKERS.update(state, account, |record| {
        record.offers = record.offers.saturating_sub(1);
        Ok(())
    })?;
    state.emit(ADDRESS, IWorkers::Unserved { worker: account, asset: asset.0 })
}

/// Starts the notice of every role of `account` that has none yet.
///
/// # Errors
/// [`IWorkers::StillServing`], [`IWorkers::NotRegistered`], [`IWorkers::AccountLeaving`].
pub fn leave(state: &mut impl Write, account: Address) -> Result<(), Failure> {
    let mut worker = WORKERS.get(state, account)?;
    let mut gateway = GATEWAYS.get(state, account)?;
    if worker.offers > 0 {
        return Err(IWorkers::StillServing { worker: account, assets: worker.offers }.into());
    }
    let leaving_at = state.block().timestamp.saturating_add(NOTICE_SECONDS).0;
    let gives_notice = |standing: &mut Standing| {
        let stays = standing.is_registered() && !standing.is_leaving();
        if stays {
            standing.leaving_at = leaving_at;
        }
        stays
    };
    let (worker_leaves, gateway_leaves) =
        (gives_notice(&mut worker.standing), gives_notice(&mut gateway.standing));
    if !worker_leaves && !gateway_leaves {
        let leaving_at = worker.standing.leaving_at.max(gateway.standing.leaving_at);
        return Err(absent(account, leaving_at));
    }
    if worker_leaves {
        WORKERS.set(state, account, &worker)?;
    }
    if gateway_leaves {
        GATEWAYS.set(state, account, &gateway)?;
    }
    state.emit(ADDRESS, IWorkers::Leaving { account, leavingAt: leaving_at })
}

/// Returns every bond of `account` whose notice has ended.
///
/// # Errors
/// [`IWorkers::NotRegistered`], [`IWorkers::BondLocked`] until the first notice ends;
/// `BondLocked` with the largest time there is when no notice was given.
pub fn withdraw_bond(state: &mut impl Write, account: Address) -> Result<(), Failure> {
    let now = state.block().timestamp;
    let worker = WORKERS.get(state, account)?.standing;
    let gateway = GATEWAYS.get(state, account)?.standing;
    let mut returned = Amount::ZERO;
    if worker.is_free(now) {
        returned = add(returned, worker.bond)?;
        WORKERS.set(state, account, &WorkerRecord::default())?;
        WORKER_ENDPOINTS.set(state, account, &[])?;
    }
    if gateway.is_free(now) {
        returned = add(returned, gateway.bond)?;
        GATEWAYS.set(state, account, &GatewayRecord::default())?;
        GATEWAY_ENDPOINTS.set(state, account, &[])?;
    }
    if returned.is_zero() {
        return Err(locked(account, &[worker, gateway]));
    }
    state.move_coin(ADDRESS, account, returned)?;
    state.emit(ADDRESS, IWorkers::Left { account, bond: returned.base_units() })
}

/// The fee of a gateway whose bond stands now.
///
/// # Errors
/// Those of the state; `None` for an account that is no gateway or whose notice has ended.
pub fn gateway_terms(
    state: &mut impl Read,
    account: Address,
) -> Result<Option<BasisPoints>, Failure> {
    let record = GATEWAYS.get(state, account)?;
    let now = state.block().timestamp;
    Ok(record.standing.is_bonded(now).then_some(record.fee))
}

/// Whether `account` may be paid now for computing with `asset` on a channel opened at `opened_at`.
///
/// # Errors
/// Those of the state.
pub fn may_earn(
    state: &mut impl Read,
    account: Address,
    asset: AssetId,
    opened_at: Timestamp,
) -> Result<bool, Failure> {
    let now = state.block().timestamp;
    Ok(WORKERS.get(state, account)?.standing.is_bonded(now)
        && LISTINGS.get(state, (account, asset))?.earns(opened_at, now))
}

/// The record of a worker; zeros when not registered.
///
/// # Errors
/// Those of the state.
pub fn worker(state: &mut impl Read, account: Address) -> Result<IWorkers::Worker, Failure> {
    let Standing { bond, registered_at, leaving_at } = WORKERS.get(state, account)?.standing;
    Ok(IWorkers::Worker {
        endpoint: WORKER_ENDPOINTS.string(state, account)?,
        bond: U256::from(bond),
        registeredAt: registered_at,
        leavingAt: leaving_at,
    })
}

/// The record of a gateway; zeros when not registered.
///
/// # Errors
/// Those of the state.
pub fn gateway(state: &mut impl Read, account: Address) -> Result<IWorkers::Gateway, Failure> {
    let GatewayRecord { standing, fee } = GATEWAYS.get(state, account)?;
    Ok(IWorkers::Gateway {
        endpoint: GATEWAY_ENDPOINTS.string(state, account)?,
        bond: U256::from(standing.bond),
        fee: fee.points(),
        registeredAt: standing.registered_at,
        leavingAt: standing.leaving_at,
    })
}

/// What a worker asks for an asset, if it serves it.
///
/// # Errors
/// Those of the state.
pub fn offer(
    state: &mut impl Read,
    account: Address,
    asset: AssetId,
) -> Result<IWorkers::Offer, Failure> {
    let Asked(prices) = PRICES.get(state, (account, asset))?;
    Ok(IWorkers::Offer {
        inputPrice: prices.input.0,
        outputPrice: prices.output.0,
        isServed: LISTINGS.get(state, (account, asset))?.is_served(),
    })
}

/// Workers that serve an asset, from `start`, at most `count` and never more than a page, and how
/// many there are.
///
/// # Errors
/// Those of the state.
pub fn workers_of(
    state: &mut impl Read,
    asset: AssetId,
    start: U256,
    count: U256,
) -> Result<(Vec<Address>, u64), Failure> {
    WORKERS_OF.page(state, asset, start, count)
}

fn staying_worker(state: &mut impl Read, account: Address) -> Result<WorkerRecord, Failure> {
    let record = WORKERS.get(state, account)?;
    if !record.standing.is_registered() || record.standing.is_leaving() {
        return Err(absent(account, record.standing.leaving_at));
    }
    Ok(record)
}

fn absent(account: Address, leaving_at: u64) -> Failure {
    if leaving_at == 0 {
        IWorkers::NotRegistered { account }.into()
    } else {
        IWorkers::AccountLeaving { account, leavingAt: leaving_at }.into()
    }
}

fn locked(account: Address, roles: &[Standing]) -> Failure {
    let registered = || roles.iter().filter(|standing| standing.is_registered());
    let notices = registered().filter(|standing| standing.is_leaving());
    match notices.map(|standing| standing.leaving_at).min() {
        Some(until) => IWorkers::BondLocked { until }.into(),
        None if registered().next().is_some() => IWorkers::BondLocked { until: u64::MAX }.into(),
        None => IWorkers::NotRegistered { account }.into(),
    }
}

fn new_standing(bond: Amount, now: Timestamp) -> Result<Standing, Failure> {
    if bond < MINIMUM_BOND {
        let (bond, least) = (bond.base_units(), MINIMUM_BOND.base_units());
        return Err(IWorkers::BondTooSmall { bond, least }.into());
    }
    let bond = bond.to_u128().filter(|bond| *bond < 1 << 96).ok_or(IProtocol::Overflow {})?;
    Ok(Standing { bond, registered_at: now.0, leaving_at: 0 })
}

fn check_unregistered(standing: &Standing, account: Address) -> Result<(), Failure> {
    if standing.is_registered() {
        return Err(IWorkers::AlreadyRegistered { account }.into());
    }
    Ok(())
}

fn check_endpoint(endpoint: &str) -> Result<(), Failure> {
    if endpoint.len() > MAX_ENDPOINT_BYTES {
        let (bytes_, most) = (U256::from(endpoint.len()), U256::from(MAX_ENDPOINT_BYTES));
        return Err(IWorkers::EndpointTooLong { bytes_, most }.into());
    }
    Ok(())
}

fn add(sum: Amount, units: u128) -> Result<Amount, Failure> {
    sum.checked_add(Amount::from_u128(units)).map_err(crate::state::overflow)
}
