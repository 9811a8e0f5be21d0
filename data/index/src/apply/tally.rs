//! [`Tally`]: sums of one block, written once at its end.

use crate::{
    database::{Read as _, Sql, Value, integer, money},
    error::IndexError,
    period::Periods,
};
use alloy_primitives::Address;
use std::collections::{BTreeMap, BTreeSet};

/// Why an account got coin, or that it spent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Reason {
    /// From the pool of an asset, as owner or member.
    Royalty,
    /// For computing.
    Worker,
    /// A gateway's part of a charge.
    GatewayFee,
    /// The protocol's part, to the incentive pool.
    ProtocolFee,
    /// Gas fees of blocks, to validators.
    Validation,
    /// Sold on the market, after royalty and referral.
    Sale,
    /// For bringing a buyer.
    Referral,
    /// Income of an asset that an upheld complaint gave away.
    Correction,
    /// For judging a complaint.
    Jury,
    /// Charged, as a payer.
    Spent,
}

impl Reason {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Royalty => "royalty",
            Self::Worker => "worker",
            Self::GatewayFee => "gateway_fee",
            Self::ProtocolFee => "protocol_fee",
            Self::Validation => "validation",
            Self::Sale => "sale",
            Self::Referral => "referral",
            Self::Correction => "correction",
            Self::Jury => "jury",
            Self::Spent => "spent",
        }
    }
}

/// What changes in an asset's sums.
#[derive(Clone, Debug, Default)]
pub(crate) struct AssetChange {
    /// What its pool took, from its own use and its descendants'.
    pub(crate) revenue: u128,
    /// What was paid for its use, before it was divided.
    pub(crate) paid: u128,
    /// Protocol fees of its use.
    pub(crate) fees: u128,
    /// Requests.
    pub(crate) uses: u64,
    /// See `quality.rs`.
    pub(crate) quality: u128,
    /// New unrelated payers.
    pub(crate) patrons: u64,
}

#[derive(Clone, Debug, Default)]
struct AccountChange {
    transactions: u64,
    funder: Option<Address>,
}

#[derive(Debug, Default)]
pub(super) struct Tally {
    statements: BTreeMap<(Address, u64, Reason), (u128, u64)>,
    assets: BTreeMap<u64, AssetChange>,
    chain: BTreeMap<&'static str, u128>,
    accounts: BTreeMap<Address, AccountChange>,
    activity: BTreeSet<(Address, i64)>,
}

fn overflow() -> IndexError {
    IndexError::malformed("a sum", &"it does not fit 128 bits")
}

fn add(sum: &mut u128, amount: u128) -> Result<(), IndexError> {
    *sum = sum.checked_add(amount).ok_or_else(overflow)?;
    Ok(())
}

impl Tally {
    /// An account earned or spent; with an asset where one is known.
    pub(super) fn account(
        &mut self,
        account: Address,
        asset: Option<u64>,
        reason: Reason,
        amount: u128,
    ) -> Result<(), IndexError> {
        let all = std::iter::once(0).chain(asset.filter(|asset| *asset != 0));
        for asset in all {
            let (sum, entries) = self.statements.entry((account, asset, reason)).or_default();
            add(sum, amount)?;
            *entries = entries.saturating_add(1);
        }
        Ok(())
    }

    pub(super) fn asset(&mut self, asset: u64) -> &mut AssetChange {
        self.assets.entry(asset).or_default()
    }

    /// Assets whose sums change.
    pub(super) fn changed_assets(&self) -> impl Iterator<Item = u64> {
        self.assets.keys().copied()
    }

    pub(super) fn chain(&mut self, measure: &'static str, amount: u128) -> Result<(), IndexError> {
        add(self.chain.entry(measure).or_default(), amount)
    }

    /// An account takes part in a transaction.
    pub(super) fn takes_part(&mut self, account: Address, position: i64) {
        let change = self.accounts.entry(account).or_default();
        if self.activity.insert((account, position)) {
            change.transactions = change.transactions.saturating_add(1);
        }
    }

    /// An account got coin from another, perhaps its first.
    pub(super) fn funds(&mut self, account: Address, from: Address, position: i64) {
        if account != from && !self.accounts.contains_key(&account) {
            self.accounts.entry(account).or_default().funder = Some(from);
        }
        self.takes_part(account, position);
    }

    /// The funder of an account that is new in this block.
    pub(super) fn funder(&self, account: Address) -> Option<Address> {
        self.accounts.get(&account).and_then(|change| change.funder)
    }

    pub(super) async fn write(
        self,
        sql: &mut Sql<'_>,
        block: i64,
        periods: &Periods,
    ) -> Result<(), IndexError> {
        write_statements(sql, &self.statements, periods).await?;
        write_assets(sql, &self.assets, periods).await?;
        let mut sums = Vec::new();
        for (measure, amount) in &self.chain {
            let key = |period: &str| vec![Value::from(period), (*measure).into()];
            sums.extend(periods.each().map(|period| (key(period), *amount)));
        }
        increase(sql, "chain_periods", &["period", "measure"], sums).await?;
        write_accounts(sql, &self.accounts, block).await?;
        let activity = self.activity.iter().map(|(account, position)| {
            vec![Value::from(*account), block.into(), (*position).into()]
        });
        let activity: Vec<_> = activity.collect();
        sql.insert_all("activity", &["account", "block", "position"], &activity).await
    }
}

