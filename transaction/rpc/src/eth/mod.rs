//! The `eth` namespace, by what a method is about.

mod calls;
mod chain;
mod config;
mod fees;
mod filters;
mod proofs;
mod room;
mod simulate;
mod state;
mod submit;
mod subscribe;

pub(crate) use calls::{Calls, CallsApiServer};
pub(crate) use chain::{Chain, ChainApiServer};
pub(crate) use config::{Config, ConfigApiServer};
pub(crate) use fees::{Fees, FeesApiServer};
pub(crate) use filters::{Filters, FiltersApiServer};
pub(crate) use proofs::{Proofs, ProofsApiServer};
pub(crate) use simulate::{Simulate, SimulateApiServer};
pub(crate) use state::{State, StateApiServer};
pub(crate) use submit::{Submit, SubmitApiServer, receipt_of};
pub(crate) use subscribe::{Subscribe, SubscribeApiServer};
