//! `patron client`: what API clients generate tokens with.

use clap::{Args, Subcommand};
use patron_store::NewSecret;

use super::{Place, opened};
use crate::auth::password;
use crate::auth::token::{self, Purpose};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Make another secret for an API client, and print it with its key. The one before and every
    /// token are of no use from then on.
    Secret(Secret),
}

#[derive(Args)]
pub(super) struct Secret {
    /// The client's organisation.
    #[arg(value_parser = super::name)]
    organisation: String,
    /// The client's name.
    #[arg(value_parser = super::name)]
    name: String,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Secret(Secret { organisation, name, place }) = command;
    opened::with(place, async |store| {
        let tenant = opened::organisation(store, organisation).await?;
        let secret = token::generate(Purpose::Secret)?;
        let new = NewSecret { key: token::generate_key()?, hash: password::argon2id(&secret)? };
        let key = store.set_client_secret(tenant, name, new, opened::author()).await?;
        super::say(&format!("key = \"{key}\"\nsecret = \"{secret}\""));
        Ok(())
    })
}
