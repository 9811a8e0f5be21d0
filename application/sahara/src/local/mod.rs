//! A network on one machine: its files, its processes, and the small economy it starts with.
//!
//! ```text
//! DATA/local/
//!   genesis.json            what every node must agree on
//!   network.json            ports, addresses and the API key, for the other commands
//!   supervisor.pid          the process that keeps the others alive; locked while it lives
//!   node-0 .. node-N-1/     chain state, consensus journal, keys.json
//!   worker/                 worker key and the highest amounts it signed
//!   gateway/                gateway key, requests, receipts
//!   logs/NAME.log
//! ```
//!
//! Everything listens on loopback. The keys of a local network lie in clear text and some of them
//! are public (the test mnemonic): a node refuses those on any other chain id or off loopback.

mod children;
pub(crate) mod dev;
mod lock;
mod network;
mod ports;
mod prepare;
mod room;
pub(crate) mod seed;

pub(crate) use children::{Child, Supervisor, last_words};
pub(crate) use lock::{Lock, holder, is_running};
pub(crate) use network::{Network, directory};
pub(crate) use ports::Ports;
pub(crate) use prepare::{node_arguments, prepare};
pub(crate) use room::{Room, enough, is_writable, writable};
