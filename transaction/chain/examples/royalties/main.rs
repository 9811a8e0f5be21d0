//! ROY-1 and ROY-2, and what native work costs a node: gas beside microseconds of processor time, for the
//! whole path of a block without network and RPC, with the naive Solidity splitter in the same run.
//!
//! `cargo run --release -p sahara-chain --example royalties -- ROY-1 | ROY-2 | PRICES [accounts]`: in a state with
//! so many accounts, and as many words of the registry, that nothing here touches.
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
    let accounts = arguments.next().map_or(Ok(0), |text| text.parse())?;
    let directory = tempfile::tempdir()?;
    let place = (directory.path(), accounts);
    match name.as_str() {
        "ROY-1" => work::contributors(place),
        "ROY-2" => work::ancestors(place),
        "PRICES" => work::prices(place),
        other => {
            Err(format!("unknown measurement `{other}`: expected ROY-1, ROY-2 or PRICES").into())
        }
    }
}
