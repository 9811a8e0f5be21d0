//! Flags of `sahara sim`.

use clap::{Args, Subcommand, ValueEnum, ValueHint};
use sahara_primitives::{Amount, U256};
use std::{fmt, path::PathBuf, str::FromStr};

/// `sahara sim`.
#[derive(Args, Debug)]
#[command(
    args_conflicts_with_subcommands = true,
    after_help = "Examples:\n  sahara sim\n  sahara sim --demand base --csv > base.csv\n  sahara sim demand base > mine.json     change it, then: sahara sim --file mine.json\n  sahara sim --svg plots"
)]
pub(crate) struct RunSim {
    /// Something else than ten years.
    #[command(subcommand)]
    pub(crate) what: Option<Sim>,
    /// A demand by name: low, base, high, collapse, funded; all of them when none is named. Repeat for each.
    #[arg(long = "demand", value_name = "NAME")]
    pub(crate) demands: Vec<String>,
    /// A demand from a file, as `sahara sim demand` prints it. Repeat for each.
    #[arg(long = "file", value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) files: Vec<PathBuf>,
    /// The genesis file whose schedules, fees and parameters hold; the defaults when there is none.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) genesis: Option<PathBuf>,
    /// Every month, as comma-separated values.
    #[arg(long)]
    pub(crate) csv: bool,
    /// Draw plots into this directory.
    #[arg(long, value_name = "DIR", conflicts_with = "csv", value_hint = ValueHint::DirPath)]
    pub(crate) svg: Option<PathBuf>,
}

/// What else can be asked.
#[derive(Debug, Subcommand)]
pub(crate) enum Sim {
    /// What it costs to halt the chain, and to decide alone, at several stakes and prices.
    #[command(
        after_help = "Examples:\n  sahara sim attack --stake 50000000 --stake 500000000 --price 0.05\n  sahara sim attack --stake 100000000 --validators 20 --validators 100 --distribution zipf\n  sahara sim attack --genesis genesis.json --price 0.05"
    )]
    Attack(Attack),
    /// Print a demand, to begin a file with.
    #[command(after_help = "Example: sahara sim demand base > mine.json")]
    Demand {
        /// Its name.
        name: String,
    },
}

/// `sahara sim attack`.
#[derive(Args, Debug)]
pub(crate) struct Attack {
    /// The stake of everyone else, in SAHARA. Repeat for each.
    #[arg(long = "stake", value_name = "SAHARA", default_values = ["10000000", "50000000", "250000000", "1000000000"])]
    pub(crate) stakes: Vec<Amount>,
    /// What a SAHARA costs, in dollars. Repeat for each.
    #[arg(long = "price", value_name = "DOLLARS", default_values = ["0.02", "0.10"])]
    pub(crate) prices: Vec<Dollars>,
    /// Seats of an epoch.
    #[arg(long, default_value_t = 100)]
    pub(crate) seats: u16,
    /// Validators among whom that stake lies, 512 at most; as many as there are seats when none is named. Repeat for each.
    #[arg(long, value_name = "COUNT", value_parser = clap::value_parser!(u16).range(1..=512))]
    pub(crate) validators: Vec<u16>,
    /// How it lies among them.
    #[arg(long, value_enum, default_value_t = Distribution::Equal)]
    pub(crate) distribution: Distribution,
    /// The genesis file with whose stakes and seats it is computed instead.
    #[arg(
        long,
        value_name = "FILE",
        value_hint = ValueHint::FilePath,
        conflicts_with_all = ["stakes", "seats", "validators", "distribution"]
    )]
    pub(crate) genesis: Option<PathBuf>,
}

/// How stake lies among validators.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Distribution {
    /// All have the same.
    Equal,
    /// The second has half of what the first has, the third a third, and so on.
    Zipf,
}

/// A price in millionths of a dollar.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Dollars(u64);

impl Dollars {
    /// What an amount costs in whole dollars, rounded down.
    pub(crate) fn of(self, amount: Amount) -> String {
        let divisor = Amount::ONE_COIN.base_units().saturating_mul(U256::from(1_000_000));
        let product = amount.base_units().saturating_mul(U256::from(self.0));
        format!("${}", product.checked_div(divisor).unwrap_or_default())
    }
}

impl FromStr for Dollars {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let wrong = || {
            format!(
                "`{text}` is no price: expected dollars with at most 6 digits after the point, as 0.05"
            )
        };
        let (whole, part) = text.split_once('.').unwrap_or((text, "0"));
        let is_number = |s: &str| !s.is_empty() && s.bytes().all(|byte| byte.is_ascii_digit());
        if !is_number(whole) || !is_number(part) || part.len() > 6 {
            return Err(wrong());
        }
        format!("{whole}{part:0<6}").parse().map(Self).map_err(|_| wrong())
    }
}

impl fmt::Display for Dollars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let part = format!("{:06}", self.0 % 1_000_000);
        let part = part.trim_end_matches('0');
        write!(f, "${}.{part:0<2}", self.0 / 1_000_000)
    }
}

#[cfg(test)]
mod tests {
    use super::Dollars;
    use sahara_primitives::Amount;

    #[test]
    fn prices_are_exact() {
        let price: Dollars = "0.05".parse().unwrap();
        assert_eq!((price, price.to_string()), (Dollars(50_000), "$0.05".into()));
        assert_eq!(price.of(Amount::from_coins(10_000_000_001)), "$500000000");
        for text in ["", "-1", "1e3", "0.0000001", ".5", "5."] {
            assert!(text.parse::<Dollars>().is_err(), "{text}");
        }
    }
}
