//! Admission: no work before the money for it is set aside and final.

use crate::{
    account::{Account, Hold, Shortage},
    catalog::Offer,
    chain::ChainError,
    error::ApiError,
    gateway::Gateway,
    openai::Ask,
    rows::Authority,
    sums::worst,
};
use sahara_compute::Limits;
use sahara_primitives::{Amount, AssetId, Prices, TokenCount, Usage};
use std::sync::Arc;

/// Holding is tried again after the deposit was raised or the limit lowered; more turns mean that
/// others are faster.
const TURNS: usize = 5;

/// An admitted request.
#[derive(Debug)]
pub(crate) struct Admission {
    /// Lets go when dropped, after the charge.
    pub(crate) hold: Hold,
    pub(crate) limits: Limits,
}

/// The limits that a request starts with.
pub(crate) fn limits(gateway: &Gateway, ask: &Ask, offer: &Offer) -> Limits {
    let context = offer.card.context_length;
    let prompt = ask.prompt_bound(offer.card.overhead_tokens);
    Limits {
        max_tokens: ask.max_tokens.unwrap_or(gateway.config.default_max_tokens).min(context),
        is_flexible: ask.max_tokens.is_none(),
        max_prompt_tokens: prompt.min(context),
    }
}

/// The most a request can cost.
pub(crate) fn worst_cost(
    gateway: &Gateway,
    account: Option<&Account>,
    prices: (Prices, Prices),
    limits: Limits,
) -> Result<Amount, ApiError> {
    let usage =
        Usage { prompt_tokens: limits.max_prompt_tokens, completion_tokens: limits.max_tokens };
    match account {
        Some(account) => account.worst(gateway.opening_rates(), prices, usage),
        None => worst(gateway.opening_rates(), prices, usage),
    }
}

/// What is asked, of whom, and what is charged for the asset.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wanted<'a> {
    pub(crate) asset: AssetId,
    pub(crate) asset_prices: Prices,
    pub(crate) offer: &'a Offer,
    pub(crate) ask: &'a Ask,
}

/// Holds the most a request can cost; raises the deposit when needed and allowed.
pub(crate) async fn admit(
    gateway: &Gateway,
    account: &Arc<Account>,
    wanted: Wanted<'_>,
) -> Result<Admission, ApiError> {
    let Wanted { asset, asset_prices, offer, ask } = wanted;
    if !account.row().authority.covers(asset) {
        return Err(ApiError::forbidden(format!(
            "this key is not for asset {asset}: expected one of the assets in its grant"
        )));
    }
    let prices = (offer.prices, asset_prices);
    let mut limits = limits(gateway, ask, offer);
    for _ in 0..TURNS {
        let worst = worst_cost(gateway, Some(account), prices, limits)?;
        let (left, of) = match account.hold(worst, gateway.now()) {
            Ok(hold) => return Ok(Admission { hold, limits }),
            Err(Shortage::Closed) => return Err(closed(account)),
            Err(Shortage::Backlog) => {
                return Err(ApiError::busy(
                    "the key's receipts wait to be settled: expected a retry",
                ));
            }
            Err(Shortage::Limit { left, of }) => (left, of),
            Err(Shortage::Deposit(missing)) => match raise(gateway, account, missing).await? {
                Raised::Enough => continue,
                Raised::Short(available) => (
                    worst.saturating_sub(missing).checked_add(available).unwrap_or(available),
                    "the payer's deposit",
                ),
            },
        };
        limits = lowered(gateway, account, prices, limits, left)
            .ok_or_else(|| insufficient(of, left, worst))?;
    }
    Err(ApiError::busy("the key's deposit is taken by requests running now: expected a retry"))
}

fn insufficient(of: &str, left: Amount, worst: Amount) -> ApiError {
    ApiError::insufficient(format!(
        "{of} leaves {left} SAHARA, the request can cost up to {worst} SAHARA: expected a smaller max_tokens, a shorter prompt or more funds"
    ))
}

fn closed(account: &Account) -> ApiError {
    match account.row().authority {
        Authority::Grant(_) => ApiError::unauthorised("this key was revoked or has ended"),
        Authority::Reservation { .. } => {
            ApiError::invalid_payment("the reservation is closing or has ended")
        }
    }
}

/// The most tokens for which `left` suffices, for a client that named no limit.
fn lowered(
    gateway: &Gateway,
    account: &Account,
    prices: (Prices, Prices),
    limits: Limits,
    left: Amount,
) -> Option<Limits> {
    if !limits.is_flexible {
        return None;
    }
    let fits = |max_tokens: TokenCount| {
        let limits = Limits { max_tokens, ..limits };
        worst_cost(gateway, Some(account), prices, limits).is_ok_and(|worst| worst <= left)
    };
    let (mut low, mut high) = (0, limits.max_tokens);
    while low < high {
        let middle = low.midpoint(high).saturating_add((high - low) % 2);
        if fits(middle) { low = middle } else { high = middle.saturating_sub(1) }
    }
    (low > 0).then_some(Limits { max_tokens: low, ..limits })
}

enum Raised {
    /// Try to hold again.
    Enough,
    /// Only so much could be added; nothing was.
    Short(Amount),
}

/// Sets more of the payer's deposit aside, once for all requests that wait.
async fn raise(
    gateway: &Gateway,
    account: &Arc<Account>,
    missing: Amount,
) -> Result<Raised, ApiError> {
    let before = account.row().deposit;
    let _turn = account.raising.lock().await;
    let row = account.row();
    if row.deposit > before {
        return Ok(Raised::Enough);
    }
    let free = gateway.chain().free_deposit(row.authority.payer()).await?;
    let amount = match &row.authority {
        Authority::Grant(key) => {
            let total = Amount::from_u128(key.grant.maxTotal.to());
            let most = free.min(total.saturating_sub(row.deposit));
            if most < missing {
                return Ok(Raised::Short(most));
            }
            missing.max(gateway.config.headroom).min(most)
        }
        Authority::Reservation { reservation, .. } => {
            let amount = Amount::from_u128(reservation.amount.to());
            if row.is_open || amount < missing {
                return Ok(Raised::Short(Amount::ZERO));
            }
            amount
        }
    };
    let units = amount.to_u128().ok_or_else(|| ApiError::internal("an amount above 2^128"))?;
    match gateway.chain().open(&row.authority, units).await {
        Ok(_) => {}
        // A store that was lost knows less than the chain.
        Err(ChainError::Refused { name, .. }) if name == "AlreadyOpened" => {}
        Err(error) => return beaten(gateway, account, amount, error).await,
    }
    if gateway.follow(account).await?.is_none() {
        return Err(ApiError::internal("the channel did not open"));
    }
    gateway.keep(account);
    Ok(Raised::Enough)
}

/// What a failed opening means. It was right when it was sent: it may have gone through unheard, or
/// another gateway was faster and took what was free.
async fn beaten(
    gateway: &Gateway,
    account: &Arc<Account>,
    amount: Amount,
    error: ChainError,
) -> Result<Raised, ApiError> {
    let before = account.row();
    if gateway.follow(account).await?.is_some() && account.row().deposit > before.deposit {
        gateway.keep(account);
        return Ok(Raised::Enough);
    }
    let left = gateway.chain().free_deposit(before.authority.payer()).await?;
    if left < amount { Ok(Raised::Short(left)) } else { Err(error.into()) }
}
