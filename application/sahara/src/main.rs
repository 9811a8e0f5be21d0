//! The one program: node, worker, gateway, wallet and assets.
#![expect(clippy::print_stdout, clippy::print_stderr, reason = "a program for the terminal")]

mod cli;
mod commands;
mod config;
mod failure;
mod local;
mod model;
mod output;
mod refusal;
mod secret;
mod serve;
mod session;
mod signer;
mod stop;
mod validator_key;
mod web;

use clap::{CommandFactory, Parser};
use cli::{Cli, Command, Model, Testnet};
use config::Places;
use output::Format;
use session::Session;
use std::process::ExitCode;

/// A node's own time is shorter by a quarter with it: a block's work is many small pieces of memory (`docs/benchmarks.md`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

#[tokio::main]
async fn main() -> ExitCode {
    let cli = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => {
            // What cannot be parsed was still meant for a program.
            let json = std::env::args_os().any(|argument| argument == "--json");
            return failure::tell_usage(&error, Format::of(json));
        }
    };
    let format = Format::of(cli.json);
    let _telemetry = match sahara_telemetry::start(&config::telemetry(&cli)) {
        Ok(telemetry) => telemetry,
        Err(error) => return failure::tell(&error.into(), format),
    };
    match run(cli, format).await {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => failure::tell(&error, format),
    }
}

async fn run(cli: Cli, format: Format) -> eyre::Result<()> {
    let mut places = Places::find();
    let logging = config::logging_flags(&cli);
    if let Some(data) = cli.data_dir {
        places.data = data;
    }
    let session = Session::new(places, (cli.rpc, cli.gateway), logging);
    match cli.command {
        Command::Up(up) => commands::up::run(&up, &session, format).await,
        Command::Down => commands::up::down(&session, format).await,
        Command::Status => commands::status::run(&session, format).await,
        Command::Node(node) => commands::node::run_node(&node).await,
        Command::Testnet(Testnet::Init(init)) => commands::testnet::init(&init, format),
        Command::Stake(stake) => commands::stake::run(&stake, &session, format).await,
        Command::Validators(validators) => {
            commands::validators::run(&validators, &session, format).await
        }
        Command::Worker(worker) => commands::worker::run(&worker).await,
        Command::Gateway(gateway) => commands::gateway::run(&gateway).await,
        Command::Key(key) => commands::key::run(&key, &session, format).await,
        Command::Wallet(wallet) => commands::wallet::run(&wallet, &session, format).await,
        Command::Asset(asset) => commands::asset::run(&asset, &session, format).await,
        Command::License(license) => commands::license::run(&license, &session, format).await,
        Command::Market(market) => commands::market::run(&market, &session, format).await,
        Command::Contribution(contribution) => {
            commands::contribution::run(&contribution, &session, format).await
        }
        Command::Dispute(dispute) => commands::dispute::run(&dispute, &session, format).await,
        Command::Intent(intent) => commands::intent::run(&intent, &session, format).await,
        Command::Airdrop(airdrop) => commands::airdrop::run(&airdrop, &session, format).await,
        Command::Gov(gov) => commands::gov::run(&gov, &session, format).await,
        Command::Vesting(vesting) => commands::vesting::run(&vesting, &session, format).await,
        Command::Earnings(earnings) => commands::earnings::run(&earnings, &session, format).await,
        Command::Receipt(receipt) => commands::receipt::run(&receipt, &session, format).await,
        Command::Supply(supply) => commands::supply::run(&supply, &session, format).await,
        Command::Award(award) => commands::award::run(&award, &session, format).await,
        Command::Fees(fees) => commands::fees::run(&fees, &session, format).await,
        Command::Sim(sim) => commands::sim::run(&sim, format),
        Command::Doctor(doctor) => commands::doctor::run(&doctor, &session, format).await,
        Command::Chat(chat) => commands::chat::run(&chat, &session, format).await,
        Command::Abi => commands::abi::run(format),
        Command::Model(Model::Fetch) => {
            let path = model::ensure(&session.places, &|step| eprintln!("{step}"))?;
            format.print(&path, |path| path.display().to_string())
        }
        Command::Model(Model::Path) => {
            format.print(&model::path(&session.places), |path| path.display().to_string())
        }
        Command::Completions { shell } => {
            let mut script = Vec::new();
            clap_complete::generate(shell, &mut Cli::command(), "sahara", &mut script);
            format.print(&String::from_utf8(script)?, String::clone)
        }
    }
}
