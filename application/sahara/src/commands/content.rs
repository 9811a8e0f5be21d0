//! What assets consist of: `sahara asset register --from`, `push`, `pull` and `verify`.

use crate::{
    cli::{Doing, Register, Signer},
    commands::{act, asset::Described},
    failure::{Failure, Kind},
    output::{Format, table},
    refusal::refused,
    session::Session,
};
use eyre::{Result, WrapErr};
use sahara_abi::{ASSETS, IAssets};
use sahara_client::{ChainClient, SigningKey};
use sahara_primitives::{Address, AssetId, B256};
use sahara_vault::{Document, Manifest, Moved, VaultClient, VaultError, card_of, content_hash};
use serde::Serialize;
use serde_json::json;
use std::{
    fs,
    path::{Path, PathBuf},
};

/// A vault's error as one of ours.
#[expect(
    clippy::needless_pass_by_value,
    reason = "every caller is a `map_err`, which gives it away"
)]
fn told(error: VaultError) -> eyre::Report {
    let text = error.to_string();
    match error {
        VaultError::Invalid(_) => Failure::usage(text),
        VaultError::Missing(_) | VaultError::Refused { status: 404, .. } => {
            Failure::not_found(text)
        }
        VaultError::Unauthorised(_)
        | VaultError::Forbidden(_)
        | VaultError::Refused { status: 401 | 403 | 422, .. } => Failure::refused(text),
        VaultError::Unreachable(_) | VaultError::Refused { status: 429 | 503, .. } => {
            Failure::network(text)
        }
        _ => eyre::eyre!(text),
    }
}

/// Reads an asset's files for its registration, and keeps what was read for the push unless it is only
/// tried.
pub(crate) fn describe(session: &Session, from: &Path, register: &Register) -> Result<Described> {
    let manifest = Manifest::of(from).map_err(told)?;
    let mut document = Document::of(from, &manifest).map_err(told)?;
    if let Some(name) = &register.name {
        document.name = name.chars().take(200).collect();
    }
    for expected in &register.expected {
        let plain = expected.trim_start_matches("0x").to_ascii_lowercase();
        if !manifest.files.iter().any(|file| file.sha256 == plain || file.blake3 == plain) {
            return Err(Failure::refused(format!(
                "no file of {} has the hash {expected}: they are not what they were said to be",
                from.display()
            )));
        }
    }
    let kind = match &register.kind {
        Some(kind) => kind.clone(),
        None if document.parameters.is_some() => "model".into(),
        None if document.croissant.is_some() => "dataset".into(),
        None => return Err(Failure::usage("the files do not say what they are: give --kind")),
    };
    let text = document.text().map_err(told)?;
    if !register.doing.dry_run {
        keep(session, &text)?;
    }
    Ok(Described {
        kind,
        content: manifest.hash().map_err(told)?,
        uri: document.uri(&serde_json::Map::new()).map_err(told)?,
    })
}

/// Keeps a document that is about to be registered.
fn keep(session: &Session, text: &str) -> Result<()> {
    let kept = kept(session, content_hash(text.as_bytes()));
    let directory = kept.parent().unwrap_or(Path::new("."));
    fs::create_dir_all(directory)
        .and_then(|()| fs::write(&kept, text))
        .wrap_err_with(|| format!("could not write {}", kept.display()))
}

/// Where a registered document waits for its push.
fn kept(session: &Session, hash: B256) -> PathBuf {
    session.places.data.join("documents").join(format!("{hash:x}.json"))
}

async fn on_chain(client: &ChainClient, asset: AssetId) -> Result<IAssets::Asset> {
    let found = client.call(ASSETS, &IAssets::assetCall { asset: asset.0 }).await;
    found.map_err(|error| match error.revert() {
        Some(revert) if revert.is::<IAssets::UnknownAsset>() => {
            Failure::not_found(format!("there is no asset {asset}"))
        }
        _ => refused(error),
    })
}

async fn connect(
    session: &Session,
    vault: Option<&str>,
    key: Option<SigningKey>,
) -> Result<VaultClient> {
    let url = match vault {
        Some(url) => url.to_owned(),
        None => session.gateway()?,
    };
    let chain_id = session.client()?.chain_id().await.map_err(refused)?;
    VaultClient::connect(&url, chain_id, key).await.map_err(told)
}

/// Who reads: the account that the flags name, if they name one.
pub(crate) async fn reader(session: &Session, signer: &Signer) -> Result<Option<SigningKey>> {
    if signer.wallet.is_none() && signer.dev_account.is_none() {
        return Ok(None);
    }
    session.key(signer).await.map(Some)
}

/// The document that was registered: kept then, or read in the files again.
fn document_of(
    session: &Session,
    (from, manifest): (&Path, &Manifest),
    uri: &str,
) -> Result<String> {
    let card = card_of(uri);
    let expected = card.document.ok_or_else(|| {
        Failure::refused(
            "the asset was registered without --from: there is nothing to compare with",
        )
    })?;
    let kept = fs::read_to_string(kept(session, expected)).ok();
    let text = match kept.filter(|text| content_hash(text.as_bytes()) == expected) {
        Some(text) => text,
        None => {
            let mut document = Document::of(from, manifest).map_err(told)?;
            document.name = card.name;
            document.text().map_err(told)?
        }
    };
    if content_hash(text.as_bytes()) == expected {
        return Ok(text);
    }
    Err(Failure::refused(
        "what these files say of themselves is not what was registered: was it another version of this program?",
    ))
}

