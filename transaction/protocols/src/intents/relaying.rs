//! From a signed intent to its action, and what whoever brought it is repaid.

use super::{
    actions::{self, Action},
    budgets,
    storage::USED,
};
use crate::{
    dispatch::{Call, call},
    signature,
    state::{Cost, Failure, Read, Write},
};
use alloy_primitives::{Address, B256, Bytes, U256};
use alloy_sol_types::SolStruct;
use sahara_abi::{
    IIntents::{self, Intent},
    INTENTS as ADDRESS,
    signing::intents_domain,
};
use sahara_primitives::Amount;

/// Gas for the hashes of an intent without its arguments.
const TYPED_HASH_GAS: u64 = 500;

/// Gas for hashing a word of arguments.
const WORD_GAS: u64 = 6;

/// What a transaction costs before it does anything.
const TRANSACTION_GAS: u64 = 21_000;

/// Gas of a byte of call data that is not zero, and of one that is (EIP-2028).
const BYTE_GAS: (u64, u64) = (16, 4);

/// The same in what a transaction costs at least, whatever it does (EIP-7623).
const LEAST_BYTE_GAS: (u64, u64) = (40, 10);

/// Gas that is used after it was measured, for the log: five times 375 and 96 bytes at 8.
const LOG_GAS: u64 = 2_600;

/// The same, for crediting whoever called.
const CREDIT_GAS: u64 = 900;

/// The same, for a budget's two words.
const BUDGET_GAS: u64 = 1_600;

/// What somebody brings.
#[derive(Clone, Copy, Debug)]
pub(super) struct Brought<'a> {
    /// What was signed.
    pub(super) intent: &'a Intent,
    /// By the account.
    pub(super) signature: &'a [u8],
    /// Whose budget pays what the action does not yield.
    pub(super) sponsor: Option<Address>,
    /// Call data without anything that was added to it.
    pub(super) data: &'a [u8],
}

/// What came of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Done {
    /// What the account paid.
    pub(super) fee: Amount,
    /// What the sponsor paid.
    pub(super) sponsored: Amount,
    /// What the function answered.
    pub(super) result: Bytes,
}

/// The hash that is signed.
pub(super) fn hash(state: &mut impl Read, intent: &Intent) -> Result<B256, Failure> {
    let length = intent.arguments.len().saturating_add(intent.action.len());
    let words = u64::try_from(length.div_ceil(32)).unwrap_or(u64::MAX);
    state.charge(TYPED_HASH_GAS.saturating_add(WORD_GAS.saturating_mul(words)))?;
    Ok(intent.eip712_signing_hash(&intents_domain(state.block().chain_id)))
}

fn bit(nonce: U256) -> (B256, U256) {
    let place = nonce.byte(0);
    (B256::from(nonce.wrapping_shr(8)), U256::ONE.wrapping_shl(place.into()))
}

/// Whether a nonce was used or cancelled.
pub(super) fn is_used(
    state: &mut impl Read,
    account: Address,
    nonce: U256,
) -> Result<bool, Failure> {
    let (word, bit) = bit(nonce);
    Ok(!(USED.get(state, (account, word))? & bit).is_zero())
}

fn use_up(state: &mut impl Write, account: Address, nonce: U256) -> Result<(), Failure> {
    let (word, bit) = bit(nonce);
    USED.update(state, (account, word), |used| {
        if !(*used & bit).is_zero() {
            return Err(IIntents::IntentUsed { account, nonce }.into());
        }
        *used |= bit;
        Ok(())
    })
}

/// Makes a nonce useless.
///
/// # Errors
/// `IntentUsed`.
pub(super) fn cancel(state: &mut impl Write, caller: Address, nonce: U256) -> Result<(), Failure> {
    use_up(state, caller, nonce)?;
    state.emit(ADDRESS, IIntents::Cancelled { account: caller, nonce })
}

/// Refuses what is not to be done now, by this caller, as this account's wish; returns what was signed.
fn check(
    state: &mut impl Read,
    caller: Address,
    brought: &Brought<'_>,
) -> Result<(&'static Action, B256), Failure> {
    let Intent { account, relayer, validUntil, ref action, .. } = *brought.intent;
    let action =
        actions::find(action).ok_or_else(|| IIntents::UnknownAction { action: action.clone() })?;
    if !relayer.is_zero() && relayer != caller {
        return Err(IIntents::OnlyRelayer { relayer, caller }.into());
    }
    if state.block().timestamp.0 >= validUntil {
        return Err(IIntents::IntentExpired { validUntil }.into());
    }
    let hash = hash(state, brought.intent)?;
    let signer = signature::recover_bytes(state, hash, brought.signature)?;
    if signer != Some(account) || account.is_zero() {
        let signer = signer.unwrap_or_default();
        return Err(IIntents::InvalidIntentSigner { signer, account }.into());
    }
    Ok((action, hash))
}

