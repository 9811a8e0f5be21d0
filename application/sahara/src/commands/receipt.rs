//! `sahara receipt`: what was used, who was paid, and why that is so.

use crate::{
    cli::Receipt,
    failure::Failure,
    local::Network,
    output::{Format, count, pairs, table, utc},
    refusal::{refusal, silent},
    session::Session,
};
use alloy_primitives::keccak256;
use eyre::{Result, WrapErr};
use sahara_compute::{Bundle, BundleError, ChainProof, Payment, Verified};
use sahara_finality::Handover;
use sahara_primitives::{Amount, AssetId, B256, LicenseId};
use serde::Serialize;
use serde_json::Value;
use std::{collections::BTreeSet, fs, io::Read, path::Path};

/// What a verified receipt proves, for programs.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Proven<'a> {
    /// As `usage.receipt` names it.
    id: String,
    genesis: B256,
    /// The end of an epoch that was trusted beside it.
    #[serde(skip_serializing_if = "Option::is_none")]
    since: Option<B256>,
    /// What this receipt charges.
    charged: Amount,
    #[serde(flatten)]
    verified: &'a Verified,
    steps: Vec<Step>,
}

/// One link of the chain of reasons.
#[derive(Debug, Serialize)]
struct Step {
    name: &'static str,
    shows: String,
}

/// Runs a receipt command.
pub(crate) async fn run(receipt: &Receipt, session: &Session, format: Format) -> Result<()> {
    match receipt {
        Receipt::Get { id, since } => get(id, *since, session, format).await,
        Receipt::Verify { file, genesis, since } => {
            let bundle = bundle(&read(file)?)?;
            let genesis = match genesis {
                Some(genesis) => *genesis,
                None => Network::expect(&session.places)?.genesis_hash,
            };
            verify(&bundle, (genesis, *since), format)
        }
    }
}

async fn get(id: &str, since: Option<u64>, session: &Session, format: Format) -> Result<()> {
    let gateway = session.gateway()?;
    let since = since.map(|block| format!("?since={block}")).unwrap_or_default();
    let mut request = session.http.get(format!("{gateway}/v1/receipts/{id}{since}"));
    if let Ok(key) = session.api_key(None) {
        request = request.bearer_auth(key);
    }
    let response = request.send().await.map_err(|error| silent(&gateway, &error))?;
    if !response.status().is_success() {
        return Err(refusal(response).await);
    }
    let shown: Value = response.json().await?;
    format.print(&shown, |shown| {
        let usage = shown.get("usage").unwrap_or(&Value::Null);
        let bill = super::chat::bill(usage, shown);
        format!("{bill}\nWith its proof: `sahara receipt get {id} --json > receipt.json`, then `sahara receipt verify receipt.json`")
    })
}

fn verify(bundle: &Bundle, (genesis, since): (B256, Option<B256>), format: Format) -> Result<()> {
    let verified = match since {
        Some(end) => bundle.verify_since(genesis, end),
        None => bundle.verify(genesis),
    };
    let verified = verified.map_err(|error| {
        Failure::refused(format!("this proves nothing: {} fails: {error}", broken_step(&error)))
    })?;
    let charged = bundle.receipt.bill.total()?;
    let steps = steps(bundle, since, &verified);
    let (id, verified) = (id(bundle), &verified);
    let proven = Proven { id, genesis, since, charged, verified, steps };
    format.print(&proven, |proven| text(proven, bundle))
}

/// `rcpt_CHANNEL_SEQ`, the channel by its first half.
fn id(bundle: &Bundle) -> String {
    let channel = alloy_primitives::hex::encode(bundle.receipt.channel.0);
    let half: String = channel.chars().take(32).collect();
    format!("rcpt_{half}_{}", bundle.receipt.seq.0)
}

/// Which step an error belongs to.
const fn broken_step(error: &BundleError) -> &'static str {
    match error {
        BundleError::Header(_) | BundleError::StartsElsewhere(_) => {
            "the block (genesis, validators, certificate, header)"
        }
        BundleError::OtherChain(_) => "the receipt's chain",
        BundleError::Proof(_) | BundleError::Transaction(_) => {
            "the transaction's place in the block"
        }
        BundleError::OtherClaim(_) => "the claim",
        BundleError::NotIncluded => "the path",
        BundleError::Unsigned { .. } | BundleError::Signature { .. } => "a signature",
        BundleError::WrongBill(_) => "the bill",
        BundleError::OtherPrices => "the prices",
        BundleError::NotLogged { .. } => "the usage log",
        BundleError::WrongOpening(_) => "the opened request and answer",
    }
}

