//! [`Run`]: where all coin is, at the end of each month.

use super::demand::{Demand, FIRST_MONTH};
use crate::failure::Failure;
use eyre::{Result, WrapErr, ensure, eyre};
use sahara_chain::genesis::GenesisFile;
use sahara_evm::{CLASSES, FeeParameters, GenesisConfig, Holder, VestingConfig};
use sahara_primitives::{Amount, BasisPoints, Bill, FeeRates, Overflow, Timestamp};
use sahara_protocols::{
    FeeParts, GENESIS_SUPPLY, Parameters, staking,
    vesting::{Curve, Plan, add_months},
};
use std::{fs, path::Path};

/// Ten years.
pub(super) const MONTHS: u32 = 120;

/// What the chain decides.
#[derive(Clone, Debug)]
pub(super) struct Rules {
    pub(super) plan: Plan,
    pub(super) fees: FeeParameters,
    pub(super) parameters: Parameters,
    pub(super) staking: staking::Parameters,
}

impl Default for Rules {
    /// The defaults, for a chain that begins with the year 2027.
    fn default() -> Self {
        const BEGINS: u64 = 1_798_761_600;
        let config = GenesisConfig {
            chain_id: 0,
            milliseconds: BEGINS * 1_000,
            block_gas_limit: 0,
            fees: FeeParameters::default(),
            sale: Vec::new(),
            liquidity: Vec::new(),
            vesting: VestingConfig::default(),
            parameters: None,
            governance: None,
            disputes: None,
        };
        Self {
            plan: config.vesting_plan(),
            fees: config.fees,
            parameters: Parameters::DEFAULT,
            staking: staking::Parameters::default(),
        }
    }
}

impl Rules {
    /// Those of a genesis file.
    pub(super) fn of_file(file: &Path) -> Result<Self> {
        let bytes = fs::read(file);
        let bytes = bytes.wrap_err_with(|| format!("could not read {}", file.display()))?;
        let genesis = GenesisFile::parse(&bytes)?;
        let parameters = match &genesis.config.parameters {
            Some(shown) => Parameters::try_from(shown)
                .map_err(|_| Failure::usage("the parameters are none that governance may set"))?,
            None => Parameters::DEFAULT,
        };
        let staking = genesis.staking.and_then(|staking| staking.parameters);
        Ok(Self {
            plan: genesis.config.vesting_plan(),
            fees: genesis.config.fees,
            parameters,
            staking: staking.map(Into::into).unwrap_or_default(),
        })
    }

    /// When a month begins; month 0 is the genesis.
    pub(super) fn time(&self, month: u32) -> Timestamp {
        add_months(self.plan.start, month.into())
    }

    /// What is free of each class at a time, in the order of [`CLASSES`].
    pub(super) fn free(&self, at: Timestamp) -> [Amount; 7] {
        let [airdrop, community, pool, team, investors] = self.plan.curves();
        let [airdrop_of, community_of, pool_of, team_of, investors_of] = self.plan.classes;
        let [sale, liquidity] = [Holder::Sale, Holder::Liquidity].map(class);
        [
            vested(&airdrop, airdrop_of, at),
            vested(&community, community_of, at),
            vested(&pool, pool_of, at),
            sale,
            vested(&team, team_of, at),
            vested(&investors, investors_of, at),
            liquidity,
        ]
    }
}

fn vested(curve: &Curve, class: Amount, at: Timestamp) -> Amount {
    Amount::from_u128(curve.vested(class.to_u128().unwrap_or(u128::MAX), at))
}

fn class(holder: Holder) -> Amount {
    let millions = CLASSES.iter().find(|class| class.holder == holder);
    Amount::from_coins(millions.map_or(0, |class| class.millions).saturating_mul(1_000_000))
}

/// A month: what happened in it, and where coin is at its end.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Month {
    /// With everyone but the classes' accounts; staked coin is a part of it.
    pub(super) circulating: Amount,
    /// In the incentive pool, and what of it is free.
    pub(super) pool: Amount,
    pub(super) pool_free: Amount,
    /// In the treasury, and what of it is free.
    pub(super) treasury: Amount,
    pub(super) treasury_free: Amount,
    /// With the team's, the investors' and the airdrop's accounts.
    pub(super) bound: Amount,
    pub(super) staked: Amount,
    pub(super) requests: u64,
    /// For worker and asset.
    pub(super) paid: Amount,
    pub(super) gas_fees: Amount,
    /// A unit of gas, in base units.
    pub(super) gas_price: u64,
    /// What validators get of gas fees and programmes, and what of it is commission.
    pub(super) validators: Amount,
    pub(super) commission: Amount,
    /// What the incentive pool gets of gas, payments, licences and sales.
    pub(super) tax: Amount,
    pub(super) protocol_fees: Amount,
    /// What the incentive pool and the treasury spend.
    pub(super) spent: Amount,
}

