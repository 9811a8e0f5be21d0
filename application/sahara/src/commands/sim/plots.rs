//! The plots of `docs/economics/`.

use super::{
    chart::{Chart, Scale, Series},
    ledger::{MONTHS, Rules, Run},
};
use eyre::Result;
use sahara_evm::CLASSES;
use sahara_primitives::Amount;

/// Whole SAHARA, rounded down.
pub(super) fn whole(amount: Amount) -> u64 {
    let coins = amount.div_floor(1_000_000_000_000_000_000).and_then(Amount::to_u128);
    coins.and_then(|coins| u64::try_from(coins).ok()).unwrap_or(u64::MAX)
}

/// Five years show every unlock: the last is in month 48.
const UNLOCK_MONTHS: u32 = 60;

/// Every plot with its file's name.
pub(super) fn all(rules: &Rules, runs: &[Run]) -> Result<Vec<(&'static str, Chart)>> {
    let lines = |title: &str, unit: &str, scale, read: &dyn Fn(&Run, usize) -> Amount| Chart {
        title: title.into(),
        unit: unit.into(),
        scale,
        series: runs
            .iter()
            .map(|run| Series {
                name: run.demand.name.clone(),
                values: (0..run.months.len()).map(|month| whole(read(run, month))).collect(),
            })
            .collect(),
    };
    let month = |run: &Run, month: usize| run.months.get(month).copied().unwrap_or_default();
    Ok(vec![
        ("unlocks.svg", unlocks(rules)),
        (
            "circulating.svg",
            lines(
                "Circulating coin",
                "SAHARA outside the classes' accounts",
                Scale::Lines,
                &|run, at| month(run, at).circulating,
            ),
        ),
        (
            "pool.svg",
            lines(
                "Incentive pool, free to be spent",
                "SAHARA that came free or was earned, and is not spent",
                Scale::Lines,
                &|run, at| month(run, at).pool_free,
            ),
        ),
        (
            "income.svg",
            lines(
                "What validators earn",
                "SAHARA in the last twelve months, logarithmic",
                Scale::Logarithm,
                &|run, at| run.earned(at),
            ),
        ),
        (
            "stake.svg",
            lines(
                "Stake",
                "SAHARA, logarithmic: loyal stake, or as much as earns what is wanted",
                Scale::Logarithm,
                &|run, at| month(run, at).staked,
            ),
        ),
    ])
}

fn unlocks(rules: &Rules) -> Chart {
    let months = UNLOCK_MONTHS.min(MONTHS);
    let mut series: Vec<Series> = Vec::new();
    // The lowest layers are free from the beginning.
    for index in [3_usize, 6, 0, 1, 2, 4, 5] {
        let values = (0..=months).map(|month| {
            let free = rules.free(rules.time(month));
            free.get(index).copied().map_or(0, whole)
        });
        let values: Vec<u64> = values.collect();
        let name = CLASSES.get(index).map_or("", |class| class.name);
        match series.first_mut().filter(|_| index == 6) {
            Some(sale) => {
                sale.name.push_str(", ");
                sale.name.push_str(name);
                for (sum, value) in sale.values.iter_mut().zip(values) {
                    *sum += value;
                }
            }
            None => series.push(Series { name: name.into(), values }),
        }
    }
    Chart {
        title: "What has come free".into(),
        unit: "SAHARA by class".into(),
        scale: Scale::Layers,
        series,
    }
}
