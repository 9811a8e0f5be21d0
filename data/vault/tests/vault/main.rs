//! A vault over HTTP, beside a registry that says what the test wants.

mod hub;
mod lying;
mod rights;
mod world;