/// Ten years under a demand.
#[derive(Clone, Debug)]
pub(super) struct Run {
    pub(super) demand: Demand,
    /// Month 0 is the genesis.
    pub(super) months: Vec<Month>,
}

impl Run {
    pub(super) fn new(rules: &Rules, demand: &Demand) -> Result<Self> {
        let mut months = vec![start(rules, demand)?];
        for (number, activity) in (1..=MONTHS).zip(demand.activity(MONTHS)) {
            let before = months.last().copied().unwrap_or_default();
            let year = months.iter().rev().take(11).map(|month| month.validators);
            let earned = Amount::sum(year)?;
            let month = next(rules, demand, &before, (number, activity))
                .map_err(|error| eyre!("demand `{}`, month {number}: {error}", demand.name))?;
            months.push(stake(demand, month, earned, number)?);
        }
        for month in &months {
            let parts = [month.circulating, month.pool, month.treasury, month.bound];
            let all = Amount::sum(parts)?;
            ensure!(all == GENESIS_SUPPLY, "coin was made or lost: all together is {all} SAHARA");
        }
        Ok(Self { demand: demand.clone(), months })
    }

    /// What validators got in the twelve months up to one.
    pub(super) fn earned(&self, until: usize) -> Amount {
        let year = self.months.iter().take(until.saturating_add(1)).rev().take(12);
        Amount::sum(year.map(|month| month.validators)).unwrap_or_default()
    }
}

fn start(rules: &Rules, demand: &Demand) -> Result<Month, Overflow> {
    let [airdrop, _, _, sale, _, _, liquidity] = rules.free(rules.plan.start);
    let claimed = demand.claimed.of(airdrop)?;
    let [airdrop_of, treasury, pool, team, investors] = rules.plan.classes;
    let circulating = Amount::sum([claimed, sale, liquidity])?;
    let bound = Amount::sum([airdrop_of, team, investors])?.checked_sub(claimed)?;
    let staked = demand.loyal.of(circulating)?;
    Ok(Month { circulating, pool, treasury, bound, staked, ..Month::default() })
}

fn next(
    rules: &Rules,
    demand: &Demand,
    before: &Month,
    (number, activity): (u32, u64),
) -> Result<Month, Overflow> {
    let mut month = Month { circulating: before.circulating, ..Month::default() };
    (month.pool, month.treasury) = (before.pool, before.treasury);
    (month.pool_free, month.treasury_free) = (before.pool_free, before.treasury_free);
    month.bound = before.bound;
    let span = (rules.time(number - 1), rules.time(number));
    let unlocked = unlock(rules, demand, &mut month, span)?;
    let scaled =
        |first: Amount| first.checked_mul(activity)?.div_floor(FIRST_MONTH).ok_or(Overflow);
    let times = |first: u64| u128::from(first) * u128::from(activity) / u128::from(FIRST_MONTH);
    month.requests = u64::try_from(times(demand.requests)).unwrap_or(u64::MAX);
    month.paid = demand.charge.0.checked_mul(month.requests)?;
    use_gas(rules, &mut month, times(demand.gas), span)?;
    let Parameters { protocol_fee, license_fee, market_fee, .. } = rules.parameters;
    let rates = FeeRates { protocol: protocol_fee, gateway: BasisPoints::ZERO };
    let bill = Bill::new(rates, Amount::ZERO, month.paid, Amount::ZERO)?;
    let licenses = license_fee.of(scaled(demand.licenses.0)?)?;
    let sales = market_fee.of(scaled(demand.sales.0)?)?;
    month.protocol_fees = Amount::sum([bill.protocol_fee, licenses, sales])?;
    let income = month.tax.checked_add(month.protocol_fees)?;
    month.circulating = month.circulating.checked_sub(income)?;
    month.pool = month.pool.checked_add(income)?;
    month.pool_free = month.pool_free.checked_add(income)?;
    spend(demand, &mut month, unlocked)?;
    let units = month.validators.to_u128().ok_or(Overflow)?;
    month.commission = Amount::from_u128(staking::commission_of(units, super::attack::COMMISSION));
    Ok(month)
}

