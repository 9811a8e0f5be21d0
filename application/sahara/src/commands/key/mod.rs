//! `sahara key`: API keys, what they may spend, and how they end.
//!
//! A key is a secret of the client's whose hash stands in a *key grant* that the payer signs once.
//! What was signed is kept on this machine ([`Record`]), without the secret: so a key can be watched
//! and ended with nothing but a node, whatever its gateway says.

mod create;
mod end;
mod record;
mod show;
mod standing;
pub(crate) mod validator;

pub(crate) use create::{Limits, create};

use crate::{cli::Key, output::Format, session::Session};
use eyre::Result;
use record::Record;
use standing::Standing;

/// Runs a key command.
pub(crate) async fn run(key: &Key, session: &Session, format: Format) -> Result<()> {
    match key {
        Key::Create(key) => create::run(key, session, format).await,
        Key::List => show::list(session, format).await,
        Key::Show { key, api_key } => {
            show::run(key.as_deref().or(api_key.as_deref()), session, format).await
        }
        Key::Revoke { key, signer } => end::revoke(key, signer, session, format).await,
        Key::Close { key, signer } => end::close(key, signer, session, format).await,
        Key::Validator { file } => validator::run(file, format),
    }
}
