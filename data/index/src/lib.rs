//! Chain events in SQL: search, activity, earnings, explorer, and the app API.
mod api;
mod apply;
mod cursor;
mod database;
mod decode;
mod error;
mod index;
mod metadata;
mod period;
#[cfg(test)]
mod plans;
mod search;
mod source;
mod words;

pub use database::Database;
pub use error::IndexError;
pub use index::Index;
pub use source::Source;