/// What a vault says to whoever is not the owner; a dry run sends nothing that it could refuse.
async fn refuse_stranger(client: &ChainClient, asset: AssetId, account: Address) -> Result<()> {
    let owner = IAssets::ownerOfCall { tokenId: asset.into() };
    let owner = client.call(ASSETS, &owner).await.map_err(refused)?;
    if owner == account {
        return Ok(());
    }
    Err(Failure::refused(format!("{account} may not push: asset {asset} is owned by {owner}")))
}

/// Pushes content, or only checks it and looks whether the vault is there.
pub(crate) async fn push(
    session: &Session,
    (asset, from): (AssetId, &Path),
    (vault, doing): (Option<&str>, &Doing),
    format: Format,
) -> Result<()> {
    let (client, key) = (session.client()?, session.key(&doing.signer).await?);
    let account = key.address();
    let found = on_chain(&client, asset).await?;
    if doing.dry_run {
        refuse_stranger(&client, asset, account).await?;
    }
    let manifest = Manifest::of(from).map_err(told)?;
    let hash = manifest.hash().map_err(told)?;
    if hash != found.contentHash {
        return Err(Failure::refused(format!(
            "{} is not the content of asset {asset}: its hash is {hash}, the chain says {}",
            from.display(),
            found.contentHash
        )));
    }
    let document = document_of(session, (from, &manifest), &found.metadataURI)?;
    let mut vault = connect(session, vault, Some(key)).await?;
    if doing.dry_run {
        return act::tried_by("the vault", account, format);
    }
    let moved = vault.push(asset, from, (&manifest, &document)).await.map_err(told)?;
    report(asset, moved, "sent", format)
}

/// Pulls content.
pub(crate) async fn pull(
    session: &Session,
    (asset, to): (AssetId, &Path),
    (vault, key): (Option<&str>, Option<SigningKey>),
    format: Format,
) -> Result<()> {
    let found = on_chain(&session.client()?, asset).await?;
    let mut vault = connect(session, vault, key).await?;
    let at = (found.contentHash, found.metadataURI.as_str());
    let (manifest, _) = vault.texts(asset, at).await.map_err(told)?;
    fs::create_dir_all(to).wrap_err_with(|| format!("could not create {}", to.display()))?;
    let moved = vault.pull(asset, &manifest, to).await.map_err(told)?;
    report(asset, moved, "fetched", format)
}

fn report(asset: AssetId, moved: Moved, word: &str, format: Format) -> Result<()> {
    let said = json!({
        "asset": asset, "files": moved.files, "size": moved.size, "moved": moved.moved,
    });
    format.print(&said, |_| {
        let Moved { files, size, moved } = moved;
        format!("asset {asset}: {files} files, {size} bytes; {moved} bytes {word} now, all of it checked")
    })
}

/// What agrees with the chain.
#[derive(Serialize)]
struct Verified {
    asset: AssetId,
    content_hash: B256,
    document_hash: Option<B256>,
    vault: &'static str,
    files: &'static str,
}

/// Compares chain, vault and files.
pub(crate) async fn verify(
    session: &Session,
    asset: AssetId,
    (files, vault): (Option<&Path>, Option<&str>),
    format: Format,
) -> Result<()> {
    let found = on_chain(&session.client()?, asset).await?;
    let mut client = connect(session, vault, None).await?;
    let in_vault = client.texts(asset, (found.contentHash, &found.metadataURI)).await;
    let in_vault = match in_vault {
        Ok(_) => "same",
        Err(VaultError::Damaged(_)) => "different",
        Err(VaultError::Refused { status: 404, .. }) => "absent",
        Err(error) => return Err(told(error)),
    };
    let at_hand = match files {
        None => "not given",
        Some(files) => {
            let hash = Manifest::of(files).and_then(|manifest| manifest.hash()).map_err(told)?;
            if hash == found.contentHash { "same" } else { "different" }
        }
    };
    let verified = Verified {
        asset,
        content_hash: found.contentHash,
        document_hash: card_of(&found.metadataURI).document,
        vault: in_vault,
        files: at_hand,
    };
    format.print(&verified, |verified| {
        let metadata =
            verified.document_hash.map_or_else(|| "none".into(), |hash| hash.to_string());
        let rows = [
            ("content hash", verified.content_hash.to_string()),
            ("metadata hash", metadata),
            ("in the vault", verified.vault.into()),
            ("files", verified.files.into()),
        ];
        table(&rows.map(|(name, value)| vec![name.to_owned(), value]))
    })?;
    if in_vault == "different" || at_hand == "different" {
        return Err(Failure::said(Kind::Failed, "something differs from what the chain says"));
    }
    Ok(())
}
