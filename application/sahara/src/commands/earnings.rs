//! `sahara earnings`: who earned what, from the chain's events.

use crate::{
    cli::Earnings,
    local::Network,
    output::{Format, table},
    refusal::refused,
    session::Session,
    stop,
};
use alloy_rpc_types_eth::{Filter, Log};
use alloy_sol_types::SolEvent;
use eyre::Result;
use sahara_abi::{CHANNELS, IChannels, INCENTIVE_POOL, IRoyalties, ISystem, ROYALTIES, SYSTEM};
use sahara_client::ChainClient;
use sahara_primitives::{Address, Amount, B256};
use serde::Serialize;
use std::{collections::BTreeMap, time::Duration};

/// Blocks asked for at once.
const RANGE: u64 = 5_000;

/// One credit.
#[derive(Clone, Debug, Serialize)]
struct Credit {
    block: u64,
    transaction: Option<B256>,
    account: Address,
    why: &'static str,
    asset: Option<u64>,
    amount: Amount,
}

/// What an account earned.
#[derive(Debug, Serialize)]
struct Earner {
    account: Address,
    role: String,
    credited: Amount,
    payments: u64,
    waiting: Amount,
}

/// Shows who earned what so far, and with `--follow` every credit as it comes.
pub(crate) async fn run(earnings: &Earnings, session: &Session, format: Format) -> Result<()> {
    let client = session.client()?;
    let names = names(session.network()?.as_ref());
    let head = client.block_number().await.map_err(refused)?.0;
    let credits = read(&client, 0, head).await?;
    let is_wanted =
        |credit: &Credit| earnings.account.is_none_or(|account| account == credit.account);
    let wanted: Vec<Credit> = credits.into_iter().filter(is_wanted).collect();
    let earners = sum(&client, &wanted, &names).await?;
    format.print(&earners, |earners| totals(earners, head))?;
    if !earnings.follow {
        return Ok(());
    }
    let mut next = head.saturating_add(1);
    let mut tick = tokio::time::interval(Duration::from_millis(250));
    let mut stop = std::pin::pin!(stop::asked(false));
    loop {
        tokio::select! {
            () = &mut stop => return Ok(()),
            _ = tick.tick() => {}
        }
        let head = client.block_number().await.map_err(refused)?.0;
        if head < next {
            continue;
        }
        for credit in read(&client, next, head).await?.into_iter().filter(is_wanted) {
            format.print(&credit, |credit| line(credit, &names))?;
        }
        next = head.saturating_add(1);
    }
}

fn names(network: Option<&Network>) -> BTreeMap<Address, String> {
    let mut names: BTreeMap<Address, String> = BTreeMap::new();
    names.insert(INCENTIVE_POOL, String::from("incentive pool"));
    for (role, account) in network.into_iter().flat_map(|network| &network.accounts) {
        names.insert(*account, role.replace('_', " "));
    }
    names
}

fn line(credit: &Credit, names: &BTreeMap<Address, String>) -> String {
    let name = names.get(&credit.account).cloned().unwrap_or_else(|| credit.account.to_string());
    let asset = credit.asset.map_or_else(String::new, |asset| format!(" (asset {asset})"));
    format!(
        "block {:>7}  {name:18} + {} SAHARA  {}{asset}",
        credit.block, credit.amount, credit.why
    )
}

fn totals(earners: &[Earner], head: u64) -> String {
    if earners.is_empty() {
        return format!("nobody has earned anything up to block {head}: try `sahara chat`");
    }
    let mut rows =
        vec![["WHO", "ACCOUNT", "CREDITED", "PAYMENTS", "WAITING"].map(String::from).to_vec()];
    rows.extend(earners.iter().map(|earner| {
        let waiting =
            if earner.waiting.is_zero() { String::from("-") } else { earner.waiting.to_string() };
        let payments =
            if earner.payments == 0 { String::from("-") } else { earner.payments.to_string() };
        vec![
            earner.role.clone(),
            earner.account.to_string(),
            earner.credited.to_string(),
            payments,
            waiting,
        ]
    }));
    format!(
        "{}\nup to block {head}; in SAHARA. Waiting is earned and credited before it is next spent.",
        table(&rows)
    )
}

