//! The gateway with a real worker over real sockets, on the protocols' own rules.

mod crashes;
mod errors;
mod money;
mod retries;
mod shapes;
mod world;
