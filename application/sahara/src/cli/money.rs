//! Commands about keys and wallets.

use super::Doing;
use clap::{Args, Subcommand, ValueHint};
use std::path::PathBuf;

/// `sahara key`.
#[derive(Debug, Subcommand)]
pub(crate) enum Key {
    /// Sign a key grant and print the API key, once.
    Create(CreateKey),
    /// Every key made on this machine: state, limits, what is still at risk.
    #[command(after_help = "Example: sahara key list")]
    List,
    /// What a key may still spend, and what a thief or a lying gateway could take at most.
    #[command(
        after_help = "What the chain says comes first; its gateway is asked only for what is not settled yet.\nExamples:\n  sahara key show\n  sahara key show laptop"
    )]
    Show {
        /// The API key, its name, or the beginning of its id; by default the key of the local network.
        key: Option<String>,
        /// An API key; by default that of the local network.
        #[arg(long, env = "SAHARA_API_KEY", hide_env_values = true)]
        api_key: Option<String>,
    },
    /// End a key now and ask for the rest of what was set aside; no gateway is needed.
    #[command(
        after_help = "The gateway has one hour to collect for work done before; then `sahara key close` returns the rest.\nWhen no signer is named it is the payer's wallet or test account.\nExamples:\n  sahara key revoke laptop\n  sahara key revoke sk-..."
    )]
    Revoke {
        /// The API key, its name, or the beginning of its id, as `sahara key list` shows it.
        key: String,
        /// The payer; by default the wallet or test account that signed the grant.
        #[command(flatten)]
        doing: Doing,
    },
    /// Return what a revoked key had set aside, one hour after its revocation.
    #[command(
        after_help = "Anyone may send it; when no signer is named it is the payer's wallet or test account.\nExample: sahara key close laptop"
    )]
    Close {
        /// The API key, its name, or the beginning of its id, as `sahara key list` shows it.
        key: String,
        /// Who sends it: anyone may; by default the payer.
        #[command(flatten)]
        doing: Doing,
    },
    /// Make the secret of a validator, encrypted with a password (EIP-2335).
    #[command(
        alias = "validator",
        after_help = "Network key and consensus key are derived from it. Fees go to an account: `sahara wallet new`.\nExample: sahara key new validator.json --password-file password"
    )]
    New {
        /// Where to write it; never overwritten.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// How it is kept.
        #[command(flatten)]
        seal: Seal,
    },
    /// Encrypt a validator's secret that stands in a file in clear text.
    #[command(
        after_help = "The old file is not touched: delete it when the new one is tried. Whoever moves a running validator's key moves its guard too.\nExample: sahara key import validator.secret validator.json --password-file password"
    )]
    Import {
        /// The secret: 32 bytes in hexadecimal.
        #[arg(value_hint = ValueHint::FilePath)]
        from: PathBuf,
        /// Where to write it encrypted; never overwritten.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// File with the password; asked for on the terminal otherwise.
        #[arg(long, value_hint = ValueHint::FilePath)]
        password_file: Option<PathBuf>,
    },
    /// Write a validator's secret in clear text: for a backup on paper.
    #[command(
        after_help = "Example: sahara key export validator.json validator.secret --password-file password"
    )]
    Export {
        /// The encrypted file.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// Where to write the secret, readable by its owner alone; never overwritten.
        #[arg(value_hint = ValueHint::FilePath)]
        to: PathBuf,
        /// File with the password; asked for on the terminal otherwise.
        #[arg(long, value_hint = ValueHint::FilePath)]
        password_file: Option<PathBuf>,
    },
    /// Encrypt a validator's secret with another password.
    #[command(
        after_help = "Example: sahara key change-password validator.json --password-file old --new-password-file new"
    )]
    ChangePassword {
        /// The encrypted file.
        #[arg(value_hint = ValueHint::FilePath)]
        file: PathBuf,
        /// File with the present password; asked for on the terminal otherwise.
        #[arg(long, value_hint = ValueHint::FilePath)]
        password_file: Option<PathBuf>,
        /// File with the next password; asked for on the terminal otherwise.
        #[arg(long, value_hint = ValueHint::FilePath)]
        new_password_file: Option<PathBuf>,
    },
}

/// How a validator's secret is kept in a file.
#[derive(Args, Clone, Debug)]
pub(crate) struct Seal {
    /// File with the password; asked for on the terminal otherwise.
    #[arg(long, value_hint = ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,
    /// The secret is in clear text: for tests, or where the disk is encrypted.
    #[arg(long = "plain-key", conflicts_with = "password_file")]
    pub(crate) is_plain: bool,
}

