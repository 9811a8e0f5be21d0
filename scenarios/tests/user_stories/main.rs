//! User stories: each a chapter, told with the command line on real processes, checked to the unit.

mod buyer;
mod co_owner;
mod contributor;
mod creator;
mod deadlines;
mod earner;
mod remixer;
mod reseller;
mod subscriber;
mod town;
mod trader;

pub(crate) use town::{Town, coins, key};
