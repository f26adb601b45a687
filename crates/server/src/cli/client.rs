//! `patron client`: the secrets with which API clients generate tokens.

use clap::{Args, Subcommand};
use serde::Deserialize;

use super::Place;
use super::admin::{self, IfMissing, path};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Create a new secret for an API client, and print it with the client's key. The old secret and
    /// all tokens of the client stop working at once.
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
    #[derive(Deserialize)]
    struct ClientSecret {
        key: String,
        secret: String,
    }
    let Command::Secret(Secret { organisation, name, place }) = command;
    admin::with(place, IfMissing::Fail, async |admin| {
        let path = path(&["organisations", organisation, "api_clients", name, "secret"]);
        let ClientSecret { key, secret } = admin.post(&path, &()).await?.json()?;
        super::say(&format!("key = \"{key}\"\nsecret = \"{secret}\""));
        Ok(())
    })
}
