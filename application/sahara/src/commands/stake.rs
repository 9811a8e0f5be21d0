//! `sahara stake`: validators by stake.

mod calc;
mod cost;
mod unbonding;

use crate::{
    cli::{CreateStake, Delegation, Doing, Seal, Stake},
    commands::act::Act,
    failure::Failure,
    output::{Format, from_now, now, table, utc},
    refusal::refused,
    session::Session,
    validator_key,
};
use cost::Costs;
use eyre::Result;
use sahara_abi::{IStaking, STAKING};
use sahara_finality::{ValidatorKeys, to_bytes};
use sahara_primitives::{Address, Amount, B256, Timestamp};
use sahara_protocols::staking::seats::Candidate;
use serde::Serialize;
use serde_json::json;
use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    path::Path,
};

/// Of a validator that takes part when seats are apportioned.
const STANDING: &str = "standing";

#[derive(Serialize)]
struct Shown {
    epoch: u64,
    seat_period_seconds: u32,
    validators: Vec<Row>,
    costs: Costs,
}

#[derive(Serialize)]
struct Row {
    validator: Address,
    stake: Amount,
    seats: u32,
    next_seats: u32,
    commission_basis_points: u16,
    state: &'static str,
}

/// Runs a command about stake.
pub(crate) async fn run(stake: &Stake, session: &Session, format: Format) -> Result<()> {
    let nothing = Amount::ZERO;
    match stake {
        Stake::Create(create) => {
            let key = session.key(&create.doing.signer).await?;
            let call = creation(create, key.address())?;
            act(&create.doing, create.amount).report_as(&key, session, &call, format).await
        }
        Stake::Delegate(to) => {
            let call = IStaking::delegateCall { validator: to.validator };
            act(&to.doing, to.amount).report(session, &call, format).await
        }
        Stake::Redelegate(moved) => {
            let amount = moved.amount.base_units();
            let (source, destination) = (moved.from, moved.to);
            let call = IStaking::redelegateCall { source, destination, amount };
            act(&moved.doing, nothing).report(session, &call, format).await
        }
        Stake::Undelegate(from) => undelegate(from, session, format).await,
        Stake::Withdraw { validator, doing } => {
            let key = session.key(&doing.signer).await?;
            let call = IStaking::withdrawCall { delegator: key.address(), validator: *validator };
            act(doing, nothing).report_as(&key, session, &call, format).await
        }
        Stake::Leave { doing } => {
            let call = IStaking::leaveValidatorCall {};
            act(doing, nothing).report(session, &call, format).await
        }
        Stake::Unjail { doing } => {
            act(doing, nothing).report(session, &IStaking::unjailCall {}, format).await
        }
        Stake::Unbonding { account, signer } => {
            let account = match account {
                Some(account) => *account,
                None => session.key(signer).await?.address(),
            };
            unbonding::show(session, account, format).await
        }
        Stake::Calc { amount, validator, blocks } => {
            calc::run(session, (*amount, *validator), *blocks, format).await
        }
        Stake::Show => {
            let shown = show(session).await?;
            format.print(&shown, page)
        }
    }
}

fn creation(create: &CreateStake, operator: Address) -> Result<IStaking::createValidatorCall> {
    if create.key_files.len() != create.addresses.len() {
        return Err(Failure::usage("expected one --address for each --key-file"));
    }
    let nodes = create.key_files.iter().zip(&create.addresses);
    let seal = Seal { password_file: create.key_password_file.clone(), is_plain: create.is_plain };
    let keys: Result<Vec<_>> =
        nodes.map(|(file, address)| seat_key(file, &seal, *address)).collect();
    Ok(IStaking::createValidatorCall {
        commission: create.commission,
        feeAddress: create.fee_address.unwrap_or(operator),
        keys: keys?,
    })
}

fn seat_key(file: &Path, seal: &Seal, address: SocketAddr) -> Result<IStaking::SeatKey> {
    let secret = validator_key::read(file, seal)?;
    let seat = ValidatorKeys::from_secret(&secret)?.validator(Address::ZERO);
    let ip = match address.ip() {
        IpAddr::V4(ip) => ip.to_ipv6_mapped(),
        IpAddr::V6(ip) => ip,
    };
    Ok(IStaking::SeatKey {
        consensusKey: to_bytes(&seat.consensus_key).into(),
        possession: to_bytes(&seat.possession).into(),
        networkKey: B256::try_from(to_bytes(&seat.network_key).as_slice())?,
        ip: ip.octets().into(),
        port: address.port(),
    })
}

