//! The one program: node, worker, gateway, wallet and assets.
fn main() {}