/// Moves what comes free; returns what did in the incentive pool.
fn unlock(
    rules: &Rules,
    demand: &Demand,
    month: &mut Month,
    (from, to): (Timestamp, Timestamp),
) -> Result<Amount, Overflow> {
    let ([airdrop, treasury, pool, _, team, investors, _], before) =
        (rules.free(to), rules.free(from));
    let [airdrop_then, treasury_then, pool_then, _, team_then, investors_then, _] = before;
    let claimed = demand.claimed.of(airdrop)?.checked_sub(demand.claimed.of(airdrop_then)?)?;
    let insiders =
        Amount::sum([team.checked_sub(team_then)?, investors.checked_sub(investors_then)?])?;
    let out = claimed.checked_add(insiders)?;
    month.bound = month.bound.checked_sub(out)?;
    month.circulating = month.circulating.checked_add(out)?;
    let closes = rules.plan.airdrop_closes();
    if from < closes && closes <= to {
        let [class, ..] = rules.plan.classes;
        let unclaimed = class.checked_sub(demand.claimed.of(class)?)?;
        month.bound = month.bound.checked_sub(unclaimed)?;
        month.treasury = month.treasury.checked_add(unclaimed)?;
        month.treasury_free = month.treasury_free.checked_add(unclaimed)?;
    }
    let unlocked = pool.checked_sub(pool_then)?;
    month.pool_free = month.pool_free.checked_add(unlocked)?;
    let treasury = treasury.checked_sub(treasury_then)?;
    month.treasury_free = month.treasury_free.checked_add(treasury)?;
    Ok(unlocked)
}

/// Gas: at the lowest price up to the target; beyond it the price rises until no more is asked, so that
/// the sum of fees stays what it would have been.
fn use_gas(
    rules: &Rules,
    month: &mut Month,
    wanted: u128,
    (from, to): (Timestamp, Timestamp),
) -> Result<(), Overflow> {
    let seconds = to.0.saturating_sub(from.0);
    let target = u128::from(rules.fees.gas_per_second / 2) * u128::from(seconds);
    let floor = rules.fees.base_fee_floor;
    let units = wanted.checked_mul(floor.into()).ok_or(Overflow)?;
    month.gas_fees = Amount::from_u128(units);
    let price = units.checked_div(wanted.min(target)).unwrap_or_default();
    month.gas_price = u64::try_from(price).unwrap_or(u64::MAX).max(floor);
    let seats = u64::from(rules.staking.seats);
    let parts = FeeParts::of(month.gas_fees, seats)?;
    month.tax = parts.incentive_pool;
    month.validators = parts.seat.checked_mul(seats)?.checked_add(parts.remainder)?;
    Ok(())
}

fn spend(demand: &Demand, month: &mut Month, unlocked: Amount) -> Result<(), Overflow> {
    let programme = demand.programme.of(unlocked)?.min(month.pool_free);
    month.pool_free = month.pool_free.checked_sub(programme)?;
    let grants = demand.spent.of(month.pool_free)?;
    month.pool_free = month.pool_free.checked_sub(grants)?;
    let treasury = demand.spent.of(month.treasury_free)?;
    month.treasury_free = month.treasury_free.checked_sub(treasury)?;
    month.validators = month.validators.checked_add(programme)?;
    month.pool = month.pool.checked_sub(programme.checked_add(grants)?)?;
    month.treasury = month.treasury.checked_sub(treasury)?;
    month.spent = grants.checked_add(treasury)?;
    let out = month.spent.checked_add(programme)?;
    month.circulating = month.circulating.checked_add(out)?;
    Ok(())
}

/// Stake follows what it earns: as much as still earns what is wanted, at least the loyal part.
fn stake(demand: &Demand, month: Month, before: Amount, number: u32) -> Result<Month, Overflow> {
    let year = before.checked_add(month.validators)?;
    let year = if number < 12 {
        year.checked_mul(12)?.div_floor(number.into()).ok_or(Overflow)?
    } else {
        year
    };
    let for_reward =
        year.checked_mul(10_000)?.div_floor(demand.wanted.points().into()).unwrap_or_default();
    let most = demand.most_staked.of(month.circulating)?;
    let staked = for_reward.max(demand.loyal.of(month.circulating)?).min(most);
    Ok(Month { staked, ..month })
}