/// What was checked, from the hash that is trusted to the receipt.
fn steps(bundle: &Bundle, since: Option<B256>, verified: &Verified) -> Vec<Step> {
    let (receipt, chain) = (&bundle.receipt, &bundle.chain);
    let validators = u64::try_from(chain.validators.len()).unwrap_or_default();
    let first = u64::from(receipt.seq.0).saturating_sub(bundle.inclusion.index);
    let last = first.saturating_add(bundle.inclusion.leaves).saturating_sub(1);
    let above = u64::try_from(chain.descendants.len()).unwrap_or_default();
    let certified = match above {
        0 => String::from("a quorum of them signed the block"),
        _ => format!("a quorum of them signed a block {} above it", count(above, "block")),
    };
    let opened = match verified.is_opened {
        true => "request and answer in the file have the receipt's salted hashes",
        false => "request and answer are not in the file: their salted hashes stand unopened",
    };
    let step = |name, shows| Step { name, shows };
    vec![
        step("genesis", format!("block 0 of chain {} has the trusted hash", chain.chain_id)),
        step("validator set", known(since, validators, handovers(chain, since))),
        step("certificate", certified),
        step("block", format!("{}, {}", verified.block, utc(verified.timestamp))),
        step(
            "claim",
            format!(
                "transaction {} of the block collects {} of the channel",
                verified.transaction_index,
                if first == last {
                    format!("receipt {first}")
                } else {
                    format!("receipts {first} to {last}")
                }
            ),
        ),
        step(
            "path",
            format!(
                "this receipt is leaf {} of {} under the claim's root",
                bundle.inclusion.index, bundle.inclusion.leaves
            ),
        ),
        step("receipt", String::from("signed by the gateway and by the worker")),
        step("bill", String::from("tokens times prices make the parts of worker and asset")),
        step("licence", licence(receipt.license, verified.counted)),
        step("content", opened.to_owned()),
        step("usage log", logged(bundle)),
    ]
}

/// How it is known who signs.
fn known(since: Option<B256>, validators: u64, followed: usize) -> String {
    let begins = match since {
        Some(end) => format!("the end of an epoch with the trusted hash {end} names who follows"),
        None => format!("block 0 commits to {}", count(validators, "validator")),
    };
    match followed {
        0 => begins,
        1 => format!("{begins}; they handed over once since"),
        times => format!("{begins}; they handed over {times} times since"),
    }
}

/// How often others followed, from where it was verified to the block.
fn handovers(chain: &ChainProof, since: Option<B256>) -> usize {
    let is_start = |one: &Handover| since.is_some_and(|end| keccak256(&one.header) == end);
    let start = chain.handovers.iter().position(is_start);
    let before = start.map_or(0, |place| place.saturating_add(1));
    chain.handovers.len().saturating_sub(before)
}

/// Under which right the asset was used.
fn licence(license: LicenseId, counted: u64) -> String {
    match (license, counted) {
        (LicenseId::NONE, _) => "none was needed: owner, open asset or free terms".into(),
        (license, 0) => format!("{license}, signed by both; the claim counted no use of it"),
        (license, uses) => format!("{license}, signed by both; the claim counted {uses} of it"),
    }
}

/// Which usage log holds the receipt.
fn logged(bundle: &Bundle) -> String {
    let Some(log) = &bundle.log else {
        return "in none yet: its period is not closed, or the file is older".into();
    };
    format!(
        "the claim is leaf {} of {} of asset {}, from {} to {}",
        log.inclusion.index,
        log.inclusion.leaves,
        log.log,
        utc(log.from),
        utc(log.to)
    )
}

fn text(proven: &Proven<'_>, bundle: &Bundle) -> String {
    let receipt = &bundle.receipt;
    let coins = |amount: Amount| format!("{amount} SAHARA");
    let steps =
        proven.steps.iter().map(|step| (format!("  ok  {}", step.name), step.shows.clone()));
    let bill = [
        (
            "  tokens",
            format!(
                "{} read, {} written, of asset {}",
                receipt.usage.prompt_tokens, receipt.usage.completion_tokens, receipt.asset
            ),
        ),
        ("  charged", coins(proven.charged)),
        ("  payer", proven.verified.payer.to_string()),
        ("  gateway", bundle.gateway.to_string()),
        ("  worker", receipt.worker.to_string()),
        ("  block", proven.verified.block_hash.to_string()),
    ];
    let whole = match bundle.inclusion.leaves {
        1 => String::from("The claim paid"),
        leaves => format!("The claim paid, for {leaves} receipts together"),
    };
    format!(
        "The receipt {} holds.\n\nChecked, trusting only the genesis hash {}{}:\n{}\n\nIt says\n{}\n\n{whole}\n{}",
        proven.id,
        proven.genesis,
        proven.since.map(|end| format!(" and block {end}")).unwrap_or_default(),
        pairs(steps),
        pairs(bill),
        table(&payments(&proven.verified.payments)),
    )
}

