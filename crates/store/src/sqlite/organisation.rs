//! Organisations, and what their tills sign in with.

use patron_rules::organisation::{Kind, TillId};
use rusqlite::{Connection, OptionalExtension};

use super::configuration::{self, Record};
use super::ids;
use super::rows::{list, taken};
use crate::{
    Author, Change, Error, Expected, NewOrganisation, OrganisationName, PasswordHashes, TenantId,
    TillCredential,
};

/// What changes of passwords are recorded as.
const PASSWORDS: &str = "till_passwords";

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

pub(super) fn till_credential(
    connection: &Connection,
    username: &str,
) -> Result<Option<TillCredential>, Error> {
    let found = connection
        .prepare_cached(
            "SELECT organisation_id, till_id, md5_hash, sha256_hash FROM till_credential
             WHERE username = ?1 AND md5_hash IS NOT NULL AND sha256_hash IS NOT NULL",
        )?
        .query_row([username], |row| {
            Ok(TillCredential {
                tenant: TenantId(row.get("organisation_id")?),
                till: TillId(row.get("till_id")?),
                hashes: PasswordHashes {
                    md5: row.get("md5_hash")?,
                    sha256: row.get("sha256_hash")?,
                },
            })
        });
    Ok(found.optional()?)
}

pub(super) fn insert(
    connection: &Connection,
    new: &NewOrganisation,
    author: &Author,
) -> Result<(), Error> {
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
    configuration::apply(connection, tenant, &changes, author)?;
    let mut passwords = new.passwords.iter();
    passwords.try_for_each(|(till, hashes)| set_password(connection, tenant, till, hashes, author))
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

/// Gives a till its password in place of the one it had.
pub(super) fn set_password(
    connection: &Connection,
    tenant: TenantId,
    till: &str,
    hashes: &PasswordHashes,
    author: &Author,
) -> Result<(), Error> {
    let changed = connection
        .prepare_cached(
            "UPDATE till_credential SET md5_hash = ?3, sha256_hash = ?4
             WHERE username = ?1 AND organisation_id = ?2",
        )?
        .execute((till, tenant.0, &hashes.md5, &hashes.sha256))?;
    if changed == 0 {
        return Err(Error::NoTill(till.to_owned()));
    }
    let changed = Record { resource: PASSWORDS, name: till, before: None, after: None };
    configuration::record(connection, tenant, changed, author)
}
