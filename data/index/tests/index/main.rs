//! The index beside a real chain: the ledger, its store and its JSON-RPC, in both databases.

mod api;
mod ask;
mod economy;
mod follow;
mod live;
mod node;
mod postgres;
mod start;