/// Who was paid. What a pool passed on in the same transaction is shown with the one who holds it.
fn payments(payments: &[Payment]) -> Vec<Vec<String>> {
    let passed_on: BTreeSet<AssetId> = payments
        .iter()
        .filter_map(|payment| match payment {
            Payment::Member { asset, .. } => Some(*asset),
            _ => None,
        })
        .collect();
    let shown = payments.iter().filter_map(|payment| {
        let (who, to) = match payment {
            Payment::Worker { to, .. } => (String::from("worker"), to.to_string()),
            Payment::Pool { asset, .. } if passed_on.contains(asset) => return None,
            Payment::Pool { asset, .. } => (format!("members of asset {asset}"), String::new()),
            Payment::Member { to, asset, .. } => {
                (format!("owner of asset {asset}"), to.to_string())
            }
            Payment::Gateway { to, .. } => (String::from("gateway"), to.to_string()),
            Payment::Protocol { to, .. } => (String::from("incentive pool"), to.to_string()),
        };
        Some(vec![format!("  {who}"), to, format!("{} SAHARA", payment.amount())])
    });
    shown.collect()
}

fn read(file: &Path) -> Result<String> {
    if file == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).wrap_err("standard input is no text")?;
        return Ok(text);
    }
    fs::read_to_string(file).wrap_err_with(|| format!("could not read {}", file.display()))
}

/// The bundle alone, or inside of what `receipt get` printed.
fn bundle(text: &str) -> Result<Bundle> {
    let expected = "expected a receipt as `sahara receipt get ID --json` prints it";
    let value: Value = serde_json::from_str(text)
        .map_err(|error| Failure::usage(format!("this is no receipt: {expected} ({error})")))?;
    // What was printed instead, here or by a gateway, and went into the file all the same.
    if let Some(message) = value.pointer("/error/message").and_then(Value::as_str) {
        return Err(Failure::usage(format!(
            "the file holds an error and no receipt: {expected} (the error is {message:?})"
        )));
    }
    if value.get("state").and_then(Value::as_str) == Some("pending") {
        return Err(Failure::refused(
            "this receipt is not settled yet: there is nothing to verify until its claim is final",
        ));
    }
    let bundle = value.get("bundle").filter(|bundle| !bundle.is_null()).cloned().unwrap_or(value);
    serde_json::from_value(bundle).map_err(|error| {
        Failure::usage(format!("this is no settled receipt: {expected} ({error})"))
    })
}

#[cfg(test)]
mod tests {
    use super::{bundle, payments};
    use crate::failure::{Kind, kind_of};
    use sahara_compute::Payment;
    use sahara_primitives::{Address, Amount, AssetId};
    use serde_json::json;

    #[test]
    fn what_is_no_receipt_is_said_to_be_none() {
        for (text, kind, words) in [
            ("", Kind::Usage, "no receipt"),
            ("[1]", Kind::Usage, "no settled receipt"),
            ("{\"state\":\"pending\",\"bundle\":null}", Kind::Refused, "not settled yet"),
        ] {
            let error = bundle(text).unwrap_err();
            assert_eq!(kind_of(&error), kind, "{text}");
            assert!(error.to_string().contains(words), "{error}");
        }
    }

    #[test]
    fn an_error_in_place_of_a_receipt_is_called_one_and_repeated() {
        let message = "the gateway answered 404: there is no receipt rcpt_0";
        let error = json!({"code": "not_found", "message": message, "exit_code": 3});
        let error = bundle(&json!({ "error": error }).to_string()).unwrap_err();
        assert_eq!(kind_of(&error), Kind::Usage);
        let told = error.to_string();
        assert!(told.contains("holds an error") && told.contains(message), "{told}");
        assert!(told.contains("expected a receipt as `sahara receipt get ID --json`"), "{told}");
    }

    #[test]
    fn what_a_pool_passed_on_is_shown_once() {
        let (one, two) = (AssetId(1), AssetId(2));
        let coin = Amount::ONE_COIN;
        let (to, other) = (Address::repeat_byte(1), Address::repeat_byte(2));
        let rows = payments(&[
            Payment::Worker { to, asset: two, amount: coin },
            Payment::Pool { asset: one, source: two, amount: coin },
            Payment::Member { to: other, asset: one, amount: coin },
            Payment::Pool { asset: two, source: two, amount: coin },
        ]);
        let whos: Vec<_> = rows.iter().map(|row| row[0].trim()).collect();
        assert_eq!(whos, ["worker", "owner of asset 1", "members of asset 2"]);
        assert!(rows.iter().all(|row| row[2] == "1 SAHARA"), "{rows:?}");
    }
}
