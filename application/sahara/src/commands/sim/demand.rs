//! [`Demand`]: what people do, as far as the chain does not decide it.

use sahara_primitives::{Amount, BasisPoints};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de};

/// SAHARA, in files a decimal text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Coins(pub(super) Amount);

impl Serialize for Coins {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0.to_string())
    }
}

impl<'de> Deserialize<'de> for Coins {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        text.parse().map(Self).map_err(de::Error::custom)
    }
}

/// What people do with the chain, month by month. Ratios are basis points.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Demand {
    /// Its name in tables and plots.
    pub(super) name: String,
    /// Paid requests of the first month.
    pub(super) requests: u64,
    /// What worker and asset earn with one.
    pub(super) charge: Coins,
    /// Gas that the first month would use at the lowest price.
    pub(super) gas: u64,
    /// Prices of licences bought in the first month.
    pub(super) licenses: Coins,
    /// Prices of sales in the market in the first month.
    pub(super) sales: Coins,
    /// What all of these grow by in a month.
    pub(super) growth: u16,
    /// The most they grow to, in multiples of the first month.
    pub(super) ceiling: u32,
    /// A decline, if there is one; nothing grows from its beginning on.
    pub(super) decline: Option<Decline>,
    /// The part of the airdrop that is claimed.
    pub(super) claimed: BasisPoints,
    /// What the incentive pool and the treasury spend in a month of what is free in them.
    pub(super) spent: BasisPoints,
    /// What of the incentive pool's unlocks goes to validators, by a programme.
    pub(super) programme: BasisPoints,
    /// The part of circulating coin that is staked whatever it earns.
    pub(super) loyal: BasisPoints,
    /// The most of circulating coin that is ever staked.
    pub(super) most_staked: BasisPoints,
    /// What others want to earn in a year for their stake.
    pub(super) wanted: BasisPoints,
}

/// A time in which use falls.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Decline {
    /// The first month of it.
    pub(super) begins: u32,
    /// How many months it goes on.
    pub(super) months: u32,
    /// What is lost in each.
    pub(super) rate: BasisPoints,
}

/// What the use of the first month is counted as; later months are parts or multiples of it.
pub(super) const FIRST_MONTH: u64 = 1_000_000;

impl Demand {
    fn base() -> Self {
        Self {
            name: "base".into(),
            requests: 1_000_000,
            charge: coins(5_000_000_000_000_000),
            gas: 1_000_000_000_000,
            licenses: Coins(Amount::from_coins(100_000)),
            sales: Coins(Amount::from_coins(100_000)),
            growth: 600,
            ceiling: 500,
            decline: None,
            claimed: BasisPoints::constant(8_000),
            spent: BasisPoints::constant(200),
            programme: BasisPoints::ZERO,
            loyal: BasisPoints::constant(500),
            most_staked: BasisPoints::constant(6_000),
            wanted: BasisPoints::constant(300),
        }
    }

    /// One of [`all`].
    pub(super) fn named(name: &str) -> Option<Self> {
        all().into_iter().find(|demand| demand.name == name)
    }

    /// Use in each month from the first on, in millionths of the first; rounded down.
    pub(super) fn activity(&self, months: u32) -> Vec<u64> {
        let most = FIRST_MONTH.saturating_mul(self.ceiling.into());
        let mut now = FIRST_MONTH;
        (1..=months)
            .map(|month| {
                let held = now.min(most);
                let rate = match self.decline {
                    Some(decline) if month >= decline.begins => {
                        let ends = decline.begins.saturating_add(decline.months);
                        if month < ends {
                            10_000 - u64::from(decline.rate.points())
                        } else {
                            10_000
                        }
                    }
                    _ => 10_000 + u64::from(self.growth),
                };
                now = u64::try_from(u128::from(held) * u128::from(rate) / 10_000).unwrap_or(most);
                held
            })
            .collect()
    }
}

fn coins(units: u128) -> Coins {
    Coins(Amount::from_u128(units))
}

/// The demands that are simulated unless others are named.
pub(super) fn all() -> Vec<Demand> {
    let base = Demand::base();
    let low = Demand {
        name: "low".into(),
        requests: 300_000,
        gas: 200_000_000_000,
        licenses: Coins(Amount::from_coins(25_000)),
        sales: Coins(Amount::from_coins(25_000)),
        growth: 200,
        ceiling: 100,
        loyal: BasisPoints::constant(300),
        ..base
    };
    let high = Demand {
        name: "high".into(),
        requests: 3_000_000,
        gas: 3_000_000_000_000,
        licenses: Coins(Amount::from_coins(300_000)),
        sales: Coins(Amount::from_coins(300_000)),
        growth: 1_000,
        ceiling: 2_000,
        loyal: BasisPoints::constant(800),
        ..base
    };
    let rate = BasisPoints::constant(1_500);
    let collapse = Demand {
        name: "collapse".into(),
        decline: Some(Decline { begins: 36, months: 18, rate }),
        loyal: BasisPoints::constant(200),
        ..base
    };
    let programme = BasisPoints::constant(100);
    let funded = Demand { name: "funded".into(), programme, ..base };
    vec![low, base, high, collapse, funded]
}