async fn sum(
    client: &ChainClient,
    credits: &[Credit],
    names: &BTreeMap<Address, String>,
) -> Result<Vec<Earner>> {
    let mut totals: BTreeMap<Address, (Amount, u64)> = BTreeMap::new();
    for credit in credits {
        let (total, payments) = totals.entry(credit.account).or_default();
        *total = total.checked_add(credit.amount)?;
        *payments = payments.saturating_add(1);
    }
    // Validators' parts are no single event each: their fee accounts hold nothing else.
    for (account, name) in names.iter().filter(|(_, name)| name.starts_with("validator")) {
        let balance = client.balance(*account).await.map_err(refused)?;
        if !balance.is_zero() && !name.is_empty() {
            totals.insert(*account, (balance, 0));
        }
    }
    let mut earners = Vec::new();
    for (account, (credited, payments)) in totals {
        let role = names.get(&account).cloned().unwrap_or_else(|| String::from("-"));
        let waiting = client.earned(account).await.map_err(refused)?;
        earners.push(Earner { account, role, credited, payments, waiting });
    }
    earners.sort_by_key(|earner| std::cmp::Reverse(earner.credited));
    Ok(earners)
}

/// Every credit that events of these blocks tell of.
async fn read(client: &ChainClient, from: u64, to: u64) -> Result<Vec<Credit>> {
    let mut credits = Vec::new();
    let mut start = from;
    while start <= to {
        let end = to.min(start.saturating_add(RANGE).saturating_sub(1));
        let filter = Filter::new()
            .address(vec![CHANNELS, ROYALTIES, SYSTEM])
            .from_block(start)
            .to_block(end);
        let logs = client.logs(&filter).await.map_err(refused)?;
        let mut gateway = Address::ZERO;
        for log in &logs {
            credits.extend(credits_of(log, &mut gateway));
        }
        start = end.saturating_add(1);
    }
    Ok(credits)
}

/// The credits of one event. A claim's `Collected` names the gateway that its `FeesPaid` pays.
fn credits_of(log: &Log, gateway: &mut Address) -> Vec<Credit> {
    let credit = |account, why, asset, amount| Credit {
        block: log.block_number.unwrap_or_default(),
        transaction: log.transaction_hash,
        account,
        why,
        asset,
        amount: Amount::from_base_units(amount),
    };
    let log = &log.inner;
    let credits = if let Ok(collected) = IChannels::Collected::decode_log(log) {
        *gateway = collected.gateway;
        Vec::new()
    } else if let Ok(earned) = IChannels::Earned::decode_log(log) {
        vec![credit(earned.worker, "computed an answer", Some(earned.asset), earned.workerAmount)]
    } else if let Ok(fees) = IChannels::FeesPaid::decode_log(log) {
        vec![
            credit(*gateway, "gateway fee", None, fees.gatewayFee),
            credit(INCENTIVE_POOL, "protocol fee", None, fees.protocolFee),
        ]
    } else if let Ok(paid) = IRoyalties::Paid::decode_log(log) {
        let at_once = paid.parts.iter().filter(|part| !part.account.is_zero());
        at_once.map(|part| credit(part.account, "royalty", Some(part.asset), part.amount)).collect()
    } else if let Ok(settled) = IRoyalties::Settled::decode_log(log) {
        vec![credit(settled.account, "royalty", Some(settled.asset), settled.amount)]
    } else if let Ok(fees) = ISystem::FeesDistributed::decode_log(log) {
        vec![credit(INCENTIVE_POOL, "part of gas", None, fees.incentivePool)]
    } else {
        Vec::new()
    };
    credits.into_iter().filter(|credit| !credit.amount.is_zero()).collect()
}
