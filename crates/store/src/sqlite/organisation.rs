//! Organisations.

use patron_rules::organisation::Kind;
use rusqlite::{Connection, OptionalExtension};

use super::rows::{list, taken};
use super::writer::Writing;
use super::{configuration, credentials, ids};
use crate::{Author, Change, Error, Expected, NewOrganisation, OrganisationName, TenantId};

pub(super) fn all(connection: &Connection) -> Result<Vec<OrganisationName>, Error> {
    let sql = "SELECT organisation_id, name, is_demo FROM organisation ORDER BY name";
    list(connection, sql, [], |row| {
        Ok(OrganisationName {
            id: TenantId(row.get("organisation_id")?),
            name: row.get("name")?,
            is_demo: row.get("is_demo")?,
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
        .query_row((name, new.is_demo, ids::FIRST), |row| row.get(0))
        .map_err(|error| taken(error, "organisation", name))?;
    let tenant = TenantId(id);
    let changes: Vec<Change> = Kind::ALL.into_iter().flat_map(|kind| make(new, kind)).collect();
    configuration::apply(writing, tenant, &changes, author)?;
    for (till, hashes) in &new.passwords {
        credentials::set_password(connection, tenant, till, hashes)?;
    }
    Ok(())
}

fn make(new: &NewOrganisation, kind: Kind) -> impl Iterator<Item = Change> {
    new.organisation.documents(kind).all().into_iter().map(move |document| Change {
        kind,
        name: document.name,
        expected: Expected::Nothing,
        json: Some(document.json),
        is_active: Some(document.is_active),
    })
}
