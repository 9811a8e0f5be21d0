//! The house's own commands. `cargo xtask` without arguments lists them.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod alerts;
mod bench;
mod contracts;
mod layers;
mod shell;
mod soak;
mod test;
mod tools;
mod typescript;
mod web;

use eyre::{Result, bail};
use std::process::ExitCode;

const HELP: &str = "\
usage: cargo xtask <command>

  up [ARGS]      build the program, fetch the model, start a local network (ARGS as `sahara up --help`)
  test           everything that must hold: format, layers, lints, docs, contracts, alerts, all tests
  bench [NAME]   a benchmark with its peer beside it; without a name it lists them
  soak [NAME]    long runs: fuzzing, kills under load; without a name it lists them, with what each takes
  layers         check the import rule against `cargo metadata`
  contracts      rebuild the committed Solidity artefacts
  generate       write what is made from the interfaces: the TypeScript package's ABIs
  web            build the web application, as it is committed
  tools          install what tests and benchmarks use from npm, PyPI and Debian";

fn run(command: &str, arguments: &[String]) -> Result<()> {
    match command {
        "up" => shell::up(arguments),
        "test" => test::check(),
        "bench" => bench::start(arguments),
        "soak" => soak::start(arguments),
        "layers" => layers::check(),
        "contracts" => contracts::build(),
        "generate" => typescript::generate(),
        "web" => web::build(),
        "tools" => tools::install(),
        other => bail!("unknown command `{other}`: expected one of those below\n\n{HELP}"),
    }
}

fn main() -> ExitCode {
    let mut arguments = std::env::args().skip(1);
    let Some(command) = arguments.next() else {
        println!("{HELP}");
        return ExitCode::SUCCESS;
    };
    match run(&command, &arguments.collect::<Vec<_>>()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("xtask {command}: {error:?}");
            ExitCode::FAILURE
        }
    }
}
