//! The server as clients meet it: over HTTP and WebSocket, on a chain that makes real blocks.
#[cfg(test)]
mod blocks;
#[cfg(test)]
mod calls;
#[cfg(test)]
mod conformance;
#[cfg(test)]
mod door;
#[cfg(test)]
mod earnings;
#[cfg(test)]
#[path = "../../../evm/tests/ethereum_data/mod.rs"]
mod ethereum_data;
#[cfg(test)]
mod follow;
#[cfg(test)]
mod monitor;
#[cfg(test)]
mod page;
#[cfg(test)]
mod pool;
#[cfg(test)]
mod proofs;
#[cfg(test)]
mod proposer;
#[cfg(test)]
#[path = "../../../evm/tests/recorded/mod.rs"]
mod recorded;
#[cfg(test)]
mod replay;
#[cfg(test)]
mod support;
#[cfg(test)]
mod tools;
