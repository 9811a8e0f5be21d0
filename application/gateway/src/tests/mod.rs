//! The gateway with a real worker over real sockets, on the protocols' own rules.

mod bounds;
mod crashes;
mod days;
mod errors;
mod leaving;
mod licenses;
mod logs;
mod lost;
mod money;
mod node;
mod parts;
mod retries;
mod rows;
mod script;
mod shapes;
mod workers;
mod world;
