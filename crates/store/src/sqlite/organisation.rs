//! Organisations.

use rusqlite::{Connection, OptionalExtension};

use super::rows::{list, taken};
use super::writer::Writing;
use super::{configuration, credentials};
use crate::ids::FIRST;
use crate::rows::Row as _;
use crate::{Author, Error, NewOrganisation, OrganisationName, TenantId};

pub(super) fn all(connection: &Connection) -> Result<Vec<OrganisationName>, Error> {
    let sql = "SELECT organisation_id, name, is_demo FROM organisation ORDER BY name";
    list(connection, sql, [], |row| {
        Ok(OrganisationName {
            id: TenantId(row.number("organisation_id")?),
            name: row.text("name")?,
            is_demo: row.flag("is_demo")?,
        })
    })
}

pub(super) fn named(connection: &Connection, name: &str) -> Result<Option<TenantId>, Error> {
    let found = connection
        .prepare_cached("SELECT organisation_id FROM organisation WHERE name = ?1")?
        .query_row([name], |row| row.get(0).map(TenantId));
    Ok(found.optional()?)
}

pub(super) fn insert(
    writing: &mut Writing<'_>,
    new: &NewOrganisation,
    author: &Author,
) -> Result<(), Error> {
    let connection = writing.connection;
    let name = &new.organisation.details.name;
    let id: i64 = connection
        .prepare_cached(
            "INSERT INTO organisation (name, is_demo, next_customer_id)
             VALUES (?1, ?2, ?3) RETURNING organisation_id",
        )?
        .query_row((name, new.is_demo, FIRST), |row| row.get(0))
        .map_err(|error| taken(error, "organisation name", name))?;
    let tenant = TenantId(id);
    let changed = configuration::prepare(connection, tenant, &new.changes())?;
    configuration::apply(writing, tenant, &changed, author)?;
    for (till, hashes) in &new.passwords {
        credentials::set_password(connection, tenant, till, hashes)?;
    }
    Ok(())
}
