//! [`Record`]: a key grant as it was signed here, in `DATA/keys/KEY_ID.json`.

use crate::{config::Places, failure::Failure};
use eyre::{Result, WrapErr};
use sahara_abi::{IChannels, signing::grant_channel};
use sahara_primitives::{B256, keccak256};
use serde::{Deserialize, Serialize};
use std::{
    fs,
    io::Write,
    os::unix::fs::OpenOptionsExt,
    path::{Path, PathBuf},
};

/// The fewest letters of a key's id that name it.
const SHORTEST_ID: usize = 4;

/// What was signed, and for whom. The secret is not in it.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Record {
    /// Hash of the secret.
    pub(crate) key_id: B256,
    /// What its owner calls it.
    #[serde(default)]
    pub(crate) name: Option<String>,
    /// EIP-155 id of the chain it is signed for.
    pub(crate) chain_id: u64,
    /// URL of the gateway it was handed to.
    pub(crate) gateway_url: String,
    /// Unix time.
    pub(crate) created: u64,
    /// The grant.
    pub(crate) grant: IChannels::KeyGrant,
}

fn directory(places: &Places) -> PathBuf {
    places.data.join("keys")
}

impl Record {
    /// The channel that the grant opens.
    pub(crate) fn channel(&self) -> B256 {
        grant_channel(self.chain_id, &self.grant)
    }

    /// How people tell it from others: its name, or the beginning of its id.
    pub(crate) fn label(&self) -> String {
        let id = alloy_primitives::hex::encode(self.key_id);
        self.name.clone().unwrap_or_else(|| id.chars().take(12).collect())
    }

    /// Writes it whole or not at all.
    pub(crate) fn keep(&self, places: &Places) -> Result<()> {
        let directory = directory(places);
        fs::create_dir_all(&directory)
            .wrap_err_with(|| format!("could not create {}", directory.display()))?;
        let name = alloy_primitives::hex::encode(self.key_id);
        let (path, draft) =
            (directory.join(format!("{name}.json")), directory.join(format!("{name}.draft")));
        let write = || -> Result<()> {
            let options =
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).clone();
            let mut file = options.open(&draft)?;
            file.write_all(&serde_json::to_vec_pretty(self)?)?;
            file.sync_all()?;
            Ok(fs::rename(&draft, &path)?)
        };
        write().wrap_err_with(|| format!("could not write {}", path.display()))
    }

    /// Every key signed on this machine, the newest last.
    pub(crate) fn all(places: &Places) -> Result<Vec<Self>> {
        let mut records = Vec::new();
        for entry in fs::read_dir(directory(places)).into_iter().flatten() {
            let path = entry?.path();
            if path.extension().is_some_and(|end| end == "json") {
                records.push(Self::read(&path)?);
            }
        }
        records.sort_by_key(|record| (record.created, record.key_id));
        Ok(records)
    }

    fn read(path: &Path) -> Result<Self> {
        let text = fs::read(path).wrap_err_with(|| format!("could not read {}", path.display()))?;
        serde_json::from_slice(&text).wrap_err_with(|| format!("{} is damaged", path.display()))
    }

    /// The key that a text means: the API key itself, its name, or the beginning of its id.
    pub(crate) fn find(places: &Places, text: &str) -> Result<Option<Self>> {
        let records = Self::all(places)?;
        let matching: Vec<_> = records.into_iter().filter(|record| record.is(text)).collect();
        match matching.as_slice() {
            [] => Ok(None),
            [one] => Ok(Some(one.clone())),
            several => {
                let ids: Vec<_> = several.iter().map(|record| record.key_id.to_string()).collect();
                Err(Failure::usage(format!(
                    "`{text}` means more than one key: expected one of {}",
                    ids.join(", ")
                )))
            }
        }
    }

    /// As [`Self::find`]; without one the error says where to look.
    pub(crate) fn expect(places: &Places, text: &str) -> Result<Self> {
        Self::find(places, text)?.ok_or_else(|| {
            let shown = if text.starts_with("sk-") { "this API key" } else { text };
            Failure::not_found(format!(
                "no grant for {shown} was signed with {}: `sahara key list` shows those that were",
                places.data.display()
            ))
        })
    }

    fn is(&self, text: &str) -> bool {
        if text.starts_with("sk-") {
            return self.key_id == keccak256(text.as_bytes());
        }
        let digits = text.strip_prefix("0x").unwrap_or(text).to_ascii_lowercase();
        let id = alloy_primitives::hex::encode(self.key_id);
        self.name.as_deref() == Some(text)
            || (digits.len() >= SHORTEST_ID && id.starts_with(&digits))
    }
}

/// A name is letters, digits, `-`, `_` and `.`, and cannot be taken for a secret.
pub(crate) fn check_name(name: &str) -> Result<()> {
    let is_plain = name.chars().all(|c| c.is_ascii_alphanumeric() || "-_.".contains(c));
    if name.is_empty() || name.len() > 64 || !is_plain || name.starts_with("sk-") {
        return Err(Failure::usage(format!(
            "`{name}` is no name for a key: expected up to 64 letters, digits, -, _ and ., not beginning with sk-"
        )));
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Record, check_name};
    use crate::config::Places;
    use alloy_primitives::{Address, aliases::U96};
    use sahara_abi::IChannels;
    use sahara_primitives::keccak256;

    fn record(secret: &str, name: Option<&str>) -> Record {
        let key_id = keccak256(secret.as_bytes());
        Record {
            key_id,
            name: name.map(str::to_owned),
            chain_id: 1,
            gateway_url: String::from("http://localhost"),
            created: 7,
            grant: IChannels::KeyGrant {
                payer: Address::repeat_byte(1),
                gateway: Address::repeat_byte(2),
                keyId: key_id,
                maxTotal: U96::from(100),
                maxPerDay: U96::from(10),
                assets: vec![3],
                validUntil: 9,
                nonce: u64::MAX,
            },
        }
    }

    #[test]
    fn what_was_signed_is_found_by_secret_name_or_id_and_holds_no_secret() {
        let place = tempfile::tempdir().unwrap();
        let places = Places { cache: place.path().into(), data: place.path().into() };
        let (named, plain) = (record("sk-one", Some("laptop")), record("sk-two", None));
        named.keep(&places).unwrap();
        plain.keep(&places).unwrap();
        let id = named.key_id.to_string();
        for text in ["sk-one", "laptop", id.as_str(), id.get(2..12).unwrap()] {
            let found = Record::find(&places, text).unwrap().unwrap();
            assert_eq!((found.channel(), found.key_id), (named.channel(), named.key_id), "{text}");
        }
        assert!(Record::find(&places, "sk-three").unwrap().is_none());
        assert!(Record::find(&places, "").unwrap().is_none(), "nothing names no key");
        let file = std::fs::read_dir(place.path().join("keys")).unwrap().next().unwrap().unwrap();
        let text = std::fs::read_to_string(file.path()).unwrap();
        assert!(!text.contains("sk-"), "{text}");
    }

    #[test]
    fn a_name_is_no_secret_and_no_path() {
        for name in ["", "sk-1", "a/b", "a b", "\u{e9}"] {
            assert!(check_name(name).is_err(), "{name}");
        }
        assert!(check_name("laptop-2.old").is_ok());
    }
}
