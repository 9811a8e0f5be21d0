//! `sahara validators`: who validates, and how that is changed.

use crate::{
    cli::{Entry, Submit, Validators},
    commands::{act::Act, evidence},
    failure::Failure,
    output::{Format, table},
    refusal::refused,
    session::Session,
    validator_key,
};
use eyre::{Result, WrapErr};
use sahara_abi::{IValidators, VALIDATORS};
use sahara_client::ChainClient;
use sahara_finality::{Validator, ValidatorChange, ValidatorSet, parse_hex, to_hex};
use sahara_primitives::{Amount, B256};
use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::json;
use std::{fs, path::Path};

/// What a node answers.
#[derive(Deserialize, Serialize)]
struct Answer {
    epoch: String,
    hash: B256,
    validators: ValidatorSet,
}

/// A change as it goes from hand to hand.
#[derive(Deserialize, Serialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Draft {
    chain_id: u64,
    origin: B256,
    epoch: u64,
    current: B256,
    next: ValidatorSet,
}

impl Draft {
    fn change(self) -> ValidatorChange {
        let Self { chain_id, origin, epoch, current, next } = self;
        ValidatorChange { chain_id, origin, epoch, current, next }
    }
}

/// Runs a command about validators.
pub(crate) async fn run(validators: &Validators, session: &Session, format: Format) -> Result<()> {
    match validators {
        Validators::Show { epoch } => {
            let shown = ask(&session.client()?, *epoch).await?;
            format.print(&shown, page)
        }
        Validators::Entry(entry) => print(&described(entry)?),
        Validators::Propose { add, remove } => {
            print(&propose(&session.client()?, add, remove).await?)
        }
        Validators::Sign { change, key } => {
            let keys = validator_key::open(key)?;
            let signature = to_hex(&read::<Draft>(change)?.change().sign(&keys.consensus));
            format.print(&json!({ "signature": signature }), |_| signature.clone())
        }
        Validators::Evidence { report, doing } => {
            if doing.dry_run && !report {
                return Err(Failure::usage("--dry-run tries a report: expected --report with it"));
            }
            evidence::run(report.then_some(doing), session, format).await
        }
        Validators::Submit(submit) => send(submit, session, format).await,
    }
}

async fn ask(client: &ChainClient, epoch: Option<u64>) -> Result<Answer> {
    let epoch = epoch.map(|epoch| format!("{epoch:#x}"));
    let answer: Option<Answer> =
        client.request("sahara_getValidators", (epoch,)).await.map_err(refused)?;
    answer.ok_or_else(|| Failure::not_found("the node knows no validators of this epoch"))
}

fn page(shown: &Answer) -> String {
    let mut rows = vec![vec!["network key".into(), "fees to".into(), "address".into()]];
    rows.extend(shown.validators.as_slice().iter().map(|one| {
        let address = one.address.map_or_else(|| "-".to_owned(), |address| address.to_string());
        vec![to_hex(&one.network_key), one.fee_address.to_string(), address]
    }));
    let (seats, quorum) = (shown.validators.len(), shown.validators.quorum());
    let Answer { epoch, .. } = shown;
    format!("{}\n{seats} seats in epoch {epoch}; {quorum} make a quorum", table(&rows))
}

fn described(entry: &Entry) -> Result<Validator> {
    let mut validator = validator_key::open(&entry.key)?.validator(entry.fee_address);
    validator.address = entry.address;
    Ok(validator)
}

async fn propose(
    client: &ChainClient,
    add: &[impl AsRef<Path>],
    remove: &[String],
) -> Result<Draft> {
    let current = ask(client, None).await?;
    let mut next = current.validators.as_slice().to_vec();
    for key in remove {
        let key = parse_hex("network key", key)?;
        let before = next.len();
        next.retain(|one| one.network_key != key);
        if next.len() == before {
            return Err(Failure::not_found(format!("{} is no validator", to_hex(&key))));
        }
    }
    for file in add {
        let joins: Validator = read(file.as_ref())?;
        next.retain(|one| one.network_key != joins.network_key);
        next.push(joins);
    }
    let asked = IValidators::originCall {};
    Ok(Draft {
        chain_id: client.chain_id().await.map_err(refused)?,
        origin: client.call(VALIDATORS, &asked).await.map_err(refused)?,
        epoch: u64::from_str_radix(current.epoch.trim_start_matches("0x"), 16)?,
        current: current.hash,
        next: ValidatorSet::new(next)?,
    })
}

async fn send(submit: &Submit, session: &Session, format: Format) -> Result<()> {
    let client = session.client()?;
    let change = read::<Draft>(&submit.change)?.change();
    let current = ask(&client, Some(change.epoch)).await?;
    let signatures: Result<Vec<_>, _> =
        submit.signatures.iter().map(|text| parse_hex("signature", text)).collect();
    let signed = change
        .collect(&current.validators, &signatures?)
        .map_err(|error| Failure::refused(error.to_string()))?;
    let call = IValidators::changeCall { signedChange: signed.encoded().into() };
    let act = Act::of(&submit.doing, VALIDATORS, Amount::ZERO);
    let Some(outcome) = act.perform(session, &call, format).await? else { return Ok(()) };
    let epoch = change.epoch.saturating_add(1);
    let done =
        json!({ "epoch": epoch, "transaction": outcome.hash, "block": outcome.block_number });
    format.print(&done, |_| {
        format!("decided in block {}: it holds from epoch {epoch} on", outcome.block_number)
    })
}

/// What is printed goes into a file, so it is JSON with and without `--json`.
fn print(value: &impl Serialize) -> Result<()> {
    Format::Json.print(value, |_| String::new())
}

fn read<T: DeserializeOwned>(file: &Path) -> Result<T> {
    let text =
        fs::read_to_string(file).wrap_err_with(|| format!("could not read {}", file.display()))?;
    serde_json::from_str(&text).wrap_err_with(|| format!("{} is not as expected", file.display()))
}
