//! Refusals of the chain and of gateways, in words.

mod economy;
mod governance;

use crate::{
    failure::{Failure, Kind, kind_of_client},
    output::utc,
};
use eyre::Report;
use sahara_abi::{IAssets, IChannels, IWorkers};
use sahara_client::{ClientError, Revert};
use sahara_primitives::{Amount, Timestamp, U256};
use serde_json::Value;

/// What the chain refused exits with 4, a silent node with 5.
#[expect(clippy::needless_pass_by_value, reason = "it stands in `map_err`")]
pub(crate) fn refused(error: ClientError) -> Report {
    let kind = kind_of_client(&error);
    if let Some(revert) = error.revert() {
        let text = match words(revert) {
            Some(words) => format!("{words} ({})", revert.name),
            None => format!("the chain refused: {}", revert.text),
        };
        return Failure::refused_as(&revert.name, text);
    }
    match (kind, &error) {
        (_, ClientError::Answer { .. }) => {
            Failure::network(format!("{error}: is this the JSON-RPC of a Sahara node?"))
        }
        (Kind::Unreachable, _) => Failure::network(error.to_string()),
        (Kind::Usage, _) => Failure::usage(error.to_string()),
        _ => Failure::refused(
            poverty(&error.to_string()).unwrap_or_else(|| format!("the node refused: {error}")),
        ),
    }
}

/// Tools look for go-ethereum's words on missing coin, with its numbers; people read SAHARA.
fn poverty(text: &str) -> Option<String> {
    let words = "insufficient funds for gas * price + value";
    let rest = text.split_once(words)?.1;
    let number = |name: &str| {
        let digits = rest.split_once(name)?.1;
        let end = digits.find(|c: char| !c.is_ascii_digit()).unwrap_or(digits.len());
        Some(coins(digits.get(..end)?.parse().ok()?))
    };
    let (has, needs) = (number("balance ")?, number("tx cost ")?);
    Some(format!("the account holds {has} SAHARA, this costs up to {needs} with its gas ({words})"))
}

const fn coins(units: U256) -> Amount {
    Amount::from_base_units(units)
}

/// What the refusals that people meet most often mean, and what to do.
fn words(revert: &Revert) -> Option<String> {
    if let Some(error) = revert.decode::<IChannels::InsufficientDeposit>() {
        return Some(format!(
            "the free deposit of {} is {} SAHARA, {} are needed: add coin with `sahara wallet fund`",
            error.payer,
            coins(error.free),
            coins(error.needed)
        ));
    }
    if let Some(error) = revert.decode::<IChannels::NotPayer>() {
        return Some(format!(
            "only its payer {} may do this, not {}: name the payer's wallet with --wallet",
            error.payer, error.caller
        ));
    }
    if let Some(error) = revert.decode::<IChannels::TooEarly>() {
        let at = utc(Timestamp(error.closableAt));
        return Some(format!("the channel can be closed from {at} on"));
    }
    if let Some(error) = revert.decode::<IAssets::UnknownAsset>() {
        return Some(format!("there is no asset {}: `sahara asset list` shows all", error.asset));
    }
    if let Some(error) = revert.decode::<IWorkers::NotRegistered>() {
        return Some(format!("{} is not registered and bonded for this", error.account));
    }
    let fixed = if revert.is::<IChannels::GrantRevoked>() {
        "this key was revoked before"
    } else if revert.is::<IChannels::UnknownChannel>() {
        "nothing was ever set aside for this key: there is no channel to close"
    } else if revert.is::<IChannels::ChannelClosed>() {
        "the channel is closed, the rest was returned"
    } else if revert.is::<IChannels::CloseNotRequested>() {
        "nobody asked to close this channel: `sahara key revoke` does"
    } else {
        return economy::words(revert).or_else(|| governance::words(revert));
    };
    Some(fixed.to_owned())
}

/// What a gateway's refusal says, in its own words.
pub(crate) async fn refusal(response: reqwest::Response) -> Report {
    let status = response.status().as_u16();
    let body: Value = response.json().await.unwrap_or_default();
    let message =
        body.pointer("/error/message").and_then(Value::as_str).unwrap_or("no reason given");
    let text = format!("the gateway answered {status}: {message}");
    match status {
        400 | 413 | 422 => Failure::usage(text),
        404 => Failure::not_found(text),
        401..=403 => Failure::refused(text),
        _ => Failure::network(text),
    }
}

/// A gateway that does not answer.
pub(crate) fn silent(url: &str, error: &reqwest::Error) -> Report {
    Failure::network(format!("the gateway at {url} does not answer: {}", innermost(error)))
}

/// The innermost cause: the outer ones only say that sending failed.
pub(crate) fn innermost(error: &dyn std::error::Error) -> String {
    let mut cause = error;
    while let Some(source) = cause.source() {
        cause = source;
    }
    cause.to_string()
}

#[cfg(test)]
mod tests {
    use super::refused;
    use crate::failure::{Kind, kind_of};
    use alloy_sol_types::SolError;
    use sahara_abi::IChannels;
    use sahara_client::{ClientError, Revert};
    use sahara_primitives::{Address, U256};

    #[test]
    fn a_refusal_says_what_to_do_and_keeps_its_name() {
        let coin = U256::from(10).pow(U256::from(18));
        let error = IChannels::InsufficientDeposit {
            payer: Address::ZERO,
            free: U256::ZERO,
            needed: coin * U256::from(3),
        };
        let revert = Revert::from_data(error.abi_encode().into());
        let report = refused(ClientError::Reverted(revert));
        let text = report.to_string();
        assert!(text.contains("is 0 SAHARA, 3 are needed"), "{text}");
        assert!(text.contains("sahara wallet fund"), "{text}");
        assert!(text.ends_with("(InsufficientDeposit)"), "{text}");
        assert_eq!(kind_of(&report), Kind::Refused);
    }

    #[test]
    fn missing_coin_is_told_in_coins() {
        let text = "insufficient funds for gas * price + value: balance 1500000000000000000, queued cost 7, tx cost 2000000000000000001 (code -32000)";
        let told = super::poverty(text).unwrap();
        assert!(told.contains("holds 1.5 SAHARA, this costs up to 2.000000000000000001"), "{told}");
        assert_eq!(super::poverty("nonce too low"), None);
    }
}