async fn write_statements(
    sql: &mut Sql<'_>,
    statements: &BTreeMap<(Address, u64, Reason), (u128, u64)>,
    periods: &Periods,
) -> Result<(), IndexError> {
    let columns = ["account", "asset", "period", "reason", "amount", "entries"];
    let (key, sums) = columns.split_at(4);
    let (mut keys, mut changes) = (Vec::new(), Vec::new());
    for ((account, asset, reason), change) in statements {
        let asset = integer(*asset)?;
        for period in periods.each() {
            let reason = reason.name();
            keys.push(vec![Value::from(*account), asset.into(), period.into(), reason.into()]);
            changes.push(*change);
        }
    }
    let found = sql.find_all("statements", (key, sums), &keys).await?;
    let mut rows = Vec::new();
    for ((mut row, (mut sum, mut count)), found) in keys.into_iter().zip(changes).zip(found) {
        if let Some(found) = found {
            add(&mut sum, found.money("amount")?)?;
            count = count.saturating_add(found.number("entries")?);
        }
        row.extend([money(sum), integer(count)?.into()]);
        rows.push(row);
    }
    sql.put_all("statements", (&columns, key.len()), &rows).await
}

/// Assets' own sums, and those by period.
async fn write_assets(
    sql: &mut Sql<'_>,
    assets: &BTreeMap<u64, AssetChange>,
    periods: &Periods,
) -> Result<(), IndexError> {
    let mut sums = Vec::new();
    for (asset, change) in assets {
        let id = integer(*asset)?;
        if !write_asset(sql, id, change).await? {
            continue;
        }
        let measures = [
            ("revenue", change.revenue),
            ("paid", change.paid),
            ("fees", change.fees),
            ("uses", u128::from(change.uses)),
        ];
        for (measure, amount) in measures.into_iter().filter(|(_, amount)| *amount > 0) {
            let key = |period: &str| vec![Value::Int(id), period.into(), measure.into()];
            sums.extend(periods.each().map(|period| (key(period), amount)));
        }
    }
    increase(sql, "asset_periods", &["asset", "period", "measure"], sums).await
}

/// Whether there is such an asset.
async fn write_asset(sql: &mut Sql<'_>, id: i64, change: &AssetChange) -> Result<bool, IndexError> {
    let found = sql
        .row(
            "SELECT revenue, fees, uses, patrons, quality FROM assets WHERE asset = $1",
            &[id.into()],
        )
        .await?;
    let Some(found) = found else { return Ok(false) };
    let sum = |column, amount: u128| -> Result<Value, IndexError> {
        let mut sum = found.money(column)?;
        add(&mut sum, amount)?;
        Ok(money(sum))
    };
    let count = |column, number: u64| -> Result<Value, IndexError> {
        Ok(integer(found.number(column)?.saturating_add(number))?.into())
    };
    let values = [
        sum("revenue", change.revenue)?,
        sum("fees", change.fees)?,
        count("uses", change.uses)?,
        count("patrons", change.patrons)?,
        sum("quality", change.quality)?,
        id.into(),
    ];
    sql.run(
        "UPDATE assets SET revenue = $1, fees = $2, uses = $3, patrons = $4, quality = $5 \
         WHERE asset = $6",
        &values,
    )
    .await?;
    Ok(true)
}

/// Adds to the `amount` of rows, of which each is named once.
async fn increase(
    sql: &mut Sql<'_>,
    table: &str,
    key: &[&str],
    sums: Vec<(Vec<Value>, u128)>,
) -> Result<(), IndexError> {
    let (keys, amounts): (Vec<_>, Vec<_>) = sums.into_iter().unzip();
    let found = sql.find_all(table, (key, &["amount"]), &keys).await?;
    let mut rows = Vec::new();
    for ((mut row, mut sum), found) in keys.into_iter().zip(amounts).zip(found) {
        if let Some(found) = found {
            add(&mut sum, found.money("amount")?)?;
        }
        row.push(money(sum));
        rows.push(row);
    }
    let columns = [key, &["amount"]].concat();
    sql.put_all(table, (&columns, key.len()), &rows).await
}

async fn write_accounts(
    sql: &mut Sql<'_>,
    accounts: &BTreeMap<Address, AccountChange>,
    block: i64,
) -> Result<(), IndexError> {
    let columns = ["account", "first_block", "last_block", "transactions", "funder"];
    let (key, rest) = columns.split_at(1);
    let keys: Vec<_> = accounts.keys().map(|account| vec![Value::from(*account)]).collect();
    let found = sql.find_all("accounts", (key, rest), &keys).await?;
    let mut rows = Vec::new();
    for ((mut row, change), found) in keys.into_iter().zip(accounts.values()).zip(found) {
        let (mut first, mut count, mut funder) = (block, change.transactions, change.funder);
        if let Some(found) = found {
            (first, funder) = (found.int("first_block")?, found.maybe_address("funder")?);
            count = count.saturating_add(found.number("transactions")?);
        }
        row.extend([Value::from(first), block.into(), integer(count)?.into(), funder.into()]);
        rows.push(row);
    }
    sql.put_all("accounts", (&columns, key.len()), &rows).await
}