/// A validator's key file, and how to open it.
#[derive(Args, Clone, Debug)]
pub(crate) struct KeyFile {
    /// File with the validator's secret, as `sahara key new` makes it.
    #[arg(long = "key-file", value_hint = ValueHint::FilePath)]
    pub(crate) file: PathBuf,
    /// Its password, or that it has none.
    #[command(flatten)]
    pub(crate) seal: Seal,
}

/// `sahara key create`.
#[derive(Args, Debug)]
#[command(
    after_help = "Whoever holds the key, or a gateway that lies, can take what these limits leave and no more. --dry-run asks node and gateway, and signs nothing.\nExample: sahara key create --limit 5 --daily-limit 1 --days 7 --name laptop"
)]
pub(crate) struct CreateKey {
    /// What to call it in `sahara key list`.
    #[arg(long)]
    pub(crate) name: Option<String>,
    /// Who pays.
    #[command(flatten)]
    pub(crate) doing: Doing,
    /// The most it may ever cost, in SAHARA.
    #[arg(long, default_value = "100")]
    pub(crate) limit: sahara_primitives::Amount,
    /// The most it may cost on one day (UTC), in SAHARA.
    #[arg(long, default_value = "20")]
    pub(crate) daily_limit: sahara_primitives::Amount,
    /// Only this asset; by default any. Repeat for each.
    #[arg(long = "asset", value_name = "ID")]
    pub(crate) assets: Vec<sahara_primitives::AssetId>,
    /// Days until it ends.
    #[arg(long, default_value_t = 30)]
    pub(crate) days: u32,
    /// Add this much from the wallet to the deposit first, in SAHARA.
    #[arg(long, value_name = "SAHARA")]
    pub(crate) fund: Option<sahara_primitives::Amount>,
}

/// Who signs.
#[derive(Args, Clone, Debug)]
pub(crate) struct Signer {
    /// A wallet made with `sahara wallet new`.
    #[arg(long, value_name = "NAME")]
    pub(crate) wallet: Option<String>,
    /// File with the wallet's password; asked for on the terminal otherwise.
    #[arg(long, value_name = "FILE", value_hint = ValueHint::FilePath)]
    pub(crate) password_file: Option<PathBuf>,
    /// An account of the public test mnemonic; only on the local chain. 0 when nothing is named, unless
    /// another is said below.
    #[arg(long, value_name = "INDEX", conflicts_with = "wallet")]
    pub(crate) dev_account: Option<u32>,
}

/// `sahara wallet`.
#[derive(Debug, Subcommand)]
pub(crate) enum Wallet {
    /// Make a key and encrypt it with a password.
    #[command(after_help = "Example: sahara wallet new savings")]
    New {
        /// Its name.
        name: String,
        /// File with the password; asked for on the terminal otherwise.
        #[arg(long, value_hint = ValueHint::FilePath)]
        password_file: Option<PathBuf>,
    },
    /// Wallets on this machine.
    #[command(after_help = "Example: sahara wallet list")]
    List,
    /// Coin of an account: in the wallet, earned and not yet credited, and deposited for requests.
    #[command(
        after_help = "Example: sahara wallet balance 0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    )]
    Balance {
        /// The account; by default the signer's.
        address: Option<sahara_primitives::Address>,
        /// Whose account.
        #[command(flatten)]
        signer: Signer,
    },
    /// Send coin.
    #[command(
        after_help = "Example: sahara wallet send 0x70997970C51812dc3A010C7d01b50e0d17dc79C8 1.5 --wallet savings"
    )]
    Send {
        /// To whom.
        to: sahara_primitives::Address,
        /// How much, in SAHARA.
        amount: sahara_primitives::Amount,
        /// From whom.
        #[command(flatten)]
        doing: Doing,
    },
    /// Put coin into the deposit that pays for requests.
    #[command(after_help = "Example: sahara wallet fund 10")]
    Fund {
        /// How much, in SAHARA.
        amount: sahara_primitives::Amount,
        /// From whom.
        #[command(flatten)]
        doing: Doing,
    },
    /// Take free coin out of the deposit.
    #[command(after_help = "Example: sahara wallet withdraw 2.5")]
    Withdraw {
        /// How much, in SAHARA.
        amount: sahara_primitives::Amount,
        /// Whose.
        #[command(flatten)]
        doing: Doing,
    },
}
