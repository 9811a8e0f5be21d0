//! What changes the chain: tried first, shown, agreed to, then sent.

use crate::{
    cli::{Consent, Doing, Signer},
    commands::act,
    failure::Failure,
    output::{Format, table},
    refusal::refused,
    session::Session,
};
use alloy_sol_types::SolCall;
use eyre::Result;
use sahara_client::{ChainClient, SigningKey, TxOutcome};
use sahara_primitives::{Address, Amount};
use serde::Serialize;
use serde_json::{Map, Value, json};
use std::io::{BufRead, IsTerminal};

/// One line of what is about to happen.
#[derive(Clone, Debug)]
pub(crate) struct Line {
    name: &'static str,
    text: String,
    value: Value,
}

/// Words in a preview.
pub(crate) fn words(name: &'static str, text: impl Into<String>) -> Line {
    let text = text.into();
    Line { name, value: json!(text), text }
}

/// Coin in a preview.
pub(crate) fn coins(name: &'static str, amount: Amount) -> Line {
    Line { name, text: format!("{amount} SAHARA"), value: json!(amount) }
}

/// A key, a node and what its holder agreed to.
#[derive(Debug)]
pub(crate) struct Actor<'a> {
    /// The node.
    pub(crate) client: ChainClient,
    /// Who signs.
    pub(crate) key: SigningKey,
    consent: Option<&'a Consent>,
    /// Whether the node only tries what is asked.
    pub(crate) is_trying: bool,
    format: Format,
}

/// A call and what it does.
#[derive(Debug)]
pub(crate) struct Deed<'a, C> {
    /// The protocol.
    pub(crate) to: Address,
    /// Coin sent along.
    pub(crate) value: Amount,
    /// The call.
    pub(crate) call: &'a C,
    /// What is shown before.
    pub(crate) preview: Vec<Line>,
}

impl<'a> Actor<'a> {
    /// For a command's flags. Without `consent` the command is one that can be taken back.
    pub(crate) async fn new(
        session: &Session,
        signer: &Signer,
        consent: Option<&'a Consent>,
        format: Format,
    ) -> Result<Self> {
        let (client, key) = (session.client()?, session.key(signer).await?);
        Ok(Self { client, key, consent, is_trying: false, format })
    }

    /// For a command that can be taken back, or only tried.
    pub(crate) async fn doing(session: &Session, doing: &Doing, format: Format) -> Result<Self> {
        let actor = Self::new(session, &doing.signer, None, format).await?;
        Ok(Self { is_trying: doing.dry_run, ..actor })
    }

    /// The same, for a call to which its holder has agreed.
    pub(crate) fn agreed(&self) -> Actor<'static> {
        let (client, key) = (self.client.clone(), self.key.clone());
        Actor { client, key, consent: None, is_trying: false, format: self.format }
    }

    /// Prints a value, or a text for people.
    pub(crate) fn print<T: Serialize>(
        &self,
        value: &T,
        text: impl FnOnce() -> String,
    ) -> Result<()> {
        self.format.print(value, |_| text())
    }

    /// Who acts.
    pub(crate) const fn address(&self) -> Address {
        self.key.address()
    }

    /// Tries a call, shows what it does, asks if need be, and sends it. `None`: it was only to be shown.
    pub(crate) async fn send<C: SolCall>(&self, deed: Deed<'_, C>) -> Result<Option<TxOutcome>> {
        let Deed { to, value, call, preview } = deed;
        self.attempt((to, value), call).await?;
        if self.is_trying {
            return self.tried().map(|()| None);
        }
        if !self.agrees(&preview)? {
            return Ok(None);
        }
        self.client.send(&self.key, to, value, call).await.map(Some).map_err(refused)
    }

    /// Has the node try a call with so much coin.
    pub(crate) async fn attempt<C: SolCall>(
        &self,
        (to, value): (Address, Amount),
        call: &C,
    ) -> Result<()> {
        let tried = self.client.simulate(self.address(), to, value, call).await;
        tried.map(drop).map_err(refused)
    }

    /// Says that what was tried went well.
    pub(crate) fn tried(&self) -> Result<()> {
        act::tried(self.address(), self.format)
    }

    /// Shows what is about to happen and asks; false when it was only to be shown.
    pub(crate) fn agrees(&self, preview: &[Line]) -> Result<bool> {
        let Some(consent) = self.consent else { return Ok(true) };
        if consent.dry_run {
            let shown: Map<_, _> = preview
                .iter()
                .map(|line| (line.name.replace(' ', "_"), line.value.clone()))
                .collect();
            self.format.print(&json!({ "dry_run": shown }), |_| {
                format!("{}\nnothing was sent", rows(preview))
            })?;
            return Ok(false);
        }
        if consent.yes {
            return Ok(true);
        }
        let input = std::io::stdin();
        if self.format == Format::Json || !input.is_terminal() {
            return Err(Failure::usage(
                "this cannot be undone: look at it with --dry-run, then give --yes",
            ));
        }
        eprint!("{}\nThis cannot be undone. Go on? [y/N] ", rows(preview));
        let mut line = String::new();
        input.lock().read_line(&mut line)?;
        if matches!(line.trim(), "y" | "Y" | "yes") {
            return Ok(true);
        }
        Err(Failure::refused("nothing was sent: you did not say yes"))
    }

    /// Prints what a transaction did: `facts` and where it stands.
    pub(crate) fn done(&self, outcome: &TxOutcome, facts: Value, text: &str) -> Result<()> {
        let mut value = if let Value::Object(facts) = facts { facts } else { Map::new() };
        value.insert("transaction".into(), json!(outcome.hash));
        value.insert("block".into(), json!(outcome.block_number));
        value.insert("fee".into(), json!(outcome.fee()));
        self.format.print(&value, |_| {
            let (block, hash, fee) = (outcome.block_number, outcome.hash, outcome.fee());
            format!("{text}\nfinal in block {block}: {hash} (fee {fee} SAHARA)")
        })
    }
}

fn rows(preview: &[Line]) -> String {
    table(
        &preview
            .iter()
            .map(|line| vec![line.name.to_owned(), line.text.clone()])
            .collect::<Vec<_>>(),
    )
}
