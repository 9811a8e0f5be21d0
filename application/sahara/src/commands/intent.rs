//! `sahara intent`: what an account without coin signs, and anybody brings.

use crate::{
    cli::{Doing, Intent as Command, SignIntent, Signer},
    commands::act::Act,
    failure::Failure,
    output::{Format, now, pairs, utc},
    refusal::refused,
    session::Session,
};
use alloy_dyn_abi::{DynSolType, DynSolValue};
use alloy_primitives::{Bytes, U256, aliases::U96};
use alloy_sol_types::SolCall;
use eyre::{Result, WrapErr};
use sahara_abi::{
    IIntents::{self, Intent},
    INTENTS,
};
use sahara_client::ChainClient;
use sahara_primitives::{Address, Amount, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::json;
use std::path::Path;

/// What is handed to whoever brings it.
#[derive(Debug, Deserialize, Serialize)]
struct Signed {
    intent: Intent,
    signature: Bytes,
}

/// Runs a command about intents.
pub(crate) async fn run(command: &Command, session: &Session, format: Format) -> Result<()> {
    match command {
        Command::Actions => {
            let actions = actions(&session.client()?).await?;
            format.print(&actions, |actions| actions.join("\n"))
        }
        Command::Sign(wish) => sign(wish, session, format).await,
        Command::Relay { file, sponsor, dry_run, signer } => {
            let signed = read(file)?;
            if *dry_run {
                return dry(signed, *sponsor, session, signer, format).await;
            }
            relay(signed, *sponsor, session, signer, format).await
        }
        Command::Cancel { nonce, doing } => {
            let call = IIntents::cancelCall { nonce: U256::from(*nonce) };
            sent(session, doing, Amount::ZERO, &call, format).await
        }
        Command::Sponsor { relayer, amount, per_intent, per_day, doing } => {
            let call = IIntents::sponsorCall {
                relayer: *relayer,
                perIntent: limit(*per_intent)?,
                perDay: limit(*per_day)?,
            };
            sent(session, doing, *amount, &call, format).await
        }
        Command::TakeBack { relayer, amount, doing } => {
            let amount = amount.base_units();
            let call = IIntents::withdrawBudgetCall { relayer: *relayer, amount };
            sent(session, doing, Amount::ZERO, &call, format).await
        }
        Command::Budget { sponsor, relayer } => {
            budget(&session.client()?, (*sponsor, *relayer), format).await
        }
    }
}

fn limit(amount: Amount) -> Result<U96> {
    let units = amount.to_u128().filter(|units| *units < 1 << 96).map(U96::from);
    units.ok_or_else(|| Failure::usage("a limit is at most all coin there is"))
}

async fn actions(client: &ChainClient) -> Result<Vec<String>> {
    client.call(INTENTS, &IIntents::actionsCall {}).await.map_err(refused)
}

/// The action of a text that may lack the types.
fn full<'a>(actions: &'a [String], text: &str) -> Result<&'a str> {
    let is_meant = |action: &&String| {
        *action == text || action.strip_prefix(text).is_some_and(|rest| rest.starts_with('('))
    };
    let found = actions.iter().find(is_meant).map(String::as_str);
    found.ok_or_else(|| {
        Failure::usage(format!("`{text}` is no action: `sahara intent actions` lists them"))
    })
}

/// A function's arguments as the chain takes them.
fn encode(action: &str, texts: &[String]) -> Result<Vec<u8>> {
    let types = action.find('(').and_then(|at| action.get(at..)).unwrap_or_default();
    let kinds = match DynSolType::parse(types) {
        _ if types == "()" => Vec::new(),
        Ok(DynSolType::Tuple(kinds)) => kinds,
        _ => return Err(Failure::usage(format!("`{action}` names no types"))),
    };
    if kinds.len() != texts.len() {
        let (wanted, given) = (kinds.len(), texts.len());
        return Err(Failure::usage(format!(
            "{action} takes {wanted} arguments, {given} were given"
        )));
    }
    let values = kinds.iter().zip(texts).map(|(kind, text)| {
        let plain = coin(text).unwrap_or_else(|| text.clone());
        kind.coerce_str(&plain)
            .map_err(|error| Failure::usage(format!("`{text}` is no {kind}: {error}")))
    });
    Ok(DynSolValue::Tuple(values.collect::<Result<_>>()?).abi_encode_params())
}

/// Coin in base units, typed as `5 SAHARA`.
fn coin(text: &str) -> Option<String> {
    let amount: Amount = text.strip_suffix("SAHARA")?.trim().parse().ok()?;
    Some(amount.base_units().to_string())
}

async fn sign(wish: &SignIntent, session: &Session, format: Format) -> Result<()> {
    let (client, key) = (session.client()?, session.key(&wish.signer).await?);
    let actions = actions(&client).await?;
    let action = full(&actions, &wish.action)?;
    let intent = Intent {
        account: key.address(),
        action: action.to_owned(),
        arguments: encode(action, &wish.arguments)?.into(),
        value: wish.value.base_units(),
        maxFee: wish.max_fee.base_units(),
        relayer: wish.relayer.unwrap_or_default(),
        nonce: client.free_nonce(key.address()).await.map_err(refused)?,
        validUntil: now().0.saturating_add(wish.length.0),
    };
    let signature = client.sign_intent(&key, &intent).await.map_err(refused)?;
    let signed = Signed { intent, signature };
    // People and programs get the same: what is printed is a file for whoever brings it.
    let text = serde_json::to_string_pretty(&signed)?;
    format.print(&signed, |_| text)
}