/// Does what an account signed, once, and repays the caller.
///
/// # Errors
/// `UnknownAction`, `OnlyRelayer`, `IntentExpired`, `InvalidIntentSigner`, `IntentUsed`; what the action
/// is refused with.
pub(super) fn relay(
    state: &mut impl Write,
    caller: Address,
    brought: &Brought<'_>,
) -> Result<Done, Failure> {
    let (action, hash) = check(state, caller, brought)?;
    let account = brought.intent.account;
    use_up(state, account, brought.intent.nonce)?;
    let before = state.balance(account)?;
    let result = carry_out(state, action, brought.intent)?;
    let after = state.balance(account)?;
    let gain = after.base_units().saturating_sub(before.base_units());
    let (fee, sponsored) = repay(state, caller, brought, gain)?;
    let event = IIntents::Relayed {
        account,
        relayer: caller,
        intent: hash,
        sponsor: brought.sponsor.unwrap_or_default(),
        fee: fee.base_units(),
        sponsored: sponsored.base_units(),
    };
    state.emit(ADDRESS, event)?;
    Ok(Done { fee, sponsored, result })
}

fn carry_out(state: &mut impl Write, action: &Action, intent: &Intent) -> Result<Bytes, Failure> {
    let value = Amount::from_base_units(intent.value);
    let data = [action.selector.as_slice(), intent.arguments.as_ref()].concat();
    let request = Call { caller: intent.account, value, data: &data, is_static: false };
    state.move_coin(intent.account, action.protocol, value)?;
    match call(action.protocol, state, request) {
        // The face of a protocol would run again without the caller that this call has.
        Err(Failure::CallsOut) => {
            Err(IIntents::UnknownAction { action: intent.action.clone() }.into())
        }
        other => other,
    }
}

fn repay(
    state: &mut impl Write,
    caller: Address,
    brought: &Brought<'_>,
    gain: U256,
) -> Result<(Amount, Amount), Failure> {
    let budget = match brought.sponsor {
        Some(sponsor) => Some(((sponsor, caller), budgets::find(state, (sponsor, caller))?)),
        None => None,
    };
    let cost = state.cost();
    // What the transaction has paid for already costs nobody anything again.
    let mut included = cost.included;
    let mut unpaid = |gas: u64| {
        let covered = gas.min(included);
        included = included.saturating_sub(covered);
        gas.saturating_sub(covered)
    };
    let first = LOG_GAS.saturating_add(unpaid(CREDIT_GAS));
    let gas = gas_of(&cost, brought.data, first);
    let price = |gas: u64| U256::from(gas).saturating_mul(U256::from(cost.base_fee));
    let fee = price(gas).min(gain).min(brought.intent.maxFee);
    let fee = Amount::from_base_units(fee);
    if !fee.is_zero() {
        state.move_coin(brought.intent.account, caller, fee)?;
    }
    let Some((between, budget)) = budget else { return Ok((fee, Amount::ZERO)) };
    if price(gas) <= fee.base_units() {
        return Ok((fee, Amount::ZERO));
    }
    let second = if fee.is_zero() { 0 } else { CREDIT_GAS };
    let second = unpaid(BUDGET_GAS.saturating_add(second));
    let gas = gas_of(&cost, brought.data, first.saturating_add(second));
    let missing = price(gas).saturating_sub(fee.base_units());
    let sponsored = budgets::draw(state, between, budget, missing)?;
    Ok((fee, sponsored))
}

/// Gas that whoever called pays for what was done so far and for `more`, the transaction's own included.
fn gas_of(cost: &Cost, data: &[u8], more: u64) -> u64 {
    let gas = cost.gas.saturating_add(more);
    if !cost.is_transaction {
        return gas.saturating_sub(cost.refund);
    }
    let of_bytes = |(full, zero): (u64, u64)| {
        data.iter().fold(TRANSACTION_GAS, |gas, byte| {
            gas.saturating_add(if *byte == 0 { zero } else { full })
        })
    };
    let gas = gas.saturating_add(of_bytes(BYTE_GAS));
    let gas = gas.saturating_sub(cost.refund.min(gas.div_euclid(5)));
    gas.max(of_bytes(LEAST_BYTE_GAS))
}
