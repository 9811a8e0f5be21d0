//! Rounds of awards: a list that anyone can recompute, paid by proof.

use super::{
    NOTICE,
    programmes::{
        check_payee, find as programme_of, give_back, keep, managed, numbered, pay, set_aside,
        units,
    },
    storage::{AWARDED, ROUNDS},
    words::Round,
};
use crate::state::{Failure, Read, Write};
use alloy_primitives::{Address, B256, U256, keccak256};
use sahara_abi::{
    GOVERNANCE,
    IIncentives::{self, Award},
    INCENTIVES as ADDRESS,
};

/// Gas for a hash of 32 or 64 bytes and the step around it.
const HASH_GAS: u64 = 60;

pub(super) fn find(state: &mut impl Read, number: u64) -> Result<Round, Failure> {
    let found = numbered(state, &ROUNDS, number)?;
    found.ok_or_else(|| IIncentives::UnknownRound { round: number }.into())
}

/// Opens a round and sets its coin aside.
///
/// # Errors
/// `UnknownProgramme`, `OnlyManager`, `ProgrammeOver`, `InvalidPlan`, `BudgetExceeded`.
pub(super) fn open(state: &mut impl Write, caller: Address, round: Round) -> Result<u64, Failure> {
    let programme = managed(state, caller, round.programme)?;
    let Round { root, total, closes_at, is_by_usage, terms, .. } = round;
    let claims_from = state.block().timestamp.0.saturating_add(NOTICE);
    if root.is_zero() || total == 0 || closes_at <= claims_from {
        return Err(IIncentives::InvalidPlan {}.into());
    }
    set_aside(state, round.programme, programme, total)?;
    let number =
        ROUNDS.push(state, (), &Round { left: total, claims_from, ..round })?.saturating_add(1);
    let event = IIncentives::RoundOpened {
        round: number,
        programme: round.programme,
        total: U256::from(total),
        closesAt: closes_at,
        isByUsage: is_by_usage,
        root,
        terms,
    };
    state.emit(ADDRESS, event)?;
    Ok(number)
}

/// The leaf of an award, hashed twice, so that no inner node can pass for one.
pub fn leaf(chain_id: u64, round: u64, award: &Award) -> B256 {
    let words = [
        U256::from(chain_id),
        U256::from_be_slice(ADDRESS.as_slice()),
        U256::from(round),
        U256::from(award.index),
        U256::from_be_slice(award.account.as_slice()),
        U256::from(award.asset),
        award.fees,
        award.amount,
    ];
    let bytes: Vec<u8> = words.iter().flat_map(U256::to_be_bytes::<32>).collect();
    keccak256(keccak256(bytes))
}

fn climb(leaf: B256, proof: &[B256]) -> B256 {
    proof.iter().fold(leaf, |node, sibling| {
        let (left, right) = if node <= *sibling { (node, *sibling) } else { (*sibling, node) };
        keccak256([left.0, right.0].concat())
    })
}

/// Pays an award to its account, once.
///
/// # Errors
/// `UnknownRound`, `TooEarly`, `TooLate`, `InvalidProof`, `MoreThanFees`, `OwnInterest` for the manager and
/// for accounts that cannot receive, `AlreadyAwarded`, `BudgetExceeded` when the list promises more than
/// the round.
pub(super) fn claim(
    state: &mut impl Write,
    number: u64,
    award: &Award,
    proof: &[B256],
) -> Result<(), Failure> {
    let mut round = find(state, number)?;
    let block = state.block();
    if block.timestamp.0 < round.claims_from {
        return Err(IIncentives::TooEarly { from: round.claims_from }.into());
    }
    if round.is_closed || block.timestamp.0 >= round.closes_at {
        return Err(IIncentives::TooLate { until: round.closes_at }.into());
    }
    let length = u64::try_from(proof.len()).unwrap_or(u64::MAX);
    state.charge(HASH_GAS.saturating_mul(length.saturating_add(2)))?;
    let (index, account) = (award.index, award.account);
    if climb(leaf(block.chain_id, number, award), proof) != round.root {
        return Err(IIncentives::InvalidProof { round: number, index }.into());
    }
    if round.is_by_usage && award.amount > award.fees {
        let (amount, fees) = (award.amount, award.fees);
        return Err(IIncentives::MoreThanFees { amount, fees }.into());
    }
    check_payee(account)?;
    if account == programme_of(state, round.programme)?.manager {
        return Err(IIncentives::OwnInterest { account }.into());
    }
    AWARDED.update(state, (number, index), |paid| {
        if std::mem::replace(paid, true) {
            return Err(IIncentives::AlreadyAwarded { round: number, index }.into());
        }
        Ok(())
    })?;
    let (amount, left) = (units(award.amount)?, U256::from(round.left));
    let rest = round.left.checked_sub(amount);
    round.left = rest.ok_or(IIncentives::BudgetExceeded { amount: award.amount, left })?;
    keep(state, &ROUNDS, number, &round)?;
    pay(state, account, amount)?;
    let event = IIncentives::AwardPaid {
        round: number,
        index,
        account,
        asset: award.asset,
        fees: award.fees,
        amount: award.amount,
    };
    state.emit(ADDRESS, event)
}

/// Returns what nobody claimed, once; governance may do it at any time.
///
/// # Errors
/// `UnknownRound`, `TooEarly`, `TooLate`.
pub(super) fn close(state: &mut impl Write, caller: Address, number: u64) -> Result<(), Failure> {
    let mut round = find(state, number)?;
    if round.is_closed {
        return Err(IIncentives::TooLate { until: round.closes_at }.into());
    }
    let now = state.block().timestamp.0;
    if caller != GOVERNANCE && now < round.closes_at {
        return Err(IIncentives::TooEarly { from: round.closes_at }.into());
    }
    round.is_closed = true;
    round.closes_at = round.closes_at.min(now);
    let returned = std::mem::take(&mut round.left);
    keep(state, &ROUNDS, number, &round)?;
    give_back(state, round.programme, returned)?;
    let returned = U256::from(returned);
    state.emit(ADDRESS, IIncentives::RoundClosed { round: number, returned })
}

pub(super) fn shown(round: &Round) -> IIncentives::Round {
    IIncentives::Round {
        programme: round.programme,
        closesAt: round.closes_at,
        isByUsage: round.is_by_usage,
        total: U256::from(round.total),
        left: U256::from(round.left),
        root: round.root,
        terms: round.terms,
        claimsFrom: round.claims_from,
    }
}

/// Whether an award was paid.
pub(super) fn is_awarded(state: &mut impl Read, round: u64, index: u64) -> Result<bool, Failure> {
    AWARDED.get(state, (round, index))
}

/// A round to be.
pub(super) const fn planned(
    (programme, closes_at, is_by_usage): (u64, u64, bool),
    total: u128,
    root: B256,
    terms: B256,
) -> Round {
    Round {
        programme,
        claims_from: 0,
        closes_at,
        is_closed: false,
        is_by_usage,
        left: 0,
        total,
        root,
        terms,
    }
}

/// The leaf as a view shows it.
pub(super) fn shown_leaf(state: &impl Read, round: u64, award: &Award) -> B256 {
    leaf(state.block().chain_id, round, award)
}
