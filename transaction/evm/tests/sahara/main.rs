//! The chain's own rules, in a real EVM.

mod blocks;
mod calls;
mod native;
mod support;
mod world;
