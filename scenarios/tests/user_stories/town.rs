//! A network, and the people who live by it.

use alloy_eips::BlockNumberOrTag;
use eyre::{ContextCompat, Result, ensure};
use sahara_abi::{IRoyalties, ROYALTIES};
use sahara_client::{ChainClient, SigningKey, TEST_MNEMONIC, TxOutcome};
use sahara_primitives::{Address, Amount, BlockNumber, U256};
use sahara_scenarios::{Network, Options};
use serde_json::{Value, json};
use std::path::PathBuf;

/// A network without the demonstration: the stories make their own economy.
#[derive(Debug)]
pub(crate) struct Town {
    pub(crate) network: Network,
    pub(crate) client: ChainClient,
}

/// The key behind `--dev-account`.
pub(crate) fn key(index: u32) -> Result<SigningKey> {
    Ok(SigningKey::from_mnemonic(TEST_MNEMONIC, index)?)
}

/// An amount as people write it.
pub(crate) fn coins(text: &str) -> Result<Amount> {
    Ok(text.parse()?)
}

/// What so many units of a pool are due of everything deposited (specs/0003-royalties.md): the pool's
/// part of one unit is rounded down at 2^-128, then what is due to a whole base unit. Where it divides
/// evenly that may be one base unit below the quotient; nobody is ever due more.
pub(crate) fn due(units: u64, of: U256, deposited: Amount) -> Amount {
    let one = (deposited.base_units() << 128_usize) / of;
    Amount::from_base_units((one * U256::from(units)) >> 128_usize)
}

impl Town {
    pub(crate) fn open() -> Result<Self> {
        Self::with(Options { demo: false, ..Options::default() })
    }

    /// With a model that a worker serves, and a payer with an API key.
    pub(crate) fn with_demonstration() -> Result<Self> {
        Self::with(Options::default())
    }

    fn with(options: Options) -> Result<Self> {
        let network = Network::start(options)?;
        let client = ChainClient::new(&network.text("/rpc")?)?;
        Ok(Self { network, client })
    }

    /// Runs a command, its words divided by spaces.
    pub(crate) fn run(&self, command: &str) -> Result<Value> {
        self.network.sahara(&command.split_whitespace().collect::<Vec<_>>())
    }

    /// What people see of a command.
    pub(crate) fn shown(&self, command: &str) -> Result<String> {
        self.network.shown(&command.split_whitespace().collect::<Vec<_>>())
    }

    /// A command that the chain refuses, saying all of these words. Returns the custom error's name.
    pub(crate) fn refused(&self, command: &str, words: &[&str]) -> Result<String> {
        let (code, error) =
            self.network.refused(&command.split_whitespace().collect::<Vec<_>>())?;
        ensure!(code == 4, "`{command}` exits with {code}: {error}");
        let message = error.get("message").and_then(Value::as_str).unwrap_or_default();
        for word in words {
            ensure!(message.contains(word), "`{command}` says {message:?}, nothing of {word:?}");
        }
        Ok(error.get("name").and_then(Value::as_str).unwrap_or_default().to_owned())
    }

    /// A file of this town.
    pub(crate) fn file(&self, name: &str, text: &str) -> Result<PathBuf> {
        let path = self.network.directory().join(name);
        std::fs::write(&path, text)?;
        Ok(path)
    }

    /// Registers an asset with the command line.
    pub(crate) fn register(&self, command: &str) -> Result<u64> {
        let content = self.file("content", "rows")?;
        let register = format!("asset register --content {} {command}", content.display());
        number(&self.run(&register)?, "asset")
    }

    /// Pays for the use of an asset.
    pub(crate) async fn pay(&self, payer: u32, asset: u64, amount: Amount) -> Result<TxOutcome> {
        let call = IRoyalties::payCall { asset };
        Ok(self.client.send(&key(payer)?, ROYALTIES, amount, &call).await?)
    }

    /// What an account holds: its balance, and what it earned and will be credited before it spends.
    pub(crate) async fn holds(&self, account: Address) -> Result<Amount> {
        // Both of one block: between two, what was earned may be credited.
        let block = self.client.block_number().await?;
        let balance = self.client.balance_at(account, block).await?;
        let call = IRoyalties::earnedCall { account };
        let at = BlockNumberOrTag::Number(block.0);
        let earned = self.client.call_at(ROYALTIES, &call, at).await?;
        Ok(balance.checked_add(Amount::from_base_units(earned))?)
    }

    /// Waits for a block of a later second.
    pub(crate) async fn a_second_later(&self) -> Result<()> {
        let second = async || -> Option<String> {
            let latest = ("latest", false);
            let block: Value = self.client.request("eth_getBlockByNumber", &latest).await.ok()?;
            Some(block.get("timestamp")?.as_str()?.to_owned())
        };
        let now = second().await;
        let later = async || second().await.filter(|time| Some(time) != now.as_ref());
        self.network.until("a later second", later).await.map(drop)
    }

    /// What an account's balance grew by in one block.
    pub(crate) async fn gain(&self, account: Address, block: u64) -> Result<Amount> {
        let at = async |number: u64| self.client.balance_at(account, BlockNumber(number)).await;
        let (before, after) = (at(block.saturating_sub(1)).await?, at(block).await?);
        Ok(after.checked_sub(before)?)
    }
}

/// A number in an answer.
pub(crate) fn number(value: &Value, field: &str) -> Result<u64> {
    value.get(field).and_then(Value::as_u64).wrap_err_with(|| format!("no {field} in {value}"))
}

/// An amount in an answer: base units in hexadecimal.
pub(crate) fn amount(value: &Value, path: &str) -> Result<Amount> {
    let found = value.pointer(path).cloned().wrap_err_with(|| format!("no {path} in {value}"))?;
    Ok(serde_json::from_value(found)?)
}

/// A text in an answer.
pub(crate) fn text(value: &Value, path: &str) -> Result<String> {
    let found = value.pointer(path).and_then(Value::as_str);
    found.map(str::to_owned).wrap_err_with(|| format!("no {path} in {value}"))
}

/// Whether an answer says yes at a path.
pub(crate) fn says_yes(value: &Value, path: &str) -> bool {
    value.pointer(path) == Some(&json!(true))
}
