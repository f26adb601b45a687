//! `patron operator`: the people who set organisations up and look after them.

use clap::{Args, Subcommand};
use patron_store::operators::Role;
use serde::{Deserialize, Serialize};

use super::admin::{self, Admin, IfMissing, is_not_found, local_path, path};
use super::{Place, prompt};
use crate::auth::password_rules::Account;

#[derive(Subcommand)]
pub(super) enum Command {
    /// List the operators for everywhere, or those of one organisation, with their roles.
    List(List),
    /// Add an operator with a role, or change the role of one. A new operator needs a password.
    Add(Add),
    /// Remove an operator, and end the operator's sessions.
    Remove(Remove),
    /// Set an operator's password, and end the operator's sessions.
    Password(Password),
}

#[derive(Args)]
pub(super) struct List {
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Add {
    /// The operator's name.
    #[arg(value_parser = super::name)]
    name: String,
    /// What the operator may do: reader, support, editor or owner.
    #[arg(long)]
    role: Role,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Remove {
    /// The operator's name.
    #[arg(value_parser = super::name)]
    name: String,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    place: Place,
}

#[derive(Args)]
pub(super) struct Password {
    /// The operator's name.
    #[arg(value_parser = super::name)]
    name: String,
    #[command(flatten)]
    extent: Extent,
    #[command(flatten)]
    place: Place,
}

/// Where an operator's account belongs.
#[derive(Args)]
struct Extent {
    /// An operator of this organisation. Without it, an operator for everywhere, whose role holds in
    /// every organisation, present and future.
    #[arg(long, value_name = "NAME", value_parser = super::name)]
    organisation: Option<String>,
}

impl Extent {
    /// The path of its operators.
    fn operators(&self) -> String {
        match &self.organisation {
            Some(name) => path(&["organisations", name, "operators"]),
            None => path(&["operators"]),
        }
    }

    /// The path of one of them.
    fn operator(&self, name: &str) -> String {
        match &self.organisation {
            Some(organisation) => path(&["organisations", organisation, "operators", name]),
            None => path(&["operators", name]),
        }
    }

    /// The path of the password of one of them.
    fn password(&self, name: &str) -> String {
        match &self.organisation {
            Some(organisation) => {
                local_path(&["organisations", organisation, "operators", name, "password"])
            }
            None => local_path(&["operators", name, "password"]),
        }
    }
}

pub(super) fn run(command: &Command) -> anyhow::Result<()> {
    match command {
        Command::List(List { extent, place }) => {
            admin::with(place, IfMissing::Fail, async |admin| list(admin, extent).await)
        }
        Command::Add(arguments) => {
            let Add { extent, place, .. } = arguments;
            // No organisation can exist in a registry that does not.
            let if_missing = match extent.organisation {
                Some(_) => IfMissing::Fail,
                None => IfMissing::Create,
            };
            admin::with(place, if_missing, async |admin| add(admin, arguments).await)
        }
        Command::Remove(Remove { name, extent, place }) => {
            admin::with(place, IfMissing::Fail, async |admin| {
                admin.delete(&extent.operator(name)).await.map(drop)
            })
        }
        Command::Password(Password { name, extent, place }) => {
            admin::with(place, IfMissing::Fail, async |admin| {
                admin.get(&extent.operator(name)).await?;
                admin.release().await;
                let new = NewPassword { password: prompt::new_password(Account::Operator, name)? };
                admin.put(&extent.password(name), &new).await.map(drop)
            })
        }
    }
}

#[derive(Serialize)]
struct NewPassword {
    password: String,
}

async fn list(admin: &mut Admin, extent: &Extent) -> anyhow::Result<()> {
    #[derive(Deserialize)]
    struct Operator {
        name: String,
        role: String,
    }
    for Operator { name, role } in admin.list(&extent.operators()).await? {
        super::say(&format!("{name}\t{role}"));
    }
    Ok(())
}

async fn add(admin: &mut Admin, arguments: &Add) -> anyhow::Result<()> {
    #[derive(Serialize)]
    struct OperatorRole {
        role: &'static str,
        #[serde(skip_serializing_if = "Option::is_none")]
        password: Option<String>,
    }
    let Add { name, role, extent, .. } = arguments;
    if let Some(organisation) = &extent.organisation {
        admin.get(&path(&["organisations", organisation])).await?;
    }
    let password = match admin.get(&extent.operator(name)).await {
        Ok(_) => None,
        Err(error) if is_not_found(&error) => {
            admin.release().await;
            Some(prompt::new_password(Account::Operator, name)?)
        }
        Err(error) => return Err(error),
    };
    let granted = OperatorRole { role: role.name(), password };
    admin.put(&extent.operator(name), &granted).await.map(drop)
}
