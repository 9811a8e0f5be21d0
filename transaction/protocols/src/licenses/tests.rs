//! Behaviours, one sentence each; the invariants by number over random calls against a naive model.

mod evasion;
mod invariants;
mod metering;
mod model;
mod ownership;
mod rights;
mod sale;
mod seats;
mod terms;
pub(crate) mod town;
