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
        for ((account, asset, reason), change) in &self.statements {
            for period in periods.each() {
                write_statement(sql, (*account, *asset, period, *reason), *change).await?;
            }
        }
        for (asset, change) in &self.assets {
            write_asset(sql, *asset, change, periods).await?;
        }
        for (measure, amount) in &self.chain {
            for period in periods.each() {
                let key = [("period", Value::from(period)), ("measure", (*measure).into())];
                increase(sql, "chain_periods", &key, *amount).await?;
            }
        }
        for (account, change) in &self.accounts {
            write_account(sql, *account, change, block).await?;
        }
        for (account, position) in &self.activity {
            let row = [
                ("account", Value::from(*account)),
                ("block", block.into()),
                ("position", (*position).into()),
            ];
            sql.insert("activity", &row).await?;
        }
        Ok(())
    }
}

async fn write_statement(
    sql: &mut Sql<'_>,
    (account, asset, period, reason): (Address, u64, &str, Reason),
    (amount, entries): (u128, u64),
) -> Result<(), IndexError> {
    let mut row = vec![
        ("account", Value::from(account)),
        ("asset", integer(asset)?.into()),
        ("period", period.into()),
        ("reason", reason.name().into()),
    ];
    let key: Vec<_> = row.iter().map(|(_, value)| value.clone()).collect();
    let found = sql
        .row(
            "SELECT amount, entries FROM statements \
             WHERE account = $1 AND asset = $2 AND period = $3 AND reason = $4",
            &key,
        )
        .await?;
    let (mut sum, mut count) = (amount, entries);
    if let Some(found) = found {
        add(&mut sum, found.money("amount")?)?;
        count = count.saturating_add(found.number("entries")?);
    }
    row.extend([("amount", money(sum)), ("entries", integer(count)?.into())]);
    sql.put("statements", 4, &row).await
}

async fn write_asset(
    sql: &mut Sql<'_>,
    asset: u64,
    change: &AssetChange,
    periods: &Periods,
) -> Result<(), IndexError> {
    let id = integer(asset)?;
    let found = sql
        .row(
            "SELECT revenue, fees, uses, patrons, quality FROM assets WHERE asset = $1",
            &[id.into()],
        )
        .await?;
    let Some(found) = found else { return Ok(()) };
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
    let measures = [
        ("revenue", change.revenue),
        ("paid", change.paid),
        ("fees", change.fees),
        ("uses", u128::from(change.uses)),
    ];
    for (measure, amount) in measures.into_iter().filter(|(_, amount)| *amount > 0) {
        for period in periods.each() {
            let key =
                [("asset", Value::Int(id)), ("period", period.into()), ("measure", measure.into())];
            increase(sql, "asset_periods", &key, amount).await?;
        }
    }
    Ok(())
}

/// Adds to the `amount` of a row.
async fn increase(
    sql: &mut Sql<'_>,
    table: &str,
    key: &[(&str, Value)],
    amount: u128,
) -> Result<(), IndexError> {
    let places = (1..).zip(key).map(|(place, (name, _))| format!("{name} = ${place}"));
    let places: Vec<_> = places.collect();
    let values: Vec<_> = key.iter().map(|(_, value)| value.clone()).collect();
    let query = format!("SELECT amount FROM {table} WHERE {}", places.join(" AND "));
    let mut sum = amount;
    if let Some(found) = sql.row(&query, &values).await? {
        add(&mut sum, found.money("amount")?)?;
    }
    let mut row = key.to_vec();
    row.push(("amount", money(sum)));
    sql.put(table, key.len(), &row).await
}

async fn write_account(
    sql: &mut Sql<'_>,
    account: Address,
    change: &AccountChange,
    block: i64,
) -> Result<(), IndexError> {
    let number = integer(change.transactions)?;
    let done = sql
        .run(
            "UPDATE accounts SET last_block = $1, transactions = transactions + $2 \
             WHERE account = $3",
            &[block.into(), number.into(), account.into()],
        )
        .await?;
    if done > 0 {
        return Ok(());
    }
    let row = [
        ("account", Value::from(account)),
        ("first_block", block.into()),
        ("last_block", block.into()),
        ("transactions", number.into()),
        ("funder", change.funder.into()),
    ];
    sql.insert("accounts", &row).await
}
