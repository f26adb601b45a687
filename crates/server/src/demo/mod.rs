//! `serve --demo`: something to try at once.

use std::net::SocketAddr;

use anyhow::bail;
use jiff::Timestamp;
use patron_store::operators::{OperatorId, Role, Scope};
use patron_store::{Author, AuthorKind, NewOrganisation, Store};

use crate::auth::password;
use crate::organisation_file::{Hashed, OrganisationFile};

/// What is set up: two organisations.
const FILES: [&str; 2] = [include_str!("demo.toml"), include_str!("demo2.toml")];
const TILL: &str = "till.001";
/// Who may set up everything.
const OPERATOR: &str = "demo";
/// Of the tills and of the operator.
const PASSWORD: &str = "demo";

/// Fills an empty store; leaves one that has the demo already as it is.
///
/// # Errors
/// A store that holds other organisations, or one that fails.
pub async fn fill(store: &dyn Store) -> anyhow::Result<()> {
    let organisations = store.organisations().await?;
    if organisations.iter().any(|organisation| organisation.is_demo) {
        return Ok(());
    }
    if !organisations.is_empty() {
        bail!("--demo fills an empty store, but this one holds organisations already");
    }
    let mut hashed = Hashed::default();
    let read = |file| {
        let organisation = OrganisationFile::read(file)?.new_organisation(&mut hashed)?;
        Ok(NewOrganisation { is_demo: true, ..organisation })
    };
    let organisations = FILES.into_iter().map(read).collect::<anyhow::Result<_>>()?;
    let author =
        Author { name: "serve --demo".to_owned(), kind: AuthorKind::Command, at: Timestamp::now() };
    store.set_up(organisations, author.clone()).await?;
    let password = password::argon2id(PASSWORD)?;
    let operator = OperatorId { scope: Scope::Everywhere, name: OPERATOR.to_owned() };
    store.add_operator(operator, password, Role::Owner, author).await?;
    Ok(())
}

/// Returns whether the store holds the demo. Refuses an address that other machines reach if it
/// does, since the demo's passwords are public.
///
/// # Errors
/// That refusal, or a store that fails.
pub async fn keep_private(store: &dyn Store, address: SocketAddr) -> anyhow::Result<bool> {
    let demo = store.organisations().await?.into_iter().find(|organisation| organisation.is_demo);
    match demo {
        Some(demo) if !address.ip().is_loopback() => bail!(
            "the organisation `{}` is a demo with public passwords, served on loopback only; not on {address}",
            demo.name
        ),
        demo => Ok(demo.is_some()),
    }
}

/// Credentials of the demo, and requests to try with them.
#[derive(Debug)]
pub struct Example {
    /// The name of a till.
    pub till: &'static str,
    /// The MD5 of the till's password, which the till sends.
    pub digest: String,
    /// The name of an operator.
    pub operator: &'static str,
    /// The password of the till and of the operator.
    pub password: &'static str,
    /// A command that registers a customer.
    pub register: String,
    /// A command that looks the customer up.
    pub look_up: String,
}

/// Returns the demo's credentials, and commands ready to paste for the server at this address.
#[must_use]
pub fn example(scheme: &str, address: SocketAddr) -> Example {
    let digest = password::md5_hex(PASSWORD);
    let look_up = format!(
        "curl -u {TILL}:{digest} '{scheme}://{address}/v1.1/customer/get?format=json&mobile=919876543210'"
    );
    let register = curl(scheme, address);
    Example { till: TILL, digest, operator: OPERATOR, password: PASSWORD, register, look_up }
}

/// Returns a command that registers a customer, ready to paste.
#[must_use]
pub fn curl(scheme: &str, address: SocketAddr) -> String {
    let digest = password::md5_hex(PASSWORD);
    format!(
        r#"curl -u {TILL}:{digest} '{scheme}://{address}/v1.1/customer/add?format=json' \
  -H 'Content-Type: application/json' \
  -d '{{"root":{{"customer":[{{"mobile":"919876543210","email":"asha@example.com","firstname":"Asha"}}]}}}}'"#
    )
}
