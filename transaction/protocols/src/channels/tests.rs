//! Behaviours, one sentence each; the invariants by number in [`invariants`].

mod claims;
mod closing;
mod grants;
mod invariants;
mod model;
mod opening;
mod steps;
mod words;
pub(crate) mod world;
