//! `patron till`: the passwords of tills.

use clap::{Args, Subcommand};
use serde::{Deserialize, Serialize};

use super::admin::{self, IfMissing, path};
use super::{Place, prompt};
use crate::auth::password_rules::Account;

#[derive(Subcommand)]
pub(super) enum Command {
    /// Set a till's password. The old one stops working at once.
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
    /// Generate a password, and print it.
    #[arg(long)]
    random: bool,
    #[command(flatten)]
    place: Place,
}

#[derive(Serialize, Deserialize)]
struct TillPassword {
    password: String,
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    let Command::Password(Password { organisation, name, random, place }) = command;
    admin::with(place, IfMissing::Fail, async |admin| {
        let till = path(&["organisations", organisation, "tills", name]);
        let password = format!("{till}/password");
        admin.get(&till).await?;
        if *random {
            let generated: TillPassword = admin.post(&password, &()).await?.json()?;
            super::say(&generated.password);
            return Ok(());
        }
        admin.release().await;
        let new = TillPassword { password: prompt::new_password(Account::Till, name)? };
        admin.put(&password, &new).await.map(drop)
    })
}
