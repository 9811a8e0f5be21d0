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
mod validator;

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
        Key::Revoke { key, doing } => end::revoke(key, doing, session, format).await,
        Key::Close { key, doing } => end::close(key, doing, session, format).await,
        Key::New { file, seal } => validator::new(file, seal, format),
        Key::Import { from, file, password_file } => {
            validator::import((from, file), password_file.as_deref(), format)
        }
        Key::Export { file, to, password_file } => {
            validator::export((file, to), password_file.as_deref(), format)
        }
        Key::ChangePassword { file, password_file, new_password_file } => {
            let passwords = (password_file.as_deref(), new_password_file.as_deref());
            validator::change_password(file, passwords, format)
        }
    }
}
