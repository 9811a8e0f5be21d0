//! [`VaultClient`]: pushes and pulls, and believes no vault.

use crate::{
    error::VaultError,
    manifest::{self, Entry, Hashed, MAX_FILE, Manifest, content_hash},
    metadata::card_of,
    signed::{Asked, Home},
    store::read_tree,
    tree::{self, SEGMENT, Value},
};
use alloy_primitives::B256;
use reqwest::{Method, Response, StatusCode};
use sahara_client::SigningKey;
use sahara_primitives::AssetId;
use serde::Deserialize;
use serde_json::json;
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{Read, Seek, SeekFrom, Write},
    path::{Path, PathBuf},
    time::Duration,
};

/// The longest answer that is no segment: manifest and document, escaped.
const MAX_TEXT: usize = 8 << 20;
/// A vault that sends nothing for so long is silent.
const PATIENCE: Duration = Duration::from_secs(60);
/// Bytes that any vault decrypts and hashes in a second.
const LEAST_HASHED_PER_SECOND: u64 = 1 << 20;

/// A vault, as a client sees it.
#[derive(Debug)]
pub struct VaultClient {
    http: reqwest::Client,
    url: String,
    chain_id: u64,
    session: B256,
    key: Option<SigningKey>,
}

/// What a push or pull did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Moved {
    /// Files of the asset.
    pub files: u64,
    /// Bytes of the asset.
    pub size: u64,
    /// Bytes that went over the network this time.
    pub moved: u64,
}

#[derive(Deserialize)]
struct About {
    chain_id: u64,
    session: B256,
    segment: u64,
}

#[derive(Deserialize)]
struct Texts {
    manifest: String,
    document: String,
}

#[derive(Deserialize)]
struct Progress {
    files: Vec<Held>,
}

#[derive(Deserialize)]
struct Held {
    blake3: String,
    segments: u64,
    has_tree: bool,
}

#[derive(Deserialize)]
struct Taken {
    segments: u64,
}

impl VaultClient {
    /// Meets a vault. `key` signs for its account; without one only what is public is read.
    ///
    /// # Errors
    /// When the vault does not answer, or keeps another chain's assets.
    pub async fn connect(
        url: &str,
        chain_id: u64,
        key: Option<SigningKey>,
    ) -> Result<Self, VaultError> {
        let http = patient(PATIENCE)?;
        let url = url.trim_end_matches('/').to_owned();
        let mut client = Self { http, url, chain_id, session: B256::ZERO, key };
        client.meet().await?;
        Ok(client)
    }

    async fn meet(&mut self) -> Result<(), VaultError> {
        let answer = self.http.get(format!("{}/vault/v1", self.url)).send().await?;
        let about: About = json_of(answer).await?;
        if about.chain_id != self.chain_id || about.segment != SEGMENT {
            return Err(VaultError::Damaged(format!(
                "this vault keeps chain {} in segments of {} bytes: expected chain {} and {SEGMENT}",
                about.chain_id, about.segment, self.chain_id
            )));
        }
        self.session = about.session;
        Ok(())
    }

