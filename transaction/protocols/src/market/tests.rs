//! Behaviours, one sentence each; the invariants by number over random calls against a naive model.

mod auctions;
mod drained;
mod invariants;
mod listings;
mod model;
mod offers;
mod refusals;
mod returns;
mod stall;
