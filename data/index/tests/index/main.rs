//! The index beside a real chain: the ledger, its store and its JSON-RPC, in both databases.

#[cfg(test)]
mod api;
#[cfg(test)]
mod ask;
#[cfg(test)]
mod contributions;
#[cfg(test)]
mod disputes;
#[cfg(test)]
mod economy;
#[cfg(test)]
mod follow;
#[cfg(test)]
mod gate;
#[cfg(test)]
mod licenses;
#[cfg(test)]
mod live;
#[cfg(test)]
mod market;
#[cfg(test)]
mod node;
#[cfg(test)]
mod postgres;
#[cfg(test)]
#[path = "../../../../transaction/rpc/tests/rpc/proposer.rs"]
mod proposer;
#[cfg(test)]
mod random;
#[cfg(test)]
mod start;
