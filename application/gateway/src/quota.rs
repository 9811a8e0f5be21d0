//! `x-ratelimit-*`: what a key may still do, under the names that OpenAI's clients know.
//!
//! | header | here |
//! |---|---|
//! | `limit-requests`, `remaining-requests`, `reset-requests` | requests of the key at a time |
//! | `limit-tokens` | output tokens of the model that the key's daily cap pays for |
//! | `remaining-tokens` | of these, what caps and running requests leave now |
//! | `reset-tokens` | until the day ends (UTC) and the daily cap begins anew |

use crate::{
    account::Account,
    catalog::{Model, Offer},
    gateway::Gateway,
    rows::Authority,
    sums::worst,
};
use alloy_primitives::U256;
use axum::http::{HeaderMap, HeaderName, HeaderValue};
use sahara_primitives::{Amount, TokenCount, Usage};

/// Names of the headers.
pub(crate) const NAMES: [&str; 6] = [
    "x-ratelimit-limit-requests",
    "x-ratelimit-remaining-requests",
    "x-ratelimit-reset-requests",
    "x-ratelimit-limit-tokens",
    "x-ratelimit-remaining-tokens",
    "x-ratelimit-reset-tokens",
];
/// Enough for a price without rounding to show.
const MILLION: TokenCount = 1_000_000;
const DAY_SECONDS: u64 = 86_400;

/// Says what the account may still do with a model.
pub(crate) fn insert(headers: &mut HeaderMap, gateway: &Gateway, account: &Account, model: &Model) {
    let most = gateway.config.bounds.parallel;
    let running = gateway.runs.lock().of(account.channel);
    let free = most.saturating_sub(running);
    let reset = if running == 0 { "0s" } else { "1s" };
    let mut values = vec![most.to_string(), free.to_string(), reset.to_owned()];
    if let Some((limit, left)) = tokens(gateway, account, model) {
        let into_day = gateway.now().timestamp().0 % DAY_SECONDS;
        values.extend([limit.to_string(), left.to_string(), span(DAY_SECONDS - into_day)]);
    }
    for (name, value) in NAMES.into_iter().zip(values) {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
}

/// Output tokens that the limit, and what is left of it, pay for; none for a free model.
fn tokens(gateway: &Gateway, account: &Account, model: &Model) -> Option<(U256, U256)> {
    let Offer { prices, .. } = model.offers.first()?;
    let usage = Usage { prompt_tokens: 0, completion_tokens: MILLION };
    let price = worst(gateway.opening_rates(), (*prices, model.prices), usage).ok()?;
    let limit = match account.row().authority {
        Authority::Grant(key) => key.grant.maxPerDay.to(),
        Authority::Reservation { reservation, .. } => reservation.amount.to(),
    };
    let bought = |amount: Amount| {
        amount.base_units().checked_mul(U256::from(MILLION))?.checked_div(price.base_units())
    };
    let limit = Amount::from_u128(limit);
    Some((bought(limit)?, bought(account.left(gateway.now()).min(limit))?))
}

/// A span as Go and OpenAI write it: `6h0m10s`.
fn span(seconds: u64) -> String {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    let (hours, minutes) = (minutes / 60, minutes % 60);
    match (hours, minutes) {
        (0, 0) => format!("{seconds}s"),
        (0, _) => format!("{minutes}m{seconds}s"),
        _ => format!("{hours}h{minutes}m{seconds}s"),
    }
}
