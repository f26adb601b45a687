//! What is set up for an organisation: its documents, and who changed them.

use patron_rules::organisation::{Document, Kind, Organisation};
use rusqlite::{Connection, OptionalExtension, params};

use super::rows::{list, taken};
use super::writer::Writing;
use super::{credentials, settings};
use crate::configuration::{self, Changed};
use crate::rows::configuration::{Record, recorded_change, stored};
use crate::{Author, Change, Error, RecordedChange, Stored, TenantId};

const COLUMNS: &str = "resource, name, version, is_active, document";

pub(super) fn load(connection: &Connection, tenant: TenantId) -> Result<Organisation, Error> {
    let stored = all(connection, tenant)?;
    if stored.is_empty() {
        return Err(Error::NoOrganisation);
    }
    configuration::organisation(stored)
}

fn all(connection: &Connection, tenant: TenantId) -> Result<Vec<Stored>, Error> {
    let sql = format!("SELECT {COLUMNS} FROM configuration WHERE organisation_id = ?1");
    list(connection, &sql, [tenant.0], |row| stored(row))
}

/// Those of a kind whose names follow this one, by name.
pub(super) fn page(
    connection: &Connection,
    tenant: TenantId,
    kind: Kind,
    after: &str,
    limit: u32,
) -> Result<Vec<Stored>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM configuration
         WHERE organisation_id = ?1 AND resource = ?2 AND name > ?3 ORDER BY name LIMIT ?4"
    );
    list(connection, &sql, (tenant.0, kind.name(), after, limit), |row| stored(row))
}

pub(super) fn find(
    connection: &Connection,
    tenant: TenantId,
    kind: Kind,
    name: &str,
) -> Result<Option<Stored>, Error> {
    let sql = format!(
        "SELECT {COLUMNS} FROM configuration
         WHERE organisation_id = ?1 AND resource = ?2 AND name = ?3"
    );
    Ok(list(connection, &sql, (tenant.0, kind.name(), name), |row| stored(row))?.pop())
}

/// Decides on changes of an organisation as it is stored now. This reads all its documents, so it
/// is done beside the writer where possible.
pub(super) fn prepare(
    connection: &Connection,
    tenant: TenantId,
    changes: &[Change],
) -> Result<Changed, Error> {
    configuration::change(all(connection, tenant)?, changes)
}

/// Writes changes: all of them, or none.
pub(super) fn apply(
    writing: &mut Writing<'_>,
    tenant: TenantId,
    changed: &Changed,
    author: &Author,
) -> Result<Vec<Stored>, Error> {
    let connection = writing.connection;
    let Changed { before, after, documents } = changed;
    settings::follow(writing, tenant, &before.settings, &after.settings)?;
    let mut written = Vec::with_capacity(documents.len());
    for (replaced, stored) in documents {
        if stored.kind == Kind::Tills && replaced.is_none() {
            claim_username(connection, tenant, after, &stored.document.name)?;
        }
        if stored.kind == Kind::ApiClients && !stored.document.is_active {
            forget_tokens(connection, tenant, after, &stored.document.name)?;
        }
        write(connection, tenant, stored)?;
        let entry = Record {
            resource: stored.kind.name(),
            name: &stored.document.name,
            before: replaced.as_ref().map(Document::shown),
            after: Some(stored.document.shown()),
        };
        record(connection, tenant, entry, author)?;
        written.push(stored.clone());
    }
    writing.touch_organisation(tenant);
    Ok(written)
}

fn write(connection: &Connection, tenant: TenantId, stored: &Stored) -> Result<(), Error> {
    let Stored { kind, version, document } = stored;
    connection
        .prepare_cached("INSERT OR REPLACE INTO configuration VALUES (?1, ?2, ?3, ?4, ?5, ?6)")?
        .execute(params![
            tenant.0,
            kind.name(),
            document.name,
            version,
            document.is_active,
            document.json,
        ])?;
    Ok(())
}

pub(super) fn record(
    connection: &Connection,
    tenant: TenantId,
    entry: Record<'_>,
    author: &Author,
) -> Result<(), Error> {
    let Record { resource, name, before, after } = entry;
    connection
        .prepare_cached(
            "INSERT INTO configuration_change (
                organisation_id, change, changed_at, changed_by, changed_by_kind, resource, name,
                before, after)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
        )?
        .execute(params![
            tenant.0,
            next_change(connection, tenant)?,
            author.at.as_millisecond(),
            author.name,
            author.kind.name(),
            resource,
            name,
            before,
            after,
        ])?;
    Ok(())
}

/// The changes before this one, the latest first.
pub(super) fn changes(
    connection: &Connection,
    tenant: TenantId,
    before: Option<i64>,
    limit: u32,
) -> Result<Vec<RecordedChange>, Error> {
    list(
        connection,
        "SELECT change, changed_at, changed_by, changed_by_kind, resource, name, before, after
         FROM configuration_change
         WHERE organisation_id = ?1 AND change < ?2 ORDER BY change DESC LIMIT ?3",
        (tenant.0, before.unwrap_or(i64::MAX), limit),
        |row| recorded_change(row),
    )
}

/// Records that a secret was changed: of what, and by whom. The secret itself is recorded nowhere.
pub(super) fn record_secret(
    connection: &Connection,
    tenant: TenantId,
    secrets: &str,
    name: &str,
    author: &Author,
) -> Result<(), Error> {
    let changed = Record { resource: secrets, name, before: None, after: None };
    record(connection, tenant, changed, author)
}

fn next_change(connection: &Connection, tenant: TenantId) -> Result<i64, Error> {
    let last: Option<i64> = connection
        .prepare_cached(
            "SELECT change FROM configuration_change
             WHERE organisation_id = ?1 ORDER BY change DESC LIMIT 1",
        )?
        .query_row([tenant.0], |row| row.get(0))
        .optional()?;
    Ok(last.unwrap_or_default().saturating_add(1))
}

/// Forgets the tokens of a client that is retired, so that they stay worthless once it is back.
fn forget_tokens(
    connection: &Connection,
    tenant: TenantId,
    organisation: &Organisation,
    name: &str,
) -> Result<(), Error> {
    let Some(client) = organisation.api_clients.get_any(name) else { return Ok(()) };
    credentials::forget_tokens(connection, tenant, client.id).map(drop)
}

/// Keeps a till's name for it alone: no other till of any organisation can sign in by it.
fn claim_username(
    connection: &Connection,
    tenant: TenantId,
    organisation: &Organisation,
    name: &str,
) -> Result<(), Error> {
    let Some(till) = organisation.tills.get_any(name) else { return Ok(()) };
    connection
        .prepare_cached("INSERT INTO till_credential VALUES (?1, ?2, ?3, NULL, NULL)")?
        .execute((name, tenant.0, till.id.0))
        .map_err(|error| taken(error, "till name", name))?;
    Ok(())
}