fn read(file: &Path) -> Result<Signed> {
    let text = std::fs::read_to_string(file);
    let text = text.wrap_err_with(|| format!("could not read {}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| {
        let name = file.display();
        Failure::usage(format!("{name} is not what `sahara intent sign` prints: {error}"))
    })
}

async fn dry(
    signed: Signed,
    sponsor: Option<Address>,
    session: &Session,
    signer: &Signer,
    format: Format,
) -> Result<()> {
    let (client, from) = (session.client()?, session.key(signer).await?.address());
    let Signed { intent, signature } = signed;
    let (action, until) = (intent.action.clone(), intent.validUntil);
    let account = intent.account;
    let (fee, sponsored) = match sponsor {
        None => {
            let call = IIntents::relayCall { intent, signature };
            let done = client.simulate(from, INTENTS, Amount::ZERO, &call).await;
            (done.map_err(refused)?.fee, U256::ZERO)
        }
        Some(sponsor) => {
            let call = IIntents::relaySponsoredCall { intent, signature, sponsor };
            let done = client.simulate(from, INTENTS, Amount::ZERO, &call).await;
            let done = done.map_err(refused)?;
            (done.fee, done.sponsored)
        }
    };
    let (fee, sponsored) = (Amount::from_base_units(fee), Amount::from_base_units(sponsored));
    let shown = json!({"account": account, "action": action, "valid_until": until, "fee": fee, "sponsored": sponsored});
    format.print(&shown, |_| {
        pairs([
            ("account", account.to_string()),
            ("wants", action),
            ("until", utc(Timestamp(until))),
            ("pays you", format!("{fee} SAHARA")),
            ("its sponsor", format!("{sponsored} SAHARA")),
        ])
    })
}

async fn relay(
    signed: Signed,
    sponsor: Option<Address>,
    session: &Session,
    signer: &Signer,
    format: Format,
) -> Result<()> {
    let (client, key) = (session.client()?, session.key(signer).await?);
    let Signed { intent, signature } = signed;
    let (account, action) = (intent.account, intent.action.clone());
    let done = client.relay(&key, (intent, signature), sponsor).await.map_err(refused)?;
    let (hash, block, gas) = (done.outcome.hash, done.outcome.block_number, done.outcome.fee());
    let (fee, sponsored) = (done.fee, done.sponsored);
    let shown = json!({
        "account": account, "action": action, "fee": fee, "sponsored": sponsored, "gas": gas,
        "transaction": hash, "block": block,
    });
    format.print(&shown, |_| {
        format!(
            "{action} for {account}\nrepaid {fee} SAHARA by the account and {sponsored} SAHARA by a sponsor; the gas cost {gas} SAHARA\nfinal in block {block}: {hash}"
        )
    })
}

async fn budget(
    client: &ChainClient,
    (sponsor, relayer): (Address, Address),
    format: Format,
) -> Result<()> {
    let call = IIntents::budgetCall { sponsor, relayer };
    let found = client.call(INTENTS, &call).await.map_err(refused)?;
    let coin = |units: U96| Amount::from_base_units(U256::from(units));
    let (left, spent) =
        (Amount::from_base_units(found.left), Amount::from_base_units(found.spentToday));
    let (per_intent, per_day) = (coin(found.perIntent), coin(found.perDay));
    let shown =
        json!({"left": left, "per_intent": per_intent, "per_day": per_day, "spent_today": spent});
    format.print(&shown, |_| {
        pairs([
            ("left", format!("{left} SAHARA")),
            ("for each intent", format!("{per_intent} SAHARA at most")),
            ("for each day", format!("{per_day} SAHARA at most, {spent} SAHARA spent today")),
        ])
    })
}

async fn sent<C: SolCall>(
    session: &Session,
    doing: &Doing,
    value: Amount,
    call: &C,
    format: Format,
) -> Result<()> {
    Act::of(doing, INTENTS, value).report(session, call, format).await
}

#[cfg(test)]
mod tests {
    use super::*;
    use alloy_sol_types::SolValue;
    use sahara_abi::IStaking;

    #[test]
    fn arguments_are_encoded_as_the_function_takes_them() {
        let (delegator, validator) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let texts = [delegator, validator].map(|account| account.to_string());
        let call = IStaking::withdrawCall { delegator, validator };
        let encoded = encode("staking.withdraw(address,address)", &texts).unwrap();
        assert_eq!(encoded, call.abi_encode().split_off(4));
        let coins = encode("channels.withdraw(uint256)", &[String::from("2.5 SAHARA")]).unwrap();
        assert_eq!(coins, U256::from(2_500_000_000_000_000_000_u64).abi_encode());
        assert_eq!(encode("disputes.discharge()", &[]).unwrap(), Vec::<u8>::new());
    }

    #[test]
    fn what_is_missing_or_wrong_is_said() {
        for texts in [&["one".to_owned()][..], &[], &["1".into(), "2".into()]] {
            assert!(encode("channels.withdraw(uint256)", texts).is_err(), "{texts:?}");
        }
        let actions = ["staking.withdraw(address,address)".to_owned()];
        assert_eq!(full(&actions, "staking.withdraw").unwrap(), actions[0]);
        assert_eq!(full(&actions, &actions[0]).unwrap(), actions[0]);
        assert!(full(&actions, "staking.with").is_err());
    }
}
