//! `patron operator`: the people who set organisations up.

use anyhow::bail;
use clap::{Args, Subcommand};
use patron_rules::organisation::check_name;
use patron_store::Store;
use patron_store::operators::{Role, Scope};

use super::{Place, opened, prompt};
use crate::auth::password_rules::Account;
use crate::auth::{operator, password};

#[derive(Subcommand)]
pub(super) enum Command {
    /// Add an operator with a role, or give one who is there already that role.
    Add(Add),
    /// Take an operator's role away.
    Remove(Remove),
    /// Change an operator's password, and end their sessions.
    Password(Password),
}

#[derive(Args)]
pub(super) struct Add {
    /// Their name.
    #[arg(value_parser = super::name)]
    name: String,
    /// What they may do: reader, support, editor or owner.
    #[arg(long)]
    role: Role,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Remove {
    /// Their name.
    #[arg(value_parser = super::name)]
    name: String,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Password {
    /// Their name.
    #[arg(value_parser = super::name)]
    name: String,
    #[command(flatten)]
    place: Place,
}

/// Where a role holds.
#[derive(Args)]
struct Extent {
    /// In this organisation; in every one, where it is left out.
    #[arg(long, value_name = "NAME", value_parser = super::name)]
    organisation: Option<String>,
}

impl Extent {
    async fn scope(&self, store: &dyn Store) -> anyhow::Result<Scope> {
        match &self.organisation {
            Some(name) => Ok(Scope::Organisation(opened::organisation(store, name).await?)),
            None => Ok(Scope::Everywhere),
        }
    }
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::Add(arguments) => {
            opened::with(&arguments.place, async |store| add(store, arguments).await)
        }
        Command::Remove(Remove { name, extent, place }) => opened::with(place, async |store| {
            let scope = extent.scope(store).await?;
            Ok(store.grant(name, scope, None, opened::author()).await?)
        }),
        Command::Password(Password { name, place }) => opened::with(place, async |store| {
            if store.operator_password(name).await?.is_none() {
                bail!("there is no operator `{name}`");
            }
            let hash = password::argon2id(&prompt::new_password(Account::Operator, name)?)?;
            Ok(store.set_operator_password(name, hash).await?)
        }),
    }
}

async fn add(store: &dyn Store, arguments: &Add) -> anyhow::Result<()> {
    let Add { name, role, extent, .. } = arguments;
    check_name(name, operator::NAME_LIMIT)?;
    let scope = extent.scope(store).await?;
    if store.operator_password(name).await?.is_some() {
        return Ok(store.grant(name, scope, Some(*role), opened::author()).await?);
    }
    let hash = password::argon2id(&prompt::new_password(Account::Operator, name)?)?;
    Ok(store.add_operator(name, hash, scope, *role, opened::author()).await?)
}
