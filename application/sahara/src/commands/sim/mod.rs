//! `sahara sim`: ten years of unlocks, fees, the incentive pool and stake, under several demands.
//!
//! # Model
//! A month at a time, in base units. What the chain decides is computed by the chain's own functions:
//! the classes' curves, the division of gas fees, the fee on payments and licences, commission, seats.
//! What people decide is a [`Demand`]: how much is used, what is spent, what is staked. Nothing else is
//! assumed, nothing is random, and nothing is a float.
//!
//! # Invariant
//! After every month all coin together is the genesis supply, to the unit.

mod attack;
mod chart;
mod demand;
mod ledger;
mod plots;
mod show;
#[cfg(test)]
mod tests;

use crate::{
    cli::{RunSim, Sim},
    failure::Failure,
    output::{Format, say},
};
pub(super) use attack::thresholds;
use demand::Demand;
use eyre::{Result, WrapErr};
use ledger::{Rules, Run};
use std::{fs, path::Path};

/// Runs a simulation, or computes the cost of attacks.
pub(crate) fn run(sim: &RunSim, format: Format) -> Result<()> {
    match &sim.what {
        Some(Sim::Attack(asked)) => attack::run(asked, format),
        Some(Sim::Demand { name }) => {
            let demand = Demand::named(name).ok_or_else(|| unknown(name))?;
            say(&serde_json::to_string_pretty(&demand)?)
        }
        None => simulate(sim, format),
    }
}

fn unknown(name: &str) -> eyre::Report {
    let known: Vec<_> = demand::all().into_iter().map(|demand| demand.name).collect();
    Failure::usage(format!("`{name}` is no demand: expected one of {}", known.join(", ")))
}

fn simulate(sim: &RunSim, format: Format) -> Result<()> {
    format.refuse_beside("--csv", sim.csv)?;
    let rules = match &sim.genesis {
        Some(file) => Rules::of_file(file)?,
        None => Rules::default(),
    };
    let mut demands = Vec::new();
    for file in &sim.files {
        demands.push(read(file)?);
    }
    for name in &sim.demands {
        demands.push(Demand::named(name).ok_or_else(|| unknown(name))?);
    }
    if demands.is_empty() {
        demands = demand::all();
    }
    let runs = demands.iter().map(|demand| Run::new(&rules, demand)).collect::<Result<Vec<_>>>()?;
    if let Some(directory) = &sim.svg {
        return draw(directory, &rules, &runs, format);
    }
    if sim.csv {
        return say(show::csv(&runs).trim_end());
    }
    let years = show::years(&runs, &rules)?;
    format.print(&years, |years| show::page(years))
}

fn read(file: &Path) -> Result<Demand> {
    let text = fs::read_to_string(file);
    let text = text.wrap_err_with(|| format!("could not read {}", file.display()))?;
    serde_json::from_str(&text).map_err(|error| {
        Failure::usage(format!(
            "{} is no demand: {error}; `sahara sim demand base` prints one to begin with",
            file.display()
        ))
    })
}

fn draw(directory: &Path, rules: &Rules, runs: &[Run], format: Format) -> Result<()> {
    fs::create_dir_all(directory)
        .wrap_err_with(|| format!("could not make {}", directory.display()))?;
    let mut written = Vec::new();
    for (name, chart) in plots::all(rules, runs)? {
        let path = directory.join(name);
        fs::write(&path, chart.svg())
            .wrap_err_with(|| format!("could not write {}", path.display()))?;
        written.push(path.display().to_string());
    }
    format.print(&written, |written| written.join("\n"))
}
