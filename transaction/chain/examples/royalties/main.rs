//! ROY-1 and ROY-2, and what native work costs a node: gas beside microseconds of processor time, for the
//! whole path of a block without network and RPC, with the naive Solidity splitter in the same run.
//!
//! `cargo run --release -p sahara-chain --example royalties -- ROY-1 | ROY-2 | PRICES [directory]`
#![expect(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::cast_precision_loss,
    reason = "a program for the terminal that fails by ending"
)]
#![expect(unused_crate_dependencies, reason = "the crate's dependencies are not this example's")]

mod chain;
mod ethereum;
mod town;
mod work;

use std::error::Error;

/// As in the program.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Fault = Box<dyn Error>;

fn main() -> Result<(), Fault> {
    let mut arguments = std::env::args().skip(1);
    let name = arguments.next().unwrap_or_default();
    let directory = tempfile::tempdir()?;
    match name.as_str() {
        "ROY-1" => work::contributors(directory.path()),
        "ROY-2" => work::ancestors(directory.path()),
        "PRICES" => work::prices(directory.path()),
        other => {
            Err(format!("unknown measurement `{other}`: expected ROY-1, ROY-2 or PRICES").into())
        }
    }
}
