//! The house's own commands: up, test, bench, layers, soak.
fn main() {}
