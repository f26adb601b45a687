//! `patron till`: what tills sign in with.

use anyhow::bail;
use clap::{Args, Subcommand};

use super::{Place, opened, prompt};
use crate::auth::password;
use crate::auth::password_rules::Account;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Set a till's password in place of the one it has.
    Password(Password),
}

#[derive(Args)]
pub(super) struct Password {
    /// The till's organisation.
    #[arg(value_parser = super::name)]
    organisation: String,
    /// The till's name.
    #[arg(value_parser = super::name)]
    name: String,
    /// Make a password, and print it.
    #[arg(long)]
    random: bool,
    #[command(flatten)]
    place: Place,
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Password(Password { organisation, name, random, place }) = command;
    opened::with(place, async |store| {
        let tenant = opened::organisation(store, organisation).await?;
        if store.tenant(tenant).await?.organisation().tills.get_any(name).is_none() {
            bail!("there is no till `{name}`");
        }
        let plain =
            if *random { password::random()? } else { prompt::new_password(Account::Till, name)? };
        let hashes = password::hash(&plain)?;
        store.set_till_password(tenant, name, hashes, opened::author()).await?;
        if *random {
            super::say(&plain);
        }
        Ok(())
    })
}
