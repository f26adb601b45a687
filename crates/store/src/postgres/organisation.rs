//! Organisations.

use std::collections::HashMap;

use tokio_postgres::Row;

use super::connection::Connection;
use super::failure::violates;
use super::{configuration, credentials};
use crate::ids::FIRST;
use crate::rows::{Row as _, count};
use crate::{Author, Error, NewOrganisation, OrganisationName, TenantId};

/// The key by which a name is one organisation's.
const NAME_KEY: &str = "organisation_name_key";

pub(super) async fn all(connection: &Connection) -> Result<Vec<OrganisationName>, Error> {
    let sql = "SELECT organisation_id, name, is_demo FROM organisation ORDER BY name";
    let read = |row: &Row| {
        Ok(OrganisationName {
            id: TenantId(row.number("organisation_id")?),
            name: row.text("name")?,
            is_demo: row.flag("is_demo")?,
        })
    };
    connection.list(sql, &[], read).await
}

pub(super) async fn named(connection: &Connection, name: &str) -> Result<Option<TenantId>, Error> {
    let sql = "SELECT organisation_id FROM organisation WHERE name = $1";
    let read = |row: &Row| Ok(TenantId(row.number("organisation_id")?));
    connection.first(sql, &[&name], read).await
}

/// The version of what is set up for each organisation.
pub(super) async fn versions(connection: &Connection) -> Result<HashMap<TenantId, u64>, Error> {
    let sql = "SELECT organisation_id, version FROM configuration_version";
    let read =
        |row: &Row| Ok((TenantId(row.number("organisation_id")?), count(row.number("version")?)?));
    Ok(connection.list(sql, &[], read).await?.into_iter().collect())
}

/// Begins to change what is set up. Registrations wait from here on until it is done, and it waited
/// for those that had begun.
pub(super) async fn begin_change(connection: &Connection, tenant: TenantId) -> Result<(), Error> {
    let sql = "UPDATE configuration_version SET version = version + 1 WHERE organisation_id = $1";
    match connection.execute(sql, &[&tenant.0]).await? {
        0 => Err(Error::NoOrganisation),
        _ => Ok(()),
    }
}

pub(super) async fn insert(
    connection: &Connection,
    new: &NewOrganisation,
    author: &Author,
) -> Result<(), Error> {
    let name = &new.organisation.details.name;
    // Two at once take the same number, and one of them begins anew.
    let sql = "INSERT INTO organisation (organisation_id, name, is_demo)
         SELECT COALESCE(max(organisation_id), 0) + 1, $1, $2 FROM organisation
         RETURNING organisation_id";
    let read = |row: &Row| Ok(TenantId(row.number("organisation_id")?));
    let made = connection.first(sql, &[name, &new.is_demo], read).await;
    let tenant = made.map_err(|error| taken(error, name))?.ok_or(Error::NoOrganisation)?;
    let sql = "INSERT INTO id_block (organisation_id, next_customer_id) VALUES ($1, $2)";
    connection.execute(sql, &[&tenant.0, &FIRST]).await?;
    let sql = "INSERT INTO configuration_version (organisation_id, version) VALUES ($1, 1)";
    connection.execute(sql, &[&tenant.0]).await?;
    configuration::apply(connection, tenant, &new.changes(), author).await?;
    for (till, hashes) in &new.passwords {
        credentials::set_password(connection, tenant, till, hashes).await?;
    }
    Ok(())
}

fn taken(error: Error, name: &str) -> Error {
    if violates(&error, NAME_KEY) {
        return Error::Taken(format!("organisation name `{name}`"));
    }
    error
}