const fn act(doing: &Doing, value: Amount) -> Act<'_> {
    Act::of(doing, STAKING, value)
}

/// Begins to leave, and says when the coin is free.
async fn undelegate(from: &Delegation, session: &Session, format: Format) -> Result<()> {
    let amount = from.amount.base_units();
    let call = IStaking::undelegateCall { validator: from.validator, amount };
    let act = act(&from.doing, Amount::ZERO);
    let Some(outcome) = act.perform(session, &call, format).await? else { return Ok(()) };
    let parameters = session.client()?.call(STAKING, &IStaking::parametersCall {}).await;
    let seconds = parameters.map_err(refused)?.unbonding;
    let completes_at = Timestamp(now().0.saturating_add(seconds.into()));
    let shown = json!({
        "transaction": outcome.hash, "block": outcome.block_number, "completes_at": completes_at.0,
    });
    format.print(&shown, |_| {
        format!(
            "final in block {}: {}\nfree at about {}, {}: `sahara stake withdraw {}`; it answers for old faults until then",
            outcome.block_number,
            outcome.hash,
            utc(completes_at),
            from_now(completes_at, now()),
            from.validator
        )
    })
}

async fn show(session: &Session) -> Result<Shown> {
    let client = session.client()?;
    let epoch = client.call(STAKING, &IStaking::currentEpochCall {}).await.map_err(refused)?.epoch;
    let now = client.call(STAKING, &IStaking::seatsOfCall { epoch }).await.map_err(refused)?;
    let next = client.call(STAKING, &IStaking::nextSeatsCall {}).await.map_err(refused)?;
    let mut seats = BTreeMap::<Address, u32>::new();
    for validator in now.validators {
        let count = seats.entry(validator).or_default();
        *count = count.saturating_add(1);
    }
    let next: BTreeMap<_, _> = next.validators.into_iter().zip(next.seats).collect();
    let parameters = client.call(STAKING, &IStaking::parametersCall {}).await.map_err(refused)?;
    let (mut validators, mut standing) = (Vec::new(), Vec::new());
    for validator in all(session).await? {
        let call = IStaking::validatorCall { validator };
        let record = client.call(STAKING, &call).await.map_err(refused)?;
        let (stake, state) = (Amount::from_base_units(record.stake), state(&record));
        if state == STANDING {
            let stake = stake.to_u128().unwrap_or(u128::MAX);
            standing.push(Candidate { stake, keys: record.keys });
        }
        validators.push(Row {
            validator,
            stake,
            seats: seats.get(&validator).copied().unwrap_or_default(),
            next_seats: next.get(&validator).copied().unwrap_or_default(),
            commission_basis_points: record.commission,
            state,
        });
    }
    validators.sort_by_key(|validator| std::cmp::Reverse(validator.stake));
    let costs = Costs::beside(&standing, parameters.seats);
    Ok(Shown { epoch, seat_period_seconds: parameters.epoch, validators, costs })
}

async fn all(session: &Session) -> Result<Vec<Address>> {
    let client = session.client()?;
    let mut found = Vec::new();
    loop {
        let start = alloy_primitives::U256::from(found.len());
        let call = IStaking::validatorsCall { start, count: alloy_primitives::U256::from(100) };
        let page = client.call(STAKING, &call).await.map_err(refused)?;
        let is_last = page.validators.is_empty();
        found.extend(page.validators);
        if is_last || alloy_primitives::U256::from(found.len()) >= page.total {
            return Ok(found);
        }
    }
}

const fn state(record: &IStaking::Validator) -> &'static str {
    match record {
        IStaking::Validator { isTombstoned: true, .. } => "out for good",
        IStaking::Validator { isJailed: true, .. } => "in jail",
        IStaking::Validator { isLeaving: true, .. } => "leaving",
        IStaking::Validator { .. } => STANDING,
    }
}

fn page(shown: &Shown) -> String {
    let mut rows = vec![
        ["validator", "stake", "seats", "next", "commission", "state"].map(String::from).to_vec(),
    ];
    rows.extend(shown.validators.iter().map(|row| {
        let commission = row.commission_basis_points;
        vec![
            row.validator.to_string(),
            row.stake.to_string(),
            row.seats.to_string(),
            row.next_seats.to_string(),
            format!("{}.{:02} %", commission / 100, commission % 100),
            row.state.to_owned(),
        ]
    }));
    format!(
        "{}\nepoch {}; seats are apportioned anew every {} seconds, at the end of an epoch\n{}",
        table(&rows),
        shown.epoch,
        shown.seat_period_seconds,
        shown.costs.line()
    )
}
