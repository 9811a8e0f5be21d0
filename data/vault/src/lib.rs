//! What assets consist of: read, hashed, kept encrypted, handed to whoever has the right.
//!
//! # Model
//! An asset's content is files. The [`Manifest`] names each with its size and hashes, and the
//! manifest's BLAKE3 hash is the content hash on chain; a [`Document`] says what was read *in* the
//! files (GGUF, safetensors, model and dataset cards, Croissant), and its hash stands in the
//! metadata URI. So everything a [`Vault`] hands out can be checked against the chain, segment by
//! segment, and a [`VaultClient`] does.
//!
//! # Invariants
//! - V1 No byte is taken or kept that does not join, through its file's tree and the manifest, to
//!   the content hash on chain.
//! - V2 A manifest has one form, and no path in it leaves the directory it is written to.
//! - V3 Only ciphertext lies on disk, and what is swapped, cut or changed there does not open.
//! - V4 A signature is good once, for one request, at one vault, within a minute.
//! - V5 A push or pull goes on after a kill at any byte.
//! - V6 Content leaves only for who may read the asset in final state.
//!
//! # Limits
//! Every file of others is read with bounds: see [`metadata`] and [`manifest`].
//!
//! See `specs/0020-vault.md`, also for who holds the key.
#![forbid(unsafe_code)]

mod client;
mod error;
mod http;
mod hub;
mod known;
pub mod manifest;
pub mod metadata;
mod readers;
mod registry;
mod repository;
mod seal;
mod signed;
mod store;
pub mod stranger;
pub mod tree;
mod vault;

pub use client::{Moved, VaultClient};
pub use error::VaultError;
pub use manifest::{Entry, Manifest, content_hash};
pub use metadata::{Card, Document, card_of};
pub use readers::Asker;
pub use registry::{Access, Registered, Registry};
pub use repository::slug;
pub use vault::{MAX_DOCUMENT, Settings, Tokens, Vault};
