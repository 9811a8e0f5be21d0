//! One module per command.

pub(crate) mod abi;
pub(crate) mod asset;
pub(crate) mod asset_owner;
pub(crate) mod asset_preview;
pub(crate) mod asset_words;
pub(crate) mod chat;
pub(crate) mod content;
pub(crate) mod contribution;
pub(crate) mod deed;
pub(crate) mod doctor;
pub(crate) mod earnings;
pub(crate) mod evidence;
pub(crate) mod gateway;
pub(crate) mod key;
pub(crate) mod license;
pub(crate) mod market;
pub(crate) mod node;
pub(crate) mod receipt;
pub(crate) mod stake;
pub(crate) mod status;
pub(crate) mod supply;
pub(crate) mod testnet;
pub(crate) mod up;
pub(crate) mod validators;
pub(crate) mod wallet;
pub(crate) mod worker;