    /// Sends a request, signed; once more if the vault was started again meanwhile.
    async fn ask(
        &mut self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response, VaultError> {
        let answer = self.ask_once(method.clone(), path, body.clone()).await?;
        if answer.status() != StatusCode::UNAUTHORIZED && answer.status() != StatusCode::FORBIDDEN {
            return Ok(answer);
        }
        let session = self.session;
        self.meet().await?;
        if self.session == session {
            return Ok(answer);
        }
        self.ask_once(method, path, body).await
    }

    async fn ask_once(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Response, VaultError> {
        let mut request = self.http.request(method.clone(), format!("{}{path}", self.url));
        if let Some(key) = &self.key {
            let asked = Asked { method: method.as_str(), path, body: &body };
            let home = Home { chain_id: self.chain_id, origin: &self.url, session: self.session };
            request = request.header(crate::signed::HEADER, asked.sign(key, &home));
        }
        Ok(request.body(body).send().await?)
    }

    /// An asset's manifest and document, checked against what the chain says of it.
    ///
    /// # Errors
    /// When the vault has neither, or other ones.
    pub async fn texts(
        &mut self,
        asset: AssetId,
        (content, uri): (B256, &str),
    ) -> Result<(Manifest, String), VaultError> {
        let path = format!("/vault/v1/assets/{asset}");
        let texts: Texts = json_of(self.ask(Method::GET, &path, Vec::new()).await?).await?;
        if content_hash(texts.manifest.as_bytes()) != content {
            return Err(lying("its manifest", &format!("asset {asset}")));
        }
        if card_of(uri).document != Some(content_hash(texts.document.as_bytes())) {
            return Err(lying("its metadata", &format!("asset {asset}")));
        }
        Ok((Manifest::read(&texts.manifest)?, texts.document))
    }

    /// Pushes a file or directory, of which some may be there already.
    ///
    /// # Errors
    /// When it is not the asset's content, or the vault refuses.
    pub async fn push(
        &mut self,
        asset: AssetId,
        root: &Path,
        texts: (&Manifest, &str),
    ) -> Result<Moved, VaultError> {
        let (manifest, document) = texts;
        let base = format!("/vault/v1/assets/{asset}");
        let body = json!({ "manifest": manifest.text()?, "document": document });
        let answer = self.ask(Method::PUT, &base, body.to_string().into_bytes()).await?;
        let progress: Progress = json_of(answer).await?;
        let held: BTreeMap<_, _> =
            progress.files.into_iter().map(|held| (held.blake3.clone(), held)).collect();
        let places: BTreeMap<_, _> = manifest::list(root)?.into_iter().collect();
        let mut moved = Moved {
            files: u64::try_from(manifest.files.len()).unwrap_or(u64::MAX),
            size: manifest.size(),
            moved: 0,
        };
        for file in &manifest.files {
            let place = places.get(&file.path).ok_or_else(|| {
                VaultError::Invalid(format!("`{}` is not in {}", file.path, root.display()))
            })?;
            let held = held.get(&file.blake3);
            let from = held.map_or(0, |held| held.segments);
            if from >= tree::segments(file.size) {
                continue;
            }
            if !held.is_some_and(|held| held.has_tree) {
                let values = Hashed::of(place)?.values.concat();
                let path = format!("{base}/files/{}/tree", file.blake3);
                done(self.ask(Method::PUT, &path, values).await?).await?;
            }
            let sent = self.push_file(&base, (file, place), from).await?;
            moved.moved = moved.moved.saturating_add(sent);
        }
        Ok(moved)
    }

    async fn push_file(
        &mut self,
        base: &str,
        (file, place): (&Entry, &Path),
        from: u64,
    ) -> Result<u64, VaultError> {
        let (mut disk, mut sent) = (File::open(place)?, 0_u64);
        let last = tree::segments(file.size).saturating_sub(1);
        for index in from..=last {
            disk.seek(SeekFrom::Start(index.saturating_mul(SEGMENT)))?;
            let mut segment = Vec::new();
            (&mut disk).take(tree::segment_len(file.size, index)).read_to_end(&mut segment)?;
            sent = sent.saturating_add(u64::try_from(segment.len()).unwrap_or(u64::MAX));
            let path = format!("{base}/files/{}/segments/{index}", file.blake3);
            if index == last {
                // The vault reads the whole file before it answers.
                let more = file.size.checked_div(LEAST_HASHED_PER_SECOND).unwrap_or_default();
                self.http = patient(PATIENCE.saturating_add(Duration::from_secs(more)))?;
            }
            let taken: Taken = json_of(self.ask(Method::PUT, &path, segment).await?).await?;
            if taken.segments <= index {
                return Err(lying("how much it holds", &file.path));
            }
        }
        self.http = patient(PATIENCE)?;
        Ok(sent)
    }

    /// Pulls an asset into a directory, which may hold some of it already.
    ///
    /// # Errors
    /// When there is no right to it, or the vault sends anything but what the chain names.
    pub async fn pull(
        &mut self,
        asset: AssetId,
        manifest: &Manifest,
        directory: &Path,
    ) -> Result<Moved, VaultError> {
        let mut moved = Moved {
            files: u64::try_from(manifest.files.len()).unwrap_or(u64::MAX),
            size: manifest.size(),
            moved: 0,
        };
        for file in &manifest.files {
            manifest::check_path(&file.path)?;
            let place = directory.join(&file.path);
            if is_here(&place, file)? {
                continue;
            }
            let got = self.pull_file(asset, file, &place).await?;
            moved.moved = moved.moved.saturating_add(got);
        }
        Ok(moved)
    }

    async fn pull_file(
        &mut self,
        asset: AssetId,
        file: &Entry,
        place: &Path,
    ) -> Result<u64, VaultError> {
        if file.size > MAX_FILE {
            return Err(VaultError::Invalid(format!("`{}` is too large", file.path)));
        }
        let base = format!("/vault/v1/assets/{asset}/files/{}", file.blake3);
        let answer = self.ask(Method::GET, &format!("{base}/tree"), Vec::new()).await?;
        let most = usize::try_from(tree::segments(file.size).saturating_mul(32));
        let values = bytes_of(answer, most.unwrap_or(usize::MAX)).await?;
        let values = read_tree(&values, file).map_err(|_| lying("the tree", &file.path))?;
        if let Some(parent) = place.parent() {
            fs::create_dir_all(parent)?;
        }
        let partial = partial_of(place);
        let mut disk = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&partial)?;
        let from = good(&mut disk, file, &values)?;
        disk.set_len(from.saturating_mul(SEGMENT).min(file.size))?;
        let mut got = 0_u64;
        for (index, value) in (0..).zip(&values).skip(usize::try_from(from).unwrap_or(usize::MAX)) {
            let path = format!("{base}/segments/{index}");
            let answer = self.ask(Method::GET, &path, Vec::new()).await?;
            let length = usize::try_from(tree::segment_len(file.size, index)).unwrap_or(0);
            let segment = bytes_of(answer, length).await?;
            if tree::value(file.size, index, &segment) != Some(*value) {
                return Err(lying(&format!("segment {index}"), &file.path));
            }
            disk.seek(SeekFrom::Start(index.saturating_mul(SEGMENT)))?;
            disk.write_all(&segment)?;
            got = got.saturating_add(u64::try_from(length).unwrap_or(u64::MAX));
        }
        disk.sync_all()?;
        if hex::encode(Hashed::of(&partial)?.sha256) != file.sha256 {
            return Err(lying("the SHA-256", &file.path));
        }
        fs::rename(&partial, place)?;
        Ok(got)
    }
}

/// A client that waits so long for each piece of an answer.
fn patient(patience: Duration) -> Result<reqwest::Client, VaultError> {
    Ok(reqwest::Client::builder().read_timeout(patience).build()?)
}

/// Where a file lies until it is whole.
fn partial_of(place: &Path) -> PathBuf {
    let mut name = place.file_name().unwrap_or_default().to_owned();
    name.push(".partial");
    place.with_file_name(name)
}

/// Whether a file is here already, whole and right; another one of this name is not overwritten.
fn is_here(place: &Path, file: &Entry) -> Result<bool, VaultError> {
    if !place.exists() {
        return Ok(false);
    }
    if hex::encode(Hashed::of(place)?.blake3) == file.blake3 {
        return Ok(true);
    }
    Err(VaultError::Invalid(format!(
        "{} is another file than the asset's: expected an empty directory, or to go on with an earlier pull",
        place.display()
    )))
}

/// How many segments of a partial file are right, from its beginning.
fn good(disk: &mut File, file: &Entry, values: &[Value]) -> Result<u64, VaultError> {
    disk.seek(SeekFrom::Start(0))?;
    let (mut good, mut segment) = (0, Vec::new());
    for value in values {
        segment.clear();
        (&mut *disk).take(tree::segment_len(file.size, good)).read_to_end(&mut segment)?;
        // An empty file's segment is right before anything was fetched.
        if tree::value(file.size, good, &segment) != Some(*value) {
            break;
        }
        good = good.saturating_add(1);
    }
    Ok(good)
}

fn lying(what: &str, of: &str) -> VaultError {
    VaultError::Damaged(format!(
        "the vault is lying or damaged: {what} of `{of}` is not what the chain says"
    ))
}

/// A body of at most `most` bytes.
async fn bytes_of(answer: Response, most: usize) -> Result<Vec<u8>, VaultError> {
    let mut answer = checked(answer).await?;
    let mut bytes = Vec::new();
    while let Some(piece) = answer.chunk().await? {
        if bytes.len().saturating_add(piece.len()) > most {
            return Err(VaultError::Damaged(format!("the vault sends more than {most} bytes")));
        }
        bytes.extend_from_slice(&piece);
    }
    Ok(bytes)
}

async fn json_of<T: for<'de> Deserialize<'de>>(answer: Response) -> Result<T, VaultError> {
    let bytes = bytes_of(answer, MAX_TEXT).await?;
    serde_json::from_slice(&bytes)
        .map_err(|error| VaultError::Damaged(format!("the vault's answer is malformed: {error}")))
}

async fn done(answer: Response) -> Result<(), VaultError> {
    checked(answer).await.map(|_| ())
}

async fn checked(mut answer: Response) -> Result<Response, VaultError> {
    let status = answer.status();
    if status.is_success() {
        return Ok(answer);
    }
    let mut bytes = Vec::new();
    while let Ok(Some(piece)) = answer.chunk().await {
        if bytes.len() > 4_096 {
            break;
        }
        bytes.extend_from_slice(&piece);
    }
    let said: Option<serde_json::Value> = serde_json::from_slice(&bytes).ok();
    let said = said.as_ref().and_then(|said| said.pointer("/error/message")?.as_str());
    let message = said.unwrap_or("it gave no reason");
    let message = message.chars().filter(|c| !c.is_control()).take(1_000).collect();
    Err(VaultError::Refused { status: status.as_u16(), message })
}
