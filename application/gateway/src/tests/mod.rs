//! The gateway with a real worker over real sockets, on the protocols' own rules.

mod bounds;
mod crashes;
mod days;
mod errors;
mod leaving;
mod licenses;
mod logs;
mod lost;
mod metrics;
mod money;
mod node;
#[path = "../../../../transaction/rpc/tests/rpc/page.rs"]
mod page;
mod parts;
mod retries;
mod rows;
mod script;
mod shapes;
mod workers;
mod world;
